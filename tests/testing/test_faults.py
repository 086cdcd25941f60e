from __future__ import annotations

import pytest

from registryauth._http.messages import Request, Response
from registryauth._origin import Url
from registryauth.digest import Digest
from registryauth.errors import SizeMismatch, TransportError
from registryauth.testing import RegistrySimulator, faults

from .asking import ask, bearer

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


def opened(simulator):
    return ask(simulator, "POST", "/v2/a/blobs/uploads/").headers.get("location")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("fields", [{}, {"content_range": "0-9"}])
def test_a_cut_upload_keeps_what_came_and_can_be_resumed(simulator, method, fields):
    location = opened(simulator)
    simulator.interfere(faults.cut_upload(f"{method} .*uploads", 4, times=1))
    fresh = b"abcdefghij"
    whole = f"{location}?digest={Digest.of(fresh)}"
    with pytest.raises(TransportError):
        ask(simulator, method, whole, body=fresh, **fields)
    assert ask(simulator, "GET", location).headers.get("range") == "0-3"
    assert ask(simulator, "PUT", whole, body=fresh[4:], content_range="4-9").status == 201


def test_a_cut_upload_of_a_manifest_or_of_one_post_leaves_nothing(simulator):
    before = dict(simulator.shelf.blobs), dict(simulator.shelf.manifests["a"])
    simulator.interfere(faults.cut_upload("(PUT|POST) ", 2))
    for method, path in (("PUT", "/v2/a/manifests/v2"), ("POST", f"/v2/a/blobs/uploads/?digest={Digest.of(b'xyz')}")):
        with pytest.raises(TransportError):
            ask(simulator, method, path, body=b"xyz")
    assert (simulator.shelf.blobs, simulator.shelf.manifests["a"]) == before


def test_a_cut_upload_before_its_first_byte_keeps_none(simulator):
    location = opened(simulator)
    simulator.interfere(faults.cut_upload("PATCH", 0))
    with pytest.raises(TransportError):
        ask(simulator, "PATCH", location, body=b"xyz")
    simulator.behave()
    assert ask(simulator, "PUT", f"{location}?digest={Digest.of(BLOB)}", body=BLOB).status == 201


def test_a_cut_download_announces_all_and_breaks(simulator):
    simulator.alter(faults.cut_download("/blobs/", 4))
    answer = get(simulator, f"/v2/a/blobs/{Digest.of(BLOB)}")
    assert answer.headers.get("content-length") == "10"
    got = []
    with pytest.raises(TransportError):
        got.extend(bytes(chunk) for chunk in answer.chunks(3))
    assert b"".join(got) == BLOB[:4]


def test_a_slow_answer_takes_its_time_and_a_slow_body_every_time(simulator):
    slept = []
    simulator.interfere(faults.slow("/v2/", 7, sleep=slept.append))
    simulator.alter(faults.slow_body("/blobs/", 3, size=4, sleep=slept.append))
    assert get(simulator, f"/v2/a/blobs/{Digest.of(BLOB)}").read(100) == BLOB
    assert slept == [7, 3, 3, 3, 3]


def test_a_good_token_can_be_expired():
    simulator = RegistrySimulator(accounts={"robot": "secret"})
    simulator.interfere(faults.expired_token("/v2/", times=1))
    token = bearer(simulator, "repository:a:pull")
    said = [ask(simulator, "GET", "/v2/", authorization=token) for _ in range(2)]
    assert [answer.status for answer in said] == [401, 200]
    assert 'error="invalid_token"' in said[0].headers.get("www-authenticate")
    assert simulator.requests[-2].header("authorization") == token


def test_a_refused_chunk_says_where_to_go_on(simulator):
    location = opened(simulator)
    ask(simulator, "PATCH", location, body=b"abc")
    simulator.interfere(faults.refused_chunk("PATCH", times=1))
    refused = ask(simulator, "PATCH", location, body=b"def", content_range="3-5")
    assert (refused.status, refused.headers.get("range"), refused.headers.get("location")) == (416, "0-2", location)
    assert ask(simulator, "PATCH", location, body=b"def", content_range="3-5").status == 202


def test_a_lost_chunk_shows_in_the_range_alone(simulator):
    location = opened(simulator)
    ask(simulator, "PATCH", location, body=b"abc")
    simulator.interfere(faults.lost_chunk("PATCH", times=1))
    lost = ask(simulator, "PATCH", location, body=b"def", content_range="3-5")
    assert (lost.status, lost.headers.get("range")) == (202, "0-2")
    assert ask(simulator, "PUT", f"{location}?digest={Digest.of(b'abcdef')}", body=b"def").status == 201


def test_an_offset_can_lie(simulator):
    location = opened(simulator)
    simulator.alter(faults.wrong_offset("PATCH", 99))
    assert ask(simulator, "PATCH", location, body=b"abc").headers.all("range") == ["0-99"]
    assert ask(simulator, "GET", location).headers.get("range") == "0-2"


def test_a_digest_can_be_of_something_else(simulator):
    simulator.alter(faults.wrong_digest("manifests"))
    answer = get(simulator)
    assert not Digest.parse(answer.headers.get("docker-content-digest")).matches(answer.read(1 << 16))


@pytest.mark.parametrize("origin", ["https://other.example", "http://registry.example", ""])
def test_a_location_can_lead_elsewhere(simulator, origin):
    simulator.alter(faults.wrong_location("POST .*uploads", origin))
    location = opened(simulator)
    assert location.startswith(f"{origin}/v2/a/blobs/uploads/")
    simulator.alter(faults.wrong_location("GET .*uploads", ""))
    simulator.features = simulator.features.replace(absolute_locations=True)
    assert ask(simulator, "GET", location).headers.get("location").startswith("/v2/")


def test_a_range_can_be_ignored(simulator):
    simulator.interfere(faults.ignored_range("/blobs/", times=1))
    path = f"/v2/a/blobs/{Digest.of(BLOB)}"
    said = [ask(simulator, "GET", path, range="bytes=4-") for _ in range(2)]
    assert [(answer.status, answer.read(100)) for answer in said] == [(200, BLOB), (206, BLOB[4:])]


def test_interferences_stand_one_behind_the_other(simulator):
    seen = []
    for name in ("inner", "outer"):
        simulator.interfere(lambda request, then, name=name: (seen.append(name), then(request))[1])
    assert get(simulator).status == 200
    assert seen == ["outer", "inner"]
    simulator.behave()
    get(simulator)
    assert len(seen) == 2
