"""What a registry's refusal means, said in words that a terminal can bear."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._http import Headers
from registryauth.client.responses import refusal
from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import (
    Denied,
    Error,
    NotFound,
    RegistryError,
    TokenRefused,
    TooManyRequests,
    TransportError,
    Unauthorized,
    Unsupported,
)
from registryauth.testing import RegistrySimulator, faults

from .clients import CANARY, Answer, anonymous, app

MANIFESTS = "/manifests/"


def errors(code: str, message: object = "words") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def raised(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Error:
    answer: Answer = status, headers or {}, body
    repository, _ = anonymous(lambda _: answer)
    with pytest.raises(Error) as caught:
        repository.manifest("v1")
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [
        (400, RegistryError, 1),
        (401, Unauthorized, 4),
        (403, Denied, 4),
        (404, NotFound, 3),
        (405, Unsupported, 1),
        (418, RegistryError, 1),
        (429, TooManyRequests, 1),
        (500, RegistryError, 1),
        (502, RegistryError, 1),
        (503, RegistryError, 1),
    ],
)
def test_the_status_says_what_it_is(status: int, kind: type[RegistryError], exit_code: int) -> None:
    error = raised(status)
    assert type(error) is kind
    assert isinstance(error, RegistryError)
    assert (error.status, error.exit_code) == (status, exit_code)
    assert "r.example/team/app:v1" in error.message


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "MANIFEST_UNKNOWN", NotFound),
        (400, "NAME_UNKNOWN", NotFound),
        (404, "BLOB_UNKNOWN", NotFound),
        (400, "TOOMANYREQUESTS", TooManyRequests),
        (400, "UNSUPPORTED", Unsupported),
        (404, "SOMETHING_ELSE", NotFound),
        (401, "NAME_UNKNOWN", Unauthorized),
        (403, "TOOMANYREQUESTS", Denied),
        (500, "NAME_UNKNOWN", RegistryError),
    ],
)
def test_the_code_says_more_where_the_status_leaves_it_open(status: int, code: str, kind: type[RegistryError]) -> None:
    error = raised(status, errors(code))
    assert type(error) is kind
    assert isinstance(error, RegistryError)
    assert error.diagnostics == (f"{code}: words",)
    assert f"{code}: words" in error.message


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("-5", None),
        ("1e9", None),
        ("9" * 400, None),
        ("\u0661", None),
        ("\x1b[2J", None),
    ],
)
def test_throttling_says_how_long_to_wait_where_the_registry_does(retry_after: str, seconds: float | None) -> None:
    error = raised(429, errors("TOOMANYREQUESTS", "pull rate limit"), {"retry-after": retry_after})
    assert isinstance(error, TooManyRequests)
    assert error.retry_after == seconds
    assert ("" if seconds is None else f"{seconds:.0f} seconds") in error.hint
    assert ("seconds" in error.hint) is (seconds is not None)
    assert "\x1b" not in error.hint


def test_terminal_escapes_are_taken_out(simulator: RegistrySimulator) -> None:
    simulator.inject(faults.terminal_escapes(MANIFESTS))
    with pytest.raises(NotFound) as caught:
        app(simulator).manifest("v1")
    assert caught.value.message.isprintable()
    assert "gone" in caught.value.message
    assert all(line.isprintable() for line in caught.value.diagnostics)


def test_an_escape_in_the_code_is_taken_out_too() -> None:
    error = raised(404, errors("\x1b]8;;https://evil.example\x07CODE\u202e", "x"))
    assert error.message.isprintable()


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"x" * (1 << 20)),
        ({"content-length": str(1 << 20)}, b"x" * (1 << 20)),
        ({}, errors("X", "y" * (1 << 20))),
        ({"content-encoding": "gzip"}, b"\x1f\x8b\x08bomb"),
    ],
    ids=["long", "announced", "long JSON", "compressed"],
)
def test_a_refusal_is_what_its_status_says_however_its_body_is(status: int, headers: dict[str, str], body: bytes) -> None:
    error = raised(status, body, headers)
    assert isinstance(error, RegistryError)
    assert error.status == status
    assert len(error.message) < 500


def test_a_refusal_whose_body_breaks_off_is_a_refusal_all_the_same() -> None:
    from registryauth._http import Request, Response

    def answer(request: Request) -> Response:
        def broken(_: memoryview) -> int:
            raise TransportError("cut")

        return Response(404, Headers([]), request.url, broken)

    repository, _ = anonymous(answer)
    with pytest.raises(NotFound):
        repository.manifest("v1")


def test_a_web_page_is_not_quoted() -> None:
    error = raised(502, b"<html><h1>Bad Gateway</h1><script>alert(1)</script></html>", {"content-type": "text/html"})
    assert "<" not in error.message
    assert error.hint == "try again later"


def test_only_so_many_errors_are_passed_on() -> None:
    body = json.dumps({"errors": [{"code": f"C{n}", "message": "m" * 500} for n in range(100)]}).encode()
    error = raised(400, body)
    assert isinstance(error, RegistryError)
    assert len(error.diagnostics) == 5
    assert len(error.message) < 2000


@pytest.mark.parametrize(
    ("body", "diagnostics"),
    [
        (
            b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit https://aka.ms/acr/authorization","detail":[]}]}',
            ("UNAUTHORIZED: authentication required, visit https://aka.ms/acr/authorization",),
        ),
        (
            b'{"errors":[{"code":"DENIED","message":"client with IP \\u00271.2.3.4\\u0027 is not allowed access."}]}',
            ("DENIED: client with IP '1.2.3.4' is not allowed access.",),
        ),
        (b'{"errors":[{"code":"DENIED"}]}', ("DENIED",)),
        (b'{"errors":[{"message":"only words"}]}', ("UNKNOWN: only words",)),
        (b'{"errors":[null,7,"x",{"code":{"a":1},"message":["m"]}]}', ("{'a': 1}: ['m']",)),
        (b'{"errors":null}', ()),
        (b'{"errors":{"code":"X"}}', ()),
        (b'[{"code":"X"}]', ()),
        (b"\xef\xbb\xbf{}", ()),
        (b"[" * 60_000, ()),
    ],
)
def test_the_registrys_own_words(body: bytes, diagnostics: tuple[str, ...]) -> None:
    error = refusal("r.example/app:v1", 403, Headers([]), body, presented="", registry="r.example")
    assert isinstance(error, Denied)
    assert error.diagnostics == diagnostics


@given(
    st.integers(300, 599),
    st.binary(max_size=60) | st.text(max_size=30).map(lambda text: json.dumps({"errors": [{"code": text, "message": text}]}).encode()),
    st.text(max_size=20),
)
def test_no_refusal_whatever_is_anything_but_an_error_fit_for_a_terminal(status: int, body: bytes, retry_after: str) -> None:
    error = refusal("r.example/app:v1", status, Headers([("retry-after", retry_after)]), body, presented="", registry="r.example")
    assert isinstance(error, RegistryError)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in error.message + error.hint)


def test_the_hint_says_who_asked(simulator: RegistrySimulator) -> None:
    with pytest.raises(NotFound) as caught:
        app(simulator).manifest("absent")
    assert "account robot" in caught.value.hint
    assert "without a credential" in raised(404).hint


def test_a_wrong_password_is_one_token_request_and_no_secret_in_sight(simulator: RegistrySimulator) -> None:
    with pytest.raises(TokenRefused) as caught:
        app(simulator, Basic("robot", CANARY)).manifest("v1")
    assert len(simulator.requests) == 2
    assert caught.value.exit_code == 4
    assert "registryauth login r.example" in caught.value.hint
    assert CANARY not in repr(caught.value) + caught.value.hint


def test_a_revoked_identity_token_is_said_so(simulator: RegistrySimulator) -> None:
    with pytest.raises(TokenRefused) as caught:
        app(simulator, IdentityToken(CANARY)).manifest("v1")
    assert CANARY not in repr(caught.value)


def test_a_credential_that_lacks_the_right_is_refused_as_such() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, rights={"robot": ["push"]})
    simulator.add_image("team/app", "v1")
    with pytest.raises(Unauthorized) as caught:
        app(simulator).manifest("v1")
    assert "account robot" in caught.value.hint


def test_a_basic_registry_that_does_not_allow_it_denies() -> None:
    simulator = RegistrySimulator(auth="basic", accounts={"robot": "right"}, rights={"robot": []})
    simulator.add_image("team/app", "v1")
    with pytest.raises(Denied, match="requested access to the resource is denied"):
        app(simulator).manifest("v1")


def test_a_cut_connection_is_a_transport_error(simulator: RegistrySimulator) -> None:
    simulator.inject(faults.no_answer(MANIFESTS))
    with pytest.raises(TransportError) as caught:
        app(simulator).manifest("v1")
    assert caught.value.exit_code == 6


def test_the_bare_challenge_is_200_or_401_and_else_an_error() -> None:
    from registryauth.client import Client
    from registryauth.reference import Registry

    from .clients import Wire

    for status in (200, 401):
        wire = Wire(lambda _, s=status: (s, {"www-authenticate": "Basic"}, b""))  # type: ignore[misc]
        assert Client(transport=wire).challenge(Registry("r.example")).status == status
        assert wire.sent[0].header("authorization") == ""
    with pytest.raises(NotFound):
        Client(transport=Wire(lambda _: (404, {}, b""))).challenge(Registry("r.example"))


def test_who_has_no_credential_is_told_that_one_is_wanted_and_where_to_log_in() -> None:
    error = refusal("r.example:5000/app:v1", 401, Headers([]), b"", presented="", registry="r.example:5000")

    assert str(error).startswith("r.example:5000/app:v1: the registry wants a credential")
    assert error.hint == "log in with 'registryauth login r.example:5000'"
