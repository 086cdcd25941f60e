from __future__ import annotations

import pytest

from registryauth._http.messages import Request
from registryauth._origin import Url
from registryauth.digest import Digest
from registryauth.testing import Features, RegistrySimulator, uploads

from .asking import HOST, ask, bearer, code

WHOLE = b"hello world"
DIGEST = Digest.of(WHOLE)


@pytest.fixture
def simulator():
    return RegistrySimulator(auth="none")


def opened(simulator, repository="a"):
    return ask(simulator, "POST", f"/v2/{repository}/blobs/uploads/").headers.get("location")


def close(simulator, location, body=b"", digest=DIGEST, **headers):
    return ask(simulator, "PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", body=body, **headers)


def test_chunks_go_in_in_order_and_the_last_may_come_with_the_close(simulator):
    location = opened(simulator)
    fed = ask(simulator, "PATCH", location, body=WHOLE[:5], content_range="0-4")
    assert (fed.status, fed.headers.get("range")) == (202, "0-4")
    closed = close(simulator, fed.headers.get("location"), WHOLE[5:], content_range="5-10")
    assert closed.status == 201
    assert ask(simulator, "GET", closed.headers.get("location")).read(100) == WHOLE


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("range_", ["0-4", "6-10"])
def test_a_chunk_out_of_order_is_answered_with_the_state(simulator, method, range_):
    location = opened(simulator)
    ask(simulator, "PATCH", location, body=WHOLE[:5], content_range="0-4")
    refused = ask(simulator, method, f"{location}?digest={DIGEST}", body=b"12345", content_range=range_)
    assert (refused.status, refused.headers.get("range"), refused.headers.get("location")) == (416, "0-4", location)
    status = ask(simulator, "GET", location)
    assert (status.status, status.headers.get("range"), status.headers.get("location")) == (204, "0-4", location)


@pytest.mark.parametrize(("range_", "error"), [("nonsense", "BLOB_UPLOAD_INVALID"), ("0-9", "SIZE_INVALID"), ("0-", "BLOB_UPLOAD_INVALID")])
def test_a_content_range_that_cannot_be_is_refused_and_nothing_kept(simulator, range_, error):
    location = opened(simulator)
    assert code(ask(simulator, "PATCH", location, body=b"12345", content_range=range_)) == (400, error)
    assert close(simulator, location, WHOLE).status == 201


def test_a_close_with_another_digest_forgets_its_own_bytes_only(simulator):
    location = opened(simulator)
    ask(simulator, "PATCH", location, body=WHOLE[:5])
    assert code(close(simulator, location, b" there")) == (400, "DIGEST_INVALID")
    assert close(simulator, location, WHOLE[5:]).status == 201


def test_a_session_belongs_to_its_repository(simulator):
    location = opened(simulator, "a")
    assert code(ask(simulator, "PATCH", location.replace("/a/", "/b/"), body=b"x")) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_cancelled_session_is_gone(simulator):
    location = opened(simulator)
    assert ask(simulator, "DELETE", location).status == 204
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert ask(simulator, method, location).status == 404


def test_a_registry_without_single_post_opens_a_session_and_drops_the_body():
    simulator = RegistrySimulator(auth="none", features=Features(single_post=False))
    answer = ask(simulator, "POST", f"/v2/a/blobs/uploads/?digest={DIGEST}", body=WHOLE)
    assert answer.status == 202
    assert ask(simulator, "HEAD", f"/v2/a/blobs/{DIGEST}").status == 404
    assert close(simulator, answer.headers.get("location"), WHOLE).status == 201


def test_a_single_post_with_another_digest_leaves_nothing(simulator):
    assert code(ask(simulator, "POST", f"/v2/a/blobs/uploads/?digest={DIGEST}", body=b"x")) == (400, "DIGEST_INVALID")
    assert simulator.shelf.blobs == {}


def test_the_least_chunk_is_announced_and_only_the_last_may_be_shorter():
    simulator = RegistrySimulator(auth="none", features=Features(chunk_minimum=4))
    answer = ask(simulator, "POST", "/v2/a/blobs/uploads/")
    location = answer.headers.get("location")
    assert answer.headers.get("oci-chunk-min-length") == "4"
    assert ask(simulator, "PATCH", location, body=WHOLE[:8]).status == 202
    assert ask(simulator, "PATCH", location, body=WHOLE[8:]).status == 202
    assert code(ask(simulator, "PATCH", location, body=b"more")) == (400, "SIZE_INVALID")
    assert close(simulator, location).status == 201


def test_a_location_can_be_good_for_one_chunk_only():
    simulator = RegistrySimulator(auth="none", features=Features(upload_state=True))
    first = opened(simulator)
    second = ask(simulator, "PATCH", first, body=WHOLE[:5]).headers.get("location")
    assert first != second
    stale = ask(simulator, "PATCH", first, body=WHOLE[5:])
    assert (stale.status, stale.headers.get("location"), stale.headers.get("range")) == (416, second, "0-4")
    assert close(simulator, second, WHOLE[5:]).status == 201


def test_a_location_can_be_absolute():
    simulator = RegistrySimulator(auth="none", features=Features(absolute_locations=True))
    assert opened(simulator).startswith(f"{HOST}/v2/a/blobs/uploads/")


def test_an_upload_store_takes_no_token_and_the_blob_arrives_in_its_repository():
    store = "https://store.example/up/"
    simulator = RegistrySimulator(accounts={"robot": "secret"}, features=Features(upload_store=store))
    token = bearer(simulator, "repository:a:pull,push")
    location = ask(simulator, "POST", "/v2/a/blobs/uploads/", authorization=token).headers.get("location")
    assert location.startswith(store)
    assert ask(simulator, "PATCH", location, body=WHOLE, authorization=token).status == 400
    assert ask(simulator, "PATCH", location, body=WHOLE).status == 202
    assert close(simulator, location).status == 201
    assert ask(simulator, "HEAD", f"/v2/a/blobs/{DIGEST}", authorization=token).status == 200
    assert ask(simulator, "PUT", f"{store}nothing").status == 404


def test_the_digest_algorithm_is_checked_where_it_is_announced(simulator):
    assert ask(simulator, "POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512").status == 202
    assert code(ask(simulator, "POST", "/v2/a/blobs/uploads/?digest-algorithm=md5")) == (400, "DIGEST_INVALID")


def test_an_upload_has_a_largest_size(simulator, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BLOB", 8)
    location = opened(simulator)
    assert ask(simulator, "PATCH", location, body=b"12345").status == 202
    assert code(ask(simulator, "PATCH", location, body=b"12345")) == (413, "SIZE_INVALID")


@pytest.mark.parametrize(("mount", "source", "status"), [
    ("any", "&from=b", 201), ("any", "", 201), ("from", "&from=b", 201), ("from", "", 202), ("never", "&from=b", 202),
    ("any", "&from=c", 202),
])  # fmt: skip
def test_a_mount_takes_a_blob_from_where_it_is(mount, source, status):
    simulator = RegistrySimulator(auth="none", features=Features(mount=mount))
    simulator.shelf.add_blob(WHOLE, repository="b")
    answer = ask(simulator, "POST", f"/v2/a/blobs/uploads/?mount={DIGEST}{source}")
    assert answer.status == status
    assert ask(simulator, "HEAD", f"/v2/a/blobs/{DIGEST}").status == (200 if status == 201 else 404)
    if status == 201:
        assert (answer.headers.get("location"), answer.headers.get("docker-content-digest")) == (f"/v2/a/blobs/{DIGEST}", str(DIGEST))


def test_a_mount_of_what_is_nowhere_or_no_digest_opens_a_session(simulator):
    for digest in (DIGEST, "md5:00"):
        answer = ask(simulator, "POST", f"/v2/a/blobs/uploads/?mount={digest}&from=b")
        assert (answer.status, "/blobs/uploads/" in answer.headers.get("location")) == (202, True)


@pytest.fixture
def shared():
    rights = {"robot": {"team/*": ["pull", "push"], "secret/*": []}}
    simulator = RegistrySimulator(accounts={"robot": "secret", "other": "o"}, rights=rights)
    for repository in ("team/b", "secret/c"):
        simulator.shelf.add_blob(WHOLE, repository=repository)
    return simulator


def test_a_mount_asks_for_a_token_that_may_pull_at_its_source(shared):
    path = f"/v2/team/a/blobs/uploads/?mount={DIGEST}&from=team/b"
    both = "repository:team/a:pull,push", "repository:team/b:pull"
    narrow = ask(shared, "POST", path, authorization=bearer(shared, both[0]))
    challenge = narrow.headers.get("www-authenticate")
    assert narrow.status == 401
    assert f'scope="{" ".join(both)}",error="insufficient_scope"' in challenge
    assert ask(shared, "POST", path, authorization=bearer(shared, *both)).status == 201


@pytest.mark.parametrize("source", ["&from=secret/c", ""])
def test_a_mount_from_where_the_caller_may_not_pull_is_an_ordinary_upload(shared, source):
    shared.shelf.drop_blob("team/b", DIGEST)
    token = bearer(shared, "repository:team/a:pull,push", "repository:secret/c:pull")
    answer = ask(shared, "POST", f"/v2/team/a/blobs/uploads/?mount={DIGEST}{source}", authorization=token)
    assert answer.status == 202
    assert ask(shared, "HEAD", f"/v2/team/a/blobs/{DIGEST}", authorization=token).status == 404


@pytest.mark.parametrize(("method", "body"), [("POST", b"x"), ("GET", b"x"), ("PATCH", b"")])
def test_a_broken_request_that_leaves_no_bytes_comes_to_nothing(method, body):
    request = Request(method, Url.parse(f"{HOST}/v2/a/blobs/uploads/x"), body=b"xyz")
    assert uploads.arrived(request, body) is None
