"""Pushing: to the byte, in order, nothing twice."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
from pathlib import Path

import pytest

from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, InvalidReference, NotFound, SizeMismatch, UnsupportedMediaType
from registryauth.testing import Features, faults
from registryauth.transfer import ALL, Progress, pull, push, push_files

from .conftest import described, image, sha, tar_of

OTHER = "registry.example/team/other"


@pytest.fixture
def other(client):
    return client.repository(OTHER)


@pytest.fixture
def layout(repository, simulator, tmp_path):
    """A layout with an index of two platforms under v1; the registry holds none of it."""
    images = {
        name: simulator.add_image("team/model", None, [name.encode() * 500, b"shared"], name) for name in ("linux/amd64", "linux/arm64")
    }
    simulator.add_index("team/model", "v1", images)
    pull(repository, "v1", tmp_path / "layout", platform=ALL)
    simulator.shelf.blobs.clear()
    simulator.requests.clear()
    return tmp_path / "layout"


def test_a_layout_is_pushed_to_the_byte(other, simulator, layout):
    done = push(other, layout, tag="v1")
    assert simulator.shelf.manifests["team/other"] == simulator.shelf.manifests["team/model"]
    assert simulator.shelf.tags["team/other"] == simulator.shelf.tags["team/model"]
    # Two configurations, two layers, one that both have.
    assert (done.moved, done.present) == (5, 0)


def test_blobs_come_before_manifests_and_those_before_the_index(other, simulator, layout, asked):
    simulator.features = Features(single_post=False)
    push(other, layout, tag="v1")
    puts = ["index" if line.endswith("/v1") else "manifest" if "/manifests/" in line else "blob" for line in asked("PUT")]
    assert puts == ["blob"] * 5 + ["manifest"] * 2 + ["index"]


def test_an_index_within_an_index_comes_between_its_image_and_the_other(repository, other, simulator, tmp_path, asked):
    image_digest = simulator.add_image("team/model", None, [b"x"])
    inner = simulator.add_index("team/model", None, {"linux/amd64": image_digest})
    simulator.add_index("team/model", "v1", {"linux/amd64": inner})
    pull(repository, "v1", tmp_path / "nested", platform=ALL)
    simulator.requests.clear()
    push(other, tmp_path / "nested", tag="v1")
    assert [line.rpartition("/")[2] for line in asked("/manifests/")] == [str(image_digest), str(inner), "v1"]


def test_one_token_does_for_all_of_a_push(other, layout, asked):
    push(other, layout, tag="v1")
    assert len(asked("/token")) == 1


def test_what_is_there_costs_one_head_a_blob(other, simulator, layout, asked):
    push(other, layout, tag="v1")
    simulator.requests.clear()
    done = push(other, layout, tag="v1")
    assert len(asked("HEAD")) == 5
    assert asked("POST") == []
    assert (done.moved, done.present) == (0, 5)


@pytest.fixture
def many(repository, simulator, tmp_path):
    """A layout with thirty small layers under v1, and their contents; the registry holds none of it."""
    layers = [b"layer %d" % number for number in range(30)]
    simulator.add_image("team/model", "v1", layers)
    pull(repository, "v1", tmp_path / "many")
    simulator.shelf.blobs.clear()
    simulator.requests.clear()
    return tmp_path / "many", layers


def test_where_all_was_missing_the_rest_is_not_asked_for_first(other, simulator, many, asked):
    simulator.features = Features(single_post=False, mount="from")
    directory, layers = many
    done = push(other, directory, tag="v1", jobs=1)
    assert (done.moved, done.present, done.mounted) == (31, 0, 0)
    assert set(layers) < set(simulator.shelf.blobs.values())
    # A HEAD and an open for the first eight; then the open alone, which asks whether it is there.
    assert [len(asked(method)) for method in ("HEAD", "POST", "PUT /v2/team/other/blobs")] == [8, 31, 31]
    assert len(asked("from=team/other")) == 23


def test_what_is_there_after_all_is_not_sent_and_ends_the_guessing(other, simulator, many, asked):
    simulator.features = Features(single_post=False, mount="from")
    directory, layers = many
    for layer in layers[:10]:
        simulator.shelf.add_blob(layer, repository="team/other")
    done = push(other, directory, tag="v1", jobs=1)
    assert (done.moved, done.present, done.mounted) == (21, 10, 0)
    assert len(asked("PUT /v2/team/other/blobs")) == 21
    # The shorter ten come last: the first of them is found by an open, the rest are asked for.
    assert (len(asked("HEAD")), len(asked("from=team/other"))) == (8 + 9, 13 + 1)


def test_a_registry_that_takes_small_blobs_with_the_post_gets_them_so(other, simulator, many, asked):
    """One request a blob where all was missing so far, and the registry says itself whether it has it."""
    directory, layers = many
    done = push(other, directory, tag="v1", jobs=1)
    assert (done.moved, done.present, done.mounted) == (31, 0, 0)
    assert set(layers) < set(simulator.shelf.blobs.values())
    assert [len(asked(method)) for method in ("HEAD", "POST", "PUT /v2/team/other/blobs")] == [8, 31, 0]


def test_what_some_other_repository_has_is_mounted_without_being_named(other, simulator, layout, monkeypatch, asked):
    monkeypatch.setattr("registryauth.client.uploads.SINGLE", 0)
    shared = b"shared"
    # A token would have to show the right to pull there.
    simulator.auth = "none"
    simulator.shelf.add_blob(shared, repository="somebody/else")
    done = push(other, layout, tag="v1")
    assert (done.moved, done.mounted) == (4, 1)
    assert not any(sha(shared) in line for line in asked("PUT"))


def test_without_a_tag_the_digest_alone_names_it(other, simulator, layout):
    done = push(other, layout, tag=None)
    assert simulator.shelf.tags.get("team/other", {}) == {}
    assert done.root.digest in simulator.shelf.manifests["team/other"]


def test_of_several_images_one_must_be_named(other, repository, simulator, layout):
    simulator.add_image("team/model", "v2", [b"second"])
    second = pull(repository, "v2", layout).root.digest
    with pytest.raises(NotFound) as caught:
        push(other, layout, tag="v3")
    assert caught.value.hint == "it has v1, v2"
    assert push(other, layout, tag="v2").root.digest == second
    assert push(other, layout, tag="v3", image="v2").root.digest == second
    assert push(other, layout, tag="v3", image=str(second)).root.digest == second


def test_a_layout_that_lacks_a_blob_is_refused_before_anything_is_sent(other, simulator, layout, asked):
    (layout / "blobs/sha256" / sha(b"shared")).unlink()
    with pytest.raises(NotFound, match="lacks"):
        push(other, layout, tag="v1")
    assert asked() == []


def test_a_blob_of_another_size_is_refused(other, layout):
    (layout / "blobs/sha256" / sha(b"shared")).write_bytes(b"longer than it was")
    with pytest.raises(SizeMismatch):
        push(other, layout, tag="v1")


def test_a_manifest_that_was_changed_is_refused(other, layout):
    digest = Layout.open(str(layout)).find("v1").digest
    path = layout / "blobs/sha256" / digest.encoded
    path.write_bytes(path.read_bytes().replace(b"arm64", b"ppc64"))
    with pytest.raises(DigestMismatch):
        push(other, layout, tag="v1")


def test_no_link_is_followed_to_what_is_not_the_layouts(other, layout, tmp_path):
    (tmp_path / "secret").write_bytes(b"shared")
    blob = layout / "blobs/sha256" / sha(b"shared")
    blob.unlink()
    blob.symlink_to(tmp_path / "secret")
    with pytest.raises(UnsupportedMediaType):
        push(other, layout, tag="v1")


NO_IMAGES = {"absent": None, "text": b"rubbish", "empty": b"", "gzip": gzip.compress(b"rubbish"), "tar": tar_of(("a", b"x"))}


@pytest.mark.parametrize("content", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_says_so(other, tmp_path, content):
    if content is not None:
        (tmp_path / "x").write_bytes(content)
    with pytest.raises(ContentError):
        push(other, tmp_path / "x", tag="v1")


def test_an_empty_directory_is_no_layout(other, tmp_path):
    with pytest.raises(ContentError, match="not an OCI image layout"):
        push(other, tmp_path, tag="v1")


def test_a_bad_tag_is_refused_before_anything_is_sent(other, layout, asked):
    for send in (lambda: push(other, layout, tag="no tag"), lambda: push_files(other, [], tag="no tag")):
        with pytest.raises(InvalidReference):
            send()
    assert asked() == []


LAYERS = [tar_of(("a", b"x" * 5000)), tar_of(("b", b"y" * 100))]


def saved(tmp_path: Path, layers=LAYERS, *, diff_ids=None, rows=1, extra=(), pack=False) -> Path:
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids or [f"sha256:{sha(x)}" for x in layers]}}
    ).encode()
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": [f"model:v{row}"], "Layers": names} for row in range(1, rows + 1)]
    content = tar_of(("config.json", config), *zip(names, layers, strict=True), ("manifest.json", json.dumps(manifest).encode()), *extra)
    path = tmp_path / "saved.tar"
    path.write_bytes(gzip.compress(content) if pack else content)
    return path


def pushed_layers(simulator, done) -> list[tuple[str, bytes]]:
    manifest = json.loads(simulator.shelf.manifests["team/other"][done.root.digest].content)
    return [(layer["mediaType"].rpartition(".")[2], simulator.shelf.blobs[Digest.parse(layer["digest"])]) for layer in manifest["layers"]]


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "gzipped as a whole"])
def test_what_docker_saved_becomes_an_image_with_gzipped_layers(other, simulator, tmp_path, pack):
    done = push(other, saved(tmp_path, pack=pack), tag="v1")
    assert [(kind, gzip.decompress(blob)) for kind, blob in pushed_layers(simulator, done)] == [("tar+gzip", layer) for layer in LAYERS]
    assert os.listdir(tmp_path) == ["saved.tar"]


def test_the_layers_stay_plain_on_request(other, simulator, tmp_path):
    done = push(other, saved(tmp_path), tag="v1", compress=False)
    assert pushed_layers(simulator, done) == [("tar", layer) for layer in LAYERS]


def test_the_same_file_gives_the_same_image(other, tmp_path):
    assert push(other, saved(tmp_path), tag="v1").root == push(other, saved(tmp_path), tag="v2").root


def test_layers_that_are_compressed_already_stay_as_they_are(other, simulator, tmp_path):
    packed = [gzip.compress(layer, mtime=7) for layer in LAYERS]
    done = push(other, saved(tmp_path, packed, diff_ids=[f"sha256:{sha(layer)}" for layer in LAYERS]), tag="v1")
    assert pushed_layers(simulator, done) == [("tar+gzip", layer) for layer in packed]


def test_a_layer_that_is_not_what_the_configuration_says_is_refused(other, simulator, tmp_path):
    path = saved(tmp_path, diff_ids=[f"sha256:{sha(b'else')}"] * 2)
    with pytest.raises(DigestMismatch):
        push(other, path, tag="v1")
    assert simulator.shelf.blobs == {}


def test_of_several_saved_images_one_must_be_named(other, tmp_path):
    path = saved(tmp_path, rows=3)
    with pytest.raises(NotFound) as caught:
        push(other, path, tag="latest")
    assert "model:v1, model:v2, model:v3" in caught.value.hint
    push(other, path, tag="v2")
    push(other, path, tag="latest", image="model:v3")


@pytest.mark.parametrize("diff_ids", [["sha256:short"] * 2, [f"sha256:{sha(b'x')}"], "none", [1, 2]])
def test_a_configuration_that_does_not_fit_is_refused(other, tmp_path, diff_ids):
    with pytest.raises(ContentError):
        push(other, saved(tmp_path, diff_ids=diff_ids), tag="v1")


def test_a_saved_image_goes_round(repository, other, simulator, tmp_path):
    push(other, saved(tmp_path), tag="v1")
    pull(other, "v1", tmp_path / "again.tar", form="docker-archive", platform="linux/amd64")
    again = push(repository, tmp_path / "again.tar", tag="v1")
    assert again.root.digest == simulator.shelf.tags["team/other"]["v1"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "model.bin").write_bytes(b"weights" * 1000)
    (tmp_path / "sub/card.md").write_bytes(b"# card")
    monkeypatch.chdir(tmp_path)
    return [("model.bin", "application/x-model"), ("sub/card.md", "text/markdown")]


def test_files_become_an_artifact_and_come_back(other, simulator, files, tmp_path):
    done = push_files(other, files, artifact_type="application/x-model", annotations={"who": "mé"}, tag="art")
    manifest = json.loads(simulator.shelf.find("team/other", "art")[1].content)
    assert manifest["artifactType"] == "application/x-model"
    assert manifest["config"] == {"mediaType": "application/vnd.oci.empty.v1+json", "digest": f"sha256:{sha(b'{}')}", "size": 2}
    assert manifest["annotations"] == {"who": "mé"}
    assert [layer["mediaType"] for layer in manifest["layers"]] == ["application/x-model", "text/markdown"]
    back = pull(other, "art", tmp_path / "back", form="files")
    assert [os.path.relpath(path, tmp_path / "back") for path in back.files] == ["model.bin", "sub/card.md"]
    assert push_files(other, files, artifact_type="application/x-model", annotations={"who": "mé"}).root == done.root


def test_an_absolute_path_gives_its_last_part_as_title(other, simulator, tmp_path, files):
    push_files(other, [(tmp_path / "sub/card.md", "text/markdown")], tag="art")
    (layer,) = json.loads(simulator.shelf.find("team/other", "art")[1].content)["layers"]
    assert layer["annotations"] == {"org.opencontainers.image.title": "card.md"}


def test_an_artifact_without_files_has_the_empty_layer(other, simulator):
    push_files(other, [], tag="art")
    manifest = json.loads(simulator.shelf.find("team/other", "art")[1].content)
    assert manifest["layers"] == [manifest["config"]]
    assert manifest["artifactType"] == "application/vnd.unknown.artifact.v1"


def test_an_artifact_about_a_manifest_is_found_by_it(other, simulator, files):
    subject = push_files(other, files, tag="art").root
    about = push_files(other, [], artifact_type="application/x-signature", subject=subject).root
    assert [entry.digest for entry in other.referrers(subject.digest)] == [about.digest]


def test_files_that_cannot_be_pushed_are_named(other, tmp_path, files):
    for wrong in (
        [("sub", "text/plain")],
        [("absent", "text/plain")],
        [("model.bin", "no type")],
        [*files, (tmp_path / "model.bin", "a/b")],
    ):
        with pytest.raises(ContentError):
            push_files(other, wrong)


def test_layers_of_elsewhere_are_left_out(repository, other, simulator, tmp_path):
    foreign = described("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"windows", urls=["https://elsewhere.example/x"])
    image(simulator, [foreign])
    pull(repository, "v1", tmp_path / "layout")
    simulator.shelf.blobs[Digest.parse(foreign["digest"])] = b"the registry knows it from elsewhere"
    done = push(other, tmp_path / "layout", tag="v1")
    assert done.foreign == (Descriptor(foreign["mediaType"], Digest.parse(foreign["digest"]), foreign["size"]),)


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), KeyboardInterrupt()])
def test_an_upload_that_is_called_off_is_cancelled(other, layout, simulator, asked, monkeypatch, jobs, error):
    # With the POST that would take it whole there is nothing to cancel.
    monkeypatch.setattr("registryauth.client.uploads.SINGLE", 0)
    answers = []
    simulator.alter(lambda request, answer: answers.append(answer) or answer)

    def refuse(step: Progress) -> None:
        if step.what == "send":
            raise error

    with pytest.raises(type(error)) as raised:
        push(other, layout, tag="v1", jobs=jobs, progress=refuse)
    assert raised.value is error
    opened = [answer.headers.get("location") for answer in answers if answer.status == 202]
    assert opened
    assert {place.partition("?")[0] for place in opened} == {line.split()[1] for line in asked("DELETE")}


def test_nobody_waits_long_for_a_registry_that_does_not_answer_the_cancel(other, layout, simulator, asked, monkeypatch):
    monkeypatch.setattr("registryauth.client.uploads._FAREWELL", 0.1)
    monkeypatch.setattr("registryauth.client.uploads.SINGLE", 0)
    over = threading.Event()
    simulator.interfere(faults.slow("^DELETE", 60, sleep=lambda seconds: over.wait(seconds) and None))

    def refuse(step: Progress) -> None:
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        push(other, layout, tag="v1", jobs=1, progress=refuse)
    assert time.monotonic() - begun < 10
    assert asked("DELETE")
    over.set()


def test_a_pipe_is_refused_and_not_waited_for(other, tmp_path, asked):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ContentError, match="not a plain file"):
        push(other, tmp_path / "pipe", tag="v1")
    with pytest.raises(ContentError, match="not a plain file"):
        push_files(other, [(tmp_path / "pipe", "text/plain")], tag="v1")
    assert asked() == []
