from __future__ import annotations

import json

import pytest

from registryauth.digest import Digest
from registryauth.testing import RegistrySimulator

from .asking import HOST, ask, basic, bearer, document
from .asking import MANIFEST as OCI_MANIFEST


@pytest.fixture
def simulator():
    return RegistrySimulator(accounts={"robot": "secret", "reader": "r"}, rights={"reader": {"pull"}}, clock=lambda: 1_000_000)


@pytest.fixture
def open_simulator():
    return RegistrySimulator(auth="none")


def test_a_stranger_is_challenged_without_a_scope_at_the_front_door(simulator):
    answer = ask(simulator, "GET", "/v2/")
    assert answer.status == 401
    assert answer.headers.get("www-authenticate") == f'Bearer realm="{HOST}/token",service="registry.simulator"'


def test_a_challenge_names_the_scope_and_the_body_says_why(simulator):
    answer = ask(simulator, "GET", "/v2/team/model/manifests/v1")
    assert answer.headers.get("www-authenticate").endswith(',scope="repository:team/model:pull"')
    assert document(answer)["errors"][0]["code"] == "UNAUTHORIZED"


def test_a_push_needs_both_rights(simulator):
    answer = ask(simulator, "POST", "/v2/team/model/blobs/uploads/")
    assert 'scope="repository:team/model:pull,push"' in answer.headers.get("www-authenticate")


def test_a_token_opens_its_repository_and_no_other(simulator):
    simulator.add_image("team/model", "v1")
    simulator.add_image("team/other", "v1")
    token = bearer(simulator, "repository:team/model:pull")
    assert ask(simulator, "GET", "/v2/team/model/manifests/v1", authorization=token).status == 200
    refused = ask(simulator, "GET", "/v2/team/other/manifests/v1", authorization=token)
    assert refused.status == 401
    assert 'error="insufficient_scope"' in refused.headers.get("www-authenticate")


@pytest.mark.parametrize("token", ["Bearer nonsense", "Bearer a.b.c", "Bearer \u00e9", "Bearer ..", "Basic cm9ib3Q6c2VjcmV0"])
def test_a_foreign_token_is_invalid(simulator, token):
    answer = ask(simulator, "GET", "/v2/", authorization=token)
    assert answer.status == 401
    assert ('error="invalid_token"' in answer.headers.get("www-authenticate")) == token.startswith("Bearer")


def test_an_altered_token_is_invalid(simulator):
    head, payload, signature = bearer(simulator, "repository:a:pull").removeprefix("Bearer ").split(".")
    swapped = payload.replace(payload[5], "A" if payload[5] != "A" else "B", 1)
    assert ask(simulator, "GET", "/v2/", authorization=f"Bearer {head}.{swapped}.{signature}").status == 401


def test_another_simulators_token_is_invalid(simulator):
    other = RegistrySimulator(accounts={"robot": "secret"}, clock=lambda: 1_000_000)
    assert ask(simulator, "GET", "/v2/", authorization=bearer(other, "repository:a:pull")).status == 401


def test_a_token_ends_when_its_lifetime_does():
    now = 1_000_000.0
    simulator = RegistrySimulator(accounts={"robot": "secret"}, clock=lambda: now, token_lifetime=60)
    token = bearer(simulator, "repository:a:pull")
    now += 59
    assert ask(simulator, "GET", "/v2/", authorization=token).status == 200
    now += 1
    expired = ask(simulator, "GET", "/v2/", authorization=token)
    assert 'error="invalid_token"' in expired.headers.get("www-authenticate")


def test_basic_auth_takes_the_password_itself():
    simulator = RegistrySimulator(auth="basic", accounts={"robot": "a:b", "reader": "r"}, rights={"reader": {"pull"}})
    challenge = ask(simulator, "GET", "/v2/")
    assert (challenge.status, challenge.headers.get("www-authenticate")) == (401, 'Basic realm="registry simulator"')
    assert ask(simulator, "GET", "/v2/", authorization=basic("robot", "a:b")).status == 200
    assert ask(simulator, "GET", "/v2/", authorization=basic("robot", "a")).status == 401
    assert ask(simulator, "GET", "/v2/", authorization="Basic !!!").status == 401
    assert ask(simulator, "POST", "/v2/a/blobs/uploads/", authorization=basic("reader", "r")).status == 403


def test_basic_auth_with_anonymous_pull_lets_strangers_read_only():
    simulator = RegistrySimulator(auth="basic", accounts={"robot": "s"}, anonymous_pull=True)
    simulator.add_image("a", "v1")
    assert ask(simulator, "GET", "/v2/a/manifests/v1").status == 200
    assert ask(simulator, "POST", "/v2/a/blobs/uploads/").status == 401
    assert ask(simulator, "GET", "/v2/a/manifests/v1", authorization=basic("robot", "wrong")).status == 401


def test_a_password_that_is_rotated_is_refused_at_once():
    accounts = {"robot": "old"}
    simulator = RegistrySimulator(auth="basic", accounts=accounts)
    accounts["robot"] = "new"
    assert ask(simulator, "GET", "/v2/", authorization=basic("robot", "old")).status == 401


def test_a_manifest_is_served_by_tag_and_by_digest(open_simulator):
    digest = open_simulator.add_image("team/model", "v1", [b"layer"], platform="linux/arm64/v8")
    for reference in ("v1", str(digest)):
        answer = ask(open_simulator, "GET", f"/v2/team/model/manifests/{reference}")
        body = answer.read(1 << 20)
        assert digest.matches(body)
        assert answer.headers.get("content-type") == OCI_MANIFEST
        assert answer.headers.get("docker-content-digest") == str(digest)
        assert answer.headers.get("content-length") == str(len(body))


def test_an_image_is_whole(open_simulator):
    open_simulator.add_image("team/model", "v1", [b"layer"], platform="linux/arm64/v8")
    manifest = document(ask(open_simulator, "GET", "/v2/team/model/manifests/v1"))
    config = document(ask(open_simulator, "GET", f"/v2/team/model/blobs/{manifest['config']['digest']}"))
    layer = ask(open_simulator, "GET", f"/v2/team/model/blobs/{manifest['layers'][0]['digest']}").read(100)
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm64", "v8")
    assert config["rootfs"]["diff_ids"] == [str(Digest.of(b"layer"))]
    assert layer == b"layer"


def test_head_says_the_same_without_a_body(open_simulator):
    open_simulator.add_image("team/model", "v1")
    got = ask(open_simulator, "GET", "/v2/team/model/manifests/v1")
    headed = ask(open_simulator, "HEAD", "/v2/team/model/manifests/v1")
    assert list(headed.headers) == list(got.headers)
    assert headed.read(1 << 20) == b""


def test_an_index_names_its_images_by_platform(open_simulator):
    amd = open_simulator.add_image("a", None, [b"1"])
    arm = open_simulator.add_image("a", None, [b"2"], platform="linux/arm64")
    open_simulator.add_index("a", "all", {"linux/amd64": amd, "linux/arm64": arm})
    manifests = document(ask(open_simulator, "GET", "/v2/a/manifests/all"))["manifests"]
    assert [(m["digest"], m["platform"]["architecture"]) for m in manifests] == [(str(amd), "amd64"), (str(arm), "arm64")]


def test_a_client_that_does_not_accept_oci_gets_none(open_simulator):
    open_simulator.add_image("a", "v1")
    docker_only = "application/vnd.docker.distribution.manifest.v2+json"
    assert ask(open_simulator, "GET", "/v2/a/manifests/v1", accept=docker_only).status == 404
    assert ask(open_simulator, "GET", "/v2/a/manifests/v1", accept=f"{docker_only}, {OCI_MANIFEST};q=0.9").status == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/a/manifests/none", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/a/manifests/sha256:{'0' * 64}", 404, "MANIFEST_UNKNOWN"),
        ("/v2/a/manifests/sha256:short", 400, "DIGEST_INVALID"),
        (f"/v2/a/blobs/sha256:{'0' * 64}", 404, "BLOB_UNKNOWN"),
        ("/v2/a/blobs/md5:00", 400, "DIGEST_INVALID"),
        ("/v2/nothing/tags/list", 404, "NAME_UNKNOWN"),
        ("/v2/UPPER/manifests/v1", 404, "NAME_INVALID"),
        ("/elsewhere", 404, "NAME_INVALID"),
    ],
)
def test_what_is_not_there_is_said_in_the_specs_words(open_simulator, path, status, code):
    open_simulator.add_image("a", "v1")
    answer = ask(open_simulator, "GET", path)
    assert (answer.status, document(answer)["errors"][0]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("asked", "status", "body", "where"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-4", 206, b"6789", "bytes 6-9/10"),
        ("bytes=0-1,4-5", 200, b"0123456789", ""),
    ],
)
def test_a_range_of_a_blob(open_simulator, asked, status, body, where):
    digest = open_simulator.add_blob(b"0123456789")
    answer = ask(open_simulator, "GET", f"/v2/a/blobs/{digest}", range=asked)
    assert (answer.status, answer.read(100), answer.headers.get("content-range")) == (status, body, where)


def test_a_range_behind_the_end_cannot_be_had(open_simulator):
    digest = open_simulator.add_blob(b"0123456789")
    answer = ask(open_simulator, "GET", f"/v2/a/blobs/{digest}", range="bytes=10-")
    assert (answer.status, answer.headers.get("content-range")) == (416, "bytes */10")


def test_tags_come_sorted_and_in_pages(open_simulator):
    for tag in ("c", "a", "b"):
        open_simulator.add_image("team/model", tag)
    assert document(ask(open_simulator, "GET", "/v2/team/model/tags/list")) == {"name": "team/model", "tags": ["a", "b", "c"]}
    first = ask(open_simulator, "GET", "/v2/team/model/tags/list?n=2")
    assert first.headers.get("link") == '</v2/team/model/tags/list?n=2&last=b>; rel="next"'
    last = ask(open_simulator, "GET", "/v2/team/model/tags/list?n=2&last=b")
    assert (document(last)["tags"], "link" in last.headers) == (["c"], False)


def test_blobs_are_redirected_and_the_store_refuses_a_token(open_simulator):
    open_simulator.blob_redirect = "https://cdn.example/store/"
    digest = open_simulator.add_blob(b"layer")
    answer = ask(open_simulator, "GET", f"/v2/a/blobs/{digest}")
    location = answer.headers.get("location")
    assert (answer.status, location) == (307, f"https://cdn.example/store/{digest}")
    assert ask(open_simulator, "GET", location).read(10) == b"layer"
    assert ask(open_simulator, "GET", location, authorization="Bearer x").status == 400
    assert ask(open_simulator, "GET", f"/v2/a/blobs/sha256:{'0' * 64}").status == 404


def test_a_blob_goes_in_by_session_in_pieces(open_simulator):
    digest = Digest.of(b"hello world")
    opened = ask(open_simulator, "POST", "/v2/a/blobs/uploads/")
    assert opened.status == 202
    fed = ask(open_simulator, "PATCH", opened.headers.get("location"), body=b"hello ", content_range="0-5")
    assert (fed.status, fed.headers.get("range")) == (202, "0-5")
    assert ask(open_simulator, "PATCH", fed.headers.get("location"), body=b"x", content_range="9-9").status == 416
    closed = ask(open_simulator, "PUT", f"{fed.headers.get('location')}?digest={digest}", body=b"world")
    assert (closed.status, closed.headers.get("location")) == (201, f"/v2/a/blobs/{digest}")
    assert ask(open_simulator, "GET", closed.headers.get("location")).read(100) == b"hello world"
    assert ask(open_simulator, "GET", opened.headers.get("location")).status == 404


def test_a_blob_goes_in_by_one_post(open_simulator):
    digest = Digest.of(b"x", "sha512")
    assert ask(open_simulator, "POST", f"/v2/a/blobs/uploads/?digest={digest}", body=b"x").status == 201
    assert ask(open_simulator, "HEAD", f"/v2/a/blobs/{digest}").status == 200


def test_an_upload_with_another_digest_is_refused_and_may_be_given_up(open_simulator):
    location = ask(open_simulator, "POST", "/v2/a/blobs/uploads/").headers.get("location")
    refused = ask(open_simulator, "PUT", f"{location}?digest={Digest.of(b'other')}", body=b"x")
    assert (refused.status, document(refused)["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert ask(open_simulator, "GET", location).status == 204
    assert ask(open_simulator, "DELETE", location).status == 204
    assert ask(open_simulator, "GET", location).status == 404


def test_a_manifest_goes_in_byte_for_byte(open_simulator):
    config = open_simulator.add_blob(b"{}")
    body = json.dumps({"schemaVersion": 2, "config": {"digest": str(config)}, "layers": []}, indent=3).encode()
    put = ask(open_simulator, "PUT", "/v2/a/manifests/v1", body=body, content_type=OCI_MANIFEST)
    assert (put.status, put.headers.get("docker-content-digest")) == (201, str(Digest.of(body)))
    assert ask(open_simulator, "GET", "/v2/a/manifests/v1").read(1000) == body


@pytest.mark.parametrize(
    ("reference", "body", "content_type", "code"),
    [
        ("v1", b"no json", OCI_MANIFEST, "MANIFEST_INVALID"),
        ("v1", b"[]", OCI_MANIFEST, "MANIFEST_INVALID"),
        ("v1", b'{"schemaVersion":2,"mediaType":"other/type"}', OCI_MANIFEST, "MANIFEST_INVALID"),
        ("v1", b'{"schemaVersion":2}', "", "MANIFEST_INVALID"),
        (".v1", b'{"schemaVersion":2}', OCI_MANIFEST, "TAG_INVALID"),
        (f"sha256:{'0' * 64}", b'{"schemaVersion":2}', OCI_MANIFEST, "DIGEST_INVALID"),
        ("v1", b'{"schemaVersion":2,"layers":[{"digest":"sha256:%s"}]}' % (b"0" * 64), OCI_MANIFEST, "MANIFEST_BLOB_UNKNOWN"),
        ("v1", b'{"schemaVersion":2,"manifests":[{"digest":"sha256:%s"}]}' % (b"0" * 64), OCI_MANIFEST, "MANIFEST_BLOB_UNKNOWN"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(open_simulator, reference, body, content_type, code):
    refused = ask(open_simulator, "PUT", f"/v2/a/manifests/{reference}", body=body, content_type=content_type)
    assert (refused.status, document(refused)["errors"][0]["code"]) == (400, code)


def test_a_manifest_has_a_largest_size(open_simulator):
    assert ask(open_simulator, "PUT", "/v2/a/manifests/v1", body=bytes(4 * 1024 * 1024 + 1)).status == 413


def test_every_request_is_recorded_with_what_it_carried(simulator):
    ask(simulator, "GET", "/v2/", authorization="Bearer canary")
    assert [(r.method, str(r.url), r.header("authorization")) for r in simulator.requests] == [("GET", f"{HOST}/v2/", "Bearer canary")]
