"""Errors: one tree, drawn at the head of its file, each with an exit code and a hint."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registryauth import errors
from registryauth.errors import Conflict, CredentialNotFound, Error, InvalidReference, RegistryError, StoreError, TooManyRequests

CLASSES = {name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, Error) and not name.startswith("_")}


def drawn() -> dict[str, str]:
    """Each class in the docstring's drawing, with the one that it hangs from."""
    parents = {"Error": "Exception"}
    stack = ["Error"]
    for line in errors.__doc__.splitlines():
        branch = re.match(r"([│ ]*)[├└]── (.*)", line)
        if not branch:
            continue
        depth = len(branch[1]) // 4 + 1
        names, _, children = re.split(r"\s{3,}", branch[2])[0].partition(" ── ")
        listed = re.findall(r"[A-Z][A-Za-z]+", re.sub(r"\([^)]*\)", "", names))
        for name in listed:
            parents[name] = stack[depth - 1]
        stack[depth:] = [listed[-1]]
        for child in re.findall(r"[A-Z][A-Za-z]+", re.sub(r"\([^)]*\)", "", children)):
            parents[child] = listed[-1]
    return parents


def test_the_drawing_in_the_docstring_is_the_tree() -> None:
    bases = {name: next(base.__name__ for base in cls.__mro__[1:] if not base.__name__.startswith("_")) for name, cls in CLASSES.items()}
    assert drawn() == bases


def test_malformed_text_is_a_value_error_too() -> None:
    assert {name for name, cls in CLASSES.items() if issubclass(cls, ValueError)} == {"InvalidReference", "InvalidDigest"}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (2, {"InvalidReference", "InvalidDigest", "ConfigurationError", "AmbiguousCredential"}),
        (3, {"CredentialNotFound", "NotFound"}),
        (4, {"AuthError", "InvalidChallenge", "UnsupportedScheme", "RealmRefused", "TokenRefused", "Unauthorized", "Denied"}),
        (5, {"StoreError", "StoreLocked", "StoreUnavailable", "StoreCorrupt", "Conflict"}),
        (6, {"TransportError"}),
        (7, {"CredentialExpired", "RequirementsNotMet"}),
    ],
)
def test_exit_codes(code: int, names: set[str]) -> None:
    assert {name for name, cls in CLASSES.items() if cls.exit_code == code} == names


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES.keys())
def test_every_error_carries_a_message_and_a_hint_through_copy_and_pickle(cls: type[Error]) -> None:
    error = cls("it broke", hint="mend it")
    for again in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is cls
        assert (str(again), again.message, again.hint) == ("it broke", "it broke", "mend it")


def test_what_an_error_knows_besides() -> None:
    assert TooManyRequests("slow down", retry_after=3.5).status == 429
    assert CredentialNotFound("none", trace=("store: absent",)).trace == ("store: absent",)
    assert RegistryError("no", status=500, diagnostics=("UNKNOWN",)).diagnostics == ("UNKNOWN",)
    assert isinstance(Conflict("changed"), StoreError)


@pytest.mark.parametrize(
    ("text", "span", "lines"),
    [
        ("abcdef", (2, 4), ["    abcdef", "      ~^"]),
        ("abcdef", (0, 1), ["    abcdef", "    ^"]),
        ("abcdef", (6, 6), ["    abcdef", "          ^"]),
        ("abcdef", (5, 6), ["    abcdef", "         ^"]),
        ("a\x1bb\u202e", (1, 2), ["    a?b?", "     ^"]),
    ],
)
def test_an_error_underlines_the_place(text: str, span: tuple[int, int], lines: list[str]) -> None:
    assert InvalidReference("wrong", text=text, span=span).message.split("\n") == ["wrong", *lines]


def test_without_a_span_nothing_is_shown() -> None:
    assert InvalidReference("wrong", text="c4n4ry").message == "wrong"


@given(st.text(max_size=400), st.data())
@example("\x1b[2J\x9b\u202e" * 50, None)
def test_the_underline_is_bounded_and_prints_nothing_but_ascii(text: str, data: st.DataObject | None) -> None:
    start = data.draw(st.integers(0, len(text))) if data else 3
    end = data.draw(st.integers(start, len(text))) if data else len(text)
    message = InvalidReference("wrong", text=text, span=(start, end)).message
    assert re.fullmatch(r"wrong\n {4}[ -~]{0,200}\n {4} {0,60}~{0,99}\^", message)


def test_the_underline_of_a_megabyte_is_a_window_around_the_fault() -> None:
    message = InvalidReference("wrong", text="a" * 500_000 + "!" + "b" * 500_000, span=(500_000, 500_001)).message
    _, shown, marks = message.split("\n")
    assert shown[marks.index("^")] == "!"
    assert len(message) < 300


def test_the_underline_of_a_megabyte_long_fault_is_bounded() -> None:
    assert len(InvalidReference("wrong", text="a" * 1_000_000, span=(0, 1_000_000)).message) < 400
