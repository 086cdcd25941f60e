"""Which credential is tried, how often, and what is said when it is refused."""

from __future__ import annotations

import pytest

from registryauth._http import Request
from registryauth.credentials import NOBODY, Anonymous, Basic, IdentityToken, Pinned, RegistryToken
from registryauth.errors import AuthError, Error, RealmRefused, SizeMismatch, TokenRefused, TransportError, UnsupportedScheme
from registryauth.testing import RegistrySimulator

from .by_hand import BEARER, CANARY, Answer, Caller, Wire, get, pinned, token, unauthorized

FIRST = pinned(Basic("robot", "first-slot"), "store:1:0")
SECOND = pinned(Basic("robot", "second-slot"), "store:1:1")
BASIC_CHALLENGE = 'Basic realm="a label, no URL"'
WRONG = (
    401,
    {"content-type": "application/json"},
    b'{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: Invalid clientid or client secret."}]}',
)


def passwords(wire: Wire) -> list[str]:
    import base64

    return [base64.b64decode(a.removeprefix("Basic ")).decode() for a in wire.authorizations if a.startswith("Basic ")]


def test_a_wrong_password_is_one_token_request_and_a_hint() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"})
    with pytest.raises(TokenRefused, match=r"refused the credential for r\.example: incorrect username or password") as caught:
        Caller(simulator.transport(), pinned(Basic("robot", "wrong")))()
    assert len([r for r in simulator.requests if r.url.target.startswith("/token")]) == 1
    assert len(simulator.requests) == 2
    assert (caught.value.exit_code, caught.value.status) == (4, 401)
    assert "registryauth login r.example" in caught.value.hint


def test_a_refused_credential_is_never_replaced_by_no_credential() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, anonymous_pull=True)
    with pytest.raises(TokenRefused):
        Caller(simulator.transport(), pinned(Basic("robot", "wrong")))()
    asked = [r for r in simulator.requests if r.url.target.startswith("/token")]
    assert [bool(r.header("authorization")) for r in asked] == [True]


def test_the_second_slot_is_tried_after_a_401_and_its_token_kept() -> None:
    wire = Wire(unauthorized(), WRONG, token("from-second"), 200, 200)
    call = Caller(wire, FIRST, SECOND)
    assert call().status == 200
    assert call().status == 200
    assert passwords(wire) == ["robot:first-slot", "robot:second-slot"]
    assert wire.authorizations[-1] == "Bearer from-second"


def test_a_400_from_a_token_server_is_a_refused_credential_too() -> None:
    """RFC 6749 §5.2: invalid_grant comes with 400."""
    wire = Wire(unauthorized(), (400, {}, b'{"error":"invalid_grant"}'), token(), 200)
    assert Caller(wire, FIRST, SECOND)().status == 200


@pytest.mark.parametrize("status", [301, 302, 307, 308, 403, 404, 429, 500, 502, 503, 204, 206])
def test_the_second_slot_is_tried_after_nothing_else(status: int) -> None:
    answer: Answer = (status, {"location": "https://r.example/elsewhere", "retry-after": "7"}, b'{"message":"no"}')
    wire = Wire(unauthorized(), answer, *([answer] * (status == 404)))
    with pytest.raises(Error):
        Caller(wire, FIRST, SECOND)()
    assert "robot:second-slot" not in passwords(wire)
    assert not any(b"second-slot" in request.body for request in wire.sent)


def test_no_answer_from_the_token_server_does_not_bring_the_second_slot_either() -> None:
    def cut(request: Request) -> Answer:
        raise TransportError("cut")

    wire = Wire(unauthorized(), cut)
    with pytest.raises(TransportError, match="cut"):
        Caller(wire, FIRST, SECOND)()
    assert passwords(wire) == ["robot:first-slot"]


def test_a_200_that_holds_no_token_does_not_bring_it_either() -> None:
    wire = Wire(unauthorized(), (200, {}, b"{}"))
    with pytest.raises(TokenRefused, match="without a token"):
        Caller(wire, FIRST, SECOND)()
    assert passwords(wire) == ["robot:first-slot"]


def test_when_both_slots_are_refused_the_first_refusal_is_told_and_nobody_else_is_tried() -> None:
    wire = Wire(unauthorized(), WRONG, (401, {}, b'{"message":"expired"}'))
    with pytest.raises(TokenRefused, match="Invalid clientid"):
        Caller(wire, FIRST, SECOND)()
    assert len(wire.sent) == 3


@pytest.mark.parametrize("status", [404, 405])
def test_a_token_server_that_knows_no_get_is_asked_by_post(status: int) -> None:
    wire = Wire(unauthorized(), status, token("posted"), 200)
    assert Caller(wire, pinned(Basic("robot", "pw")))().status == 200
    get_, post = wire.to("/token")
    assert (get_.method, post.method) == ("GET", "POST")
    assert b"grant_type=password" in post.body
    assert b"password=pw" in post.body
    assert post.header("authorization") == ""


def test_a_token_server_that_knows_neither_gives_no_token() -> None:
    with pytest.raises(TokenRefused, match=r"gave no token .404.") as caught:
        Caller(Wire(unauthorized(), 404, 404), pinned(Basic("robot", "pw")))()
    assert caught.value.status == 404


@pytest.mark.parametrize("credential", [IdentityToken("t"), Anonymous()])
def test_who_has_no_password_asks_in_one_way_only(credential: IdentityToken | Anonymous) -> None:
    wire = Wire(unauthorized(), 404)
    with pytest.raises(TokenRefused):
        Caller(wire, pinned(credential))()
    assert len(wire.sent) == 2


def test_throttling_is_told_apart_and_says_how_long() -> None:
    with pytest.raises(TokenRefused, match="throttling") as caught:
        Caller(Wire(unauthorized(), (429, {"retry-after": "17"}, b"")), FIRST)()
    assert caught.value.status == 429
    assert "17 seconds" in caught.value.hint


@pytest.mark.parametrize("wait", ["Wed, 21 Oct 2026 07:28:00 GMT", "", "-1", "\u0661\u0662", "1\x1b[2J"])
def test_a_retry_after_that_is_no_number_is_not_repeated(wait: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        Caller(Wire(unauthorized(), (429, {"retry-after": wait}, b"")), FIRST)()
    assert caught.value.hint == "try again later"


def test_a_firewall_is_no_wrong_password() -> None:
    body = b'{"errors":[{"code":"DENIED","message":"client with IP \\u00271.2.3.4\\u0027 is not allowed access."}]}'
    with pytest.raises(TokenRefused, match=r"gave no token .403.: client with IP '1\.2\.3\.4'") as caught:
        Caller(Wire(unauthorized(), (403, {}, body)), FIRST)()
    assert "login" not in caught.value.hint


def test_an_anonymous_refusal_says_how_to_log_in() -> None:
    with pytest.raises(TokenRefused) as caught:
        Caller(Wire(unauthorized(), WRONG))()
    assert "registryauth login r.example" in caught.value.hint


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, b"x" * 1_000_000), ({"content-length": "1000000"}, b"x" * 1_000_000), ({"content-encoding": "gzip"}, b"\x1f\x8b\x08")],
    ids=["long", "announced", "compressed"],
)
def test_a_refusal_is_a_refusal_however_its_body_is(headers: dict[str, str], body: bytes) -> None:
    """The status alone says that the credential is wrong; the body would only have said why."""
    wire = Wire(unauthorized(), (401, headers, body), token(), 200)
    assert Caller(wire, FIRST, SECOND)().status == 200
    with pytest.raises(TokenRefused, match="refused the credential"):
        Caller(Wire(unauthorized(), (401, headers, body)), FIRST)()


def test_a_token_answer_too_long_is_refused_and_not_taken_for_a_wrong_password() -> None:
    with pytest.raises(SizeMismatch):
        Caller(Wire(unauthorized(), (200, {}, b'{"token":"' + b"t" * 200_000 + b'"}')), FIRST, SECOND)()


def test_a_compressed_token_answer_is_refused() -> None:
    with pytest.raises(TransportError, match="compressed"):
        Caller(Wire(unauthorized(), (200, {"content-encoding": "gzip"}, b"\x1f\x8b")), FIRST)()


def test_basic_is_answered_with_the_password_and_sent_at_once_the_next_time() -> None:
    wire = Wire(unauthorized(BASIC_CHALLENGE), 200, 200)
    call = Caller(wire, FIRST)
    call()
    call()
    assert passwords(wire) == ["robot:first-slot", "robot:first-slot"]
    assert len(wire.sent) == 3


def test_basic_is_never_sent_to_another_origin() -> None:
    wire = Wire(unauthorized(BASIC_CHALLENGE), 200, 200, 200, 200)
    call = Caller(wire, FIRST)
    call()
    for elsewhere in ("https://evil.example", "https://r.example:444", "https://sub.r.example"):
        call(get(origin=elsewhere))
    assert wire.authorizations[2:] == ["", "", ""]


def test_a_wrong_basic_password_is_sent_once_and_the_401_given_back() -> None:
    wire = Wire(unauthorized(BASIC_CHALLENGE), unauthorized(BASIC_CHALLENGE))
    assert Caller(wire, FIRST)().status == 401
    assert len(wire.sent) == 2


def test_basic_tries_the_second_slot_once() -> None:
    wire = Wire(*[unauthorized(BASIC_CHALLENGE)] * 3)
    assert Caller(wire, FIRST, SECOND)().status == 401
    assert passwords(wire) == ["robot:first-slot", "robot:second-slot"]


def test_basic_that_was_remembered_and_is_now_refused_tries_each_slot_once() -> None:
    wire = Wire(unauthorized(BASIC_CHALLENGE), 200, unauthorized(BASIC_CHALLENGE), 200)
    call = Caller(wire, FIRST, SECOND)
    call()
    assert call().status == 200
    assert passwords(wire) == ["robot:first-slot", "robot:first-slot", "robot:second-slot"]


@pytest.mark.parametrize("candidates", [(), (NOBODY,), (pinned(Anonymous(), "public"),)])
def test_basic_without_a_credential_gives_the_401_back(candidates: tuple[Pinned, ...]) -> None:
    wire = Wire(*[unauthorized(BASIC_CHALLENGE)] * 2)
    assert Caller(wire, *candidates)().status == 401
    assert passwords(wire) == []


@pytest.mark.parametrize("credential", [IdentityToken(CANARY), RegistryToken(CANARY)])
def test_a_token_is_no_answer_to_basic(credential: IdentityToken | RegistryToken) -> None:
    wire = Wire(unauthorized(BASIC_CHALLENGE))
    with pytest.raises(UnsupportedScheme, match="user name and password") as caught:
        Caller(wire, pinned(credential))()
    assert caught.value.exit_code == 4
    assert caught.value.hint
    assert len(wire.sent) == 1


@pytest.mark.parametrize("value", ["two words", "new\nline", "carriage\rreturn", "nul\x00", "ü", "", "del\x7f"])
def test_a_registry_token_that_cannot_stand_in_a_header_is_refused_unseen(value: str) -> None:
    wire = Wire(unauthorized())
    with pytest.raises(AuthError) as caught:
        Caller(wire, pinned(RegistryToken(f"{value}{CANARY}{value}" if value else "")))()
    assert CANARY not in repr(caught.value)
    assert caught.value.hint
    assert len(wire.sent) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_token_request_is_not_followed(status: int) -> None:
    wire = Wire(unauthorized(), (status, {"location": "https://evil.example/steal"}, b""))
    with pytest.raises(RealmRefused, match="redirected") as caught:
        Caller(wire, pinned(IdentityToken(CANARY)))()
    assert caught.value.exit_code == 4
    assert len(wire.sent) == 2
    assert CANARY not in repr(caught.value)


def test_a_registry_that_changes_from_basic_to_bearer_is_followed() -> None:
    wire = Wire(unauthorized(BASIC_CHALLENGE), 200, unauthorized(BEARER), token(), 200)
    call = Caller(wire, FIRST)
    call()
    assert call().status == 200
    assert wire.authorizations[-1] == "Bearer tok"
