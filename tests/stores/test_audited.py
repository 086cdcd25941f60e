from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from registryauth.audit.chain import key_id
from registryauth.audit.recorder import Recorder
from registryauth.audit.verification import verify
from registryauth.config import load
from registryauth.errors import Conflict, StoreCorrupt, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores import from_config
from registryauth.stores.audited import AuditedStore, behind, note
from registryauth.stores.encrypted import EncryptedStore
from registryauth.stores.last_used import LastUsed
from registryauth.stores.memory import MemoryStore
from registryauth.stores.principal import Slot
from registryauth.testing.store_contract import StoreContract, a_record

CANARY = "canary-77aa-never-in-the-log"
NOW = 1_800_000_000
HOST = Address.parse("r.example")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "audit.log"


@pytest.fixture
def wrap(path: Path):
    """Makes a store an audited one."""

    def wrap(inner, mode="best-effort", **options):
        recorder = Recorder(str(path), mode, purpose="the test", clock=lambda: NOW, **options)
        used = LastUsed(str(path.parent / "used"))
        return AuditedStore(inner, recorder, used, own_key=str(path.with_suffix(".key")), clock=lambda: NOW)

    return wrap


@pytest.fixture
def audited(wrap, open_again):
    return wrap(open_again())


@pytest.fixture
def events(path: Path):
    """The log's events, but for the first line."""

    def events(*names):
        if not path.exists():
            return []
        found = [json.loads(line) for line in path.read_bytes().splitlines()]
        names = names or ("event", "address", "account", "result")
        return [tuple(each[name] for name in names) for each in found if each["event"] != "begun"]

    return events


class TestOverMemory(StoreContract):
    @pytest.fixture
    def store(self, wrap) -> AuditedStore:
        return wrap(MemoryStore())


class TestOverEncrypted(StoreContract):
    @pytest.fixture
    def store(self, audited) -> AuditedStore:
        return audited


class TestWhereItIsRequired(StoreContract):
    @pytest.fixture
    def store(self, wrap, open_again) -> AuditedStore:
        return wrap(open_again(), "required")


def test_writing_and_removing_are_told_apart(audited, events):
    first = audited.put(a_record("r.example", "me"), if_revision=0)
    audited.put(first, if_revision=first.revision)
    audited.delete(first.key)
    assert events() == [(kind, "r.example", "me", "ok") for kind in ("added", "changed", "removed")]


def test_a_write_that_does_not_look_says_so(audited, events):
    audited.put(a_record("r.example"))
    assert events("event", "detail") == [("changed", "whatever was there")]


@pytest.mark.parametrize("ask", [
    lambda store: store.get(Address.parse("r.example/team/x")),
    lambda store: store.nearest(Address.parse("r.example/team/x")),
    lambda store: store.exact(a_record("r.example/team", "me").key),
    lambda store: store.at(Address.parse("r.example/team")),
])  # fmt: skip
def test_every_way_of_reading_is_an_event_with_its_purpose_and_the_secret_s_serial(audited, open_again, events, ask):
    open_again().put(a_record("r.example/team", "me").replace(slots=(Slot("s", serial=4),)))
    assert ask(audited)
    assert events("event", "address", "account", "serial", "purpose") == [("read", "r.example/team", "me", 4, "the test")]


def test_each_record_handed_out_has_its_line(audited, open_again, events):
    for account in ("a", "b"):
        open_again().put(a_record("r.example", account))
    audited.at(HOST)
    assert events("event", "account") == [("read", "a"), ("read", "b")]


def test_of_very_many_one_line_says_how_many(wrap, events):
    inner = MemoryStore()
    inner.put_all([(a_record("r.example", f"n{number}"), 0) for number in range(17)])
    wrap(inner).at(HOST)
    assert events("event", "address", "count") == [("listed", "r.example", 17)]


def test_a_record_that_answers_several_questions_has_one_line_and_so_has_every_other(wrap, events):
    inner = MemoryStore()
    inner.put_all([(a_record(f"r{number}.example", "me"), 0) for number in range(17)])
    questions = [(Address.parse(f"r{number}.example/{path}"), None) for path in ("a", "b") for number in range(17)]
    wrap(inner).nearest_all([*questions, (Address.parse("nobody.example"), None)])
    assert events("event", "address") == [("read", f"r{number}.example") for number in range(17)]


def test_a_list_is_one_line_with_a_count(audited, open_again, events):
    for account in ("a", "b"):
        open_again().put(a_record("r.example", account))
    audited.list()
    assert events("event", "count") == [("listed", 2)]


def test_what_is_not_there_was_not_read(audited, open_again, events):
    open_again().put(a_record("other.example"))
    assert audited.get(HOST) is None
    assert audited.exact(a_record("r.example").key) is None
    assert list(audited.at(HOST)) == []
    assert audited.delete(a_record("r.example").key) is False
    assert events() == []


def test_what_needs_no_secret_is_no_event(audited, events):
    assert audited.status()["backend"] == "local"
    assert (audited.conditional, audited.enumerable, audited.atomic) == (True, True, True)
    audited.stamp()
    audited.close()
    assert events() == []


def test_an_import_is_a_line_for_each_record(audited, events):
    audited.put_all([(a_record("r.example", account), 0) for account in ("a", "b", "c")])
    assert events("event", "account") == [("added", "a"), ("added", "b"), ("added", "c")]


def test_no_secret_is_in_the_log(audited, path):
    written = audited.put(a_record("r.example", "me", CANARY, CANARY + "2").replace(purpose="p", owner="o"))
    audited.get(HOST)
    audited.list()
    audited.delete(written.key)
    for file in path.parent.rglob("*"):
        assert CANARY.encode() not in (file.read_bytes() if file.is_file() else b"")


def test_a_conflict_is_a_refusal(audited, events):
    written = audited.put(a_record("r.example"))
    with pytest.raises(Conflict):
        audited.put(written, if_revision=99)
    assert events("event", "result", "error")[1:] == [("changed", "refused", "Conflict")]


def test_the_lines_are_under_a_key_of_the_store(audited, path, open_again):
    audited.put(a_record("r.example"))
    verdict = verify([str(path)], open_again().derived_key("registryauth audit log"))
    assert (verdict.lines, verdict.authentic) == (2, 2)
    assert not path.with_suffix(".key").exists()


def test_a_store_without_a_data_key_has_a_key_file_beside_the_log(wrap, path):
    store = wrap(MemoryStore())
    store.put(a_record("r.example"))
    assert path.with_suffix(".key").stat().st_mode & 0o777 == 0o600
    assert verify([str(path)], store.chain_key()).authentic == 2


def test_verifying_makes_no_key(wrap, path):
    with pytest.raises(StoreUnavailable, match="there is no key"):
        wrap(MemoryStore()).chain_key()
    assert not path.parent.exists()


def test_reading_a_locked_store_is_an_event_that_nothing_vouches_for(audited, place, wrap, open_again, events, path):
    audited.put(a_record("r.example"), if_revision=0)
    key = place / "config" / "store.key"
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(StoreLocked):
        wrap(open_again()).get(HOST)
    assert events("event", "result", "error", "mac")[-1] == ("read", "failed", "StoreLocked", None)
    key.touch(mode=0o600)
    key.write_bytes(kept)
    assert audited.get(HOST) is not None
    verdict = verify([str(path)], audited.chain_key())
    assert ([each.line for each in verdict.open.named], verdict.authentic, verdict.faults.count) == ([3], 3, 0)


def test_a_locked_store_is_not_asked_for_its_key_a_second_time(wrap, events):
    class Locked(MemoryStore):
        asked = 0

        def get(self, *_):
            raise StoreLocked("no", hint="unlock it")

        def derived_key(self, _):
            self.asked += 1
            return b"k" * 32

    inner = Locked()
    with pytest.raises(StoreLocked):
        wrap(inner).get(HOST)
    assert (inner.asked, events("result")) == (0, [("failed",)])


def test_a_damaged_record_is_an_event(audited, events, monkeypatch):
    audited.put(a_record("r.example"), if_revision=0)

    def damaged(*_):
        raise StoreCorrupt("damaged", hint="look")

    monkeypatch.setattr(audited.inner, "get", damaged)
    with pytest.raises(StoreCorrupt):
        audited.get(HOST)
    assert events("event", "result", "error")[-1] == ("read", "failed", "StoreCorrupt")
    assert events("mac")[-1] != (None,)


@pytest.fixture
def unwritable(path: Path):
    """From now on the log cannot be written."""

    def unwritable():
        if path.exists():
            path.chmod(0o666)
        else:
            path.parent.write_text("")

    return unwritable


def test_where_it_is_required_no_secret_is_handed_out_unrecorded(wrap, open_again, unwritable):
    open_again().put(a_record("r.example"))
    store = wrap(open_again(), "required")
    unwritable()
    for ask in (lambda: store.get(HOST), lambda: store.exact(a_record("r.example").key), lambda: store.at(HOST), store.list):
        with pytest.raises(StoreUnavailable, match="required"):
            ask()


def test_where_it_is_required_nothing_is_written_unrecorded(wrap, open_again, unwritable):
    before = open_again().put(a_record("r.example"))
    store = wrap(open_again(), "required")
    unwritable()
    with pytest.raises(StoreUnavailable, match="required"):
        store.put(before)
    with pytest.raises(StoreUnavailable, match="required"):
        store.delete(before.key)
    assert open_again().list() == [before]


def test_where_it_is_required_a_write_is_told_before_and_after(wrap, open_again, events):
    store = wrap(open_again(), "required")
    written = store.put(a_record("r.example"), if_revision=0)
    with pytest.raises(Conflict):
        store.put(written, if_revision=0)
    assert events("event", "result") == [("added", "begun"), ("added", "ok"), ("added", "begun"), ("added", "refused")]


def test_a_write_that_could_not_be_told_of_afterwards_says_that_it_was_done(wrap, unwritable, events):
    class Blocking(MemoryStore):
        def put(self, *args):
            unwritable()
            return super().put(*args)

    inner = Blocking()
    with pytest.raises(StoreUnavailable, match="it was done") as failed:
        wrap(inner, "required").put(a_record("r.example"), 0)
    assert failed.value.hint
    assert len(inner.list()) == 1
    assert events("event", "result") == [("added", "begun")]


def test_as_best_effort_it_goes_on_and_says_so(wrap, open_again, unwritable):
    said = []
    open_again().put(a_record("r.example"))
    store = wrap(open_again(), warn=said.append)
    unwritable()
    assert store.get(HOST) is not None
    assert store.list()
    assert len(said) == 1


def test_switched_off_it_writes_nothing_and_still_knows_what_was_used(wrap, open_again, path):
    written = open_again().put(a_record("r.example"))
    store = wrap(open_again(), "off")
    assert store.get(HOST) == written
    assert not path.exists()
    assert store.last_used.when(written.key) == NOW


def test_looking_a_credential_up_is_using_it_and_an_admin_s_look_is_not(audited):
    written = audited.put(a_record("r.example"))
    audited.exact(written.key)
    audited.at(HOST)
    audited.list()
    assert audited.last_used.when(written.key) == 0
    audited.get(Address.parse("r.example/x"))
    assert audited.last_used.when(written.key) == NOW
    audited.delete(written.key)
    assert audited.last_used.when(written.key) == 0


def test_of_several_accounts_the_default_in_use_is_the_one_that_was_used(audited):
    best = audited.put(a_record("r.example", "best", preferred_at=3).replace(disabled_at=1))
    next_best = audited.put(a_record("r.example", "next", preferred_at=2))
    other = audited.put(a_record("r.example", "other", preferred_at=1))
    audited.nearest(HOST)
    assert [audited.last_used.when(each.key) for each in (best, next_best, other)] == [0, NOW, 0]


def test_another_data_key_carries_the_chain_on(audited, open_again, path, events):
    audited.put(a_record("r.example"), if_revision=0)
    audited.rekeyed(lambda: behind(audited).rekey())
    audited.get(HOST)
    assert events("event") == [("added",), ("rekeyed",), ("read",)]
    verdict = verify([str(path)], open_again().derived_key("registryauth audit log"))
    assert (verdict.carried, verdict.authentic, verdict.open.count, verdict.faults.count) == (2, 2, 0, 0)


def test_another_process_s_new_data_key_is_noticed(audited, open_again, path):
    record = audited.put(a_record("r.example"), if_revision=0)
    os.utime(audited.inner.path, (1, 1))
    audited.get(HOST)
    open_again().rekey()
    audited.get(HOST)
    assert json.loads(path.read_bytes().splitlines()[-1])["key"] == key_id(open_again().derived_key("registryauth audit log"))
    assert audited.exact(record.key) is not None


def test_while_the_store_stays_as_it_is_its_key_is_derived_once(audited, open_again, monkeypatch):
    open_again().put(a_record("r.example"))
    os.utime(audited.inner.path, (1, 1))
    asked = []
    real = audited.inner.derived_key
    monkeypatch.setattr(audited.inner, "derived_key", lambda label: asked.append(label) or real(label))
    for _ in range(5):
        audited.get(HOST)
    assert len(asked) == 1


def test_a_broken_chain_is_not_carried_on(audited, open_again, path, events):
    audited.put(a_record("r.example"), if_revision=0)
    path.write_bytes(path.read_bytes().replace(b'"added"', b'"other"'))
    audited.rekeyed(lambda: behind(audited).rekey())
    assert events("event", "detail")[-1] == ("rekeyed", "the lines before could not be vouched for")
    verdict = verify([str(path)], open_again().derived_key("registryauth audit log"))
    assert (verdict.carried, verdict.open.count) == (0, 2)


def test_what_is_done_with_a_secret_can_be_noted(audited, events):
    record = audited.put(a_record("r.example", "me"), if_revision=0)
    note(audited, "exported", record.key, serial=1, detail="kubernetes-secret")
    assert events("event", "account", "serial", "detail")[-1] == ("exported", "me", 1, "kubernetes-secret")
    note(MemoryStore(), "exported", record.key)


def test_the_store_behind_it_can_be_had(wrap):
    inner = MemoryStore()
    assert behind(wrap(inner)) is inner
    assert behind(inner) is inner


def test_the_configured_store_is_an_audited_one(home, path):
    environ = {"HOME": str(home), "REGISTRYAUTH_AUDIT_FILE": str(path), "REGISTRYAUTH_STORE_KEY": "file"}
    store = from_config(load(environ), environ, purpose="trying it")
    store.put(a_record("r.example"), 0)
    assert store.get(HOST) is not None
    store.close()
    assert [json.loads(line)["purpose"] for line in path.read_bytes().splitlines()] == ["", "trying it", "trying it"]
    assert isinstance(behind(store), EncryptedStore)
    assert os.listdir(home / ".local" / "state" / "registryauth") == ["used"]


def test_many_threads_make_one_chain(wrap, path):
    import threading

    store = wrap(MemoryStore())
    threads = [threading.Thread(target=lambda n=n: [store.put(a_record("r.example", f"{n}.{i}")) for i in range(10)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    verdict = verify([str(path)], store.chain_key())
    assert (verdict.authentic, verdict.faults.count) == (81, 0)
