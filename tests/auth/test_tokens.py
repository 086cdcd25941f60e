"""What a token server's answer means: the token, its life, the rights in it; and what is no token."""

from __future__ import annotations

import base64
import json
import traceback
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registryauth._http import Headers
from registryauth.auth.exchange import MAX_TOKEN_BODY, MIN_LIFETIME, Token, expiry_of, read_token
from registryauth.errors import TokenRefused

CANARY = "canary-7f3a"
NOW = 1_800_000_000.0
NOTHING = Headers()


def jwt(claims: Any, signature: str = "c2ln") -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part(claims)}.{signature}"


def read(answer: Any, headers: Headers = NOTHING, now: float = NOW) -> Token:
    return read_token(answer if isinstance(answer, bytes) else json.dumps(answer).encode(), headers, now)


def lifetime(answer: dict[str, Any], headers: Headers = NOTHING) -> float:
    return read({"token": "opaque", **answer}, headers).expires_at - NOW


def date(moment: float) -> Headers:
    return Headers([("Date", formatdate(moment, usegmt=True))])


def test_either_name_of_the_token_will_do() -> None:
    assert read({"token": "t"}).value == "t"
    assert read({"access_token": "a"}).value == "a"
    assert read({"token": "t", "access_token": "a"}).value == "t"
    assert read({"token": "", "access_token": "a"}).value == "a"
    assert read({"token": None, "access_token": "a"}).value == "a"


def test_azures_answer_has_only_an_access_token_and_lives_as_its_claims_say() -> None:
    claims = {"jti": "1", "exp": NOW + 4500, "access": [{"type": "repository", "name": "hello-world", "actions": ["pull"]}]}
    token = read({"access_token": jwt(claims)})
    assert token.expires_at == NOW + 4500
    assert token.granted == (("repository", "hello-world", ("pull",)),)


@pytest.mark.parametrize("filler", ["???>>>", "~~~", "ü>?", "a", "ab", "abc"])
def test_claims_are_read_in_the_url_safe_alphabet_without_padding(filler: str) -> None:
    """azure-containerregistry 1.2.0 reads the other alphabet, and stumbles over - and _."""
    payload = base64.urlsafe_b64encode(json.dumps({"x": filler, "exp": NOW + 1000}, ensure_ascii=False).encode()).rstrip(b"=").decode()
    assert read({"access_token": f"e30.{payload}.c2ln"}).expires_at == NOW + 1000


def test_a_payload_with_both_url_safe_characters_is_among_those() -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"x": "???>>>", "exp": NOW + 1000}, ensure_ascii=False).encode()).decode()
    assert "_" in payload or "-" in payload


def test_expires_in_counts_before_the_claims() -> None:
    assert read({"token": jwt({"exp": NOW + 4500}), "expires_in": 300}).expires_at == NOW + 300


def test_a_token_lives_a_minute_where_nobody_says() -> None:
    assert lifetime({}) == MIN_LIFETIME == 60


@pytest.mark.parametrize("expires_in", [0, 1, 59, -1, -1e9, 0.5, None, "300", True, False, [], {}, 1e300, 10**400])
def test_no_nonsense_makes_a_token_live_less_or_longer_than_a_minute(expires_in: Any) -> None:
    assert lifetime({"expires_in": expires_in}) == 60


def test_infinity_is_no_time() -> None:
    assert read(b'{"token":"t","expires_in":1e999}').expires_at == NOW + 60
    assert read(b'{"token":"t","expires_in":-1e999}').expires_at == NOW + 60


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_json_does_not_have_make_it_no_answer(number: bytes) -> None:
    with pytest.raises(TokenRefused):
        read(b'{"token":"t","expires_in":' + number + b"}")


@pytest.mark.parametrize("exp", [True, "soon", None, NOW - 5, 0, -1, 1e300, NOW * 1000, [NOW + 900]])
def test_no_nonsense_in_the_claims_does_either(exp: Any) -> None:
    assert read({"access_token": jwt({"exp": exp})}).expires_at == NOW + 60


def test_expires_in_with_a_fraction_is_taken_as_it_is() -> None:
    assert lifetime({"expires_in": 90.5}) == 90.5


@pytest.mark.parametrize(
    ("issued_at", "left"),
    [
        ("2027-01-15T08:00:00Z", 300),
        ("2027-01-15T07:59:00Z", 240),
        ("2027-01-15T07:59:00.123456789Z", 240.123456),
        ("2027-01-15T08:59:00+01:00", 240),
        ("2027-01-15T07:59:00", 240),
        ("2027-01-15T07:00:00Z", 60),
        ("2027-01-15T09:00:00Z", 300),
        ("0001-01-01T00:00:00+23:59", 60),
        ("9999-12-31T23:59:59-23:59", 300),
        ("yesterday", 300),
        ("", 300),
        (1_799_999_940, 300),
        (None, 300),
    ],
)
def test_a_token_is_as_old_as_it_says(issued_at: Any, left: float) -> None:
    """NOW is 2027-01-15T08:00:00Z."""
    assert lifetime({"expires_in": 300, "issued_at": issued_at}) == pytest.approx(left)


@pytest.mark.parametrize("skew", [-86_400.0, -90.0, 0.0, 90.0, 86_400.0])
def test_a_wrong_clock_here_does_not_matter_where_the_server_says_its_time(skew: float) -> None:
    theirs = NOW + skew
    issued = {"expires_in": 300, "issued_at": _rfc3339(theirs)}
    assert lifetime(issued, date(theirs)) == 300
    assert read({"access_token": jwt({"exp": theirs + 4500})}, date(theirs)).expires_at == NOW + 4500


def _rfc3339(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@given(
    st.text(max_size=40)
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,5} [A-Z][a-z]{2} [0-9]{1,5} [0-9]{1,3}:[0-9]{2}:[0-9]{2} ([+-][0-9]{4,6}|GMT)", fullmatch=True)
)
@settings(max_examples=50)
def test_no_date_header_raises(value: str) -> None:
    assert lifetime({"expires_in": 300, "issued_at": _rfc3339(NOW)}, Headers([("date", value)])) >= 60


@given(
    st.text(max_size=40)
    | st.datetimes().map(str)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{1,12}([+-][0-9:]{2,8}|Z)", fullmatch=True)
)
@settings(max_examples=50)
def test_no_issued_at_raises(value: str) -> None:
    assert 60 <= lifetime({"expires_in": 300, "issued_at": value}) <= 300


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["exp", "access", "actions", "type", "name", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=50)
def test_no_claims_whatever_raise(claims: Any) -> None:
    assert read({"access_token": jwt(claims)}).expires_at >= NOW + 60


@pytest.mark.parametrize(
    "value", ["a.b.c", "..", "x..y", "e30.e30.e30", "a.!!!.c", "a.b.c.d", "e30.W10.e30", "a." + "W1tb" * 20_000 + ".c"]
)
def test_three_parts_do_not_make_a_jwt(value: str) -> None:
    token = read({"token": value})
    assert (token.value, token.expires_at, token.granted) == (value, NOW + 60, None)


def test_an_opaque_token_does_not_say_what_it_grants_and_an_empty_list_says_nothing() -> None:
    assert read({"token": "opaque"}).granted is None
    assert read({"token": jwt({"access": None})}).granted is None
    assert read({"token": jwt({"access": []})}).granted == ()
    odd = jwt({"access": [7, {"actions": "pull"}, {"type": "repository", "name": "a", "actions": ["pull", 1]}]})
    assert read({"token": odd}).granted == (("repository", "a", ("pull", "1")),)


@pytest.mark.parametrize(
    "value",
    [
        f"{CANARY} x",
        f"{CANARY}\n",
        f"\r\n{CANARY}",
        f"{CANARY}\x00",
        f"{CANARY}é",
        f"{CANARY}\u202e",
        f"{CANARY}\x7f",
        " ",
        "",
        None,
        7,
        True,
        [CANARY],
        {"a": CANARY},
    ],
)
def test_what_cannot_stand_in_a_header_is_no_token_and_is_not_shown(value: Any) -> None:
    with pytest.raises(TokenRefused, match="without a token") as caught:
        read({"token": value})
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"canary-7f3a"',
        b"7",
        b"<html>canary-7f3a</html>",
        b'{"token":"canary-7f3a"',
        b'{"token":"canary-7f3a"} trailing',
        b'\xef\xbb\xbf{"token":"canary-7f3a"}',
        b'\xff\xfe{"token":"canary-7f3a"}',
        b'{"token":"canary-7f3a\xff"}',
        b'{"expires_in":300}',
        b"{}",
        b"[" * 50_000,
        b'{"token":' * 20_000,
        b'{"token":"canary-7f3a","expires_in":' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_answer_is_refused_and_not_shown(body: bytes) -> None:
    with pytest.raises(TokenRefused) as caught:
        read(body)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_an_answer_of_the_greatest_size_is_read_and_a_larger_one_refused() -> None:
    padding = MAX_TOKEN_BODY - len(b'{"token":"t","pad":""}')
    assert read(b'{"token":"t","pad":"' + b"x" * padding + b'"}').value == "t"
    with pytest.raises(TokenRefused, match="larger"):
        read(b'{"token":"t","pad":"' + b"x" * (padding + 1) + b'"}')


def test_a_token_is_in_no_repr() -> None:
    token = read({"token": CANARY, "refresh_token": CANARY})
    assert CANARY not in repr(token)
    assert CANARY not in str(token)
    assert CANARY not in f"{[token]}"


def test_whose_word_the_rights_are_is_told() -> None:
    access = [{"type": "repository", "name": "a", "actions": ["pull"]}]
    rows = (("repository", "a", ("pull",)),)
    own = read({"token": jwt({"access": access}), "scope": "repository:a:push"})
    assert (own.granted, own.witness) == (rows, "the token says")
    beside = read({"token": "opaque", "access": access})
    assert (beside.granted, beside.witness) == (rows, "the token server says")
    assert read({"token": "opaque", "access": []}).granted == ()
    assert read({"token": "opaque"}).witness == ""


def test_the_scope_beside_an_opaque_token_is_what_it_grants() -> None:
    """oauth.md: "scope (REQUIRED): The scope granted inside the access token."."""
    token = read({"access_token": "opaque", "scope": "repository:a/b:pull,push registry:catalog:*"})
    assert token.granted == (("repository", "a/b", ("pull", "push")), ("registry", "catalog", ("*",)))
    for nothing in ("", " ", "aws", None, 7, ["repository:a:pull"]):
        assert read({"token": "opaque", "scope": nothing}).granted is None


@pytest.mark.parametrize(
    ("claims", "expires_at"),
    [
        ({"exp": 1_900_000_000}, 1_900_000_000),
        ({"exp": 253_402_300_799}, 253_402_300_799),
        ({"exp": 253_402_300_800}, 0),
        ({"exp": -1}, 0),
        ({"exp": "1900000000"}, 0),
        ({}, 0),
        ([], 0),
    ],
)
def test_when_a_secret_says_that_it_dies(claims: Any, expires_at: int) -> None:
    assert expiry_of(jwt(claims)) == expires_at
    assert expiry_of(jwt(claims).rpartition(".")[0]) == 0, "two parts are no JWT"
