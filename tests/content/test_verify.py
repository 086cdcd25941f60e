"""A file appears when all of it was verified, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registryauth.content.verify import save, write
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, Error, SizeMismatch, TransportError

CONTENT = bytes(range(256)) * 40
LIMIT = 1 << 20


def chunks(content: bytes, size: int = 1000) -> Iterator[memoryview]:
    """As a transport gives them: every piece in the same buffer."""
    buffer = bytearray(size)
    for start in range(0, len(content), size):
        piece = content[start : start + size]
        buffer[: len(piece)] = piece
        yield memoryview(buffer)[: len(piece)]


def failing(content: bytes, error: BaseException) -> Iterator[memoryview]:
    yield from chunks(content)
    raise error


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "blob"


def refused(
    target: Path, source: Iterable[memoryview], kind: type[BaseException], digest: Digest, size: int | None = None, limit: int = LIMIT
) -> BaseException:
    """The error of saving *source*; fails if the directory is not as it was."""
    before = {path.name: path.read_bytes() for path in target.parent.iterdir()}
    with pytest.raises(kind) as caught:
        save(source, str(target), digest, size, limit)
    assert {path.name: path.read_bytes() for path in target.parent.iterdir()} == before
    return caught.value


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=["empty", "one byte", "many"])
def test_what_is_right_is_there_and_alone(target: Path, content: bytes, algorithm: str) -> None:
    assert save(chunks(content), str(target), Digest.of(content, algorithm), len(content), LIMIT) == len(content)
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]


@given(st.binary(max_size=300), st.integers(1, 64))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_the_size_of_the_pieces_does_not_matter(target: Path, content: bytes, size: int) -> None:
    save(chunks(content, size), str(target), Digest.of(content), None, LIMIT)
    assert target.read_bytes() == content


def test_progress_is_told_as_it_goes(target: Path) -> None:
    seen: list[int] = []
    save(chunks(CONTENT, 4096), str(target), Digest.of(CONTENT), len(CONTENT), LIMIT, seen.append)
    assert seen == [4096, 8192, 10240]


def test_a_wrong_last_byte_is_noticed(target: Path) -> None:
    wrong = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    error = refused(target, chunks(wrong), DigestMismatch, Digest.of(CONTENT), len(CONTENT))
    assert isinstance(error, DigestMismatch)
    assert str(Digest.of(wrong)) in error.message
    assert error.hint


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_what_is_cut_short_is_noticed(target: Path, size: int | None) -> None:
    refused(target, chunks(CONTENT[:-1]), SizeMismatch if size else DigestMismatch, Digest.of(CONTENT), size)
    refused(target, chunks(b""), SizeMismatch if size else DigestMismatch, Digest.of(CONTENT), size)


def test_what_is_too_long_is_cut_off_before_it_fills_the_disk(target: Path) -> None:
    pulled: list[int] = []

    def endless() -> Iterator[memoryview]:
        while True:
            pulled.append(1)
            yield memoryview(bytes(1000))

    refused(target, endless(), SizeMismatch, Digest.of(CONTENT), len(CONTENT))
    assert len(pulled) == len(CONTENT) // 1000 + 1


def test_a_longer_content_with_the_right_beginning_is_refused(target: Path) -> None:
    refused(target, chunks(CONTENT + b"x"), SizeMismatch, Digest.of(CONTENT), len(CONTENT))
    refused(target, chunks(CONTENT + b"x"), SizeMismatch, Digest.of(CONTENT + b"x"), len(CONTENT))


def test_a_content_that_hashes_right_and_is_not_the_size_described_is_refused(target: Path) -> None:
    refused(target, chunks(CONTENT), SizeMismatch, Digest.of(CONTENT), len(CONTENT) + 1)


def test_without_a_size_the_limit_counts(target: Path) -> None:
    refused(target, chunks(CONTENT), SizeMismatch, Digest.of(CONTENT), None, len(CONTENT) - 1)
    assert save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, len(CONTENT)) == len(CONTENT)


@pytest.mark.parametrize(
    "error", [TransportError("cut"), KeyboardInterrupt(), RuntimeError("bug"), MemoryError()], ids=lambda e: type(e).__name__
)
def test_whatever_the_source_raises_leaves_nothing_behind(target: Path, error: BaseException) -> None:
    assert refused(target, failing(CONTENT, error), type(error), Digest.of(CONTENT)) is error


def test_a_progress_callback_that_raises_leaves_nothing_behind(target: Path) -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT, fail)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b"x" * len(CONTENT)], ids=["short", "long", "wrong"])
def test_a_file_that_was_there_stays_as_it_was(target: Path, content: bytes) -> None:
    target.write_bytes(b"precious")
    refused(target, chunks(content), ContentError, Digest.of(CONTENT), len(CONTENT))
    assert target.read_bytes() == b"precious"


def test_a_file_that_was_there_is_replaced_by_what_is_right(target: Path) -> None:
    target.write_bytes(b"old" * 100_000)
    save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
    assert target.read_bytes() == CONTENT


def test_an_open_reader_of_the_old_file_keeps_it(target: Path) -> None:
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
        assert reader.read() == b"old"


@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to nothing"])
def test_a_symlink_is_replaced_and_not_followed(target: Path, tmp_path_factory: pytest.TempPathFactory, exists: bool) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "victim"
    if exists:
        elsewhere.write_bytes(b"precious")
    target.symlink_to(elsewhere)
    save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
    assert not target.is_symlink()
    assert target.read_bytes() == CONTENT
    assert (elsewhere.read_bytes() if exists else elsewhere.exists()) == (b"precious" if exists else False)


def test_a_hard_link_is_not_written_through(target: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "other"
    other.write_bytes(b"precious")
    os.link(other, target)
    save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
    assert other.read_bytes() == b"precious"


def test_a_directory_in_the_way_is_an_error_and_stays(target: Path) -> None:
    target.mkdir()
    (target / "precious").write_bytes(b"x")
    with pytest.raises(ContentError, match="cannot write"):
        save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
    assert [path.name for path in target.parent.iterdir()] == ["blob"]
    assert (target / "precious").exists()


@pytest.mark.parametrize("where", ["missing/blob", "file/blob"])
def test_a_directory_that_cannot_be_written_to_is_an_error_before_anything_is_read(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_bytes(b"")

    def unread() -> Iterator[memoryview]:
        raise AssertionError("read")
        yield memoryview(b"")

    with pytest.raises(ContentError, match="cannot write to") as caught:
        save(unread(), str(tmp_path / where), Digest.of(CONTENT), None, LIMIT)
    assert caught.value.exit_code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ContentError, match="cannot write to"):
            save(chunks(CONTENT), str(tmp_path / "blob"), Digest.of(CONTENT), None, LIMIT)
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_said_so_and_leaves_nothing_behind(target: Path) -> None:
    """The kernel's own refusal: more than a process may write into one file."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(ContentError, match="cannot write"):
            write(str(target), CONTENT)
        with pytest.raises(ContentError, match="cannot write") as caught:
            save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "disk" in caught.value.hint
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["x" * 255, "\u65e5" * 85, "\U0001f511" * 63, "-rf", "a b\nc", ".hidden", "*"], ids=lambda name: ascii(name)[:12]
)
def test_any_name_that_a_file_may_have_will_do(tmp_path: Path, name: str) -> None:
    save(chunks(CONTENT), str(tmp_path / name), Digest.of(CONTENT), None, LIMIT)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_relative_name_is_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(chunks(CONTENT), "blob", Digest.of(CONTENT), None, LIMIT)
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]


def test_the_file_has_the_permissions_that_the_user_gives_new_files(target: Path) -> None:
    mask = os.umask(0o027)
    try:
        save(chunks(CONTENT), str(target), Digest.of(CONTENT), None, LIMIT)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_nothing_is_to_be_seen_under_the_name_before_the_end(target: Path) -> None:
    def watching() -> Iterator[memoryview]:
        for chunk in chunks(CONTENT):
            assert not target.exists()
            yield chunk

    save(watching(), str(target), Digest.of(CONTENT), None, LIMIT)
    assert target.exists()


def test_two_writers_of_one_name_do_not_mix(target: Path) -> None:
    other = CONTENT[::-1]

    def interrupted() -> Iterator[memoryview]:
        for number, chunk in enumerate(chunks(CONTENT)):
            if number == 5:
                save(chunks(other), str(target), Digest.of(other), None, LIMIT)
            yield chunk

    save(interrupted(), str(target), Digest.of(CONTENT), None, LIMIT)
    assert target.read_bytes() == CONTENT


def test_what_was_verified_already_is_written_whole_or_not_at_all(target: Path) -> None:
    write(str(target), CONTENT)
    assert target.read_bytes() == CONTENT
    with pytest.raises(Error):
        write(str(target.parent / "missing" / "x"), CONTENT)
    assert list(target.parent.iterdir()) == [target]
