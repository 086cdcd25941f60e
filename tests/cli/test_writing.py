"""``manifest put|delete``, ``blob head|put|delete``, ``tag``, ``repository``, ``referrers`` and ``digest``."""

from __future__ import annotations

import json
import os

import pytest
import yaml

from registryauth.client.referrers import fallback_tag
from registryauth.content.manifest import MAX_MANIFEST, OCI_MANIFEST
from registryauth.digest import Digest
from registryauth.testing import Features, RegistrySimulator, faults

from .conftest import CANARY

REPOSITORY = "registry.example/team/model"
LAYER = bytes(range(256)) * 300
RIGHTS = ["pull", "push", "delete", "catalog"]


@pytest.fixture
def simulator(accounts):
    return RegistrySimulator(accounts=accounts, rights={"me": RIGHTS, "reader": ["pull"]})


@pytest.fixture
def image(online, keep):
    """An image in a registry that we may do anything in; its digest."""
    keep("registry.example")
    return online.add_image("team/model", "v1", [LAYER])


@pytest.fixture
def raw(online, image):
    return online.shelf.manifests["team/model"][image].content


@pytest.fixture
def attached(online, image, raw):
    """An SBOM and a signature that refer to the image, by type."""
    subject = {"mediaType": OCI_MANIFEST, "digest": str(image), "size": len(raw)}
    found = {}
    for kind in ("application/x.sbom", "application/x.signature"):
        document = {**json.loads(raw), "artifactType": kind, "subject": subject}
        found[kind] = online.shelf.add_manifest("team/model", OCI_MANIFEST, json.dumps(document).encode())
    return found


def wrote(simulator):
    return [request for request in simulator.requests if request.method not in ("GET", "HEAD")]


# manifest put and delete


def test_a_manifest_goes_there_and_back_to_the_byte(cli, online, image, raw, tmp_path):
    spaced = b"\n " + raw + b"\n\n"
    (tmp_path / "m.json").write_bytes(spaced)
    done = cli("manifest", "put", f"{REPOSITORY}:v2", tmp_path / "m.json")
    assert (done.status, done.out, done.err) == (0, f"{Digest.of(spaced)}\n", "")
    assert cli("manifest", "get", f"{REPOSITORY}:v2").raw == spaced


def test_a_manifest_comes_from_standard_input(cli, online, image, raw):
    got = cli("manifest", "get", f"{REPOSITORY}:v1").raw
    done = cli("manifest", "put", f"{REPOSITORY}:copy", "-", stdin=got)
    assert (done.status, done.out) == (0, f"{image}\n")
    assert online.shelf.tags["team/model"]["copy"] == image


def test_a_manifest_is_put_under_its_digest_or_a_tag_that_must_have_it(cli, online, image, raw):
    for reference in (f"{REPOSITORY}@{image}", f"{REPOSITORY}:v3@{image}"):
        assert cli("manifest", "put", reference, "-", stdin=raw).status == 0
    assert online.shelf.tags["team/model"] == {"v1": image, "v3": image}


def test_a_manifest_is_put_under_another_algorithms_digest(cli, online, image, raw):
    digest = Digest.of(raw, "sha512")
    done = cli("manifest", "put", f"{REPOSITORY}@{digest}", "-", stdin=raw)
    assert (done.status, done.out) == (0, f"{digest}\n")
    assert cli("manifest", "get", f"{REPOSITORY}@{digest}").raw == raw


def test_a_registry_that_knows_no_sha512_is_told_of(cli, online, image, raw):
    online.alter(faults.wrong_field("^PUT", "docker-content-digest", str(image)))
    done = cli("manifest", "put", f"{REPOSITORY}@{Digest.of(raw, 'sha512')}", "-", stdin=raw)
    assert (done.status, done.out) == (1, "")
    assert f"keeps it as {image} alone" in done.err
    assert "hint: it is there by its sha256 digest" in done.err


def test_a_manifest_that_is_not_the_digest_is_not_put(cli, online, image, raw):
    done = cli("manifest", "put", f"{REPOSITORY}@{image}", "-", stdin=raw + b" ")
    assert (done.status, done.out, online.requests) == (2, "", [])
    assert "nothing was put" in done.err


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff\xfe", b"[]", b"{" * 100_000, b" " * (MAX_MANIFEST + 1)],
    ids=["empty", "object", "binary", "list", "deep", "long"],
)
@pytest.mark.parametrize("from_file", [True, False])
def test_what_is_no_manifest_is_refused_before_any_request(cli, online, image, tmp_path, content, from_file):
    (tmp_path / "m").write_bytes(content)
    done = cli("manifest", "put", f"{REPOSITORY}:v2", tmp_path / "m" if from_file else "-", stdin=b"" if from_file else content)
    assert (done.status, done.out, online.requests) == (1, "", [])
    assert done.err.startswith("error: ")


def test_a_media_type_can_be_said_where_the_manifest_has_none(cli, online, image, raw):
    document = json.loads(raw)
    del document["mediaType"]
    bare = json.dumps(document).encode()
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    done = cli("manifest", "put", f"{REPOSITORY}:v2", "-", "--media-type", docker, stdin=bare)
    assert done.status == 0
    assert online.shelf.find("team/model", "v2")[1].media_type == docker
    done = cli("manifest", "put", f"{REPOSITORY}:v3", "-", "--media-type", "text/plain", stdin=raw)
    assert (done.status, "v3" in online.shelf.tags["team/model"]) == (1, False)


def test_a_manifest_that_cannot_be_read_is_an_error(cli, online, image, tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        done = cli("manifest", "put", f"{REPOSITORY}:v2", path)
        assert (done.status, online.requests) == (1, [])
        assert "cannot read" in done.err


def test_a_manifest_is_deleted_by_its_digest(cli, online, image):
    done = cli("manifest", "delete", f"{REPOSITORY}@{image}")
    assert (done.status, done.out) == (0, "")
    assert "Deleted" in done.err
    assert cli("manifest", "get", f"{REPOSITORY}:v1").status == 3


@pytest.mark.parametrize("reference", [REPOSITORY, f"{REPOSITORY}:v1"])
def test_a_manifest_is_not_deleted_by_a_tag(cli, online, image, reference):
    done = cli("manifest", "delete", reference)
    assert (done.status, online.requests) == (2, [])
    assert "registryauth tag delete" in done.err


# blob head, put and delete


def test_a_blob_goes_there_and_back(cli, online, image, tmp_path):
    content = os.urandom(100_000)
    (tmp_path / "blob").write_bytes(content)
    digest = Digest.of(content)
    assert cli("blob", "head", f"{REPOSITORY}@{digest}").status == 3
    done = cli("blob", "put", REPOSITORY, tmp_path / "blob")
    assert (done.status, done.out, done.err) == (0, f"{digest}\n", "")
    done = cli("blob", "head", f"{REPOSITORY}@{digest}")
    assert (done.status, done.out) == (0, "")
    assert cli("blob", "get", f"{REPOSITORY}@{digest}").raw == content
    assert cli("blob", "delete", f"{REPOSITORY}@{digest}").status == 0
    done = cli("blob", "head", f"{REPOSITORY}@{digest}")
    assert (done.status, done.out) == (3, "")
    assert f"does not hold {digest}" in done.err


def test_a_blob_that_is_there_is_not_sent(cli, online, image, tmp_path):
    (tmp_path / "blob").write_bytes(LAYER)
    assert cli("blob", "put", REPOSITORY, tmp_path / "blob").out == f"{Digest.of(LAYER)}\n"
    assert wrote(online) == []


@pytest.mark.parametrize("named", [f"{REPOSITORY}:v1", f"{REPOSITORY}@sha256:{'0' * 64}"])
def test_a_blob_is_put_into_a_repository(cli, online, image, tmp_path, named):
    (tmp_path / "blob").write_bytes(LAYER)
    done = cli("blob", "put", named, tmp_path / "blob")
    assert (done.status, online.requests) == (2, [])
    assert "a repository has no tag and no digest" in done.err


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/nothing/here"])
def test_what_cannot_be_a_blob_is_refused_at_once(cli, online, image, path):
    done = cli("blob", "put", REPOSITORY, path)
    assert (done.status, online.requests) == (1, [])
    assert path in done.err


@pytest.mark.parametrize("verb", ["head", "delete"])
def test_a_blob_is_named_by_its_digest(cli, online, image, verb):
    done = cli("blob", verb, f"{REPOSITORY}:v1")
    assert (done.status, online.requests) == (2, [])
    assert "a blob is named by its digest" in done.err


# tag


def test_tags_in_every_form(cli, load, online, image):
    online.shelf.tags["team/model"].update({"latest": image, "v2": image})
    online.features = Features(page_size=1)
    assert load("tag", "list", REPOSITORY) == {"version": 1, "repository": REPOSITORY, "tags": ["latest", "v1", "v2"]}
    assert cli("tag", "list", REPOSITORY).out.split() == ["TAG", "latest", "v1", "v2"]
    assert yaml.safe_load(cli("tag", "list", REPOSITORY, "-o", "yaml").out)["tags"] == ["latest", "v1", "v2"]
    assert load("tag", "list", REPOSITORY, "--last", "latest")["tags"] == ["v1", "v2"]


def test_no_tags_are_an_empty_list(load, online, image):
    online.shelf.tags["team/model"].clear()
    assert load("tag", "list", REPOSITORY)["tags"] == []


def test_tags_that_could_move_the_cursor_do_not(cli, online, image):
    online.shelf.tags["team/model"]["\x1b[2J\x9b31m\u202ex"] = image
    done = cli("tag", "list", REPOSITORY)
    assert done.status == 0
    assert not set("\x1b\x9b\u202e") & set(done.out)


@pytest.mark.parametrize("named", [f"{REPOSITORY}:v1", f"{REPOSITORY}@sha256:{'0' * 64}", "team model", ""])
def test_tags_are_those_of_a_repository(cli, online, image, named):
    assert cli("tag", "list", named).status == 2
    assert online.requests == []


def test_a_tag_is_deleted_and_its_manifest_stays(cli, online, image):
    done = cli("tag", "delete", f"{REPOSITORY}:v1")
    assert (done.status, done.out) == (0, "")
    assert "Deleted the tag" in done.err
    assert online.shelf.tags["team/model"] == {}
    assert cli("manifest", "head", f"{REPOSITORY}@{image}").status == 0


@pytest.mark.parametrize("reference", [REPOSITORY, f"{REPOSITORY}@sha256:{'0' * 64}", f"{REPOSITORY}:v1@sha256:{'0' * 64}"])
def test_a_tag_to_delete_is_written_out(cli, online, image, reference):
    """Nobody deletes ``latest`` by leaving it out."""
    online.shelf.tags["team/model"]["latest"] = image
    done = cli("tag", "delete", reference)
    assert (done.status, online.requests) == (2, [])
    assert "written out" in done.err


# repository


def test_repositories_in_every_form(cli, load, online, image):
    online.add_image("a/b", "v1")
    assert load("repository", "list", "registry.example") == {
        "version": 1,
        "registry": "registry.example",
        "repositories": ["a/b", "team/model"],
    }
    assert cli("repository", "list", "registry.example").out.split() == ["REPOSITORY", "a/b", "team/model"]
    assert cli("repository", "list", "registry.example", "--last", "a/b").out.split() == ["REPOSITORY", "team/model"]
    assert yaml.safe_load(cli("repository", "list", "registry.example", "-o", "yaml").out)["repositories"] == ["a/b", "team/model"]


def test_repositories_are_those_of_a_registry(cli, online, image):
    done = cli("repository", "list", REPOSITORY)
    assert (done.status, online.requests) == (2, [])
    assert "leave the path out" in done.err


def test_a_registry_that_does_not_tell_is_an_error(cli, online, image):
    online.features = Features(catalog=False)
    done = cli("repository", "list", "registry.example")
    assert (done.status, done.out) == (1, "")


# referrers


def test_referrers_in_every_form(cli, load, image, attached):
    found = load("referrers", f"{REPOSITORY}:v1")
    assert (found["version"], found["subject"]) == (1, str(image))
    assert {row["artifact_type"]: row["digest"] for row in found["referrers"]} == {kind: str(at) for kind, at in attached.items()}
    assert {row["media_type"] for row in found["referrers"]} == {OCI_MANIFEST}
    table = cli("referrers", f"{REPOSITORY}@{image}")
    assert all(str(digest) in table.out and kind in table.out for kind, digest in attached.items())
    assert len(yaml.safe_load(cli("referrers", f"{REPOSITORY}:v1", "-o", "yaml").out)["referrers"]) == 2


def test_referrers_of_a_type(load, attached):
    found = load("referrers", f"{REPOSITORY}:v1", "--artifact-type", "application/x.sbom")
    assert [row["digest"] for row in found["referrers"]] == [str(attached["application/x.sbom"])]


def test_an_artifact_that_is_put_is_found_where_there_is_no_api(cli, load, online, image, raw):
    online.features = Features(referrers=False)
    subject = {"mediaType": OCI_MANIFEST, "digest": str(image), "size": len(raw)}
    artifact = json.dumps({**json.loads(raw), "artifactType": "a/b", "subject": subject}).encode()
    digest = cli("manifest", "put", f"{REPOSITORY}@{Digest.of(artifact)}", "-", stdin=artifact).out.strip()
    assert [row["digest"] for row in load("referrers", f"{REPOSITORY}:v1")["referrers"]] == [digest]
    assert fallback_tag(image) in online.shelf.tags["team/model"]
    assert cli("manifest", "delete", f"{REPOSITORY}@{digest}").status == 0
    assert load("referrers", f"{REPOSITORY}:v1")["referrers"] == []


# digest


def test_the_digest_is_one_head(cli, online, image):
    done = cli("digest", f"{REPOSITORY}:v1")
    assert (done.status, done.out, done.err) == (0, f"{image}\n", "")
    assert "GET" not in [r.method for r in online.requests if "/manifests/" in r.url.target]


def test_the_digest_of_a_platform(cli, online, image):
    index = online.add_index("team/model", "multi", {"linux/amd64": image})
    assert cli("digest", f"{REPOSITORY}:multi").out == f"{index}\n"
    assert cli("digest", f"{REPOSITORY}:multi", "--platform", "linux/amd64").out == f"{image}\n"
    assert cli("digest", f"{REPOSITORY}:multi", "--platform", "linux/s390x").status == 3


# All of them.

VERBS = {
    "manifest put": ["manifest", "put", f"{REPOSITORY}:v2", "{manifest}"],
    "manifest delete": ["manifest", "delete", f"{REPOSITORY}@{{image}}"],
    "blob head": ["blob", "head", f"{REPOSITORY}@{{layer}}"],
    "blob put": ["blob", "put", REPOSITORY, "{file}"],
    "blob delete": ["blob", "delete", f"{REPOSITORY}@{{layer}}"],
    "tag list": ["tag", "list", REPOSITORY],
    "tag delete": ["tag", "delete", f"{REPOSITORY}:v1"],
    "repository list": ["repository", "list", "registry.example"],
    "referrers": ["referrers", f"{REPOSITORY}@{{image}}"],
    "digest": ["digest", f"{REPOSITORY}:v1"],
}
WRITING = ["manifest put", "manifest delete", "blob put", "blob delete", "tag delete"]


@pytest.fixture
def verb(cli, image, raw, tmp_path):
    """Run a verb of `VERBS` with things that are there."""

    def verb(name, *options):
        (tmp_path / "manifest").write_bytes(raw)
        (tmp_path / "file").write_bytes(b"new content")
        named = {"manifest": tmp_path / "manifest", "file": tmp_path / "file", "image": image, "layer": Digest.of(LAYER)}
        return cli(*(part.format(**named) for part in VERBS[name]), *options)

    return verb


@pytest.mark.parametrize("name", VERBS)
def test_it_works_and_shows_no_secret(verb, sent, name):
    done = verb(name)
    assert done.status == 0, done.err
    assert CANARY not in done.out + done.err
    # The password goes to the token server and nowhere else.
    assert {line.rpartition("/")[2] for line in sent()} == {"token"}


@pytest.mark.parametrize("name", VERBS)
def test_a_wrong_password_is_status_4_and_changes_nothing(verb, simulator, accounts, name):
    accounts["me"] = "changed"
    done = verb(name)
    assert (done.status, done.out) == (4, "")
    assert "sources asked for a credential:" in done.err
    assert CANARY not in done.err
    assert all(request.url.target.startswith("/token") or not request.header("authorization") for request in wrote(simulator))


@pytest.mark.parametrize("name", WRITING)
def test_who_may_only_read_is_refused_with_status_4(verb, keep, name):
    keep("registry.example", "reader")
    done = verb(name, "--account", "reader")
    assert (done.status, done.out) == (4, "")


@pytest.mark.parametrize("name", ["manifest delete", "blob delete", "tag delete"])
def test_a_registry_that_deletes_nothing_says_so_with_status_1(verb, online, name):
    online.features = Features(delete=())
    done = verb(name)
    assert (done.status, done.out) == (1, "")
    assert "does not offer this" in done.err


@pytest.mark.parametrize("name", VERBS)
def test_no_answer_is_status_6(verb, online, name, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    online.inject(faults.no_answer(""))
    done = verb(name)
    assert (done.status, done.out) == (6, "")


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("wrong", [["--nonsense"], ["surplus", "surplus"]], ids=["option", "argument"])
def test_misuse_is_status_2(verb, online, name, wrong):
    assert verb(name, *wrong).status == 2
    assert online.requests == []


@pytest.mark.parametrize("name", VERBS)
def test_help_says_what_it_does(cli, name):
    done = cli(*name.split(), "--help")
    assert done.status == 0
    assert "Usage: registryauth " + name in done.out


@pytest.mark.parametrize("name", VERBS)
def test_what_is_no_reference_is_status_2(cli, online, image, name, tmp_path):
    (tmp_path / "x").write_bytes(b"{}")
    parts = [str(tmp_path / "x") if part in ("{manifest}", "{file}") else part for part in VERBS[name]]
    done = cli(*("UPPER/../x y" if "registry.example" in part else part for part in parts))
    assert (done.status, online.requests) == (2, [])
