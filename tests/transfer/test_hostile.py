"""Transfers under attack: connections cut at any byte, processes killed, refusals in the middle, mirrors that lie."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import pytest

from registryauth import Basic, Client
from registryauth._http.messages import Request, Response
from registryauth.credentials import Pinned
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, SizeMismatch, UnsafeArchive
from registryauth.testing import Features, RegistrySimulator, faults
from registryauth.transfer import copy, pull, push

from ..http_transport.raw_server import Line, raw_server
from .conftest import NAME, described, files_in, image, sha, tar_of
from .test_pull import BIG, LAYER, cut_after, ranges

pytestmark = pytest.mark.usefixtures("hashed")

MIRROR = "mirror.example"
SMALL = bytes(range(97))


def me(_: object) -> tuple[Pinned, ...]:
    return (Pinned(Basic("me", "pw"), "test"),)


def wait_for_nothing(_: float) -> None:
    """What is waited for is no matter here."""


# Connections that are cut.


def answered(body: bytes, media_type: str = "application/octet-stream") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def an_image_of(layer: bytes) -> bytes:
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [described(LAYER, layer)],
    }
    return json.dumps(manifest).encode()


def is_tls(line: Line) -> bool:
    """Whether the client begins with a handshake: answered in the clear, so that it tries that."""
    if line.socket.recv(1, socket.MSG_PEEK) != b"\x16":
        return False
    line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    return True


def test_an_answer_that_is_cut_at_any_byte_head_or_body_costs_nothing_but_a_second_request(tmp_path, monkeypatch):
    """Every cut once, on a real socket; a range is answered with the whole."""
    monkeypatch.setattr("registryauth.transfer.fetching._FIRST_WAIT", 0)
    whole = answered(SMALL)
    cuts = iter(range(len(whole)))
    manifest = an_image_of(SMALL)

    def talk(line: Line) -> None:
        while not is_tls(line) and (request := line.request()):
            if b"/manifests/" in request:
                line.say(answered(manifest, "application/vnd.oci.image.manifest.v1+json"))
            elif sha(b"{}").encode() in request:
                line.say(answered(b"{}"))
            elif (cut := pending.pop() if pending else None) is not None:
                line.say(whole[:cut])
                line.socket.shutdown(socket.SHUT_RDWR)
                return
            else:
                line.say(whole)

    pending: list[int] = []
    with raw_server(talk) as server, Client(environ={}, insecure=[server.host], sleep=wait_for_nothing) as client:
        repository = client.repository(f"{server.host}/team/model")
        # Found to speak no TLS once, not at every cut.
        repository.manifest("v1")
        for cut in cuts:
            pending.append(cut)
            pull(repository, "v1", tmp_path / str(cut), jobs=1)
            assert pending == []
            assert (tmp_path / str(cut) / "blobs/sha256" / sha(SMALL)).read_bytes() == SMALL
            assert not [name for name in files_in(tmp_path / str(cut)) if "partial" in name]


@pytest.mark.parametrize("single", [True, False], ids=["with the POST", "in a session"])
def test_a_blob_whose_sending_is_cut_at_any_byte_is_whole_in_the_end(tmp_path, monkeypatch, single):
    if not single:
        monkeypatch.setattr("registryauth.client.uploads.SINGLE", 0)
    for cut in range(len(SMALL) + 1):
        simulator = RegistrySimulator(auth="none")
        simulator.interfere(faults.cut_upload("^POST .*digest=" if single else "^PUT", cut, times=1))
        Client(transport=simulator.transport(), sleep=wait_for_nothing).repository(NAME).push(SMALL)
        assert simulator.shelf.blob("team/model", Digest.of(SMALL)) == SMALL, cut


_PULL = """
import sys, time
from registryauth import Client
from registryauth.transfer import pull
with Client() as client:
    pull(client.repository(sys.argv[1]), "v1", sys.argv[2], jobs=1)
"""


def test_a_pull_that_was_killed_is_taken_up_where_it_was(simulator, tmp_path):
    """kill -9: nothing is under a final name that is not whole, and what had come is not asked for again."""
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("team/model", "v1", [BIG])
    blob = f"blobs/sha256:{sha(BIG)}"
    simulator.alter(faults.slow_body(blob, 0.01, size=4096, times=1))
    partial = tmp_path / "out/blobs/sha256" / f".{sha(BIG)}.partial"
    with simulator.serve() as host:
        argv = [sys.executable, "-c", _PULL, f"{host}/team/model", str(tmp_path / "out")]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while not partial.exists() or partial.stat().st_size < 50_000:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "out/index.json").exists()
        assert not (tmp_path / "out/blobs/sha256" / sha(BIG)).exists()
        left = partial.stat().st_size
        subprocess.run(argv, check=True, timeout=60)
    assert f"bytes={left}-" in ranges(simulator)
    assert (tmp_path / "out/blobs/sha256" / sha(BIG)).read_bytes() == BIG
    assert not partial.exists()


# Refusals in the middle.


def test_a_challenge_that_comes_in_the_middle_of_a_body_is_answered_and_the_body_sent_anew(tmp_path):
    """The registry stops reading, says 401 and hangs up; then all of it goes over a new connection, with a token."""
    content = os.urandom(6_000_000)
    (tmp_path / "blob").write_bytes(content)
    came: list[tuple[bytes, int]] = []

    def talk(line: Line) -> None:
        while not is_tls(line):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := line.socket.recv(4096)):
                    return
                head += piece
            head, _, body = head.partition(b"\r\n\r\n")
            if head.startswith(b"PUT ") and b"Bearer" not in head:
                challenge = f'Bearer realm="http://{server.host}/token",service="s",scope="repository:team/model:pull,push"'
                line.say(f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode())
                came.append((b"refused", len(body)))
                return
            if head.startswith(b"PUT "):
                taken = len(body)
                while taken < len(content):
                    taken += len(line.socket.recv(1 << 20))
                came.append((b"taken", taken))
                line.say(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            elif b" /token" in head:
                line.say(answered(b'{"token":"t"}'))
            elif head.startswith(b"HEAD "):
                line.say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                line.say(b"HTTP/1.1 202 Accepted\r\nLocation: /v2/team/model/blobs/uploads/1\r\nContent-Length: 0\r\n\r\n")

    with raw_server(talk) as server, Client(me, environ={}, insecure=[server.host], sleep=wait_for_nothing) as client:
        client.repository(f"{server.host}/team/model").upload(tmp_path / "blob")
    assert [what for what, _ in came] == [b"refused", b"taken"]
    assert came[0][1] < len(content) == came[1][1]


def test_a_token_that_runs_out_in_the_middle_of_a_download_is_renewed(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG])
    cut_after(simulator, 200_000, sha(BIG), times=2)

    def expire(request: Request, then: faults.Then) -> Response:
        return expired(request, then) if request.header("range") else then(request)

    expired = faults.expired_token(sha(BIG), times=1)
    simulator.interfere(expire)
    pull(repository, "v1", tmp_path / "out")
    assert (tmp_path / "out/blobs/sha256" / sha(BIG)).read_bytes() == BIG
    assert [line for line in ranges(simulator) if line] == ["bytes=200000-", "bytes=200000-", "bytes=400000-"]


@pytest.mark.parametrize("single", [True, False])
def test_a_token_that_runs_out_in_the_middle_of_a_push_is_renewed(client, repository, simulator, tmp_path, single):
    layers = [bytes([number]) * 1000 for number in range(12)]
    simulator.add_image("team/model", "v1", layers)
    pull(repository, "v1", tmp_path / "image")
    wanted = dict(simulator.shelf.blobs)
    simulator.shelf.blobs.clear()
    simulator.features = Features(single_post=single)
    uses: Counter[str] = Counter()
    expire = faults.expired_token("/v2/team/other")

    def after_five_requests(request: Request, then: faults.Then) -> Response:
        uses[request.header("authorization")] += 1
        return expire(request, then) if uses[request.header("authorization")] > 5 else then(request)

    simulator.interfere(after_five_requests)
    done = push(client.repository("registry.example/team/other"), tmp_path / "image", tag="v1", jobs=1)
    assert done.moved == 13
    assert simulator.shelf.blobs == wanted
    assert len([r for r in simulator.requests if r.url.target.startswith("/token")]) > 4


# Layers that occur twice.


def test_a_layer_that_occurs_twice_is_sent_once(client, repository, simulator, tmp_path, asked):
    simulator.add_image("team/model", "v1", [BIG, BIG, b"x", BIG])
    pull(repository, "v1", tmp_path / "image")
    simulator.shelf.blobs.clear()
    simulator.requests.clear()
    done = push(client.repository("registry.example/team/other"), tmp_path / "image", tag="v1")
    assert done.moved == 3
    assert len([line for line in asked("PUT") if sha(BIG) in line]) == 1


def test_a_layer_that_occurs_twice_is_copied_once(repository, simulator, asked):
    simulator.add_image("team/model", "v1", [BIG, BIG, BIG])
    target = RegistrySimulator(auth="none")
    done = copy(repository, "v1", Client(transport=target.transport()).repository("elsewhere.example/a"), "v1")
    assert done.moved == 2
    assert len(asked(f"blobs/sha256:{sha(BIG)}")) == 1


def test_layers_of_a_saved_image_that_are_one_file_are_one_blob(repository, simulator, tmp_path):
    layer = tar_of(("file", BIG))
    config = json.dumps({"rootfs": {"diff_ids": [f"sha256:{sha(layer)}"] * 3}}).encode()
    row = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l.tar"] * 3}]
    (tmp_path / "saved.tar").write_bytes(tar_of(("l.tar", layer), ("c.json", config), ("manifest.json", json.dumps(row).encode())))
    assert push(repository, tmp_path / "saved.tar", tag="v1").moved == 2


# Bombs.


def test_a_gzipped_source_that_becomes_very_much_is_not_unpacked(repository, tmp_path, monkeypatch, asked):
    monkeypatch.setattr("registryauth.transfer.tars._ALWAYS_ALLOWED", 1024 * 1024)
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(tar_of(("oci-layout", bytes(8 * 1024 * 1024)))))
    with pytest.raises(UnsafeArchive, match="become more"):
        push(repository, tmp_path / "image.tar.gz", tag="v1")
    assert asked() == []


# A mirror that lies.


@pytest.fixture
def mirrored(simulator):
    """A client whose mirror has other content under BIG's digest; the registry has it right."""
    digest = simulator.add_image("team/model", "v1", [BIG])
    liar = RegistrySimulator(auth="none")
    liar.add_image("team/model", "v1", [BIG])
    liar.shelf.blobs[Digest("sha256", sha(BIG))] = BIG[:-1] + bytes([BIG[-1] ^ 1])

    class Both:
        def send(self, request: Request) -> Response:
            return (liar if request.url.origin.netloc == MIRROR else simulator).handle(request)

        def close(self) -> None:
            pass

    with Client(me, transport=Both(), mirrors={"registry.example": [MIRROR]}, sleep=wait_for_nothing) as client:
        yield client.repository(NAME), liar, digest


@pytest.mark.parametrize("form", ["oci", "docker-archive"])
def test_a_pull_names_the_mirror_that_sent_something_else(mirrored, tmp_path, form):
    repository, _, _ = mirrored
    with pytest.raises(DigestMismatch) as caught:
        pull(repository, "v1", tmp_path / "out", form=form)
    assert f"that came from a mirror:\n  {MIRROR}/team/model" in caught.value.hint
    assert not [name for name in files_in(tmp_path) if name.endswith(sha(BIG))]


def test_a_copy_names_it_too(mirrored):
    repository, _, _ = mirrored
    target = RegistrySimulator(auth="none")
    with pytest.raises(DigestMismatch) as caught:
        copy(repository, "v1", Client(transport=target.transport()).repository("elsewhere.example/a"), "v1")
    assert f"{MIRROR}/team/model" in caught.value.hint


def test_one_that_sends_too_much_is_named_too(mirrored, tmp_path):
    repository, liar, _ = mirrored
    liar.shelf.blobs[Digest("sha256", sha(BIG))] = BIG + b"x"
    with pytest.raises(SizeMismatch) as caught:
        pull(repository, "v1", tmp_path / "out")
    assert f"{MIRROR}/team/model" in caught.value.hint


def test_where_the_registry_lies_itself_no_mirror_is_blamed(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG])
    simulator.shelf.blobs[Digest("sha256", sha(BIG))] = BIG[::-1]
    with pytest.raises(DigestMismatch) as caught:
        pull(repository, "v1", tmp_path / "out")
    assert "mirror" not in caught.value.hint


def test_a_size_without_end_is_no_size(repository, simulator, tmp_path, asked):
    """2⁶³ and more fit no file, and a negative size no content."""
    for size in (2**63, 2**70, -1):
        image(simulator, [{"mediaType": LAYER, "digest": f"sha256:{sha(b'x')}", "size": size}])
        with pytest.raises(ContentError):
            pull(repository, "v1", tmp_path / "out")
    assert asked("/blobs/") == []
