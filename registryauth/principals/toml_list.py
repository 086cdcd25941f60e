"""A TOML list of principals: one ``[[principal]]`` table each, its keys those of `columns`."""

from __future__ import annotations

import re
from datetime import date, datetime

from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.principals import columns
from registryauth.principals.candidate import MAX_PRINCIPALS, Candidate, Faults, Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_TABLE = "principal"
_HEAD = r"\s*\[\[\s*(?:principal|\"principal\"|'principal')\s*\]\]"
_HINT = "each principal is a table [[principal]] with registry, account and secret"


class _Table(Value, hidden=("values",)):
    """One table: its number and the line where it begins, both from 1; line 0 where it is written in a way that hides it."""

    number: int
    line: int
    values: dict[str, Any]

    @property
    def place(self) -> str:
        """For people."""
        return f"line {self.line}" if self.line else f"principal {self.number}"


def read_toml(text: str, what: str, rules: Rules) -> list[Candidate]:
    """The principals that *text* lists; *what* names the file.

    Raise `ConfigurationError` that names line and key of every fault, up to a screenful, and no value.
    """
    lines = re.split(r"\r\n|\n", text)
    tables = _tables(text, lines, what)
    faults = Faults(what)
    found = []
    for table in tables:
        candidate = _candidate(table, lines, faults, rules)
        if candidate:
            faults.refuse_repeated(candidate, table.line)
            found.append(candidate)
    faults.refuse_any()
    return found


def _tables(text: str, lines: Sequence[str], what: str) -> list[_Table]:
    parsed = _parsed(text, what)
    listed = parsed.pop(_TABLE, [])
    if parsed or not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
        raise ConfigurationError(f"{what} holds something else than tables [[principal]]", file=what, hint=_HINT)
    if len(listed) > MAX_PRINCIPALS:
        raise ConfigurationError(f"{what} lists more than {MAX_PRINCIPALS} principals", file=what, hint="split it")
    heads = [at for at, line in enumerate(lines, 1) if re.match(_HEAD, line)]
    # A line like a head's inside of a long string, or tables within an array: then the lines are not told.
    known = heads if len(heads) == len(listed) else [0] * len(listed)
    return [_Table(number, line, values) for number, (line, values) in enumerate(zip(known, listed, strict=True), 1)]


def _parsed(text: str, what: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line ([0-9]+), column ([0-9]+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        place = f"line {line}, character {at[2]}" if at else f"line {line}"
    except (RecursionError, ValueError):
        line, place = 0, "somewhere in it"
    # Raised out here: the parser's own error knows the text.
    hint = "a secret with quotes or backslashes in it goes between single quotes: secret = 'it \"is\" so'"
    raise ConfigurationError(f"{what}, {place}: that is not TOML; nothing was imported", file=what, line=line, hint=hint)


def _candidate(table: _Table, lines: Sequence[str], faults: Faults, rules: Rules) -> Candidate | None:
    said: dict[str, object] = {}
    names: dict[str, str] = {}
    whole = True

    def complain(column: str, complaint: str) -> None:
        nonlocal whole
        whole = False
        line = _line_of(names.get(column, column), table, lines)
        faults.add(f"line {line} ({column})" if line else f"{table.place} ({column})", complaint, line or table.line)

    for name, value in table.values.items():
        column = columns.column_named(name) if name == name.strip() else None
        if column is None:
            line = _line_of(name, table, lines)
            faults.add(f"line {line}" if line else table.place, columns.guess(name), line or table.line)
            whole = False
        elif column in said:
            names[column] = name
            complain(column, "is said twice, by two names")
        else:
            names[column] = name
            said[column] = value.isoformat() if isinstance(value, date | datetime) and column in ("expires", "not_before") else value
    for column, value in said.items():
        if not _fits(value, columns.COLUMNS[column]):
            complain(column, f"must be {_WANTED[columns.COLUMNS[column]]}")
    for column in columns.missing(said):
        if column != "account" or said.get("kind") != "identity-token":
            complain(column, "is missing")
    if not whole:
        return None
    client = any(columns.is_client(name) for name in names.values())
    return columns.candidate(columns.Said(table.place, said, client, complain), rules)


_WANTED = {
    str: "a string",
    bool: "true or false",
    list: 'an array of strings, like ["pull"]',
    dict: 'a table of strings, like {team = "ml"}',
}


def _fits(value: object, kind: type) -> bool:
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return isinstance(value, kind) and all(isinstance(part, str) for part in parts)


def _line_of(name: str, table: _Table, lines: Sequence[str]) -> int:
    """The line that sets the key *name* in *table*; the table's own where that cannot be seen."""
    setting = rf"""\s*["']?{re.escape(name)}["']?\s*[=.]|\s*\[\s*principal\s*\.\s*["']?{re.escape(name)}["']?\s*\]"""
    for number, line in enumerate(lines[table.line :], table.line + 1) if table.line else ():
        if re.match(_HEAD, line):
            break
        if re.match(setting, line):
            return number
    return table.line
