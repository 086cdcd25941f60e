"""One link of a chain, looked at: what was seen, and what to do about it."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    #: ``warning``: it works, and will not for long or not for everybody. ``skipped``: not looked at, because of an earlier link.
    Outcome = Literal["ok", "warning", "broken", "skipped"]

#: Exit status of a diagnosis that found something (DESIGN §4.11: the question was answered "no").
FOUND_SOMETHING = 7


class Look(Value, hidden=("learnt",)):
    """What one step saw. *facts* are for programs; *learnt* is what the steps after it need, by the names of `Walk`'s fields."""

    outcome: Outcome
    detail: str
    hint: str = ""
    facts: Mapping[str, Any] = {}
    learnt: Mapping[str, Any] = {}


def fine(detail: str, facts: Mapping[str, Any] | None = None, **learnt: object) -> Look:
    """All is well."""
    return Look("ok", detail, "", facts or {}, learnt)


def odd(detail: str, hint: str, facts: Mapping[str, Any] | None = None, **learnt: object) -> Look:
    """It works, and *detail* is worth a person's attention."""
    return Look("warning", detail, hint, facts or {}, learnt)


def broken(detail: str, hint: str = "", facts: Mapping[str, Any] | None = None) -> Look:
    """It does not work, and nothing after it can."""
    return Look("broken", detail, hint, facts or {})


def failed(error: Error, more: str = "") -> Look:
    """The look that *error* amounts to: its first line, for the others may repeat what was typed; *more* is said after it."""
    hint = error.hint.partition("sources asked for a credential:")[0].strip()
    return broken(error.message.partition("\n")[0] + (f"; {more}" if more else ""), hint, {"error": type(error).__name__})


class Step(Value):
    """A named step and what came of it, *seconds* that it took."""

    name: str
    outcome: Outcome
    detail: str
    hint: str = ""
    seconds: float = 0.0
    facts: Mapping[str, Any] = {}

    def plain(self) -> dict[str, Any]:
        """For JSON: ``step outcome detail hint milliseconds facts``."""
        return {
            "step": self.name,
            "outcome": self.outcome,
            "detail": self.detail,
            "hint": self.hint or None,
            "milliseconds": round(self.seconds * 1000, 1),
            "facts": dict(self.facts),
        }


class Diagnosis(Value):
    """What came of every step; *subject* is what was asked about, empty for the installation."""

    subject: str
    steps: tuple[Step, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of its steps', those that were skipped aside."""
        outcomes = {step.outcome for step in self.steps}
        return "broken" if "broken" in outcomes else "warning" if "warning" in outcomes else "ok"

    @property
    def broken(self) -> Step | None:
        """The first step that is broken."""
        return next((step for step in self.steps if step.outcome == "broken"), None)

    @property
    def exit_code(self) -> int:
        """0 if all is well, 7 if something was found."""
        return 0 if self.outcome == "ok" else FOUND_SOMETHING

    def plain(self) -> dict[str, Any]:
        """For JSON, under a version."""
        first = self.broken
        return {
            "version": 1,
            "subject": self.subject or None,
            "outcome": self.outcome,
            "broken": first.name if first else None,
            "steps": [step.plain() for step in self.steps],
        }
