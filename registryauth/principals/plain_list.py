"""Principals as a list in plain text, secrets included: what `csv_list` and `toml_list` read."""

from __future__ import annotations

import csv
import io
import json
import re

from registryauth._redact import printable
from registryauth.errors import ConfigurationError
from registryauth.principals.columns import COLUMNS, CONTROL
from registryauth.stores.expiry import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from registryauth.stores.principal import Principal

FORMATS = ("csv", "toml")


def write_list(principals: Iterable[Principal], form: str, now: float) -> str:
    """*principals* as ``csv`` or ``toml``, each with the one secret that is in use at *now*.

    What a list has no column for is left out: a second secret, checks, consumers, dates of the record itself. Raise
    `ConfigurationError` for a value with a line break or control character, which a list cannot carry.
    """
    rows = [_row(principal, form, now) for principal in principals]
    return _csv(rows) if form == "csv" else _toml(rows)


def _row(principal: Principal, form: str, now: float) -> dict[str, object]:
    slot = principal.slot(now)
    row: dict[str, object] = {name: getattr(principal, name, "") for name in COLUMNS}
    row |= {
        "registry": str(principal.address),
        "secret": slot.secret,
        "expires": moment(slot.expires_at),
        "not_before": moment(slot.not_before),
        "labels": dict(principal.labels),
        "needed": list(principal.needed),
    }
    for name, value in row.items():
        texts = value if isinstance(value, list) else [*value, *value.values()] if isinstance(value, dict) else [value]
        if any(isinstance(text, str) and re.search(CONTROL, text) for text in texts):
            raise ConfigurationError(
                f"{name} of {printable(str(principal.key))} holds a line break or control character, which no list can carry",
                hint="export an encrypted bundle; it carries everything",
            )
    if form == "csv" and any(";" in value or value != value.strip() for _, value in principal.labels):
        raise ConfigurationError(
            f"a label of {printable(str(principal.key))} holds a semicolon or outer spaces, which a CSV list cannot carry",
            hint="export it as TOML, or as an encrypted bundle",
        )
    return row


def _csv(rows: Sequence[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, dict):
        return ";".join(f"{name}={held}" for name, held in value.items())
    return " ".join(value) if isinstance(value, list) else str(value)


def _toml(rows: Iterable[dict[str, object]]) -> str:
    return "\n".join(_table(row) for row in rows)


def _table(row: dict[str, object]) -> str:
    return "\n".join(["[[principal]]", *(f"{name} = {_literal(value)}" for name, value in row.items() if value), ""])


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(name)} = {_literal(held)}" for name, held in value.items()) + "}"
    # JSON's strings, arrays and booleans are TOML's, but for DEL, which is refused before it comes here.
    return json.dumps(value, ensure_ascii=False)
