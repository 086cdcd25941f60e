"""A registry is a workspace's, a standalone one, or public: known or declared, never guessed."""

from __future__ import annotations

# No cost on any path: `re` has already imported it.
from enum import StrEnum

from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.reference import Reference, Registry, Repository
from registryauth.registries.providers import Provider, provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a registry is to its user; a user's configuration says it with these words."""

    WORKSPACE = "workspace"
    STANDALONE = "standalone"
    PUBLIC = "public"


class Classification(Value):
    """What a reference's registry is, and *why* we say so, in one line.

    *reference* is the one to go on with: the one that was asked for, or, for a workspace image named without
    a registry, that image in the workspace's registry. *may_be_public* says that a pull without a credential
    may work: always where *kind* is public, and at hosts that mix public and private repositories.
    """

    kind: Kind
    provider: Provider
    may_be_public: bool
    why: str
    reference: Reference


def kind_of(reference: Reference, known: Mapping[str, Kind] | None = None) -> Classification:
    """Classify *reference*; *known* is what the user's configuration says, by registry host (``host[:port]``, lower case).

    The configuration wins over the built-in table. Raise `ConfigurationError` for a name like
    ``azureml/azureml_…`` without a registry unless exactly one workspace registry is configured: such a name
    comes from a workspace, and on Docker Hub it would belong to whoever registers it there.
    """
    known = known or {}
    if reference.implied_registry and reference.repository.path.startswith("azureml/"):
        reference = _in_workspace(reference, known)
    registry = reference.registry
    provider = provider_of(registry)
    declared = known.get(registry.host)
    if declared is not None:
        kind, why = declared, f"your configuration says that {registry} is {_ARTICLES[declared]}"
    elif provider.always_public:
        kind, why = Kind.PUBLIC, f"{registry} is {provider.title}, where everything is public"
    elif provider.role == "data":
        kind, why = Kind.STANDALONE, f"{registry} is {provider.title}: it serves blobs and takes no login"
    elif provider.may_be_public:
        kind, why = Kind.STANDALONE, f"{registry} is {provider.title}, which holds public and private repositories"
    else:
        kind, why = Kind.STANDALONE, f"{registry} is {provider.title}, bound to no configured workspace and not declared public"
    may_be_public = kind is Kind.PUBLIC or (kind is Kind.STANDALONE and provider.may_be_public)
    return Classification(kind, provider, may_be_public, why, reference)


_ARTICLES = {Kind.WORKSPACE: "a workspace's registry", Kind.STANDALONE: "a standalone registry", Kind.PUBLIC: "public"}


def _in_workspace(reference: Reference, known: Mapping[str, Kind]) -> Reference:
    """*reference*, which names no registry, in the one workspace registry that is configured."""
    hosts = sorted(host for host, kind in known.items() if kind is Kind.WORKSPACE)
    path = reference.repository.path
    if len(hosts) != 1:
        found = f"{len(hosts)} workspace registries are" if hosts else "no workspace registry is"
        raise ConfigurationError(
            f"{path} names no registry, and {found} configured; it is never looked for on Docker Hub",
            hint=f"write the registry in front ({hosts[0] if hosts else 'myworkspace.azurecr.io'}/{path})"
            + (", or configure it as kind workspace" if not hosts else ""),
        )
    return reference.replace(repository=Repository(Registry.parse(hosts[0], known=hosts), path), implied_registry=False)
