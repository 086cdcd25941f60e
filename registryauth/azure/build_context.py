"""What a build is given to build from: a directory as a gzipped tar in a file without a name, in bounded memory.

Sources: azure-cli ``acr/_archive_utils.py`` (what is always left out, the Dockerfile a second time under a name of its own);
Microsoft Learn "Put Blob" (the largest blob in one request); POSIX.1-2001, pax (the archive). The same directory gives the same bytes.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import re
import stat
import tarfile
import tempfile
from contextlib import contextmanager, suppress

from registryauth._http.messages import Body
from registryauth._redact import printable
from registryauth.azure.dockerignore import MAX_FILE, DockerIgnore, Verdict
from registryauth.errors import ConfigurationError, ContentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Self

#: Bytes of a blob that one Put Blob may have.
MAX_CONTEXT = 5000 * 1024 * 1024
#: Bytes of a context from which on a person is told what is in it: sending them takes longer than most builds.
LARGE = 100 * 1024 * 1024
#: Bytes of a Dockerfile: the longest have some hundred KiB.
MAX_DOCKERFILE = 4 * 1024 * 1024
_PIECE = 256 * 1024
_BLOCK = 512
#: At the context's root, whatever ``.dockerignore`` says.
_NEVER = frozenset({".git", ".gitignore", ".bzr", "bzrignore", ".hg", ".hgignore", ".svn", ".venv"})
#: Directories whose sizes are added up, and how many are named.
_MAX_SUMS, _NAMED = 10_000, 3
#: A link that was put where a file was is not followed, and a pipe that was is not waited for.
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_GZIP = b"\x1f\x8b"
#: A file's name that JSON, a tar and the build's machine all take as it is, with more in front.
_PLAIN_NAME = r"[A-Za-z0-9._-]{1,100}"
_KINDS = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


class Context:
    """A packed context of *size* bytes; close it after use. *dockerfile* is what the Dockerfile is called in it.

    *files* is how many entries it has, 0 for an archive that was there already; *left_out* what was not packed that a person
    may miss; *biggest* the largest of what is in it, largest first, with the bytes before packing.
    """

    def __init__(
        self, file: IO[bytes], dockerfile: str, *, files: int = 0, left_out: tuple[str, ...] = (), biggest: tuple[tuple[str, int], ...] = ()
    ) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.dockerfile = dockerfile
        self.files = files
        self.left_out = left_out
        self.biggest = biggest

    def body(self) -> Body:
        """Its bytes, to be sent, as often as need be."""
        return Body(self.size, self._pieces)

    def close(self) -> None:
        """Let go of the file, which has no name and is gone with it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece


def pack(directory: str, dockerfile: str, *, limit: int = MAX_CONTEXT) -> Context:
    """*directory* without what its ignore file names, and the file *dockerfile*, wherever that is and whether or not it is ignored.

    Links are kept as links, modes and dates as they are; everything belongs to root. The ignore file is ``DOCKERFILE.dockerignore``
    beside the Dockerfile, else ``.dockerignore``. Raise `ConfigurationError` where there is no Dockerfile or a pattern is none,
    `ContentError` where something cannot be read, changes meanwhile, or comes to more than *limit* bytes.
    """
    content = _dockerfile(dockerfile)
    packer = _Packer(directory, _ignored(directory, dockerfile), limit)
    return packer.packed(_named(content, os.path.basename(dockerfile)), content)


def pack_dockerfile(content: bytes) -> Context:
    """A context that has nothing but a Dockerfile of *content*."""
    if not content.strip():
        raise ConfigurationError("the Dockerfile is empty", hint="it has to begin with a FROM")
    if len(content) > MAX_DOCKERFILE:
        raise ConfigurationError(f"the Dockerfile is larger than the {MAX_DOCKERFILE} bytes allowed", hint="is it the right file?")
    return _Packer("", DockerIgnore(), MAX_CONTEXT).packed(_named(content, "Dockerfile"), content)


def archived(path: str, dockerfile: str, *, limit: int = MAX_CONTEXT) -> Context:
    """The gzipped tar at *path*, as it is, with its *dockerfile*; raise `ContentError` for what is none or larger than *limit* bytes."""
    with _told(path):
        file = open(path, "rb")  # noqa: SIM115 - the context's
    context = Context(file, dockerfile)
    # A pipe could be sent neither twice nor with its length in front.
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or file.read(2) != _GZIP:
        context.close()
        raise ContentError(f"{_shown(path)} is no gzipped tar", hint="give a directory, a .tar.gz, a URL, or - for a Dockerfile alone")
    if context.size > limit:
        context.close()
        raise _too_large(context.size, limit, ())
    return context


def _dockerfile(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_DOCKERFILE + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the Dockerfile {_shown(path)}: {error.strerror}", hint="--file names it, from the current directory"
        ) from error
    if len(content) > MAX_DOCKERFILE:
        raise ConfigurationError(f"{_shown(path)} is larger than the {MAX_DOCKERFILE} bytes allowed", hint="is it the right file?")
    return content


def _named(content: bytes, name: str) -> str:
    """As az names it, a name that nothing in the context has; of the content, so that the same context gives the same bytes."""
    return f"{hashlib.sha256(content).hexdigest()[:32]}_{name if re.fullmatch(_PLAIN_NAME, name) else 'Dockerfile'}"


def _ignored(directory: str, dockerfile: str) -> DockerIgnore:
    for path in (f"{dockerfile}.dockerignore", os.path.join(directory, ".dockerignore")):
        try:
            with open(path, "rb") as file:
                return DockerIgnore.parse(file.read(MAX_FILE + 1), _shown(path))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ContentError(f"cannot read {_shown(path)}: {error.strerror}", hint="what it ignores would be sent without it") from error
    return DockerIgnore()


class _Packer:
    """Writes one archive."""

    def __init__(self, root: str, ignore: DockerIgnore, limit: int) -> None:
        self._root, self._ignore, self._limit = root, ignore, limit
        self._files = 0
        self._left_out: list[str] = []
        self._sums: dict[str, int] = {}

    def packed(self, name: str, dockerfile: bytes) -> Context:
        """The archive of all that is in the root, if there is one, and of *dockerfile* under *name*."""
        try:
            sink = tempfile.TemporaryFile(prefix="registryauth-context-")  # noqa: SIM115 - the context's
            try:
                self._fill(sink, name, dockerfile)
            except BaseException:
                with suppress(OSError):
                    sink.close()
                raise
        except OSError as error:
            # What is read has its own words, see `_told`.
            raise ContentError(
                f"cannot write the context to a temporary file: {error.strerror}", hint="TMPDIR names another directory for it"
            ) from error
        return Context(sink, name, files=self._files + 1, left_out=tuple(self._left_out), biggest=self._biggest())

    def _fill(self, sink: IO[bytes], name: str, dockerfile: bytes) -> None:
        with gzip.GzipFile("", "wb", 6, sink, 0) as out:
            if self._root:
                for path, found in self._walk():
                    self._put(out, sink, path, found)
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(dockerfile), 0o644
            out.write(_header(info) + dockerfile + bytes(-len(dockerfile) % _BLOCK) + bytes(2 * _BLOCK))
        sink.flush()
        self._check(sink)

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        """Everything that is kept, by name; a directory before what is in it, also where only that is kept."""
        levels: list[tuple[str, Iterator[str], Verdict | None]] = [("", iter(self._listed("")), None)]
        pending: list[tuple[str, os.stat_result]] = []
        while levels:
            above, names, verdict = levels[-1]
            name = next(names, None)
            if name is None:
                levels.pop()
                if pending and pending[-1][0] == above:
                    pending.pop()
                continue
            path = f"{above}/{name}" if above else name
            if path in _NEVER:
                self._left_out.append(f"{path} is never sent")
                continue
            found, said = self._stat(path), self._ignore.ask(path, verdict)
            if not said.ignored:
                yield from pending
                pending.clear()
                yield path, found
            if stat.S_ISDIR(found.st_mode) and (not said.ignored or self._ignore.may_keep_below(path)):
                if said.ignored:
                    pending.append((path, found))
                levels.append((path, iter(self._listed(path)), said))

    def _listed(self, path: str) -> list[str]:
        with _told(self._at(path)):
            return sorted(os.listdir(self._at(path)))

    def _stat(self, path: str) -> os.stat_result:
        with _told(self._at(path)):
            return os.lstat(self._at(path))

    def _at(self, path: str) -> str:
        return os.path.join(self._root, path) if path else self._root

    def _put(self, out: gzip.GzipFile, sink: IO[bytes], path: str, found: os.stat_result) -> None:
        info = tarfile.TarInfo(path)
        info.mode, info.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFREG:
            self._put_file(out, sink, info)
        elif kind == stat.S_IFDIR:
            info.type = tarfile.DIRTYPE
            out.write(_header(info))
        elif kind == stat.S_IFLNK:
            info.type = tarfile.SYMTYPE
            with _told(self._at(path)):
                info.linkname = os.readlink(self._at(path))
            out.write(_header(info))
        else:
            self._left_out.append(f"{_shown(path)} is {_KINDS.get(kind, 'no file')}, which no archive keeps")
            return
        self._files += 1

    def _put_file(self, out: gzip.GzipFile, sink: IO[bytes], info: tarfile.TarInfo) -> None:
        path = self._at(info.name)
        with _told(path):
            file = open(os.open(path, _OPEN), "rb", buffering=0)  # noqa: SIM115 - closed below
        with file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise _changed(path)
            info.size, info.mode, info.mtime = before.st_size, stat.S_IMODE(before.st_mode), int(before.st_mtime)
            out.write(_header(info))
            left = info.size
            while left:
                with _told(path):
                    piece = file.read(min(left, _PIECE))
                if not piece:
                    raise _changed(path)
                out.write(piece)
                left -= len(piece)
                self._check(sink)
            after = os.fstat(file.fileno())
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise _changed(path)
        out.write(bytes(-info.size % _BLOCK))
        self._count(info.name, info.size)

    def _count(self, path: str, size: int) -> None:
        """Add to what is named when it is too much: a file of the root itself, or two directories of a path."""
        key = "/".join(path.split("/")[:2])
        if key in self._sums or len(self._sums) < _MAX_SUMS:
            self._sums[key] = self._sums.get(key, 0) + size

    def _check(self, sink: IO[bytes]) -> None:
        if sink.tell() > self._limit:
            raise _too_large(sink.tell(), self._limit, self._biggest())

    def _biggest(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(self._sums.items(), key=lambda item: (-item[1], item[0]))[:_NAMED])


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def sized(count: int) -> str:
    """*count* bytes as people read them."""
    return f"{count / 1024**2:.1f} MiB" if count >= 1024**2 else f"{-(-count // 1024)} KiB"


def described(biggest: tuple[tuple[str, int], ...]) -> str:
    """What is largest, in words."""
    return ", ".join(f"{_shown(name)} ({sized(size)})" for name, size in biggest)


def _too_large(size: int, limit: int, biggest: tuple[tuple[str, int], ...]) -> ContentError:
    most = f"; the largest so far: {described(biggest)}" if biggest else ""
    return ContentError(
        f"the context has {sized(size)} packed and more than the {sized(limit)} that one upload takes{most}",
        hint="name in .dockerignore what the build does not need",
    )


def _changed(path: str) -> ContentError:
    return ContentError(f"{_shown(path)} changed while it was packed", hint="let nothing write to the context meanwhile, and build again")


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Say what a failure to read *path* means."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ContentError(f"{_shown(path)} vanished while the context was packed", hint="let nothing write to it meanwhile") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _changed(path) from error
        raise ContentError(
            f"cannot read {_shown(path)}: {error.strerror}", hint="name it in .dockerignore if the build does not need it"
        ) from error


def _shown(path: str) -> str:
    return printable(path, 200)
