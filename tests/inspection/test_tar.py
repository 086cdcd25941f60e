from __future__ import annotations

import contextlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import ContentError, UnsafeArchive
from registryauth.inspection.limits import MAX_FILE, MAX_HEADER
from registryauth.inspection.tar import DIRECTORY, FILE, HARD_LINK, LINK, OTHER, entries

from .images import member, tar


def read(content, *, step=None, wanted=lambda _: True):
    pieces = [content] if step is None else [memoryview(content)[at : at + step] for at in range(0, len(content), step)]
    return [(e.kind, e.name, e.target, e.content) for e in entries(pieces, wanted)]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_kind_of_entry_is_told_in_every_format(form):
    content = tar(
        member("etc/", tarfile.DIRTYPE),
        member("etc/os-release", content=b"ID=ubuntu\n"),
        member("etc/link", tarfile.SYMTYPE, target="../usr/lib/os-release"),
        member("etc/hard", tarfile.LNKTYPE, target="etc/os-release"),
        member("dev/null", tarfile.CHRTYPE),
        member("run/pipe", tarfile.FIFOTYPE),
        form=form,
    )
    assert read(content) == [
        (DIRECTORY, "etc/", "", None),
        (FILE, "etc/os-release", "", b"ID=ubuntu\n"),
        (LINK, "etc/link", "../usr/lib/os-release", None),
        (HARD_LINK, "etc/hard", "etc/os-release", None),
        (OTHER, "dev/null", "", None),
        (OTHER, "run/pipe", "", None),
    ]


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300).filter(lambda n: n.strip("/"))


@given(
    st.lists(st.tuples(names, st.binary(max_size=1200), names), max_size=4),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.sampled_from([1, 100, 511, 512, 4096]),
)
def test_what_tarfile_writes_is_read_the_same_however_it_comes(files, form, step):
    members = []
    for name, content, target in files:
        members += [member(name, content=content), member(name, tarfile.SYMTYPE, target=target)]
    content = tar(*members, form=form)
    theirs = []
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for info in archive:
            theirs.append(
                (LINK if info.issym() else FILE, info.name, info.linkname, None if info.issym() else archive.extractfile(info).read())
            )
    # Of some names tarfile strips what ends them.
    ours = read(content, step=step)
    assert [(kind, name.rstrip("/"), target, body) for kind, name, target, body in ours] == [
        (kind, name.rstrip("/"), target, body) for kind, name, target, body in theirs
    ]


def test_only_what_is_wanted_is_held():
    content = tar(member("a", content=b"x" * 5000), member("b", content=b"y"))
    assert read(content, wanted=lambda entry: entry.name == "b") == [(FILE, "a", "", None), (FILE, "b", "", b"y")]


def test_a_wanted_file_that_is_too_large_is_refused():
    with pytest.raises(UnsafeArchive, match="os-release has more than"):
        read(tar(member("etc/os-release", content=b"x" * (MAX_FILE + 1))))


def test_a_tar_may_end_without_its_end_marks():
    content = tar(member("a", content=b"x"))
    assert read(content[:1024]) == [(FILE, "a", "", b"x")]


def test_what_follows_the_end_is_read_for_the_digest_and_means_nothing():
    drained = []

    def pieces():
        yield tar(member("a"))
        drained.append(True)
        yield tar(member("b"))

    assert [entry.name for entry in entries(pieces(), lambda _: True)] == ["a"]
    assert drained


def extended(kind, records, *, name=b"PaxHeader"):
    body = tarfile.TarInfo._create_pax_generic_header(records, kind, "utf-8")[512:] if records else b""
    length = len(body.rstrip(b"\0"))
    return header(kind, size=b"%011o\0" % length, name=name) + body


def test_global_records_are_no_other_entrys():
    content = extended(b"g", {"path": "etc/passwd"}) + header(b"0", name=b"a") + bytes(1024)
    assert read(content) == [("global header", "etc/passwd", "", None), (FILE, "a", "", b"")]


def test_an_extended_header_replaces_the_one_before_it_and_a_global_one_drops_it():
    # Go's reading; who adds them up sees an os-release that the engine does not make.
    path, other = extended(b"x", {"path": "etc/os-release"}), extended(b"x", {"mtime": "1"})
    assert [name for _, name, _, _ in read(path + other + header(b"0", name=b"a"))] == ["a"]
    assert [name for _, name, _, _ in read(path + extended(b"g", {"mtime": "1"}) + header(b"0", name=b"a"))] == ["PaxHeader", "a"]


def test_gnus_long_names_count_before_an_extended_header():
    long = header(b"L", size=b"00000000005\0") + b"long\0".ljust(512, b"\0")
    for content in (long + extended(b"x", {"path": "pax"}), extended(b"x", {"path": "pax"}) + long):
        assert [name for _, name, _, _ in read(content + header(b"0", name=b"a"))] == ["long"]


def test_an_empty_record_changes_nothing():
    body = b"8 path=\n8 size=\n"
    content = header(b"x", size=b"%011o\0" % len(body)) + body.ljust(512, b"\0") + header(b"0", name=b"a")
    assert read(content) == [(FILE, "a", "", b"")]


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}, "b"),
        ({"GNU.sparse.map": "0,0"}, "b"),
        ({"GNU.sparse.major": "2"}, "a"),
        ({}, "a"),
    ],
)
def test_a_sparse_files_name_counts_where_its_version_is_one_that_go_knows(more, name):
    content = extended(b"x", {"GNU.sparse.name": "b"} | more) + header(b"0", name=b"a")
    assert read(content) == [(FILE, name, "", None)]


@pytest.mark.parametrize("space", ["trusted", "user"])
def test_attributes_of_overlay_file_systems_are_refused(space):
    content = extended(b"x", {f"SCHILY.xattr.{space}.overlay.opaque": "y"}) + header(b"5", name=b"etc/")
    with pytest.raises(UnsafeArchive, match="overlay"):
        read(content)
    assert read(extended(b"x", {"SCHILY.xattr.security.capability": "y"}) + header(b"0", name=b"ping"))


def test_prefixes_are_read_as_go_reads_them():
    ustar = tar(member("d" * 90 + "/" + "f" * 90), form=tarfile.USTAR_FORMAT)
    assert [name for _, name, _, _ in read(ustar)] == ["d" * 90 + "/" + "f" * 90]
    block = bytearray(header(b"0", name=b"f"))
    block[345:500] = b"etc".ljust(155, b"\0")
    for magic, trailer, name in (
        (b"ustar\00000", b"", "etc/f"),
        (b"ustar  \0", b"", "etc/f"),
        (b"\0" * 8, b"", "f"),
        (b"ustar\00000", b"tar\0", "etc/f"),
    ):
        block[257:265] = magic[:8]
        block[508:512] = trailer.ljust(4, b"\0")
        assert [found for _, found, _, _ in read(resummed(bytes(block)))] == [name]
    # GNU's times are no prefix.
    block[257:265], block[345:357], block[508:512] = b"ustar  \0", b"14000000000\0", bytes(4)
    assert [found for _, found, _, _ in read(resummed(bytes(block)))] == ["f"]


@pytest.mark.parametrize("cut", [1, 511, 512, 513, 700, 1023])
def test_a_tar_that_is_cut_short_is_damaged(cut):
    content = tar(member("a", content=b"x" * 600))
    with pytest.raises(ContentError, match="cut short"):
        read(content[:cut])


def test_an_extended_header_with_nothing_after_it_is_cut_short():
    content = tar(member("a" * 300))
    assert content[156:157] == b"x"
    with pytest.raises(ContentError, match="cut short"):
        read(content[:1024])


def flipped(content, at):
    return content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]


@pytest.mark.parametrize("at", [0, 100, 124, 148, 157, 345])
def test_a_header_whose_sum_is_wrong_is_damaged(at):
    with pytest.raises(ContentError, match="damaged"):
        read(flipped(tar(member("a")), at))


def test_one_block_of_zeros_in_the_middle_is_damaged_as_it_is_for_go():
    content = tar(member("a"))[:512]
    with pytest.raises(ContentError, match="damaged"):
        read(content + bytes(512) + content + bytes(1024))


@pytest.mark.parametrize("content", [b"a layer" + bytes(505), b"x" * 512, b"\xff" * 1024])
def test_what_is_no_tar_is_said_to_be_none(content):
    with pytest.raises(ContentError, match=r"no tar|damaged|negative"):
        read(content)


def resummed(block):
    total = sum(block[:148]) + 8 * 32 + sum(block[156:512])
    return block[:148] + b"%06o\0 " % total + block[156:]


def header(kind, *, size=b"00000000000\0", name=b"x"):
    block = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size + b"00000000000\0" + b" " * 8 + kind
    return resummed(block.ljust(257, b"\0") + b"ustar\00000".ljust(255, b"\0"))


def test_an_extended_header_of_a_gigabyte_is_not_read_into_memory():
    asked = []

    def pieces():
        yield header(b"x", size=b"%011o\0" % (MAX_HEADER + 1))
        asked.append(True)
        yield bytes(1024)

    with pytest.raises(UnsafeArchive, match="extended header of more than"):
        list(entries(pieces(), lambda _: True))
    assert not asked


def test_a_chain_of_extended_headers_without_end_is_refused():
    with pytest.raises(UnsafeArchive, match="headers for one entry"):
        read(header(b"x") * 100)


@pytest.mark.parametrize(
    "records", [b"5 a=\n", b"99 path=x\n", b"0 path=x\n", b"path=x\n", b"10 path=xyz", b"7 path\n", b"12 path=a\0bc\n"]
)
def test_damaged_extended_records_are_refused(records):
    body = records + b"13 size=12345\n"[:0]
    content = header(b"x", size=b"%011o\0" % len(body)) + body.ljust(512, b"\0") + header(b"0") + bytes(1024)
    if records == b"5 a=\n":
        assert read(content)
        return
    with pytest.raises(ContentError, match=r"extended header|NUL"):
        read(content)


def test_a_negative_size_is_refused():
    # What tarfile looped on: CVE-2025-8194.
    with pytest.raises(ContentError, match="negative"):
        read(header(b"0", size=b"\xff" * 12))


def test_a_size_in_base_256_is_understood():
    content = header(b"0", size=b"\x80" + (700).to_bytes(11, "big"), name=b"big") + b"z" * 700 + bytes(324)
    assert read(content) == [(FILE, "big", "", b"z" * 700)]


def test_the_size_of_what_has_no_content_is_passed_over():
    # Go's tar does; who does not would read the next header elsewhere, and see other files than the engine does.
    content = header(b"2", size=b"00000001000\0", name=b"link") + header(b"0", name=b"next")
    assert [name for _, name, _, _ in read(content)] == ["link", "next"]


def test_a_sparse_files_content_is_none_that_could_be_read():
    old = bytearray(header(b"S", size=b"00000000001\0", name=b"os-release"))
    old[482] = 1
    following = bytearray(512)
    content = resummed(bytes(old)) + bytes(following) + b"x".ljust(512, b"\0") + header(b"0", name=b"next")
    assert read(content) == [(FILE, "os-release", "", None), (FILE, "next", "", b"")]


def test_a_sparse_map_without_end_is_refused():
    old = bytearray(header(b"S"))
    old[482] = 1
    more = bytearray(512)
    more[504] = 1
    with pytest.raises(UnsafeArchive, match="too many pieces"):
        read(resummed(bytes(old)) + bytes(more) * (MAX_HEADER // 512 + 1))


def test_a_name_longer_than_linux_allows_is_refused():
    with pytest.raises(UnsafeArchive, match="name of more than"):
        read(tar(member("a/" * 2049)))


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_garbage_is_read_or_refused_and_nothing_else_happens(garbage, at):
    content = tar(member("a" * 120, content=b"x" * 600), member("b"))
    with contextlib.suppress(ContentError):
        list(entries([content[:at] + garbage + content[at:]], lambda _: True))


def test_programs_are_told_from_other_files():
    content = tar(member("a", mode=0o755), member("b", mode=0o644), member("c", mode=0o100))
    assert [entry.executable for entry in entries([content], lambda _: False)] == [True, False, True]
