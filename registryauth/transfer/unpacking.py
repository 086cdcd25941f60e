"""A layer that is a directory in a tar, unpacked where nothing of it can get out."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tarfile
from collections.abc import Iterator

from registryauth._redact import printable
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Region
from registryauth.digest import Digest
from registryauth.errors import UnsafeArchive
from registryauth.transfer.tars import GZIP, content_of, gunzip, members, starts_with
from registryauth.transfer.tree import directory, steps


@contextlib.contextmanager
def unpack_layer(path: str, blob: Descriptor, unpacked: Digest | None, title: tuple[str, ...], scratch: str) -> Iterator[str]:
    """A directory in *scratch* with what the tar in *path*, gzipped or not, holds below *title*; gone afterwards unless it was moved away.

    As oras makes them, every name in the tar begins with the title. Raise `UnsafeArchive`, with nothing kept, for a name or link that
    leads elsewhere, and for anything but files, directories and links.
    """
    tar, root = os.path.join(scratch, ".plain.tar"), os.path.join(scratch, ".tree")
    shutil.rmtree(root, ignore_errors=True)
    os.mkdir(root)
    region = Region(path, 0, blob.size)
    try:
        if starts_with(region, GZIP):
            gunzip(region, tar, unpacked)
        else:
            tar = path
        for member in members(tar):
            _extract(tar, member, root, title)
        yield root
    finally:
        if tar != path:
            with contextlib.suppress(OSError):
                os.unlink(tar)
        shutil.rmtree(root, ignore_errors=True)


def _extract(tar: str, member: tarfile.TarInfo, root: str, title: tuple[str, ...]) -> None:
    parts = _below(member.name, title)
    if member.isdir():
        with directory(root, parts):
            return
    if not parts:
        raise UnsafeArchive(f"{'/'.join(title)!a} is a directory and a file at once")
    *parents, name = parts
    with directory(root, parents) as handle:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            os.unlink(name, dir_fd=handle)
        if member.issym():
            os.symlink(_inside(member.linkname, len(parents)), name, dir_fd=handle)
        elif member.islnk():
            *above, source = _below(member.linkname, title)
            with directory(root, above) as other:
                # A symbolic link under another name could lead elsewhere.
                if not stat.S_ISREG(os.stat(source, dir_fd=other, follow_symlinks=False).st_mode):
                    raise UnsafeArchive(f"{printable(member.name, 100)!a} is a second name of what is no ordinary file")
                os.link(source, name, src_dir_fd=other, dst_dir_fd=handle, follow_symlinks=False)
        elif member.isreg():
            _write(content_of(tar, member), name, handle, member.mode)
        else:
            raise UnsafeArchive(
                f"{printable(member.name, 100)!a} is a device or a pipe", hint="whoever made it means harm or made a mistake"
            )


def _write(region: Region, name: str, handle: int, mode: int) -> None:
    # No set-user-id, nothing that its owner cannot read, nothing that the rest of the world can write.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(name, flags, (mode & 0o755) | 0o600, dir_fd=handle), "wb", buffering=0) as file:
        region.copy_to(file)


def _below(name: str, title: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of *name* after *title*."""
    parts = steps(name.removeprefix("./").rstrip("/"), "the archive")
    if parts[: len(title)] != title:
        raise UnsafeArchive(
            f"the archive names {printable(name, 100)!a}, which is not below {'/'.join(title)!a}", hint="fetch it in the form oci and look"
        )
    return parts[len(title) :]


def _inside(target: str, depth: int) -> str:
    """*target* of a symbolic link that lies *depth* directories deep, if it stays inside.

    ``..`` may stand only at the beginning: after a name, which may itself be a link, nobody can say where it leads.
    """
    parts = target.split("/")
    up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    below = [part for part in parts[up:] if part != "."]
    if target.startswith("/") or up > depth or ".." in below or "\\" in target or "\0" in target or not target:
        raise UnsafeArchive(
            f"a link in the archive leads to {printable(target, 100)!a}, outside of it", hint="whoever made it means harm or made a mistake"
        )
    return target
