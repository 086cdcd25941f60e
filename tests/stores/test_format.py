"""A second reader, written from docs/store-format.md with nothing of ours: what it reads is what the page promises."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registryauth.testing.store_contract import a_record


def joined(*fields: str | bytes) -> bytes:
    encoded = [field.encode() if isinstance(field, str) else field for field in fields]
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)


def opened(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound)


def read(store: Path, key_file: Path) -> list[tuple[object, ...]]:
    key = base64.b64decode(key_file.read_text())
    with closing(sqlite3.connect(store)) as connection:
        header = dict(connection.execute("SELECT name, value FROM header"))
        records = connection.execute("SELECT * FROM records ORDER BY 1, 2, 3").fetchall()
        secrets = connection.execute("SELECT * FROM secrets ORDER BY 1, 2, 3, 4").fetchall()
    assert header["format"] == b"1"
    assert json.loads(header["key_source"]) == {"source": "file"}
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
    found = read(place / "data" / "store.db", place / "config" / "store.key")
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
