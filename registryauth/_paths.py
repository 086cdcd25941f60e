"""Where our files are, and how to write and read those that nobody else may see.

XDG Base Directory Specification 0.8: a variable that is unset, empty or relative does not count.
"""

from __future__ import annotations

import os
import stat

from registryauth.errors import ConfigurationError, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_POSIX = os.name == "posix"
# Absent on Windows, where making a link needs a privilege.
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def config_dir(environ: Mapping[str, str] = os.environ) -> str:
    """``$XDG_CONFIG_HOME/registryauth``; raise `ConfigurationError` where no home directory is known."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config")


def data_dir(environ: Mapping[str, str] = os.environ) -> str:
    """``$XDG_DATA_HOME/registryauth``; raise `ConfigurationError` where no home directory is known."""
    return _xdg(environ, "XDG_DATA_HOME", ".local/share")


def state_dir(environ: Mapping[str, str] = os.environ) -> str:
    """``$XDG_STATE_HOME/registryauth``; raise `ConfigurationError` where no home directory is known."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state")


def cache_dir(environ: Mapping[str, str] = os.environ) -> str:
    """``$XDG_CACHE_HOME/registryauth``; raise `ConfigurationError` where no home directory is known."""
    return _xdg(environ, "XDG_CACHE_HOME", ".cache")


def home_dir(environ: Mapping[str, str] = os.environ) -> str:
    """``$HOME``, or what the user database says; empty if neither names an absolute path."""
    home = environ.get("HOME", "")
    if not os.path.isabs(home) and _POSIX:
        import pwd

        try:
            home = pwd.getpwuid(os.geteuid()).pw_dir
        except KeyError:
            # A container run under a number that no account has.
            home = ""
    elif not os.path.isabs(home):
        home = environ.get("USERPROFILE", "")
    return home if os.path.isabs(home) else ""


def _xdg(environ: Mapping[str, str], variable: str, default: str) -> str:
    base = environ.get(variable, "")
    if not os.path.isabs(base):
        home = home_dir(environ)
        if not home:
            raise ConfigurationError(
                f"there is no home directory for user {os.geteuid() if _POSIX else ''}".rstrip(),
                key=variable,
                hint=f"set HOME or {variable} to an absolute path",
            )
        base = os.path.join(home, default)
    return os.path.join(base, "registryauth")


def private_dir(path: str) -> None:
    """Make *path* and its missing parents, mode 0700 whatever the umask; an existing directory must pass `require_own_dir`.

    Raise `StoreUnavailable`.
    """
    missing = []
    parent = os.path.abspath(path)
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    try:
        for directory in reversed(missing):
            _make_private(directory)
    except OSError as error:
        raise StoreUnavailable(
            f"the directory {path} cannot be made: {error.strerror}", hint="make it yourself, or name another place"
        ) from error
    require_own_dir(path)


def _make_private(directory: str) -> None:
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        # Another process was quicker; `require_own_dir` judges what it made.
        return
    if _POSIX:
        # A umask like 0277 takes bits away that we need.
        os.chmod(directory, 0o700)


def require_own_dir(path: str) -> None:
    """Raise `StoreUnavailable` unless only we (or root) can make files in the directory *path*.

    Somebody else who can do so, even with the sticky bit, could plant a journal that SQLite would play back.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise StoreUnavailable(f"the directory {path} cannot be used: {error.strerror}", hint="name another place") from error
    if not stat.S_ISDIR(found.st_mode):
        raise StoreUnavailable(f"{path} is not a directory", hint="move it away, or name another place")
    if not _POSIX:
        return
    _require_owner(path, found)
    if found.st_mode & 0o022:
        raise StoreUnavailable(
            f"others can write into the directory {path} (mode {stat.S_IMODE(found.st_mode):04o})", hint=f"run: chmod 700 {_quoted(path)}"
        )


def require_private(path: str, found: os.stat_result) -> None:
    """Raise `StoreUnavailable` unless *found*, the status of *path*, is a regular file that is ours (or root's) alone."""
    if stat.S_ISLNK(found.st_mode):
        raise StoreUnavailable(f"{path} is a symbolic link, which is not followed", hint="name the file itself, or move it here")
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnavailable(f"{path} is not a regular file", hint="move it away")
    if not _POSIX:
        return
    _require_owner(path, found)
    if found.st_mode & 0o077:
        raise StoreUnavailable(
            f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"run: chmod 600 {_quoted(path)}; if others may have read it, renew the secrets in it",
        )


def _require_owner(path: str, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        raise StoreUnavailable(
            f"{path} belongs to user {found.st_uid}, and you are user {os.geteuid()}",
            hint="find out who put it there; use it as that user, or name another place",
        )


def create_private(path: str) -> None:
    """Make an empty file of mode 0600, which must not exist; raise `FileExistsError` or `StoreUnavailable`."""
    try:
        os.close(_open_new(path))
        _sync_dir(path)
    except FileExistsError:
        raise
    except OSError as error:
        raise _unwritable(path, error) from error


def write_private(path: str, data: bytes, *, replace: bool = True) -> None:
    """Write *data* so that a crash leaves the old file or the new one, mode 0600 whatever the umask.

    The directory must exist. Without *replace*, an existing file stays and `FileExistsError` is raised.
    Raise `StoreUnavailable` where it cannot be written, and for a device or a pipe: root would put a file in its place.
    """
    if replace and _is_no_file(path):
        raise StoreUnavailable(f"{path} cannot be written: it is a device or a pipe", hint="name a file")
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.urandom(8).hex()}.tmp")
    try:
        _write_new(temporary, data)
        try:
            os.replace(temporary, path) if replace else _link_new(temporary, path, data)
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
        _sync_dir(path)
    except FileExistsError:
        raise
    except OSError as error:
        raise _unwritable(path, error) from error


def _is_no_file(path: str) -> bool:
    """Whether *path*, or what it links to, is there and neither a file nor a directory, or is one of ``/dev``, wherever that leads."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return os.path.dirname(os.path.abspath(path)) == "/dev" or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_new(path: str, data: bytes) -> None:
    descriptor = _open_new(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        os.unlink(path)
        raise


def _link_new(temporary: str, path: str, data: bytes) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # FAT, Android and some network file systems have no hard links; what is lost is only atomicity.
        _write_new(path, data)


def _open_new(path: str) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFULLY, 0o600)
    if _POSIX:
        # 0600 from the first moment on; this only gives back what a strict umask took.
        os.fchmod(descriptor, 0o600)
    return descriptor


def _sync_dir(path: str) -> None:
    """Make a new name in *path*'s directory last through a power cut."""
    if not _POSIX:
        return
    descriptor = os.open(os.path.dirname(path) or ".", os.O_RDONLY | _CAREFULLY & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: str, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"{path} cannot be written: {error.strerror}", hint="check the directory's rights and the free space")


def read_private(path: str, limit: int) -> bytes | None:
    """At most *limit* bytes of a file that is ours alone; None if there is none.

    Raise `StoreUnavailable` for a link, a foreign or group- or world-accessible file, or a longer one.
    """
    try:
        # O_NONBLOCK: a FIFO in the file's place would make us wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | _CAREFULLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if os.path.islink(path):
            require_private(path, os.lstat(path))
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}", hint="check the rights of the file and its directory") from error
    try:
        require_private(path, os.fstat(descriptor))
        data = b""
        while len(data) <= limit and (piece := os.read(descriptor, limit + 1 - len(data))):
            data += piece
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise StoreUnavailable(f"{path} is longer than {limit} bytes and cannot be ours", hint="move it away")
    return data


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)
