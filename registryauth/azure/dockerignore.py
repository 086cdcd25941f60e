"""Which files of a directory a build is not to see: ``.dockerignore``, by docker's own rules.

Sources: moby/patternmatcher 0.6 (``ignorefile.ReadAll``, ``PatternMatcher.MatchesUsingParentResults``), which docker and BuildKit
use, and Go's ``filepath.Match``, which says what is no pattern. The Azure CLI has rules of its own, which keep what docker drops.
"""

from __future__ import annotations

import re
from posixpath import normpath

from registryauth._redact import printable
from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Matcher = Callable[[str], bool]

#: Bytes of a file of patterns, of one line (Go's ``bufio.MaxScanTokenSize``), and how many patterns are kept.
MAX_FILE, _MAX_LINE, _MAX_PATTERNS = 1024 * 1024, 64 * 1024, 10_000
#: What Go's ``strings.TrimSpace`` takes for white space.
_BLANK = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
#: These stand for themselves. patternmatcher means ``|{}`` to be among them, and its table of bits has no room for those: as docker
#: ignores by them what it ignores (``a|b`` is "begins with a, or ends in b"), so do we. ``^`` is not meant to be.
_LITERAL = ".+()$"
#: Behind a backslash, letters that Go's regexp gives a meaning to; patternmatcher passes them on. Other letters and digits it refuses.
_CLASSES = "dDsSwWbBA" + "tnrfva"
_WILD = re.compile(r"[*?\[\\]")


class Rule:
    """One line: a *pattern*, and whether it is an *exception*, which takes back what earlier lines ignore."""

    __slots__ = ("_fixed", "exception", "matches", "pattern")

    def __init__(self, pattern: str, *, exception: bool, line: int, file: str) -> None:
        self.pattern, self.exception = pattern, exception
        try:
            _check(pattern)
            self.matches = _compiled(pattern)
        except (ValueError, re.error):
            shown = printable(pattern, 80)
            raise ConfigurationError(
                f"{file}, line {line}: {shown!a} is no pattern",
                file=file,
                line=line,
                hint="every [ needs its ], and a \\ a mark behind it",
            ) from None
        parts = pattern.split("/")
        literal = next((at for at, part in enumerate(parts) if _WILD.search(part)), len(parts))
        self._fixed = parts[:literal]

    def may_match_below(self, directory: str) -> bool:
        """Whether something in *directory* might match: no, where the pattern begins with other names."""
        return all(mine == theirs for mine, theirs in zip(self._fixed, directory.split("/"), strict=False))


class Verdict:
    """What the rules say of one path; a directory's is needed for what is in it."""

    __slots__ = ("_matched", "ignored")

    def __init__(self, *, ignored: bool, matched: tuple[bool, ...]) -> None:
        self.ignored = ignored
        self._matched = matched

    def matched(self, index: int) -> bool:
        """Whether the rule at *index* matched it, or something above."""
        return self._matched[index]


class DockerIgnore:
    """The rules of one file, in its order; the last that matches counts. Without rules nothing is ignored."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self.rules = rules
        self._exceptions = tuple(rule for rule in rules if rule.exception)

    @classmethod
    def parse(cls, content: bytes, file: str = ".dockerignore") -> DockerIgnore:
        """Read *content*; raise `ConfigurationError`, with *file* and line, for what docker would refuse.

        A byte order mark, lines that begin with ``#``, blanks around a pattern and a leading ``/`` mean nothing.
        """
        if len(content) > MAX_FILE:
            raise ConfigurationError(f"{file} is larger than the {MAX_FILE} bytes allowed", file=file, hint="is it the right file?")
        rules: list[Rule] = []
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        for number, raw in enumerate(lines, 1):
            if len(raw) >= _MAX_LINE or len(rules) > _MAX_PATTERNS:
                raise ConfigurationError(f"{file}, line {number}: too much", file=file, line=number, hint="is it the right file?")
            if rule := _rule(raw.decode("utf-8", "surrogateescape"), number, file):
                rules.append(rule)
        return cls(tuple(rules))

    def ask(self, path: str, parent: Verdict | None = None) -> Verdict:
        """What becomes of *path*, relative to the context, with ``/``; *parent* is its directory's verdict, None at the root.

        The state of each rule is handed down as BuildKit does it: an exception for a directory that was not ignored itself does
        not bring back what a later rule ignores in there.
        """
        ignored = False
        matched: list[bool] = []
        for index, rule in enumerate(self.rules):
            match = parent is not None and parent.matched(index)
            if not match and rule.exception == ignored:
                match = rule.matches(path)
            matched.append(match)
            if match:
                ignored = not rule.exception
        return Verdict(ignored=ignored, matched=tuple(matched))

    def may_keep_below(self, directory: str) -> bool:
        """Whether something in *directory*, which is ignored, may be excepted."""
        return any(rule.may_match_below(directory) for rule in self._exceptions)


def _rule(line: str, number: int, file: str) -> Rule | None:
    """The rule of a *line*, None of a comment or an empty one: ``ReadAll``, then what ``New`` does once more."""
    if line.startswith("#") or not (pattern := line.strip(_BLANK)):
        return None
    mark = "!" if pattern.startswith("!") else ""
    pattern = pattern.removeprefix(mark).strip(_BLANK)
    pattern = _clean(pattern) if pattern else ""
    if len(pattern) > 1:
        pattern = pattern.removeprefix("/")
    pattern = _clean((mark + pattern).strip(_BLANK) or ".")
    exception = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    if not pattern:
        raise ConfigurationError(f"{file}, line {number}: '!' excepts nothing", file=file, line=number, hint="say what to keep: !README.md")
    return Rule(pattern, exception=exception, line=number, file=file)


def _clean(path: str) -> str:
    """Go's ``filepath.Clean``: POSIX's two leading slashes are one."""
    return normpath(path if not path.startswith("//") else f"/{path.lstrip('/')}")


def _check(pattern: str) -> None:
    """Raise `ValueError` for what ``filepath.Match`` calls a bad pattern."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at = _character(pattern, at)
        elif pattern[at] == "[":
            at = _class(pattern, at + 1)
        else:
            at += 1


def _class(pattern: str, at: int) -> int:
    """The end of the class whose content begins at *at*."""
    at += pattern.startswith("^", at)
    ranges = 0
    while not (pattern.startswith("]", at) and ranges):
        at = _bound(pattern, at)
        if pattern.startswith("-", at):
            at = _bound(pattern, at + 1)
        ranges += 1
    return at + 1


def _bound(pattern: str, at: int) -> int:
    if at >= len(pattern) or pattern[at] in "-]":
        raise ValueError
    at = _character(pattern, at)
    if at >= len(pattern):
        raise ValueError
    return at


def _character(pattern: str, at: int) -> int:
    """The end of the character at *at*, which may be escaped."""
    at += pattern[at] == "\\"
    if at >= len(pattern):
        raise ValueError
    return at + 1


def _compiled(pattern: str) -> Matcher:
    """What patternmatcher's ``compile`` makes of *pattern*: a comparison where that will do, which some patterns owe their meaning to."""
    regex, kind = _translated(pattern)
    match kind:
        case "exact":
            return lambda path: path == pattern
        case "prefix":
            return lambda path: path.startswith(pattern[:-2])
        case "suffix":
            suffix = pattern[2:]
            return lambda path: path.endswith(suffix) or (suffix[:1] == "/" and path == suffix[1:])
    found = re.compile(rf"^{regex}\Z", re.ASCII)
    return lambda path: found.search(path) is not None


def _translated(pattern: str) -> tuple[str, str]:
    """The regular expression, and the kind of match, patternmatcher's ``matchType``."""
    out: list[str] = []
    kind, at = "exact", 0
    while at < len(pattern):
        first, char = at == 0, pattern[at]
        at += 1
        if char == "*" and pattern.startswith("*", at):
            at += 1
            at += pattern.startswith("/", at)
            ends = at == len(pattern)
            out.append(".*" if ends else "(.*/)?")
            kind = "suffix" if first else "prefix" if ends and kind == "exact" else "regexp"
            continue
        if char == "\\":
            out.append(_escaped(pattern[at]))
            at += 1
        else:
            out.append({"*": "[^/]*", "?": "[^/]"}.get(char) or (f"\\{char}" if char in _LITERAL else char))
        if char in "*?[]\\":
            kind = "regexp"
    return _for_python("".join(out)), kind


def _escaped(char: str) -> str:
    if not char.isascii() or (char.isalnum() and char not in _CLASSES):
        raise ValueError
    return f"\\{char}"


def _for_python(regex: str) -> str:
    r"""Go's *regex* as Python's: in a class ``[``, ``&``, ``~`` and a ``]`` at its head are characters, and white space is ASCII's.

    Raise `ValueError` for a named class (``[:alpha:]``), which has no counterpart.
    """
    out: list[str] = []
    inside, at = False, 0
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            if inside and regex[at + 1] in "bBA":
                raise ValueError
            out.append(regex[at : at + 2])
            at += 2
            continue
        at += 1
        if not inside and char == "[":
            inside = True
            negated = regex.startswith("^", at)
            at += negated
            out.append("[^" if negated else "[")
            if regex.startswith("]", at):
                out.append("\\]")
                at += 1
        elif inside and char == "]":
            inside = False
            out.append(char)
        elif inside and char in "[&~|":
            if char == "[" and regex.startswith(":", at):
                raise ValueError
            out.append(f"\\{char}")
        elif inside and char == "-" and out[-1] == "-":
            out.append("\\-")
        else:
            out.append("\\]" if char == "]" else char)
    return "".join(out)
