from __future__ import annotations

import gzip
import importlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import ContentError, UnsafeArchive, UnsupportedMediaType
from registryauth.inspection import unpacking
from registryauth.inspection.unpacking import Meter, unpacked

try:
    zstd = unpacking._zstd()
except UnsupportedMediaType:  # pragma: no cover
    zstd = None
needs_zstd = pytest.mark.skipif(zstd is None, reason="backports.zstd is not installed")


def read(content, step=7, meter=None):
    pieces = (memoryview(content)[at : at + step] for at in range(0, len(content), step))
    return b"".join(map(bytes, unpacked(pieces, len(content), meter or Meter())))


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_what_is_packed_in_nothing_comes_as_it_is(step):
    for content in (b"", b"a", b"plain", bytes(2000)):
        assert read(content, step) == content


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.integers(1, 50))
def test_gzip_in_one_or_several_members_is_unpacked(parts, step):
    assert read(b"".join(map(gzip.compress, parts)), step) == b"".join(parts)


@needs_zstd
@given(st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.integers(1, 50), st.booleans())
def test_zstd_in_one_or_several_frames_some_to_be_skipped_is_unpacked(parts, step, skipped):
    # zstd:chunked layers carry their index in frames that every decompressor skips.
    skip = b"\x5a\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"toc"
    content = b"".join(zstd.compress(part) + (skip if skipped else b"") for part in parts)
    assert read(content, step) == b"".join(parts)
    assert read(skip + content, step) == b"".join(parts)


@needs_zstd
def test_a_large_zstd_comes_in_bounded_pieces():
    content = zstd.compress(bytes(3_000_000))
    pieces = list(unpacked([memoryview(content)], len(content), Meter()))
    assert sum(map(len, pieces)) == 3_000_000
    assert max(map(len, pieces)) <= 256 * 1024


def summed(content):
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def packers():
    return [gzip.compress, *([summed] if zstd else [])]


@pytest.mark.parametrize("pack", packers())
@pytest.mark.parametrize("step", [5, 10_000])
def test_what_is_cut_short_is_said_to_be(pack, step):
    content = pack(bytes(range(256)) * 40)
    for end in (len(content) - 1, len(content) // 2, 9):
        with pytest.raises(ContentError, match="cut short"):
            read(content[:end], step)


@pytest.mark.parametrize("pack", packers())
def test_what_is_damaged_is_said_to_be(pack):
    content = bytearray(pack(bytes(range(256)) * 40))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(ContentError, match=r"damaged|cut short"):
        read(bytes(content))


@pytest.mark.parametrize("pack", packers())
def test_rubbish_after_the_end_is_damage_as_it_is_for_those_who_run_the_image(pack):
    with pytest.raises(ContentError, match=r"damaged|cut short"):
        read(pack(b"x") + b"rubbish that is no member")


@pytest.mark.parametrize(("magic", "name"), [(b"BZh91AY", "bzip2"), (b"\xfd7zXZ\x00\x00\x00", "xz")])
def test_other_packers_are_named(magic, name):
    with pytest.raises(UnsupportedMediaType, match=name):
        read(magic)


def test_without_zstd_the_error_names_the_extra(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(UnsupportedMediaType, match="zstd") as caught:
        read(b"\x28\xb5\x2f\xfd\x00\x00\x00\x00")
    assert caught.value.hint == "pip install 'registryauth[zstd]'"


def bomb(size):
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(1024 * 1024)) for _ in range(size // (1024 * 1024))]
    return b"".join([*parts, packer.flush()])


def test_a_bomb_is_put_out_by_its_ratio(monkeypatch):
    monkeypatch.setattr(unpacking, "ALWAYS_ALLOWED", 4 * 1024 * 1024)
    content = bomb(64 * 1024 * 1024)
    seen = []
    with pytest.raises(UnsafeArchive, match="very much"):
        seen.extend(len(piece) for piece in unpacked([memoryview(content)], len(content), Meter()))
    assert sum(seen) <= len(content) * unpacking.MAX_RATIO


def test_many_layers_together_are_bounded_too(monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_UNPACKED", 3_000_000)
    meter = Meter()
    read(bomb(2 * 1024 * 1024), meter=meter)
    with pytest.raises(UnsafeArchive):
        read(bomb(2 * 1024 * 1024), meter=meter)


def test_zeros_are_no_bomb_below_what_is_always_allowed():
    assert len(read(bomb(8 * 1024 * 1024), step=100_000)) == 8 * 1024 * 1024
