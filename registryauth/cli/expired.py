"""What `resolve` has to say of secrets that die soon, or are dead."""

from __future__ import annotations

import time
from collections.abc import Sequence

from registryauth._redact import printable
from registryauth.cli.console import say
from registryauth.config import Config
from registryauth.credentials import describe
from registryauth.errors import CredentialExpired
from registryauth.resolver import PullSecret
from registryauth.stores.expiry import outlook, warning, warning_span


def mind_expiry(secrets: Sequence[PullSecret], config: Config, *, fail: bool) -> None:
    """Warn on stderr of each that is within ``resolver.expiry_warning`` of its end; raise `CredentialExpired` for a dead one if *fail*."""
    now = time.time()
    for secret in secrets if fail else ():
        if secret.expires_at and secret.expires_at <= now:
            raise CredentialExpired(
                f"the secret of {_whose(secret)} for {secret.reference.registry} {outlook(secret.expires_at, now)}",
                hint=_remedy(secret),
            )
    within = warning_span(config)
    # Said once for a registry, however many of its images were named.
    said = (warning(_whose(s), s.reference.registry, s.expires_at, now, within) for s in secrets if s.expires_at and not s.renews)
    for text in dict.fromkeys(filter(None, said)):
        say(f"warning: {text}")


def _remedy(secret: PullSecret) -> str:
    """How the next one comes to where this one is."""
    if secret.key is None:
        return f"{secret.source} has it: renew it there, or store one here: registryauth login {secret.reference.registry}"
    from registryauth.stores.commands import command

    return f"register a new one: {command('principal rotate', secret.key)}, or registryauth login {secret.key.address}"


def _whose(secret: PullSecret) -> str:
    return printable(describe(secret.credential).removeprefix("account "), 80)
