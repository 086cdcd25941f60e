"""What refers to a manifest: by the API, or by the tag that stands in for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registryauth._http import Request, Response
from registryauth.client import RepositoryClient
from registryauth.client.referrers import fallback_tag
from registryauth.content.manifest import OCI_INDEX, OCI_MANIFEST
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, Error, RegistryError, Unsupported
from registryauth.testing import Features, RegistrySimulator, faults

from .clients import HOST, REPOSITORY, anonymous, app

EMPTY = Digest.of(b"{}")
SBOM = "application/vnd.example.sbom"


@pytest.fixture
def registry() -> RegistrySimulator:
    """Has team/app:v1 and the empty blob, and keeps no list of referrers."""
    simulator = RegistrySimulator(auth="none", features=Features(referrers=False))
    simulator.add_image(REPOSITORY, "v1")
    simulator.add_blob(b"{}")
    return simulator


@pytest.fixture
def repository(registry: RegistrySimulator) -> RepositoryClient:
    return app(registry)


@pytest.fixture
def subject(registry: RegistrySimulator) -> Digest:
    return registry.shelf.tags[REPOSITORY]["v1"]


def described(registry: RegistrySimulator, digest: Digest) -> dict[str, Any]:
    stored = registry.shelf.manifests[REPOSITORY][digest]
    return {"mediaType": stored.media_type, "digest": str(digest), "size": len(stored.content)}


def artifact(subject: dict[str, Any], artifact_type: str = SBOM, **more: Any) -> bytes:
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(EMPTY), "size": 2}
    typed = {"artifactType": artifact_type} if artifact_type else {}
    return json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, **typed, "config": config, "layers": [config], "subject": subject, **more}
    ).encode()


def fallback(registry: RegistrySimulator, subject: Digest) -> list[dict[str, Any]]:
    found = registry.shelf.find(REPOSITORY, fallback_tag(subject))
    assert found
    assert found[1].media_type == OCI_INDEX
    index = json.loads(found[1].content)
    assert {name: index[name] for name in index if name != "manifests"} == {"schemaVersion": 2, "mediaType": OCI_INDEX}
    rows: list[dict[str, Any]] = index["manifests"]
    return rows


def put_fallback(registry: RegistrySimulator, subject: Digest, content: bytes, media_type: str = OCI_INDEX) -> None:
    registry.shelf.add_manifest(REPOSITORY, media_type, content, tag=fallback_tag(subject))


def puts(registry: RegistrySimulator) -> list[str]:
    return [r.url.target.rpartition("/")[2] for r in registry.requests if r.method == "PUT"]


@pytest.mark.parametrize(
    ("digest", "tag"),
    [
        ("sha256:" + "aa" * 32, "sha256-" + "aa" * 32),
        ("sha512:" + "bb" * 64, "sha512-" + "bb" * 32),
    ],
)
def test_the_fallback_tag_is_the_specifications(digest: str, tag: str) -> None:
    assert fallback_tag(Digest.parse(digest)) == tag


def test_of_another_algorithm_what_no_tag_may_hold_is_replaced() -> None:
    """The specification's own examples."""
    assert (
        fallback_tag(
            Digest(
                "test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+truncation",
                "alsoSome=InTheEncodeSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation",
            )
        )
        == "test-algorithm-using-algorithm-s-alsoSome-InTheEncodeSectionToShowHyphenReplacementAndLotsAndLots"
    )


# Writing.


def test_with_oci_subject_no_fallback_is_written(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    registry.features = Features()
    put = repository.put_manifest(artifact(described(registry, subject)))
    assert puts(registry) == [str(put.digest)]
    assert len(registry.requests) == 1


def test_without_it_the_fallback_is_written(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    raw = artifact(described(registry, subject), annotations={"a": "1", "b": "\u00e9"})
    put = repository.put_manifest(raw)
    assert fallback(registry, subject) == [
        {
            "mediaType": OCI_MANIFEST,
            "digest": str(put.digest),
            "size": len(raw),
            "artifactType": SBOM,
            "annotations": {"a": "1", "b": "\u00e9"},
        }
    ]
    assert [r.method for r in registry.requests] == ["PUT", "GET", "PUT"]


def test_another_subject_in_the_answer_is_no_promise(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    registry.alter(faults.wrong_field("^PUT", "oci-subject", "sha256:" + "0" * 64))
    repository.put_manifest(artifact(described(registry, subject)))
    assert len(fallback(registry, subject)) == 1


def test_an_artifact_without_a_type_has_its_configs(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    repository.put_manifest(artifact(described(registry, subject), ""))
    assert fallback(registry, subject)[0]["artifactType"] == "application/vnd.oci.empty.v1+json"
    assert "annotations" not in fallback(registry, subject)[0]


def test_an_index_may_have_a_subject_too(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": described(registry, subject)}
    put = repository.put_manifest(json.dumps(index).encode())
    assert [row["digest"] for row in fallback(registry, subject)] == [str(put.digest)]
    assert "artifactType" not in fallback(registry, subject)[0]


def test_the_same_twice_is_listed_once(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    raw = artifact(described(registry, subject))
    for _ in range(2):
        repository.put_manifest(raw)
    assert len(fallback(registry, subject)) == 1
    assert puts(registry).count(fallback_tag(subject)) == 1


def test_the_next_is_added_and_what_is_there_kept_to_the_letter(
    registry: RegistrySimulator, repository: RepositoryClient, subject: Digest
) -> None:
    there = {**described(registry, subject), "annotations": {"x": "y"}, "unknown": [1]}
    put_fallback(registry, subject, json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [there]}).encode())
    put = repository.put_manifest(artifact(described(registry, subject)))
    assert fallback(registry, subject)[0] == there
    assert [row["digest"] for row in fallback(registry, subject)] == [str(subject), str(put.digest)]


@pytest.mark.parametrize(
    "there",
    [
        b"{}",
        b"[]",
        b"\xff",
        b'{"schemaVersion":2,"manifests":{}}',
        b'{"schemaVersion":2,"manifests":[1]}',
        b'{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha1:0","size":1}]}',
        b'{"schemaVersion":1}',
    ],
    ids=repr,
)
def test_what_is_no_index_under_that_tag_is_not_overwritten(
    registry: RegistrySimulator, repository: RepositoryClient, subject: Digest, there: bytes
) -> None:
    put_fallback(registry, subject, there)
    with pytest.raises(ContentError):
        repository.put_manifest(artifact(described(registry, subject)))
    found = registry.shelf.find(REPOSITORY, fallback_tag(subject))
    assert found
    assert found[1].content == there


def test_an_image_under_that_tag_is_not_overwritten(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    registry.shelf.tags[REPOSITORY][fallback_tag(subject)] = subject
    with pytest.raises(ContentError, match="should be an index"):
        repository.put_manifest(artifact(described(registry, subject)))
    assert registry.shelf.tags[REPOSITORY][fallback_tag(subject)] == subject


@pytest.mark.parametrize(
    "wrong",
    [
        1,
        "x",
        [],
        {},
        {"digest": "sha256:0"},
        {"mediaType": "x", "digest": "y", "size": 1},
        {"mediaType": "x", "digest": str(EMPTY), "size": -1},
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["manifest", "index"])
def test_a_subject_that_is_none_is_refused_before_any_request(
    registry: RegistrySimulator, repository: RepositoryClient, wrong: object, kind: str
) -> None:
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": wrong}).encode()
    with pytest.raises(ContentError):
        repository.put_manifest(artifact(wrong) if kind == "manifest" else index)  # type: ignore[arg-type]
    assert registry.requests == []


# Two at once.


class Rival:
    """Writes a row of its own whenever ours was just read, *times* times."""

    def __init__(self, registry: RegistrySimulator, subject: Digest, times: int) -> None:
        self._registry = registry
        self._subject = subject
        self.left = times

    def __call__(self, request: Request, response: Response) -> Response:
        if request.method == "GET" and fallback_tag(self._subject) in request.url.target and self.left:
            self.left -= 1
            row = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(b"%d" % self.left)), "size": 1}
            found = self._registry.shelf.find(REPOSITORY, fallback_tag(self._subject))
            rows = json.loads(found[1].content)["manifests"] if found else []
            index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*rows, row]}
            put_fallback(self._registry, self._subject, json.dumps(index).encode())
        return response


@pytest.fixture
def contested(registry: RegistrySimulator, subject: Digest) -> RegistrySimulator:
    registry.features = Features(referrers=False, sparse=True)
    put_fallback(registry, subject, json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode())
    return registry


def test_where_there_are_etags_no_writer_loses_anothers_entry(
    contested: RegistrySimulator, repository: RepositoryClient, subject: Digest
) -> None:
    contested.alter(Rival(contested, subject, 3))
    put = repository.put_manifest(artifact(described(contested, subject)))
    assert len(fallback(contested, subject)) == 4
    assert fallback(contested, subject)[-1]["digest"] == str(put.digest)


def test_a_rival_who_never_rests_is_an_error(contested: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    contested.alter(Rival(contested, subject, 1000))
    with pytest.raises(RegistryError) as caught:
        repository.put_manifest(artifact(described(contested, subject)))
    assert caught.value.status == 412
    assert len(contested.requests) < 20


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "bare", '"a b"', '"\u00e9"'])
def test_no_condition_is_made_of_what_is_no_strong_etag(
    contested: RegistrySimulator, repository: RepositoryClient, subject: Digest, etag: str
) -> None:
    contested.alter(faults.wrong_field("^GET", "etag", etag))
    repository.put_manifest(artifact(described(contested, subject)))
    assert len(fallback(contested, subject)) == 1
    assert not any(request.header("if-match") for request in contested.requests)


# Deleting.


def test_what_is_deleted_is_taken_out_of_the_fallback(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    first, second = (repository.put_manifest(artifact(described(registry, subject), kind)) for kind in (SBOM, "application/x"))
    repository.delete_manifest(first.digest)
    assert [row["digest"] for row in fallback(registry, subject)] == [str(second.digest)]
    assert first.digest not in registry.shelf.manifests[REPOSITORY]


def test_what_could_not_be_deleted_stays_in_the_fallback(
    registry: RegistrySimulator, repository: RepositoryClient, subject: Digest
) -> None:
    put = repository.put_manifest(artifact(described(registry, subject)))
    registry.features = Features(referrers=False, delete=())
    with pytest.raises(Unsupported):
        repository.delete_manifest(put.digest)
    assert [row["digest"] for row in fallback(registry, subject)] == [str(put.digest)]


def test_with_no_fallback_nothing_is_written(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    registry.features = Features()
    put = repository.put_manifest(artifact(described(registry, subject)))
    repository.delete_manifest(put.digest)
    assert fallback_tag(subject) not in registry.shelf.tags[REPOSITORY]
    assert puts(registry) == [str(put.digest)]


def test_a_manifest_without_a_subject_costs_no_look_at_a_fallback(
    registry: RegistrySimulator, repository: RepositoryClient, subject: Digest
) -> None:
    repository.delete_manifest(subject)
    assert [r.method for r in registry.requests] == ["GET", "DELETE"]


def test_a_damaged_manifest_can_be_deleted(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    digest = registry.shelf.add_manifest(REPOSITORY, OCI_MANIFEST, b"{damaged", tag="bad")
    repository.delete_manifest(digest)
    assert digest not in registry.shelf.manifests[REPOSITORY]


@pytest.mark.parametrize("wrong", [1, {}, {"digest": 5}, {"digest": "sha256:0"}])
def test_one_whose_subject_is_none_too(registry: RegistrySimulator, repository: RepositoryClient, wrong: object) -> None:
    digest = registry.shelf.add_manifest(REPOSITORY, OCI_MANIFEST, artifact(wrong))  # type: ignore[arg-type]
    repository.delete_manifest(digest)
    assert digest not in registry.shelf.manifests[REPOSITORY]


# Listing.


@pytest.fixture
def referred(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> RegistrySimulator:
    """Three SBOMs and two others refer to v1, by whichever way the test chooses to ask: both are kept."""
    for number in range(5):
        kind = SBOM if number < 3 else "application/x"
        repository.put_manifest(artifact(described(registry, subject), kind, annotations={"n": str(number)}))
    registry.requests.clear()
    return registry


FEATURES = {
    "api": Features(),
    "api, no filter": Features(filters=False),
    "api, pages": Features(page_size=2),
    "api, pages, no filter": Features(page_size=2, filters=False),
    "fallback": Features(referrers=False),
}


@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
def test_all_are_listed_and_only_those_of_a_type_if_one_is_named(
    referred: RegistrySimulator, repository: RepositoryClient, subject: Digest, features: Features
) -> None:
    referred.features = features
    assert len(list(repository.referrers(subject))) == 5
    sboms = list(repository.referrers(subject, artifact_type=SBOM))
    assert {found.artifact_type for found in sboms} == {SBOM}
    assert len(sboms) == 3
    assert {found.media_type for found in sboms} == {OCI_MANIFEST}


def test_pages_of_referrers_are_asked_for_when_needed(referred: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    referred.features = Features(page_size=2)
    found = repository.referrers(subject)
    assert referred.requests == []
    next(found)
    next(found)
    assert len(referred.requests) == 1
    assert len(list(found)) == 3
    assert len(referred.requests) == 3


def test_the_type_is_asked_for_and_escaped(referred: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    referred.features = Features()
    assert list(repository.referrers(subject, artifact_type="a/b+c;d=e&f")) == []
    assert referred.requests[0].url.target.endswith("?artifactType=a%2Fb%2Bc%3Bd%3De%26f")
    assert referred.requests[0].header("accept") == OCI_INDEX


@pytest.mark.parametrize("applied", ["annotations", "artifactTypes", "notartifactType", ""])
def test_a_filter_that_was_not_applied_is_applied_here(
    referred: RegistrySimulator, repository: RepositoryClient, subject: Digest, applied: str
) -> None:
    referred.features = Features(filters=False)
    referred.alter(faults.wrong_field("/referrers/", "oci-filters-applied", applied))
    assert len(list(repository.referrers(subject, artifact_type=SBOM))) == 3


def test_nothing_refers_to_what_nothing_refers_to(registry: RegistrySimulator, repository: RepositoryClient, subject: Digest) -> None:
    for features in (Features(), Features(referrers=False)):
        registry.features = features
        assert list(repository.referrers(subject)) == []


@pytest.mark.parametrize("status", [404, 405])
def test_a_registry_without_the_api_may_say_so_in_two_ways(
    referred: RegistrySimulator, repository: RepositoryClient, subject: Digest, status: int
) -> None:
    referred.inject(lambda r: Response.of(status, [], r.url, b"no") if "/referrers/" in r.url.target else None)
    assert len(list(repository.referrers(subject))) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_any_other_refusal_is_an_error_and_no_empty_list(
    referred: RegistrySimulator, repository: RepositoryClient, subject: Digest, status: int
) -> None:
    referred.inject(lambda r: Response.of(status, [], r.url, b"no") if "/referrers/" in r.url.target else None)
    with pytest.raises(Error):
        list(repository.referrers(subject))


def test_a_page_that_is_not_found_does_not_start_the_list_anew(
    referred: RegistrySimulator, repository: RepositoryClient, subject: Digest
) -> None:
    referred.features = Features(page_size=2)
    referred.inject(lambda r: Response.of(404, [], r.url, b"no") if "last=" in r.url.target else None)
    found = repository.referrers(subject)
    assert len([next(found), next(found)]) == 2
    with pytest.raises(RegistryError):
        next(found)


@pytest.mark.parametrize("there", [b"{}", b"[]", b"\xff", b'{"schemaVersion":2,"manifests":{}}', b'{"schemaVersion":1}'], ids=repr)
def test_a_fallback_that_is_no_index_counts_for_nothing(
    registry: RegistrySimulator, repository: RepositoryClient, subject: Digest, there: bytes
) -> None:
    """distribution-spec, "Listing Referrers": the client should assume that nothing refers to it."""
    put_fallback(registry, subject, there)
    assert list(repository.referrers(subject)) == []


def test_a_fallback_that_is_not_what_the_registry_says_is_an_error(
    referred: RegistrySimulator, repository: RepositoryClient, subject: Digest
) -> None:
    referred.alter(faults.wrong_body("/manifests/"))
    with pytest.raises(DigestMismatch):
        list(repository.referrers(subject))


@pytest.mark.parametrize("page", [b"{}", b"[]", b"null", b'{"manifests":{}}', b'{"manifests":"x"}', b"<html>", b""], ids=repr)
def test_an_answer_of_the_api_that_is_no_index_is_an_error(page: bytes) -> None:
    repository, _ = anonymous(lambda _: (200, {}, page))
    with pytest.raises(RegistryError):
        list(repository.referrers(EMPTY))


def test_null_is_an_empty_list_as_go_writes_it() -> None:
    repository, wire = anonymous(lambda _: (200, {}, b'{"manifests":null}'))
    assert list(repository.referrers(EMPTY)) == []
    assert wire.urls == [f"https://{HOST}/v2/{REPOSITORY}/referrers/{EMPTY}"]


def test_a_row_that_cannot_be_verified_is_left_out() -> None:
    rows = [1, None, {}, {"mediaType": "x", "digest": "blake3:00", "size": 1}, {"mediaType": "x", "digest": str(EMPTY), "size": 2}]
    repository, _ = anonymous(lambda _: (200, {}, json.dumps({"manifests": rows}).encode()))
    assert [found.digest for found in repository.referrers(EMPTY)] == [EMPTY]
