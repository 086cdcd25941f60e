from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from registryauth._sha256 import hmac_sha256, sha256


@given(st.binary(max_size=300))
def test_it_is_sha_256(data):
    assert sha256(data) == hashlib.sha256(data).digest()


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_with_any_key_it_is_hmac_sha_256(key, data):
    """Also with one longer than a block, which is hashed first (RFC 2104 §2)."""
    assert hmac_sha256(key, data) == hmac.digest(key, data, "sha256")
