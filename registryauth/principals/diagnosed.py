"""What a registry's refusal means, from somebody who can tell: added to a finding before it is shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from registryauth.azure.acr_errors import Meaning
    from registryauth.azure.standing import Standing
    from registryauth.config import Config
    from registryauth.errors import Error
    from registryauth.principals.review import Finding
    from registryauth.reference import Registry
    from registryauth.stores.principal import Principal

#: Verdicts of which the registry does not say why.
_UNEXPLAINED = ("refused", "lacking")


def entra_says(config: Config, environ: Mapping[str, str]) -> Callable[[Principal, Registry | None], Meaning | None]:
    """What `azure.diagnose` finds of a principal at a registry; nothing is imported before somebody asks."""

    def ask(principal: Principal, registry: Registry | None) -> Meaning | None:
        from registryauth.azure.diagnose import diagnose

        return diagnose(principal, config, environ, registry=registry)

    return ask


def management_says(config: Config, environ: Mapping[str, str]) -> Callable[[Registry, str, str, Principal | None, bool], Standing | None]:
    """What `azure.standing` finds of an account, by the record that it is of, in a repository of a registry.

    Nothing is imported before somebody asks. What it gives raises `NoIdentity` where nobody here is signed in to Azure.
    """

    def ask(registry: Registry, repository: str, account: str, principal: Principal | None, at_the_door: bool) -> Standing | None:
        from registryauth.azure.diagnose import ask_management

        return ask_management(registry, repository, account, principal, config, environ, at_the_door=at_the_door)

    return ask


def diagnosed(
    findings: Iterable[Finding], ask: Callable[[Principal, Registry | None], Meaning | None], registry: Registry | None = None
) -> list[Finding]:
    """*findings* about one principal, each refusal with what *ask* says of it; it is asked once."""
    done = list(findings)
    unexplained = [found for found in done if found.verdict in _UNEXPLAINED]
    meaning = ask(unexplained[0].principal, registry) if unexplained else None
    if meaning is None:
        return done
    return [found.replace(detail=f"{meaning.said}; {found.detail}", hint=meaning.hint) if found in unexplained else found for found in done]


def explain(error: Error, principal: Principal, ask: Callable[[Principal, Registry | None], Meaning | None]) -> None:
    """Put into *error*, a refusal of *principal*, what *ask* says of it, unless it says itself that the secret is not the matter."""
    from registryauth.azure.acr_errors import speaks_for_itself

    meaning = None if speaks_for_itself(error) else ask(principal, None)
    if meaning is not None:
        from registryauth.azure.acr_errors import restate

        restate(error, f"{error.message}; {meaning.said}", meaning.hint)
