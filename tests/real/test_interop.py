"""The interop matrix: what our command pushes, every client pulls byte for byte; what they push, ours pulls; on every server."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from registryauth.testing import RegistrySimulator

from .images import digest_of, make_image, make_index
from .programs import run
from .servers import Server
from .servers import docker_registry as start
from .transfer_tools import OURS, PEERS, SKOPEO, Tool, blobs, log_in, root

pytestmark = pytest.mark.real

SERVERS = ("docker-registry", "docker-registry with htpasswd", "distribution v3", "go-containerregistry", "CUE's", "our simulator")
#: What scripts/go-peers builds. All but the first have the referrers API.
BUILT = {"distribution v3": "registry-v3", "go-containerregistry": "registry-ggcr", "CUE's": "registry-cue"}
USERNAME, PASSWORD = "svc-pull", "s3cret:with:colon"
EXAMPLE = "application/vnd.example.sbom"


@contextmanager
def simulated(tmp_path):
    with RegistrySimulator(auth="basic", accounts={USERNAME: PASSWORD}).serve() as host:
        yield Server(host=host, log=tmp_path / "none", username=USERNAME, password=PASSWORD)


@pytest.fixture(scope="module", params=SERVERS)
def server(request, program, go_program, tmp_path_factory):
    """Each registry, once for all tests: a test has a repository of its own."""
    directory = tmp_path_factory.mktemp("registry")
    if request.param == "our simulator":
        running = simulated(directory)
    elif request.param in BUILT:
        running = start(go_program(BUILT[request.param]), directory, {})
    elif request.param == "docker-registry":
        running = start(program("docker-registry"), directory, {})
    else:
        entry = run([program("htpasswd"), "-inB", "-C", "4", USERNAME], stdin=PASSWORD.encode()).stdout
        (directory / "htpasswd").write_bytes(entry)
        settings = {"auth": {"htpasswd": {"realm": "a realm", "path": str(directory / "htpasswd")}}}
        running = start(program("docker-registry"), directory, settings, username=USERNAME, password=PASSWORD)
    with running as registry:
        yield registry


@pytest.fixture
def reference(server, request) -> str:
    """A tag in a repository that no other test has."""
    return f"{server.host}/interop/{digest_of(request.node.nodeid.encode())[7:19]}:v1"


@pytest.fixture
def tool(server, program, go_program, tmp_path):
    """``tool(name)``: the client, logged in to `server`; skips without it."""
    environment = log_in(server, tmp_path / "docker")
    ours = str(Path(sys.executable).with_name("registryauth"))
    find = {OURS: lambda _: ours, SKOPEO: program}
    # skopeo reads docker's file only if it is named.
    return lambda name: Tool(
        name, find.get(name, go_program)(name), {**environment, "REGISTRY_AUTH_FILE": str(tmp_path / "docker/config.json")}
    )


@pytest.fixture(scope="module", params=["image", "index"])
def layout(request, tmp_path_factory) -> Path:
    """An OCI layout with an image, or with an index of two platforms."""
    directory = tmp_path_factory.mktemp("layout")
    if request.param == "image":
        make_image(directory / "made")
    else:
        make_index(directory / "made", {"linux/amd64": b"for amd64", "linux/arm64": b"for arm64"})
    return directory / "made"


@pytest.mark.parametrize("peer", PEERS)
def test_what_we_push_they_pull_to_the_byte(tool, peer, reference, layout, tmp_path):
    theirs = tool(peer)
    tool(OURS).push(layout, reference)
    theirs.pull(reference, tmp_path / "out")
    assert blobs(tmp_path / "out") == blobs(layout)
    assert root(tmp_path / "out") == root(layout)


@pytest.mark.parametrize("peer", PEERS)
def test_what_they_push_we_pull_to_the_byte(tool, peer, reference, layout, tmp_path):
    tool(peer).push(layout, reference)
    tool(OURS).pull(reference, tmp_path / "out")
    assert blobs(tmp_path / "out") == blobs(layout)
    assert root(tmp_path / "out") == root(layout)


@pytest.mark.parametrize("peer", PEERS)
def test_what_we_push_from_a_docker_archive_they_pull_to_the_byte(tool, peer, reference, tmp_path):
    theirs = tool(peer)
    image = make_image(tmp_path / "made")
    # skopeo gives the layers as `docker save` does: plain.
    tool(SKOPEO).say("--insecure-policy", "copy", image.layout, f"docker-archive:{tmp_path / 'saved.tar'}:team/model:v1")
    digest = tool(OURS).say("push", tmp_path / "saved.tar", reference).decode().strip()
    theirs.pull(reference, tmp_path / "out")
    found = blobs(tmp_path / "out")
    assert all(name == real for name, real in found.items())
    assert root(tmp_path / "out") == digest
    manifest = json.loads((tmp_path / "out/blobs/sha256" / digest.partition(":")[2]).read_bytes())
    assert found.keys() == {row["digest"][7:] for row in (manifest["config"], *manifest["layers"])} | {digest[7:]}
    assert manifest["config"]["digest"] == digest_of(image.config)


class TestArtifact:
    """Files with a subject."""

    @pytest.fixture
    def pushed(self, tool, reference, tmp_path):
        """``(subject, artifact)``: the digests of an image in `reference` and of what we attached to it, a file."""
        image = make_image(tmp_path / "made")
        tool(OURS).push(image.directory, reference)
        (tmp_path / "sbom.json").write_bytes(b'{"packages": []}')
        argv = ["artifact", "push", reference.replace(":v1", ":sbom"), f"{tmp_path / 'sbom.json'}:application/json"]
        digest = tool(OURS).say(*argv, "--artifact-type", EXAMPLE, "--subject", reference).decode().strip()
        return image.digest, digest

    @pytest.mark.parametrize("peer", PEERS)
    def test_that_we_push_they_pull_to_the_byte(self, tool, peer, pushed, reference, tmp_path):
        _, digest = pushed
        tagged = reference.replace(":v1", ":sbom")
        tool(OURS).pull(tagged, tmp_path / "ours")
        tool(peer).pull(tagged, tmp_path / "theirs")
        found = blobs(tmp_path / "theirs")
        # oras takes the subject along, regctl the list of what refers to it.
        assert found.items() >= blobs(tmp_path / "ours").items()
        assert all(name == real for name, real in found.items())
        assert root(tmp_path / "theirs") == root(tmp_path / "ours") == digest
        assert b'{"packages": []}' in [path.read_bytes() for path in (tmp_path / "theirs/blobs/sha256").iterdir()]

    def test_that_we_push_oras_and_regctl_find_by_its_subject(self, tool, pushed, reference):
        subject, digest = pushed
        repository, host = reference.removesuffix(":v1"), reference.partition("/")[0]
        asked = {
            "oras": ["discover", "--plain-http", "--format", "json", f"{repository}@{subject}"],
            "regctl": ["--host", f"reg={host},tls=disabled", "artifact", "list", "--format", "{{json .}}", f"{repository}@{subject}"],
        }
        for peer, argv in asked.items():
            assert digest.encode() in tool(peer).say(*argv), peer

    def test_that_oras_attaches_we_list_and_pull(self, tool, reference, tmp_path):
        oras, ours = tool("oras"), tool(OURS)
        image = make_image(tmp_path / "made")
        ours.push(image.directory, reference)
        (tmp_path / "note.txt").write_bytes(b"looks good")
        argv = ["attach", "--no-tty", "--plain-http", "--disable-path-validation", "--artifact-type", EXAMPLE]
        oras.say(*argv, reference, f"{tmp_path / 'note.txt'}:text/plain")
        listed = json.loads(ours.say("referrers", reference, "--output", "json"))
        (row,) = next(value for value in listed.values() if isinstance(value, list))
        ours.pull(f"{reference.removesuffix(':v1')}@{row['digest']}", tmp_path / "out")
        assert all(name == real for name, real in blobs(tmp_path / "out").items())
        assert b"looks good" in [path.read_bytes() for path in (tmp_path / "out/blobs/sha256").iterdir()]

    def test_that_regctl_attaches_we_list(self, tool, reference, tmp_path):
        regctl, ours = tool("regctl"), tool(OURS)
        ours.push(make_image(tmp_path / "made").directory, reference)
        (tmp_path / "note.txt").write_bytes(b"looks good")
        host = reference.partition("/")[0]
        argv = ["--host", f"reg={host},tls=disabled", "artifact", "put", "--artifact-type", EXAMPLE, "--subject", reference]
        regctl.say(*argv, "--file", tmp_path / "note.txt", "--file-media-type", "text/plain")
        (row,) = json.loads(ours.say("referrers", reference, "--output", "json"))["referrers"]
        # Not the row's own word for it: go-containerregistry lists the type of the config, whatever the manifest says.
        assert json.loads(ours.say("manifest", "get", f"{reference.removesuffix(':v1')}@{row['digest']}"))["artifactType"] == EXAMPLE
