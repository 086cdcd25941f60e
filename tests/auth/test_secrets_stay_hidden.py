"""A canary in every secret; whatever goes wrong, it is in no text that a person or a log could see."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import pytest

from registryauth.auth import Authorizer
from registryauth.auth.challenge import Challenge
from registryauth.auth.exchange import token_requests
from registryauth.credentials import Basic, Credential, IdentityToken, RegistryToken
from registryauth.errors import Error

from .by_hand import BEARER, CANARY, Answer, Caller, Wire, get, pinned, token, unauthorized

SECRETS: list[Credential] = [Basic("robot", CANARY), IdentityToken(CANARY)]
ECHO = json.dumps(
    {"errors": [{"code": "UNAUTHORIZED", "message": f"no such secret: {CANARY}"}], "error_description": f"bad {CANARY}"}
).encode()


def seen(error: BaseException) -> str:
    """Everything that a traceback printer, a logger or a debugger's list of locals would show."""
    texts = ["".join(traceback.format_exception(error)), repr(error), str(error), getattr(error, "hint", ""), repr(error.args)]
    chained: BaseException | None = error
    while chained is not None:
        texts.append(repr(vars(chained)))
        frames = traceback.walk_tb(chained.__traceback__)
        texts += [repr(value) for frame, _ in frames for value in _locals(frame)]
        chained = chained.__cause__ or chained.__context__
    return "\n".join(texts)


def _locals(frame: Any) -> list[Any]:
    """The values that frames hold of ours; a bare string is the caller's own and every printer of locals would show it."""
    ours = frame.f_globals.get("__name__", "").startswith("registryauth.") and not frame.f_globals["__name__"].startswith(
        "registryauth.testing"
    )
    return [value for value in frame.f_locals.values() if not isinstance(value, str | bytes | dict | list | tuple)] if ours else []


FAULTS: dict[str, Answer] = {
    "wrong password, echoed": (401, {}, ECHO),
    "not allowed, echoed": (403, {}, ECHO),
    "throttled, echoed": (429, {"retry-after": CANARY}, ECHO),
    "failed, echoed": (500, {}, ECHO),
    "redirected": (302, {"location": f"https://evil.example/?{CANARY}"}, b""),
    "no JSON": (200, {}, CANARY.encode()),
    "cut JSON": (200, {}, f'{{"token":"{CANARY}'.encode()),
    "no object": (200, {}, json.dumps([CANARY]).encode()),
    "a token with a line end": (200, {}, json.dumps({"token": f"{CANARY}\n"}).encode()),
    "too long": (200, {}, json.dumps({"token": CANARY * 20_000}).encode()),
    "compressed": (200, {"content-encoding": "gzip"}, CANARY.encode()),
    "not UTF-8": (200, {}, CANARY.encode() + b"\xff"),
}


@pytest.mark.parametrize("credential", SECRETS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("answer", FAULTS.values(), ids=FAULTS.keys())
def test_no_failure_of_a_token_request_shows_the_secret(credential: Credential, answer: Answer) -> None:
    with pytest.raises(Error) as caught:
        Caller(Wire(unauthorized(), answer, answer), pinned(credential))()
    assert CANARY not in seen(caught.value)


@pytest.mark.parametrize("credential", SECRETS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="https://evil.example/token"',
        'Bearer realm="http://r.example/token"',
        'Bearer realm="x"',
        'Bearer realm="',
        "Negotiate",
    ],
)
def test_no_refused_challenge_shows_the_secret(credential: Credential, challenge: str) -> None:
    with pytest.raises(Error) as caught:
        Caller(Wire(unauthorized(challenge)), pinned(credential))()
    assert CANARY not in seen(caught.value)


def test_a_server_that_repeats_the_secret_is_quoted_without_it() -> None:
    with pytest.raises(Error, match=r"bad \*\*\*") as caught:
        Caller(Wire(unauthorized(), (401, {}, ECHO)), pinned(Basic("robot", CANARY)))()
    assert CANARY not in caught.value.message


@pytest.mark.parametrize("credential", [*SECRETS, RegistryToken(CANARY)], ids=lambda c: type(c).__name__)
def test_nothing_that_the_flow_holds_shows_it(credential: Credential) -> None:
    wire = Wire(unauthorized(), *([] if isinstance(credential, RegistryToken) else [token(CANARY)]), 200)
    call = Caller(wire, pinned(credential))
    call()
    held = [*wire.sent, *call.candidates, call.authorizer, call.authorizer.cache, *call.authorizer.cache._tokens.items(), *call.lookups]
    assert CANARY not in repr(held)
    assert CANARY in "".join(wire.authorizations + [request.body.decode() for request in wire.sent])


@pytest.mark.parametrize("credential", SECRETS, ids=lambda c: type(c).__name__)
def test_no_token_request_carries_it_in_its_url_or_repr(credential: Credential) -> None:
    challenge = Challenge("bearer", (("realm", "https://r.example/token"), ("service", "s")))
    for request in token_requests(challenge, credential, []):
        assert CANARY not in str(request.url)
        assert CANARY not in repr(request)


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Caller(Wire(unauthorized(BEARER), token(CANARY), 200), pinned(Basic("robot", CANARY)))()
    assert CANARY not in caplog.text


def test_a_flow_that_is_given_up_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    flow = Authorizer().flow(get("/v2/"), None, ())
    next(flow)
    flow.close()
    assert capfd.readouterr() == ("", "")
