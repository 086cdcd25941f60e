from __future__ import annotations

import json

import pytest

from registryauth.digest import Digest
from registryauth.testing import Features, RegistrySimulator

from .asking import INDEX, MANIFEST, ask, code, document, put_manifest


@pytest.fixture
def simulator():
    return RegistrySimulator(auth="none")


def referrers(simulator, subject, query=""):
    answer = ask(simulator, "GET", f"/v2/a/referrers/{subject}{query}")
    return answer, [one["digest"] for one in document(answer)["manifests"]]


def described(digest, **fields):
    return {"mediaType": MANIFEST, "digest": str(digest), "size": 1} | fields


SUBJECT = Digest.of(b"the subject")


def test_a_subject_is_acknowledged_and_found_though_it_is_not_there_yet(simulator):
    answer, body = put_manifest(simulator, "a", "v1", subject=described(SUBJECT), artifactType="text/sbom", annotations={"by": "us"})
    assert (answer.status, answer.headers.get("oci-subject")) == (201, str(SUBJECT))
    listed = ask(simulator, "GET", f"/v2/a/referrers/{SUBJECT}")
    assert listed.headers.get("content-type") == INDEX
    assert document(listed) == {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                "mediaType": MANIFEST,
                "digest": str(Digest.of(body)),
                "size": len(body),
                "artifactType": "text/sbom",
                "annotations": {"by": "us"},
            }
        ],
    }


def test_an_artifact_type_that_is_not_given_is_the_configs(simulator):
    put_manifest(simulator, "a", "v1", subject=described(SUBJECT))
    answer = ask(simulator, "GET", f"/v2/a/referrers/{SUBJECT}")
    assert document(answer)["manifests"][0]["artifactType"] == "application/x"


def test_an_index_without_artifact_type_refers_without_one(simulator):
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": described(SUBJECT)}).encode()
    assert ask(simulator, "PUT", "/v2/a/manifests/v1", body=body, content_type=INDEX).status == 201
    (only,) = document(ask(simulator, "GET", f"/v2/a/referrers/{SUBJECT}"))["manifests"]
    assert "artifactType" not in only


def test_no_referrers_are_an_empty_index_and_no_digest_is_400(simulator):
    assert referrers(simulator, SUBJECT)[1] == []
    assert code(ask(simulator, "GET", "/v2/a/referrers/sha256:short")) == (400, "DIGEST_INVALID")


def test_referrers_are_filtered_and_it_is_said(simulator):
    put_manifest(simulator, "a", "v1", subject=described(SUBJECT), artifactType="text/sbom")
    _, signature = put_manifest(simulator, "a", "v2", subject=described(SUBJECT), artifactType="text/signature")
    answer, found = referrers(simulator, SUBJECT, "?artifactType=text/signature")
    assert (found, answer.headers.get("oci-filters-applied")) == ([str(Digest.of(signature))], "artifactType")
    simulator.features = Features(filters=False)
    answer, found = referrers(simulator, SUBJECT, "?artifactType=text/signature")
    assert (len(found), "oci-filters-applied" in answer.headers) == (2, False)


def test_referrers_come_in_pages_that_keep_the_filter(simulator):
    simulator.features = Features(page_size=2)
    for number in range(5):
        put_manifest(simulator, "a", "v1", subject=described(SUBJECT), artifactType="text/sbom+json", annotations={"n": str(number)})
    put_manifest(simulator, "a", "v1", subject=described(SUBJECT), artifactType="text/other")
    seen, path = [], f"/v2/a/referrers/{SUBJECT}?artifactType=text/sbom%2Bjson"
    while path:
        answer = ask(simulator, "GET", path)
        assert answer.headers.get("oci-filters-applied") == "artifactType"
        seen.append([one["digest"] for one in document(answer)["manifests"]])
        path = answer.headers.get("link").partition(">")[0].removeprefix("<")
    assert [len(page) for page in seen] == [2, 2, 1]
    assert len({digest for page in seen for digest in page}) == 5


def test_without_referrers_a_client_has_to_keep_the_tag(simulator):
    simulator.features = Features(referrers=False)
    answer, _ = put_manifest(simulator, "a", "v1", subject=described(SUBJECT))
    assert (answer.status, "oci-subject" in answer.headers) == (201, False)
    assert ask(simulator, "GET", f"/v2/a/referrers/{SUBJECT}").status == 404


def test_a_tag_is_deleted_and_its_manifest_stays(simulator):
    digest = simulator.add_image("a", "v1")
    simulator.add_image("a", "v2")
    assert ask(simulator, "DELETE", "/v2/a/manifests/v1").status == 202
    assert ask(simulator, "GET", "/v2/a/manifests/v1").status == 404
    assert ask(simulator, "GET", f"/v2/a/manifests/{digest}").status == 200
    assert document(ask(simulator, "GET", "/v2/a/tags/list"))["tags"] == ["v2"]


def test_a_manifest_is_deleted_with_its_tags(simulator):
    digest = simulator.add_image("a", "v1")
    assert ask(simulator, "DELETE", f"/v2/a/manifests/{digest}").status == 202
    for reference in ("v1", digest):
        assert ask(simulator, "GET", f"/v2/a/manifests/{reference}").status == 404
        assert code(ask(simulator, "DELETE", f"/v2/a/manifests/{reference}")) == (404, "MANIFEST_UNKNOWN")
    assert document(ask(simulator, "GET", "/v2/a/tags/list"))["tags"] == []
    assert code(ask(simulator, "DELETE", "/v2/b/manifests/v1")) == (404, "NAME_UNKNOWN")


def test_a_blob_is_deleted_from_one_repository(simulator):
    everywhere = simulator.add_blob(b"1")
    shared = simulator.shelf.add_blob(b"2", repository="a")
    simulator.shelf.link_blob("b", shared)
    for digest in (everywhere, shared):
        assert ask(simulator, "DELETE", f"/v2/a/blobs/{digest}").status == 202
        assert ask(simulator, "GET", f"/v2/a/blobs/{digest}").status == 404
        assert ask(simulator, "DELETE", f"/v2/a/blobs/{digest}").status == 404
        assert ask(simulator, "GET", f"/v2/b/blobs/{digest}").status == 200
    assert ask(simulator, "DELETE", f"/v2/b/blobs/{shared}").status == 202
    assert list(simulator.shelf.blobs) == [everywhere]


@pytest.mark.parametrize("deletable", ["tags", "manifests", "blobs"])
def test_what_cannot_be_deleted_is_405(deletable):
    simulator = RegistrySimulator(auth="none", features=Features(delete=[deletable]))
    digest = simulator.add_image("a", "v1", [b"layer"])
    paths = {"tags": "/v2/a/manifests/v1", "manifests": f"/v2/a/manifests/{digest}", "blobs": f"/v2/a/blobs/{Digest.of(b'layer')}"}
    for kind, path in paths.items():
        if kind != deletable:
            assert code(ask(simulator, "DELETE", path)) == (405, "UNSUPPORTED")
    assert ask(simulator, "DELETE", paths[deletable]).status == 202


def test_a_blob_is_in_the_repository_that_it_was_put_in(simulator):
    digest = Digest.of(b"x")
    assert ask(simulator, "POST", f"/v2/a/blobs/uploads/?digest={digest}", body=b"x").status == 201
    assert ask(simulator, "GET", f"/v2/b/blobs/{digest}").status == 404
    body = json.dumps({"schemaVersion": 2, "layers": [{"digest": str(digest)}]}).encode()
    assert ask(simulator, "PUT", "/v2/a/manifests/v1", body=body, content_type=MANIFEST).status == 201
    assert code(ask(simulator, "PUT", "/v2/b/manifests/v1", body=body, content_type=MANIFEST)) == (400, "MANIFEST_BLOB_UNKNOWN")
    simulator.features = Features(sparse=True)
    assert ask(simulator, "PUT", "/v2/b/manifests/v1", body=body, content_type=MANIFEST).status == 201


def test_a_foreign_layer_need_not_be_there(simulator):
    foreign = {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "digest": str(SUBJECT), "size": 1}
    assert put_manifest(simulator, "a", "v1", layers=[foreign])[0].status == 201


@pytest.mark.parametrize("broken", [{"layers": 7}, {"layers": [{}]}, {"config": "x"}, {"subject": {"digest": "x"}}, {"manifests": [1]}])
def test_a_manifest_of_the_wrong_shape_is_invalid(simulator, broken):
    assert code(put_manifest(simulator, "a", "v1", **broken)[0]) == (400, "MANIFEST_INVALID")


def test_a_manifest_put_by_digest_gets_the_tags_of_its_parameters(simulator):
    _, body = put_manifest(simulator, "a", "v0")
    digest = Digest.of(body, "sha512")
    answer, _ = put_manifest(simulator, "a", f"{digest}?tag=1&tag=1.2")
    assert (answer.status, answer.headers.all("oci-tag"), answer.headers.get("docker-content-digest")) == (201, ["1", "1.2"], str(digest))
    assert ask(simulator, "HEAD", "/v2/a/manifests/1.2").headers.get("docker-content-digest") == str(digest)
    assert code(put_manifest(simulator, "a", f"{digest}?tag=.bad")[0]) == (400, "TAG_INVALID")
    simulator.features = Features(tag_parameters=False)
    answer, _ = put_manifest(simulator, "a", f"{digest}?tag=2")
    assert (answer.status, "oci-tag" in answer.headers, simulator.shelf.find("a", "2")) == (201, False, None)


def test_a_manifest_that_a_client_has_is_not_sent_again(simulator):
    simulator.add_image("a", "v1")
    etag = ask(simulator, "GET", "/v2/a/manifests/v1").headers.get("etag")
    again = ask(simulator, "GET", "/v2/a/manifests/v1", if_none_match=etag)
    assert (again.status, again.read(10)) == (304, b"")
    simulator.features = Features(etags=False)
    assert "etag" not in ask(simulator, "GET", "/v2/a/manifests/v1", if_none_match=etag).headers


def test_a_conditional_put_loses_to_who_came_before(simulator):
    simulator.add_image("a", "v1")
    etag = ask(simulator, "HEAD", "/v2/a/manifests/v1").headers.get("etag")
    simulator.add_image("a", "v1", [b"somebody else's"])
    _, body = put_manifest(simulator, "a", "v2")

    def put(tag, **condition):
        return ask(simulator, "PUT", f"/v2/a/manifests/{tag}", body=body, content_type=MANIFEST, **condition).status

    assert (put("v1", if_match=etag), put("v1", if_none_match="*"), put("new", if_match=etag)) == (412, 412, 412)
    assert put("new", if_none_match="*") == 201
    assert put("v1", if_match=ask(simulator, "HEAD", "/v2/a/manifests/v1").headers.get("etag")) == 201
    simulator.features = Features(if_match=False)
    assert put("v1", if_match=etag) == 201
