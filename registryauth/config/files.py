"""One TOML file on its way into the settings."""

from __future__ import annotations

import os
import re

from registryauth._redact import printable
from registryauth.config.keys import KEYS, PROFILE_KEYS, REGISTRY_KEYS, TABLES, WORKSPACE_KEYS
from registryauth.config.values import Place, expanded, setting
from registryauth.errors import ConfigurationError, InvalidReference
from registryauth.reference import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from registryauth.config.keys import Takes

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

    def into(
        self,
        values: dict[str, Any],
        registries: dict[str, dict[str, Any]],
        workspaces: dict[str, dict[str, Any]],
        profiles: dict[str, dict[str, tuple[str, Place]]],
        origins: dict[str, str],
    ) -> None:
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
            if table == "workspaces":
                for name, settings in content.items():
                    said = self._workspace(name, settings)
                    workspaces.setdefault(name, {}).update(said)
                    origins.update({f'workspaces."{name}".{key}': self.path for key in said})
                continue
            if table == "profiles":
                for name, settings in content.items():
                    rules = self._profile(name, settings)
                    profiles.setdefault(name, {}).update(rules)
                    origins.update({f'profiles."{name}".{key}': self.path for key in rules})
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
        return canonical, self._said("registries", host, settings, REGISTRY_KEYS)

    def _workspace(self, name: str, settings: object) -> dict[str, Any]:
        place = self._place(name, ("workspaces",), f'workspaces."{name}"')
        if not isinstance(settings, dict):
            raise place.error("must be a table", f'write [workspaces."{printable(name, 60)}"]')
        if not name.strip() or not name.isprintable():
            raise place.error("is no name for a workspace", "call it what you call it, for example its own name")
        return self._said("workspaces", name, settings, WORKSPACE_KEYS)

    def _profile(self, name: str, settings: object) -> dict[str, tuple[str, Place]]:
        """What each rule says, and where: its grammar is looked at by those who use it."""
        place = self._place(name, ("profiles",), f'profiles."{name}"')
        if not isinstance(settings, dict) or any(isinstance(value, dict) for value in settings.values()):
            raise place.error("must be a table", f'write [profiles."{printable(name, 60)}"], in quotes')
        if not name.strip() or not name.isprintable():
            raise place.error("is no name for a profile", "letters, digits and hyphens will do")
        said = self._said("profiles", name, settings, PROFILE_KEYS)
        return {key: (value, self._place(key, ("profiles", name), f'profiles."{name}".{key}')) for key, value in said.items()}

    def _said(self, table: str, name: str, settings: dict[str, Any], known: Mapping[str, Takes]) -> dict[str, Any]:
        """What the table of *name* in *table* says, checked key by key."""
        said = {}
        for key, value in settings.items():
            if key not in known:
                raise self._unknown(key, (table, name), list(known))
            here = self._place(key, (table, name), f'{table}."{name}".{key}')
            said[key] = expanded(setting(value, key, known[key], here), self.environ, key)
        return said

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
