"""OCI layouts: read by anybody, written by many at once."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from subprocess import Popen

import pytest

from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout, Region
from registryauth.digest import Digest
from registryauth.errors import ContentError, NotFound, SizeMismatch, UnsupportedMediaType

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"


def descriptor(content: bytes) -> Descriptor:
    return Descriptor(MEDIA_TYPE, Digest.of(content), len(content))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.create(str(tmp_path / "new/layout"))


def names(layout: Layout) -> list[str]:
    return [row.get("annotations", {}).get("org.opencontainers.image.ref.name", "") for row in layout.document()["manifests"]]


def test_a_new_layout_has_its_marker_and_nothing_else(layout: Layout) -> None:
    assert os.listdir(layout.directory) == ["oci-layout"]
    assert Layout.open(layout.directory).document() == {"manifests": []}


def test_content_is_kept_by_its_digest(layout: Layout) -> None:
    layout.add(Digest.of(b"abc"), b"abc")
    assert layout.holds(descriptor(b"abc"))
    assert layout.blob(descriptor(b"abc")).read(3) == b"abc"
    assert Path(layout.path(Digest.of(b"abc"))).read_bytes() == b"abc"


def test_content_of_another_size_or_with_another_byte_is_not_held(layout: Layout) -> None:
    layout.add(Digest.of(b"abc"), b"abc")
    assert not layout.holds(descriptor(b"abc").replace(size=4))
    Path(layout.path(Digest.of(b"abc"))).write_bytes(b"abd")
    assert not layout.holds(descriptor(b"abc"))
    layout.add(Digest.of(b"abc"), b"abc")
    assert layout.holds(descriptor(b"abc"))


def test_a_tag_names_one_thing(layout: Layout) -> None:
    layout.name(descriptor(b"one"), "v1")
    layout.name(descriptor(b"one"), "v2")
    layout.name(descriptor(b"two"), "v1")
    assert layout.find("v1") == descriptor(b"two")
    assert layout.find("v2") == descriptor(b"one")
    assert sorted(names(layout)) == ["v1", "v2"]


def test_without_a_tag_an_entry_is_listed_once(layout: Layout) -> None:
    layout.name(descriptor(b"one"))
    layout.name(descriptor(b"one"))
    assert names(layout) == [""]
    assert layout.find() == layout.find(str(Digest.of(b"one"))) == descriptor(b"one")


def test_what_others_wrote_into_the_index_stays(layout: Layout) -> None:
    entry = {"mediaType": MEDIA_TYPE, "digest": str(Digest.of(b"x")), "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}
    Path(layout.directory, "index.json").write_text(json.dumps({"schemaVersion": 2, "annotations": {"a": "b"}, "manifests": [entry]}))
    layout.name(descriptor(b"one"), "v1")
    document = layout.document()
    assert document["annotations"] == {"a": "b"}
    assert document["manifests"][0] == entry


def test_of_several_entries_the_one_with_the_tag_is_meant(layout: Layout) -> None:
    layout.name(descriptor(b"one"), "v1")
    layout.name(descriptor(b"two"), "v2")
    assert layout.find(tag="v2") == descriptor(b"two")
    with pytest.raises(NotFound) as caught:
        layout.find()
    assert caught.value.hint == "it has v1, v2"


def test_threads_that_name_at_once_lose_nothing(layout: Layout) -> None:
    threads = [threading.Thread(target=layout.name, args=(descriptor(str(n).encode()), f"v{n}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(layout)) == sorted(f"v{n}" for n in range(20))


def test_processes_that_name_at_once_lose_nothing(layout: Layout) -> None:
    code = (
        "import sys; from registryauth.content.layout import Layout; from registryauth.content.descriptor import Descriptor;"
        "from registryauth.digest import Digest; layout = Layout.create(sys.argv[1])\n"
        "for n in range(10): layout.name(Descriptor('a/b', Digest.of(b'x'), 1), f'{sys.argv[2]}-{n}')"
    )
    processes = [Popen([sys.executable, "-c", code, layout.directory, str(number)]) for number in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert sorted(names(layout)) == sorted(f"{number}-{n}" for number in range(3) for n in range(10))


@pytest.mark.parametrize("marker", [b"", b"{}", b"[]", b'{"imageLayoutVersion":"2.0.0"}', b'{"imageLayoutVersion":1}', b"x" * 100_000])
def test_a_marker_that_is_none_is_refused(tmp_path: Path, marker: bytes) -> None:
    (tmp_path / "oci-layout").write_bytes(marker)
    with pytest.raises(ContentError):
        Layout.open(str(tmp_path))


@pytest.mark.parametrize("index", [b"[]", b"{}", b'{"manifests":{}}', b'{"manifests":[1]}', b"{", b" " * 5_000_000])
def test_an_index_that_is_none_is_refused(layout: Layout, index: bytes) -> None:
    Path(layout.directory, "index.json").write_bytes(index)
    with pytest.raises(ContentError):
        layout.document()


def test_a_directory_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ContentError):
        Layout.create(str(tmp_path / "file"))
    with pytest.raises(ContentError):
        Layout.create(str(tmp_path / "file/below"))


def test_pipes_and_links_are_not_read(layout: Layout) -> None:
    os.mkfifo(layout.path(Digest.of(b"pipe")))
    os.symlink("/etc/hostname", layout.path(Digest.of(b"link")))
    for content in (b"pipe", b"link"):
        with pytest.raises(UnsupportedMediaType):
            layout.blob(descriptor(content))


def test_a_missing_blob_and_one_of_another_size_are_told_apart(layout: Layout) -> None:
    with pytest.raises(NotFound):
        layout.blob(descriptor(b"abc"))
    layout.add(Digest.of(b"abc"), b"abc")
    with pytest.raises(SizeMismatch):
        layout.blob(descriptor(b"abc").replace(size=2))


def test_a_region_is_a_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4000)
    region = Region(str(path), 300_000, 500_000)
    assert region.read(500_000) == path.read_bytes()[300_000:800_000] == b"".join(map(bytes, region.pieces()))
    with pytest.raises(SizeMismatch):
        region.read(499_999)
    with pytest.raises(SizeMismatch, match="early"):
        list(region.replace(size=2_000_000).pieces())
    with pytest.raises(ContentError):
        list(Region(str(tmp_path / "absent"), 0, 1).pieces())
