"""What is to be pushed from a file: an OCI layout in a tar, or what ``docker save`` wrote."""

from __future__ import annotations

import os
import posixpath

from registryauth.content.layout import LayoutReader, Region
from registryauth.content.verify import size_of
from registryauth.errors import ContentError, UnsupportedMediaType
from registryauth.transfer.tars import GZIP, ZSTD, content_of, gunzip, members, starts_with

#: Links within a tar that are followed to a file; old ``docker save`` made one for a layer that occurs twice.
_MAX_LINKS = 4
#: Files of an image in a tar; the largest images have some hundred layers and as many manifests.
_MAX_FILES = 100_000


class TarIndex:
    """Where each file of the tar file *path* lies."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._regions: dict[str, Region] = {}
        self._links: dict[str, str] = {}
        for number, member in enumerate(members(path)):
            if number == _MAX_FILES:
                raise ContentError(f"{path} holds more than {_MAX_FILES} files", hint="this is no image")
            name = posixpath.normpath(member.name)
            if member.isreg():
                self._regions[name] = content_of(path, member)
            elif member.issym():
                self._links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
            elif member.islnk():
                self._links[name] = posixpath.normpath(member.linkname)

    def locate(self, name: str) -> Region | None:
        """Where the content of *name* lies, None if there is no such file."""
        name = posixpath.normpath(name)
        for _ in range(_MAX_LINKS):
            if name in self._regions:
                return self._regions[name]
            name = self._links.get(name, "")
        return None


def open_source(path: str, scratch: str) -> LayoutReader | TarIndex:
    """The layout in the tar file *path*, or the tar file as it is if ``docker save`` wrote it in its own format.

    A gzipped file is unpacked into the directory *scratch* first. Raise `ContentError` for anything else.
    """
    whole = Region(path, 0, size_of(path))
    if starts_with(whole, ZSTD):
        raise UnsupportedMediaType(f"{path} is compressed with zstd", hint="unpack it first: zstd -d")
    if starts_with(whole, GZIP):
        plain = os.path.join(scratch, "source.tar")
        gunzip(whole, plain)
        path = plain
    index = TarIndex(path)
    # Since version 25 docker writes both; the layout is what a registry can hold, to the byte.
    if index.locate("oci-layout"):
        reader = LayoutReader(index.locate, path)
        reader.check()
        return reader
    if index.locate("manifest.json"):
        return index
    raise ContentError(f"{path} holds no image", hint="give an OCI layout, or what 'docker save' wrote")
