"""The words that may stand for a registry, an account and the like: names alone, and only where nobody has to be asked for them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from registryauth.cli.complete.line import Suggestion
    from registryauth.config import Config
    from registryauth.stores.glimpse import Place

#: Suffixes of Azure's registries, by which `azure acr login` needs no more than the name before it.
_AZURE = (".azurecr.io", ".azurecr.cn", ".azurecr.us")


def of(kind: str, given: Sequence[str], start: str, environ: Mapping[str, str]) -> list[Suggestion]:
    """The words of *kind*: one of those below, with fixed ones after a colon, ``profile:a,b``. *given* are the arguments before.

    None where a store cannot be read without being asked for its key. Raise `ConfigurationError`.
    """
    kind, colon, fixed = kind.partition(":")
    words = [(word, "") for word in fixed.split(",")] if colon else []
    found = _KINDS.get(kind)
    if found is None:
        return words
    from registryauth.config import load

    return words + sorted(set(found(load(environ), environ, given, start)))


def _stored(config: Config, environ: Mapping[str, str]) -> tuple[Place, ...]:
    from registryauth import _paths
    from registryauth.stores.glimpse import places_in, places_in_caches

    if config.store_backend != "local":
        return places_in_caches(_paths.cache_dir(environ))
    return places_in(config.store_path)


def _addresses(config: Config, environ: Mapping[str, str], given: Sequence[str], _: str) -> Iterable[Suggestion]:
    known: dict[str, list[str]] = {host: [] for host in config.registries}
    for place in _stored(config, environ):
        known.setdefault(place.address, []).append(place.account)
    for address, accounts in known.items():
        if address not in given:
            yield address, accounts[0] if len(accounts) == 1 else f"{len(accounts)} accounts" if accounts else "in the configuration"


def _references(config: Config, environ: Mapping[str, str], _: Sequence[str], start: str) -> Iterable[Suggestion]:
    """What an image's name begins with; a slash at the end says that it goes on."""
    for address, text in _addresses(config, environ, (), start):
        if not address.startswith("*"):
            yield f"{address}/", text


def _registries(config: Config, environ: Mapping[str, str], given: Sequence[str], _: str) -> Iterable[Suggestion]:
    hosts = dict.fromkeys([*config.registries, *(place.registry for place in _stored(config, environ))])
    return [(host, "") for host in hosts if host not in given]


def _accounts(config: Config, environ: Mapping[str, str], given: Sequence[str], _: str) -> Iterable[Suggestion]:
    """Those of what was named before, or above it; of all, where nothing is stored for that."""
    places = _stored(config, environ)
    here = [place for place in places if any(name == place.address or name.startswith(f"{place.address}/") for name in given)]
    return [(place.account, place.address if not here else "") for place in here or places]


def _workspaces(config: Config, *_: object) -> Iterable[Suggestion]:
    return [(name, "") for name in config.workspaces]


def _profiles(config: Config, *_: object) -> Iterable[Suggestion]:
    return [(name, "in the configuration") for name in config.profiles]


def _azure_registries(config: Config, environ: Mapping[str, str], given: Sequence[str], _: str) -> Iterable[Suggestion]:
    for host, _text in _registries(config, environ, given, ""):
        for suffix in _AZURE:
            if host.endswith(suffix) and "." not in host.removesuffix(suffix):
                # The name alone is looked up in Azure's public cloud.
                yield (host.removesuffix(suffix) if suffix == _AZURE[0] else host), host


_KINDS: Mapping[str, Callable[[Config, Mapping[str, str], Sequence[str], str], Iterable[Suggestion]]] = {
    "address": _addresses,
    "reference": _references,
    "registry": _registries,
    "account": _accounts,
    "workspace": _workspaces,
    "profile": _profiles,
    "azure-registry": _azure_registries,
}
