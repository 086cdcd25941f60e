"""Whole images, against registries and clients that we did not write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registryauth import Basic, Client
from registryauth._origin import Url
from registryauth.content.layout import Layout
from registryauth.credentials import Pinned
from registryauth.transfer import ALL, copy, pull, push, push_files

from .images import digest_of, make_index
from .servers import docker_registry as registry

pytestmark = pytest.mark.real

POLICY = "--insecure-policy"


@pytest.fixture
def skopeo(program, run):
    def skopeo(*argv: str) -> bytes:
        return run([program("skopeo"), POLICY, *map(str, argv)]).stdout

    return skopeo


def blobs_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (directory / "blobs/sha256").iterdir()}


def test_what_skopeo_pushed_is_pulled_to_the_byte(docker_registry, skopeo, push, image, tmp_path):
    push(docker_registry)
    with Client() as client:
        pull(client.repository(f"{docker_registry.host}/team/model"), "v1", tmp_path / "out")
    assert blobs_of(tmp_path / "out") == blobs_of(image.directory)
    assert json.loads(skopeo("inspect", f"oci:{tmp_path / 'out'}:v1"))["Digest"] == image.digest


def test_what_we_push_skopeo_pulls_to_the_byte(docker_registry, skopeo, image, tmp_path):
    with Client() as client:
        push_layout(client, docker_registry, image.directory)
    skopeo("copy", "--src-tls-verify=false", f"docker://{docker_registry.host}/team/model:v1", f"oci:{tmp_path / 'out'}:v1")
    assert blobs_of(tmp_path / "out") == blobs_of(image.directory)


def push_layout(client, server, directory: Path, repository: str = "team/model", tag: str = "v1"):
    return push(client.repository(f"{server.host}/{repository}"), directory, tag=tag)


def test_an_index_goes_there_and_back_and_from_repository_to_repository(docker_registry, skopeo, tmp_path):
    index = make_index(tmp_path / "made", {"linux/amd64": b"one", "linux/arm64": b"two"})
    with Client() as client:
        push_layout(client, docker_registry, index.directory)
        second = client.repository(f"{docker_registry.host}/team/second")
        done = copy(client.repository(f"{docker_registry.host}/team/model"), "v1", second, "v2")
        assert (done.moved, done.mounted) == (0, 4)
        pull(second, "v2", tmp_path / "out", platform=ALL)
    assert blobs_of(tmp_path / "out") == blobs_of(index.directory)
    assert json.loads(skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{docker_registry.host}/team/second:v2"))["manifests"]


def test_our_archives_are_read_by_skopeo(docker_registry, skopeo, push, image, tmp_path):
    push(docker_registry)
    with Client() as client:
        repository = client.repository(f"{docker_registry.host}/team/model")
        pull(repository, "v1", tmp_path / "docker.tar", form="docker-archive")
        pull(repository, "v1", tmp_path / "oci.tar", form="oci-archive")
    assert len(json.loads(skopeo("inspect", f"docker-archive:{tmp_path / 'docker.tar'}"))["Layers"]) == 2
    assert json.loads(skopeo("inspect", f"oci-archive:{tmp_path / 'oci.tar'}:v1"))["Digest"] == image.digest
    # That it reads the layers, too, shows only when it has to.
    skopeo("copy", f"docker-archive:{tmp_path / 'docker.tar'}", f"oci:{tmp_path / 'from-docker'}:v1")


def test_what_skopeo_saved_for_docker_is_pushed(docker_registry, skopeo, image, tmp_path):
    skopeo("copy", image.layout, f"docker-archive:{tmp_path / 'saved.tar'}:team/model:v1")
    with Client() as client:
        push_layout(client, docker_registry, tmp_path / "saved.tar")
    told = json.loads(skopeo("inspect", "--config", "--tls-verify=false", f"docker://{docker_registry.host}/team/model:v1"))
    assert told["rootfs"]["diff_ids"] == json.loads(image.config)["rootfs"]["diff_ids"]
    skopeo("copy", "--src-tls-verify=false", f"docker://{docker_registry.host}/team/model:v1", f"dir:{tmp_path / 'pulled'}")


def test_files_are_kept_by_a_registry_that_knows_nothing_of_artifacts(docker_registry, tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    with Client() as client:
        repository = client.repository(f"{docker_registry.host}/team/artifact")
        subject = push_files(repository, [(tmp_path / "model.bin", "application/x-model")], tag="v1").root
        about = push_files(repository, [], artifact_type="application/x-note", subject=subject).root
        assert [entry.digest for entry in repository.referrers(subject.digest)] == [about.digest]
        pull(repository, "v1", tmp_path / "out", form="files")
    assert (tmp_path / "out/model.bin").read_bytes() == b"weights"


def test_with_tokens_over_tls_everything_costs_one_token_a_purpose(token_registry, image, tmp_path):
    held = Pinned(Basic(token_registry.username, token_registry.password), "test", (Url.parse(token_registry.realm).origin,))
    with Client(lambda _: (held,), ca_files={"*": str(token_registry.ca_file)}) as client:
        push_layout(client, token_registry, image.directory)
        assert len(token_registry.token_server.requests) == 1
        model, second = (client.repository(f"{token_registry.host}/team/{name}") for name in ("model", "second"))
        done = copy(model, "v1", second, "v1")
        assert (done.moved, done.mounted) == (0, 3)
        pull(second, "v1", tmp_path / "out")
    assert blobs_of(tmp_path / "out") == blobs_of(image.directory)


PULL = """
import resource, sys, time
from registryauth import Client
from registryauth.transfer import pull

pause = float(sys.argv[3])
with Client() as client:
    done = pull(client.repository(sys.argv[1]), "v1", sys.argv[2], progress=lambda event: time.sleep(pause))
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(done.size, peak)
"""


@pytest.fixture
def roomy(program, tmp_path_factory):
    """A registry that keeps its blobs on the disk: in memory, large ones take it seconds."""
    directory = tmp_path_factory.mktemp("registry")
    settings = {"storage": {"filesystem": {"rootdirectory": str(directory / "storage")}}}
    with registry(program("docker-registry"), directory, settings) as server:
        yield server


@pytest.fixture
def large(roomy, tmp_path):
    """What a registry has under team/model:v1: two large layers, by their digests."""
    layers = [os.urandom(24 * 1024 * 1024) for _ in range(2)]
    for number, content in enumerate(layers):
        (tmp_path / str(number)).write_bytes(content)
    with Client() as client:
        push_files(client.repository(f"{roomy.host}/team/model"), [(tmp_path / "0", "a/b"), (tmp_path / "1", "a/b")], tag="v1")
    return {digest_of(content).removeprefix("sha256:"): content for content in layers}


def is_whole(directory: Path, large: dict[str, bytes]) -> bool:
    found = blobs_of(directory)
    # The layers, the empty configuration, the manifest; nothing that was left over.
    return len(found) == 4 and large.items() <= found.items()


def start(server, to: Path, pause: float = 0) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", PULL, f"{server.host}/team/model", str(to), str(pause)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> list[int]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    return list(map(int, out.split()))


def test_a_pull_that_was_killed_goes_on_where_it_was(roomy, large, tmp_path):
    process = start(roomy, tmp_path / "out", pause=0.01)
    deadline = time.monotonic() + 30
    while sum(path.stat().st_size for path in (tmp_path / "out").rglob(".*.partial")) < 8 * 1024 * 1024:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "out/index.json").exists()
    size, _ = ended(start(roomy, tmp_path / "out"))
    assert size < sum(map(len, large.values())) - 7 * 1024 * 1024
    assert is_whole(tmp_path / "out", large)


def test_two_processes_fill_one_layout_and_fetch_each_blob_once(roomy, large, tmp_path):
    processes = [start(roomy, tmp_path / "out") for _ in range(2)]
    sizes = [ended(process)[0] for process in processes]
    assert sum(sizes) == sum(map(len, large.values())) + len("{}")
    assert is_whole(tmp_path / "out", large)
    assert len(Layout.open(str(tmp_path / "out")).document()["manifests"]) == 1


def test_memory_does_not_grow_with_the_blobs(roomy, large, tmp_path):
    _, peak = ended(start(roomy, tmp_path / "out"))
    assert peak < 80 * 1024
