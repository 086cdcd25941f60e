"""The pytest plugin, as a user's own run sees it: found by its entry point, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Run pytest over *source* in a user's project, our package installed there; gives its status and output."""
    project, site = tmp_path / "project", tmp_path / "site"
    project.mkdir()
    # The entry point as pyproject.toml has it; how this package was installed for our own tests does not matter.
    (metadata := site / "registryauth_here-1.dist-info").mkdir(parents=True)
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    (metadata / "entry_points.txt").write_text("[pytest11]\n" + "".join(f"{name} = {where}\n" for name, where in points.items()))
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: registryauth-here\nVersion: 1\n")
    (project / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")

    def run(source, *options):
        (project / "test_theirs.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_registry_is_served_with_an_account_that_may_log_in(project):
    status, said = project("""
from registryauth import Client, Resolver

def test_pull(registry_simulator):
    assert registry_simulator.address.startswith("127.0.0.1:")
    registry_simulator.add_image("team/model", "v1", layers=[b"a layer"])
    resolver = Resolver.from_config(environ={}, explicit={registry_simulator.address: registry_simulator.credential})
    with resolver, Client(resolver) as client:
        assert client.repository(registry_simulator.address + "/team/model").manifest("v1").layers[0].size == 7
    assert registry_simulator.requests
""")
    assert (status, "1 passed" in said) == (0, True), said


def test_each_test_has_a_registry_and_a_password_of_its_own_and_accounts_are_live(project):
    status, said = project("""
import pytest
from registryauth import Basic, Client, errors
from registryauth.credentials import Pinned

passwords = set()

@pytest.mark.parametrize("number", [1, 2])
def test_fresh(registry_simulator, number):
    assert registry_simulator.requests == []
    passwords.add(registry_simulator.credential.password)
    assert len(passwords) == number
    registry_simulator.add_image("team/model", "v1")
    registry_simulator.accounts["ci"] = "theirs"

    def head(password):
        with Client(lambda _: (Pinned(Basic("ci", password), password),)) as client:
            return client.repository(registry_simulator.address + "/team/model").head("v1")

    head("theirs")
    with pytest.raises(errors.AuthError):
        head("another")
""")
    assert (status, "2 passed" in said) == (0, True), said


def test_nothing_listens_after_the_test(project):
    status, said = project("""
import socket, threading
import pytest

at = []

def test_first(registry_simulator):
    at.append(int(registry_simulator.address.rpartition(":")[2]))
    socket.create_connection(("127.0.0.1", at[0]), 5).close()

def test_second():
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", at[0]), 5)
    assert threading.enumerate() == [threading.main_thread()]
""")
    assert (status, "2 passed" in said) == (0, True), said


def test_an_azure_is_there_with_its_registries(project):
    status, said = project("""
from registryauth import Basic, Client
from registryauth.credentials import Pinned
from registryauth.testing import AzureSimulator

def test_azure(azure_simulator: AzureSimulator):
    app = azure_simulator.tenant("contoso").app("deploy")
    password = app.add_secret().value
    registry = azure_simulator.registry("myregistry")
    registry.images.add_image("team/model", "v1")
    azure_simulator.assign(app, "AcrPull", registry)
    credentials = lambda _: (Pinned(Basic(app.app_id, password), "deploy"),)
    with Client(credentials, transport=azure_simulator.transport()) as client:
        assert client.repository("myregistry.azurecr.io/team/model").head("v1").size

def test_another(azure_simulator: AzureSimulator):
    assert azure_simulator.registries == []
""")
    assert (status, "2 passed" in said) == (0, True), said


def test_who_uses_no_fixture_imports_next_to_nothing():
    # Outside of a run: there the plugins of others may have imported the same.
    script = "import sys, pytest; before = set(sys.modules); import registryauth.testing.plugin; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == {"registryauth", "registryauth.testing", "registryauth.testing.plugin"}


def test_the_fixtures_are_listed_with_what_they_give(project):
    status, said = project("", "--fixtures")
    assert "registry_simulator" in said
    assert "An empty registry with token authentication" in said
    assert "azure_simulator" in said
    assert status in (0, 5)


def test_it_can_be_left_out(project):
    status, said = project("def test_theirs(registry_simulator): pass\n", "-p", "no:registryauth")
    assert status == 1
    assert "fixture 'registry_simulator' not found" in said


def test_the_contract_of_a_store_says_what_was_wrong(project):
    status, said = project("""
import pytest
from registryauth.stores.memory import MemoryStore
from registryauth.testing import StoreContract

class Wrong(MemoryStore):
    def delete(self, key, if_revision=None):
        super().delete(key, if_revision)
        return "gone"

class TestWrong(StoreContract):
    @pytest.fixture
    def store(self):
        return Wrong()
""", "-k", "an_empty_store")  # fmt: skip
    assert status == 1
    assert "AssertionError: assert 'gone' is False" in said
