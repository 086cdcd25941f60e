"""One road from end to end, in processes of its own, and afterwards the search: where did the secrets come by?"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from registryauth._http.messages import Response
from registryauth.testing import RegistrySimulator

PASSWORD = "canary-password:8c1e/+ %ä"
WRONG = "canary-wrong:5d20"
DOCKER = "canary-docker:77aa"


def _forms(secret):
    """Every form in which *secret* might be found: as it is, encoded, and as the pair that Basic sends, at each offset of base64."""
    data = secret.encode()
    forms = {data, data.hex().encode(), quote(secret).encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(bytes(offset) + data)
            # Without what hangs on the neighbours.
            forms.add(encoded[(0, 2, 3)[offset] : -4])
    return forms


def _found(data, *secrets):
    return [secret for secret in secrets for form in _forms(secret) if form in data]


@pytest.mark.parametrize("text", [PASSWORD, f"me:{PASSWORD}", "x" + PASSWORD, "xy" + PASSWORD])
def test_the_search_finds_what_it_searches_for(text):
    data = text.encode()
    for hidden in (data, base64.b64encode(data), base64.urlsafe_b64encode(data), data.hex().encode(), quote(text).encode()):
        assert _found(b"around " + hidden + b" around", PASSWORD)
    assert not _found(b"nothing of the kind", PASSWORD)


class Watched:
    """Commands in processes, their output collected and their command lines watched."""

    def __init__(self, home: Path) -> None:
        self.environ = {"HOME": str(home), "PATH": os.environ["PATH"], "REGISTRYAUTH_STORE_KEY": "file"}
        self.said: dict[str, bytes] = {}
        self.surroundings: set[bytes] = set()

    def run(self, *argv: str, stdin: str = "", module: str = "registryauth", status: int = 0) -> bytes:
        command = [sys.executable, "-m", module, *argv]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environ)
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, over))
        watcher.start()
        out, err = process.communicate(stdin.encode(), timeout=60)
        over.set()
        watcher.join()
        assert process.returncode == status, err
        assert b"Traceback" not in err
        self.said[" ".join((module, *argv))] = out + err
        return out

    def _watch(self, pid: int, over: threading.Event) -> None:
        """Read the command line and the environment of the process and of its children as long as it runs."""
        while not over.wait(0.005):
            for one in [pid, *self._children(pid)]:
                for what in ("cmdline", "environ"):
                    try:
                        self.surroundings.add(Path(f"/proc/{one}/{what}").read_bytes())
                    except (FileNotFoundError, ProcessLookupError, PermissionError):
                        break

    def _children(self, pid: int) -> list[int]:
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []


@pytest.fixture
def road(home, tmp_path):
    """Everything that a person and a deploy tool do, once; what was said, the tokens that were issued, and the commands meant to tell."""
    accounts = {"me": PASSWORD}
    simulator = RegistrySimulator(accounts=accounts)
    token = simulator.identity_token("me")
    simulator.add_image("team/model", "v1", [b"layer" * 1000])
    issued: list[str] = []

    def collect(request, response):
        if not request.url.target.startswith("/token"):
            return response
        body = b"".join(response.chunks())
        issued.append(json.loads(body).get("access_token", ""))
        return Response.of(response.status, response.headers, request.url, body)

    simulator.alter(collect)
    watched = Watched(home)
    with simulator.serve() as host, simulator.serve() as other:
        watched.run("login", host, "-u", "me", "--password-stdin", stdin=WRONG, status=4)
        watched.run("login", host, "-u", "me", "--password-stdin", "--repository", "team/model", stdin=PASSWORD + "\n")
        watched.run("login", other, "--identity-token-stdin", stdin=token + "\n")
        watched.run("principal", "add", f"{host}/team", "--client-id", "me", "--secret-stdin", "--owner", "o", stdin=PASSWORD)
        login = json.dumps({"ServerURL": "third.example", "Username": "them", "Secret": DOCKER})
        watched.run("store", module="registryauth.docker_helper", stdin=login)
        watched.run("setup", "docker")
        watched.run("setup", "containers", "--dry-run")
        for output in ("table", "json", "yaml"):
            watched.run("resolve", f"{host}/team/model:v1", f"{other}/x", "--output", output)
        for verb in (["list"], ["status"], ["principal", "list"], ["config", "show"]):
            watched.run(*verb, "--output", "json")
        watched.run("resolve", "--explain", f"{host}/team/model:v1")
        watched.run("manifest", "get", f"{host}/team/model:v1", "--output-file", str(tmp_path / "manifest"))
        watched.run("manifest", "head", f"{other}/team/model:v1")
        layer = json.loads((tmp_path / "manifest").read_text())["layers"][0]["digest"]
        watched.run("blob", "get", f"{host}/team/model@{layer}")
        watched.run("manifest", "get", f"{host}/team/model:none", status=3)
        watched.run("list", module="registryauth.docker_helper")
        watched.run("get", module="registryauth.docker_helper", stdin="not.there.example", status=1)
        accounts["me"] = "rotated"
        watched.run("manifest", "get", f"{host}/team/model:v1", status=4)
    return watched, (PASSWORD, WRONG, DOCKER, token, *filter(None, issued))


def test_no_secret_is_said_shown_on_a_command_line_or_written_but_into_the_store_sealed(road, home, tmp_path):
    watched, secrets = road
    assert len(secrets) > 6, "tokens were issued"
    for command, said in watched.said.items():
        assert not _found(said, *secrets), command
    surroundings = b"\n".join(watched.surroundings)
    assert b"login\x00127.0.0.1:" in surroundings, "they were watched"
    assert not _found(surroundings, *secrets)
    files = [path for place in (home, tmp_path) for path in place.rglob("*") if path.is_file()]
    named = {path.name for path in files if path.parent.name != "used"}
    assert named == {"store.db", "store.key", "config.json", "manifest", "audit.log"}
    for path in files:
        assert not _found(path.read_bytes(), *secrets), path
    # Those that are meant to tell do, or the search would prove nothing.
    told = watched.run("get", module="registryauth.docker_helper", stdin="third.example")
    assert _found(told, DOCKER)
    assert _found(watched.run("resolve", "third.example/x", "--format", "docker-config"), DOCKER)
    assert _found(watched.run("resolve", "third.example/x", "--format", "env"), DOCKER)
    target = tmp_path / "pull.json"
    assert not watched.run("resolve", "third.example/x", "--format", "docker-config", "--output-file", str(target))
    assert _found(target.read_bytes(), DOCKER)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_removed_secret_is_not_left_in_the_file_even_sealed(home):
    watched = Watched(home)
    login = json.dumps({"ServerURL": "third.example", "Username": "marker-account", "Secret": "s" * 3000})
    watched.run("store", module="registryauth.docker_helper", stdin=login)
    store = home / ".local/share/registryauth/store.db"
    assert b"marker-account" in store.read_bytes()
    watched.run("logout", "third.example")
    assert b"marker-account" not in store.read_bytes()
