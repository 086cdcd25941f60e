"""One layer as a tree of names, and layers laid under one another, the topmost first.

What an entry does to what is below it is what overlay file systems make of it, under docker, containerd and podman alike
(https://github.com/opencontainers/image-spec/blob/main/layer.md): a name hides everything under that name further down; a directory
lets the same directory further down shine through, unless it is opaque, or was something else in between. An entry below a link of a
lower layer makes a directory in its place; links of its own layer are followed.
"""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.errors import ContentError, UnsafeArchive
from registryauth.inspection.limits import MAX_DEPTH, MAX_ENTRIES, MAX_FILE, MAX_KEPT, MAX_LINKS, MAX_NAME_BYTES
from registryauth.inspection.tar import DIRECTORY, FILE, GLOBAL, HARD_LINK, LINK, Entry

_WHITEOUT, _OPAQUE, _AUFS = ".wh.", ".wh..wh..opq", ".wh..wh."


class File:
    """An ordinary file: its layer's number, its entry's number there, its content if that was read."""

    __slots__ = ("content", "executable", "layer", "number")

    def __init__(self, layer: int, entry: Entry) -> None:
        self.layer = layer
        self.number = entry.number
        self.executable = entry.executable
        self.content = entry.content


class Link:
    """A symbolic link."""

    __slots__ = ("layer", "target")

    def __init__(self, layer: int, target: str) -> None:
        self.layer = layer
        self.target = target


class Other:
    """What is no file, or a hard link to what the layer does not hold, which some engines refuse and others resolve."""

    __slots__ = ("doubtful", "layer")

    def __init__(self, layer: int, *, doubtful: bool) -> None:
        self.layer = layer
        self.doubtful = doubtful


class Gone:
    """A name that was whited out."""

    __slots__ = ("layer",)

    def __init__(self, layer: int) -> None:
        self.layer = layer


class Directory:
    """A directory; if *sealed*, nothing further down shines through."""

    __slots__ = ("children", "sealed")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.sealed = False


Node = File | Link | Other | Gone | Directory


class Budget:
    """Entries and names of one image, bounded."""

    def __init__(self) -> None:
        self._entries = 0
        self._kept = 0
        self._nodes = 0
        self._bytes = 0

    def entry(self) -> None:
        """Note one more entry of a tar."""
        self._entries += 1
        self._check()

    def node(self, name: str) -> None:
        """Note one more thing that is held, called *name*."""
        self._nodes += 1
        self._bytes += len(name)
        self._check()

    def keep(self, size: int) -> bool:
        """Whether the content of a file of *size* bytes may be held, too; what is needed and was not held is read again."""
        fits = size <= MAX_FILE and self._kept + size <= MAX_KEPT
        self._kept += size if fits else 0
        return fits

    def _check(self) -> None:
        if self._entries > MAX_ENTRIES or self._nodes > MAX_ENTRIES:
            raise UnsafeArchive(f"with it, the image has more than {MAX_ENTRIES} files and directories")
        if self._bytes > MAX_NAME_BYTES:
            raise UnsafeArchive(f"with it, the names in the image have more than {MAX_NAME_BYTES} characters")


class Layer:
    """Layer *number* as a tree, made entry by entry."""

    def __init__(self, number: int, budget: Budget) -> None:
        self.number = number
        self.root = Directory()
        self._budget = budget
        self._whited: list[tuple[Directory, str]] = []
        # Entries come directory by directory.
        self._last: tuple[list[str], Directory] = ([], self.root)

    def add(self, entry: Entry) -> None:
        """Put *entry* where it belongs; raise `ContentError` where no engine could unpack it."""
        self._budget.entry()
        parts = parts_of(entry.name)
        if not parts:
            return
        *above, name = parts
        if entry.kind == GLOBAL and (above or name.startswith(_WHITEOUT)):
            raise UnsafeArchive(f"it has a global header called {printable(entry.name)}, which engines may take for more than that")
        if entry.kind == GLOBAL or (parts[0].startswith(_AUFS) and parts != [_OPAQUE]):
            # What aufs kept at the root for itself, every engine passes over.
            return
        if name == _OPAQUE:
            self._directory(above).sealed = True
        elif name.startswith(_WHITEOUT):
            hidden = name.removeprefix(_WHITEOUT)
            if hidden in ("", ".", ".."):
                raise UnsafeArchive(f"its whiteout {printable(entry.name)} names no file")
            self._budget.node(hidden)
            self._whited.append((self._directory(above), hidden))
        else:
            self._put(self._directory(above), name, entry)

    def _put(self, directory: Directory, name: str, entry: Entry) -> None:
        before = directory.children.get(name)
        if entry.kind == DIRECTORY and isinstance(before, Directory):
            return
        if before is not None:
            # What led somewhere may lead elsewhere now.
            self._last = ([], self.root)
        self._budget.node(name)
        directory.children[name] = self._node(entry)

    def _node(self, entry: Entry) -> Node:
        if entry.kind == DIRECTORY:
            return Directory()
        if entry.kind == FILE:
            return File(self.number, entry)
        if entry.kind == LINK:
            self._budget.node(entry.target)
            return Link(self.number, entry.target)
        if entry.kind == HARD_LINK:
            return self._linked(entry.target)
        return Other(self.number, doubtful=False)

    def _linked(self, target: str) -> Node:
        """What a hard link to *target* is another name of."""
        parts = parts_of(target)
        if parts:
            directory = self._walked(parts[:-1], make=False)
            found = directory.children.get(parts[-1]) if directory else None
            if isinstance(found, File | Link | Other):
                return found
        return Other(self.number, doubtful=True)

    def finish(self) -> Directory:
        """The layer's tree, once all its entries were added: a whiteout hides what is further down, never what is in its own layer."""
        for directory, name in self._whited:
            there = directory.children.get(name)
            if there is None:
                directory.children[name] = Gone(self.number)
            elif isinstance(there, Directory):
                there.sealed = True
        self._whited = []
        return self.root

    def _directory(self, parts: list[str]) -> Directory:
        """The directory that *parts* lead to, made where it is not there; raise `ContentError` where that cannot be."""
        last, directory = self._last
        if parts == last:
            return directory
        if not (found := self._walked(parts, make=True)):
            raise ContentError(f"it cannot be unpacked: {printable('/'.join(parts))} is no directory, or lies too deep")
        self._last = (parts, found)
        return found

    def _walked(self, parts: list[str], *, make: bool) -> Directory | None:
        """Where *parts* lead, through links that this layer has so far; None where that is no directory."""
        here, left, links = [self.root], parts[::-1], 0
        while left:
            name = left.pop()
            if name == "..":
                if len(here) > 1:
                    here.pop()
                continue
            child = here[-1].children.get(name)
            if child is None and make:
                self._budget.node(name)
                child = here[-1].children[name] = Directory()
            if isinstance(child, Link) and links < MAX_LINKS:
                links += 1
                here = here[:1] if child.target.startswith("/") else here
                left += raw_parts(child.target)[::-1]
            elif isinstance(child, Directory) and len(here) <= MAX_DEPTH:
                here.append(child)
            else:
                return None
        return here[-1]


def lay_under(upper: Directory, lower: Directory) -> None:
    """Let *lower*, the root of the next layer down, shine through *upper*; *lower* is used up."""
    pairs = [(upper, lower)]
    while pairs:
        over, under = pairs.pop()
        if over.sealed:
            continue
        for name, node in under.children.items():
            mine = over.children.get(name)
            if mine is None:
                over.children[name] = node
            elif isinstance(mine, Directory):
                if isinstance(node, Directory):
                    pairs.append((mine, node))
                else:
                    # An overlay merges directories down to the first thing that is none.
                    mine.sealed = True
        over.sealed = under.sealed


def raw_parts(path: str) -> list[str]:
    """The names in *path*, without empty ones and ``.``."""
    return [part for part in path.split("/") if part not in ("", ".")]


def parts_of(path: str) -> list[str]:
    """The names in an entry's *path*, ``..`` resolved; raise `UnsafeArchive` where it leads out of the image."""
    parts: list[str] = []
    for part in raw_parts(path):
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise UnsafeArchive(f"its {printable(path)} lies outside of the image")
    return parts
