"""A directory as a build's context: what is in the archive, and what goes wrong on the way there."""

from __future__ import annotations

import errno
import gzip
import io
import os
import socket
import stat
import tarfile

import pytest

from registryauth.azure import build_context
from registryauth.azure.build_context import archived, pack, pack_dockerfile
from registryauth.errors import ConfigurationError, ContentError

DOCKERFILE = "FROM scratch\n"


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "context"
    made.mkdir()
    (made / "Dockerfile").write_text(DOCKERFILE)
    return made


@pytest.fixture
def files(root):
    """Write files below the root, each with its own name in it."""

    def files(*names):
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)

    return files


def content_of(context):
    return b"".join(map(bytes, context.body().pieces()))


def read(context):
    """The archive's members by name, and the context let go."""
    with context as held, tarfile.open(fileobj=io.BytesIO(content_of(held))) as tar:
        return {member.name: (member, (tar.extractfile(member) or io.BytesIO()).read() if member.isfile() else b"") for member in tar}


def packed(root, dockerfile="Dockerfile", **said):
    return pack(str(root), os.path.join(root, dockerfile), **said)


def names(root, **said):
    """What is in the archive, but for the second Dockerfile, which is always the last."""
    found = list(read(packed(root, **said)))
    assert found[-1].endswith("_Dockerfile")
    return found[:-1]


def test_everything_is_in_it_in_the_order_of_names(root, files):
    files("b/2", "b/1", "a", "b/c/d", "z")
    (root / "empty").mkdir()
    assert names(root) == ["Dockerfile", "a", "b", "b/1", "b/2", "b/c", "b/c/d", "empty", "z"]


def test_the_same_directory_gives_the_same_bytes(root, files):
    files("a", "b/c")
    with packed(root) as one, packed(root) as other:
        assert content_of(one) == content_of(other) == content_of(one)
        assert one.size == len(content_of(one))


def test_modes_dates_and_links_are_kept_and_everything_belongs_to_root(root, files, tmp_path):
    files("run", "d/x")
    (root / "run").chmod(0o4755)
    os.utime(root / "run", (1_500_000_000, 1_500_000_000.75))
    (root / "inside").symlink_to("d/x")
    (root / "outside").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("canary-context")
    (root / "loop").symlink_to("loop")
    (root / "to-directory").symlink_to("d")
    os.link(root / "run", root / "run-again")
    found = read(packed(root))
    run, content = found["run"]
    assert (run.mode, run.mtime, run.uid, run.gid, run.uname, content) == (0o4755, 1_500_000_000, 0, 0, "", b"run")
    assert found["run-again"][1] == b"run"
    assert {name: found[name][0].linkname for name in ("inside", "outside", "loop", "to-directory")} == {
        "inside": "d/x", "outside": str(tmp_path / "secret"), "loop": "loop", "to-directory": "d",
    }  # fmt: skip
    assert "to-directory/x" not in found
    with packed(root) as context:
        assert b"canary-context" not in gzip.decompress(content_of(context))


def test_names_of_any_length_and_kind_are_kept(root):
    long, strange = "n" * 200, os.fsdecode(b"caf\xe9 \n\xf0\x9f\x98\x80")
    (root / long / long).mkdir(parents=True)
    (root / long / long / "f").write_text("deep")
    (root / strange).write_text("strange")
    found = read(packed(root))
    assert (found[f"{long}/{long}/f"][1], found[strange][1]) == (b"deep", b"strange")


def test_version_control_is_never_sent_whatever_the_ignore_file_says(root, files):
    files(".git/config", ".gitignore", ".hg/x", ".svn/x", ".venv/bin/python", "sub/.git/config", "a")
    (root / ".dockerignore").write_text("!.git\n!.git/config\n")
    assert names(root) == [".dockerignore", "Dockerfile", "a", "sub", "sub/.git", "sub/.git/config"]
    with packed(root) as context:
        assert [line.partition(" ")[0] for line in context.left_out] == [".git", ".gitignore", ".hg", ".svn", ".venv"]


def test_what_is_ignored_is_not_even_read(root, files):
    files("keep/a", "drop/a", "drop/b/c", "x.log", "sub/x.log")
    (root / ".dockerignore").write_text("drop\n**/*.log\n")
    (root / "drop").chmod(0)
    (root / "x.log").chmod(0)
    try:
        assert names(root) == [".dockerignore", "Dockerfile", "keep", "keep/a", "sub"]
    finally:
        (root / "drop").chmod(0o755)


def test_a_kept_file_in_an_ignored_directory_brings_its_directories_along(root, files):
    files("0/x/y", "a/b/keep", "a/b/drop", "a/0/drop", "a/c/drop", "d/x")
    (root / ".dockerignore").write_text("*\n!a/b/keep\n")
    assert names(root) == ["a", "a/b", "a/b/keep"]
    (root / ".dockerignore").write_text("*\n!**/keep\n")
    assert names(root) == ["a", "a/b", "a/b/keep"]


def test_the_dockerfile_is_there_a_second_time_even_if_it_is_ignored_or_elsewhere(root, tmp_path, files):
    files("a")
    (root / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
    (tmp_path / "Other").write_text("FROM other\n")
    for path, name, text in ((root / "Dockerfile", "_Dockerfile", DOCKERFILE), (tmp_path / "Other", "_Other", "FROM other\n")):
        context = pack(str(root), str(path))
        where = context.dockerfile
        found = read(context)
        assert list(found) == ["a", where]
        assert where.endswith(name)
        assert len(where) == 32 + len(name)
        assert found[where][1] == text.encode()


def test_the_dockerfiles_own_ignore_file_goes_first(root, files):
    files("a", "b")
    (root / ".dockerignore").write_text("a\n")
    (root / "Dockerfile.dockerignore").write_text("b\n*ignore\n")
    assert names(root) == ["Dockerfile", "a"]


def test_sockets_and_pipes_are_left_out_and_named(root, monkeypatch):
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("listener")
        assert names(root) == ["Dockerfile"]
        with packed(root) as context:
            assert context.left_out == ("listener is a socket, which no archive keeps", "pipe is a pipe, which no archive keeps")


def test_a_depth_that_python_would_not_recurse_to_is_no_trouble(root):
    here = os.getcwd()
    try:
        os.chdir(root)
        for _ in range(1100):
            os.mkdir("d")
            os.chdir("d")
        assert len(names(root)) == 1101
    finally:
        # shutil.rmtree, with which pytest cleans up, does recurse.
        while os.getcwd() != str(root):
            os.chdir("..")
            os.rmdir("d")
        os.chdir(here)


@pytest.mark.parametrize("change", ["grow", "shrink", "touch", "vanish", "link", "pipe"])
def test_a_file_that_changes_meanwhile_is_an_error_that_names_it(root, files, monkeypatch, change):
    files("a")
    victim = root / "a"
    real_open, real_header = os.open, build_context._header

    def before_open(path, flags, *rest, **more):
        if os.fspath(path).endswith("/a") and change in ("vanish", "link", "pipe"):
            victim.unlink()
            if change == "link":
                victim.symlink_to("/etc/passwd")
            if change == "pipe":
                os.mkfifo(victim)
        return real_open(path, flags, *rest, **more)

    def after_header(info):
        if info.name == "a":
            match change:
                case "grow":
                    victim.write_text("a and more")
                case "shrink":
                    victim.write_text("")
                case "touch":
                    os.utime(victim, (1, 1))
        return real_header(info)

    monkeypatch.setattr(os, "open", before_open)
    monkeypatch.setattr(build_context, "_header", after_header)
    with pytest.raises(ContentError, match=r"/a (changed|vanished) while") as caught:
        packed(root)
    assert caught.value.hint


def test_a_context_that_is_too_large_is_refused_with_what_is_largest_in_it(root):
    for name, size in (("data/big", 900_000), ("data/sub/more", 600_000), ("small", 10)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(size))
    with pytest.raises(ContentError, match=r"more than the 1\.0 MiB that one upload takes; the largest so far: data/big") as caught:
        packed(root, limit=1024 * 1024)
    assert ".dockerignore" in caught.value.hint
    with packed(root) as context:
        assert context.biggest == (("data/big", 900_000), ("data/sub", 600_000), ("Dockerfile", 13))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_an_error_with_a_way_out(root, files):
    files("a")
    (root / "a").chmod(0)
    with pytest.raises(ContentError, match="cannot read") as caught:
        packed(root)
    assert ".dockerignore" in caught.value.hint


def test_no_dockerfile_is_an_error_of_usage(root):
    (root / "Dockerfile").unlink()
    with pytest.raises(ConfigurationError, match="cannot read the Dockerfile") as caught:
        packed(root)
    assert caught.value.exit_code == 2


def test_an_ignore_file_that_cannot_be_read_stops_everything(root):
    (root / ".dockerignore").mkdir()
    with pytest.raises(ContentError, match="dockerignore"):
        packed(root)


def test_memory_stays_bounded_whatever_the_context(root):
    import tracemalloc

    with open(root / "zeros", "wb") as file:
        file.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    try:
        with packed(root) as context:
            assert sum(map(len, context.body().pieces())) == context.size
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_the_temporary_file_has_no_name_and_is_for_us_alone(root, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with packed(root) as context:
        assert [name for name in os.listdir(tmp_path) if "context-" in name] == []
        assert stat.S_IMODE(os.fstat(context._file.fileno()).st_mode) & 0o077 == 0


def test_a_dockerfile_alone_is_a_context():
    context = pack_dockerfile(b"FROM scratch\n")
    assert (context.files, context.dockerfile[32:]) == (1, "_Dockerfile")
    found = read(context)
    assert [content for _, content in found.values()] == [b"FROM scratch\n"]
    for content in (b"", b" \n", b"x" * (build_context.MAX_DOCKERFILE + 1)):
        with pytest.raises(ConfigurationError):
            pack_dockerfile(content)


def test_an_archive_is_sent_as_it_is(tmp_path):
    path = tmp_path / "c.tar.gz"
    path.write_bytes(gzip.compress(b"whatever"))
    with archived(str(path), "sub/Dockerfile") as context:
        assert (content_of(context), context.dockerfile) == (path.read_bytes(), "sub/Dockerfile")
    with pytest.raises(ContentError, match="more than the 1 KiB"):
        archived(str(path), "Dockerfile", limit=10)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ContentError, match="no gzipped tar"):
        archived(str(path), "Dockerfile")


def test_a_context_that_is_sent_twice_is_the_same(root):
    with packed(root) as context:
        body = context.body()
        first = next(iter(body.pieces()))
        assert b"".join(map(bytes, body.pieces())).startswith(bytes(first))


def test_a_pipe_in_an_archives_place_is_none(tmp_path):
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "wb") as out:
        out.write(gzip.compress(b"whatever"))
        out.flush()
        with pytest.raises(ContentError, match="no gzipped tar"):
            archived(f"/dev/fd/{reading}", "Dockerfile")


@pytest.mark.parametrize("name", [b"caf\xe9", b"a b\n", b"d" * 230, b"\x1b[2J"])
def test_a_dockerfile_with_an_odd_name_goes_under_a_plain_one(tmp_path, root, name):
    path = tmp_path / os.fsdecode(name)
    path.write_text(DOCKERFILE)
    with pack(str(root), str(path)) as context:
        assert context.dockerfile[32:] == "_Dockerfile"


@pytest.mark.parametrize("fails", ["begin", "write", "flush"])
def test_no_room_for_the_context_is_an_error_with_a_way_out(root, monkeypatch, fails):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Sink(io.BytesIO):
        write = full if fails == "write" else io.BytesIO.write
        flush = full if fails == "flush" else io.BytesIO.flush

    (root / "large").write_bytes(os.urandom(1024 * 1024))
    monkeypatch.setattr("tempfile.TemporaryFile", full if fails == "begin" else lambda **_: Sink())
    with pytest.raises(ContentError, match="cannot write the context to a temporary file: No space left") as caught:
        packed(root)
    assert "TMPDIR" in caught.value.hint
