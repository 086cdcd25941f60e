"""`registryauth.resolve`: this machine's configuration, asked once."""

from __future__ import annotations

import pytest

import registryauth
from registryauth.credentials import Anonymous, Basic
from registryauth.errors import ConfigurationError, CredentialNotFound, StoreError
from registryauth.reference import Address, Reference
from registryauth.resolver.once import resolve
from registryauth.stores import Principal, Slot, open_store
from registryauth.stores.encrypted import EncryptedStore

CANARY = "canary~secret"


@pytest.fixture
def stored(home):
    """Two accounts at one registry, in the store that HOME has."""
    environ = {"HOME": str(home)}
    store = open_store(key="file", environ=environ)
    store.put(Principal(Address.parse("r.example"), "first", (Slot("another"),), preferred_at=1))
    store.put(Principal(Address.parse("r.example/team"), "deploy", (Slot(CANARY),)))
    store.close()
    return environ


@pytest.fixture
def events(stored, monkeypatch):
    """What is done with the store and the record in it, in order."""
    events = []

    def noted(kind, method, event):
        real = getattr(kind, method)
        monkeypatch.setattr(kind, method, lambda self, *given: (events.append(event), real(self, *given))[1])

    noted(EncryptedStore, "close", "closed")
    noted(Principal, "pinned", "fetched")
    return events


def test_the_credential_is_there_after_the_store_was_closed(stored, events):
    secret = resolve("r.example/team/model:v1", environ=stored)
    assert events == ["fetched", "closed"]
    assert secret.credential == Basic("deploy", CANARY)
    assert events == ["fetched", "closed"]
    assert (secret.source, secret.account, str(secret.reference)) == ("store", "deploy", "r.example/team/model:v1")
    assert CANARY not in repr(secret) + secret.explain()


def test_it_is_the_process_s_own_configuration_unless_another_is_given(stored):
    # HOME is that of this test.
    assert registryauth.resolve("r.example/team/model").credential == Basic("deploy", CANARY)
    with pytest.raises(CredentialNotFound):
        resolve("r.example/team/model", environ={"HOME": "/nonexistent"})


def test_an_account_may_be_named_and_a_parsed_reference_given(stored):
    assert resolve(Reference.parse("r.example/team/model"), account="first", environ=stored).credential == Basic("first", "another")


def test_a_public_image_needs_nobody(stored):
    assert resolve("mcr.microsoft.com/azureml/onnxruntime", environ=stored).credential == Anonymous()


def test_absent_says_which_sources_were_asked_and_closes(stored, events):
    with pytest.raises(CredentialNotFound) as caught:
        resolve("other.example/model", environ=stored)
    assert any(line.startswith("store: absent") for line in caught.value.trace)
    assert events == ["closed"]


def test_a_broken_store_is_not_absent(stored, home):
    for key in (home / ".config/registryauth").glob("*.key"):
        key.unlink()
    with pytest.raises(StoreError):
        resolve("r.example/team/model", environ=stored)


def test_a_wrong_configuration_raises(stored, home):
    (home / ".config/registryauth/config.toml").write_text("nonsense = 1\n")
    with pytest.raises(ConfigurationError):
        resolve("r.example/team/model", environ=stored)
