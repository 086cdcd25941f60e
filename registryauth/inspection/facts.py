"""From a view of the file system to facts: each says what was seen, and whether a layer that is still unread could change that. Pure.

All of it is what the image says of itself: an ``os-release`` that lies is believed here as it is believed by whoever runs the image.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping

from registryauth._redact import printable
from registryauth.inspection.fact import Fact, Sighting
from registryauth.inspection.image import Image
from registryauth.inspection.rule import Rule
from registryauth.inspection.tree import Directory, File
from registryauth.inspection.view import Absent, Found, Unknown, View, is_program

#: Where Miniconda and Anaconda are put in Azure's images and in those of conda's makers; each directory of the last is an environment.
_PREFIXES = ("/opt/miniconda", "/opt/conda")
_ENVIRONMENTS = "/azureml-envs"
#: Environments in `_ENVIRONMENTS` that are looked at.
_MAX_ENVIRONMENTS = 100
_NUMBERED = r"python([0-9]+\.[0-9]+)"


class Unread(Exception):
    """The content of *file* is needed, and was not kept: the caller reads it and asks again."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self.file = file


def fact(name: str, image: Image, view: View, rule: Rule | None = None) -> Fact:
    """What *view* tells of *name*, one of `rule.FACTS`; *rule* says where a shell is looked for. Raise `Unread`."""
    if name == "shell":
        return _shell(view, rule.wanted[0] if rule else "/bin/sh")
    return _FACTS[name](image, view)


def _image_type(image: Image, _: View) -> Fact:
    return Fact((Sighting(image.kind),))


def _architecture(image: Image, _: View) -> Fact:
    return Fact((Sighting(printable(image.platform.architecture, 40)),))


def _os(_: Image, view: View) -> Fact:
    """os-release(5): /etc goes before /usr/lib; before both there was lsb-release."""
    final = True
    for path, name_key, version_key in (
        ("/etc/os-release", "ID", "VERSION_ID"),
        ("/usr/lib/os-release", "ID", "VERSION_ID"),
        ("/etc/lsb-release", "DISTRIB_ID", "DISTRIB_RELEASE"),
    ):
        answer = view.find(path)
        if isinstance(answer, Found) and isinstance(answer.node, File):
            said = _assignments(_content(answer.node))
            # os-release(5): "If not set, a default of ID=linux may be used."
            name = printable(said.get(name_key) or "linux", 64).lower()
            return Fact((Sighting(name, printable(said.get(version_key, ""), 64), answer.path, answer.node.layer),), final)
        final = final and not isinstance(answer, Unknown)
    return Fact((), final, "there is neither os-release nor lsb-release" if final else "")


def _content(file: File) -> str:
    if file.content is None:
        raise Unread(file)
    return file.content.decode("utf-8", "replace")


def _assignments(text: str) -> dict[str, str]:
    """The variables that a file of shell assignments sets; what is no such line is passed over, as os-release(5) asks."""
    said = {}
    for line in text.splitlines():
        found = re.fullmatch(r"\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)", line)
        if found:
            try:
                said[found[1]] = "".join(shlex.split(found[2], comments=True)[:1])
            except ValueError:
                continue
    return said


def _shell(view: View, path: str) -> Fact:
    answer = view.find(path)
    if isinstance(answer, Found):
        if is_program(answer) and isinstance(answer.node, File):
            return Fact((Sighting(path, "", answer.path, answer.node.layer),))
        return Fact((), note=f"{printable(answer.path)} is no program")
    return Fact((), isinstance(answer, Absent), answer.reason if isinstance(answer, Unknown) else "")


def _conda(image: Image, view: View) -> Fact:
    final = True
    for prefix, known in _prefixes(image, view):
        records, complete = _records(view, prefix, "conda")
        final = final and known
        if records:
            return Fact(_topmost(records), final)
        final = final and complete
    return Fact((), final)


def _python(image: Image, view: View) -> Fact:
    """The Python that a shell in the container starts: ``python``, or ``python3`` where there is no such name."""
    final = True
    candidates = [f"{place}/{name}" for name in ("python", "python3") for place in image.places]
    off_path = [(f"{prefix}/bin/python", known) for prefix, known in _prefixes(image, view)]
    for path, known in [*((path, True) for path in candidates), *off_path]:
        answer = view.find(path)
        final = final and known
        if is_program(answer) and isinstance(answer, Found) and isinstance(answer.node, File):
            seen, certain = _version_of(view, answer, answer.node)
            return Fact(seen, final and certain, "" if path in candidates else "not on PATH")
        final = final and not isinstance(answer, Unknown)
    return Fact((), final)


def _version_of(view: View, program: Found, file: File) -> tuple[tuple[Sighting, ...], bool]:
    """The version of the interpreter *program*: conda's record of it, else what its own name says; and whether that is certain."""
    directory, _, name = program.path.rpartition("/")
    prefix = directory.rpartition("/")[0]
    numbered = re.match(_NUMBERED, name)
    records, complete = _records(view, prefix, "python")
    if numbered:
        records = [record for record in records if _begins(record.version, numbered[1])]
    if records:
        return _topmost(records), True
    if numbered:
        return (Sighting("python", numbered[1], program.path, file.layer),), complete
    # A copy that bears no number: its library does, if it has one alone.
    children, all_there = view.names(f"{prefix}/lib")
    versions = [found[1] for child in children if (found := re.fullmatch(_NUMBERED, child))]
    version = versions[0] if len(versions) == 1 else ""
    return (Sighting("python", version, program.path, file.layer),), complete and all_there


def _pythons(image: Image, view: View) -> Fact:
    """Every Python: conda's records, and programs that bear a number where programs are looked for."""
    seen: dict[str, Sighting] = {}
    final = True
    for prefix, known in _prefixes(image, view):
        records, complete = _records(view, prefix, "python")
        final = final and known and complete
        seen |= {record.path: record for record in records}
    recorded = {(record.path.rpartition("/conda-meta/")[0], _minor(record.version)) for record in seen.values()}
    for place in dict.fromkeys((*image.places, "/usr/bin", "/usr/local/bin")):
        children, complete = view.names(place)
        final = final and complete
        for name in sorted(children):
            numbered = re.fullmatch(_NUMBERED, name)
            answer = view.find(f"{place}/{name}") if numbered else Absent()
            final = final and not isinstance(answer, Unknown)
            if numbered and is_program(answer) and isinstance(answer, Found) and isinstance(answer.node, File):
                prefix = answer.path.rpartition("/")[0].rpartition("/")[0]
                if (prefix, numbered[1]) not in recorded:
                    seen.setdefault(answer.path, Sighting("python", numbered[1], answer.path, answer.node.layer))
    return Fact(tuple(seen[path] for path in sorted(seen)), final)


def _prefixes(image: Image, view: View) -> Iterator[tuple[str, bool]]:
    """Where conda may be, by its real name, those on PATH first; and whether no environment can come before it that is not seen yet."""
    given: set[str] = set()
    on_path = (place.rpartition("/")[0] for place in image.places if place.endswith(("/bin", "/condabin")))
    for prefix in (*on_path, *_PREFIXES):
        answer = view.find(prefix)
        if isinstance(answer, Found) and isinstance(answer.node, Directory) and answer.path not in given:
            given.add(answer.path)
            yield answer.path.rstrip("/"), True
        elif isinstance(answer, Unknown):
            # Not known to be there: who looks into it learns as much.
            yield prefix, True
    names, complete = view.names(_ENVIRONMENTS)
    for name in sorted(names)[:_MAX_ENVIRONMENTS]:
        answer = view.find(f"{_ENVIRONMENTS}/{name}")
        if isinstance(answer, Found) and isinstance(answer.node, Directory) and answer.path not in given:
            given.add(answer.path)
            yield answer.path, complete
    if not complete:
        yield _ENVIRONMENTS, False


def _records(view: View, prefix: str, package: str) -> tuple[list[Sighting], bool]:
    """Conda's records of *package* in the environment at *prefix*, ``conda-meta/NAME-VERSION-BUILD.json``; and whether these are all."""
    children, complete = view.names(f"{prefix}/conda-meta")
    records = []
    for name, node in sorted(children.items()):
        parts = name.removesuffix(".json").rsplit("-", 2)
        if name.endswith(".json") and len(parts) == 3 and parts[0] == package and isinstance(node, File):
            records.append(Sighting(package, printable(parts[1], 64), f"{prefix}/conda-meta/{printable(name)}", node.layer))
    return records, complete


def _topmost(records: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Those of the uppermost layer that has any: conda keeps one record of a package, so what is further down was copied over."""
    records = list(records)
    top = max(record.layer for record in records)
    return tuple(record for record in records if record.layer == top)


def _begins(version: str, start: str) -> bool:
    return version == start or version.startswith(f"{start}.")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


_FACTS: Mapping[str, Callable[[Image, View], Fact]] = {
    "image_type": _image_type,
    "architecture": _architecture,
    "os": _os,
    "conda": _conda,
    "python": _python,
    "pythons": _pythons,
}
