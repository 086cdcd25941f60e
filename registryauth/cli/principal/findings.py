"""What `principal verify` found: kept, shown, and summed up in an exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from registryauth._redact import printable
from registryauth.cli.console import moment, say, show
from registryauth.cli.options import Output
from registryauth.config import Config
from registryauth.errors import StoreError
from registryauth.principals import Finding, keep
from registryauth.stores import Store
from registryauth.stores.expiry import outlook, state, warning, warning_span
from registryauth.stores.principal import Key

#: Which of several exit statuses is told: a secret refused before anything, no answer only where nothing else is wrong.
_BY_WEIGHT = (4, 5, 1, 2, 3, 7, 6)
_UNEASY = ("expiring", "expired")
#: Verdicts that a summary passes over.
_QUIET = ("ok", "accepted", "unverified")
_COLUMNS = ("WHERE", "ACCOUNT", "CAN", "VERDICT")


class Ledger:
    """Takes findings as they come; *store* None keeps none of them."""

    def __init__(self, config: Config, store: Store | None) -> None:
        self._store = store
        self._within = warning_span(config)
        self._findings: list[Finding] = []
        self._kept: list[bool] = []

    def enter(self, findings: Sequence[Finding]) -> None:
        """Add the findings about one principal and keep them in its record; say so where that cannot be done."""
        kept = False
        try:
            kept = self._store is not None and keep(self._store, findings)
        except StoreError as error:
            say(f"warning: what was found of {printable(str(findings[0].principal.key))} is not kept: {error}")
        self._findings += findings
        self._kept += [kept] * len(findings)

    @property
    def exit_code(self) -> int:
        """The weightiest status of all findings; 7 also where a secret expires within the warning span."""
        codes = {found.exit_code for found in self._findings}
        if any(self._dates(found) in _UNEASY for found in self._findings):
            codes.add(7)
        return next((code for code in _BY_WEIGHT if code in codes), 0)

    def show(self, output: Output, *, summary: bool) -> None:
        """Print every finding: one alone line by line, several as a table with what there is to do on stderr."""
        data = {"version": 1, "principals": [self._plain(*found) for found in zip(self._findings, self._kept, strict=True)]}
        alone = not summary and len(self._findings) == 1
        if output is not Output.TABLE or alone:
            show(output, data, ("WHAT", "VALUE"), self._lines(self._findings[0]) if output is Output.TABLE else ())
        else:
            show(output, data, _COLUMNS, [_row(found) for found in self._findings])
        for text in () if alone else dict.fromkeys(line for found in self._findings for line in self._said(found)):
            say(text)
        if summary:
            say(self._summary())
        for hint in dict.fromkeys(found.hint for found in self._findings if found.hint):
            say(f"hint: {hint}")

    def _said(self, found: Finding) -> list[str]:
        """What a table has no room for."""
        now, principal = found.checked_at, found.principal
        account = printable(principal.account, 80)
        late = warning(account, principal.address, principal.slot(now).expires_at, now, self._within)
        said = [f"warning: {late}"] if late else []
        if found.verdict not in _QUIET or found.notes:
            said.append(f"{_where(found)}, {account}: {'; '.join((found.detail, *found.notes))}")
        return said

    def _summary(self) -> str:
        # A principal that was looked at in several repositories counts once, by the worst that was found of it.
        worst: dict[Key, Finding] = {}
        for found in self._findings:
            worst[found.principal.key] = max(worst.get(found.principal.key, found), found, key=_weight)
        verdicts = Counter(found.verdict for found in worst.values())
        dates = Counter(self._dates(found) for found in worst.values())
        said = [f"{count} {verdict}" for verdict, count in verdicts.items()]
        said += [f"{dates[name]} {name}" for name in _UNEASY if dates[name]]
        return f"{len(worst)} principal{'' if len(worst) == 1 else 's'} looked at{': ' if said else ''}{', '.join(said)}."

    def _lines(self, found: Finding) -> list[tuple[str, str]]:
        yes = {True: "yes", False: "no", None: "not known"}[found.accepted]
        rights = found.rights
        return [
            ("principal", str(found.principal.key)),
            ("repository", found.repository),
            ("accepted", yes),
            ("granted", ", ".join(rights.granted)),
            ("refused", ", ".join(rights.refused)),
            ("unknown", ", ".join(rights.unknown)),
            ("needed", ", ".join(found.needed)),
            ("verdict", f"{found.verdict}: {found.detail}"),
            ("evidence", rights.evidence),
            ("secret", self._remark(found)),
            *(("note", note) for note in found.notes),
            ("checked at", moment(found.checked_at)),
        ]

    def _plain(self, found: Finding, kept: bool) -> dict[str, Any]:
        now, principal, rights = found.checked_at, found.principal, found.rights
        slot = principal.slot(now)
        return {
            "address": str(principal.address),
            "account": principal.account,
            "repository": found.repository or None,
            "accepted": found.accepted,
            "granted": list(rights.granted),
            "refused": list(rights.refused),
            "unknown": list(rights.unknown),
            "needed": list(found.needed),
            "verdict": found.verdict,
            "detail": found.detail,
            "hint": found.hint,
            "evidence": rights.evidence or None,
            "notes": list(found.notes),
            "expires_at": moment(slot.expires_at) or None,
            "dates": self._dates(found),
            "checked_at": moment(now),
            "kept": kept,
        }

    def _dates(self, found: Finding) -> str:
        return state(found.principal.slot(found.checked_at), found.checked_at, self._within)

    def _remark(self, found: Finding) -> str:
        expires_at = found.principal.slot(found.checked_at).expires_at
        return outlook(expires_at, found.checked_at) if expires_at else ""


def _weight(found: Finding) -> tuple[int, int]:
    """How bad *found* is, to be compared: by its exit status, and among what is well by how much is known."""
    status = -_BY_WEIGHT.index(found.exit_code) if found.exit_code in _BY_WEIGHT else -len(_BY_WEIGHT)
    return status, _QUIET.index(found.verdict) if found.verdict in _QUIET else len(_QUIET)


def _where(found: Finding) -> str:
    return f"{found.principal.address.registry}/{found.repository}" if found.repository else str(found.principal.address)


def _row(found: Finding) -> tuple[str, ...]:
    # Where there is little room, to read lists and metadata is not worth a word.
    can = (action for action in found.rights.granted if action not in ("metadata_read", "catalog"))
    return _where(found), found.principal.account, ",".join(can), found.verdict
