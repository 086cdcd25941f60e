"""The table in docs/azure.md is the one that the tests beside this one hold the command line to."""

from __future__ import annotations

import re
from pathlib import Path

from .table import FAILURES

PAGE = (Path(__file__).parents[3] / "docs" / "azure.md").read_text()
HEAD = ("Azure says", "which means", "`registryauth` says", "and advises", "commands (exit status)")


def rendered() -> str:
    """The table as it stands in the page, a section for each kind of failure."""
    parts = []
    for title, failures in FAILURES.items():
        rows = [HEAD, ("---",) * len(HEAD)]
        for failure in failures:
            first = (failure.azure, failure.means)
            for answer in failure.answers:
                rows.append((*first, answer.said, answer.hint, _commands(answer)))
                first = ("", "")
        parts.append(f"### {title}\n\n" + "\n".join(_row(row) for row in rows) + "\n")
    return "\n".join(parts)


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _commands(answer):
    others = [f"`{command}`" for command in answer.commands if command != "doctor"]
    said = [f"{', '.join(others)} ({answer.status})"] if others else []
    return "; ".join([*said, *(["`doctor` (7)"] if "doctor" in answer.commands else [])])


def test_the_page_shows_every_failure_and_what_is_answered():
    section = PAGE.split("\n## When it fails\n")[1].split("\n## ")[0]
    shown = section[section.index("### ") :]
    assert shown.strip() == rendered().strip(), "write what rendered() gives"


def test_no_cell_breaks_its_table():
    cells = [cell for failures in FAILURES.values() for failure in failures for cell in (failure.azure, failure.means)]
    cells += [cell for failures in FAILURES.values() for failure in failures for each in failure.answers for cell in (each.said, each.hint)]
    assert not [cell for cell in cells if re.search(r"[|\n<>]", re.sub(r"`[^`]*`", "", cell))]


def test_the_page_says_that_nothing_was_run_against_azure_itself():
    assert "Nothing on this page was run against real Azure" in PAGE.split("\n## ")[0]
    assert "\n## What was never verified\n" in PAGE
