"""From settings to a working remote store, over a real socket."""

from __future__ import annotations

import pytest

from registryauth.azure import vault_token
from registryauth.config import load
from registryauth.errors import ConfigurationError, StoreLocked
from registryauth.reference import Address
from registryauth.stores import from_config
from registryauth.stores.configured import open_remote
from registryauth.stores.remote import Unreachable
from registryauth.testing import KeyVaultSimulator, VaultSimulator
from registryauth.testing.store_contract import a_record
from registryauth.testing.vault_simulator import Role

HOST = Address.parse("registry.example")


@pytest.fixture
def vault():
    return VaultSimulator()


@pytest.fixture
def opened(home):
    stores = []

    def opened(notice=pytest.fail, **said):
        environ = {"HOME": str(home)} | {name if name.isupper() else f"REGISTRYAUTH_{name.upper()}": text for name, text in said.items()}
        stores.append(open_remote(load(environ, system_file=str(home / "none")), environ, notice=notice, azure_token=vault_token))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def test_vaults_own_variables_are_enough(vault, opened) -> None:
    with vault.serve() as host:
        store = opened(store_backend="vault", VAULT_ADDR=f"http://{host}", VAULT_TOKEN="s.simulated-root-token")
        written = store.put(a_record("registry.example"))
        assert store.get(HOST) == written
    assert vault.requests[0].header("x-vault-namespace") == ""


def test_openbaos_come_first_and_ours_before_both(vault, opened) -> None:
    vault.mounts["mine", "kv"] = 2
    with vault.serve() as host:
        others = {"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_NAMESPACE": "theirs", "VAULT_TOKEN": "s.simulated-root-token"}
        bao = opened(store_backend="vault", BAO_ADDR=f"http://{host}", BAO_NAMESPACE="mine", vault_mount="kv", vault_prefix="a/b", **others)
        written = bao.put(a_record("registry.example"))
        ours = opened(
            store_backend="vault", vault_address=f"http://{host}", vault_namespace="mine", vault_mount="kv", vault_prefix="a/b",
            **others, BAO_ADDR="http://127.0.0.1:1", BAO_NAMESPACE="theirs",
        )  # fmt: skip
        assert ours.get(HOST) == written
    assert {request.header("x-vault-namespace") for request in vault.requests} == {"mine"}


def test_an_app_role_is_configured_by_its_two_settings(vault, opened, tmp_path) -> None:
    file = tmp_path / "secret-id"
    file.write_text("sid")
    file.chmod(0o600)
    vault.approles["rid"] = Role({"sid"})
    with vault.serve() as host:
        store = opened(
            store_backend="vault", vault_address=f"http://{host}", vault_auth="approle", vault_role="rid", vault_secret_id_file=str(file)
        )
        assert store.get(HOST) is None
        assert store.status()["key"] == "the AppRole rid"


def test_outside_of_a_pod_kubernetes_says_so(vault, opened) -> None:
    with vault.serve() as host, pytest.raises(StoreLocked, match="serviceaccount/token cannot be read"):
        opened(store_backend="vault", vault_address=f"http://{host}", vault_auth="kubernetes", vault_role="r").get(HOST)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"store_backend": "vault"}, "vault.address"),
        ({"store_backend": "vault", "vault_address": "http://vault.example"}, "vault.address"),
        ({"store_backend": "vault", "VAULT_ADDR": "vault.example"}, "VAULT_ADDR"),
        ({"store_backend": "vault", "vault_address": "https://v.example", "vault_auth": "approle"}, "vault.role"),
        ({"store_backend": "vault", "vault_address": "https://v.example", "vault_mount": ".."}, "vault.mount"),
        ({"store_backend": "azure-key-vault"}, "azure_key_vault.url"),
        ({"store_backend": "azure-key-vault", "azure_key_vault_url": "https://v.example"}, "azure_key_vault.url"),
        ({"store_backend": "azure-key-vault", "azure_key_vault_url": "http://v.vault.azure.net"}, "azure_key_vault.url"),
    ],
)
def test_settings_that_do_not_work_are_named(opened, said, key) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(**said)
    assert caught.value.key == key
    assert caught.value.hint


def test_nothing_is_asked_before_the_first_call(vault, opened) -> None:
    with vault.serve() as host:
        opened(store_backend="vault", vault_address=f"http://{host}")
    assert vault.requests == []


def test_a_key_vault_of_this_machine_is_a_simulator(opened) -> None:
    simulator = KeyVaultSimulator(clients={"c": "s"})
    with simulator.serve() as host:
        store = opened(
            store_backend="azure-key-vault", azure_key_vault_url=f"http://{host}",
            AZURE_TENANT_ID="t", AZURE_CLIENT_ID="c", AZURE_CLIENT_SECRET="s",
        )  # fmt: skip
        written = store.put(a_record("registry.example"))
        assert store.get(HOST) == written
        assert store.status()["key"] == "the service principal c"


def cached(host, **more):
    said = {"store_backend": "vault", "vault_address": f"http://{host}", "store_cache": "12h", "store_key": "file"}
    return said | {"VAULT_TOKEN": "s.simulated-root-token"} | more


def test_with_a_cache_a_new_process_answers_while_the_vault_is_away(vault, opened) -> None:
    said = []
    with vault.serve() as host:
        written = opened(**cached(host)).put(a_record("registry.example"))
        assert opened(**cached(host)).get(HOST) == written
    assert opened(said.append, **cached(host)).get(HOST) == written
    assert len(said) == 1
    with pytest.raises(Unreachable):
        opened(**cached(host, store_cache="")).get(HOST)


@pytest.mark.parametrize("other", [{"vault_prefix": "x"}, {"vault_mount": "x"}, {"vault_namespace": "x"}, {"BAO_TOKEN": "s.other"}])
def test_a_cache_answers_for_its_own_vault_and_account_alone(vault, opened, other) -> None:
    with vault.serve() as host:
        opened(**cached(host)).put(a_record("registry.example"))
        opened(**cached(host)).get(HOST)
    with pytest.raises(Unreachable, match="cannot be reached"):
        opened(**cached(host, **other)).get(HOST)


def test_without_a_cache_nothing_is_written_here(vault, opened, home) -> None:
    with vault.serve() as host:
        store = opened(store_backend="vault", VAULT_ADDR=f"http://{host}", VAULT_TOKEN="s.simulated-root-token")
        store.put(a_record("registry.example"))
        store.get(HOST)
    assert list(home.iterdir()) == []


def test_the_configured_store_is_the_remote_one(vault, home, capsys) -> None:
    """Through the door that every front end uses; without a listener a notice goes to stderr."""
    with vault.serve() as host:
        environ = {"HOME": str(home), "VAULT_TOKEN": "s.simulated-root-token"}
        said = cached(host)
        environ |= {f"REGISTRYAUTH_{name.upper()}": text for name, text in said.items() if name.islower()}
        store = from_config(load(environ), environ)
        written = store.put(a_record("registry.example"))
        assert store.get(HOST) == written
        store.close()
    store = from_config(load(environ), environ)
    assert store.get(HOST) == written
    store.close()
    assert capsys.readouterr().err.startswith("registryauth: the vault at http://127.0.0.1:")
