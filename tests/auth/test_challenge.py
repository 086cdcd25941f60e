"""What ``WWW-Authenticate`` means, in every form that the grammar allows and some that registries use all the same."""

from __future__ import annotations

import re
import string
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._grammar import TOKEN
from registryauth.auth.challenge import MAX_CHALLENGE, Challenge, choose, parse
from registryauth.errors import InvalidChallenge, UnsupportedScheme

_TCHAR = "!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters
_TOKEN68 = "-._~+/" + string.digits + string.ascii_letters
#: RFC 9110 §5.6.4: qdtext and quoted-pair together can say any visible character, space, tab and obs-text.
_SAYABLE = st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f", blacklist_categories=("Cc",)) | st.just("\t")

_tokens = st.text(_TCHAR, min_size=1, max_size=12)
_names = _tokens.map(str.lower)
_params = st.dictionaries(_names, st.text(_SAYABLE, max_size=30), min_size=1, max_size=5)
_ows = st.sampled_from(["", " ", "\t", " \t "])
_commas = st.sampled_from([",", ", ", " ,", "\t,\t", ",,", ", ,", " , , "])


def _quoted(draw: Any, value: str) -> str:
    """*value* as a quoted-string; what need not be escaped may be."""
    escaped = "".join(f"\\{c}" if c in '"\\' or draw(st.integers(0, 9)) == 0 else c for c in value)
    return f'"{escaped}"'


def _printed_value(draw: Any, value: str) -> str:
    bare = re.fullmatch(TOKEN, value) and draw(st.booleans())
    return value if bare else _quoted(draw, value)


def _cased(draw: Any, name: str) -> str:
    return draw(st.sampled_from([name, name.upper(), name.capitalize()]))


@st.composite
def _headers(draw: Any) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Header lines, and the challenges that they say: scheme and parameters, none for a token68."""
    said: list[tuple[str, dict[str, str]]] = []
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        printed = []
        for _ in range(draw(st.integers(1, 3))):
            scheme = draw(_names)
            params = draw(_params) if draw(st.integers(0, 3)) else {}
            text = _cased(draw, scheme)
            if params:
                pairs = [f"{_cased(draw, n)}{draw(_ows)}={draw(_ows)}{_printed_value(draw, v)}" for n, v in params.items()]
                text += draw(st.sampled_from([" ", "  "])) + draw(_commas).join(pairs)
            elif draw(st.booleans()):
                text += " " + draw(st.text(_TOKEN68, min_size=1, max_size=20)) + draw(st.sampled_from(["", "=", "=="]))
            said.append((scheme, params))
            printed.append(text)
        lines.append(draw(st.sampled_from(["", ",", " , "])) + draw(_commas).join(printed) + draw(st.sampled_from(["", " ", ",", " ,"])))
    return lines, said


@given(_headers())
def test_whatever_the_grammar_can_say_is_read_back(header: tuple[list[str], list[tuple[str, dict[str, str]]]]) -> None:
    lines, said = header
    assert parse(lines) == [Challenge(scheme, tuple(sorted(params.items()))) for scheme, params in said]


@given(st.lists(st.text(max_size=200), max_size=4))
def test_no_header_whatever_raises_anything_foreign(lines: list[str]) -> None:
    with suppress(InvalidChallenge):
        assert isinstance(parse(lines), list)


@given(st.text('a ",\\=\t;é', max_size=300))
def test_no_mixture_of_delimiters_raises_anything_foreign(line: str) -> None:
    with suppress(InvalidChallenge):
        assert isinstance(parse([line]), list)


VECTORS = {
    "azure, the API itself": (
        'Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io"',
        {"realm": "https://r.azurecr.io/oauth2/token", "service": "r.azurecr.io"},
    ),
    "azure, the catalog": (
        'Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="registry:catalog:*"',
        {"realm": "https://r.azurecr.io/oauth2/token", "service": "r.azurecr.io", "scope": "registry:catalog:*"},
    ),
    "azure, a token for something else": (
        'Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="repository:a/b:metadata_read",error="invalid_token"',
        {
            "realm": "https://r.azurecr.io/oauth2/token",
            "service": "r.azurecr.io",
            "scope": "repository:a/b:metadata_read",
            "error": "invalid_token",
        },
    ),
    "azure, helm of old": (
        'Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="artifact-repository:repo:pull"',
        {"realm": "https://r.azurecr.io/oauth2/token", "service": "r.azurecr.io", "scope": "artifact-repository:repo:pull"},
    ),
    "Docker Hub": (
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull"',
        {"realm": "https://auth.docker.io/token", "service": "registry.docker.io", "scope": "repository:library/x:pull"},
    ),
    "distribution, a push": (
        'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push",error="insufficient_scope"',
        {"realm": "https://auth.example/token", "service": "reg", "scope": "repository:a/b:pull,push", "error": "insufficient_scope"},
    ),
    "GHCR": (
        'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:o/r:pull"',
        {"realm": "https://ghcr.io/token", "service": "ghcr.io", "scope": "repository:o/r:pull"},
    ),
    "GCR, unquoted": (
        "Bearer realm=https://gcr.io/v2/token,service=gcr.io",
        {"realm": "https://gcr.io/v2/token", "service": "gcr.io"},
    ),
    "Artifact Registry, no service": ('Bearer realm="https://us-docker.pkg.dev/v2/token"', {"realm": "https://us-docker.pkg.dev/v2/token"}),
    "public ECR, an opaque scope": (
        'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
        {"realm": "https://public.ecr.aws/token/", "service": "public.ecr.aws", "scope": "aws"},
    ),
    "NVIDIA, = and a comma in the realm, no service": (
        'Bearer realm="https://nvcr.io/proxy_auth?scope=repository:nvidia/cuda:pull,push"',
        {"realm": "https://nvcr.io/proxy_auth?scope=repository:nvidia/cuda:pull,push"},
    ),
    "lower-case scheme, upper-case names": (
        'bearer Realm="https://a.example/t", SERVICE="s"',
        {"realm": "https://a.example/t", "service": "s"},
    ),
    "several scopes": (
        'Bearer realm="https://a.example/t",scope="repository:a:pull repository:b:pull,push"',
        {"realm": "https://a.example/t", "scope": "repository:a:pull repository:b:pull,push"},
    ),
    "an escaped quote": (
        r'Bearer realm="https://a.example/t",service="say \"hi\", \\o/"',
        {"realm": "https://a.example/t", "service": 'say "hi", \\o/'},
    ),
    "an empty value": ('Bearer realm="https://a.example/t",service=""', {"realm": "https://a.example/t", "service": ""}),
    "an empty value, unquoted": ('Bearer realm="https://a.example/t",service=', {"realm": "https://a.example/t", "service": ""}),
    "space around everything": ('Bearer  realm = "https://a.example/t" , service = s ', {"realm": "https://a.example/t", "service": "s"}),
    "empty list elements": ('Bearer ,, realm="https://a.example/t",, ,service=s,', {"realm": "https://a.example/t", "service": "s"}),
}


@pytest.mark.parametrize(("line", "params"), VECTORS.values(), ids=VECTORS.keys())
def test_what_real_registries_send(line: str, params: dict[str, str]) -> None:
    [challenge] = parse([line])
    assert challenge.scheme == "bearer"
    assert dict(challenge.params) == params


def test_quays_two_challenges_on_one_line_are_two() -> None:
    challenges = parse(['Basic realm="Quay", Bearer realm="https://quay.io/v2/auth",service="quay.io"'])
    assert [challenge.scheme for challenge in challenges] == ["basic", "bearer"]
    assert choose(challenges).param("realm") == "https://quay.io/v2/auth"


def test_schemes_without_parameters_and_with_a_token68_stand_beside_the_one_we_speak() -> None:
    challenges = parse(['Negotiate, NTLM TlRMTVNTUAACAAAA==, Bearer realm="https://a.example/t"', "Basic"])
    assert [(c.scheme, c.param("realm")) for c in challenges] == [
        ("negotiate", ""),
        ("ntlm", ""),
        ("bearer", "https://a.example/t"),
        ("basic", ""),
    ]


def test_the_first_of_a_repeated_parameter_counts() -> None:
    [challenge] = parse(['Bearer realm="https://good.example/t",realm="https://evil.example/t",REALM="https://worse.example/t"'])
    assert challenge.param("realm") == "https://good.example/t"


@pytest.mark.parametrize(
    "line",
    [
        'Bearer realm="https://a.example/t',
        'Bearer realm="https://a.example/t\\"',
        'realm="https://a.example/t"',
        '"Bearer" realm=x',
        'Bearer realm="a"b"',
        'Bearer realm=x;service=y="z"q',
        "=",
        '"',
        "\x00",
        "Bearer\x0brealm=x",
    ],
)
def test_what_is_not_the_grammar_is_refused_with_the_place(line: str) -> None:
    with pytest.raises(InvalidChallenge, match=r"cannot be read from character [0-9]+ on"):
        parse([line])


def test_what_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(InvalidChallenge) as caught:
        parse(['Bearer realm="\x1b[2J unterminated'])
    assert "\x1b" not in str(caught.value)


def test_a_header_of_the_greatest_length_is_read_and_a_longer_one_refused() -> None:
    line = 'Bearer realm="https://a.example/' + "x" * (MAX_CHALLENGE - 33) + '"'
    assert len(line) == MAX_CHALLENGE
    assert parse([line])[0].scheme == "bearer"
    with pytest.raises(InvalidChallenge, match="longer than"):
        parse([line + " "])


def test_the_length_of_all_lines_together_counts() -> None:
    with pytest.raises(InvalidChallenge, match="longer than"):
        parse(["Basic"] * (MAX_CHALLENGE // 5 + 1))


@pytest.mark.parametrize(
    "piece",
    ['a=",', 'a="\\', "a=,", "a ", " ", ",", "a", "=", '"', "a=a ", 'a="a"', "\t,", "a a=", "a=a,", "~=", "a/=", 'a="a\\"a",'],
)
@pytest.mark.timeout(20)
def test_hostile_repetition_ends(piece: str) -> None:
    """An exponential reader would not come back, a quadratic one hardly: 16 KiB of each is answered one way or the other."""
    line = ("x " + piece * MAX_CHALLENGE)[:MAX_CHALLENGE]
    with suppress(InvalidChallenge):
        assert parse([line])[0].scheme == "x"


def test_bearer_is_answered_before_basic_wherever_it_stands() -> None:
    assert choose([Challenge("basic"), Challenge("bearer", (("realm", "https://a.example/t"),))]).scheme == "bearer"


def test_a_bearer_challenge_without_a_realm_cannot_be_answered() -> None:
    assert choose([Challenge("bearer"), Challenge("basic")]).scheme == "basic"
    with pytest.raises(UnsupportedScheme, match="bearer"):
        choose([Challenge("bearer")])


def test_schemes_that_we_do_not_speak_are_named() -> None:
    with pytest.raises(UnsupportedScheme, match="negotiate, ntlm") as caught:
        choose(parse(["NTLM, Negotiate"]))
    assert caught.value.hint


def test_no_challenge_at_all_is_said_so() -> None:
    with pytest.raises(UnsupportedScheme, match="nothing"):
        choose([])
