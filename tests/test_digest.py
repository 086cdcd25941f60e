"""Digests: two algorithms, lower-case hex, nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.digest import ALGORITHMS, Digest
from registryauth.errors import InvalidDigest

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.binary(), st.sampled_from(sorted(ALGORITHMS)))
def test_a_digest_reads_what_it_prints_and_matches_only_its_own_content(content: bytes, algorithm: str) -> None:
    digest = Digest.of(content, algorithm)
    assert Digest.parse(str(digest)) == digest
    assert digest.encoded == hashlib.new(algorithm, content).hexdigest()
    assert digest.matches(content)
    assert not digest.matches(content + b"\n")


def test_the_digest_of_nothing_is_the_known_one() -> None:
    assert str(Digest.of(b"")) == EMPTY


def test_a_hasher_fed_in_pieces_agrees() -> None:
    digest = Digest.of(b"hello world", "sha512")
    hasher = digest.hasher()
    hasher.update(b"hello ")
    hasher.update(memoryview(b"world"))
    assert hasher.hexdigest() == digest.encoded


@pytest.mark.parametrize(
    ("text", "span", "hint"),
    [
        ("", (0, 0), "for example"),
        ("sha256", (0, 6), "for example"),
        (":" + "0" * 64, (0, 0), "sha256 or sha512"),
        ("md5:" + "0" * 32, (0, 3), "sha256 or sha512"),
        ("SHA256:" + "0" * 64, (0, 6), "sha256 or sha512"),
        ("sha384:" + "0" * 96, (0, 6), "sha256 or sha512"),
        ("sha256 :" + "0" * 64, (0, 7), "sha256 or sha512"),
        ("sha256:" + "0" * 63, (7, 70), ""),
        ("sha256:" + "0" * 64 + "\n", (7, 72), ""),
        ("sha512:" + "0" * 64, (7, 71), ""),
        ("sha256:" + "A" + "0" * 63, (7, 8), "lower case"),
        ("sha256:" + "0" * 63 + "\n", (70, 71), ""),
        ("sha256:" + "0" * 63 + "\u0661", (70, 71), ""),
        ("sha256:" + "../" * 21 + "x", (7, 8), ""),
        ("sha256:sha256:" + "0" * 57, (7, 8), ""),
    ],
)
def test_what_is_no_digest_is_pointed_at(text: str, span: tuple[int, int], hint: str) -> None:
    with pytest.raises(InvalidDigest) as caught:
        Digest.parse(text)
    assert caught.value.span == span
    assert hint in caught.value.hint


@given(st.text(max_size=150))
def test_any_text_raises_nothing_but_our_error(text: str) -> None:
    try:
        digest = Digest.parse(text)
    except InvalidDigest:
        return
    assert str(digest) == text
