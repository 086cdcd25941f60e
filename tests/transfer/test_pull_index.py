"""Pulling from an index: one platform, or all that it leads to."""

from __future__ import annotations

import json

import pytest

from registryauth.content.layout import Layout
from registryauth.digest import Digest
from registryauth.errors import ContentError, SizeMismatch, UnsupportedMediaType
from registryauth.transfer import ALL, pull

from .conftest import described, sha

INDEX = "application/vnd.oci.image.index.v1+json"


def multi(simulator) -> dict[str, Digest]:
    images = {name: simulator.add_image("team/model", None, [name.encode()], name) for name in ("linux/amd64", "linux/arm64")}
    simulator.add_index("team/model", "v1", images)
    return images


def test_of_an_index_the_named_platform_comes(repository, simulator, tmp_path):
    images = multi(simulator)
    done = pull(repository, "v1", tmp_path / "out", platform="linux/arm64")
    assert done.root.digest == images["linux/arm64"]
    assert not (tmp_path / "out/blobs/sha256" / images["linux/amd64"].encoded).exists()


def test_all_of_an_index_comes_to_the_byte(repository, simulator, tmp_path):
    images = multi(simulator)
    done = pull(repository, "v1", tmp_path / "out", platform=ALL)
    for digest in (done.root.digest, *images.values()):
        assert (tmp_path / "out/blobs/sha256" / digest.encoded).read_bytes() == simulator.shelf.manifests["team/model"][digest].content
    assert Layout.open(str(tmp_path / "out")).find("v1").digest == done.root.digest


def put_index(simulator, entries: list[dict], tag: str | None = None) -> dict:
    content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    simulator.shelf.add_manifest("team/model", INDEX, content, tag=tag)
    return described(INDEX, content)


@pytest.mark.parametrize(("depth", "works"), [(3, True), (12, False)])
def test_indexes_may_be_nested_but_not_without_end(repository, simulator, tmp_path, depth, works):
    entry = put_index(simulator, [])
    for level in range(depth):
        entry = put_index(simulator, [entry, entry], tag="v1" if level == depth - 1 else None)
    if works:
        pull(repository, "v1", tmp_path / "out", platform=ALL)
    else:
        with pytest.raises(ContentError, match="deep"):
            pull(repository, "v1", tmp_path / "out", platform=ALL)


def test_an_index_that_names_itself_cannot_be_what_it_says(repository, simulator, tmp_path):
    fake = {"mediaType": INDEX, "digest": f"sha256:{'0' * 64}", "size": 10}
    content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [fake]}).encode()
    simulator.shelf.add_manifest("team/model", INDEX, content, tag="v1")
    simulator.shelf.manifests["team/model"][Digest.parse(fake["digest"])] = simulator.shelf.find("team/model", "v1")[1]
    with pytest.raises(ContentError):
        pull(repository, "v1", tmp_path / "out", platform=ALL)


def test_a_manifest_described_as_an_index_is_refused(repository, simulator, tmp_path):
    simulator.add_image("team/model", "other", [b"x"])
    content = simulator.shelf.find("team/model", "other")[1].content
    put_index(simulator, [described(INDEX, content)], tag="v1")
    with pytest.raises(UnsupportedMediaType):
        pull(repository, "v1", tmp_path / "out", platform=ALL)


def test_a_manifest_of_another_size_than_described_is_refused(repository, simulator, tmp_path):
    digest = simulator.add_image("team/model", "other", [b"x"])
    stored = simulator.shelf.manifests["team/model"][digest]
    put_index(simulator, [described(stored.media_type, stored.content) | {"size": len(stored.content) + 1}], tag="v1")
    with pytest.raises(SizeMismatch):
        pull(repository, "v1", tmp_path / "out", platform=ALL)


def test_an_index_may_name_things_that_are_no_manifests(repository, simulator, tmp_path):
    simulator.add_blob(b"a thing")
    put_index(simulator, [described("application/x-thing", b"a thing")], tag="v1")
    pull(repository, "v1", tmp_path / "out", platform=ALL)
    assert (tmp_path / "out/blobs/sha256" / sha(b"a thing")).read_bytes() == b"a thing"
