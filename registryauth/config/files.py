"""One TOML file on its way into the settings."""

from __future__ import annotations

import os
import re

from registryauth._redact import printable
from registryauth.config.keys import KEYS, REGISTRY_KEYS, TABLES
from registryauth.config.values import Place, expanded, setting
from registryauth.errors import ConfigurationError, InvalidReference
from registryauth.reference import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: A file with ten thousand registries has about one MiB.
MAX_FILE = 4 * 1024 * 1024


def read(path: str, *, required: bool) -> str:
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


class File:
    """One TOML file on its way into the settings."""

    def __init__(self, path: str, text: str, environ: Mapping[str, str]) -> None:
        self.path, self.text, self.environ = path, text, environ

    def into(self, values: dict[str, Any], registries: dict[str, dict[str, Any]], origins: dict[str, str]) -> None:
        """Overlay what this file says."""
        for table, content in self._parsed().items():
            if table not in TABLES:
                raise self._unknown(table, (), TABLES)
            if not isinstance(content, dict):
                raise self._place(table, (), table).error("must be a table", f"write [{table}]")
            if table == "registries":
                for host, settings in content.items():
                    canonical, said = self._registry(host, settings)
                    registries.setdefault(canonical, {}).update(said)
                    origins.update({f'registries."{canonical}".{name}': self.path for name in said})
                continue
            known = [key.partition(".")[2] for key in KEYS if key.startswith(f"{table}.")]
            for name, value in content.items():
                key = f"{table}.{name}"
                if name not in known:
                    raise self._unknown(name, (table,), known)
                values[key] = expanded(setting(value, key, KEYS[key][0], self._place(name, (table,), key)), self.environ, key)
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
            if name not in REGISTRY_KEYS:
                raise self._unknown(name, ("registries", host), list(REGISTRY_KEYS))
            here = self._place(name, ("registries", host), f'registries."{host}".{name}')
            said[name] = expanded(setting(value, name, REGISTRY_KEYS[name], here), self.environ, name)
        return canonical, said

    def _unknown(self, name: str, table: tuple[str, ...], known: list[str] | tuple[str, ...]) -> ConfigurationError:
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        key = ".".join((*table, name))
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        return self._place(name, table, key).error("is not a key that we know", hint)

    def _place(self, name: str, table: tuple[str, ...], key: str) -> Place:
        return Place(self.path, key, _line_of(self.text, name, table))


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
