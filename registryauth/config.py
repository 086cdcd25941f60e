"""Layered settings: flag, ``REGISTRYAUTH_*``, the user's file, the system's file, default; and where each came from."""

from __future__ import annotations

import os
import re

from registryauth._origin import Url
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, InvalidReference, TransportError
from registryauth.reference import Address, Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SYSTEM_FILE = "/etc/registryauth/config.toml"
#: A file with ten thousand registries has about one MiB.
MAX_FILE = 4 * 1024 * 1024

KEY_SOURCES = ("auto", "file", "keyring")
KINDS = ("", "public", "standalone", "workspace")

#: What `config show --origin` says of a value that nobody set.
DEFAULT = "default"
FLAG = "flag"


class RegistrySettings(Value):
    """What was said of one registry. *kind* is empty where nothing was; *realm* is its token server's URL.

    *mirrors* are addresses, ``host[:port][/path]``, in the order in which to ask them.
    """

    kind: str = ""
    insecure: bool = False
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    realm: str = ""
    mirrors: tuple[str, ...] = ()
    mirrors_for_tags: bool = False


class Config(Value):
    """Every setting. *origins* tells, by dotted key, who set it: a flag, a variable, a file or nobody (`DEFAULT`).

    *store_path* and *store_key_file* are empty where nobody set them and no home directory is known.
    """

    store_path: str
    store_key: str
    store_key_file: str
    docker_config: bool
    certs_d: bool
    registries: Mapping[str, RegistrySettings]
    origins: Mapping[str, str]

    def registry(self, host: str) -> RegistrySettings:
        """What was said of the registry at *host* (``host[:port]``, canonical); the defaults where nothing was."""
        return self.registries.get(host, _NOTHING_SAID)

    def describe(self) -> tuple[tuple[str, str, str], ...]:
        """A row of key, value and origin for each setting; nothing secret is among them."""
        rows = [(key, _shown(getattr(self, field)), self.origins[key]) for key, field in _FIELDS.items()]
        for host, settings in sorted(self.registries.items()):
            for name in _REGISTRY_KEYS:
                key = f'registries."{host}".{name}'
                if key in self.origins:
                    rows.append((key, _shown(getattr(settings, name)), self.origins[key]))
        return tuple(rows)


_NOTHING_SAID = RegistrySettings()
_FIELDS = {
    "store.path": "store_path",
    "store.key": "store_key",
    "store.key_file": "store_key_file",
    "resolver.docker_config": "docker_config",
    "network.certs_d": "certs_d",
}
#: What each key takes: a type, or the words allowed.
_KEYS: dict[str, type | tuple[str, ...]] = {
    "store.path": str,
    "store.key": KEY_SOURCES,
    "store.key_file": str,
    "resolver.docker_config": bool,
    "network.certs_d": bool,
}
_REGISTRY_KEYS: dict[str, type | tuple[str, ...]] = {
    "kind": KINDS,
    "insecure": bool,
    "ca_file": str,
    "client_cert": str,
    "client_key": str,
    "realm": str,
    "mirrors": list,
    "mirrors_for_tags": bool,
}
_VARIABLES = {f"REGISTRYAUTH_{key.upper().replace('.', '_')}": key for key in _KEYS}
_TABLES = ("store", "resolver", "network", "registries")
_PATHS = ("store.path", "store.key_file", "ca_file", "client_cert", "client_key")


def load(environ: Mapping[str, str] | None = None, *, flags: Mapping[str, object] | None = None, system_file: str = SYSTEM_FILE) -> Config:
    """The settings that hold under *environ* and *flags* (dotted key to value; None is "not given").

    Raise `ConfigurationError`, naming file, key and line, for a file that is no TOML, a key that we do not
    know, a value of the wrong kind, and a file that ``REGISTRYAUTH_CONFIG`` names and that is not there.
    """
    if environ is None:
        environ = os.environ
    values, origins = _defaults(environ), dict.fromkeys(_KEYS, DEFAULT)
    registries: dict[str, dict[str, Any]] = {}
    for path, required in _files(environ, system_file):
        if text := _read(path, required=required):
            _File(path, text, environ).into(values, registries, origins)
    for variable, key in _VARIABLES.items():
        if given := environ.get(variable):
            values[key] = _from_text(given, key, variable, environ)
            origins[key] = variable
    for key, flag in (flags or {}).items():
        if flag is not None:
            values[key] = _checked(flag, _KEYS[key], _Place(key=key, whose=f"the value given for {key}"))
            origins[key] = FLAG
    _check_pairs(registries, origins)
    named = {field: values[key] for key, field in _FIELDS.items()}
    return Config(**named, registries={host: RegistrySettings(**said) for host, said in registries.items()}, origins=origins)


def _check_pairs(registries: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> None:
    """Raise for a key without a certificate; each may stand in another file."""
    for host, said in registries.items():
        if said.get("client_key") and not said.get("client_cert"):
            key = f'registries."{host}".client_key'
            raise _Place(origins[key], key).error("has no client_cert to belong to", "name the certificate's PEM file, too")


def user_file(environ: Mapping[str, str]) -> str:
    """Where the user's file is, whether it exists or not: ``$REGISTRYAUTH_CONFIG``, or in the configuration directory.

    Raise `ConfigurationError` where neither the variable nor a home directory says so.
    """
    from registryauth._paths import config_dir

    if named := environ.get("REGISTRYAUTH_CONFIG"):
        return str(_expanded(named, environ, ""))
    return f"{config_dir(environ)}/config.toml"


def _defaults(environ: Mapping[str, str]) -> dict[str, Any]:
    from registryauth._paths import config_dir, data_dir

    homeless = _is_homeless(environ)
    return {
        "store.path": "" if homeless else f"{data_dir(environ)}/store.db",
        "store.key": "auto",
        "store.key_file": "" if homeless else f"{config_dir(environ)}/store.key",
        "resolver.docker_config": True,
        "network.certs_d": True,
    }


def _is_homeless(environ: Mapping[str, str]) -> bool:
    """Whether nothing says where our files are, as in a container run under a number that no account has."""
    from registryauth._paths import home_dir

    return not home_dir(environ) and not all(os.path.isabs(environ.get(name, "")) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"))


def _files(environ: Mapping[str, str], system_file: str) -> list[tuple[str, bool]]:
    """Each file to read, the strongest last, and whether it must be there."""
    if environ.get("REGISTRYAUTH_CONFIG"):
        return [(system_file, False), (user_file(environ), True)]
    return [(system_file, False), *([] if _is_homeless(environ) else [(user_file(environ), False)])]


def _read(path: str, *, required: bool) -> str:
    """The text of *path*; empty where there is no such file and none is *required*."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        if not required:
            return ""
        raise ConfigurationError(
            f"there is no configuration file at {printable(path)}", file=path, hint="correct or unset REGISTRYAUTH_CONFIG"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{printable(path)} cannot be read: {os.strerror(error.errno or 0)}", file=path) from error
    if len(data) > MAX_FILE:
        raise ConfigurationError(f"{printable(path)} is larger than the {MAX_FILE} bytes allowed", file=path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{printable(path)} is not UTF-8", file=path) from None


class _Place(Value):
    """Where a value stands, for a complaint about it."""

    file: str = ""
    key: str = ""
    line: int = 0
    whose: str = ""

    def error(self, complaint: str, hint: str = "") -> ConfigurationError:
        where = f"{printable(self.file)}{f', line {self.line}' if self.line else ''}: " if self.file else ""
        return ConfigurationError(
            f"{where}{printable(self.whose or self.key)} {complaint}", file=self.file, key=self.key, line=self.line, hint=hint
        )


class _File:
    """One TOML file on its way into the settings."""

    def __init__(self, path: str, text: str, environ: Mapping[str, str]) -> None:
        self.path, self.text, self.environ = path, text, environ

    def into(self, values: dict[str, Any], registries: dict[str, dict[str, Any]], origins: dict[str, str]) -> None:
        """Overlay what this file says."""
        for table, content in self._parsed().items():
            if table not in _TABLES:
                raise self._unknown(table, (), _TABLES)
            if not isinstance(content, dict):
                raise self._place(table, (), table).error("must be a table", f"write [{table}]")
            if table == "registries":
                for host, settings in content.items():
                    canonical, said = self._registry(host, settings)
                    registries.setdefault(canonical, {}).update(said)
                    origins.update({f'registries."{canonical}".{name}': self.path for name in said})
                continue
            known = [key.partition(".")[2] for key in _KEYS if key.startswith(f"{table}.")]
            for name, value in content.items():
                key = f"{table}.{name}"
                if name not in known:
                    raise self._unknown(name, (table,), known)
                values[key] = _expanded(_checked(value, _KEYS[key], self._place(name, (table,), key)), self.environ, key)
                origins[key] = self.path

    def _parsed(self) -> dict[str, Any]:
        import tomllib

        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line ([0-9]+), column [0-9]+", str(error))
            line = int(at[1]) if at else self.text.count("\n") + 1
            message = f"{printable(self.path)}, line {line}: that is not TOML"
            raise ConfigurationError(message, file=self.path, line=line, hint='strings stand in double quotes: key = "value"') from None
        except (RecursionError, ValueError):
            raise ConfigurationError(f"{printable(self.path)} is nested too deeply or holds an impossible number", file=self.path) from None

    def _registry(self, host: str, settings: object) -> tuple[str, dict[str, Any]]:
        place = self._place(host, ("registries",), f'registries."{host}"')
        if isinstance(settings, dict) and any(isinstance(value, dict) for value in settings.values()):
            raise place.error("is cut at its first dot", 'write the host in quotes: [registries."myregistry.azurecr.io"]')
        try:
            # A host that looks mistyped was written down here on purpose.
            canonical = Registry.parse(host, known=(host.partition(":")[0].lower(),)).host
        except InvalidReference as error:
            raise place.error("is not a registry address", error.hint) from None
        if not isinstance(settings, dict):
            raise place.error("must be a table", f'write [registries."{canonical}"], in quotes')
        said = {}
        for name, value in settings.items():
            if name not in _REGISTRY_KEYS:
                raise self._unknown(name, ("registries", host), list(_REGISTRY_KEYS))
            here = self._place(name, ("registries", host), f'registries."{host}".{name}')
            said[name] = _expanded(_checked(value, _REGISTRY_KEYS[name], here), self.environ, name)
            if name == "realm" and value:
                _check_realm(value, here)
            if name == "mirrors":
                said[name] = tuple(_mirror(entry, here) for entry in value)
        return canonical, said

    def _unknown(self, name: str, table: tuple[str, ...], known: list[str] | tuple[str, ...]) -> ConfigurationError:
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        key = ".".join((*table, name))
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        return self._place(name, table, key).error("is not a key that we know", hint)

    def _place(self, name: str, table: tuple[str, ...], key: str) -> _Place:
        return _Place(self.path, key, _line_of(self.text, name, table))


def _check_realm(value: str, place: _Place) -> None:
    try:
        Url.parse(value)
    except TransportError:
        raise place.error("must be the URL of a token server", "for example https://auth.example.com/token") from None


def _mirror(entry: object, place: _Place) -> str:
    """A mirror's address, canonical."""
    hint = 'for example ["mirror.example", "other.example:5000/prefix"]'
    if not isinstance(entry, str) or not entry:
        raise place.error("must name each mirror in double quotes", hint)
    if "://" in entry:
        # Whether it is asked in the clear is not this line's to say.
        raise place.error(
            "must name each mirror without https:// or http://", "plain http is allowed by insecure = true in the mirror's own table"
        )
    try:
        # Written down on purpose, as the registries themselves are.
        return str(Address.parse(entry, known=(re.split("[:/]", entry)[0].lower(),)))
    except InvalidReference:
        raise place.error("names a mirror that is no address", hint) from None


def _line_of(text: str, name: str, table: tuple[str, ...]) -> int:
    """The line that sets *name* in *table*, 0 where the file is written in a way that this does not see through."""
    current: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]*(?:\[[^\]]*\][^\]]*)*)\]\s*(?:#.*)?\Z", line):
            current = _dotted(header[1])
            if current[: len(table) + 1] == (*table, name):
                return number
        elif (setting := re.match(r"([^=#]+)=", line)) and (*current, *_dotted(setting[1]))[: len(table) + 1] == (*table, name):
            return number
    return 0


def _dotted(key: str) -> tuple[str, ...]:
    """The parts of a TOML key: bare, or in either kind of quotes."""
    return tuple(a or b or c for a, b, c in re.findall(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\.?""", key))


def _from_text(text: str, key: str, variable: str, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - the type that the key has
    place = _Place(key=key, whose=variable)
    if _KEYS[key] is bool:
        words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
        if text.lower() not in words:
            raise place.error("must be true or false")
        return words[text.lower()]
    return _expanded(_checked(text, _KEYS[key], place), environ, key)


_KIND_OF_VALUE: Mapping[type, str] = {bool: "true or false", str: "text in double quotes", list: "a list in square brackets"}


def _checked(value: object, wanted: type | tuple[str, ...], place: _Place) -> Any:  # noqa: ANN401 - the type that the key has
    if isinstance(wanted, tuple):
        if not isinstance(value, str) or value not in wanted:
            from difflib import get_close_matches

            near = get_close_matches(value, wanted, 1) if isinstance(value, str) else []
            raise place.error("must be one of " + ", ".join(filter(None, wanted)), f"did you mean {near[0]}?" if near else "")
    elif not isinstance(value, wanted):
        raise place.error(f"must be {_KIND_OF_VALUE[wanted]}")
    elif isinstance(value, str) and "\0" in value:
        raise place.error("holds a NUL character")
    return value


def _expanded(value: Any, environ: Mapping[str, str], key: str) -> Any:  # noqa: ANN401 - as it came
    """*value*, its ``~/`` replaced where *key* (or no key) says that it is a path."""
    if isinstance(value, str) and (not key or key in _PATHS) and value.startswith("~/"):
        from registryauth._paths import home_dir

        return f"{home_dir(environ)}{value[1:]}"
    return value


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(printable(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else printable(str(value))


def example() -> bytes:
    """The documented example of a configuration file; as it stands it changes nothing."""
    package = os.path.dirname(os.path.abspath(__file__))
    # In a checkout it is at the top, where people look for it; a wheel carries it in the package.
    for directory in (package, os.path.dirname(package)):
        path = os.path.join(directory, "config.example.toml")
        if os.path.exists(path):
            with open(path, "rb") as file:
                return file.read(MAX_FILE)
    raise ConfigurationError("this installation lacks config.example.toml", hint="install it again")
