"""Where memory for bytes on their way begins."""

from __future__ import annotations

import ctypes
import mmap

import pytest

from registryauth._buffers import new_buffer


@pytest.mark.parametrize("size", [64 * 1024, 256 * 1024, 256 * 1024 + 1, 4 * 1024 * 1024])
def test_a_large_buffer_begins_at_a_page(size: int) -> None:
    buffer = new_buffer(size)

    assert ctypes.addressof(ctypes.c_char.from_buffer(buffer)) % mmap.PAGESIZE == 0


@pytest.mark.parametrize(("size", "length"), [(0, 1), (1, 1), (100, 100), (64 * 1024, 64 * 1024), (1_000_001, 1_000_001)])
def test_a_buffer_is_as_large_as_asked_and_can_be_written_to(size: int, length: int) -> None:
    buffer = new_buffer(size)
    buffer[-1:] = b"x"

    assert (len(buffer), buffer.nbytes, buffer[-1:].tobytes()) == (length, length, b"x")


def test_buffers_share_nothing() -> None:
    one, other = new_buffer(256 * 1024), new_buffer(256 * 1024)
    one[:1] = b"x"

    assert other[:1].tobytes() == b"\0"
