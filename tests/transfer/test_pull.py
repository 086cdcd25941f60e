"""Pulling into a layout: all of it verified, nothing fetched twice, taken up where it stopped."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from registryauth._http.messages import Response
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, NotFound, RegistryError, SizeMismatch, TransportError
from registryauth.testing import faults
from registryauth.transfer import Progress, pull
from registryauth.transfer.partial import claim

from .conftest import described, files_in, image, sha

pytestmark = pytest.mark.usefixtures("hashed")

LAYER = "application/vnd.oci.image.layer.v1.tar"
BIG = os.urandom(700_000)


def cut_after(simulator, count: int, where: str, times: int) -> None:
    """Answers to what matches *where* break off after *count* bytes."""
    left = times

    def cut(request, response):
        nonlocal left
        if where not in request.url.target or request.method != "GET" or response.status not in (200, 206) or not left:
            return response
        left -= 1
        body = b"".join(map(bytes, response.chunks()))
        rest = memoryview(body)[:count]

        def read_into(buffer):
            nonlocal rest
            if not rest:
                raise TransportError("cut")
            taken = min(len(buffer), len(rest))
            buffer[:taken] = rest[:taken]
            rest = rest[taken:]
            return taken

        return Response(response.status, response.headers, request.url, read_into)

    simulator.alter(cut)


def ranges(simulator) -> list[str]:
    return [request.header("range") for request in simulator.requests if "/blobs/" in request.url.target]


def partial_of(directory: Path, content: bytes) -> Path:
    path = directory / "blobs/sha256" / f".{sha(content)}.partial"
    path.parent.mkdir(parents=True)
    return path


def test_an_image_becomes_a_layout_of_the_same_bytes(repository, simulator, tmp_path):
    digest = simulator.add_image("team/model", "v1", [BIG, b"small"])
    done = pull(repository, "v1", tmp_path / "out")
    stored = simulator.shelf.find("team/model", "v1")[1].content
    parts = [json.loads(stored)["config"], *json.loads(stored)["layers"]]
    want = {f"blobs/sha256/{part['digest'][7:]}": simulator.shelf.blobs[Digest.parse(part["digest"])] for part in parts}
    found = files_in(tmp_path / "out")
    index = json.loads(found.pop("index.json"))
    assert json.loads(found.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    assert found == want | {f"blobs/sha256/{digest.encoded}": stored}
    assert index["manifests"] == [
        described(index["manifests"][0]["mediaType"], stored, annotations={"org.opencontainers.image.ref.name": "v1"})
    ]
    assert (done.moved, done.present, done.size) == (3, 0, sum(map(len, want.values())))


def test_n_layers_cost_n_blobs_a_config_a_manifest_and_one_token(repository, simulator, tmp_path, asked):
    simulator.add_image("team/model", "v1", [bytes([number]) * 100 for number in range(10)])
    pull(repository, "v1", tmp_path / "out")
    assert len(asked("/blobs/")) == 11
    # The first is answered with the challenge.
    assert len(asked("/manifests/")) == 2
    assert len(asked("/token")) == 1


def test_what_is_there_is_not_fetched_again(repository, simulator, tmp_path, asked):
    simulator.add_image("team/model", "v1", [BIG])
    pull(repository, "v1", tmp_path / "out")
    simulator.requests.clear()
    done = pull(repository, "v1", tmp_path / "out")
    assert asked("/blobs/") == []
    assert (done.moved, done.present) == (0, 2)
    assert len(json.loads((tmp_path / "out/index.json").read_bytes())["manifests"]) == 1


def test_a_blob_that_was_damaged_meanwhile_is_replaced(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG])
    pull(repository, "v1", tmp_path / "out")
    path = tmp_path / "out/blobs/sha256" / sha(BIG)
    path.write_bytes(b"x" + BIG[1:])
    assert pull(repository, "v1", tmp_path / "out").moved == 1
    assert path.read_bytes() == BIG


def test_a_layer_that_occurs_twice_is_fetched_once(repository, simulator, tmp_path, asked):
    simulator.add_image("team/model", "v1", [BIG, BIG, BIG])
    pull(repository, "v1", tmp_path / "out")
    assert len(asked("/blobs/")) == 2


@pytest.mark.parametrize("kept", [1, 300_000, len(BIG) - 1])
def test_what_an_earlier_process_left_is_taken_up(repository, simulator, tmp_path, kept):
    simulator.add_image("team/model", "v1", [BIG])
    partial = partial_of(tmp_path, BIG)
    partial.write_bytes(BIG[:kept])
    done = pull(repository, "v1", tmp_path)
    assert f"bytes={kept}-" in ranges(simulator)
    assert (tmp_path / "blobs/sha256" / sha(BIG)).read_bytes() == BIG
    assert not partial.exists()
    assert done.size < len(BIG) - kept + 1000


def test_a_whole_partial_needs_no_request(repository, simulator, tmp_path, asked):
    simulator.add_image("team/model", "v1", [BIG])
    partial_of(tmp_path, BIG).write_bytes(BIG)
    pull(repository, "v1", tmp_path)
    assert not asked(f"/blobs/sha256:{sha(BIG)}")


@pytest.mark.parametrize("rubbish", [b"x" * 1000, b"x" * len(BIG), b"x" * (len(BIG) + 1)], ids=["short", "as long", "longer"])
def test_a_partial_with_other_content_costs_a_second_fetch(repository, simulator, tmp_path, rubbish):
    simulator.add_image("team/model", "v1", [BIG])
    partial_of(tmp_path, BIG).write_bytes(rubbish)
    pull(repository, "v1", tmp_path)
    assert (tmp_path / "blobs/sha256" / sha(BIG)).read_bytes() == BIG


@pytest.mark.parametrize("answer", ["ignored", "wrong start", "wrong total", "no range", "416"])
def test_a_registry_with_its_own_idea_of_ranges_is_asked_for_the_whole(repository, simulator, tmp_path, answer):
    simulator.add_image("team/model", "v1", [BIG])
    partial_of(tmp_path, BIG).write_bytes(BIG[:1000])

    def confuse(request, response):
        if not request.header("range"):
            return response
        body = b"".join(map(bytes, response.chunks()))
        kept = [field for field in response.headers if field[0] != "content-range"]
        said = {"wrong start": f"bytes 999-{len(BIG) - 1}/{len(BIG)}", "wrong total": f"bytes 1000-{len(BIG) - 1}/{len(BIG) + 1}"}.get(
            answer
        )
        if answer == "ignored":
            return Response.of(200, [("content-length", str(len(BIG)))], request.url, BIG)
        if answer == "416":
            return Response.of(416, [], request.url)
        return Response.of(206, [*kept, *([("content-range", said)] if said else [])], request.url, body)

    simulator.alter(confuse)
    pull(repository, "v1", tmp_path)
    assert (tmp_path / "blobs/sha256" / sha(BIG)).read_bytes() == BIG


def test_a_connection_that_breaks_is_taken_up_within_the_pull(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG])
    cut_after(simulator, 200_000, sha(BIG), times=2)
    done = pull(repository, "v1", tmp_path / "out")
    assert [line for line in ranges(simulator) if line] == ["bytes=200000-", "bytes=400000-"]
    assert done.size == len(BIG) + 0 + len(simulator.shelf.blobs[config_of(simulator)])


def config_of(simulator) -> Digest:
    return Digest.parse(json.loads(simulator.shelf.find("team/model", "v1")[1].content)["config"]["digest"])


def test_a_connection_that_brings_nothing_is_given_up_and_what_came_is_kept(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG])
    cut_after(simulator, 100_000, sha(BIG), times=1)
    simulator.inject(lambda request: (_ for _ in ()).throw(TransportError("down")) if request.header("range") else None)
    with pytest.raises(TransportError):
        pull(repository, "v1", tmp_path / "out")
    assert (tmp_path / "out/blobs/sha256" / f".{sha(BIG)}.partial").read_bytes() == BIG[:100_000]
    simulator.behave()
    simulator.requests.clear()
    pull(repository, "v1", tmp_path / "out")
    assert "bytes=100000-" in ranges(simulator)


def test_a_wrong_last_byte_leaves_nothing_under_the_name(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG])
    simulator.shelf.blobs[Digest("sha256", sha(BIG))] = BIG[:-1] + bytes([BIG[-1] ^ 1])
    with pytest.raises(DigestMismatch):
        pull(repository, "v1", tmp_path / "out")
    assert not [name for name in files_in(tmp_path / "out") if sha(BIG) in name]
    assert not (tmp_path / "out/index.json").exists()


@pytest.mark.parametrize("other", [BIG + b"x", BIG[:-1], b""], ids=["longer", "shorter", "empty"])
def test_a_body_of_another_size_leaves_nothing_under_the_name(repository, simulator, tmp_path, other):
    simulator.add_image("team/model", "v1", [BIG])
    simulator.shelf.blobs[Digest("sha256", sha(BIG))] = other
    with pytest.raises(SizeMismatch):
        pull(repository, "v1", tmp_path / "out")
    assert not [name for name in files_in(tmp_path / "out") if sha(BIG) in name]


def test_a_descriptor_of_a_petabyte_is_refused_before_a_byte_is_fetched(repository, simulator, tmp_path, asked):
    image(simulator, [{"mediaType": LAYER, "digest": f"sha256:{sha(b'x')}", "size": 2**50}])
    with pytest.raises(ContentError, match="room"):
        pull(repository, "v1", tmp_path / "out")
    assert asked("/blobs/") == []


def test_two_sizes_for_one_digest_are_refused(repository, simulator, tmp_path):
    simulator.add_blob(b"abc")
    layer = described(LAYER, b"abc")
    image(simulator, [layer, layer | {"size": 4}])
    with pytest.raises(SizeMismatch):
        pull(repository, "v1", tmp_path / "out")


def test_layers_that_registries_do_not_hold_are_left_out_and_reported(repository, simulator, tmp_path, asked):
    simulator.add_blob(b"abc")
    foreign = described("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", b"windows", urls=["https://elsewhere.example/x"])
    image(simulator, [foreign, described(LAYER, b"abc")])
    events: list[Progress] = []
    done = pull(repository, "v1", tmp_path / "out", progress=events.append)
    assert [str(layer.digest) for layer in done.foreign] == [foreign["digest"]]
    assert not asked(foreign["digest"])
    assert "foreign" in {event.what for event in events}


def test_one_failing_blob_ends_the_rest_promptly(repository, simulator, tmp_path):
    layers = [bytes([number]) * 200_000 for number in range(30)]
    simulator.add_image("team/model", "v1", layers)
    simulator.inject(faults.server_error(f"blobs/sha256:{sha(layers[0])}", status=500))
    with pytest.raises(RegistryError):
        pull(repository, "v1", tmp_path / "out", jobs=2)
    assert len(ranges(simulator)) < 20
    assert not (tmp_path / "out/index.json").exists()


def test_what_a_callback_raises_ends_the_pull(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [BIG, b"x"])

    def refuse(_: Progress) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        pull(repository, "v1", tmp_path / "out", progress=refuse)


def test_events_come_one_at_a_time_and_end_with_all_of_each_blob(repository, simulator, tmp_path):
    layers = [bytes([number]) * 600_000 for number in range(6)]
    simulator.add_image("team/model", "v1", layers)
    inside = threading.Lock()
    last: dict[Digest, Progress] = {}

    def note(event: Progress) -> None:
        assert inside.acquire(blocking=False)
        last[event.digest] = event
        # Long enough for another thread to come in, if it could.
        time.sleep(0.001)
        inside.release()

    pull(repository, "v1", tmp_path / "out", progress=note)
    assert len(last) == 8
    assert all(event.done == event.total for event in last.values())


@pytest.mark.parametrize("jobs", [0, -1, 65])
def test_a_number_of_jobs_that_makes_no_sense_is_refused(repository, tmp_path, jobs):
    with pytest.raises(ValueError, match="jobs"):
        pull(repository, "v1", tmp_path / "out", jobs=jobs)


def test_two_pulls_into_one_layout_fetch_each_blob_once(repository, simulator, tmp_path):
    layers = [bytes([number]) * 300_000 for number in range(12)]
    simulator.add_image("team/model", "v1", layers)
    simulator.add_image("team/model", "v2", layers)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda tag: pull(repository, tag, tmp_path / "out", jobs=3), ("v1", "v2", "v1")))
    assert len(ranges(simulator)) == 13
    layout = Layout.open(str(tmp_path / "out"))
    assert layout.find("v1") == layout.find("v2")
    assert all(layout.holds(Descriptor("", Digest.of(layer), len(layer))) for layer in layers)
    assert not [name for name in files_in(tmp_path / "out") if "partial" in name]


def test_what_is_begun_counts_against_what_the_disk_has_room_for(repository, simulator, tmp_path, monkeypatch):
    simulator.add_image("team/model", "v1", [BIG])
    partial_of(tmp_path, BIG).write_bytes(BIG[:-100])
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10_000))
    pull(repository, "v1", tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(ContentError, match="room"):
        pull(repository, "v1", tmp_path / "second")


def test_a_directory_with_other_things_in_it_is_left_alone(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [b"x"])
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(ContentError, match="other files"):
        pull(repository, "v1", tmp_path)
    assert files_in(tmp_path) == {"diary.txt": b"mine"}


def test_a_tag_pulled_again_names_the_new_image(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [b"old"])
    pull(repository, "v1", tmp_path / "out")
    new = simulator.add_image("team/model", "v1", [b"new"])
    pull(repository, "v1", tmp_path / "out")
    assert Layout.open(str(tmp_path / "out")).find("v1").digest == new


def test_what_is_not_there_is_not_found_and_nothing_is_made(repository, simulator, tmp_path):
    simulator.add_image("team/model", "v1", [b"x"])
    with pytest.raises(NotFound):
        pull(repository, "v2", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_digest_pulls_without_a_name(repository, simulator, tmp_path):
    digest = simulator.add_image("team/model", None, [b"x"])
    pull(repository, str(digest), tmp_path / "out")
    pull(repository, digest, tmp_path / "out")
    assert "annotations" not in json.loads((tmp_path / "out/index.json").read_bytes())["manifests"][0]


def test_sha512_is_kept_under_its_own_name(repository, simulator, tmp_path):
    digest = simulator.shelf.add_blob(b"long digests", "sha512")
    image(simulator, [{"mediaType": LAYER, "digest": str(digest), "size": 12}])
    pull(repository, "v1", tmp_path / "out")
    assert (tmp_path / "out/blobs/sha512" / digest.encoded).read_bytes() == b"long digests"


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), ValueError("enough")])
def test_what_a_callback_raises_is_not_taken_for_the_disks_fault_or_the_connections(repository, simulator, tmp_path, jobs, error):
    simulator.add_image("team/model", "v1", [BIG, b"x"])

    def refuse(step: Progress) -> None:
        if step.done:
            raise error

    with pytest.raises(type(error)) as raised:
        pull(repository, "v1", tmp_path / "out", jobs=jobs, progress=refuse)
    assert raised.value is error


def test_the_memory_for_large_blobs_is_shared_by_those_that_come_at_once(tmp_path):
    blob = Descriptor(LAYER, Digest("sha256", "0" * 64), 1 << 40)

    def piece(width: int) -> int:
        with claim(Layout.create(str(tmp_path / str(width))), blob, lambda _: None, width) as partial:
            return partial.piece

    assert [piece(width) for width in (1, 4, 16, 64)] == [4 << 20, 4 << 20, 1 << 20, 256 << 10]


def test_a_directory_in_the_place_of_an_archive_is_refused_before_a_blob_is_fetched(repository, simulator, tmp_path, asked):
    simulator.add_image("team/model", "v1")
    for form in ("oci-archive", "docker-archive"):
        with pytest.raises(ContentError, match="is a directory"):
            pull(repository, "v1", tmp_path, form=form)
    assert asked("/blobs/") == []
    assert not (tmp_path.parent / f"{tmp_path.name}.partial").exists()


def test_a_file_system_without_locks_says_so(repository, simulator, tmp_path, monkeypatch):
    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    simulator.add_image("team/model", "v1")
    pull(repository, "v1", tmp_path / "whole")
    monkeypatch.setattr(fcntl, "flock", refuse)
    for place in ("empty", "whole"):
        with pytest.raises(ContentError, match="cannot lock") as raised:
            pull(repository, "v1", tmp_path / place)
        assert "flock" in raised.value.hint
