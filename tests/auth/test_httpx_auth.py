"""`RegistryAuth` in a client that is not ours, sync and async alike."""

from __future__ import annotations

import base64
import gzip
import zlib
from typing import Any

import httpx
import pytest
import respx

from registryauth import errors
from registryauth.auth import Authorizer, RegistryAuth, exchange
from registryauth.auth.httpx_auth import wanted_by
from registryauth.credentials import Anonymous, Basic, IdentityToken, Pinned
from registryauth.reference import Registry, Repository
from registryauth.testing import RegistrySimulator

from .by_hand import BEARER, CANARY, REPOSITORY, Caller, pinned
from .by_hand import get as our_get
from .httpx_clients import Body, Send, answering, get, send_async, send_sync

URL = "https://r.example/v2/team/app/manifests/v1"
ACCEPT = {"accept": "application/vnd.oci.image.manifest.v1+json"}


@pytest.fixture(params=[send_sync, send_async], ids=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def simulator() -> RegistrySimulator:
    simulator = RegistrySimulator(accounts={"robot": "pw"})
    simulator.add_image("team/app", "v1")
    return simulator


def robot(password: str = "pw") -> RegistryAuth:
    return RegistryAuth(lambda _: (pinned(Basic("robot", password)),))


def challenged(token: httpx.Response | None = None, refusal: dict[str, Any] | None = None) -> Any:
    """A registry at r.example whose 401 and token answer the test chooses."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return token or httpx.Response(200, json={"token": "tok"})
        if request.headers.get("authorization") == "Bearer tok":
            return httpx.Response(200, json={})
        return httpx.Response(401, **{"headers": {"www-authenticate": BEARER}, **(refusal or {})})

    return answering(handle)


def test_a_hundred_fetches_are_102_requests(send: Send, simulator: RegistrySimulator) -> None:
    answers = send(robot(), simulator.httpx_transport(), *[get(URL, headers=ACCEPT)] * 100)
    assert {answer.status_code for answer in answers} == {200}
    assert len(simulator.requests) == 102


def test_both_colours_send_what_our_own_driver_sends() -> None:
    sent = []
    for run in (send_sync, send_async, None):
        simulator = RegistrySimulator(accounts={"robot": "pw"})
        simulator.add_image("team/app", "v1")
        if run:
            run(robot(), simulator.httpx_transport(), get(URL), get(URL), get(URL))
        else:
            call = Caller(simulator.transport(), pinned(Basic("robot", "pw")))
            for _ in range(3):
                call(our_get())
        sent.append([(r.method, str(r.url), r.header("authorization").partition(".")[0], r.body) for r in simulator.requests])
    assert sent[0] == sent[1] == sent[2]


def test_a_registry_that_answers_is_not_asked_for_a_credential(send: Send) -> None:
    def credentials(_: Repository | None) -> tuple[Pinned, ...]:
        raise AssertionError("asked")

    simulator = RegistrySimulator(auth="none")
    simulator.add_image("team/app", "v1")
    assert send(RegistryAuth(credentials), simulator.httpx_transport(), get(URL, headers=ACCEPT))[0].status_code == 200


def test_the_credentials_are_asked_for_by_repository(send: Send, simulator: RegistrySimulator) -> None:
    asked: list[Repository | None] = []

    def credentials(repository: Repository | None) -> tuple[Pinned, ...]:
        asked.append(repository)
        return (pinned(Basic("robot", "pw")),)

    send(RegistryAuth(credentials), simulator.httpx_transport(), get(URL), get("https://r.example/v2/"))
    assert asked == [REPOSITORY, Repository(Registry("r.example"), "")]


def test_what_is_no_registrys_address_gets_no_credential(send: Send) -> None:
    """A client visits other places with the same auth; whoever asks there is not a registry that we know of."""

    def credentials(_: Repository | None) -> tuple[Pinned, ...]:
        raise AssertionError("asked")

    for challenge in ('Basic realm="x"', 'Bearer realm="https://evil.example/token"'):
        transport, seen = answering(lambda _, c=challenge: httpx.Response(401, headers={"www-authenticate": c}))  # type: ignore[misc]
        with_token = "Bearer" in challenge
        try:
            [answer] = send(RegistryAuth(credentials), transport, get("https://evil.example/somewhere"))
        except errors.TokenRefused:
            assert with_token
        else:
            assert answer.status_code == 401
        assert not any("authorization" in request.headers for request in seen)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_survives_the_challenge(send: Send, method: str, simulator: RegistrySimulator) -> None:
    url = "https://r.example/v2/team/app/blobs/uploads/"
    send(robot(), simulator.httpx_transport(), (method, url, {"content": b"the body"}))
    uploads = [request for request in simulator.requests if request.url.target == "/v2/team/app/blobs/uploads/"]
    assert [request.body for request in uploads] == [b"the body"] * 2
    assert [request.header("content-length") for request in uploads] == ["8"] * 2


def test_the_users_own_headers_stay_and_are_not_shown_to_the_token_server(send: Send, simulator: RegistrySimulator) -> None:
    send(robot(), simulator.httpx_transport(), get(URL, headers={"x-mine": "1", "cookie": "session=1", **ACCEPT}))
    first, asked, second = simulator.requests
    assert [r.header("x-mine") for r in (first, asked, second)] == ["1", "", "1"]
    assert asked.header("cookie") == ""
    assert second.header("accept") == ACCEPT["accept"]


def test_a_token_request_has_the_clients_timeouts_and_name(send: Send) -> None:
    transport, seen = challenged()
    send(robot(), transport, get(URL), timeout=httpx.Timeout(3, connect=2), headers={"user-agent": "mine/1"})
    assert [request.extensions["timeout"] for request in seen] == [{"connect": 2, "read": 3, "write": 3, "pool": 3}] * 3
    assert [request.headers["user-agent"] for request in seen] == ["mine/1"] * 3


def test_a_token_request_asks_for_nothing_compressed(send: Send) -> None:
    transport, seen = challenged()
    send(robot(), transport, get(URL))
    assert seen[1].headers["accept-encoding"] == "identity"


def test_an_identity_token_is_posted_as_a_form(send: Send, simulator: RegistrySimulator) -> None:
    refresh = simulator.identity_token("robot")
    auth = RegistryAuth(lambda _: (pinned(IdentityToken(refresh)),))
    assert send(auth, simulator.httpx_transport(), get(URL, headers=ACCEPT))[0].status_code == 200
    asked = simulator.requests[1]
    assert (asked.method, asked.header("content-type")) == ("POST", "application/x-www-form-urlencoded")
    assert int(asked.header("content-length")) == len(asked.body)


def test_a_wrong_password_is_one_token_request(send: Send, simulator: RegistrySimulator) -> None:
    with pytest.raises(errors.TokenRefused) as caught:
        send(robot("wrong"), simulator.httpx_transport(), get(URL))
    assert len(simulator.requests) == 2
    assert "wrong" not in str(caught.value)


def test_the_second_slot_is_tried(send: Send, simulator: RegistrySimulator) -> None:
    auth = RegistryAuth(lambda _: (pinned(Basic("robot", "old"), "s:0"), pinned(Basic("robot", "pw"), "s:1")))
    assert send(auth, simulator.httpx_transport(), get(URL, headers=ACCEPT))[0].status_code == 200


def test_a_foreign_realm_is_refused_and_not_asked(send: Send, simulator: RegistrySimulator) -> None:
    simulator.realm = "https://evil.example/token"
    with pytest.raises(errors.RealmRefused):
        send(robot(), simulator.httpx_transport(), get(URL))
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("follow", [True, False])
def test_a_redirect_of_a_token_request_yields_no_token(send: Send, follow: bool) -> None:
    redirect = httpx.Response(307, headers={"location": "https://evil.example/steal"})
    transport, seen = challenged(token=redirect)
    auth = RegistryAuth(lambda _: (pinned(IdentityToken(CANARY)),))
    with pytest.raises(errors.RealmRefused, match="redirected"):
        send(auth, transport, get(URL), follow_redirects=follow)
    assert follow or len(seen) == 2


def test_a_challenge_from_a_redirects_target_is_not_answered(send: Send) -> None:
    """CVE-2020-15157, with a client that follows redirects against our advice."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "evil.example":
            return httpx.Response(401, headers={"www-authenticate": 'Basic realm="give"'})
        return httpx.Response(307, headers={"location": "https://evil.example/v2/team/app/blob"})

    transport, seen = answering(handle)
    assert send(robot(), transport, get(URL), follow_redirects=True)[0].status_code == 401
    assert not any("authorization" in request.headers for request in seen)


@pytest.mark.parametrize("headers", [{}, {"content-length": str(10**9)}], ids=["endless", "announced"])
def test_a_token_answer_is_read_only_so_far(send: Send, headers: dict[str, str]) -> None:
    body = Body(64 * 1024 * 1024)
    transport, _ = challenged(token=httpx.Response(200, headers=headers, stream=body))
    with pytest.raises(errors.SizeMismatch):
        send(robot(), transport, get(URL))
    assert body.pulled <= exchange.MAX_TOKEN_BODY + 64 * 1024
    assert body.closed


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-unknown"])
def test_a_compressed_token_answer_is_refused(send: Send, encoding: str) -> None:
    packed = {"gzip": gzip.compress(b'{"token":"tok"}'), "deflate": zlib.compress(b'{"token":"tok"}')}.get(encoding, b"packed")
    token = httpx.Response(200, headers={"content-encoding": encoding}, stream=httpx.ByteStream(packed))
    transport, _ = challenged(token=token)
    with pytest.raises(errors.TransportError, match="compressed"):
        send(robot(), transport, get(URL))


def test_a_refusal_that_never_ends_is_not_read_to_its_end(send: Send) -> None:
    body = Body(64 * 1024 * 1024)
    transport, _ = challenged(refusal={"stream": body})
    assert send(robot(), transport, get(URL))[0].status_code == 200
    assert body.pulled <= 256 * 1024
    assert body.closed


def test_a_refusal_that_is_a_bomb_is_not_unfolded(send: Send) -> None:
    packed = gzip.compress(bytes(32 * 1024 * 1024))
    headers = {"www-authenticate": BEARER, "content-encoding": "gzip"}
    transport, _ = challenged(refusal={"headers": headers, "stream": httpx.ByteStream(packed)})
    [answer] = send(robot(), transport, get(URL))
    assert answer.status_code == 200
    assert max(len(before.content) for before in answer.history) < 1024 * 1024


def test_the_history_that_httpx_keeps_holds_no_token(send: Send) -> None:
    body = httpx.ByteStream(b'{"token":"tok","refresh_token":"' + CANARY.encode() + b'"}')
    transport, _ = challenged(token=httpx.Response(200, stream=body))
    [answer] = send(robot(), transport, get(URL))
    assert len(answer.history) == 2
    assert not any(CANARY.encode() in before.content for before in answer.history)


def test_the_body_of_the_answer_is_the_users_to_read(simulator: RegistrySimulator) -> None:
    """A blob may be larger than memory: nothing of it is read before the user asks."""
    blob = Body(32 * 1024)

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=blob)

    transport, _ = answering(handle)
    with httpx.Client(transport=transport, auth=robot()) as client, client.stream("GET", URL) as answer:
        assert blob.pulled == 0
        assert sum(map(len, answer.iter_raw())) == 32 * 1024


def test_a_final_refusal_can_be_read(send: Send) -> None:
    narrow = RegistrySimulator(accounts={"robot": "pw"}, rights={"robot": ["pull"]})
    [answer] = send(robot(), narrow.httpx_transport(), ("POST", "https://r.example/v2/team/app/blobs/uploads/", {}))
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"


def test_a_cut_connection_is_httpxs_own_error_and_the_next_request_works(send: Send, simulator: RegistrySimulator) -> None:
    from registryauth.testing import faults

    simulator.inject(faults.no_answer("/token", times=1))
    auth = robot()
    with pytest.raises(httpx.RemoteProtocolError):
        send(auth, simulator.httpx_transport(), get(URL))
    assert send(auth, simulator.httpx_transport(), get(URL, headers=ACCEPT))[0].status_code == 200


def test_an_error_of_the_credentials_reaches_the_caller(send: Send, simulator: RegistrySimulator) -> None:
    def locked(_: Repository | None) -> tuple[Pinned, ...]:
        raise errors.StoreLocked("locked")

    with pytest.raises(errors.StoreLocked):
        send(RegistryAuth(locked), simulator.httpx_transport(), get(URL))


def test_an_anonymous_answer_asks_anonymously(send: Send) -> None:
    simulator = RegistrySimulator(anonymous_pull=True)
    simulator.add_image("team/app", "v1")
    auth = RegistryAuth(lambda _: (pinned(Anonymous(), "public"),))
    assert send(auth, simulator.httpx_transport(), get(URL, headers=ACCEPT))[0].status_code == 200
    assert simulator.requests[1].header("authorization") == ""


def test_two_clients_may_share_one_authorizers_tokens(simulator: RegistrySimulator) -> None:
    shared = Authorizer()
    for run in (send_sync, send_async):
        auth = RegistryAuth(lambda _: (pinned(Basic("robot", "pw")),), authorizer=shared)
        assert run(auth, simulator.httpx_transport(), get(URL, headers=ACCEPT))[0].status_code == 200
    assert len(simulator.requests) == 4


def test_it_works_under_respx(respx_mock: respx.MockRouter) -> None:
    token = respx_mock.get("https://r.example/token", params={"service": "r.example", "scope": "repository:team/app:pull"}).respond(
        json={"token": "tok"}
    )
    signed = respx_mock.get(URL, headers={"authorization": "Bearer tok"}).respond(json={"ok": True})
    bare = respx_mock.get(URL).respond(401, headers={"www-authenticate": BEARER})
    with httpx.Client(auth=robot()) as client:
        assert client.get(URL).json() == {"ok": True}
        assert client.get(URL).json() == {"ok": True}
    assert (bare.call_count, token.call_count, signed.call_count) == (1, 1, 2)


@pytest.mark.parametrize(
    ("method", "target", "path", "scope"),
    [
        ("GET", "/v2/team/app/manifests/v1", "team/app", "repository:team/app:pull"),
        ("HEAD", "/v2/team/app/manifests/sha256:00?ns=docker.io", "team/app", "repository:team/app:pull"),
        ("GET", "/v2/team/app/blobs/sha256:00", "team/app", "repository:team/app:pull"),
        ("GET", "/v2/team/app/tags/list?n=5", "team/app", "repository:team/app:pull"),
        ("GET", "/v2/team/app/referrers/sha256:00", "team/app", "repository:team/app:pull"),
        ("POST", "/v2/team/app/blobs/uploads/", "team/app", "repository:team/app:pull,push"),
        ("PATCH", "/v2/team/app/blobs/uploads/uuid", "team/app", "repository:team/app:pull,push"),
        ("PUT", "/v2/team/app/manifests/v1", "team/app", "repository:team/app:pull,push"),
        ("DELETE", "/v2/team/app/manifests/sha256:00", "team/app", "repository:team/app:delete"),
        ("GET", "/v2/manifests/manifests/manifests", "manifests", "repository:manifests:pull"),
        ("GET", "/v2/a/blobs/b/blobs/sha256:00", "a/blobs/b", "repository:a/blobs/b:pull"),
        ("GET", "/v2/", "", ""),
        ("GET", "/v2/_catalog?n=10", "", ""),
    ],
)
def test_what_a_request_is_about(method: str, target: str, path: str, scope: str) -> None:
    repository, scopes = wanted_by(our_get(target).replace(method=method))
    assert repository == Repository(Registry("r.example"), path)
    assert " ".join(map(str, scopes)) == scope


@pytest.mark.parametrize("target", ["/", "/token", "/v1/x", "/v2", "/x/v2/team/app/manifests/v1", "/V2/team/app/manifests/v1"])
def test_what_is_about_no_registry(target: str) -> None:
    assert wanted_by(our_get(target)) == (None, ())


def test_docker_hubs_own_host_is_docker_hub() -> None:
    repository, _ = wanted_by(our_get("/v2/library/ubuntu/manifests/latest", origin="https://registry-1.docker.io"))
    assert str(repository) == "docker.io/library/ubuntu"


def test_basic_is_answered_through_httpx_once_for_many(simulator: RegistrySimulator) -> None:
    """The password is tried inside a flight; its refusal is read, closed and given back all the same."""
    simulator.auth = "basic"
    auth = RegistryAuth(lambda _: (pinned(Basic("robot", "wrong"), "one"), pinned(Basic("robot", "pw"), "two")))
    with httpx.Client(auth=auth, transport=simulator.httpx_transport()) as client:
        assert [client.get(URL).status_code for _ in range(3)] == [200] * 3
    sent = [base64.b64decode(r.header("authorization").partition(" ")[2]).decode() for r in simulator.requests if r.header("authorization")]
    assert sent.count("robot:wrong") == 1
    assert sent[-1] == "robot:pw"


def test_a_password_that_was_refused_is_not_left_in_the_request(simulator: RegistrySimulator) -> None:
    """The second slot was refused a moment ago, so the request goes without one; not with the first slot's again."""
    simulator.auth = "basic"
    one, two = pinned(Basic("robot", "wrong"), "one"), pinned(Basic("robot", "also wrong"), "two")
    held = [(two,), (one, two)]
    auth = RegistryAuth(lambda _: held[0])
    with httpx.Client(auth=auth, transport=simulator.httpx_transport()) as client:
        assert client.get(URL).status_code == 401
        held.pop(0)
        assert client.get(URL).status_code == 401
    assert [r.header("authorization") for r in simulator.requests if r.header("authorization")] == [
        exchange.basic(Basic("robot", "also wrong")),
        exchange.basic(Basic("robot", "wrong")),
    ]


def test_an_authorization_of_the_users_own_comes_back(simulator: RegistrySimulator) -> None:
    simulator.auth = "none"
    with httpx.Client(auth=robot(), transport=simulator.httpx_transport()) as client:
        client.get(URL, headers={"authorization": "Bearer mine"})
    assert [r.header("authorization") for r in simulator.requests] == ["Bearer mine"]
