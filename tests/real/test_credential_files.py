"""Files that podman, skopeo and docker write, and which entry of a file they use: we read the same ones and choose the same."""

from __future__ import annotations

import base64
import json
import os
import tempfile

import pytest

from registryauth.errors import CredentialNotFound, SourceFailed
from registryauth.reference import Repository
from registryauth.resolver import Resolver
from registryauth.stores.memory import MemoryStore
from registryauth.testing import RegistrySimulator

from .programs import run

pytestmark = pytest.mark.real

NAMES = ("host", "team", "app", "teams", "url", "helped")
SECRET = "s3cret:with:colon"


@pytest.fixture
def simulator():
    simulator = RegistrySimulator(auth="basic", accounts=dict.fromkeys(NAMES, SECRET))
    for repository in ("team/app", "teams/app", "other"):
        simulator.add_image(repository, "v1", [b"one layer"])
    return simulator


@pytest.fixture
def host(simulator):
    with simulator.serve() as host:
        yield host


def ours(reference):
    """Whom our resolver sends, from which source; None where it has nobody."""
    with Resolver.from_config(environ=os.environ, store=MemoryStore()) as resolver:
        try:
            secret = resolver.resolve(reference)
        except CredentialNotFound:
            return None
        return secret.credential.username, secret.source


def theirs(simulator, argv, env=None):
    """Whom another program sends; None if nobody, an empty user name included."""
    before = len(simulator.requests)
    run(argv, env=env, check=False)
    sent = [request.header("authorization") for request in simulator.requests[before:]]
    names = {base64.b64decode(value.partition(" ")[2]).decode().partition(":")[0] for value in sent if value.startswith("Basic ")}
    assert len(names) <= 1
    return (names - {""}).pop() if names - {""} else None


def entry(name):
    return {"auth": base64.b64encode(f"{name}:{SECRET}".encode()).decode()}


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


@pytest.fixture
def command(program):
    """How a program of theirs begins; podman gets a storage of its own, whose path may not be longer than 50 characters."""
    with tempfile.TemporaryDirectory(prefix="podman-") as directory:
        storage = [f"--{name}={directory}/{name}" for name in ("root", "runroot", "tmpdir")]
        yield lambda tool: [program(tool), *(storage if tool == "podman" else [])]


@pytest.mark.parametrize("tool", ["skopeo", "podman", "buildah"])
def test_a_login_of_theirs_is_found_in_the_file_that_they_chose_themselves(tool, command, host):
    run([*command(tool), "login", "--tls-verify=false", "-u", "host", "--password-stdin", host], stdin=SECRET.encode())
    assert ours(f"{host}/team/app") == ("host", "containers auth")
    assert ours("other.example/team/app") is None


@pytest.mark.parametrize("tool", ["skopeo", "podman"])
def test_a_login_of_theirs_to_a_namespace_is_good_for_what_lies_in_it(tool, command, host, tmp_path, monkeypatch):
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "mine.json"))
    for name, where in (("host", host), ("team", f"{host}/team")):
        run([*command(tool), "login", "--tls-verify=false", "-u", name, "--password-stdin", where], stdin=SECRET.encode())
    assert list(json.loads((tmp_path / "mine.json").read_text())["auths"]) == [host, f"{host}/team"]
    assert ours(f"{host}/team/app") == ("team", "containers auth")
    assert ours(f"{host}/teams/app") == ("host", "containers auth")
    run([*command(tool), "logout", f"{host}/team"])
    assert ours(f"{host}/team/app") == ("host", "containers auth")


def test_a_login_of_dockers_is_found(program, host, home, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/no-daemon.sock")
    # Where the file has an entry, docker looks for no helper to keep the next one in.
    write(home / ".docker/config.json", {"auths": {"other.example": entry("other")}})
    run([program("docker"), "login", "-u", "host", "--password-stdin", host], stdin=SECRET.encode(), timeout=60)
    assert ours(f"{host}/team/app") == ("host", "docker config")
    run([program("docker"), "logout", host])
    assert ours(f"{host}/team/app") is None


FILES = {
    "host alone": {"{host}": "host"},
    "namespace before host": {"{host}": "host", "{host}/team": "team"},
    "repository before namespace": {"{host}/team": "team", "{host}/team/app": "app", "{host}": "host"},
    "a namespace that only begins alike": {"{host}/teams": "teams"},
    "part of a segment": {"{host}/te": "team"},
    "a URL": {"http://{host}/v1/": "url"},
    "a URL beside the plain name": {"https://{host}": "url", "{host}": "host"},
    "a URL and a namespace": {"https://{host}/v2/": "url", "{host}/team": "team"},
    "an empty entry for the namespace": {"{host}": "host", "{host}/team": None},
    "a host that contains it": {"{host}.evil.example": "host", "evil-{host}": "host"},
}


@pytest.mark.parametrize("auths", FILES.values(), ids=FILES.keys())
@pytest.mark.parametrize("repository", ["team/app", "teams/app", "other"])
def test_we_choose_the_entry_of_auth_json_that_skopeo_chooses(auths, repository, program, simulator, host, tmp_path, monkeypatch):
    path = tmp_path / "auth.json"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(path))
    write(path, {"auths": {key.format(host=host): entry(name) if name else {} for key, name in auths.items()}})
    argv = [program("skopeo"), "inspect", "--raw", "--tls-verify=false", f"docker://{host}/{repository}:v1"]
    chosen = theirs(simulator, argv)
    assert (ours(f"{host}/{repository}") or (None,))[0] == chosen


@pytest.mark.parametrize(
    "auths", [FILES[name] for name in ("host alone", "a URL", "a URL beside the plain name", "a host that contains it")]
)
def test_we_choose_the_entry_of_config_json_that_docker_chooses(auths, program, simulator, host, home):
    write(home / ".docker/config.json", {"auths": {key.format(host=host): entry(name) for key, name in auths.items()}})
    argv = [program("docker"), "manifest", "inspect", "--insecure", f"{host}/team/app:v1"]
    chosen = theirs(simulator, argv)
    assert (ours(f"{host}/team/app") or (None,))[0] == chosen


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """``docker-credential-test`` on PATH, which knows the account helped and writes down what it is asked."""
    log, program = tmp_path / "asked", tmp_path / "bin/docker-credential-test"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncat >> {log}; echo >> {log}\necho \'{{"Username":"helped","Secret":"{SECRET}"}}\'\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return log


@pytest.mark.parametrize("tool", ["skopeo", "docker"])
def test_a_helper_is_asked_for_the_same_key_as_they_ask_it(tool, helper, program, simulator, host, home, tmp_path, monkeypatch):
    document = {"credHelpers": {host: "test"}, "auths": {host: entry("host"), f"{host}/team": entry("team")}}
    if tool == "skopeo":
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
        write(tmp_path / "auth.json", document)
        argv = [program("skopeo"), "inspect", "--raw", "--tls-verify=false", f"docker://{host}/team/app:v1"]
    else:
        write(home / ".docker/config.json", document)
        argv = [program("docker"), "manifest", "inspect", "--insecure", f"{host}/team/app:v1"]
    assert theirs(simulator, argv) == "helped"
    asked = set(helper.read_text().split())
    helper.unlink()
    assert ours(f"{host}/team/app")[0] == "helped"
    assert set(helper.read_text().split()) == asked == {host}


def test_with_a_broken_helper_neither_skopeo_nor_we_send_anybody(program, simulator, host, tmp_path, monkeypatch):
    """Docker takes what stands under auths instead; that may be a leftover of a time before the helper."""
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    auths = {host: entry("host"), f"{host}/team": entry("team")}
    write(tmp_path / "auth.json", {"credHelpers": {host: "no-such-helper"}, "auths": auths})
    argv = [program("skopeo"), "inspect", "--raw", "--tls-verify=false", f"docker://{host}/team/app:v1"]
    assert theirs(simulator, argv) is None
    with Resolver.from_config(environ=os.environ, store=MemoryStore()) as resolver, pytest.raises(SourceFailed, match="no-such-helper"):
        resolver.candidates(Repository.parse(f"{host}/team/app"))
