"""Records in Vault and OpenBao, against the simulator; tests/real/test_openbao.py has the same on a server."""

from __future__ import annotations

import json

import pytest

from registryauth._http.retrying import Retrying
from registryauth._origin import Url
from registryauth.errors import ConfigurationError, Conflict, StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores.principal import Slot
from registryauth.stores.remote import Remote
from registryauth.stores.vault import VaultStore
from registryauth.stores.vault_kv import Forbidden, Heedful, Kv
from registryauth.testing import StoreContract, VaultSimulator
from registryauth.testing.store_contract import a_record
from registryauth.testing.vault_simulator import Grant

TOKEN = "s.simulated-root-token"
HOST = Address.parse("registry.example")
READS = {"secret/metadata/*": ["list"], "secret/data/*": ["read"]}


def a_store(simulator, token=TOKEN, *, notice=pytest.fail, prefix="registryauth", **more):
    base = Url.parse("https://vault.example").replace(target="")
    transport = Retrying(Heedful(simulator.transport(), "the vault"), sleep=lambda _: None)
    settings = {"mount": "secret", "label": "the token of VAULT_TOKEN", **more}
    kv = Kv(Remote(base, transport.send, "the vault"), token if callable(token) else lambda _: token, **settings)
    return VaultStore(kv, prefix=prefix, notice=notice)


@pytest.fixture
def simulator():
    return VaultSimulator()


@pytest.fixture
def store(simulator):
    return a_store(simulator)


class TestVaultStore(StoreContract):
    """The contract."""


def asked(simulator):
    return [(request.method, request.url.target) for request in simulator.requests]


def held(simulator, name="registry.example/deploy@"):
    """The entry as the vault holds it; change it as somebody with another program would."""
    return simulator._entries[":secret", f"registryauth/{name}"]


def test_a_lookup_takes_a_list_and_a_read(simulator, store) -> None:
    store.put(a_record("registry.example/team"))
    simulator.requests.clear()
    assert store.get(Address.parse("registry.example/team/app/deep"))
    assert asked(simulator) == [
        ("GET", "/v1/secret/metadata/registryauth/registry.example?list=true"),
        ("GET", "/v1/secret/data/registryauth/registry.example/deploy@team"),
    ]


def test_what_is_nowhere_costs_a_list_for_the_host_and_one_for_its_wildcard(simulator, store) -> None:
    assert store.get(Address.parse("registry.example.com/a/b/c")) is None
    simulator.requests.clear()
    assert store.get(Address.parse("registry.example.com/a/b/c")) is None
    assert [target.rpartition("/")[2] for _, target in asked(simulator)] == ["registry.example.com?list=true", "=2A.example.com?list=true"]


def test_the_record_stands_in_the_clear_where_its_name_says(simulator, store) -> None:
    written = store.put(a_record("registry.example", "deploy", "current", "next"))
    (content,) = held(simulator).versions.values()
    assert {name: content[name] for name in ("format", "registry", "path", "account", "revision", "secrets")} == {
        "format": 1, "registry": "registry.example", "path": "", "account": "deploy", "revision": written.revision,
        "secrets": ["current", "next"],
    }  # fmt: skip
    assert json.loads(content["metadata"]) == written.metadata()
    assert "current" not in content["metadata"]


def test_a_removed_record_leaves_nothing_but_that_it_was_removed(simulator, store) -> None:
    for secret in ("one", "two"):
        written = store.put(a_record("registry.example", "deploy", secret))
    store.delete(written.key)
    assert held(simulator).versions == {1: None, 2: None, 3: {"format": 1, "removed": True, "revision": written.revision}}


def test_who_holds_a_removed_record_cannot_write_it_back(store) -> None:
    first = store.put(a_record("registry.example"))
    store.delete(first.key)
    with pytest.raises(Conflict):
        store.put(first, first.revision)
    second = store.put(a_record("registry.example"), 0)
    with pytest.raises(Conflict):
        store.delete(first.key, first.revision)
    assert store.list() == [second]


def test_a_write_between_look_and_write_is_never_lost(simulator, store) -> None:
    """The moment that only check-and-set sees: somebody writes after our look."""
    first = store.put(a_record("registry.example"))
    rival = a_store(simulator)
    looked = store._kv.read

    def interrupted(path):
        found = looked(path)
        rival.put(a_record("registry.example", "deploy", "the rival's"))
        store._kv.read = looked
        return found

    def put(revision):
        store.put(a_record("registry.example"), revision)

    def delete(revision):
        store.delete(first.key, revision)

    revision = first.revision
    for change in (put, delete):
        store._kv.read = interrupted
        with pytest.raises(Conflict, match="written again"):
            change(revision)
        found = store.get(HOST)
        assert found is not None
        assert found.slots[0].secret == "the rival's"
        revision = found.revision
    store._kv.read = interrupted
    assert store.put(a_record("registry.example", "deploy", "in any case")).revision > revision


def test_who_is_always_outrun_gives_up(simulator, store) -> None:
    looked = store._kv.read
    numbers = iter(range(1000))

    def outrun(path):
        found = looked(path)
        a_store(simulator).put(a_record("registry.example", "deploy", f"rival {next(numbers)}"))
        return found

    store._kv.read = outrun
    with pytest.raises(Conflict, match="all the time"):
        store.put(a_record("registry.example"))
    assert next(numbers) == 64


def test_a_purged_entry_does_not_give_an_old_revision_again(simulator, store) -> None:
    first = store.put(a_record("registry.example"))
    del simulator._entries[":secret", "registryauth/registry.example/deploy@"]
    assert store.get(HOST) is None
    assert store.put(a_record("registry.example"), 0).revision > first.revision


def test_a_clock_that_goes_back_gives_no_revision_twice(simulator) -> None:
    store = a_store(simulator)
    times = iter((2_000_000_000, 1_000_000_000, 1_000_000_000))
    store._clock = lambda: next(times)
    first = store.put(a_record("registry.example"))
    store.delete(first.key)
    assert store.put(a_record("registry.example")).revision == first.revision + 1


DAMAGED = {
    "another record's": {"account": "admin"},
    "for another registry": {"registry": "evil.example"},
    "without secrets": {"secrets": []},
    "with an empty one": {"secrets": [""]},
    "with too many": {"secrets": ["a", "b", "c"]},
    "with secrets that are none": {"secrets": [1]},
    "with metadata that is not JSON": {"metadata": "{"},
    "with metadata of another kind": {"metadata": "[]"},
    "without metadata": {"metadata": None},
    "without a revision": {"revision": None},
    "with a revision that is text": {"revision": "7"},
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_an_entry_that_is_not_as_we_wrote_it_is_corrupt_and_can_be_replaced(simulator, store, change) -> None:
    written = store.put(a_record("registry.example", "deploy", "canary"))
    entry = held(simulator)
    entry.versions[1] = {**entry.versions[1], **change}
    for look in (lambda: store.exact(written.key), lambda: store.get(HOST), store.list):
        with pytest.raises(StoreCorrupt) as caught:
            look()
        assert caught.value.hint
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert store.put(a_record("registry.example", "deploy", "anew")).slots == (Slot("anew", 1_700_000_000),)
    entry.versions[entry.last] = {"password": "somebody's own"}
    assert store.delete(written.key) is True
    assert store.list() == []


def test_a_later_format_is_not_taken_for_damage(simulator, store) -> None:
    written = store.put(a_record("registry.example"))
    held(simulator).versions[1]["format"] = 2
    with pytest.raises(StoreUnavailable, match="newer registryauth"):
        store.exact(written.key)


def test_what_others_keep_beside_our_records_is_left_alone(simulator, store) -> None:
    written = store.put(a_record("registry.example"))
    for name in (
        "registryauth/notes",
        "registryauth/registry.example/readme",
        "registryauth/registry.example/sub/x",
        "registryauth/a b/c@",
    ):
        simulator._entries[":secret", name] = held(simulator)
    assert store.list() == [written]
    assert store.get(HOST) == written


def test_a_token_that_may_not_list_needs_the_account_to_be_named(simulator, store) -> None:
    written = store.put(a_record("registry.example/team", "deploy"))
    simulator.tokens["s.reader"] = Grant({"secret/data/*": ["read"]})
    reader = a_store(simulator, "s.reader")
    assert reader.get(Address.parse("registry.example/team/app"), "deploy") == written
    assert reader.nearest(Address.parse("registry.example/team/app"), "nobody") == ()
    for look in (lambda: reader.get(HOST), reader.list, lambda: reader.at(HOST)):
        with pytest.raises(Forbidden, match="do not allow to list secret/metadata/registryauth"):
            look()
    with pytest.raises(Forbidden) as caught:
        reader.get(HOST)
    assert "where the account is named" in caught.value.hint


def test_a_token_that_may_not_write_says_which_right_is_missing(simulator) -> None:
    simulator.tokens["s.reader"] = Grant(READS)
    with pytest.raises(Forbidden, match=r"do not allow to create and update secret/data/registryauth/registry\.example/deploy@") as caught:
        a_store(simulator, "s.reader").put(a_record("registry.example"))
    assert "docs/backends.md" in caught.value.hint
    assert caught.value.exit_code == 5


def test_where_former_versions_cannot_be_destroyed_that_is_said(simulator) -> None:
    simulator.tokens["s.writer"] = Grant({"secret/data/*": ["read", "create", "update"]})
    said = []
    store = a_store(simulator, "s.writer", notice=said.append)
    record = store.put(a_record("registry.example", "deploy", "canary"))
    assert store.delete(record.key) is True
    (text,) = said
    assert "former versions can still be read" in text
    assert "bao kv metadata delete secret/registryauth/registry.example/deploy@" in text
    assert "canary" not in text


def test_a_wrong_token_is_told_from_one_without_the_right(simulator) -> None:
    with pytest.raises(StoreLocked, match="did not accept the token of VAULT_TOKEN: it is wrong, expired or revoked") as caught:
        a_store(simulator, "s.canary-token").get(HOST)
    assert not isinstance(caught.value, Forbidden)
    assert "canary" not in str(caught.value) + caught.value.hint


def test_a_server_that_repeats_the_token_is_not_quoted(simulator) -> None:
    from registryauth.testing import answers

    simulator.handle = lambda request: answers.document(request, 400, {"errors": ["what is s.canary-token?"]})
    with pytest.raises(StoreUnavailable, match=r"refused LIST .* what is \*\*\*\?") as caught:
        a_store(simulator, "s.canary-token").get(HOST)
    assert "canary" not in str(caught.value) + caught.value.hint


def test_a_refused_token_is_asked_for_anew_once(simulator, store) -> None:
    written = store.put(a_record("registry.example"))
    asked_for = []

    def token(refused=""):
        asked_for.append(refused)
        return TOKEN if refused else "s.old"

    assert a_store(simulator, token).exact(written.key) == written
    assert asked_for == ["", "s.old"]


@pytest.mark.parametrize("action", ["get", "put", "list", "exact", "delete"])
def test_a_mount_that_is_none_of_ours_is_named(simulator, action) -> None:
    simulator.mounts["", "old"] = 1
    record = a_record("registry.example")
    argument = {"get": [HOST], "put": [record], "list": [], "exact": [record.key], "delete": [record.key]}[action]
    for mount, words in (("nowhere", "nothing mounted at nowhere/"), ("old", "no key-value engine of version 2")):
        with pytest.raises(StoreUnavailable, match=words) as caught:
            getattr(a_store(simulator, mount=mount), action)(*argument)
        assert caught.value.hint
        assert caught.value.exit_code == 5
    assert simulator._plain == {}, "an engine of version 1 would have taken the secret without any check"


def test_a_namespace_that_is_not_there_is_named(simulator) -> None:
    with pytest.raises(StoreUnavailable, match="does not know the namespace team/b"):
        a_store(simulator, namespace="/team/b/").get(HOST)


def test_each_namespace_has_its_own_records(simulator, store) -> None:
    simulator.mounts["team", "secret"] = 2
    inside = a_store(simulator, namespace="team")
    written = inside.put(a_record("registry.example"))
    assert store.list() == []
    assert inside.list() == [written]


def test_a_sealed_vault_is_locked_at_once(simulator, store) -> None:
    simulator.sealed = True
    with pytest.raises(StoreLocked, match="the vault is sealed") as caught:
        store.get(HOST)
    assert "unseal" in caught.value.hint
    assert len(simulator.requests) == 1, "no patience opens a seal"
    assert store.status()["sealed"] is True


def test_a_busy_server_is_asked_again(simulator) -> None:
    store = a_store(simulator)
    written = store.put(a_record("registry.example"))
    handle, busy = simulator.handle, [503, 502]

    def sometimes(request):
        from registryauth.testing import answers

        return answers.document(request, busy.pop(), {"errors": ["no leader"]}) if busy else handle(request)

    simulator.handle = sometimes
    assert a_store(simulator).get(HOST) == written


def test_the_status_needs_no_token(simulator) -> None:
    status = a_store(simulator, "s.wrong", namespace="").status()
    assert status == {
        "backend": "vault", "path": "https://vault.example/v1/secret/registryauth", "exists": True, "namespace": "",
        "key": "the token of VAULT_TOKEN", "server": "2.7.2", "sealed": False,
    }  # fmt: skip
    assert "x-vault-token" not in dict(simulator.requests[-1].headers)


@pytest.mark.parametrize("path", ["..", "a/../b", "a//b", "a b", "a?b", "a%2fb", "a+b", "*", ".", "a/."])
def test_mounts_and_prefixes_that_would_lead_astray_are_refused(simulator, path) -> None:
    with pytest.raises(ConfigurationError, match=r"vault\.prefix"):
        a_store(simulator, prefix=path)
    with pytest.raises(ConfigurationError, match=r"vault\.mount"):
        a_store(simulator, mount=path)


def test_a_prefix_may_be_deep_and_may_be_nothing(simulator) -> None:
    for prefix in ("", "teams/ml/registryauth"):
        store = a_store(simulator, prefix=prefix)
        written = store.put(a_record("registry.example"))
        assert store.list() == [written]
        store.delete(written.key)


def test_no_mount_is_refused(simulator) -> None:
    with pytest.raises(ConfigurationError, match=r"vault\.mount is empty"):
        a_store(simulator, mount="/")


def test_no_secret_shows_in_what_is_printed_of_it(simulator, store) -> None:
    store.put(a_record("registry.example", "deploy", "canary"))
    version = store._kv.read(("registryauth", "registry.example", "deploy@"))
    assert version.content.field("secrets").value == ["canary"]
    assert "canary" not in repr(version) + repr(store) + repr(simulator.requests)


def test_what_is_too_large_for_any_store_is_not_sent(simulator, store) -> None:
    with pytest.raises(StoreError):
        store.put_all([(a_record("registry.example"), None), (a_record("r.example", "x", "y" * 70_000), None)])
    assert simulator.requests == []
