"""Text from elsewhere is one line, bounded, and drives no terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registryauth._redact import MAX_SHOWN, printable


@given(st.text(), st.integers(1, 50))
@example("\x1b[31mred\x1b[0m", 50)
@example("\u061c\u00ad\U000e0041", 50)
@example("\ud800", 50)
def test_nothing_that_drives_hides_or_reorders_text_is_left(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert shown == " ".join(shown.split())
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("denied: no such user", "denied: no such user"),
        ("Zugriff verweigert für Jürgen, 拒絶", "Zugriff verweigert für Jürgen, 拒絶"),
        ("a\r\nSet-Cookie: b", "a Set-Cookie: b"),
        ("  a \t b  ", "a b"),
        ("\x1b]8;;https://evil.example\x1b\\click\x07", "]8;;https://evil.example \\click"),
        ("\x9b31mred", "31mred"),
        ("abc\u202egpj.exe", "abc gpj.exe"),
        ("zero\u200bwidth", "zero width"),
        ("", ""),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_too_long_says_so_at_its_end() -> None:
    assert printable("a" * MAX_SHOWN) == "a" * MAX_SHOWN
    assert printable("a" * 10_000_000) == "a" * (MAX_SHOWN - 1) + "…"


def test_what_was_cut_away_unseen_says_so_too() -> None:
    assert printable("\0" * 10_000 + "a").endswith("…")
