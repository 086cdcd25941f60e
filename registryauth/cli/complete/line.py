"""Where on the command line the cursor is, and what may stand there."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.cli.complete import values
from registryauth.cli.complete.verbs import Option, Verb, root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    #: A word, and what it is.
    Suggestion = tuple[str, str]


class Line(Value):
    """*words* after the program's name, up to the cursor; *current* is the one that the cursor is at the end of."""

    words: tuple[str, ...]
    current: str


class _Reader:
    """What the words before the cursor have come to."""

    def __init__(self, verb: Verb) -> None:
        self.verb = verb
        self.given: list[str] = []
        self.used: set[str] = set()
        self.awaited: Option | None = None
        self.only_arguments = False

    def read(self, word: str) -> None:
        """Take the next word in."""
        if self.awaited is not None:
            self.awaited = None
        elif word == "--" and not self.only_arguments:
            self.only_arguments = True
        elif word.startswith("-") and word != "-" and not self.only_arguments:
            self._read_option(word)
        elif self.verb.verbs:
            self.verb = self.verb.verb(word)
        else:
            self.given.append(word)

    def _read_option(self, word: str) -> None:
        name, equals, _ = word.partition("=")
        option = self.verb.option(name)
        if option is not None:
            self.used.update(option.names)
            self.awaited = option if option.takes and not equals else None


def suggestions(line: Line, environ: Mapping[str, str]) -> tuple[str, Sequence[Suggestion]]:
    """What to complete with, ``values``, ``files`` or ``directories``, and for values those that begin as the current word does."""
    reader = _Reader(root())
    for word in line.words:
        reader.read(word)
    before, kind, found = "", "", []
    if reader.awaited is not None:
        kind = reader.awaited.takes
    elif line.current.startswith("--") and "=" in line.current and not reader.only_arguments:
        name, _, _ = line.current.partition("=")
        option = reader.verb.option(name)
        before, kind = f"{name}=", option.takes if option else ""
    elif line.current.startswith("-") and not reader.only_arguments:
        found = list(_options(reader))
    elif reader.verb.verbs:
        found = list(reader.verb.verbs.items())
    else:
        kind = reader.verb.argument(len(reader.given))
    if kind in ("files", "directories"):
        return kind, ()
    start = line.current.removeprefix(before)
    found += values.of(kind, reader.given, start, environ)
    return "values", [(f"{before}{word}", text) for word, text in found if word.startswith(start)]


def _options(reader: _Reader) -> Iterator[Suggestion]:
    for option in reader.verb.options:
        if option.many or not reader.used.intersection(option.names):
            # A long one says what it is; a short one is typed by those who know it.
            yield from ((name, option.text) for name in option.names if name.startswith("--"))
