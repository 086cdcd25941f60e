from __future__ import annotations

import pytest

from registryauth.errors import ConfigurationError, StoreCorrupt, StoreUnavailable
from registryauth.stores import kdf

SALT = "00" * 16
CHEAP = {"name": "argon2id", "salt": SALT, "memory_kib": 8, "iterations": 1, "lanes": 1}
SCRYPT = {"name": "scrypt", "salt": SALT, "n": 2, "r": 1, "p": 1}


def test_a_new_key_is_derived_with_the_parameters_of_rfc_9106():
    described = kdf.describe_new()
    salt = described.pop("salt")
    assert described == {"name": "argon2id", "memory_kib": 65536, "iterations": 3, "lanes": 4}
    assert len(bytes.fromhex(salt)) == 16
    assert kdf.describe_new()["salt"] != salt


def test_without_argon2id_it_is_scrypt_and_a_key_of_argon2id_cannot_be_had(monkeypatch):
    monkeypatch.setattr(kdf, "has_argon2id", lambda: False)
    described = kdf.describe_new()
    assert {name: described[name] for name in ("name", "n", "r", "p")} == {"name": "scrypt", "n": 131072, "r": 8, "p": 1}
    assert len(kdf.derive("x", SCRYPT)) == kdf.KEY_SIZE
    with pytest.raises(StoreUnavailable, match="Argon2id"):
        kdf.derive("x", CHEAP)


def test_the_keys_are_those_that_the_rfcs_give():
    """RFC 7914 §12 for scrypt; for Argon2id what the reference implementation's own library gives for these parameters."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    pleaseletmein = {"name": "scrypt", "salt": b"SodiumChloride".hex(), "n": 16384, "r": 8, "p": 1}
    assert kdf.derive("pleaseletmein", pleaseletmein).hex() == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    other = Argon2id(salt=bytes(16), length=32, iterations=1, lanes=1, memory_cost=8).derive("pä".encode())
    assert kdf.derive("pä", CHEAP) == other


def test_the_same_letters_typed_elsewhere_are_the_same_passphrase():
    assert kdf.derive("pa\u0308", CHEAP) == kdf.derive("p\u00e4", CHEAP)
    assert kdf.derive("p", CHEAP) != kdf.derive("P", CHEAP)


@pytest.mark.parametrize("passphrase", ["", "\udcff"])
def test_what_is_no_passphrase_is_refused(passphrase):
    with pytest.raises(ConfigurationError) as caught:
        kdf.derive(passphrase, CHEAP)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("given", "change"),
    [
        (CHEAP, {"memory_kib": 1024 * 1024 + 1}), (CHEAP, {"memory_kib": 2**62}), (CHEAP, {"memory_kib": 7}), (CHEAP, {"iterations": 17}),
        (CHEAP, {"iterations": 0}), (CHEAP, {"lanes": 17}), (CHEAP, {"lanes": 2}), (CHEAP, {"memory_kib": "8"}), (CHEAP, {"lanes": True}),
        (CHEAP, {"salt": "00"}), (CHEAP, {"salt": "zz" * 16}), (CHEAP, {"salt": 5}), (CHEAP, {"salt": "00" * 65}),
        (CHEAP, {"salt": "ä" * 16}),
        (SCRYPT, {"n": 2**21}), (SCRYPT, {"n": 3}), (SCRYPT, {"n": 1}), (SCRYPT, {"r": 9}), (SCRYPT, {"p": 5}), (SCRYPT, {"n": 2.0}),
    ],
)  # fmt: skip
def test_parameters_that_would_take_all_memory_or_make_no_sense_are_refused(given, change):
    with pytest.raises(StoreCorrupt, match="damaged or tampered with"):
        kdf.derive("x", given | change)


@pytest.mark.parametrize("described", [{}, {"name": "md5", "salt": SALT}, {"name": ["argon2id"], "salt": SALT}])
def test_another_function_is_a_later_version_s(described):
    with pytest.raises(StoreUnavailable, match="does not know"):
        kdf.derive("x", described)


def test_a_missing_parameter_is_refused():
    for name in ("memory_kib", "iterations", "lanes"):
        with pytest.raises(StoreCorrupt, match=name):
            kdf.derive("x", {key: value for key, value in CHEAP.items() if key != name})
