"""What a build signs in with at other registries: only at those that were named, with what our sources have for them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from registryauth.azure.build_request import Login
from registryauth.cli.console import moment, say
from registryauth.credentials import NULL_GUID, Anonymous, Basic, IdentityToken, describe
from registryauth.errors import ConfigurationError
from registryauth.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.cli.session import Session
    from registryauth.resolver import Resolver

#: Where a credential for a whole registry is asked for: any repository will do.
_ANY = "base/image"


def logins(session: Session, named: Sequence[str], timeout: int) -> tuple[Login, ...]:
    """The login for each of *named*, ``HOST`` or ``HOST/REPOSITORY``; a person is told of each that leaves this machine.

    Raise what the resolver raises where there is none, `ConfigurationError` for one that a build cannot use.
    """
    if not named:
        return ()
    with session.resolver() as resolver:
        found = [_login(session, resolver, text, timeout) for text in named]
    return tuple({one.host: one for one in found if one}.values())


def _login(session: Session, resolver: Resolver, text: str, timeout: int) -> Login | None:
    address = session.address(text)
    host = address.registry.host
    secret = resolver.resolve(Reference.parse(f"{host}/{address.path or _ANY}", known={*session.spelled, address.registry.hostname}))
    credential = secret.credential
    if isinstance(credential, Anonymous):
        say(f"note: {host} asks nobody for a credential; none is sent for it")
        return None
    if isinstance(credential, IdentityToken) and secret.classification.provider.name == "acr":
        login = Login(host, NULL_GUID, credential.token)
    elif isinstance(credential, Basic):
        login = Login(host, credential.username, credential.password)
    else:
        raise ConfigurationError(
            f"the credential for {host} is {describe(credential)}, which a build cannot use",
            hint=f"a user name and password can be given on: registryauth login {host}",
        )
    what = describe(secret.credential)
    say(f"warning: the credential for {host} ({what}, from {secret.source}) leaves this machine: Azure's build service gets it.")
    if secret.expires_at and secret.expires_at < time.time() + timeout:
        say(f"warning: it ends at {moment(secret.expires_at)}, which may be before the build needs it.")
    return login
