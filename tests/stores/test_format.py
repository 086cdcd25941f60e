"""A second reader, written from docs/store-format.md with nothing of ours: what it reads is what the page promises."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import a_record

VECTORS = Path(__file__).parent / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())
NAMES = ("environment", "passphrase-argon2id", "passphrase-scrypt")


def joined(*fields: str | bytes) -> bytes:
    encoded = [field.encode() if isinstance(field, str) else field for field in fields]
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)


def opened(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound)


def derived(passphrase: str, kdf: dict[str, object]) -> bytes:
    salt, secret = bytes.fromhex(kdf["salt"]), unicodedata.normalize("NFC", passphrase).encode()
    if kdf["name"] == "scrypt":
        return Scrypt(salt=salt, length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"]).derive(secret)
    assert kdf["name"] == "argon2id"
    return Argon2id(salt=salt, length=32, iterations=kdf["iterations"], lanes=kdf["lanes"], memory_cost=kdf["memory_kib"]).derive(secret)


def read(store: Path, *, passphrase: str = "", **keys: str) -> list[tuple[object, ...]]:
    """The records of *store*; *keys* are the base64 of the key-encryption key, by the source that the header must name."""
    with closing(sqlite3.connect(store)) as connection:
        header = dict(connection.execute("SELECT name, value FROM header"))
        records = connection.execute("SELECT * FROM records ORDER BY 1, 2, 3").fetchall()
        secrets = connection.execute("SELECT * FROM secrets ORDER BY 1, 2, 3, 4").fetchall()
    assert header["format"] == b"1"
    source = json.loads(header["key_source"])
    key = derived(passphrase, source["kdf"]) if source["source"] == "passphrase" else base64.b64decode(keys[source["source"]])
    assert header["key_id"].decode() == hashlib.sha256(b"registryauth key id\0" + key).hexdigest()[:16]
    rows = [part for name in sorted(header) if name not in ("wrapped_key", "counter") for part in (name, header[name])]
    data_key = opened(key, header["wrapped_key"], joined("registryauth header", *rows))
    found = []
    for *place, revision, metadata in records:
        own = [
            opened(data_key, sealed, joined("1", header["store_id"], *place, str(slot), str(revision), metadata)).decode()
            for *of, slot, sealed in secrets
            if of == place
        ]
        assert len(json.loads(metadata)["slots"]) == len(own)
        found.append((*place, revision, json.loads(metadata), *own))
    return found


def test_the_page_is_enough_to_read_a_store(store, place):
    first = store.put(a_record("r.example:5000/a/b", "dëploy", "one", "twö").replace(purpose="pürpose"))
    second = store.put(a_record("docker.io", "me", "three"))
    found = read(place / "data" / "store.db", file=(place / "config" / "store.key").read_text())
    assert found == [
        ("docker.io", "", "me", second.revision, second.metadata(), "three"),
        ("r.example:5000", "a/b", "dëploy", first.revision, first.metadata(), "one", "twö"),
    ]


def test_the_page_states_the_tables_as_they_are(store):
    store.put(a_record("r.example"))
    with closing(sqlite3.connect(store.path)) as connection:
        statements = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    page = (Path(__file__).parents[2] / "docs" / "store-format.md").read_text()
    assert len(statements) == 3
    for statement in statements:
        assert f"{statement};\n" in page


def test_other_sources_are_written_as_the_page_says(place):
    """Each with the reader above."""
    for kind, environ, keys in (
        ("environment", {"REGISTRYAUTH_MASTER_KEY": EXPECTED["key"]}, {"environment": EXPECTED["key"]}),
        ("passphrase", {"REGISTRYAUTH_PASSPHRASE": EXPECTED["passphrase"]}, {"passphrase": EXPECTED["passphrase"]}),
    ):
        store = EncryptedStore(str(place / f"{kind}.db"), key=kind, key_file="/nonexistent", environ=environ)
        store.put(a_record("r.example", "me", "one"))
        store.rekey()
        assert [row[-1] for row in read(place / f"{kind}.db", **keys)] == ["one"]


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_are_read_by_the_reader_of_the_page(name):
    found = read(VECTORS / f"{name}.db", passphrase=EXPECTED["passphrase"], environment=EXPECTED["key"])
    assert [
        {"registry": row[0], "path": row[1], "account": row[2], "revision": row[3], "secrets": list(row[5:])} for row in found
    ] == EXPECTED["records"]


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_are_read_by_ours(name, place):
    shutil.copyfile(VECTORS / f"{name}.db", place / "store.db")
    (place / "store.db").chmod(0o600)
    environ = {"REGISTRYAUTH_MASTER_KEY": EXPECTED["key"], "REGISTRYAUTH_PASSPHRASE": EXPECTED["passphrase"]}
    old, new = EncryptedStore(str(place / "store.db"), key_file="/nonexistent", environ=environ).list()
    assert [
        {
            "registry": record.address.registry.host, "path": record.address.path, "account": record.account,
            "revision": record.revision, "secrets": [slot.secret for slot in record.slots],
        }
        for record in (old, new)
    ] == EXPECTED["records"]  # fmt: skip
    assert (new.slots[0].remove_after, new.slots[0].serial, new.slots[0].key_id) == (1_750_000_000, 3, "7d0c")
    assert new.labels == (("team", "ml"),)
    # Written before these fields were.
    assert (old.slots[0].remove_after, old.slots[0].serial, old.slots[0].key_id, old.labels, old.checks) == (0, 0, "", (), ())


def test_the_page_states_the_bounds_and_the_parameters_of_the_derivations():
    from registryauth.stores import kdf

    page = (VECTORS.parents[2] / "docs" / "store-format.md").read_text()
    for name, bounds in kdf._ALLOWED.items():
        for field, (least, most) in bounds.items():
            (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` | `{field}` |")]
            assert [int(cell.replace(",", "")) for cell in line.split("|")[3:6]] == [kdf._DEFAULTS[name][field], least, most]
