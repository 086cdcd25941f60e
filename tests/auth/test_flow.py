"""The order of things: what is asked for, what is sent, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from registryauth._http import Request
from registryauth.auth.flow import Authorizer, Lookup, Once, Read
from registryauth.auth.scope import Scope
from registryauth.credentials import NOBODY, Anonymous, Basic, IdentityToken, RegistryToken
from registryauth.errors import InvalidChallenge, TransportError, UnsupportedScheme
from registryauth.testing import RegistrySimulator

from .by_hand import BEARER, PULL, REPOSITORY, Caller, Wire, get, pinned, respond, token, unauthorized

BASIC = pinned(Basic("robot", "pw"))


def test_the_effects_of_one_fetch_by_hand() -> None:
    """Bare, the challenge, the credentials, a token got by one caller at a time, and the request again."""
    authorizer = Authorizer(clock=lambda: 1000.0)
    flow = authorizer.flow(get(), REPOSITORY, PULL)
    bare = next(flow)
    assert isinstance(bare, Request)
    assert bare.header("authorization") == ""
    assert flow.send(respond(bare, unauthorized())) == Lookup(REPOSITORY)
    once = flow.send((BASIC,))
    assert isinstance(once, Once)
    inner = once.run()
    asked = next(inner)
    assert isinstance(asked, Request)
    assert asked.url.target.startswith("/token?service=r.example&scope=repository:team/app:pull")
    read = inner.send(respond(asked, token("tok")))
    assert isinstance(read, Read)
    with pytest.raises(StopIteration) as got:
        inner.send(read.response.read(read.limit))
    signed = flow.send(got.value.value)
    assert isinstance(signed, Request)
    assert signed.header("authorization") == "Bearer tok"
    assert signed.header("accept") == bare.header("accept")
    answer = respond(signed, 200)
    with pytest.raises(StopIteration) as end:
        flow.send(answer)
    assert end.value.value is answer


def test_a_registry_that_answers_is_not_asked_for_a_credential() -> None:
    call = Caller(Wire(200), BASIC)
    assert call().status == 200
    assert call.lookups == []


@pytest.mark.parametrize("status", [200, 206, 301, 307, 400, 404, 405, 416, 429, 500, 503])
def test_what_is_no_challenge_is_given_back_as_it_came(status: int) -> None:
    wire = Wire((status, {"www-authenticate": BEARER, "retry-after": "3"}, b"x"))
    call = Caller(wire, BASIC)
    assert call().status == status
    assert len(wire.sent) == 1
    assert call.lookups == []


@pytest.mark.parametrize("answer", [401, 403, unauthorized(status=403), unauthorized('Bearer error="insufficient_scope"', 403)])
def test_a_refusal_that_no_token_lifts_is_given_back(answer: object) -> None:
    """403 with a challenge means another token only where it says insufficient_scope (RFC 6750 §3.1)."""
    wire = Wire(answer)  # type: ignore[arg-type]
    call = Caller(wire, BASIC)
    assert call().status in (401, 403)
    assert len(wire.sent) == 1
    assert call.lookups == []


def test_a_challenge_that_cannot_be_read_is_an_error_and_frees_the_connection() -> None:
    freed: list[bool] = []
    request = get()
    response = respond(request, unauthorized('Bearer realm="unterminated'))
    response._release = lambda: freed.append(True)
    with pytest.raises(InvalidChallenge):
        Caller(Wire(response), BASIC)(request)
    assert freed == [True]


def test_a_scheme_that_we_do_not_speak_is_an_error_that_names_it() -> None:
    with pytest.raises(UnsupportedScheme, match="negotiate") as caught:
        Caller(Wire(unauthorized("Negotiate")), BASIC)()
    assert caught.value.exit_code == 4


def test_a_refused_answer_is_freed_before_the_request_goes_out_again() -> None:
    freed: list[str] = []
    request = get()
    refused = respond(request, unauthorized())
    refused._release = lambda: freed.append("refused")

    def second(_: Request) -> int:
        assert freed == ["refused"]
        return 200

    assert Caller(Wire(refused, token(), second), BASIC)(request).status == 200


def test_the_body_of_a_request_is_sent_again_whole() -> None:
    wire = Wire(unauthorized(), token(), 201)
    request = get().replace(method="PUT", body=b"a manifest")
    Caller(wire, BASIC)(request)
    assert [sent.body for sent in wire.to("/v2/team/app/manifests/v1")] == [b"a manifest", b"a manifest"]
    assert wire.to("/token")[0].body == b""


def test_the_next_request_needs_no_challenge() -> None:
    wire = Wire(unauthorized(), token(), 200, 200)
    call = Caller(wire, BASIC)
    call()
    call()
    assert wire.authorizations[2:] == ["Bearer tok", "Bearer tok"]
    assert len(wire.sent) == 4


def test_a_stale_cached_token_costs_exactly_one_refresh() -> None:
    wire = Wire(unauthorized(), token("old"), 200, unauthorized(), token("new"), 200)
    call = Caller(wire, BASIC)
    call()
    assert call().status == 200
    assert [a for a in wire.authorizations if a.startswith("Bearer")] == ["Bearer old", "Bearer old", "Bearer new"]
    assert len(wire.to("/token")) == 2


def test_a_token_is_renewed_before_it_dies() -> None:
    now = [1000.0]
    wire = Wire(unauthorized(), token("old"), 200, token("new"), 200)
    call = Caller(wire, BASIC, clock=lambda: now[0])
    call()
    now[0] += 295
    assert call().status == 200
    assert wire.authorizations[-1] == "Bearer new"


def test_a_fresh_token_refused_for_the_same_scope_gives_the_401_back() -> None:
    wire = Wire(unauthorized(), token(), unauthorized())
    call = Caller(wire, BASIC)
    assert call().status == 401
    assert wire.lines == ["GET /v2/team/app/manifests/v1", "GET /token", "GET /v2/team/app/manifests/v1"]


def test_a_refused_token_is_not_used_again() -> None:
    wire = Wire(unauthorized(), token("a"), unauthorized(), token("b"), 200)
    call = Caller(wire, BASIC)
    assert call().status == 401
    assert call().status == 200
    assert wire.authorizations[-1] == "Bearer b"


@pytest.mark.parametrize("status", [401, 403])
def test_insufficient_scope_escalates_once(status: int) -> None:
    """distribution says so with 401, icr.io with 403."""
    wider = BEARER.replace(":pull", ":pull,push") + ',error="insufficient_scope"'
    wire = Wire(unauthorized(), token("pull"), unauthorized(wider, status), token("both"), 202)
    call = Caller(wire, BASIC)
    assert call().status == 202
    assert "scope=repository:team/app:pull,push" in wire.to("/token")[1].url.target
    assert wire.authorizations[-1] == "Bearer both"


@pytest.mark.parametrize("status", [401, 403])
def test_a_second_insufficient_scope_for_the_same_scope_ends_it(status: int) -> None:
    wider = BEARER.replace(":pull", ":pull,push") + ',error="insufficient_scope"'
    wire = Wire(unauthorized(), token("pull"), unauthorized(wider, status), token("both"), unauthorized(wider, status))
    call = Caller(wire, BASIC)
    assert call().status == status
    assert len(wire.sent) == 5


def test_a_registry_that_always_wants_more_is_sent_the_request_four_times_and_no_more() -> None:
    def greedy(sent: list[int]) -> Iterator[int]:
        while True:
            sent[0] += 1
            yield sent[0]

    count = greedy([0])

    def answer(request: Request) -> object:
        return token() if request.url.target.startswith("/token") else unauthorized(BEARER.replace("team/app", f"other{next(count)}"))

    wire = Wire(answer)  # type: ignore[arg-type]
    call = Caller(wire, BASIC)
    assert call().status == 401
    assert len(wire.to("/v2/team/app/manifests/v1")) == 4
    assert len(wire.to("/token")) == 3


def test_a_registry_that_alternates_between_schemes_ends_too() -> None:
    schemes = ["Basic realm=x", BEARER] * 20

    def answer(request: Request) -> object:
        return token() if request.url.target.startswith("/token") else unauthorized(schemes.pop())

    wire = Wire(answer)  # type: ignore[arg-type]
    assert Caller(wire, BASIC)().status == 401
    assert len(wire.to("/v2/team/app/manifests/v1")) <= 4


def test_a_401_from_elsewhere_is_given_back_unanswered() -> None:
    """CVE-2020-15157: an httpx client that follows redirects hands us the answer of wherever they led."""
    elsewhere = respond(get("/blob", origin="https://evil.example"), unauthorized('Basic realm="x"'))
    wire = Wire(elsewhere)
    call = Caller(wire, BASIC)
    assert call().status == 401
    assert call.lookups == []
    assert len(wire.sent) == 1
    assert call.authorizer._remembered(get().url.origin, REPOSITORY) is None


def test_a_registry_token_is_sent_as_it_is_and_traded_for_nothing() -> None:
    wire = Wire(unauthorized(), 200, 200)
    call = Caller(wire, pinned(RegistryToken("as-it-is")))
    call()
    call()
    assert wire.authorizations == ["", "Bearer as-it-is", "Bearer as-it-is"]
    assert wire.to("/token") == []


def test_a_refused_registry_token_is_sent_once() -> None:
    wire = Wire(unauthorized(), unauthorized())
    assert Caller(wire, pinned(RegistryToken("as-it-is")))().status == 401


def test_an_identity_token_is_traded_by_post_and_never_sent_to_the_registry() -> None:
    wire = Wire(unauthorized(), token("access"), 200)
    Caller(wire, pinned(IdentityToken("refresh-me")))()
    [asked] = wire.to("/token")
    assert asked.method == "POST"
    assert b"grant_type=refresh_token" in asked.body
    assert b"refresh_token=refresh-me" in asked.body
    assert not any("refresh-me" in authorization for authorization in wire.authorizations)


@pytest.mark.parametrize("candidates", [(), (NOBODY,), (pinned(Anonymous(), "public registries"),)])
def test_without_a_credential_a_token_is_asked_for_anonymously(candidates: tuple[object, ...]) -> None:
    wire = Wire(unauthorized(), token(), 200)
    Caller(wire, *candidates)()  # type: ignore[arg-type]
    assert wire.authorizations == ["", "", "Bearer tok"]
    assert "account" not in wire.to("/token")[0].url.target


def test_an_opaque_scope_is_asked_for_and_found_again() -> None:
    challenge = 'Bearer realm="https://r.example/token/",service="r.example",scope="aws"'
    wire = Wire(unauthorized(challenge), token(), 200, 200)
    call = Caller(wire)
    call()
    call()
    assert "scope=aws" in wire.to("/token/")[0].url.target
    assert len(wire.sent) == 4


def test_a_registry_that_asks_for_another_scope_is_not_asked_twice() -> None:
    """Artifactory names a scope that we would not guess: the next fetch from there must not pay a 401 again."""
    challenge = 'Bearer realm="https://r.example/token",service="r.example",scope="repository:virtual-repo/team/app:pull"'
    wire = Wire(unauthorized(challenge), token(), 200, 200, 200)
    call = Caller(wire, BASIC)
    for tag in ("v1", "v2", "v3"):
        assert call(get(f"/v2/team/app/manifests/{tag}")).status == 200
    assert len(wire.sent) == 5
    assert next(request.url.target for request in wire.to("/token")).count("scope=") == 2


def test_the_same_holds_when_the_token_has_died_meanwhile() -> None:
    now = [1000.0]
    challenge = 'Bearer realm="https://r.example/token",service="r.example",scope="repository:virtual-repo/team/app:pull"'
    wire = Wire(unauthorized(challenge), token(), 200, token("second"), 200)
    call = Caller(wire, BASIC, clock=lambda: now[0])
    call()
    now[0] += 1000
    assert call().status == 200
    assert "scope=repository:virtual-repo/team/app:pull" in wire.to("/token")[1].url.target


def test_a_second_repository_is_asked_for_with_its_own_scope_and_no_challenge() -> None:
    other = REPOSITORY.replace(path="team/other")
    wire = Wire(unauthorized(), token("a"), 200, token("b"), 200)
    call = Caller(wire, BASIC)
    call()
    assert call(get("/v2/team/other/manifests/v1"), other).status == 200
    target = wire.to("/token")[1].url.target
    assert "scope=repository:team/other:pull" in target
    assert "team/app" not in target


def test_a_push_after_a_pull_asks_for_the_wider_token_at_once() -> None:
    wire = Wire(unauthorized(), token("pull"), 200, token("push"), 202)
    call = Caller(wire, BASIC)
    call()
    assert call(get("/v2/team/app/blobs/uploads/").replace(method="POST"), scopes=(Scope.of(REPOSITORY, "pull", "push"),)).status == 202
    assert wire.authorizations[-1] == "Bearer push"


def test_what_one_registry_asked_is_not_remembered_of_another() -> None:
    wire = Wire(unauthorized(), token(), 200, 200)
    call = Caller(wire, BASIC)
    call()
    call(get(origin="https://other.example"))
    assert wire.authorizations[-1] == ""


def test_the_port_tells_registries_apart() -> None:
    wire = Wire(unauthorized(), token(), 200, 200)
    call = Caller(wire, BASIC)
    call()
    call(get(origin="https://r.example:8443"))
    assert wire.authorizations[-1] == ""


@pytest.mark.parametrize("status", [502, 503, 500])
def test_a_token_server_that_fails_is_a_failure_of_the_network(status: int) -> None:
    with pytest.raises(TransportError, match=f"failed .{status}.") as caught:
        Caller(Wire(unauthorized(), (status, {}, b"<html>")), BASIC)()
    assert caught.value.exit_code == 6
    assert caught.value.hint


def test_a_hundred_fetches_from_one_repository_are_102_requests() -> None:
    simulator = RegistrySimulator(accounts={"robot": "pw"})
    simulator.add_image("team/app", "v1")
    call = Caller(simulator.transport(), BASIC, clock=time.time)
    for _ in range(100):
        assert call().status == 200
    assert len(simulator.requests) == 102
