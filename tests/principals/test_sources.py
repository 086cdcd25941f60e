from __future__ import annotations

import base64
import io
import json
import os
from types import SimpleNamespace

import pytest

from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable
from registryauth.principals.bundle import write_bundle
from registryauth.principals.candidate import Rules
from registryauth.principals.sources import MAX_FILE, Keys, read
from registryauth.reference import Address
from registryauth.stores import open_store
from registryauth.stores.principal import Principal, Slot

CANARY = "canary-44ae"
NOW = 1_800_000_000
PASSPHRASE = "correct horse battery"
CSV = f"registry,account,secret\nr.example,me,{CANARY}\n"
TOML = f"[[principal]]\nregistry = 'r.example'\naccount = 'me'\nsecret = '{CANARY}'\n"
DOCKER = json.dumps({"auths": {"r.example": {"auth": base64.b64encode(f"me:{CANARY}".encode()).decode()}}})
RECORD = Principal(Address.parse("r.example"), "me", (Slot(CANARY, 1),), made_by="login", owner="o", revision=9)
CHEAP = {"name": "argon2id", "salt": "5a" * 16, "memory_kib": 8, "iterations": 1, "lanes": 1}
BUNDLE = write_bundle([RECORD], PASSPHRASE, NOW, described=CHEAP)


@pytest.fixture
def put(tmp_path):
    """Write a file of the user's own; its path."""

    def put(name, content, mode=0o600):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return str(path)

    return put


def reading(path, form="auto", *, made_by="", passphrase=lambda: PASSPHRASE, **keys):
    return read(path, Rules(NOW, made_by), Keys(passphrase, environ=keys.pop("environ", {}), **keys), form=form)


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("list.csv", CSV, "csv"), ("list.txt", CSV, "csv"), ("list.txt", CSV.replace(",", ";"), "csv"),
        ("list.csv", b"\xef\xbb\xbf" + CSV.encode(), "csv"), ("list.txt", CSV.replace(",", "\t"), "csv"),
        ("list.toml", TOML, "toml"), ("list", TOML, "toml"), ("list.toml", b"\xef\xbb\xbf" + TOML.encode(), "toml"),
        ("config.json", DOCKER, "docker"), ("anything", "\n " + DOCKER, "docker"), ("auth.json", DOCKER, "containers"),
        ("b", BUNDLE, "bundle"), ("bundle.csv", BUNDLE, "bundle"),
    ],
)  # fmt: skip
def test_the_form_is_recognised(put, name, content, form):
    found = reading(put(name, content))
    assert found.form == form
    [candidate] = found.candidates
    assert (str(candidate.principal.key), candidate.principal.slots[0].secret) == ("me at r.example", CANARY)
    assert found.mode == (0o600 if form != "bundle" else None)
    assert CANARY not in repr(found)


def test_what_shows_no_form_must_be_said_to_have_one(put):
    with pytest.raises(ConfigurationError, match="does not show what it is") as caught:
        reading(put("list", f"{CANARY}\n"))
    assert "--from: docker, containers, csv, toml, azureml, registryauth, bundle" in caught.value.hint
    assert CANARY not in str(caught.value)


def test_the_form_that_is_said_counts(put):
    assert reading(put("x.toml", CSV), "csv").form == "csv"
    with pytest.raises(ConfigurationError, match="not TOML"):
        reading(put("x.csv", CSV), "toml")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (CSV.encode("utf-16"), "is UTF-16"),
        (CSV.encode() + "s.example,é,x\n".encode("latin-1"), "line 3: that is not UTF-8"),
        (CSV.encode() + b"s.example,x," + CANARY.encode() + b"\xff\n", "line 3: that is not UTF-8"),
    ],
)
def test_another_encoding_is_refused_with_the_way_out(put, content, complaint):
    for name in ("list.csv", "list.toml"):
        with pytest.raises(ConfigurationError, match=complaint) as caught:
            reading(put(name, content))
        assert "UTF-8" in caught.value.hint
        assert CANARY not in f"{caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(("mode", "others"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o660, True)])
def test_it_is_noticed_that_others_can_read_a_plain_file(put, mode, others):
    assert reading(put("list.csv", CSV, mode)).others is others
    assert reading(put("config.json", DOCKER, mode)).others is others
    assert reading(put("b", BUNDLE, mode)).others is False


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, reason in ((str(tmp_path / "none"), "No such file"), (str(tmp_path), "Is a directory"), ("a\0b", "no path")):
        with pytest.raises(ConfigurationError, match=reason):
            reading(path)


def test_a_file_has_an_end(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(CSV.encode())
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ConfigurationError, match=f"larger than the {MAX_FILE} bytes"):
        reading(str(path))


def test_a_pipe_and_standard_input_are_read(tmp_path, monkeypatch):
    readable, writable = os.pipe()
    os.write(writable, CSV.encode())
    os.close(writable)
    found = reading(f"/dev/fd/{readable}", "csv")
    assert (len(found.candidates), found.mode, found.others) == (1, None, False)
    os.close(readable)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(TOML.encode())))
    found = reading("-")
    assert (found.form, found.mode) == ("toml", None)


def test_a_bundle_s_passphrase_is_asked_for_only_where_there_is_a_bundle(put):
    assert reading(put("list.csv", CSV), passphrase=lambda: pytest.fail("asked")).candidates
    with pytest.raises(StoreLocked):
        reading(put("b", BUNDLE), passphrase=lambda: "another passphrase")


def test_what_comes_from_a_bundle_is_what_it_was_but_for_its_revision(put):
    [candidate] = reading(put("b", BUNDLE)).candidates
    assert (candidate.principal, candidate.kept, candidate.said) == (RECORD.replace(revision=0), True, ("kind", "owner"))
    assert reading(put("b", BUNDLE), made_by="admin").candidates[0].principal.made_by == "admin"


@pytest.fixture
def elsewhere(tmp_path):
    """Another store, with one record; its path and its key file."""

    def elsewhere(key="file", **environ):
        path, key_file = str(tmp_path / "other" / "store.db"), str(tmp_path / "keys" / "other.key")
        store = open_store(path, key, key_file, environ)
        store.put(RECORD)
        store.close()
        return path, key_file

    return elsewhere


def test_another_store_is_read_with_its_key_file(elsewhere, tmp_path):
    path, key_file = elsewhere()
    found = reading(path, key_file=key_file)
    assert (found.form, found.others) == ("registryauth", False)
    assert [candidate.principal for candidate in found.candidates] == [RECORD.replace(revision=0)]
    with pytest.raises(StoreLocked) as caught:
        reading(path, key_file=str(tmp_path / "keys" / "none"))
    assert "--key-file" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "variable", "value"),
    [("passphrase", "PASSPHRASE", "their passphrase"), ("environment", "MASTER_KEY", base64.b64encode(bytes(range(32))).decode())],
)
def test_another_store_s_own_variables_stand_beside_ours(elsewhere, key, variable, value):
    path, _ = elsewhere(key, **{f"REGISTRYAUTH_{variable}": value})
    ours = {f"REGISTRYAUTH_{variable}": base64.b64encode(bytes(32)).decode()}
    assert reading(path, key_file="/none", environ=ours | {f"REGISTRYAUTH_IMPORT_{variable}": value}).candidates
    assert reading(path, key_file="/none", environ={f"REGISTRYAUTH_{variable}": value}).candidates
    with pytest.raises(StoreLocked):
        reading(path, key_file="/none", environ=ours)


def test_a_person_is_asked_for_another_store_s_passphrase(elsewhere):
    path, _ = elsewhere("passphrase", REGISTRYAUTH_PASSPHRASE="their passphrase")
    assert reading(path, key_file="/none", ask=lambda new: "" if new else "their passphrase").candidates


def test_another_store_that_is_open_to_others_is_not_read(elsewhere):
    path, key_file = elsewhere()
    os.chmod(path, 0o644)
    with pytest.raises(StoreUnavailable, match="open to other users"):
        reading(path, key_file=key_file)


def test_a_store_does_not_come_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"SQLite format 3\0")))
    with pytest.raises(ConfigurationError, match="cannot come from standard input"):
        reading("-")
