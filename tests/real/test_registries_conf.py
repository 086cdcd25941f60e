"""Helpers that registries.conf names: podman and we ask the same ones in the same order."""

from __future__ import annotations

import base64
import json
import sys

import pytest

pytestmark = pytest.mark.real

FILES = "containers-auth.json"
HOST = "registry.example:5000"


@pytest.fixture
def logins(user, program, tmp_path):
    """``logins()``: whose login podman would use for `HOST`, and whose we would; empty for nobody's."""
    podman = program("podman")
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    user.environ["PATH"] = f"{bin_dir}:{user.environ['PATH']}"
    for name in ("one", "none"):
        answer = f"print(json.dumps(dict(ServerURL=server, Username='{name}-' + server, Secret='x')))"
        nothing = "print('credentials not found in native keychain'); sys.exit(1)"
        path = bin_dir / f"docker-credential-{name}"
        text = f"#!{sys.executable} -IS\nimport json, sys\nserver = sys.stdin.read().strip()\n{answer if name == 'one' else nothing}\n"
        path.write_text(text)
        path.chmod(0o755)

    def logins():
        theirs = user.run(podman, "login", "--get-login", HOST, check=False)
        ours = user.registryauth("resolve", f"{HOST}/team/app", "--output", "json", check=False)
        account = json.loads(ours.stdout)["pull_secrets"][0]["account"] if ours.returncode == 0 else ""
        return theirs.stdout.strip() if theirs.returncode == 0 else "", account

    return logins


@pytest.fixture
def conf(user):
    def conf(name, helpers):
        path = user.home / ".config/containers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"credential-helpers = {helpers!r}\n")

    return conf


@pytest.fixture
def auth_file(user):
    path = user.home / ".config/containers/auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"auths": {HOST: {"auth": base64.b64encode(b"file:x").decode()}}}))


HELPER = f"one-{HOST}"


@pytest.mark.parametrize(
    ("main", "drop_in", "account"),
    [
        (None, None, "file"),
        (["one"], None, HELPER),
        (["none"], None, ""),
        (["none", FILES], None, "file"),
        ([FILES, "one"], None, "file"),
        (["one", FILES], None, HELPER),
        (["one"], [FILES], "file"),
        (["one"], [], "file"),
        ([FILES], ["one"], HELPER),
    ],
)
def test_podman_and_we_use_the_same_login(logins, conf, auth_file, main, drop_in, account):
    if main is not None:
        conf("registries.conf", main)
    if drop_in is not None:
        conf("registries.conf.d/10.conf", drop_in)
    assert logins() == (account, account)


def test_a_variable_names_another_file_for_both(logins, conf, auth_file, user):
    conf("registries.conf", [FILES])
    (user.home / "named.conf").write_text("credential-helpers = ['one']\n")
    user.environ["CONTAINERS_REGISTRIES_CONF"] = str(user.home / "named.conf")
    assert logins() == (HELPER, HELPER)


def test_with_our_helper_in_the_list_podman_needs_no_other_setup(logins, conf, user):
    user.registryauth("principal", "add", HOST, "--client-id", "me", "--secret-stdin", "--no-verify", stdin="x")
    conf("registries.conf", ["registryauth"])
    assert logins() == ("me", "me")
