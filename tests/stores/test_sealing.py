from __future__ import annotations

import builtins

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from registryauth.stores import sealing


def test_the_short_way_leads_to_the_public_class():
    assert sealing.aesgcm() is AESGCM


@pytest.mark.parametrize("error", [ImportError, AttributeError])
def test_without_the_short_way_the_public_one_is_taken(monkeypatch, error):
    real = builtins.__import__

    def importing(name, *rest):
        if name == "cryptography.hazmat.bindings._rust":
            raise error
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    assert sealing.aesgcm() is AESGCM


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_what_is_sealed_opens_with_the_same_key_and_the_same_bound(plain, bound):
    key = sealing.new_key()
    sealed = sealing.seal(key, plain, bound)
    assert sealing.unseal(key, sealed, bound) == plain
    assert sealing.unseal(sealing.new_key(), sealed, bound) is None
    assert sealing.unseal(key, sealed, bound + b"x") is None
    assert sealing.unseal(key, sealed[:-1], bound) is None


def test_the_same_secret_never_looks_the_same():
    key = sealing.new_key()
    assert len({sealing.seal(key, b"x", b"")[:12] for _ in range(1000)}) == 1000


def test_a_wrong_use_is_not_taken_for_tampering():
    with pytest.raises(ValueError, match="key"):
        sealing.unseal(b"short", b"x" * 40, b"")


@given(st.lists(st.binary(max_size=5), max_size=5), st.lists(st.binary(max_size=5), max_size=5))
def test_no_two_lists_are_joined_alike(one, other):
    assert (sealing.joined(*one) == sealing.joined(*other)) == (one == other)


def test_fields_are_joined_as_the_format_says():
    assert sealing.joined(b"ab", b"", b"c") == b"\0\0\0\2ab\0\0\0\0\0\0\0\1c"
