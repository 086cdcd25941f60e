"""The checklist in docs/conformance.md names tests that there are, and leaves no line open."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "conformance.md").read_text()
_TEST = r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`"
_ITEM = r"^- \[([ x])\] (.+(?:\n  .+)*)"
#: distribution-spec, "Endpoints", main branch.
ENDPOINTS = {
    "end-1", "end-2", "end-3", "end-4a", "end-4b", "end-4c", "end-5", "end-6", "end-7", "end-7b", "end-8a", "end-8b", "end-9", "end-10",
    "end-11", "end-12a", "end-12b", "end-13", "end-14",
}  # fmt: skip


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, in its classes too; none if there is no such file."""
    file = ROOT / path
    tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    places = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    found = (node for place in places for node in place.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def faults(page: str) -> list[str]:
    """What is wrong with a page's checklist."""
    found = []
    for tick, item in re.findall(_ITEM, page, re.MULTILINE):
        named = re.findall(_TEST, item)
        # Names may be written wrongly, too.
        if len(named) != item.count("tests/"):
            found.append(f"a test is not named as tests/…py::test_…: {item}")
        found += [f"no such test: {path}::{name}" for path, name in named if name not in names_in(path)]
        if tick == "x" and (not named or "not done" in item):
            found.append(f"ticked without a test: {item}")
        if tick == " " and not re.search(r" — not done( here)?: \S", item.replace("\n  ", " ")):
            found.append(f"neither ticked nor explained: {item}")
    if len(re.findall(_ITEM, page, re.MULTILINE)) != len(re.findall(r"^\s*[-*+] \[", page, re.MULTILINE)):
        found.append("a line of the checklist is not written as the others")
    return found


def test_every_line_names_a_test_that_there_is_or_says_why_not() -> None:
    assert len(re.findall(_ITEM, PAGE, re.MULTILINE)) > 100
    assert faults(PAGE) == []


def test_every_endpoint_and_both_token_flows_have_their_line() -> None:
    bold = [title for _, item in re.findall(_ITEM, PAGE, re.MULTILINE) for title in re.findall(r"^\*\*(.+?)\*\*", item)]
    assert sorted(bold) == sorted({*ENDPOINTS, "GET realm", "POST realm"})


HERE = "`tests/test_conformance_page.py::test_every_line_names_a_test_that_there_is_or_says_why_not`"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (f"- [x] a line — {HERE}", 0),
        (f"- [x] a line —\n  {HERE},\n  {HERE}", 0),
        ("- [ ] a line — not done: a reason", 0),
        ("- [ ] a line —\n  not done: a reason", 0),
        ("- [x] a line", 1),
        ("- [x] a line — `tests/test_conformance_page.py::test_that_is_not_there`", 1),
        ("- [x] a line — `tests/test_no_such_file.py::test_x`", 1),
        ("- [x] a line — tests/test_conformance_page.py", 2),
        (f"- [x] a line — {HERE}, not done: in part", 1),
        ("- [ ] a line", 1),
        ("- [ ] a line — not done:", 1),
        (f"- [ ] a line — {HERE}", 1),
        (f"  - [x] a line — {HERE}", 1),
        (f"- [X] a line — {HERE}", 1),
    ],
)
def test_what_is_missing_is_noticed(line: str, wrong: int) -> None:
    assert len(faults(line + "\n")) == wrong
