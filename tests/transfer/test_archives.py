"""Images as tar files."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile

import pytest

from registryauth.errors import ContentError, UnsupportedMediaType
from registryauth.transfer import ALL, pull, push

from .conftest import described, image, sha, tar_of


def members_of(path) -> dict[str, bytes]:
    with tarfile.open(path, "r:") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_docker_gets_a_manifest_a_configuration_and_the_layers(repository, simulator, tmp_path):
    layers = [gzip.compress(tar_of(("a", b"x"))), tar_of(("b", b"y" * 1000))]
    simulator.add_image("team/model", "v1", [*layers, layers[0]])
    pull(repository, "v1", tmp_path / "image.tar", form="docker-archive")
    found = members_of(tmp_path / "image.tar")
    (row,) = json.loads(found["manifest.json"])
    assert row["RepoTags"] == ["registry.example/team/model:v1"]
    assert [found[name] for name in row["Layers"]] == [*layers, layers[0]]
    assert row["Layers"][0].endswith(".tar.gz")
    assert len(json.loads(found[row["Config"]])["rootfs"]["diff_ids"]) == 3
    assert os.listdir(tmp_path) == ["image.tar"]


def test_the_same_image_gives_the_same_file(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [tar_of(("a", b"x"))])
    for name in ("one", "two"):
        pull(repository, "v1", tmp_path / name, form="docker-archive")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_artifact_cannot_be_loaded(repository, simulator, tmp_path):
    simulator.add_blob(b"x")
    image(simulator, [described("text/plain", b"x")])
    with pytest.raises(UnsupportedMediaType, match="no image"):
        pull(repository, "v1", tmp_path / "x.tar", form="docker-archive")
    assert not (tmp_path / "x.tar").exists()


@pytest.mark.parametrize("form", ["docker-archive", "files"])
def test_forms_of_one_platform_refuse_all_of_them(repository, simulator, tmp_path, form):
    simulator.add_index("team/model", "v1", {"linux/amd64": simulator.add_image("team/model", None, [b"x"])})
    with pytest.raises(ContentError, match="one platform"):
        pull(repository, "v1", tmp_path / "x", form=form, platform=ALL)


def test_an_unknown_form_is_named(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1")
    with pytest.raises(ContentError, match="form"):
        pull(repository, "v1", tmp_path / "x", form="zip")


def test_a_layout_goes_through_a_tar_and_back_to_the_byte(repository, client, simulator, tmp_path):
    images = {name: simulator.add_image("team/model", None, [name.encode() * 1000], name) for name in ("linux/amd64", "linux/arm64")}
    digest = simulator.add_index("team/model", "v1", images)
    pull(repository, "v1", tmp_path / "image.tar", form="oci-archive", platform=ALL)
    assert os.listdir(tmp_path) == ["image.tar"]
    done = push(client.repository("registry.example/other"), tmp_path / "image.tar", tag="copy")
    assert done.root.digest == digest
    assert simulator.shelf.manifests["other"].items() <= simulator.shelf.manifests["team/model"].items()
    assert len(simulator.shelf.manifests["other"]) == 3


def test_an_interrupted_pull_is_taken_up(repository, simulator, tmp_path):
    content = os.urandom(400_000)
    simulator.add_image("team/model", "v1", [content])
    staged = tmp_path / f"x.tar.partial/blobs/sha256/.{sha(content)}.partial"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(content[:99_999])
    pull(repository, "v1", tmp_path / "x.tar", form="oci-archive")
    assert "bytes=99999-" in [request.header("range") for request in simulator.requests]
    assert members_of(tmp_path / "x.tar")[f"blobs/sha256/{sha(content)}"] == content
    assert os.listdir(tmp_path) == ["x.tar"]


def test_an_archive_names_nothing_that_an_earlier_attempt_left(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [b"one"])
    pull(repository, "v1", tmp_path / "x.tar.partial")
    simulator.add_image("team/model", "v2", [b"two"])
    pull(repository, "v2", tmp_path / "x.tar", form="oci-archive")
    found = members_of(tmp_path / "x.tar")
    assert len(json.loads(found["index.json"])["manifests"]) == 1
    assert f"blobs/sha256/{sha(b'one')}" not in found


def test_a_link_in_the_place_of_the_staging_directory_is_refused(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [b"one"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x.tar.partial").symlink_to("elsewhere")
    with pytest.raises(ContentError):
        pull(repository, "v1", tmp_path / "x.tar", form="oci-archive")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_python_and_we_agree_on_the_end_of_a_tar(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [b"x" * 513])
    pull(repository, "v1", tmp_path / "x.tar", form="oci-archive")
    content = (tmp_path / "x.tar").read_bytes()
    assert len(content) % 512 == 0
    assert content.endswith(bytes(1024))
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        assert {member.mtime for member in tar} == {0}
