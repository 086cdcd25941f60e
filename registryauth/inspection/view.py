"""The file system of an image as far as its layers were read: what is there, what is surely not, what is not known yet."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import UnsafeArchive
from registryauth.inspection.limits import MAX_LINKS, MAX_NAMES
from registryauth.inspection.tree import Directory, File, Gone, Link, Node, Other, lay_under, raw_parts


class Found(Value):
    """Something is at the end of a path, whose real name, every link resolved, is *path*.

    *sealed*: it is a directory, and no layer that is still unread can add to it.
    """

    path: str
    node: Node
    sealed: bool = False


class Absent(Value):
    """There is nothing, and no layer that is still unread can change that."""


class Unknown(Value):
    """A layer that is still unread may have it; or *reason* says why it cannot be told at all."""

    reason: str = ""


Answer = Found | Absent | Unknown


class View:
    """Layers laid under one another from the topmost down; *complete* once the last of them is there."""

    def __init__(self) -> None:
        self._root = Directory()
        self.complete = False

    def lay_under(self, layer: Directory) -> None:
        """Add the next layer down."""
        lay_under(self._root, layer)

    def find(self, path: str) -> Answer:
        """What the absolute *path* leads to, through every link, as the kernel would resolve it in a container."""
        here: list[tuple[str, Directory, bool]] = [("", self._root, self._root.sealed or self.complete)]
        left, links = raw_parts(path)[::-1], 0
        while left:
            name = left.pop()
            if name == "..":
                if len(here) > 1:
                    here.pop()
                continue
            where, directory, sealed = here[-1]
            node = directory.children.get(name)
            if node is None:
                return Absent() if sealed else Unknown()
            if isinstance(node, Link):
                links += 1
                if links > MAX_LINKS:
                    return Absent()
                here = here[:1] if node.target.startswith("/") else here
                left += raw_parts(node.target)[::-1]
            elif isinstance(node, Directory):
                here.append((f"{where}/{name}", node, sealed or node.sealed))
            else:
                return _leaf(f"{where}/{name}", node, further=bool(left))
        where, directory, sealed = here[-1]
        return Found(where or "/", directory, sealed)

    def names(self, path: str) -> tuple[dict[str, Node], bool]:
        """What is in the directory that *path* leads to, by name, and whether that is all of it; nothing where there is none.

        Raise `UnsafeArchive` for more than `MAX_NAMES`.
        """
        answer = self.find(path)
        if not isinstance(answer, Found) or not isinstance(answer.node, Directory):
            return {}, not isinstance(answer, Unknown)
        if len(answer.node.children) > MAX_NAMES:
            raise UnsafeArchive(f"{printable(answer.path)} holds more than {MAX_NAMES} files", hint="the image may be made to do harm")
        there: dict[str, Node] = {name: node for name, node in answer.node.children.items() if not isinstance(node, Gone)}
        return there, answer.sealed


def _leaf(path: str, node: Node, *, further: bool) -> Answer:
    """The answer for what is no directory, at the end of a way or, with *further*, before it."""
    if isinstance(node, Other) and node.doubtful:
        return Unknown(f"{path} is a hard link to what its layer does not hold")
    if isinstance(node, Gone) or further:
        return Absent()
    return Found(path, node)


def is_program(answer: Answer) -> bool:
    """Whether *answer* is an ordinary file that may be run."""
    return isinstance(answer, Found) and isinstance(answer.node, File) and answer.node.executable
