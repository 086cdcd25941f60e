"""The source that knows which registries are an Azure ML workspace's, and how to get in there.

The way in is that of whoever is signed in to Entra, traded at the registry for a token of some hours. The registry's admin user,
whose password lasts and may push and delete, is used only where somebody said so.
"""

from __future__ import annotations

import threading
import time

from registryauth._redact import printable
from registryauth.credentials import TOKEN_USERNAME, Basic
from registryauth.errors import ConfigurationError, Error, SourceFailed
from registryauth.reference import Address, Reference, Registry
from registryauth.registries import in_registry, is_workspace_image, kind_of, provider_of
from registryauth.registries.kind import MICROSOFTS_OWN
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.answer import found as answered
from registryauth.stores.principal import Key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from registryauth.azure.access import Access
    from registryauth.azure.acr import AcrLogin
    from registryauth.azure.bindings import Binding, Bindings
    from registryauth.azure.workspaces import AdminUser
    from registryauth.config import Config
    from registryauth.credentials import Pinned
    from registryauth.reference import Repository
    from registryauth.registries import Classification, Kind

    Note = Callable[[Key, str], None]

#: Seconds before its end at which a registry's token is not handed out any more.
_MARGIN = 300
#: What Microsoft's own registry of curated images says to everybody else, and where the same images are public.
CURATED = "curated images are public at mcr.microsoft.com/azureml/curated/NAME"


class Workspaces:
    """The configured workspaces as a source, and as those who know whose a registry is.

    *chosen* is the workspace that an image named without a registry belongs to, empty where nobody said. *allow_admin_user*
    allows it for all of them, beside those whose configuration does. *notice* is told how a sign-in went, where a person should
    know. *note* is told of each credential that was got, before it is handed out: whose and where it is, and how it was got; what
    it raises is raised. What was got is used again until shortly before its end. Safe to share between threads; close it after use.
    """

    name = "workspace"

    def __init__(
        self,
        access: Access,
        bindings: Bindings,
        *,
        chosen: str = "",
        allow_admin_user: bool = False,
        notice: Callable[[str], None] = lambda _: None,
        note: Note = lambda _key, _how: None,
    ) -> None:
        hint = f"known there: {_listed(bindings.names)}" if bindings.names else 'write a table [workspaces."NAME"]'
        if chosen and chosen not in bindings.names:
            raise ConfigurationError(f"there is no workspace {printable(chosen, 60)!a} in the configuration", hint=hint)
        if allow_admin_user and not bindings.names:
            raise ConfigurationError("no workspace is configured whose registry's admin user could be used", hint=hint)
        self._access, self._bindings, self._chosen = access, bindings, chosen
        self._allow_admin_user, self._notice, self._note = allow_admin_user, notice, note
        self._logins: dict[tuple[str, str, str], AcrLogin] = {}
        self._admins: dict[str, AdminUser | None] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_config(
        cls,
        config: Config,
        environ: Mapping[str, str],
        *,
        chosen: str = "",
        allow_admin_user: bool = False,
        notice: Callable[[str], None] = lambda _: None,
        note: Note = lambda _key, _how: None,
        clock: Callable[[], float] = time.time,
    ) -> Workspaces:
        """Those that *config* has tables for; raise `ConfigurationError` where *chosen* is none of them."""
        from registryauth.azure.access import Access
        from registryauth.azure.bindings import Bindings

        access = Access(config, environ, clock=clock)
        return cls(access, Bindings.at_home(access), chosen=chosen, allow_admin_user=allow_admin_user, notice=notice, note=note)

    def classify(self, reference: Reference, known: Mapping[str, Kind]) -> Classification:
        """What *reference*'s registry is, by *known*, the configuration's own word, and by what Azure says of the workspaces.

        A workspace image without a registry gets its own. Where that cannot be told, raise `Error`; of other references the
        answer says in its `why` that it could not be.
        """
        if is_workspace_image(reference):
            if self._chosen:
                reference = in_registry(reference, self._host(self._chosen))
            else:
                return kind_of(reference, known, bound=self._everybodys(known))
        registry = reference.registry
        if registry.host in known or not may_own(self._access.config, registry):
            return kind_of(reference, known)
        try:
            owners = self._bindings.of(registry)
        except Error as error:
            answer = kind_of(reference, known)
            return answer.replace(why=f"{answer.why}; which registry the workspaces have could not be told: {_first_line(error)}")
        return kind_of(reference, known, bound={registry.host: [each.workspace for each in owners]} if owners else None)

    def ask(self, repository: Repository) -> Found | Absent:
        """The way into the workspace's registry; raise `SourceFailed` where it cannot be told whose it is, or nobody lets us in."""
        registry = repository.registry
        if registry.host in MICROSOFTS_OWN:
            return Absent(self.name, f"{registry} is Microsoft's own, no workspace's; {CURATED}")
        if not may_own(self._access.config, registry):
            return Absent(self.name, f"{registry} is no registry of Azure")
        try:
            owners = self._bindings.of(registry)
        except Error as error:
            raise _failed("which registry the configured workspaces have cannot be told", error) from error
        if not owners:
            names = self._bindings.names
            return Absent(self.name, f"{registry} is not the registry of workspace{'s' if len(names) > 1 else ''} {_listed(names)}")
        binding = next((each for each in owners if self._may_use_admin(each)), owners[0])
        whose = f"{registry} is the registry of workspace {printable(binding.workspace, 60)}"
        if binding.stale:
            whose += f" (as of some time ago: {binding.stale})"
        if not self._may_use_admin(binding):
            return self._by_exchange(registry, binding, whose)
        admin = self._admin(binding)
        return _by_password(admin, binding, whose) if admin else self._by_exchange(registry, binding, f"{whose}, its admin user is off")

    def close(self) -> None:
        """Close every connection."""
        self._access.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _may_use_admin(self, binding: Binding) -> bool:
        return self._allow_admin_user or self._access.config.workspaces[binding.workspace].allow_admin_user

    def _host(self, name: str) -> str:
        from registryauth.azure.resource_id import ResourceId
        from registryauth.azure.workspaces import WORKSPACES, no_registry

        binding = self._bindings.get(name)
        if not binding.host:
            raise no_registry(ResourceId.parse(binding.workspace_id, WORKSPACES))
        return binding.host

    def _everybodys(self, known: Mapping[str, Kind]) -> dict[str, list[str]]:
        """Every workspace's registry, and whose it is; raise where one cannot be told, or the only one is not there yet."""
        names = self._bindings.names
        if len(names) == 1 and "workspace" not in known.values():
            return {self._host(names[0]): list(names)}
        bound: dict[str, list[str]] = {}
        for name in names:
            if host := self._bindings.get(name).host:
                bound.setdefault(host, []).append(name)
        return bound

    def _by_exchange(self, registry: Registry, binding: Binding, whose: str) -> Found:
        login: list[AcrLogin] = []

        def fetch() -> Pinned:
            login[:] = [self._login(registry, binding)]
            return answered(self.name, "", registry.host, login[0].credential).fetch()

        detail = f"{whose}; a token of Entra's is traded there for the registry's own, which lasts some hours"
        return Found(self.name, detail, fetch, account=TOKEN_USERNAME, ends=lambda: login[0].refresh.expires_at if login else 0)

    def _login(self, registry: Registry, binding: Binding) -> AcrLogin:
        from registryauth.azure.acr import Acr

        settings = self._access.config.workspaces[binding.workspace]
        key = (registry.host, settings.cloud, settings.tenant)
        # One at a time: who else wants in there wants the same token.
        with self._lock:
            held = self._logins.get(key)
            if held is not None and held.refresh.expires_at - _MARGIN > self._access.clock():
                return held
            try:
                way = self._access.way(settings.cloud, settings.tenant)
                got = Acr(way.tokens, way.far, way.cloud, clock=self._access.clock).sign_in(registry, look=registry.host != binding.host)
            except Error as error:
                raise _failed(f"{registry}, of workspace {printable(binding.workspace, 60)}", error) from error
            how = f"workspace {binding.workspace}: a token of hours, by signing in to Entra ({way.source.kind})"
            self._note(Key(Address(registry), TOKEN_USERNAME), how)
            self._logins[key] = got
        for text in got.notices:
            self._notice(text)
        return got

    def _admin(self, binding: Binding) -> AdminUser | None:
        from registryauth.azure.resource_id import ResourceId
        from registryauth.azure.workspaces import WORKSPACES, admin_user

        with self._lock:
            if binding.workspace not in self._admins:
                settings = self._access.config.workspaces[binding.workspace]
                try:
                    way = self._access.way(settings.cloud, settings.tenant)
                    id_ = ResourceId.parse(binding.workspace_id, WORKSPACES)
                    found = admin_user(way.management, id_)
                except Error as error:
                    raise _failed(f"the admin user of {binding.host}", error) from error
                if found:
                    how = f"workspace {binding.workspace}: the admin user's lasting passwords, by listKeys"
                    self._note(Key(Address(Registry(binding.host)), found.username), how)
                self._admins[binding.workspace] = found
            return self._admins[binding.workspace]


def may_own(config: Config, registry: Registry) -> bool:
    """Whether *registry* may be a workspace's by its name; nobody is asked about another."""
    provider = provider_of(registry)
    if provider.name == "acr":
        return provider.role == "login" and registry.host not in MICROSOFTS_OWN
    # Registries of a cloud that we know by its URL alone have names that our table does not know.
    clouds = (config.azure_cloud, *(said.cloud for said in config.workspaces.values()))
    return provider.name == "generic" and any("." in cloud or "/" in cloud for cloud in clouds)


def _by_password(admin: AdminUser, binding: Binding, whose: str) -> Found:
    """The admin user, labelled as what it is; there are two passwords, so that one can be renewed while the other is used."""
    # Each is told from the other, and from itself once renewed, by its mark.
    held = tuple(
        answered(Workspaces.name, "", f"{binding.host}:admin:{at}", Basic(admin.username, password)).fetch()
        for at, password in enumerate(admin.passwords)
    )
    _, _, after = binding.workspace_id.lower().partition("/resourcegroups/")
    group, name = after.partition("/")[0], binding.workspace_id.rpartition("/")[2]
    detail = (
        f"{whose}; the registry's admin user: may push and delete, and its password lasts until somebody renews it"
        f" (refused after that: az ml workspace sync-keys --name {name} --resource-group {group})"
    )
    return Found(Workspaces.name, detail, lambda: held[0], account=admin.username, fetch_all=lambda: held[:2])


def _failed(what: str, error: Error) -> SourceFailed:
    """*error* as a source's, with its hint and its exit status."""
    failed = SourceFailed(f"{what}: {error.message}", hint=error.hint)
    failed.exit_code = error.exit_code
    return failed


def _first_line(error: Error) -> str:
    return error.message.partition("\n")[0]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(printable(name, 60) for name in names)
