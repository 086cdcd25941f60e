"""Which credential helpers podman, buildah and skopeo ask: ``credential-helpers`` of registries.conf. Read, never written.

Sources: containers-registries.conf(5), containers-registries.conf.d(5); containers/image
``pkg/sysregistriesv2/system_registries_v2.go`` (an empty list is the default again, its TestCredentialHelpers) and
``pkg/docker/config/config.go`` (the helpers are asked in order, with the host alone).
"""

from __future__ import annotations

import os

from registryauth._paths import home_dir
from registryauth._redact import printable
from registryauth.errors import SourceFailed
from registryauth.resolver.documents import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: The helper that is the files of containers-auth.json(5), and the only one unless others are named.
AUTH_FILES = "containers-auth.json"
SYSTEM = "/etc/containers"
#: Bytes of one file; distributions' own lists of short names have 10 KiB.
MAX_FILE = 256 * 1024
#: Files in one directory.
MAX_FILES = 200
#: Helpers; each costs a process.
MAX_HELPERS = 20


class RegistriesConf:
    """The settings that *environ*'s user has; *system* is the directory of those for everybody.

    ``CONTAINERS_REGISTRIES_CONF``, where it is set, takes the place of registries.conf, as it does for podman and buildah.
    """

    def __init__(self, environ: Mapping[str, str], system: str = SYSTEM) -> None:
        self._environ = environ
        self._system = system
        self._known: tuple[tuple[object, ...], tuple[tuple[str, ...], str]] | None = None

    def helpers(self) -> tuple[tuple[str, ...], str]:
        """The helpers in the order in which they are asked, and the file that names them, which is empty where none does.

        Raise `SourceFailed` for a file that podman could not read either.
        """
        files = self._files()
        marks = tuple(map(_mark, files))
        if self._known is None or self._known[0] != marks:
            self._known = marks, _read(files)
        return self._known[1]

    def _files(self) -> list[str]:
        """The files in the order in which each overrides those before it."""
        home = home_dir(self._environ)
        users = os.path.join(home, ".config/containers") if home else ""
        users_drop_ins = _drop_ins(users) if users else []
        if named := self._environ.get("CONTAINERS_REGISTRIES_CONF"):
            return [named, *_drop_ins(self._system), *users_drop_ins]
        if users and os.path.exists(own := os.path.join(users, "registries.conf")):
            # Who has a file of their own has none of the system's.
            return [own, *users_drop_ins]
        return [os.path.join(self._system, "registries.conf"), *_drop_ins(self._system), *users_drop_ins]


def _drop_ins(directory: str) -> list[str]:
    directory = os.path.join(directory, "registries.conf.d")
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".conf"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _broken(directory, f"cannot be read: {os.strerror(error.errno or 0)}") from None
    if len(names) > MAX_FILES:
        raise _broken(directory, f"has more than the {MAX_FILES} files allowed")
    return [path for name in names if os.path.isfile(path := os.path.join(directory, name))]


def _mark(path: str) -> object:
    """What is another when the file is."""
    try:
        found = os.stat(path)
    except OSError:
        return path
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def _read(files: list[str]) -> tuple[tuple[str, ...], str]:
    chosen: tuple[str, ...] = (AUTH_FILES,)
    where = ""
    for path in files:
        said = _helpers(path)
        if said is not None:
            chosen, where = said or (AUTH_FILES,), path
    return chosen, where


def _helpers(path: str) -> tuple[str, ...] | None:
    """What *path* says of helpers; None if nothing."""
    data = read_file(path)
    said = _parsed(data, path).get("credential-helpers") if data else None
    if said is None:
        return None
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said):
        raise _broken(path, "has credential-helpers that are no list of names")
    if len(said) > MAX_HELPERS:
        raise _broken(path, f"names more than the {MAX_HELPERS} helpers allowed")
    return tuple(said)


def _parsed(data: bytes, path: str) -> dict[str, Any]:
    if len(data) > MAX_FILE:
        raise _broken(path, f"is larger than the {MAX_FILE} bytes allowed")
    # Most machines have no such file, and no use for a parser.
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise _broken(path, "is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"is not TOML: {printable(str(error), 100)}") from None


def _broken(path: str, complaint: str) -> SourceFailed:
    return SourceFailed(f"{printable(path)} {complaint}", hint="correct it: podman, buildah and skopeo read it, too")
