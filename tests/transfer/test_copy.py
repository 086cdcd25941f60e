"""Copying from repository to repository."""

from __future__ import annotations

import json
import os

import pytest

from registryauth import Basic, Client
from registryauth.credentials import Pinned
from registryauth.digest import Digest
from registryauth.errors import DigestMismatch, Error, SizeMismatch, TransportError
from registryauth.testing import RegistrySimulator, answers
from registryauth.transfer import copy

from .conftest import described, image, sha
from .test_pull import cut_after

BIG = os.urandom(900_000)


@pytest.fixture
def elsewhere():
    return RegistrySimulator(accounts={"me": "pw"})


@pytest.fixture
def destination(elsewhere):
    with Client(lambda _: (Pinned(Basic("me", "pw"), "there"),), transport=elsewhere.transport()) as client:
        yield client.repository("elsewhere.example/copies/model")


def paths(simulator, method: str) -> list[str]:
    return [request.url.target for request in simulator.requests if request.method == method]


def test_an_index_is_copied_with_all_it_names_to_the_byte(repository, simulator, elsewhere, destination):
    images = {name: simulator.add_image("team/model", None, [name.encode(), BIG], name) for name in ("linux/amd64", "linux/arm64")}
    digest = simulator.add_index("team/model", "v1", images)
    done = copy(repository, "v1", destination, "v2")
    assert elsewhere.shelf.tags["copies/model"] == {"v2": digest}
    assert elsewhere.shelf.manifests["copies/model"] == simulator.shelf.manifests["team/model"]
    assert elsewhere.shelf.blobs == simulator.shelf.blobs
    assert done.moved == 5


def test_of_an_index_one_platform_may_be_copied(repository, simulator, elsewhere, destination):
    images = {name: simulator.add_image("team/model", None, [name.encode()], name) for name in ("linux/amd64", "linux/arm64")}
    simulator.add_index("team/model", "v1", images)
    assert copy(repository, "v1", destination, "v1", platform="linux/arm64").root.digest == images["linux/arm64"]
    assert list(elsewhere.shelf.manifests["copies/model"]) == [images["linux/arm64"]]


def test_a_second_copy_moves_nothing(repository, simulator, elsewhere, destination):
    simulator.add_image("team/model", "v1", [BIG])
    copy(repository, "v1", destination, "v1")
    simulator.requests.clear()
    elsewhere.requests.clear()
    done = copy(repository, "v1", destination, "v1")
    assert (done.moved, done.present) == (0, 2)
    assert [path for path in paths(simulator, "GET") if "/blobs/" in path] == []
    assert paths(elsewhere, "POST") == []
    assert len(paths(elsewhere, "HEAD")) == 1


def test_within_one_registry_blobs_are_mounted(repository, client, simulator, asked):
    digest = simulator.add_image("team/model", "v1", [BIG])
    simulator.requests.clear()
    done = copy(repository, "v1", client.repository("registry.example/team/second"), "v1")
    assert simulator.shelf.tags["team/second"]["v1"] == digest
    # The simulator shares its blobs: what matters is that none of them travelled.
    assert (done.moved, done.mounted + done.present) == (0, 2)
    assert [line for line in asked("/blobs/sha256") if line.startswith("GET")] == []


def test_a_new_tag_in_the_same_repository_costs_no_blob_request(repository, simulator, asked):
    digest = simulator.add_image("team/model", "v1", [BIG])
    copy(repository, "v1", repository, "stable")
    assert simulator.shelf.tags["team/model"]["stable"] == digest
    assert asked("/blobs/") == []


def test_a_wrong_last_byte_never_arrives(repository, simulator, elsewhere, destination):
    simulator.add_image("team/model", "v1", [BIG])
    simulator.shelf.blobs[Digest("sha256", sha(BIG))] = BIG[:-1] + bytes([BIG[-1] ^ 1])
    with pytest.raises(DigestMismatch):
        copy(repository, "v1", destination, "v1")
    assert Digest("sha256", sha(BIG)) not in elsewhere.shelf.blobs
    assert "copies/model" not in elsewhere.shelf.manifests


@pytest.mark.parametrize("other", [BIG + b"x", BIG[:-1]], ids=["longer", "shorter"])
def test_a_blob_of_another_size_never_arrives(repository, simulator, elsewhere, destination, other):
    simulator.add_image("team/model", "v1", [BIG])
    simulator.shelf.blobs[Digest("sha256", sha(BIG))] = other
    with pytest.raises(SizeMismatch):
        copy(repository, "v1", destination, "v1")
    assert Digest("sha256", sha(BIG)) not in elsewhere.shelf.blobs


def test_a_source_that_breaks_off_is_asked_again(repository, simulator, elsewhere, destination):
    simulator.add_image("team/model", "v1", [BIG])
    cut_after(simulator, 300_000, sha(BIG), times=1)
    copy(repository, "v1", destination, "v1")
    assert elsewhere.shelf.blobs[Digest("sha256", sha(BIG))] == BIG


def test_a_source_that_stays_away_ends_the_copy(repository, simulator, elsewhere, destination):
    simulator.add_image("team/model", "v1", [BIG])
    cut_after(simulator, 300_000, sha(BIG), times=1000)
    with pytest.raises(TransportError):
        copy(repository, "v1", destination, "v1")
    assert "copies/model" not in elsewhere.shelf.manifests


def referring(simulator, subject: Digest, payload: bytes) -> Digest:
    simulator.add_blob(payload)
    stored = simulator.shelf.manifests["team/model"][subject]
    return image(
        simulator,
        [described("application/x-signature", payload)],
        tag=None,
        subject=described(stored.media_type, stored.content),
        artifactType="application/x-signature",
    )


def listed(simulator, subject: Digest, *referrers: Digest) -> None:
    """Under the fallback tag, which every registry can hold."""
    entries = [described((found := simulator.shelf.manifests["team/model"][digest]).media_type, found.content) for digest in referrers]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
    simulator.shelf.add_manifest("team/model", index["mediaType"], json.dumps(index).encode(), tag=f"sha256-{subject.encoded}")


def no_referrers_api(simulator) -> None:
    def absent(request):
        return answers.error(request, 404, "NOT_FOUND", "no such endpoint") if "/referrers/" in request.url.target else None

    simulator.inject(absent)


def test_what_refers_to_the_image_comes_along_and_what_refers_to_that(repository, simulator, elsewhere, destination):
    no_referrers_api(simulator)
    subject = simulator.add_image("team/model", "v1", [b"x"])
    signature = referring(simulator, subject, b"signature")
    countersigned = referring(simulator, signature, b"of the signature")
    listed(simulator, subject, signature)
    listed(simulator, signature, countersigned)
    copy(repository, "v1", destination, "v1", referrers=True)
    assert {subject, signature, countersigned} <= set(elsewhere.shelf.manifests["copies/model"])
    assert [entry.digest for entry in destination.referrers(subject)] == [signature]


def test_referrers_stay_behind_unless_asked_for(repository, simulator, elsewhere, destination):
    subject = simulator.add_image("team/model", "v1", [b"x"])
    listed(simulator, subject, referring(simulator, subject, b"signature"))
    copy(repository, "v1", destination, "v1")
    assert set(elsewhere.shelf.manifests["copies/model"]) == {subject}


def test_referrers_that_lead_in_a_circle_are_copied_once(repository, simulator, elsewhere, destination):
    no_referrers_api(simulator)
    subject = simulator.add_image("team/model", "v1", [b"x"])
    signature = referring(simulator, subject, b"signature")
    listed(simulator, subject, signature, subject)
    listed(simulator, signature, subject, signature)
    copy(repository, "v1", destination, "v1", referrers=True)
    assert {subject, signature} <= set(elsewhere.shelf.manifests["copies/model"])


def test_a_referrer_of_another_size_is_refused(repository, simulator, destination):
    no_referrers_api(simulator)
    subject = simulator.add_image("team/model", "v1", [b"x"])
    signature = referring(simulator, subject, b"signature")
    stored = simulator.shelf.manifests["team/model"][signature]
    entry = described(stored.media_type, stored.content) | {"size": 2**40}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
    simulator.shelf.add_manifest("team/model", index["mediaType"], json.dumps(index).encode(), tag=f"sha256-{subject.encoded}")
    with pytest.raises(Error):
        copy(repository, "v1", destination, "v1", referrers=True)
