"""OCI image layouts: content in a directory, by digest (https://github.com/opencontainers/image-spec/blob/main/image-layout.md)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat

from registryauth._buffers import new_buffer
from registryauth._json import load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.content.descriptor import Descriptor
from registryauth.content.manifest import MAX_MANIFEST, OCI_INDEX, Index, Manifest, read_manifest
from registryauth.content.verify import digest_of, write, write_all
from registryauth.digest import Digest
from registryauth.errors import ContentError, NotFound, SizeMismatch, UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, BinaryIO

_PIECE = 256 * 1024
#: The annotation under which an entry of ``index.json`` keeps its tag (image-spec, annotations.md).
REF_NAME = "org.opencontainers.image.ref.name"
#: The file that says that a directory is a layout, and its content.
MARKER = "oci-layout"
MARKER_CONTENT = b'{"imageLayoutVersion":"1.0.0"}'


class Region(Value):
    """*size* bytes from *start* on of the file *path*."""

    path: str
    start: int
    size: int

    def read(self, limit: int) -> bytes:
        """All of it; raise `SizeMismatch` if that is more than *limit* bytes, `ContentError` if it cannot be read."""
        if self.size > limit:
            raise SizeMismatch(f"{self.path} holds {self.size} bytes where {limit} are allowed")
        try:
            with open(self.path, "rb") as file:
                file.seek(self.start)
                return file.read(self.size)
        except OSError as error:
            raise ContentError(f"cannot read {self.path}: {error.strerror}") from error

    def pieces(self) -> Iterator[memoryview]:
        """All of it, each piece valid until the next is asked for; raise `ContentError` if it cannot be read or is shorter by now."""
        buffer = new_buffer(_PIECE)
        left = self.size
        try:
            with open(self.path, "rb", buffering=0) as file:
                file.seek(self.start)
                while left and (count := file.readinto(buffer[:left])):
                    yield buffer[:count]
                    left -= count
        except OSError as error:
            raise ContentError(f"cannot read {self.path}: {error.strerror}") from error
        if left:
            raise SizeMismatch(f"{self.path} ends {left} bytes early")

    def copy_to(self, file: BinaryIO) -> None:
        """Write all of it to *file*, which may be unbuffered."""
        for piece in self.pieces():
            write_all(piece, file.write)


class LayoutReader:
    """A layout wherever it is: *locate* finds a file of it by its name with slashes, None if it is not there; *what* names the layout."""

    def __init__(self, locate: Callable[[str], Region | None], what: str) -> None:
        self._locate = locate
        self.what = what

    def check(self) -> None:
        """Raise `ContentError` unless this is a layout of version 1."""
        marker = self._locate(MARKER)
        plain = load_json(marker.read(64 * 1024), f"{self.what}: {MARKER}", error=ContentError) if marker else None
        version = plain.get("imageLayoutVersion") if isinstance(plain, dict) else None
        if not isinstance(version, str) or not version.startswith("1."):
            raise ContentError(f"{self.what} is not an OCI image layout of version 1", hint=f"it needs a file {MARKER}")

    def document(self) -> dict[str, Any]:
        """``index.json`` as it stands; without entries if there is none yet. Raise `ContentError` if it is no index."""
        found = self._locate("index.json")
        plain = load_json(found.read(MAX_MANIFEST), f"{self.what}: index.json", error=ContentError) if found else {"manifests": []}
        rows = plain.get("manifests") if isinstance(plain, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ContentError(f"{self.what}: index.json has no list of manifests")
        document: dict[str, Any] = plain
        return document

    def find(self, name: str = "", tag: str = "") -> Descriptor:
        """The entry that *name*, a tag or digest, asks for; without it the only entry, or of several the one tagged *tag*.

        Raise `NotFound` with a list of what there is.
        """
        rows = self.document()["manifests"]
        names = [_ref_name(row) for row in rows]
        if name:
            hits = [row for row, own in zip(rows, names, strict=True) if name in (own, row.get("digest"))]
        else:
            hits = rows if len(rows) == 1 else [row for row, own in zip(rows, names, strict=True) if own and own == tag]
        if not hits:
            there = ", ".join(printable(own or str(row.get("digest"))) for row, own in zip(rows[:20], names, strict=False)) or "nothing"
            raise NotFound(f"{self.what} has no {printable(name or tag) or 'entry to choose'}", hint=f"it has {there}")
        return Descriptor.read(hits[0], f"{self.what}: index.json")

    def manifest(self, described: Descriptor) -> Manifest | Index:
        """The manifest or index *described*, verified."""
        raw = self.blob(described).read(MAX_MANIFEST)
        return read_manifest(raw, described.media_type, described.digest)

    def blob(self, described: Descriptor) -> Region:
        """Where *described* lies, its digest not checked; raise `NotFound` if it is missing, `SizeMismatch` for another size."""
        found = self._locate(blob_name(described.digest))
        if not found:
            raise NotFound(f"{self.what} lacks {described.digest}", hint="the layout is incomplete: make it again")
        if found.size != described.size:
            raise SizeMismatch(f"{self.what}: {described.digest} has {found.size} bytes, {described.size} by its description")
        return found


class Layout(LayoutReader):
    """A layout in a directory, for any number of readers and writers at once, threads or processes."""

    def __init__(self, directory: str) -> None:
        self.directory = os.path.abspath(directory)
        self._parents: set[str] = set()
        super().__init__(self._region, directory)

    @classmethod
    def open(cls, directory: str) -> Layout:
        """The layout in *directory*; raise `ContentError` if that is none."""
        layout = cls(directory)
        layout.check()
        return layout

    @classmethod
    def create(cls, directory: str) -> Layout:
        """The layout in *directory*, made if there is none; raise `ContentError` where other things are in it already."""
        layout = cls(directory)
        try:
            os.makedirs(layout.directory, exist_ok=True)
            foreign = set(os.listdir(layout.directory)) - {"blobs", "index.json", MARKER}
        except OSError as error:
            raise ContentError(f"cannot write to {directory}: {error.strerror}") from error
        if layout._region(MARKER) is None:
            # Names with a dot are another writer's temporary files.
            if any(not name.startswith(".") for name in foreign):
                raise ContentError(f"{directory} holds other files and is no OCI image layout", hint="name an empty or a new directory")
            write(os.path.join(layout.directory, MARKER), MARKER_CONTENT)
        layout.check()
        return layout

    def path(self, digest: Digest) -> str:
        """Where the blob *digest* lies or would lie; its directory is made."""
        parent = os.path.join(self.directory, "blobs", digest.algorithm)
        # Once is enough: an image may have thousands of blobs.
        if parent not in self._parents:
            try:
                os.makedirs(parent, exist_ok=True)
            except OSError as error:
                raise ContentError(f"cannot write to {parent}: {error.strerror}") from error
            self._parents.add(parent)
        return os.path.join(parent, digest.encoded)

    def holds(self, described: Descriptor) -> bool:
        """Whether *described* is here, every byte of it checked."""
        found = self._region(blob_name(described.digest))
        if found is None or found.size != described.size:
            return False
        return digest_of(found.path, described.digest.algorithm) == described.digest

    def lacks(self, described: Descriptor) -> bool:
        """Whether there is no file of *described*'s name and size; what is in it is not looked at."""
        found = self._region(blob_name(described.digest))
        return found is None or found.size != described.size

    def add(self, digest: Digest, content: bytes) -> None:
        """Put *content*, which is *digest*'s, here, unless it is."""
        if not self.holds(Descriptor("", digest, len(content))):
            write(self.path(digest), content)

    def name(self, described: Descriptor, tag: str = "") -> None:
        """List *described* in ``index.json``, under *tag* if one is given, which then names nothing else any more."""
        with self._alone():
            document = self.document()
            digest = str(described.digest)
            # A tag names one thing; an entry without a tag is needed once.
            taken = (lambda row: _ref_name(row) == tag) if tag else (lambda row: row.get("digest") == digest)
            kept = [row for row in document["manifests"] if not taken(row)]
            if not tag and len(kept) < len(document["manifests"]):
                return
            content = index_of(described, tag, {**document, "manifests": kept})
            if len(content) > MAX_MANIFEST:
                raise ContentError(f"{self.what}: index.json would have more than {MAX_MANIFEST} bytes", hint="use another directory")
            write(os.path.join(self.directory, "index.json"), content)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other writer of ``index.json`` meanwhile; the lock is on the directory, so that a layout has no file too many."""
        try:
            handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise ContentError(f"cannot open {self.what}: {error.strerror}") from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                raise ContentError(
                    f"cannot lock {self.what}: {error.strerror}", hint="choose a file system that has locks (flock)"
                ) from error
            yield
        finally:
            os.close(handle)

    def _region(self, name: str) -> Region | None:
        path = os.path.join(self.directory, *name.split("/"))
        try:
            there = os.lstat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ContentError(f"cannot read {path}: {error.strerror}") from error
        # A link in a layout from elsewhere would send whatever it leads to to a registry; a pipe would hang.
        if not stat.S_ISREG(there.st_mode):
            raise UnsupportedMediaType(f"{path} is not an ordinary file", hint="a layout holds nothing but files")
        return Region(path, 0, there.st_size)


def index_of(described: Descriptor, tag: str, document: Mapping[str, Any] | None = None) -> bytes:
    """An ``index.json`` with *described* last, under *tag* if one is given, after what is in *document*."""
    row: dict[str, Any] = {"mediaType": described.media_type, "digest": str(described.digest), "size": described.size}
    row |= {"annotations": {REF_NAME: tag}} if tag else {}
    before = document or {"manifests": []}
    whole = {"schemaVersion": 2, "mediaType": OCI_INDEX, **before, "manifests": [*before["manifests"], row]}
    return json.dumps(whole, separators=(",", ":")).encode()


def blob_name(digest: Digest) -> str:
    """Where *digest* lies in a layout."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _ref_name(row: dict[str, Any]) -> str:
    annotations = row.get("annotations")
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else ""
