"""A CSV list of principals (RFC 4180): a header, and one principal a line.

No value has a line break, since no protocol carries a secret with one. Each line therefore stands for itself, and a
quote that is never closed spoils its own line, not all that follow.
"""

from __future__ import annotations

import csv
import re

from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.principals import columns
from registryauth.principals.candidate import MAX_PRINCIPALS, Candidate, Faults, Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Between two values: the comma, or what spreadsheets write where the comma belongs to numbers.
_DELIMITERS = (",", ";", "\t")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}
#: Lines that a value with line breaks is followed over, to complain of it once: a PEM file or a JSON key has fewer.
_MAX_SPREAD = 200

_UNCLOSED = "a value in quotes goes on over the end of the line, and no registry can be sent a line break"
_QUOTE = "a quote stands within a value in quotes; write it twice"


class _Header(Value):
    """What the first line says: the column of each value, the delimiter, and whether the account is a client ID."""

    columns: tuple[str, ...]
    delimiter: str
    client: bool


class _Record(Value, hidden=("values",)):
    """The values of the line *number*, counted from 1; None with a *complaint* where it has none."""

    number: int
    values: Sequence[str] | None
    complaint: str = ""


def read_csv(text: str, what: str, rules: Rules) -> list[Candidate]:
    """The principals that *text* lists; *what* names the file.

    Raise `ConfigurationError` that names line and column of every fault, up to a screenful, and no value.
    """
    lines = re.split(r"\r\n|\n|\r", text)
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise ConfigurationError(f"{what} is empty", file=what, hint=_header_hint())
    header = _header(lines[first], first + 1, what)
    faults = Faults(what)
    found = []
    for count, record in enumerate(_records(lines, first + 1, header.delimiter), 1):
        if count > MAX_PRINCIPALS:
            raise ConfigurationError(f"{what} lists more than {MAX_PRINCIPALS} principals", file=what, line=record.number, hint="split it")
        candidate = _candidate(record, header, faults, rules)
        if candidate:
            faults.refuse_repeated(candidate, record.number)
            found.append(candidate)
    faults.refuse_any()
    return found


def _records(lines: Sequence[str], at: int, delimiter: str) -> Iterator[_Record]:
    """The lines from index *at* on that are not empty."""
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip():
            continue
        # Of the second, empty line the reader takes only what goes on over the end of the first.
        reader = csv.reader([line, ""], delimiter=delimiter, strict=True)
        try:
            yield _Record(at, next(reader))
        except csv.Error:
            if reader.line_num > 1:
                yield _Record(at, None, _UNCLOSED)
                at += _spread(lines[at - 1 : at - 1 + _MAX_SPREAD], delimiter) - 1
            else:
                limit = csv.field_size_limit()
                yield _Record(at, None, f"a value has more than {limit} characters" if len(line) > limit else _QUOTE)


def _spread(lines: Sequence[str], delimiter: str) -> int:
    """How many *lines* the first record has; 1 if it never ends."""
    reader = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, strict=True)
    try:
        next(reader)
    except csv.Error:
        return 1
    return reader.line_num


def _header(line: str, number: int, what: str) -> _Header:
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        names = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        names = []
    found = [columns.column_named(name) for name in names]
    if not any(found):
        # Perhaps there is none, and this is a principal: nothing of it may be shown.
        raise ConfigurationError(f"{what}, line {number}: that is no header", file=what, line=number, hint=_header_hint()) from None
    faults = Faults(what)
    for at, (name, column) in enumerate(zip(names, found, strict=True)):
        place = f"line {number}, column {at + 1}"
        if column is None:
            faults.add(place, columns.guess(name), number)
        elif column in found[:at]:
            faults.add(place, f"{column} stands in column {found.index(column) + 1} already", number)
    for column in columns.missing(name for name in found if name):
        faults.add(f"line {number}", f"there is no column {column}", number)
    faults.refuse_any()
    return _Header(tuple(name for name in found if name), delimiter, any(columns.is_client(name) for name in names))


def _header_hint() -> str:
    return f"the first line names the columns, of {', '.join(columns.COLUMNS)}"


def _candidate(record: _Record, header: _Header, faults: Faults, rules: Rules) -> Candidate | None:
    place, number = f"line {record.number}", record.number
    if record.values is None:
        faults.add(place, record.complaint, number)
        return None
    if len(record.values) != len(header.columns):
        faults.add(place, f"{len(record.values)} values, where the first line names {len(header.columns)} columns", number)
        return None

    def complain(column: str, complaint: str) -> None:
        where = f", column {header.columns.index(column) + 1}" if column in header.columns else ""
        faults.add(f"{place}{where} ({column})", complaint, number)

    said = {}
    for column, value in zip(header.columns, record.values, strict=True):
        typed = _typed(column, value)
        if typed is None:
            complain(column, "is neither true nor false" if column == "insecure" else "are name=value, with ; between two of them")
            return None
        said[column] = typed
    return columns.candidate(columns.Said(place, said, header.client, complain), rules)


def _typed(column: str, value: str) -> object:
    """*value* as *column* holds it; None if it cannot be. White space around it belongs to a secret only."""
    if column == "secret":
        return value
    value = value.strip(" ")
    kind = columns.COLUMNS[column]
    if kind is bool:
        return _WORDS.get(value.lower())
    if kind is list:
        return re.split(r"[ ,;]+", value) if value else []
    if kind is dict:
        pairs = [pair.partition("=") for pair in value.split(";") if pair.strip()]
        return {name.strip(): held.strip() for name, _, held in pairs} if all(equals for _, equals, _ in pairs) else None
    return value
