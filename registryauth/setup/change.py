"""A change of somebody else's file: shown first, then written whole or not at all."""

from __future__ import annotations

import difflib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from registryauth._json import load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.resolver.documents import read_file

BACKUP = ".registryauth-backup"
# Of these, a value is no secret; of a field that we do not know, it may be one (HttpHeaders, proxies).
_PLAIN = ("credHelpers", "credsStore")


class Change(Value, hidden=("before", "after")):
    """What would become of the file at *path*; *before* is None where there is none.

    *keys* are the entries concerned, *warnings* what the user should know beside.
    """

    path: str
    before: bytes | None
    after: bytes | None
    keys: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    def diff(self) -> str:
        """A unified diff, every value that may be a secret blotted out; empty where nothing changes."""
        name = printable(self.path)
        before, after = (self.shown(content) if content and content.strip() else [] for content in (self.before, self.after))
        return "".join(f"{line}\n" for line in difflib.unified_diff(before, after, name, name, lineterm=""))

    def shown(self, content: bytes) -> list[str]:
        """The lines of *content* that may be seen; of JSON, here."""
        document = load_json(content, "the file")
        redacted = {key: value if key in _PLAIN else blotted(value) for key, value in document.items()}
        return json.dumps(redacted, indent="\t").splitlines()


def apply(change: Change) -> None:
    """Write *change*: the file's mode and owner stay, the first change leaves a backup beside it, a crash leaves old or new.

    Raise `ConfigurationError` if the file is not any more what the change was made from, or cannot be
    written; it is then as it was.
    """
    if not change.needed or change.after is None:
        return
    try:
        os.makedirs(os.path.dirname(change.path), mode=0o700, exist_ok=True)
        with _locked(os.path.dirname(change.path)):
            _require_writable(change.path)
            if read_file(change.path, error=ConfigurationError) != change.before:
                raise ConfigurationError(
                    f"{printable(change.path)} was changed by another program in the meantime", file=change.path, hint="run it again"
                )
            if change.before is not None:
                _keep(change.path + BACKUP, change.before)
            _replace(change.path, change.after)
    except OSError as error:
        raise ConfigurationError(
            f"{printable(change.path)} cannot be written: {os.strerror(error.errno or 0)}",
            file=change.path,
            hint="it was left as it is; check who owns it and its directory",
        ) from error


def _require_writable(path: str) -> None:
    """Raise for a file that its owner made read-only: a rename would go past that, and it was meant."""
    if os.path.exists(path) and not os.stat(path).st_mode & 0o222:
        raise ConfigurationError(
            f"{printable(path)} is read-only", file=path, hint="chmod u+w, or change it where it is made: it may be managed by another tool"
        )


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Keep our own processes apart; docker and podman take no lock, and the comparison under it is for them."""
    import fcntl

    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep(backup: str, content: bytes) -> None:
    """Write *backup*, unless an earlier change left one: the first is what the user had before us."""
    if os.path.lexists(backup):
        return
    with _new(backup) as temporary:
        _fill(temporary, content)
        os.rename(temporary, backup)


def _replace(path: str, content: bytes) -> None:
    with _new(path) as temporary:
        descriptor = _fill(temporary, content, keep_open=True)
        try:
            _match(descriptor, path)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)


@contextmanager
def _new(path: str) -> Iterator[str]:
    """A name beside *path*; what is still there at the end is removed."""
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.urandom(8).hex()}")
    try:
        yield temporary
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def _fill(path: str, content: bytes, *, keep_open: bool = False) -> int:
    """Make the file, mode 0600 from its first moment, for it may hold secrets; its descriptor if it is to stay open."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    if not keep_open:
        os.close(descriptor)
    return descriptor


def _match(descriptor: int, path: str) -> None:
    """Give the new file the mode and owner of the one at *path*, if there is one."""
    try:
        old = os.stat(path)
    except FileNotFoundError:
        return
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def blotted(value: object) -> object:
    """*value* with every text and number in it blotted out."""
    if isinstance(value, dict):
        # A key may be an address with a user name and password in it.
        return {key if "@" not in key else "***": blotted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [blotted(inner) for inner in value]
    return value if isinstance(value, bool | None) else "***"
