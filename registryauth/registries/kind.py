"""A registry is a workspace's, a standalone one, or public: known or declared, never guessed."""

from __future__ import annotations

# No cost on any path: `re` imports `enum`.
import re
from enum import StrEnum

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.reference import Reference, Registry, Repository
from registryauth.registries.providers import Provider, provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


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


#: Registries that are Microsoft's own, in which nobody else's identity may pull; they turn up in Dockerfiles of curated environments.
MICROSOFTS_OWN = frozenset({"viennaglobal.azurecr.io"})

_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: Images that Azure ML builds are below ``azureml/``, where a workspace isolates its data below its own id.
_BUILT = rf"(?:{_GUID}/)?azureml/.+"
#: Model packages, which are named by digest (azure-sdk-for-python#12780).
_PACKAGE = "library/package"


def is_workspace_image(reference: Reference) -> bool:
    """Whether *reference* names no registry and can only be an image of some workspace (``AzureML.DerivedImageName``)."""
    path = reference.repository.path
    if not reference.implied_registry:
        return False
    return bool(re.fullmatch(_BUILT, path)) or (path == _PACKAGE and reference.digest is not None)


def in_registry(reference: Reference, host: str) -> Reference:
    """*reference*, which names no registry, in the registry at *host*."""
    path = reference.repository.path.removeprefix("library/")
    return reference.replace(repository=Repository(Registry.parse(host, known=(host,)), path), implied_registry=False)


def kind_of(
    reference: Reference, known: Mapping[str, Kind] | None = None, *, bound: Mapping[str, Collection[str]] | None = None
) -> Classification:
    """Classify *reference*; *known* is what the user's configuration says, by registry host (``host[:port]``, lower case).

    *bound* names, by host, the configured workspaces whose registry that is, as Azure says. The configuration wins over it and
    over the built-in table. Raise `ConfigurationError` for a name like ``azureml/azureml_…`` without a registry unless exactly
    one workspace registry is known: such a name comes from a workspace, and on Docker Hub it would belong to whoever registers
    it there.
    """
    known, bound = known or {}, bound or {}
    if is_workspace_image(reference):
        reference = in_registry(reference, _the_one(reference, known, bound))
    registry = reference.registry
    provider = provider_of(registry)
    declared = known.get(registry.host)
    if declared is not None:
        kind, why = declared, f"your configuration says that {registry} is {_ARTICLES[declared]}"
    elif owners := bound.get(registry.host):
        names = " and ".join(sorted(printable(owner, 60) for owner in owners))
        kind, why = Kind.WORKSPACE, f"{registry} is the registry of workspace{'s' if len(owners) > 1 else ''} {names}"
    elif registry.host in MICROSOFTS_OWN:
        kind, why = Kind.STANDALONE, f"{registry} is Microsoft's own: it takes nobody else's credentials"
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


def _the_one(reference: Reference, known: Mapping[str, Kind], bound: Mapping[str, Collection[str]]) -> str:
    """The host of the only workspace registry that is known, in which *reference*, which names none, must be."""
    hosts = sorted({host for host, kind in known.items() if kind is Kind.WORKSPACE} | bound.keys() - known.keys())
    if len(hosts) == 1:
        return hosts[0]
    path = reference.repository.path.removeprefix("library/")
    found = f"{len(hosts)} workspace registries are" if hosts else "no workspace registry is"
    named = [f"{host} ({', '.join(printable(name, 60) for name in sorted(bound[host]))})" if host in bound else host for host in hosts]
    message = (
        f"{path} names no registry, and {found} configured{': ' if hosts else ''}{', '.join(named)}; it is never looked for on Docker Hub"
    )
    if hosts:
        hint = f"write the registry in front ({hosts[0]}/{path}), or say which: --workspace NAME"
    else:
        hint = f'write the registry in front (myworkspace.azurecr.io/{path}), or configure the workspace: [workspaces."NAME"]'
    raise ConfigurationError(message, hint=hint)
