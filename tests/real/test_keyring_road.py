"""The road with the store's key in a real Secret Service: gnome-keyring on a D-Bus session of the test's own."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

from .user import SCRIPTS, User

pytestmark = pytest.mark.real

OURS = shlex.quote(str(SCRIPTS / "registryauth"))
HELPER = shlex.quote(str(SCRIPTS / "docker-credential-registryauth"))


class Desktop:
    """Runs shell commands in a session with a keyring, each session as after a new login to the machine."""

    def __init__(self, user: User) -> None:
        self.user = user

    def unlocked(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run *script* where the keyring was unlocked with the desktop's password."""
        return self._session("--unlock", script, check=check)

    def locked(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run *script* where nobody gave the password."""
        return self._session("--start", script, check=check)

    def _session(self, how: str, script: str, *, check: bool) -> subprocess.CompletedProcess[str]:
        started = f'printf %s "the desktop password" | gnome-keyring-daemon {how} --components=secrets >/dev/null'
        return self.user.run("dbus-run-session", "--", "sh", "-c", f"{started}\n{script}", check=check)


@pytest.fixture
def desktop(user, program):
    for name in ("dbus-run-session", "gnome-keyring-daemon"):
        program(name)
    return Desktop(user)


def login(server):
    return f"printf %s {shlex.quote(server.password)} | {OURS} login {server.host} --username {server.username} --password-stdin"


def test_a_login_with_auto_puts_the_key_into_the_keyring_and_says_so(desktop, htpasswd_registry):
    done = desktop.unlocked(f"{login(htpasswd_registry)} && {OURS} status --output json")
    assert "its key is in the OS keyring (SecretService)" in done.stderr
    assert json.loads(done.stdout)["store"]["key"] == "OS keyring (SecretService)"
    assert not (desktop.user.home / ".config/registryauth/store.key").exists()
    for path in desktop.user.home.rglob("*"):
        assert not path.is_file() or htpasswd_registry.password.encode() not in path.read_bytes()


def test_the_helper_answers_in_another_process_and_another_session(desktop, htpasswd_registry):
    get = f"printf %s {htpasswd_registry.host} | {HELPER} get"
    answer = {"ServerURL": htpasswd_registry.host, "Username": "svc-pull", "Secret": htpasswd_registry.password}
    assert json.loads(desktop.unlocked(f"{login(htpasswd_registry)} && {get}").stdout) == answer
    assert json.loads(desktop.unlocked(get).stdout) == answer


def test_the_road_leads_from_the_keyring_to_the_manifest(desktop, htpasswd_registry, push, image):
    reference = push(htpasswd_registry)
    done = desktop.unlocked(f"{login(htpasswd_registry)} && {OURS} manifest get {reference}")
    assert done.stdout.encode() == image.manifest


def test_skopeo_reads_with_a_key_from_the_keyring(desktop, htpasswd_registry, push, image, program):
    reference = push(htpasswd_registry)
    setup = f"{OURS} setup containers {htpasswd_registry.host}"
    inspect = f"{program('skopeo')} --insecure-policy inspect --raw --tls-verify=false docker://{reference}"
    assert desktop.unlocked(f"{login(htpasswd_registry)} && {setup} && {inspect}").stdout.encode() == image.manifest


@pytest.mark.parametrize("verb", ["list", "status", "resolve", "login", "logout"])
def test_a_locked_keyring_is_exit_status_5_and_says_so(desktop, htpasswd_registry, verb):
    desktop.unlocked(login(htpasswd_registry))
    host = htpasswd_registry.host
    commands = {"resolve": f"{OURS} resolve {host}/team/model:v1", "login": login(htpasswd_registry), "logout": f"{OURS} logout {host}"}
    done = desktop.locked(commands.get(verb, f"{OURS} {verb}"), check=False)
    assert done.returncode == 5
    # Where it is, and that it is locked, can be told all the same.
    assert done.stdout == "" if verb != "status" else "locked" in done.stdout
    assert "error: the OS keyring (SecretService) is locked" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_locked_keyring_is_a_helper_that_fails_with_its_reason(desktop, htpasswd_registry):
    desktop.unlocked(login(htpasswd_registry))
    done = desktop.locked(f"printf %s {htpasswd_registry.host} | {HELPER} get", check=False)
    assert (done.returncode, done.stdout) == (1, "the OS keyring (SecretService) is locked\n")
    assert "docker-credential-registryauth: the OS keyring (SecretService) is locked; " in done.stderr
    # It is no answer that there is nothing: a client would go on without a credential.
    assert "credentials not found" not in done.stdout


def test_what_was_locked_is_there_again_when_it_is_unlocked(desktop, htpasswd_registry):
    desktop.unlocked(login(htpasswd_registry))
    desktop.locked(f"{OURS} logout {htpasswd_registry.host}", check=False)
    listed = json.loads(desktop.unlocked(f"{OURS} list --output json").stdout)["registries"]
    assert [record["account"] for record in listed] == ["svc-pull"]


def test_without_a_session_a_store_whose_key_is_in_the_keyring_is_locked(desktop, htpasswd_registry):
    desktop.unlocked(login(htpasswd_registry))
    done = desktop.user.registryauth("list", check=False)
    assert done.returncode == 5
    assert "OS keyring" in done.stderr


def test_without_a_keyring_auto_takes_a_file(htpasswd_registry, user):
    assert f"its key is in the file {user.home}" in user.login(htpasswd_registry).stderr
