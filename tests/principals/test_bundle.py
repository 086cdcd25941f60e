from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registryauth.errors import ConfigurationError, StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.principals import bundle
from registryauth.principals.bundle import MAX_BUNDLE, read_bundle, write_bundle
from registryauth.principals.candidate import Candidate
from registryauth.principals.importing import carry_out, plan
from registryauth.reference import Address
from registryauth.stores import kdf
from registryauth.stores.memory import MemoryStore
from registryauth.stores.principal import Key, Principal, Slot

from .a_principal import PRINCIPALS

CANARY = "canary-2f60"
PASSPHRASE = "correct horse battery"
NOW = 1_800_000_000
CHEAP = {"name": "argon2id", "salt": "5a" * 16, "memory_kib": 8, "iterations": 1, "lanes": 1}
PAGE = Path(__file__).parents[2] / "docs" / "import-export.md"


def a_principal(secret=CANARY, **said):
    return Principal(Address.parse("r.example/team"), "me", (Slot(secret, 1),), **said)


@pytest.fixture
def written():
    return write_bundle([a_principal(owner="ml platform")], PASSPHRASE, NOW, described=CHEAP)


def opened_by_hand(data, passphrase):
    """A reader written from docs/import-export.md alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    magic, header, sealed = data.split(b"\n", 2)
    assert magic == b"registryauth-bundle 1"
    how = json.loads(header)["kdf"]
    key = Argon2id(
        salt=bytes.fromhex(how["salt"]), length=32, iterations=how["iterations"], lanes=how["lanes"], memory_cost=how["memory_kib"]
    ).derive(passphrase.encode())
    return json.loads(AESGCM(key).decrypt(sealed[:12], sealed[12:], magic + b"\n" + header + b"\n"))


@given(st.lists(PRINCIPALS, max_size=5, unique_by=lambda principal: principal.key))
@settings(max_examples=60)
def test_what_is_exported_and_imported_into_an_empty_store_is_the_same_but_for_its_revision(principals):
    found = read_bundle(write_bundle(principals, PASSPHRASE, NOW, described=CHEAP), PASSPHRASE)
    store = MemoryStore()
    carry_out(store, plan(store, [Candidate("", principal, kept=True) for principal in found], now=NOW))
    assert {record.key: record.replace(revision=0) for record in store.list()} == {p.key: p for p in principals}


def test_a_bundle_of_the_usual_strength_opens_and_shows_nothing():
    data = write_bundle([a_principal(owner="ml platform")], PASSPHRASE, NOW)
    assert json.loads(data.split(b"\n")[1])["kdf"]["memory_kib"] == 65536
    for shown in (CANARY, "ml platform", "r.example", PASSPHRASE):
        assert shown.encode() not in data
    assert read_bundle(data, PASSPHRASE) == [a_principal(owner="ml platform")]


def test_two_bundles_of_the_same_share_neither_salt_nor_nonce():
    one, other = (write_bundle([a_principal()], PASSPHRASE, NOW) for _ in range(2))
    assert json.loads(one.split(b"\n")[1])["kdf"]["salt"] != json.loads(other.split(b"\n")[1])["kdf"]["salt"]
    assert one.split(b"\n", 2)[2][:12] != other.split(b"\n", 2)[2][:12]


def test_a_reader_written_from_the_page_alone_reads_it(written):
    document = opened_by_hand(written, PASSPHRASE)
    [found] = document["principals"]
    assert (found["registry"], found["path"], found["account"], found["secrets"]) == ("r.example", "team", "me", [CANARY])
    assert found["metadata"]["owner"] == "ml platform"


def test_the_page_s_vector_is_read_by_us_and_by_hand():
    page = PAGE.read_text()
    data = base64.b64decode(re.search(r"^```text\n(cmVna[^`]+)```", page, re.MULTILINE)[1])
    passphrase = re.search(r"passphrase `([^`]+)`", page)[1]
    shown = json.loads(re.search(r"^```json\n(\{\n?\s*\"principals\".*?)^```", page, re.MULTILINE | re.DOTALL)[1])
    assert opened_by_hand(data, passphrase) == shown
    [principal] = read_bundle(data, passphrase)
    [said] = shown["principals"]
    key = Key.of(said["registry"], said["path"], said["account"])
    assert principal == Principal.restore(key, said["metadata"], tuple(said["secrets"]), 0)


def test_the_wrong_passphrase_is_said_to_be_wrong(written):
    with pytest.raises(StoreLocked, match="not the passphrase of the bundle") as caught:
        read_bundle(written, PASSPHRASE + "x")
    assert caught.value.hint


def test_a_flipped_bit_in_any_byte_is_noticed(written):
    for at in range(len(written)):
        for bit in (0, 3, 6):
            changed = bytearray(written)
            changed[at] ^= 1 << bit
            with pytest.raises(StoreError) as caught:
                read_bundle(bytes(changed), PASSPHRASE)
            assert caught.value.hint, at
            assert CANARY not in str(caught.value)
            in_header = at < written.index(b"\n", 22)
            assert isinstance(caught.value, StoreCorrupt | StoreLocked | StoreUnavailable if in_header else StoreCorrupt), at


def test_a_bundle_cut_short_anywhere_is_noticed(written):
    for length in range(len(written)):
        with pytest.raises((StoreCorrupt, StoreLocked)):
            read_bundle(written[:length], PASSPHRASE)
    with pytest.raises(StoreCorrupt):
        read_bundle(written + b"x", PASSPHRASE)


def test_parameters_that_would_take_all_memory_are_refused_before_they_are_used(written, monkeypatch):
    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id.derive", lambda *_: pytest.fail("derived"), raising=False)
    for planted in (b'"memory_kib":99999999', b'"memory_kib":8.5'):
        with pytest.raises(StoreCorrupt, match="memory_kib"):
            read_bundle(written.replace(b'"memory_kib":8', planted), PASSPHRASE)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (b"bundle 1", b"bundle 2", StoreUnavailable),
        (b"bundle 1", b"bundle 01", StoreCorrupt),
        (b"bundle 1", b"bundle " + b"9" * 5000, StoreCorrupt),
        (b"AES-256-GCM", b"AES-256-ABC", StoreUnavailable),
        (b'"kdf"', b'"xdf"', StoreUnavailable),
        (b"{", b"[", StoreCorrupt),
    ],
)
def test_what_another_version_or_nobody_wrote_is_told_apart(written, old, new, kind):
    with pytest.raises(kind):
        read_bundle(written.replace(old, new, 1), PASSPHRASE)


def sealed(document):
    """A bundle of any *document*, as somebody else who has the passphrase could make one."""
    from registryauth.stores import sealing
    from registryauth.stores.header import fingerprint

    key = kdf.derive(PASSPHRASE, CHEAP)
    header = json.dumps({"cipher": "AES-256-GCM", "created_at": 1, "kdf": CHEAP, "key_id": fingerprint(key)}).encode()
    head = b"registryauth-bundle 1\n" + header + b"\n"
    return head + sealing.seal(key, document if isinstance(document, bytes) else json.dumps(document).encode(), head)


def one(**changes):
    metadata = a_principal().metadata() | changes.pop("metadata", {})
    return {"registry": "r.example", "path": "team", "account": "me", "metadata": metadata, "secrets": [CANARY]} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"registry": "R.example"}, {"registry": "r.example\n"}, {"registry": ""}, {"registry": 5}, {"path": "team/"}, {"path": "../x"},
        {"path": None, "registry": "r.example/team"}, {"account": 5}, {"secrets": CANARY}, {"secrets": []}, {"secrets": [CANARY, CANARY]},
        {"secrets": [5]}, {"metadata": {"kind": 5}}, {"metadata": {"insecure": 1}}, {"metadata": {"created_at": "x"}},
        {"metadata": {"slots": 5}}, {"metadata": {"slots": [{"added_at": "x"}]}}, {"metadata": {"labels": {"a": 1}}},
        {"metadata": {"labels": ["a"]}}, {"metadata": {"checks": [{}]}}, {"metadata": {"checks": [5]}}, {"registry": "*.com"},
    ],
)  # fmt: skip
def test_a_document_that_we_would_not_write_is_refused(changes):
    with pytest.raises(StoreCorrupt) as caught:
        read_bundle(sealed({"principals": [one(), one(**changes)]}), PASSPHRASE)
    assert "principals[1]" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("document", [b"x", b"[]", {"principals": 5}, {"principals": [5]}, b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(StoreCorrupt):
        read_bundle(sealed(document), PASSPHRASE)


def test_what_a_later_version_adds_is_passed_over():
    document = {"principals": [one(new=1, metadata={"later": [1]})], "later": True}
    assert read_bundle(sealed(document), PASSPHRASE) == [a_principal()]


def test_a_short_passphrase_makes_no_bundle():
    with pytest.raises(ConfigurationError, match="at least 12 characters"):
        write_bundle([a_principal()], "x" * 11, NOW)


def test_a_bundle_has_an_end(monkeypatch, written):
    with pytest.raises(StoreCorrupt, match="larger than"):
        read_bundle(written + bytes(MAX_BUNDLE), PASSPHRASE)
    monkeypatch.setattr(bundle, "MAX_BUNDLE", 100)
    with pytest.raises(ConfigurationError, match="more than the 100 bytes"):
        write_bundle([a_principal()], PASSPHRASE, NOW, described=CHEAP)
    monkeypatch.setattr(bundle, "MAX_BUNDLE", MAX_BUNDLE)
    monkeypatch.setattr(bundle, "MAX_PRINCIPALS", 0)
    with pytest.raises(StoreUnavailable, match="more than 0"):
        read_bundle(written, PASSPHRASE)
