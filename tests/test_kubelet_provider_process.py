"""The provider as the kubelet runs it: a process with little in its environment, a store on disk, a minute at most."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

import pytest

import registryauth.kubelet_provider as provider_module
from registryauth.kubelet_provider import API_VERSION, CLIENT_ID, NAME, TENANT
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store

CANARY = "canary-3a6c"
COMMAND = [sys.executable, "-m", "registryauth.kubelet_provider"]
REQUEST = {"apiVersion": API_VERSION, "kind": "CredentialProviderRequest", "image": "host.example/team/model"}


@pytest.fixture
def provider(home):
    """Run the provider with nothing in the environment but HOME and what is given; no secret may come by standard error."""

    def provider(request=REQUEST, **environ):
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        done = subprocess.run(COMMAND, input=data, env={"HOME": str(home), **environ}, capture_output=True, timeout=60)
        assert b"Traceback" not in done.stderr
        assert CANARY.encode() not in done.stderr
        return done.returncode, done.stdout, done.stderr.decode()

    return provider


@pytest.fixture
def keep(home):
    def keep(address="host.example", secret=CANARY, **environ):
        store = open_store(key="file", environ={"HOME": str(home), **environ})
        store.put(Principal(Address.parse(address), "jörg", (Slot(secret),)))
        store.close()

    return keep


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}])
def test_the_answer_is_one_line_of_utf_8_in_any_locale(provider, keep, locale):
    keep(secret=CANARY + "ä€😀")
    status, out, err = provider(**locale)
    assert (status, err) == (0, "")
    assert json.loads(out.decode("utf-8"))["auth"] == {"host.example/team/model": {"username": "jörg", "password": CANARY + "ä€😀"}}
    assert out.count(b"\n") == 1


def test_without_home_it_finds_the_store_that_the_configuration_of_the_kubelet_names(provider, keep, tmp_path):
    place = {"REGISTRYAUTH_STORE_PATH": str(tmp_path / "s.db"), "REGISTRYAUTH_STORE_KEY_FILE": str(tmp_path / "s.key")}
    store = open_store(place["REGISTRYAUTH_STORE_PATH"], "file", place["REGISTRYAUTH_STORE_KEY_FILE"], {})
    store.put(Principal(Address.parse("host.example"), "me", (Slot(CANARY),)))
    store.close()
    status, out, _ = provider(HOME="", XDG_STATE_HOME=str(tmp_path / "state"), **place)
    assert status == 0
    assert json.loads(out)["auth"]["host.example/team/model"]["password"] == CANARY


def test_an_empty_home_is_asked_and_left_empty(provider, home):
    status, out, err = provider()
    assert (status, json.loads(out)["auth"]) == (0, None)
    assert "nothing is stored for host.example/team/model" in err
    assert list(home.iterdir()) == []


def test_a_locked_store_is_a_failure_with_the_reason_and_no_word_of_the_secret(provider, keep, home):
    keep()
    (home / ".config/registryauth/store.key").unlink()
    status, out, err = provider()
    assert (status, out) == (1, b"")
    assert err.startswith(f"{NAME}: the key file")


def test_ten_megabytes_are_refused_at_once(provider, keep):
    keep()
    status, out, err = provider(b"x" * 10_000_000)
    assert (status, out) == (1, b"")
    assert "larger than the 1048576 bytes allowed" in err


def test_each_answer_is_in_the_audit_log_as_the_kubelets(provider, keep, home):
    keep()
    provider()
    lines = [json.loads(line) for line in (home / ".local/state/registryauth/audit.log").read_text().splitlines()]
    [read] = [line for line in lines if line.get("event") == "read"]
    assert read["purpose"] == "kubelet"
    assert CANARY not in json.dumps(lines)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_traceback(home, keep, closed):
    keep()
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m registryauth.kubelet_provider {closed}', sys.executable],
        env={"HOME": str(home)},
        input=json.dumps(REQUEST).encode(),
        capture_output=True,
    )
    assert b"Traceback" not in done.stderr
    assert CANARY.encode() not in done.stderr
    if closed == "2>&-":
        assert (done.returncode, json.loads(done.stdout)["cacheKeyType"]) == (0, "Image")
    else:
        assert done.returncode == 1, "an answer that nobody can have is no success"


def test_a_kubelet_that_goes_away_is_no_traceback(home, keep):
    keep()
    pipe = subprocess.PIPE
    process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env={"HOME": str(home)})
    process.stdout.close()
    process.stdin.write(json.dumps(REQUEST).encode())
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


_HANGING = """
import sys
import registryauth.kubelet_provider as provider
provider.PATIENCE = 1
class Store:
    def nearest(self, *_):
        import time
        try:
            time.sleep(40)
        except Exception:
            print("swallowed", file=sys.stderr)
        return ()
import registryauth.stores
registryauth.stores.from_config = lambda *_, **__: Store()
sys.exit(provider.main())
"""


def test_it_gives_up_while_the_kubelet_still_listens(home):
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _HANGING], input=json.dumps(REQUEST).encode(), env={"HOME": str(home)}, capture_output=True, timeout=30
    )
    assert time.monotonic() - began < 20
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"{NAME}: there was no answer within 1 s")
    assert b"swallowed" not in done.stderr


_DEAF = """
import ctypes, sys
import registryauth.kubelet_provider as provider
provider.PATIENCE = provider.GRACE = 1
class Store:
    def nearest(self, *_):
        # As in the system's look-up of names, no signal ends it.
        libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(256)
        libc.pthread_mutex_lock(mutex)
        libc.pthread_mutex_lock(mutex)
import registryauth.stores
registryauth.stores.from_config = lambda *_, **__: Store()
sys.exit(provider.main())
"""


def test_it_gives_up_where_no_signal_comes_through(home):
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _DEAF], input=json.dumps(REQUEST).encode(), env={"HOME": str(home)}, capture_output=True, timeout=30
    )
    assert time.monotonic() - began < 20
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"{NAME}: there was no answer within 1 s")


def test_both_limits_together_are_within_the_kubelets_minute():
    """k8s.io/kubernetes pkg/credentialprovider/plugin/plugin.go, pluginExecTimeout; the rest is for our start."""
    assert provider_module.PATIENCE + provider_module.GRACE <= 55


@pytest.fixture
def silent():
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_an_entra_that_hangs_is_given_up(home, silent):
    request = REQUEST | {
        "image": "my.azurecr.io/team/model",
        "serviceAccountToken": f"e30.{CANARY}.c2ln",
        "serviceAccountAnnotations": {CLIENT_ID: "0f5c2f6e-client-id", TENANT: "contoso.example"},
    }
    began = time.monotonic()
    script = "import sys, registryauth.kubelet_provider as p\np.PATIENCE = 1\nsys.exit(p.main())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(request).encode(),
        env={"HOME": str(home), "HTTPS_PROXY": f"http://{silent}"},
        capture_output=True,
        timeout=30,
    )
    assert time.monotonic() - began < 20
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"{NAME}: there was no answer within 1 s")
    assert CANARY.encode() not in done.stderr


def test_it_is_installed_under_its_name():
    from importlib.metadata import entry_points

    [entry] = entry_points(group="console_scripts", name=NAME)
    assert entry.value == "registryauth.kubelet_provider:main"
    assert os.access(os.path.join(os.path.dirname(sys.executable), NAME), os.X_OK)
