"""Records in Azure Key Vault, against the simulator alone: never run against the service."""

from __future__ import annotations

import json
import re

import pytest

from registryauth._origin import Url
from registryauth.errors import ConfigurationError, StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores.azure_key_vault import MAX_SECRET, MAX_VALUE, AzureKeyVaultStore
from registryauth.stores.principal import Key
from registryauth.stores.remote import Remote
from registryauth.testing import KeyVaultSimulator, StoreContract, answers
from registryauth.testing.store_contract import a_record

HOST = Address.parse("registry.example")


def a_store(simulator, token=None, **more):
    remote = Remote(Url.parse("https://team.vault.azure.net").replace(target=""), simulator.transport().send, "the key vault")
    issued = simulator.issue()
    return AzureKeyVaultStore(remote, token or (lambda _: issued), **{"sleep": lambda _: None, "label": "the service principal x", **more})


@pytest.fixture(params=[0, 3], ids=["at once", "with delays"])
def simulator(request):
    """One whose removals and recoveries are over at once, and one that takes its time."""
    return KeyVaultSimulator(delay=request.param)


@pytest.fixture
def store(simulator):
    return a_store(simulator)


class TestAzureKeyVaultStore(StoreContract):
    """The contract, as far as it is declared."""


def asked(simulator):
    return [f"{request.method} {request.url.target.partition('?')[0].partition('-')[0]}" for request in simulator.requests]


def test_it_declares_that_it_has_no_conditional_write(store) -> None:
    assert (store.conditional, store.enumerable, store.atomic, store.max_secret) == (False, True, False, 8 * 1024)


def test_a_name_is_a_prefix_and_two_hashes(simulator, store) -> None:
    written = store.put(a_record("registry.example:5000/team", "Ä/.."))
    (name,) = (name for name, secret in simulator._secrets.items() if secret.versions)
    assert re.fullmatch("registryauth-[0-9a-f]{24}-[0-9a-f]{24}", name)
    version = simulator._secrets[name].versions[0]
    assert version["tags"] == {"registry": "registry.example:5000", "path": "team", "account": "Ä/.."}
    assert version["contentType"] == "application/vnd.registryauth.record+json"
    assert json.loads(version["value"])["revision"] == written.revision


def test_a_lookup_lists_and_reads(simulator, store) -> None:
    written = store.put(a_record("registry.example/team"))
    simulator.requests.clear()
    assert store.get(Address.parse("registry.example/team/app")) == written
    assert asked(simulator) == ["GET /secrets", "GET /secrets/registryauth"]


def test_a_lookup_of_a_named_account_needs_no_list(simulator, store) -> None:
    written = store.put(a_record("registry.example/team"))
    simulator.rights.discard("list")
    simulator.requests.clear()
    assert store.get(Address.parse("registry.example/team/app"), "deploy") == written
    assert asked(simulator) == ["GET /secrets/registryauth"] * 2
    with pytest.raises(StoreLocked, match="may not list secrets"):
        store.get(HOST)


def test_a_list_of_many_pages_is_read_to_its_end(simulator, store) -> None:
    records = [store.put(a_record(f"r{number:02}.example")) for number in range(60)]
    simulator.requests.clear()
    assert store.list() == records
    assert asked(simulator).count("GET /secrets") == 3


def test_a_next_page_at_another_host_is_not_asked_for(simulator, store) -> None:
    seen = []

    def handle(request):
        seen.append(str(request.url.origin))
        return answers.document(request, 200, {"value": [], "nextLink": "https://evil.example/secrets?api-version=7.4"})

    simulator.handle = handle
    with pytest.raises(StoreUnavailable, match="sends us elsewhere for its next page"):
        a_store(simulator).list()
    assert set(seen) == {"https://team.vault.azure.net"}


def test_an_endless_list_ends(simulator) -> None:
    simulator.handle = lambda request: answers.document(request, 200, {"value": [], "nextLink": str(request.url)})
    with pytest.raises(StoreUnavailable, match="more than 50000 secrets"):
        a_store(simulator).list()


def test_what_others_keep_in_the_vault_is_left_alone(simulator, store) -> None:
    written = store.put(a_record("registry.example"))
    (mine,) = [secret for secret in simulator._secrets.values() if secret.versions]
    simulator._secrets |= {"registryauth-note": mine, "other-0000": mine}
    assert store.list() == [written]


def test_another_prefix_is_another_store(simulator, store) -> None:
    store.put(a_record("registry.example"))
    assert a_store(simulator, prefix="Other").list() == []
    written = a_store(simulator, prefix="Other").put(a_record("registry.example"))
    assert a_store(simulator, prefix="oTHER").list() == [written]


@pytest.mark.parametrize("prefix", ["", "-a", "a_b", "a/b", "a" * 78, "ä"])
def test_a_prefix_that_no_secret_may_begin_with_is_refused(simulator, prefix) -> None:
    with pytest.raises(ConfigurationError, match=r"azure_key_vault\.prefix"):
        a_store(simulator, prefix=prefix)


def test_the_longest_prefix_makes_no_name_too_long(simulator) -> None:
    assert a_store(simulator, prefix="a" * 77).put(a_record("registry.example"))


def test_a_removed_name_can_be_used_again_and_brings_nothing_back(simulator, store) -> None:
    first = store.put(a_record("registry.example", "deploy", "old canary"))
    assert store.delete(first.key) is True
    assert store.get(HOST) is None
    second = store.put(a_record("registry.example", "deploy", "new"))
    assert second.revision > first.revision
    (secret,) = [secret for secret in simulator._secrets.values() if secret.versions]
    assert json.loads(secret.versions[1]["value"]) == {"format": 1, "removed": True, "revision": first.revision}
    assert store.list() == [second]


def test_a_recovered_name_is_absent_until_it_is_written(simulator, store) -> None:
    """Somebody recovers what was removed: its last version says that it was."""
    first = store.put(a_record("registry.example"))
    store.delete(first.key)
    for secret in simulator._secrets.values():
        secret.deleted, secret.busy = False, 0
    assert store.get(HOST) is None
    assert store.list() == []
    assert store.delete(first.key) is False


def test_a_purged_name_does_not_give_an_old_revision_again(simulator, store) -> None:
    first = store.put(a_record("registry.example"))
    store.delete(first.key)
    simulator.purge()
    assert store.put(a_record("registry.example")).revision > first.revision


def test_a_clock_that_goes_back_gives_no_revision_twice() -> None:
    simulator = KeyVaultSimulator()
    times = iter((2_000_000_000, 1_000_000_000, 1_000_000_000, 1_000_000_000))
    store = a_store(simulator, clock=lambda: next(times))
    first = store.put(a_record("registry.example"))
    assert store.put(a_record("registry.example")).revision == first.revision + 1
    store.delete(first.key)
    assert store.put(a_record("registry.example")).revision > first.revision + 1


def test_without_the_right_to_recover_a_removed_name_says_what_to_do(simulator, store) -> None:
    first = store.put(a_record("registry.example"))
    store.delete(first.key)
    simulator.rights.discard("recover")
    with pytest.raises(StoreUnavailable, match="taken by a removed secret that we may not recover") as caught:
        store.put(a_record("registry.example"))
    assert "az keyvault secret purge --vault-name VAULT --name registryauth-" in caught.value.hint


def test_a_name_that_is_never_free_is_given_up() -> None:
    simulator, waited = KeyVaultSimulator(delay=10_000), []
    store = a_store(simulator, sleep=waited.append)
    first = store.put(a_record("registry.example"))
    store.delete(first.key)
    with pytest.raises(StoreUnavailable, match=r"has been removing or recovering deploy at registry\.example for 30 s"):
        store.put(a_record("registry.example"))
    assert 20 < sum(waited) <= 30


def test_one_byte_too_many_is_refused_before_it_is_sent(simulator, store) -> None:
    with pytest.raises(StoreError, match="longer than the 8192 bytes") as caught:
        store.put(a_record("registry.example", "deploy", "c" * (MAX_SECRET + 1)))
    assert caught.value.hint
    assert simulator.requests == []


def test_a_record_that_is_too_large_as_a_whole_is_refused(simulator, store) -> None:
    with pytest.raises(StoreError, match=f"more than the {MAX_VALUE} bytes"):
        store.put(a_record("registry.example").replace(purpose="p" * MAX_VALUE))
    assert not [request for request in simulator.requests if request.method == "PUT"]


def test_each_refusal_is_its_own(simulator, store) -> None:
    written = store.put(a_record("registry.example", "deploy", "canary"))
    simulator.rights.clear()
    with pytest.raises(StoreLocked, match="the service principal x may not read secrets") as caught:
        store.exact(written.key)
    assert "Key Vault Secrets User" in caught.value.hint
    simulator.firewalled = True
    with pytest.raises(StoreLocked, match=r"the firewall of the key vault .* keeps us out"):
        store.exact(written.key)
    simulator.tokens.clear()
    with pytest.raises(StoreLocked, match="did not accept the service principal x: AKV10000") as caught:
        store.put(written)
    assert caught.value.exit_code == 5
    assert "canary" not in str(caught.value)


def test_a_refused_token_is_asked_for_anew_once(simulator) -> None:
    good, refusals = simulator.issue(), []

    def token(refused=""):
        refusals.append(refused)
        return good if refused else "old"

    assert a_store(simulator, token).get(HOST) is None
    assert refusals[:2] == ["", "old"]


DAMAGED = {
    "for another registry": {"registry": "evil.example"},
    "another account's": {"account": "admin"},
    "without secrets": {"secrets": []},
    "with an empty one": {"secrets": [""]},
    "without metadata": {"metadata": None},
    "with metadata of another kind": {"metadata": [1]},
    "without a revision": {"revision": 0},
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_a_secret_that_is_not_as_we_wrote_it_is_corrupt_and_can_be_replaced(simulator, store, change) -> None:
    written = store.put(a_record("registry.example", "deploy", "canary"))
    (secret,) = [secret for secret in simulator._secrets.values() if secret.versions]
    secret.versions[-1]["value"] = json.dumps(json.loads(secret.versions[-1]["value"]) | change)
    for look in (lambda: store.exact(written.key), lambda: store.get(HOST), store.list):
        with pytest.raises(StoreCorrupt) as caught:
            look()
        assert "canary" not in str(caught.value)
        assert caught.value.hint
    assert store.put(a_record("registry.example", "deploy", "anew")).revision > written.revision
    secret.versions[-1]["value"] = "somebody's own"
    assert store.delete(written.key) is True
    assert store.exact(written.key) is None


def test_a_later_format_is_not_taken_for_damage(simulator, store) -> None:
    written = store.put(a_record("registry.example"))
    (secret,) = [secret for secret in simulator._secrets.values() if secret.versions]
    secret.versions[-1]["value"] = '{"format": 2}'
    with pytest.raises(StoreUnavailable, match="newer registryauth"):
        store.exact(written.key)


def test_the_status_asks_nobody(simulator, store) -> None:
    assert store.status() == {
        "backend": "azure-key-vault", "path": "https://team.vault.azure.net/secrets/registryauth-*", "exists": True,
        "key": "the service principal x",
    }  # fmt: skip
    assert simulator.requests == []


def test_half_a_surrogate_pair_is_nobody(store) -> None:
    assert store.exact(Key(HOST, "\ud800")) is None
