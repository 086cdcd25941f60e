"""Which registry is which workspace's: asked once, and remembered for a day in a file that holds no secret.

The file only spares questions. What cannot be written there is asked again, what cannot be read counts as not known.
"""

from __future__ import annotations

import json
import os
import re
import threading

from registryauth import _paths
from registryauth._json import Node, load_json
from registryauth._value import Value
from registryauth.azure.container_registries import read_registry
from registryauth.azure.workspaces import bound_registry, configured_id, read_workspace
from registryauth.errors import (
    AzureError,
    ConfigurationError,
    Error,
    InvalidReference,
    NoIdentity,
    StoreUnavailable,
    TransportError,
    WorkspaceHasNoRegistry,
)
from registryauth.reference import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.azure.access import Access
    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.azure.workspaces import Workspace
    from registryauth.config import WorkspaceSettings

#: Seconds. A workspace keeps its registry for years.
AGE = 24 * 3600
#: Seconds. It gets one at any moment.
AGE_OF_NONE = 300
#: Seconds in which what is known may still be used where Azure cannot be asked.
MAX_AGE = 7 * 24 * 3600
#: Seconds until Azure is asked again after it could not be.
_PAUSE = 60
#: Bytes; a thousand workspaces take half of it.
_MAX_FILE = 1024 * 1024
_FORMAT = 1
_PASSING = (401, 408, 429, 500, 502, 503, 504)


class Binding(Value):
    """The *workspace*, by its name in the configuration, is bound to the registry at *host*, empty where it has none yet.

    *workspace_id* and *registry_id* are resource ids. *admin_enabled* says whether the registry's admin user was on.
    *looked_up_at* is in seconds since the epoch; *stale* says why it is older than it should be.
    """

    workspace: str
    workspace_id: str
    registry_id: str
    host: str
    admin_enabled: bool = False
    looked_up_at: int = 0
    stale: str = ""

    def owns(self, registry: Registry) -> bool:
        """Whether *registry* is this one, by its login server or by that of one of its regions (``name.region.geo.azurecr.io``)."""
        if registry.host == self.host or not self.host:
            return bool(self.host)
        label, _, suffix = self.host.partition(".")
        return bool(re.fullmatch(rf"{re.escape(label)}\.[a-z0-9]+\.geo\.{re.escape(suffix)}", registry.host))


class Bindings:
    """Those of the *configured* workspaces. Each is looked up once in a process; safe for threads.

    *path* is the file, empty for none.
    """

    def __init__(self, configured: Mapping[str, WorkspaceSettings], access: Access, path: str = "") -> None:
        self._configured = configured
        self._access = access
        self._path = path
        self._held: dict[str, Binding] = {}
        #: What to say, and until when, where the last question failed.
        self._failed: dict[str, tuple[float, Binding | Error]] = {}
        self._remembered: dict[str, Binding] | None = None
        self._lock = threading.RLock()

    @classmethod
    def at_home(cls, access: Access) -> Bindings:
        """Those that the configuration of *access* names, remembered in our cache directory."""
        return cls(access.config.workspaces, access, cache_file(access.environ))

    @property
    def names(self) -> tuple[str, ...]:
        """The configured workspaces."""
        return tuple(self._configured)

    def of(self, registry: Registry) -> tuple[Binding, ...]:
        """Those whose registry it is; workspaces may share one. Raise `Error` where that cannot be told.

        Nobody is asked where it is known already, or where every workspace's registry is.
        """
        with self._lock:
            known = tuple(each for name in self._configured if (each := self._known(name)) and each.owns(registry))
            if known:
                return known
            answers = [self._answer(name) for name in self._configured]
            found = tuple(each for each in answers if isinstance(each, Binding) and each.owns(registry))
            if not found and (broken := next((each for each in answers if isinstance(each, Error)), None)):
                # The same one may be raised again and again.
                raise broken.with_traceback(None)
            return found

    def get(self, name: str, *, refresh: bool = False) -> Binding:
        """That of the workspace *name*, which is configured; raise `Error` where it cannot be told. *refresh* asks anew."""
        with self._lock:
            answer = self._asked(name) if refresh else self._answer(name)
        if isinstance(answer, Error):
            raise answer.with_traceback(None)
        return answer

    def put(self, name: str, workspace: Workspace, registry: ContainerRegistry | None) -> Binding:
        """Remember what was just read of the configured workspace *name*."""
        with self._lock:
            binding = self._held[name] = _binding(name, workspace, registry, self._access.clock())
            self._write(binding)
        return binding

    def _known(self, name: str) -> Binding | None:
        """What needs no asking."""
        held = self._held.get(name) or self._file().get(name)
        return held if held and self._is_fresh(held) else None

    def _answer(self, name: str) -> Binding | Error:
        if known := self._known(name):
            return known
        until, said = self._failed.get(name, (0.0, None))
        return said if said is not None and self._access.clock() < until else self._asked(name)

    def _asked(self, name: str) -> Binding | Error:
        before = self._file().get(name)
        try:
            answer = self._held[name] = self._look(name)
        except Error as error:
            now = self._access.clock()
            # That Azure cannot be asked changes nothing; that it says otherwise does.
            passing = isinstance(error, TransportError | NoIdentity) or getattr(error, "status", 0) in _PASSING
            usable = before is not None and passing and now - before.looked_up_at < MAX_AGE
            said = before.replace(stale=error.message.partition("\n")[0]) if usable and before else error
            self._failed[name] = now + _PAUSE, said
            return said
        self._write(answer)
        return answer

    def _look(self, name: str) -> Binding:
        settings = self._configured[name]
        id_ = configured_id(name, settings)
        way = self._access.way(settings.cloud, settings.tenant)
        workspace = read_workspace(way.management, id_)
        try:
            wanted = bound_registry(workspace)
        except WorkspaceHasNoRegistry:
            return _binding(name, workspace, None, self._access.clock())
        registry = registry_of(workspace, lambda: read_registry(way.management, wanted, way.cloud))
        return _binding(name, workspace, registry, self._access.clock())

    def _is_fresh(self, binding: Binding) -> bool:
        age = self._access.clock() - binding.looked_up_at
        return 0 <= age < (AGE if binding.host else AGE_OF_NONE)

    def _file(self) -> dict[str, Binding]:
        if self._remembered is None:
            self._remembered = self._read()
        return self._remembered

    def _read(self) -> dict[str, Binding]:
        try:
            data = _paths.read_private(self._path, _MAX_FILE) if self._path else None
            document = Node(load_json(data, "the cache of workspaces"), "the cache of workspaces") if data else None
            if document is None or document.field("version").whole() != _FORMAT:
                return {}
            read = (_from_document(name, each) for name, each in document.field("workspaces").fields())
            return {each.workspace: each for each in read if self._is_of(each)}
        except (StoreUnavailable, ConfigurationError, InvalidReference):
            return {}

    def _is_of(self, binding: Binding) -> bool:
        """Whether the configuration still means that workspace by that name."""
        settings = self._configured.get(binding.workspace)
        try:
            return settings is not None and str(configured_id(binding.workspace, settings)).lower() == binding.workspace_id.lower()
        except ConfigurationError:
            return False

    def _write(self, binding: Binding) -> None:
        remembered = self._file()
        remembered[binding.workspace] = binding
        if not self._path:
            return
        written = {each.workspace: _document(each) for each in remembered.values()}
        from contextlib import suppress

        with suppress(OSError, StoreUnavailable):
            _paths.private_dir(os.path.dirname(self._path))
            _paths.write_private(self._path, json.dumps({"version": _FORMAT, "workspaces": written}, indent=1).encode())


def cache_file(environ: Mapping[str, str]) -> str:
    """Where bindings are remembered; empty where no home directory is known."""
    try:
        return os.path.join(_paths.cache_dir(environ), "workspaces.json")
    except ConfigurationError:
        return ""


def registry_of(workspace: Workspace, read: Callable[[], ContainerRegistry]) -> ContainerRegistry:
    """What *read* says of the workspace's registry; raise `AzureError` in terms of the workspace where that is gone or closed to us."""
    wanted = workspace.registry
    try:
        return read()
    except AzureError as error:
        if error.status == 404:
            raise AzureError(
                f"the workspace {workspace.id.name} names the registry {wanted.name if wanted else ''}, and there is none: was it deleted?",
                status=404,
                code=error.code,
                correlation_id=error.correlation_id,
                hint=f"{error.hint}; az ml workspace update --name {workspace.id.name} --resource-group {workspace.id.group}"
                " --container-registry ANOTHER --update-dependent-resources binds another",
            ) from error
        raise


def _binding(name: str, workspace: Workspace, registry: ContainerRegistry | None, now: float) -> Binding:
    host, admin = (registry.login_server.host, registry.admin_enabled) if registry else ("", False)
    return Binding(name, str(workspace.id), str(registry.id) if registry else "", host, admin, int(now))


_FIELDS = ("workspace_id", "registry_id", "host")


def _document(binding: Binding) -> dict[str, object]:
    said: dict[str, object] = {field: getattr(binding, field) for field in _FIELDS}
    return said | {"admin_enabled": binding.admin_enabled, "looked_up_at": binding.looked_up_at}


def _from_document(name: str, node: Node) -> Binding:
    workspace_id, registry_id, host = (node.field(field).text() for field in _FIELDS)
    # A token goes there: what is no host is none of ours.
    canonical = Registry.parse(host, known=(host,)).host if host else ""
    return Binding(
        name, workspace_id, registry_id, canonical, node.field("admin_enabled").value is True, node.field("looked_up_at").whole()
    )
