"""Does the registry take this credential, and where would it be sent? Asked before anything is stored."""

from __future__ import annotations

from registryauth._origin import Origin, Url, may_carry
from registryauth._value import Value
from registryauth.auth.challenge import Challenge, choose, parse
from registryauth.azure.acr_errors import what_lets_pull
from registryauth.credentials import Credential, Pinned, to_login
from registryauth.errors import Denied, InvalidChallenge, RealmRefused, RegistryError, TransportError
from registryauth.reference import Address, Registry, Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.client import Client
    from registryauth.client.client import Credentials

    OpenClient = Callable[[Credentials], Client]


class Verification(Value):
    """What the registry said. *verified* is false where it asks nobody for anything, so that a wrong password would pass too.

    *realm* is the token server to pin, empty where it is the registry itself; *granted* are the actions that a token
    shows, None where none shows any.
    """

    verified: bool
    detail: str
    realm: str = ""
    granted: tuple[str, ...] | None = None


def verify(
    address: Address,
    credential: Credential,
    open_client: OpenClient,
    *,
    repository: Repository | None = None,
    realm: str = "",
    insecure: bool = False,
    confirm: Callable[[str], bool] = lambda _: False,
) -> Verification:
    """Ask *address*'s registry whether it takes *credential*, with the right to pull from *repository* if one is named.

    The credential goes to the registry, to *realm*, to the built-in table's token server for it, or to the one that
    *confirm* is shown and says yes to; otherwise raise `RealmRefused`, having sent it nowhere. Raise `TokenRefused`,
    `Unauthorized` or `Denied` where it is not taken, after one attempt.
    """
    with open_client(lambda _: ()) as client:
        origin, asked = what_is_asked(client, address.registry)
    if asked is None:
        return Verification(False, asks_nobody(address.registry))
    pinned = _realm_to_pin(origin, asked, realm, insecure=insecure, confirm=confirm)
    held = (Pinned(credential, "the credential given", (Url.parse(pinned).origin,) if pinned else (), insecure),)
    with open_client(lambda _: held) as client:
        actions = ("pull",) if repository else ()
        granted = client.ping(repository or Repository(address.registry, address.path), *actions)
    if repository and granted is not None and "pull" not in granted:
        raise Denied(
            f"{address.registry} takes the credential and gives it no right to pull from {repository}",
            status=403,
            hint=what_lets_pull(address.registry, to_login(credential)[0])
            or "grant the account pull (AcrPull on Azure) on this repository, or check the repository's name",
        )
    return Verification(True, _how(asked, repository, granted), pinned, granted)


def asks_nobody(registry: Registry) -> str:
    """What there is to say of a registry that asks for no credential."""
    return f"{registry} answers without a credential, so it says nothing about this one"


def what_is_asked(client: Client, registry: Registry) -> tuple[Origin, Challenge | None]:
    """Where *registry* is, and what it asks for, None if nothing; asked without a credential. Raise `RegistryError` for what is none."""
    try:
        bare = client.challenge(registry)
    except RegistryError as error:
        if error.status not in (*range(300, 400), 404, 405, 410):
            raise
        raise _no_registry(registry, f"it answers {error.status} to GET /v2/") from error
    origin, status, lines = bare.url.origin, bare.status, bare.headers.all("www-authenticate")
    media_type = bare.headers.get("content-type").partition(";")[0].strip().lower()
    bare.close()
    if status == 200 and media_type in ("text/html", "application/xhtml+xml"):
        raise _no_registry(registry, "it answers with a web page")
    if status == 401 and not lines:
        raise _no_registry(registry, "it refuses us and does not say what it wants (no WWW-Authenticate)")
    return origin, None if status == 200 else choose(parse(lines))


def _no_registry(registry: Registry, why: str) -> RegistryError:
    return RegistryError(
        f"{registry} does not speak the registry API: {why}",
        hint="is the address right? It is the host that stands in front of an image's name; nothing was sent, nothing stored",
    )


def _realm_to_pin(origin: Origin, asked: Challenge, named: str, *, insecure: bool, confirm: Callable[[str], bool]) -> str:
    """The token server's URL if it is on another origin than the registry, allowed by the user; empty otherwise."""
    if asked.scheme != "bearer":
        return ""
    try:
        realm = Url.parse(asked.param("realm"))
    except TransportError as error:
        raise InvalidChallenge(
            f"{origin.netloc} names a token server that is no URL: {error}", hint="the registry is misconfigured; nothing was sent"
        ) from error
    trusted = (Url.parse(named).origin,) if named else ()
    try:
        may_carry(origin, trusted, realm, insecure=insecure)
    except RealmRefused:
        # Plain http is not for a person at a prompt to wave through.
        may_carry(origin, (realm.origin,), realm, insecure=insecure)
        if not confirm(f"{origin.netloc} wants its credentials sent to the token server {realm.origin}. Is that its own?"):
            raise
    return "" if realm.origin == origin else realm.redacted


def _how(asked: Challenge, repository: Repository | None, granted: tuple[str, ...] | None) -> str:
    if asked.scheme == "basic":
        return "the registry took the user name and password"
    if repository and granted is not None:
        return f"the token for {repository.path} grants {', '.join(granted)}"
    return "the token server took the credential" + ("" if repository else "; --repository would check the right to pull")
