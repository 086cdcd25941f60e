"""Artifacts as files: by their titles, never outside of the directory."""

from __future__ import annotations

import gzip
import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import ContentError, UnsafeArchive
from registryauth.transfer import pull
from registryauth.transfer.tree import steps

from .conftest import described, files_in, image, sha, tar_of

TITLE = "org.opencontainers.image.title"
UNPACK = {"io.deis.oras.content.unpack": "true"}
GZIPPED = "application/vnd.oci.image.layer.v1.tar+gzip"


def artifact(simulator, *files: tuple[str, bytes], notes: dict | None = None, media_type: str = "text/plain"):
    for _, content in files:
        simulator.add_blob(content)
    return image(simulator, [described(media_type, content, annotations={TITLE: title} | (notes or {})) for title, content in files])


def special(name: str, kind: bytes, link: str = "", **more) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    for field, value in more.items():
        setattr(info, field, value)
    return info


def test_each_titled_layer_becomes_a_file(repository, simulator, tmp_path, asked):
    artifact(simulator, ("a.txt", b"one"), ("deep/er/b.bin", b"two"))
    done = pull(repository, "v1", tmp_path / "out", form="files")
    assert files_in(tmp_path / "out") == {"a.txt": b"one", "deep/er/b.bin": b"two"}
    assert done.files == (str(tmp_path / "out/a.txt"), str(tmp_path / "out/deep/er/b.bin"))
    assert len(asked("/blobs/")) == 2


def test_layers_without_a_title_are_left_out(repository, simulator, tmp_path):
    image(simulator, [described("text/plain", b"nameless")])
    assert pull(repository, "v1", tmp_path / "out", form="files").files == ()
    assert files_in(tmp_path / "out") == {}


def test_the_same_content_under_two_names_is_two_files(repository, simulator, tmp_path, asked):
    artifact(simulator, ("a", b"same"), ("b", b"same"))
    pull(repository, "v1", tmp_path, form="files")
    (tmp_path / "a").write_bytes(b"changed")
    assert (tmp_path / "b").read_bytes() == b"same"
    assert len(asked("/blobs/")) == 1


def test_a_file_that_is_right_is_not_fetched_and_another_is_replaced(repository, simulator, tmp_path, asked):
    artifact(simulator, ("a", b"right"), ("b", b"new"))
    (tmp_path / "a").write_bytes(b"right")
    (tmp_path / "b").write_bytes(b"old")
    done = pull(repository, "v1", tmp_path, form="files")
    assert files_in(tmp_path) == {"a": b"right", "b": b"new"}
    assert (done.moved, done.present) == (1, 1)


def test_an_interrupted_fetch_is_taken_up(repository, simulator, tmp_path):
    content = os.urandom(500_000)
    manifest = artifact(simulator, ("a", content))
    staged = tmp_path / f".{manifest.encoded}.partial/blobs/sha256/.{sha(content)}.partial"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(content[:123_456])
    pull(repository, "v1", tmp_path, form="files")
    assert files_in(tmp_path) == {"a": content}
    assert "bytes=123456-" in [request.header("range") for request in simulator.requests]


BAD_TITLES = ["../x", "/etc/x", "a/../../x", "a//b", "", ".", "a/./b", "a\\b", "a\0b", "a\nb", "x" * 300, "a/", "\u202egnp.exe"]


@pytest.mark.parametrize("title", BAD_TITLES)
def test_a_title_that_is_no_path_below_is_refused(repository, simulator, tmp_path, title):
    artifact(simulator, (title, b"x"))
    with pytest.raises(UnsafeArchive):
        pull(repository, "v1", tmp_path / "in/out", form="files")
    assert not files_in(tmp_path)


@given(st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "", "a", "b c", "…"]), max_size=6).map("/".join))
def test_steps_never_lead_out(name):
    try:
        parts = steps(name, "it")
    except UnsafeArchive:
        return
    assert parts
    assert os.path.normpath("/".join(parts)) == name
    assert not name.startswith("/")
    assert ".." not in parts


def test_two_files_of_one_name_are_refused(repository, simulator, tmp_path):
    artifact(simulator, ("a", b"one"), ("a", b"two"))
    with pytest.raises(UnsafeArchive, match="two files"):
        pull(repository, "v1", tmp_path, form="files")


def test_no_file_is_written_through_a_link(repository, simulator, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link").symlink_to("../outside")
    artifact(simulator, ("link/x", b"x"))
    with pytest.raises(UnsafeArchive):
        pull(repository, "v1", tmp_path / "in", form="files")
    assert files_in(tmp_path / "outside") == {}


def test_a_file_replaces_a_link_and_not_what_it_leads_to(repository, simulator, tmp_path):
    (tmp_path / "outside").write_bytes(b"mine")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x").symlink_to("../outside")
    artifact(simulator, ("x", b"new"))
    pull(repository, "v1", tmp_path / "in", form="files")
    assert (tmp_path / "outside").read_bytes() == b"mine"
    assert (tmp_path / "in/x").read_bytes() == b"new"
    assert not (tmp_path / "in/x").is_symlink()


def packed(simulator, tar: bytes, title: str = "dir", **notes):
    artifact(simulator, (title, gzip.compress(tar)), notes=UNPACK | notes, media_type=GZIPPED)


def test_a_packed_directory_stays_packed_unless_asked(repository, simulator, tmp_path):
    packed(simulator, tar_of(("dir/a", b"x")))
    pull(repository, "v1", tmp_path, form="files")
    assert (tmp_path / "dir").is_file()


def test_a_packed_directory_is_unpacked_on_request(repository, simulator, tmp_path):
    tar = tar_of(
        special("dir/", tarfile.DIRTYPE, mode=0o777),
        ("dir/sub/a", b"x" * 700_000),
        special("dir/link", tarfile.SYMTYPE, "sub/a"),
        special("dir/sub/up", tarfile.SYMTYPE, "../link"),
        special("dir/hard", tarfile.LNKTYPE, "dir/sub/a"),
    )
    packed(simulator, tar, **{"io.deis.oras.content.digest": f"sha256:{sha(tar)}"})
    pull(repository, "v1", tmp_path, form="files", unpack=True)
    assert sorted(os.listdir(tmp_path)) == ["dir"]
    assert (tmp_path / "dir/sub/up").resolve() == tmp_path / "dir/sub/a"
    assert (tmp_path / "dir/hard").read_bytes() == b"x" * 700_000


def test_no_right_that_a_tar_gives_itself_is_kept(repository, simulator, tmp_path):
    info = special("dir/tool", tarfile.REGTYPE, mode=0o6777)
    packed(simulator, tar_of(info))
    pull(repository, "v1", tmp_path, form="files", unpack=True)
    assert (tmp_path / "dir/tool").stat().st_mode & 0o7022 == 0


HOSTILE = {
    "traversal": tar_of(("dir/../../evil", b"x")),
    "absolute": tar_of(("/tmp/evil", b"x")),
    "beside": tar_of(("other/evil", b"x")),
    "prefix only": tar_of(("directory/evil", b"x")),
    "link out": tar_of(special("dir/l", tarfile.SYMTYPE, "../outside")),
    "link to the root": tar_of(special("dir/l", tarfile.SYMTYPE, "/etc/passwd")),
    "link out by way of a link": tar_of(
        special("dir/a/b/c", tarfile.SYMTYPE, "../../s"),
        special("dir/s", tarfile.DIRTYPE),
        special("dir/z", tarfile.SYMTYPE, "a/b/c/../.."),
    ),
    "through a link": tar_of(special("dir/l", tarfile.SYMTYPE, "sub"), ("dir/l/evil", b"x")),
    "hard link out": tar_of(special("dir/l", tarfile.LNKTYPE, "../outside")),
    "hard link to a link": tar_of(
        special("dir/a/b/l", tarfile.SYMTYPE, "../../x"), special("dir/l", tarfile.LNKTYPE, "dir/a/b/l")
    ),
    "device": tar_of(special("dir/null", tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "block device": tar_of(special("dir/disk", tarfile.BLKTYPE, devmajor=8)),
    "pipe": tar_of(special("dir/pipe", tarfile.FIFOTYPE)),
    "the directory as a file": tar_of(("dir", b"x")),
}  # fmt: skip


@pytest.mark.parametrize("tar", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tar_leaves_nothing(repository, simulator, tmp_path, tar):
    (tmp_path / "outside").write_bytes(b"mine")
    packed(simulator, tar)
    with pytest.raises(ContentError):
        pull(repository, "v1", tmp_path / "in", form="files", unpack=True)
    assert [name for name in os.listdir(tmp_path / "in") if not name.startswith(".")] == []
    assert [name for name in files_in(tmp_path) if "evil" in name] == []
    assert (tmp_path / "outside").read_bytes() == b"mine"


def test_a_bomb_is_put_out(repository, simulator, tmp_path, monkeypatch):
    monkeypatch.setattr("registryauth.transfer.tars._ALWAYS_ALLOWED", 1024 * 1024)
    packed(simulator, tar_of(("dir/zeros", bytes(8 * 1024 * 1024))))
    with pytest.raises(UnsafeArchive, match="become more"):
        pull(repository, "v1", tmp_path, form="files", unpack=True)
    assert not (tmp_path / "dir").exists()


def test_a_header_of_megabytes_is_not_read(repository, simulator, tmp_path):
    packing = io.BytesIO()
    with tarfile.open(fileobj=packing, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(special("dir/a", tarfile.REGTYPE, pax_headers={"comment": "x" * 3_000_000}))
    packed(simulator, packing.getvalue())
    with pytest.raises(UnsafeArchive, match="header"):
        pull(repository, "v1", tmp_path, form="files", unpack=True)


@pytest.mark.parametrize(
    "tar", [gzip.compress(tar_of(("dir/a", b"x" * 9000)))[:-20], gzip.compress(b"no tar at all" * 100), b"\x1f\x8bnothing"]
)
def test_what_is_no_packed_directory_says_so(repository, simulator, tmp_path, tar):
    artifact(simulator, ("dir", tar), notes=UNPACK, media_type=GZIPPED)
    with pytest.raises(ContentError):
        pull(repository, "v1", tmp_path, form="files", unpack=True)
    assert not (tmp_path / "dir").exists()


def test_a_directory_that_is_there_is_not_mixed_with_the_new_one(repository, simulator, tmp_path, asked):
    packed(simulator, tar_of(("dir/a", b"x")))
    (tmp_path / "dir").mkdir()
    with pytest.raises(ContentError, match="is there already"):
        pull(repository, "v1", tmp_path, form="files", unpack=True)
    assert asked("/blobs/") == []


def test_the_content_must_be_what_the_artifact_says_it_unpacks_to(repository, simulator, tmp_path):
    packed(simulator, tar_of(("dir/a", b"x")), **{"io.deis.oras.content.digest": f"sha256:{sha(b'else')}"})
    with pytest.raises(ContentError, match="unpacked"):
        pull(repository, "v1", tmp_path, form="files", unpack=True)
