"""What each hot path must not import (DESIGN §4.7); the milliseconds are the benchmarks' business."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.testing import RegistrySimulator

#: Calls the entry point as the installed script does, and says on stderr what that imported.
_SCRIPT = """
import sys
before = set(sys.modules)
from {module} import main
status = main()
sys.stdout.flush()
print(status, *sorted(set(sys.modules) - before), file=sys.stderr)
"""
#: Never imported where time counts.
_HEAVY = {"asyncio", "anyio", "httpx", "keyring", "pydantic", "rich", "logging", "tempfile", "typing_extensions", "yaml"}
_TYPER = {"typer", "click", "inspect", "typing", "dataclasses", "subprocess", "pathlib"}
_NETWORK = {"http.client", "ssl", "socket", "email", "urllib.request", "registryauth._http.tls", "registryauth._http.certs_d"}


@pytest.fixture
def imported(home):
    """What the command *argv* imports, its standard output and its status."""

    def imported(module, *argv, stdin=b""):
        script = _SCRIPT.format(module=module)
        command = [sys.executable, "-c", script, *argv]
        done = subprocess.run(command, input=stdin, capture_output=True, env={"HOME": str(home)}, timeout=60)
        status, *names = done.stderr.decode().splitlines()[-1].split(" ")
        assert status == "0", done.stderr
        return set(names), done.stdout

    return imported


@pytest.fixture
def stored(home):
    store = open_store(key="file", environ={"HOME": str(home)})
    store.put(Principal(Address.parse("host.example"), "me", (Slot("secret"),)))
    store.close()


def test_the_docker_helper_answers_from_a_key_file_with_next_to_nothing(imported, stored):
    names, out = imported("registryauth.docker_helper", "get", stdin=b"host.example")
    assert json.loads(out)["Secret"] == "secret"
    assert not names & (_HEAVY | _TYPER | _NETWORK | {"urllib.parse", "ipaddress", "shutil", "tomllib", "ast", "hashlib"})
    assert "registryauth.stores.encrypted" in names, "the measure works"


@pytest.mark.parametrize("action", ["list", "erase", "store"])
def test_so_do_its_other_actions(imported, stored, action):
    request = b'{"ServerURL": "other.example", "Username": "u", "Secret": "s"}' if action == "store" else b"host.example"
    names, _ = imported("registryauth.docker_helper", action, stdin=request)
    assert not names & (_HEAVY | _TYPER | _NETWORK)


@pytest.mark.parametrize("image", ["host.example/team/model", "other.example/x"])
def test_the_kubelets_provider_answers_within_the_same_budget(imported, stored, image):
    request = {"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest", "image": image}
    names, out = imported("registryauth.kubelet_provider", stdin=json.dumps(request).encode())
    assert bool(json.loads(out)["auth"]) is image.startswith("host.example")
    assert not names & (_HEAVY | _TYPER | _NETWORK | {"urllib.parse", "ipaddress", "shutil", "tomllib", "ast", "hashlib"})
    assert not [name for name in names if name.startswith(("registryauth.azure.", "registryauth.exports", "registryauth.resolver"))]


def test_the_version_costs_no_command_line(imported):
    names, out = imported("registryauth.__main__", "--version")
    assert out.startswith(b"registryauth ")
    assert not names & (_HEAVY | _TYPER | _NETWORK)


def test_resolving_loads_nothing_that_speaks_to_a_network(imported, stored):
    names, out = imported("registryauth.__main__", "resolve", "host.example/x:v1")
    assert b"host.example/x:v1" in out
    assert not names & (_HEAVY | _NETWORK | {"cryptography.x509", "tomllib", "registryauth._http.telling", "registryauth.cli.watched"})
    assert "typer" in names, "the measure works"


@pytest.mark.parametrize("verb", ["list", "status"])
def test_looking_at_the_store_does_not_either(imported, stored, verb):
    names, _ = imported("registryauth.__main__", verb)
    assert not names & (_HEAVY | _NETWORK)


def test_fetching_a_manifest_takes_the_lean_way_to_the_wire(imported):
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("team/model", "v1")
    with simulator.serve() as host:
        names, out = imported("registryauth.__main__", "manifest", "get", f"{host}/team/model:v1")
    assert json.loads(out)["schemaVersion"] == 2
    assert not names & (_HEAVY | {"http.client", "email"})
    assert "socket" in names, "the measure works"


def test_importing_the_package_imports_nothing_else():
    script = "import sys; before = set(sys.modules); import registryauth; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert set(done.stdout.decode().split()) <= {"__future__", "registryauth"}
