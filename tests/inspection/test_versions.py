from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.inspection.versions import MAX_RULE, Version, Versions, numbers_of


@pytest.mark.parametrize(
    ("rule", "met", "unmet", "open_"),
    [
        # How the how-to writes its requirements.
        ("4.5.#+", ["4.5.0", "4.5.12", "4.6.1", "22.9.0", "4.10.3", "4.5"], ["4.4.99", "3.9.9"], ["4"]),
        ("3.5.# or 3.6.#", ["3.5.2", "3.6.8", "3.5", "3.6"], ["3.7.1", "2.7.18", "3.61.0", "3.4.9"], ["3"]),
        ("16.04+", ["16.04", "16.10", "18.04", "20.04.6"], ["14.04", "15.10"], ["16"]),
        ("3.6+", ["3.6", "3.6.0", "3.10.4", "4.0"], ["3.5.9", "2.7"], ["3"]),
        ("3.7+", ["3.7.0"], ["3.6.15"], [""]),
        ("#", ["1", "3.6.8", ""], [], []),
        ("3.6.5", ["3.6.5", "3.6.5.1"], ["3.6.4", "3.6.8"], ["3.6"]),
        ("3.6.5+", ["3.6.5", "3.6.8", "3.7"], ["3.6.4"], ["3.6"]),
        # All of 3.6 is 3.6.0 or later.
        ("3.6.0+", ["3.6"], ["3.5"], [""]),
        ("3.6.0", [], [], ["3.6"]),
        ("3.6+", ["3.7.0rc1"], ["3.5.0rc1"], ["a version that it does not show"]),
    ],
)
def test_a_rule_admits_what_requirement_lists_mean_by_it(rule, met, unmet, open_):
    versions = Versions.parse(rule)
    for text, verdict in [*((text, True) for text in met), *((text, False) for text in unmet), *((text, None) for text in open_)]:
        assert versions.admits(numbers_of(text)) is verdict, text


@pytest.mark.parametrize(
    "text",
    [
        "٣.6",
        "3.6\n",
        "1234567890",
        "3.6 or " * 40,
        "",
        " 3.6",
        "3.6 ",
        "3.",
        ".6",
        "3..6",
        "3.#.6",
        "#.#",
        "#+",
        "3.6.*",
        ">=3.6",
        "3.6++",
        "v3.6",
        "3.6or3.7",
        "3.6 or",
        "or",
        "3,6",
    ],
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(ValueError, match=f"such as 3.6|at most {MAX_RULE}"):
        Versions.parse(text)


numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(tuple)
rules = st.tuples(numbers, st.booleans(), st.booleans())


def written(rule):
    wanted, tail, above = rule
    return ".".join(map(str, wanted)) + (".#" if tail else "") + ("+" if above else "")


def meant(rule, whole):
    """The same by another road: what a whole version, four numbers long, is to the rule."""
    wanted, _, above = rule
    return whole[: len(wanted)] == wanted or (above and whole >= wanted + (0,) * (4 - len(wanted)))


@given(st.lists(rules, min_size=1, max_size=3), st.lists(st.integers(0, 12), min_size=4, max_size=4).map(tuple))
def test_a_whole_version_is_compared_number_by_number(alternatives, whole):
    versions = Versions.parse(" or ".join(map(written, alternatives)))
    assert versions.admits(whole) is any(meant(rule, whole) for rule in alternatives)


@given(rules, numbers, st.lists(st.integers(0, 12), min_size=4, max_size=4))
def test_a_short_version_gets_a_verdict_only_if_every_longer_one_gets_the_same(rule, short, tail):
    verdict = Version.parse(written(rule)).admits(short)
    if verdict is not None:
        assert meant(rule, (*short, *tail)[:4]) is verdict


@given(st.lists(rules, min_size=1, max_size=4))
def test_what_is_read_is_written_the_same(alternatives):
    text = " or ".join(map(written, alternatives))
    assert str(Versions.parse(text)) == text


GRAMMAR = r"(?:#|[0-9]{1,9}(?:\.[0-9]{1,9})*(?:\.#)?\+?)"


@given(st.text(max_size=40) | st.text("013.#+ ", max_size=12) | st.lists(st.sampled_from([*"3.#+ ", " or ", "10"])).map("".join))
def test_a_text_is_read_if_and_only_if_it_is_of_the_documented_grammar(text):
    try:
        Versions.parse(text)
    except ValueError:
        assert len(text) > MAX_RULE or not re.fullmatch(f"{GRAMMAR}(?: +or +{GRAMMAR})*", text)
    else:
        assert re.fullmatch(f"{GRAMMAR}(?: +or +{GRAMMAR})*", text)
