"""``pull``, ``push``, ``copy`` and ``artifact push``: what they move, what they say, and that they say it once."""

from __future__ import annotations

import json
import os

import pytest

from registryauth.digest import Digest
from registryauth.testing import Features, RegistrySimulator

from .conftest import CANARY

REPOSITORY = "registry.example/team/model"
LAYER = os.urandom(300_000)


@pytest.fixture
def simulator(accounts):
    return RegistrySimulator(accounts=accounts, rights={"me": ["pull", "push"], "reader": ["pull"]})


@pytest.fixture
def image(online, keep):
    """An image at a registry that we may push to; its digest."""
    keep("registry.example")
    return online.add_image("team/model", "v1", [LAYER])


@pytest.fixture
def layout(cli, image, tmp_path):
    """The image in a layout."""
    assert cli("pull", f"{REPOSITORY}:v1", tmp_path / "image").status == 0
    return tmp_path / "image"


def test_an_image_goes_there_and_back(cli, online, image, layout):
    assert (layout / "blobs/sha256" / Digest.of(LAYER).encoded).read_bytes() == LAYER
    done = cli("push", layout, "registry.example/team/other:v2")
    assert (done.status, done.out) == (0, f"{image}\n")
    assert "2 blobs (293.1 KiB) sent, 0 were there." in done.err
    assert online.shelf.tags["team/other"] == {"v2": image}


def test_further_tags_are_put_with_the_image(cli, online, image, layout):
    done = cli("push", layout, "registry.example/team/other:v2", "--tag", "v2.1", "--tag", "latest")
    assert done.status == 0, done.err
    assert online.shelf.tags["team/other"] == dict.fromkeys(("v2", "v2.1", "latest"), image)


def test_further_tags_are_put_with_a_manifest(cli, online, image, tmp_path):
    (tmp_path / "m.json").write_bytes(online.shelf.manifests["team/model"][image].content)
    done = cli("manifest", "put", f"{REPOSITORY}:v2", tmp_path / "m.json", "--tag", "v3")
    assert done.status == 0, done.err
    assert online.shelf.tags["team/model"] == dict.fromkeys(("v1", "v2", "v3"), image)


def test_what_is_no_tag_is_refused_before_anything_is_sent(cli, online, layout):
    online.requests.clear()
    assert cli("push", layout, "registry.example/team/other:v2", "--tag", "a/b").status == 2
    assert online.requests == []


class TestCopy:
    def test_within_one_registry_it_is_mounted_and_one_client_does_it(self, cli, online, image):
        """One client, so one token for reading, and a warning once."""
        online.features = Features(warnings=("this registry moves",))
        done = cli("copy", f"{REPOSITORY}:v1", "registry.example/team/other:v1")
        assert (done.status, done.out) == (0, f"{image}\n")
        assert "0 B) sent, 2 mounted" in done.err
        assert done.err.count("this registry moves") == 1
        assert online.shelf.tags["team/other"] == {"v1": image}

    def test_the_account_that_was_named_is_used_for_both(self, cli, online, keep, sent):
        keep("registry.example", "reader")
        keep("registry.example", "me")
        online.add_image("team/model", "v1", [LAYER])
        done = cli("copy", f"{REPOSITORY}:v1", "registry.example/team/other:v1", "--account", "reader")
        assert done.status == 4
        assert cli("copy", f"{REPOSITORY}:v1", "registry.example/team/other:v1", "--account", "me").status == 0

    def test_between_registries_each_has_its_own(self, cli, online, keep, image):
        keep("other.example", "me")
        done = cli("copy", f"{REPOSITORY}:v1", "other.example/copies/model:v1")
        assert (done.status, done.out) == (0, f"{image}\n")
        assert online.shelf.tags["copies/model"] == {"v1": image}

    def test_to_a_digest_is_misuse(self, cli, online, image):
        assert cli("copy", f"{REPOSITORY}:v1", f"registry.example/team/other@{image}").status == 2


VERBS = {
    "pull": ["pull", f"{REPOSITORY}:v1", "{to}"],
    "push": ["push", "{layout}", "registry.example/team/other:v1"],
    "copy": ["copy", f"{REPOSITORY}:v1", "registry.example/team/other:v1"],
    "artifact push": ["artifact", "push", "registry.example/team/files:v1", "{file}:text/plain"],
}


@pytest.fixture
def verb(cli, layout, tmp_path):
    """Run a verb of `VERBS` with things that are there."""
    (tmp_path / "note.txt").write_bytes(b"a note")
    named = {"to": tmp_path / "to", "layout": layout, "file": tmp_path / "note.txt"}
    return lambda name, *options: cli(*(part.format(**named) for part in VERBS[name]), *options)


@pytest.mark.parametrize("name", VERBS)
def test_progress_goes_to_stderr_and_only_where_it_is_asked_for(verb, name):
    quiet = verb(name)
    assert (quiet.status, quiet.err.count("\n")) == (0, 1)
    told = verb(name, "--progress", "json", "--jobs", "2")
    steps = [json.loads(line) for line in told.err.splitlines() if line.startswith("{")]
    assert told.status == 0, told.err
    assert {step["what"] for step in steps} <= {"fetch", "send", "present", "mounted", "manifest"}
    assert steps
    assert told.out == quiet.out


@pytest.mark.parametrize("name", VERBS)
def test_no_secret_is_shown(verb, name):
    done = verb(name)
    assert CANARY not in done.out + done.err


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("wrong", [["--jobs", "0"], ["--jobs", "65"], ["--progress", "loud"], ["--nonsense"]], ids=" ".join)
def test_misuse_is_status_2(verb, online, name, wrong):
    online.requests.clear()
    assert verb(name, *wrong).status == 2
    assert online.requests == []


@pytest.mark.parametrize("name", ["push", "copy", "artifact push"])
def test_who_may_only_read_is_refused_with_status_4(verb, keep, name):
    keep("registry.example/team/other", "reader")
    keep("registry.example/team/files", "reader")
    assert verb(name).status == 4


def test_an_image_pulled_as_files_is_said_to_have_none(cli, image, tmp_path):
    done = cli("pull", f"{REPOSITORY}:v1", tmp_path / "files", "--as", "files")
    assert done.status == 0
    assert "warning: no layer names a file (org.opencontainers.image.title), so nothing was written" in done.err
