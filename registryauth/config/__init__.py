"""Layered settings: flag, ``REGISTRYAUTH_*``, the user's file, the system's file, default; and where each came from."""

from __future__ import annotations

import os

from registryauth._value import Value
from registryauth.config.files import MAX_FILE, File, read
from registryauth.config.keys import KEYS, PROFILE_KEYS, REGISTRY_KEYS, WORKSPACE_KEYS, field
from registryauth.config.values import Place, expanded, from_text, setting, shown
from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SYSTEM_FILE = "/etc/registryauth/config.toml"

#: What `config show --origin` says of a value that nobody set.
DEFAULT = "default"
FLAG = "flag"


class RegistrySettings(Value):
    """What was said of one registry. *kind* is empty where nothing was; *realm* is its token server's URL.

    *mirrors* are addresses, ``host[:port][/path]``, in the order in which to ask them. *order* names the sources that may
    answer for it, empty for the usual ones; *account* is the only one to use for it, empty where none was named.
    """

    kind: str = ""
    insecure: bool = False
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    realm: str = ""
    mirrors: tuple[str, ...] = ()
    mirrors_for_tags: bool = False
    order: tuple[str, ...] = ()
    account: str = ""


class WorkspaceSettings(Value):
    """Which Azure ML workspace is meant: by its resource *id*, by *subscription*, *resource_group* and *name*, or by the *folder*
    whose ``config.json`` says these three. *name* is that of the table where nothing else was said.

    *cloud* and *tenant* are empty where nobody named them. *allow_admin_user*: its registry's admin user may be used.
    """

    id: str = ""
    subscription: str = ""
    resource_group: str = ""
    name: str = ""
    folder: str = ""
    cloud: str = ""
    tenant: str = ""
    allow_admin_user: bool = False


class ProfileSettings(Value):
    """A requirement profile of the user's: fact to rule, as text; *places* tells where each stands, *place* where the first does."""

    rules: Mapping[str, str]
    places: Mapping[str, Place]
    source: str = ""

    @property
    def place(self) -> Place:
        """Where to complain about the whole of it."""
        return next(iter(self.places.values()), Place())


class Config(Value):
    """Every setting. *origins* tells, by dotted key, who set it: a flag, a variable, a file or nobody (`DEFAULT`).

    *store_path*, *store_key_file* and *audit_file* are empty where nobody set them and no home directory is known.
    *helper_timeout* is in seconds.
    """

    store_backend: str
    store_path: str
    store_key: str
    store_key_file: str
    store_cache: str
    vault_address: str
    vault_namespace: str
    vault_mount: str
    vault_prefix: str
    vault_auth: str
    vault_auth_mount: str
    vault_role: str
    vault_token_file: str
    vault_secret_id_file: str
    vault_ca_file: str
    azure_cloud: str
    azure_tenant: str
    azure_client_id: str
    azure_subscription: str
    azure_credential: str
    azure_certificate_file: str
    azure_key_vault_url: str
    azure_key_vault_prefix: str
    audit_mode: str
    audit_file: str
    audit_syslog: bool
    resolver_order: tuple[str, ...]
    docker_config: bool
    helper_timeout: int
    broken_helper: str
    expiry_warning: str
    certs_d: bool
    registries: Mapping[str, RegistrySettings]
    workspaces: Mapping[str, WorkspaceSettings]
    profiles: Mapping[str, ProfileSettings]
    origins: Mapping[str, str]

    def registry(self, host: str) -> RegistrySettings:
        """What was said of the registry at *host* (``host[:port]``, canonical); the defaults where nothing was."""
        return self.registries.get(host, _NOTHING_SAID)

    def describe(self) -> tuple[tuple[str, str, str], ...]:
        """A row of key, value and origin for each setting; nothing secret is among them."""
        rows = [(key, shown(getattr(self, field(key))), self.origins[key]) for key in KEYS]
        for host, settings in sorted(self.registries.items()):
            for name in REGISTRY_KEYS:
                key = f'registries."{host}".{name}'
                if key in self.origins:
                    rows.append((key, shown(getattr(settings, name)), self.origins[key]))
        for workspace, said in sorted(self.workspaces.items()):
            for name in WORKSPACE_KEYS:
                key = f'workspaces."{workspace}".{name}'
                if key in self.origins:
                    rows.append((key, shown(getattr(said, name)), self.origins[key]))
        for profile, asked in sorted(self.profiles.items()):
            for name in PROFILE_KEYS:
                key = f'profiles."{profile}".{name}'
                if key in self.origins:
                    rows.append((key, shown(asked.source if name == "source" else asked.rules.get(name, "")), self.origins[key]))
        return tuple(rows)


_NOTHING_SAID = RegistrySettings()
_VARIABLES = {f"REGISTRYAUTH_{key.upper().replace('.', '_')}": key for key in KEYS}


def load(environ: Mapping[str, str] | None = None, *, flags: Mapping[str, object] | None = None, system_file: str = SYSTEM_FILE) -> Config:
    """The settings that hold under *environ* and *flags* (dotted key to value; None is "not given").

    Raise `ConfigurationError`, naming file, key and line, for a file that is no TOML, a key that we do not
    know, a value of the wrong kind, and a file that ``REGISTRYAUTH_CONFIG`` names and that is not there.
    """
    if environ is None:
        environ = os.environ
    values, origins = _defaults(environ), dict.fromkeys(KEYS, DEFAULT)
    registries: dict[str, dict[str, Any]] = {}
    workspaces: dict[str, dict[str, Any]] = {}
    profiles: dict[str, dict[str, tuple[str, Place]]] = {}
    for path, required in _files(environ, system_file):
        if text := read(path, required=required):
            File(path, text, environ).into(values, registries, workspaces, profiles, origins)
    for variable, key in _VARIABLES.items():
        if given := environ.get(variable):
            values[key] = from_text(given, key, variable, environ)
            origins[key] = variable
    for key, flag in (flags or {}).items():
        if flag is not None:
            values[key] = setting(flag, key, KEYS[key][0], Place(key=key, whose=f"the value given for {key}"))
            origins[key] = FLAG
    _check_pairs(registries, origins)
    _check_workspaces(workspaces, origins)
    named = {field(key): value for key, value in values.items()}
    return Config(
        **named,
        registries={host: RegistrySettings(**said) for host, said in registries.items()},
        workspaces={name: WorkspaceSettings(**said | {"name": said.get("name") or name}) for name, said in workspaces.items()},
        profiles={name: _profile(said) for name, said in profiles.items()},
        origins=origins,
    )


def _profile(said: Mapping[str, tuple[str, Place]]) -> ProfileSettings:
    """An empty rule is none, as the example has them."""
    rules = {key: text for key, (text, _) in said.items() if text and key != "source"}
    return ProfileSettings(rules, {key: place for key, (_, place) in said.items()}, said.get("source", ("",))[0])


def _check_pairs(registries: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> None:
    """Raise for a key without a certificate; each may stand in another file."""
    for host, said in registries.items():
        if said.get("client_key") and not said.get("client_cert"):
            key = f'registries."{host}".client_key'
            raise Place(origins[key], key).error("has no client_cert to belong to", "name the certificate's PEM file, too")


def _check_workspaces(workspaces: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> None:
    """Raise for a workspace that nothing, or more than one thing, says where to find; each key may stand in another file."""
    for name, said in workspaces.items():
        if said and not any(said.values()):
            # The example's table, as it stands there: whoever uses that workspace is told.
            continue
        ways = [way for way in ("id", "folder", "subscription") if said.get(way)]
        table = f'workspaces."{name}"'
        place = Place(next((origins[f"{table}.{key}"] for key in said), ""), table)
        if not ways:
            raise place.error("does not say which workspace that is", "give its id; or subscription and resource_group; or folder")
        if len(ways) > 1 or (ways != ["subscription"] and (said.get("resource_group") or said.get("name"))):
            raise place.error("says more than once which workspace that is", "id, or subscription and resource_group, or folder")
        if ways == ["subscription"] and not said.get("resource_group"):
            raise place.error("has no resource_group", "az ml workspace list --query '[].[name, resourceGroup]'")


def user_file(environ: Mapping[str, str]) -> str:
    """Where the user's file is, whether it exists or not: ``$REGISTRYAUTH_CONFIG``, or in the configuration directory.

    Raise `ConfigurationError` where neither the variable nor a home directory says so.
    """
    from registryauth._paths import config_dir

    if named := environ.get("REGISTRYAUTH_CONFIG"):
        return str(expanded(named, environ, ""))
    return f"{config_dir(environ)}/config.toml"


def _defaults(environ: Mapping[str, str]) -> dict[str, Any]:
    from registryauth._paths import config_dir, data_dir, home_dir, state_dir

    homeless = _is_homeless(environ)
    stateless = not home_dir(environ) and not os.path.isabs(environ.get("XDG_STATE_HOME", ""))
    at_home = {
        "store.path": "" if homeless else f"{data_dir(environ)}/store.db",
        "store.key_file": "" if homeless else f"{config_dir(environ)}/store.key",
        "audit.file": "" if stateless else f"{state_dir(environ)}/audit.log",
    }
    return {key: at_home.get(key, default) for key, (_, default) in KEYS.items()}


def _is_homeless(environ: Mapping[str, str]) -> bool:
    """Whether nothing says where our files are, as in a container run under a number that no account has."""
    from registryauth._paths import home_dir

    return not home_dir(environ) and not all(os.path.isabs(environ.get(name, "")) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"))


def _files(environ: Mapping[str, str], system_file: str) -> list[tuple[str, bool]]:
    """Each file to read, the strongest last, and whether it must be there."""
    if environ.get("REGISTRYAUTH_CONFIG"):
        return [(system_file, False), (user_file(environ), True)]
    return [(system_file, False), *([] if _is_homeless(environ) else [(user_file(environ), False)])]


def example() -> bytes:
    """The documented example of a configuration file; as it stands it changes nothing."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # In a checkout it is at the top, where people look for it; a wheel carries it in the package.
    for directory in (package, os.path.dirname(package)):
        path = os.path.join(directory, "config.example.toml")
        if os.path.exists(path):
            with open(path, "rb") as file:
                return file.read(MAX_FILE)
    raise ConfigurationError("this installation lacks config.example.toml", hint="install it again")
