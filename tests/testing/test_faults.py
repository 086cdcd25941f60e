from __future__ import annotations

import pytest

from registryauth._http.messages import Request, Response
from registryauth._origin import Url
from registryauth.digest import Digest
from registryauth.errors import SizeMismatch, TransportError
from registryauth.testing import RegistrySimulator, faults

BLOB = b"0123456789"


@pytest.fixture
def simulator():
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("a", "v1", [BLOB])
    return simulator


def get(simulator, path="/v2/a/manifests/v1"):
    return simulator.handle(Request("GET", Url.parse(f"https://registry.example{path}")))


def test_an_injected_function_answers_before_the_registry(simulator):
    simulator.inject(lambda request: Response.of(418, [], request.url) if "manifests" in request.url.target else None)
    assert (get(simulator).status, get(simulator, "/v2/").status) == (418, 200)
    simulator.behave()
    assert get(simulator).status == 200


def test_a_fault_strikes_as_often_as_it_was_told(simulator):
    simulator.inject(faults.too_many_requests("GET /v2/a/manifests/", retry_after="7", times=2))
    answers = [get(simulator) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers.get("retry-after") == "7"


def test_a_429_may_come_without_advice(simulator):
    simulator.inject(faults.too_many_requests("manifests", retry_after=""))
    assert "retry-after" not in get(simulator).headers


def test_a_server_error_is_no_json(simulator):
    simulator.inject(faults.server_error("manifests", status=503))
    answer = get(simulator)
    assert (answer.status, answer.headers.get("content-type")) == (503, "text/html")


def test_no_answer_is_recorded_all_the_same(simulator):
    simulator.inject(faults.no_answer("manifests", times=1))
    with pytest.raises(TransportError):
        get(simulator)
    assert get(simulator).status == 200
    assert len(simulator.requests) == 2


@pytest.mark.parametrize("announced", [True, False])
def test_an_oversized_body_is_as_long_as_told(simulator, announced):
    simulator.inject(faults.oversized_body("manifests", 300_000, announced=announced))
    answer = get(simulator)
    assert answer.headers.get("content-length") == ("300000" if announced else "")
    assert sum(len(chunk) for chunk in answer.chunks()) == 300_000
    with pytest.raises(SizeMismatch):
        get(simulator).read(299_999)


def test_a_gzip_bomb_is_small_on_the_wire(simulator):
    simulator.inject(faults.gzip_bomb("manifests", size=1 << 20))
    answer = get(simulator)
    assert answer.headers.get("content-encoding") == "gzip"
    assert int(answer.headers.get("content-length")) < 2048


def test_terminal_escapes_arrive_in_a_wellformed_error(simulator):
    simulator.inject(faults.terminal_escapes("manifests"))
    body = get(simulator).read(1000)
    assert b"\\u001b[2J" in body


def test_a_wrong_body_has_the_right_length_and_the_claimed_digest(simulator):
    simulator.alter(faults.wrong_body("/blobs/"))
    digest = Digest.of(BLOB)
    answer = get(simulator, f"/v2/a/blobs/{digest}")
    body = answer.read(100)
    assert len(body) == len(BLOB)
    assert answer.headers.get("docker-content-digest") == str(digest)
    assert not digest.matches(body)


def test_a_truncated_body_announces_what_it_sends(simulator):
    simulator.alter(faults.truncated_body("/blobs/", missing=3))
    answer = get(simulator, f"/v2/a/blobs/{Digest.of(BLOB)}")
    assert (answer.headers.get("content-length"), answer.read(100)) == ("7", BLOB[:7])


def test_a_header_field_can_say_something_else(simulator):
    right = get(simulator).read(1 << 16)
    simulator.alter(faults.wrong_field("manifests", "Content-Type", "text/html", times=1))
    answer = get(simulator)
    assert answer.headers.all("content-type") == ["text/html"]
    assert answer.read(1 << 16) == right
    assert get(simulator).headers.get("content-type") != "text/html"
