"""``manifest`` and ``blob``: to the byte, verified, or nothing."""

from __future__ import annotations

import json

import pytest

from registryauth.digest import Digest
from registryauth.testing import RegistrySimulator, faults

LAYER = bytes(range(256)) * 300


@pytest.fixture
def image(online, keep):
    """An image in a registry that we have a credential for; its digest."""
    keep("registry.example")
    return online.add_image("team/model", "v1", [LAYER])


@pytest.fixture
def raw(online, image):
    return online.shelf.manifests["team/model"][image].content


def test_a_manifest_is_written_byte_for_byte(cli, image, raw):
    done = cli("manifest", "get", "registry.example/team/model:v1")
    assert (done.status, done.raw, done.err) == (0, raw, "")
    assert cli("manifest", "get", f"registry.example/team/model@{image}").raw == raw


def test_a_manifest_goes_into_a_file(cli, raw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for target in (tmp_path / "manifest.json", "here.json"):
        done = cli("manifest", "get", "registry.example/team/model:v1", "--output-file", target)
        assert (done.status, done.raw) == (0, b"")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"manifest.json": raw, "here.json": raw}


def test_an_index_is_given_as_it_is_or_followed_to_a_platform(cli, online, image, raw):
    arm = online.add_image("team/model", None, [b"arm"], "linux/arm64/v8")
    index = online.add_index("team/model", "multi", {"linux/amd64": image, "linux/arm64/v8": arm})
    assert Digest.of(cli("manifest", "get", "registry.example/team/model:multi").raw) == index
    assert cli("manifest", "get", "registry.example/team/model:multi", "--platform", "linux/amd64").raw == raw
    assert Digest.of(cli("manifest", "get", "registry.example/team/model:multi", "--platform", "linux/arm64").raw) == arm
    done = cli("manifest", "get", "registry.example/team/model:multi", "--platform", "windows/amd64")
    assert (done.status, done.raw) == (3, b"")
    assert "it has linux/amd64, linux/arm64/v8" in done.err


@pytest.mark.parametrize("platform", ["linux", "?", "linux/", "Linux/AMD64", "linux/arm/v7/x", "\x1b[2J/x"])
def test_what_is_no_platform_is_refused_before_anything_is_fetched(cli, online, image, platform):
    done = cli("manifest", "get", "registry.example/team/model:v1", "--platform", platform)
    assert (done.status, done.raw, online.requests) == (1, b"", [])
    assert "is not a platform" in done.err
    assert "linux/amd64" in done.err


def test_the_head_of_a_manifest_in_every_form(cli, load, image, raw):
    assert load("manifest", "head", "registry.example/team/model:v1") == {
        "version": 1,
        "manifest": {
            "reference": "registry.example/team/model:v1",
            "media_type": "application/vnd.oci.image.manifest.v1+json",
            "digest": str(image),
            "size": len(raw),
        },
    }
    for output in ("table", "yaml"):
        done = cli("manifest", "head", "registry.example/team/model:v1", "--output", output)
        assert done.status == 0
        assert str(image) in done.out


def test_a_blob_goes_to_a_pipe_or_a_file(cli, image, tmp_path):
    blob = f"registry.example/team/model@{Digest.of(LAYER)}"
    assert cli("blob", "get", blob).raw == LAYER
    done = cli("blob", "get", blob, "--output-file", tmp_path / "layer")
    assert (done.status, done.raw) == (0, b"")
    assert (tmp_path / "layer").read_bytes() == LAYER


@pytest.mark.parametrize("named", ["registry.example/team/model:v1", "registry.example/team/model"])
def test_a_blob_is_named_by_its_digest(cli, online, image, named):
    done = cli("blob", "get", named)
    assert (done.status, done.raw, online.requests) == (2, b"", [])
    assert "a blob is named by its digest" in done.err


@pytest.mark.parametrize("fault", [faults.wrong_body("/blobs/"), faults.truncated_body("/blobs/")])
def test_of_a_blob_that_is_not_what_was_asked_for_not_a_byte_is_handed_over(cli, online, image, tmp_path, fault):
    online.alter(fault)
    blob = f"registry.example/team/model@{Digest.of(LAYER)}"
    done = cli("blob", "get", blob)
    assert (done.status, done.raw) == (1, b"")
    assert "error: " in done.err
    (tmp_path / "layer").write_bytes(b"old")
    assert cli("blob", "get", blob, "--output-file", tmp_path / "layer").status == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"layer": b"old"}


def test_of_a_manifest_that_is_not_what_was_asked_for_not_a_byte_is_handed_over(cli, online, image, tmp_path):
    online.alter(faults.wrong_body("/manifests/"))
    done = cli("manifest", "get", f"registry.example/team/model@{image}", "--output-file", tmp_path / "m")
    assert (done.status, done.raw, list(tmp_path.iterdir())) == (1, b"", [])


@pytest.mark.parametrize("verb", [["manifest", "get"], ["manifest", "head"], ["blob", "get"]])
def test_what_is_not_there_is_status_3_with_the_sources_that_were_asked(cli, image, verb):
    target = "registry.example/team/model@sha256:" + "0" * 64
    done = cli(*verb, target)
    assert (done.status, done.raw) == (3, b"")
    assert "sources asked for a credential:" in done.err
    assert "store: found: " in done.err


def test_without_a_credential_one_anonymous_attempt_is_made_and_explained(cli, online):
    online.add_image("team/model", "v1")
    done = cli("manifest", "get", "registry.example/team/model:v1")
    assert (done.status, done.raw) == (4, b"")
    assert "log in with 'registryauth login registry.example'" in done.err
    assert "store: absent: nothing was stored yet" in done.err


def test_an_anonymous_pull_works_without_a_credential(cli):
    public = RegistrySimulator(anonymous_pull=True)
    public.add_image("team/model", "v1")
    with public.serve() as host:
        assert cli("manifest", "get", f"{host}/team/model:v1").status == 0


def test_what_a_registry_says_cannot_move_the_cursor(cli, online, image):
    online.inject(faults.terminal_escapes("/manifests/"))
    done = cli("manifest", "get", "registry.example/team/model:v1")
    assert done.status == 3
    assert not set("\x1b\x07\x9b\u202e\r") & set(done.err)
    assert "gone" in done.err


def test_the_account_may_be_named(cli, online, image, keep):
    keep("registry.example", "reader", preferred_at=99)
    assert cli("manifest", "get", "registry.example/team/model:v1").status == 4
    assert cli("manifest", "get", "registry.example/team/model:v1", "--account", "me").status == 0


def test_an_identity_token_fetches_too(cli, online, keep):
    online.add_image("team/model", "v1")
    keep("registry.example", "<token>", online.identity_token("me"), kind="identity-token")
    assert cli("manifest", "get", "registry.example/team/model:v1").status == 0


def test_a_name_without_a_registry_of_a_workspace_is_never_asked_of_docker_hub(cli, online):
    done = cli("manifest", "get", "azureml/azureml_1")
    assert (done.status, online.requests) == (2, [])


def test_the_whole_road_on_a_real_socket(cli, simulator, tmp_path):
    digest = simulator.add_image("team/model", "v1", [LAYER])
    with simulator.serve() as host:
        assert cli("login", host, "-u", "me", "--password-stdin", "--repository", "team/model", stdin="canary-d417\n").status == 0
        manifest = cli("manifest", "get", f"{host}/team/model:v1").raw
        assert Digest.of(manifest) == digest
        layer = json.loads(manifest)["layers"][0]["digest"]
        assert cli("blob", "get", f"{host}/team/model@{layer}").raw == LAYER


@pytest.mark.parametrize("target", ["/proc/nothing/x", "/dev/null/x", "/"])
@pytest.mark.parametrize("verb", [["manifest", "get"], ["blob", "get"]])
def test_a_file_that_cannot_be_written_is_an_error_that_names_it(cli, image, verb, target):
    done = cli(*verb, f"registry.example/team/model@{image if verb[0] == 'manifest' else Digest.of(LAYER)}", "--output-file", target)
    assert done.status == 1
    assert "cannot write" in done.err
