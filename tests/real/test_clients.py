"""Clients that we did not write, served by our helper with what only our store holds."""

from __future__ import annotations

import json
import tempfile

import pytest

pytestmark = pytest.mark.real


@pytest.fixture
def skopeo(user, program):
    """``skopeo(verb, …)``."""
    path = program("skopeo")
    return lambda *argv, **how: user.run(path, "--insecure-policy", *argv, **how)


@pytest.fixture
def docker(user, program):
    """``docker(verb, …)``; none of the verbs used here needs a daemon."""
    path = program("docker")
    user.environ["DOCKER_HOST"] = f"unix://{user.home}/no-daemon.sock"
    return lambda *argv, **how: user.run(path, *argv, **how)


@pytest.fixture
def podman(user, program):
    """``podman(verb, …)`` with a storage of its own."""
    path = program("podman")
    # Podman takes no run root whose path is longer than 50 characters, as pytest's own directories are.
    with tempfile.TemporaryDirectory(prefix="podman-") as directory:
        storage = ["--root", f"{directory}/storage", "--runroot", f"{directory}/run", "--tmpdir", f"{directory}/tmp"]
        yield lambda *argv, **how: user.run(path, *storage, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", *argv, **how)


@pytest.fixture
def auth_file(user, tmp_path):
    """The one file that podman, buildah and skopeo then read and write."""
    path = tmp_path / "auth.json"
    user.environ["REGISTRY_AUTH_FILE"] = str(path)
    return path


@pytest.fixture
def locked(user):
    """``locked()``: from here on the store cannot be opened."""

    def lock():
        (user.home / ".config/registryauth/store.key").unlink()

    return lock


def login_argv(server):
    return ["--username", server.username, "--password-stdin"]


class TestSkopeo:
    def test_reads_with_a_credential_that_only_our_store_holds(self, skopeo, htpasswd_registry, push, image, user, tmp_path):
        reference = push(htpasswd_registry)
        refused = skopeo("inspect", "--tls-verify=false", f"docker://{reference}", check=False)
        assert "authentication required" in refused.stderr

        user.login(htpasswd_registry)
        user.registryauth("setup", "containers", htpasswd_registry.host)

        assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{reference}").stdout.encode() == image.manifest
        assert json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{reference}").stdout)["Digest"] == image.digest
        assert json.loads(skopeo("list-tags", "--tls-verify=false", f"docker://{reference.rpartition(':')[0]}").stdout)["Tags"] == ["v1"]
        skopeo("copy", "--src-tls-verify=false", f"docker://{reference}", f"dir:{tmp_path / 'copy'}")
        assert (tmp_path / "copy" / "manifest.json").read_bytes() == image.manifest

    def test_pushes_with_it(self, skopeo, htpasswd_registry, image, user):
        user.login(htpasswd_registry)
        user.registryauth("setup", "containers", htpasswd_registry.host)
        skopeo("copy", "--dest-tls-verify=false", image.layout, f"docker://{htpasswd_registry.host}/team/new:v1")
        assert user.raw("manifest", "get", f"{htpasswd_registry.host}/team/new:v1") == image.manifest

    def test_reads_from_a_token_registry(self, skopeo, token_registry, push, image, user):
        reference = push(token_registry)
        user.login(token_registry)
        user.registryauth("setup", "containers", token_registry.host)
        raw = skopeo("inspect", "--raw", "--cert-dir", token_registry.ca_file.parent, f"docker://{reference}").stdout
        assert raw.encode() == image.manifest

    def test_uses_an_identity_token(self, skopeo, token_registry, push, image, user):
        reference = push(token_registry)
        token = token_registry.token_server.identity_token("svc-pull")
        user.registryauth("login", token_registry.host, "--identity-token-stdin", "--no-verify", stdin=token)
        user.registryauth("setup", "containers", token_registry.host)
        assert json.loads(user.helper("get", token_registry.host).stdout)["Username"] == "<token>"
        raw = skopeo("inspect", "--raw", "--cert-dir", token_registry.ca_file.parent, f"docker://{reference}").stdout
        assert raw.encode() == image.manifest
        assert token_registry.token_server.requests[-1].parameters["refresh_token"] == [token]

    def test_goes_anonymous_where_we_have_nothing(self, skopeo, docker_registry, push, image, user):
        reference = push(docker_registry)
        user.registryauth("setup", "containers", docker_registry.host)
        assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{reference}").stdout.encode() == image.manifest

    def test_logs_in_and_out_through_us(self, skopeo, htpasswd_registry, user, auth_file):
        host = htpasswd_registry.host
        user.registryauth("setup", "containers", host)
        skopeo("login", "--tls-verify=false", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        assert htpasswd_registry.password not in auth_file.read_text()
        assert json.loads(auth_file.read_text())["credHelpers"] == {host: "registryauth"}
        assert [(r["address"], r["account"]) for r in user.listed()] == [(host, "svc-pull")]
        assert skopeo("login", "--get-login", host).stdout.strip() == "svc-pull"
        skopeo("logout", host)
        assert user.listed() == []

    def test_shows_why_a_store_that_is_locked_gives_nothing(self, skopeo, htpasswd_registry, push, user, locked):
        reference = push(htpasswd_registry)
        user.login(htpasswd_registry)
        user.registryauth("setup", "containers", htpasswd_registry.host)
        locked()
        done = skopeo("inspect", "--tls-verify=false", f"docker://{reference}", check=False)
        assert done.returncode == 1
        assert "docker-credential-registryauth: the key file" in done.stderr
        assert "goroutine" not in done.stderr

    def test_leaves_what_an_admin_registered(self, skopeo, htpasswd_registry, user, auth_file):
        host = htpasswd_registry.host
        user.registryauth("principal", "add", host, "--client-id", "svc-pull", "--secret-stdin", stdin=htpasswd_registry.password)
        user.registryauth("setup", "containers", host)
        skopeo("login", "--tls-verify=false", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        skopeo("logout", host)
        assert [record["account"] for record in user.listed()] == ["svc-pull"]


class TestDocker:
    def test_reads_with_a_credential_that_only_our_store_holds(self, docker, htpasswd_registry, push, image, user):
        reference = push(htpasswd_registry)
        refused = docker("manifest", "inspect", "--insecure", reference, check=False)
        assert "no basic auth credentials" in refused.stderr

        user.login(htpasswd_registry)
        user.registryauth("setup", "docker", htpasswd_registry.host)
        assert json.loads(docker("manifest", "inspect", "--insecure", reference).stdout) == json.loads(image.manifest)

    @pytest.mark.parametrize("with_token", [False, True], ids=["password", "identity token"])
    def test_reads_from_a_token_registry(self, docker, token_registry, push, image, user, with_token):
        reference = push(token_registry)
        if with_token:
            token = token_registry.token_server.identity_token("svc-pull")
            user.registryauth("login", token_registry.host, "--identity-token-stdin", "--no-verify", stdin=token)
        else:
            user.login(token_registry)
        user.registryauth("setup", "docker", token_registry.host)
        asked = len(token_registry.token_server.requests)
        assert json.loads(docker("manifest", "inspect", "--insecure", reference).stdout) == json.loads(image.manifest)
        grants = {asked.parameters.get("grant_type", [asked.method])[0] for asked in token_registry.token_server.requests[asked:]}
        assert grants == ({"refresh_token"} if with_token else {"GET"})

    def test_logs_in_and_out_through_us(self, docker, skopeo, htpasswd_registry, push, image, user):
        reference, host = push(htpasswd_registry), htpasswd_registry.host
        user.registryauth("setup", "docker", host)
        docker("login", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        assert user.docker_config() == {"auths": {host: {}}, "credHelpers": {host: "registryauth"}}
        for path in user.home.rglob("*"):
            assert not path.is_file() or htpasswd_registry.password.encode() not in path.read_bytes()

        assert [(r["address"], r["account"]) for r in user.listed()] == [(host, "svc-pull")]
        assert json.loads(user.helper("list").stdout) == {host: "svc-pull"}
        assert user.raw("manifest", "get", reference) == image.manifest
        user.registryauth("setup", "containers", host)
        assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{reference}").stdout.encode() == image.manifest

        docker("logout", host)
        assert user.listed() == []
        assert "auths" not in user.docker_config() or host not in user.docker_config()["auths"]

    def test_logs_out_where_nothing_is_stored(self, docker, skopeo, htpasswd_registry, user, auth_file):
        host = htpasswd_registry.host
        user.registryauth("setup", "docker", host)
        user.registryauth("setup", "containers", host)
        assert docker("logout", host).returncode == 0
        assert "stack" not in skopeo("logout", host, check=False).stderr

    def test_uses_us_as_the_store_of_everything(self, docker, htpasswd_registry, push, image, user):
        (user.home / ".docker").mkdir()
        (user.home / ".docker" / "config.json").write_text('{"credsStore": "registryauth"}')
        reference, host = push(htpasswd_registry), htpasswd_registry.host
        docker("login", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        assert [(r["address"], r["account"]) for r in user.listed()] == [(host, "svc-pull")]
        assert json.loads(docker("manifest", "inspect", "--insecure", reference).stdout) == json.loads(image.manifest)
        docker("logout", host)
        assert user.listed() == []

    def test_a_new_login_takes_the_place_of_the_last(self, docker, htpasswd_registry, user):
        host = htpasswd_registry.host
        user.registryauth("setup", "docker", host)
        user.helper("store", json.dumps({"ServerURL": host, "Username": "somebody", "Secret": "older"}))
        docker("login", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        assert json.loads(user.helper("get", host).stdout)["Username"] == "svc-pull"
        assert [record["account"] for record in user.listed()] == ["svc-pull"]

    def test_neither_overwrites_nor_erases_what_an_admin_registered(self, docker, htpasswd_registry, user):
        host = htpasswd_registry.host
        argv = ["principal", "add", host, "--client-id", "the-principal", "--secret-stdin", "--no-verify"]
        user.registryauth(*argv, stdin="the admin's secret")
        user.registryauth("setup", "docker", host)

        done = docker("login", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        assert "registered by an admin and stays" in done.stderr
        done = docker("logout", host)
        assert "registered by an admin and stays" in done.stderr
        assert json.loads(user.helper("get", host).stdout) == {
            "ServerURL": host,
            "Username": "the-principal",
            "Secret": "the admin's secret",
        }

    def test_shows_why_a_store_that_is_locked_gives_nothing(self, docker, htpasswd_registry, push, user, locked):
        reference, host = push(htpasswd_registry), htpasswd_registry.host
        user.login(htpasswd_registry)
        user.registryauth("setup", "docker", host)
        locked()
        done = docker("manifest", "inspect", "--insecure", reference, check=False)
        assert done.returncode == 1
        assert "docker-credential-registryauth: the key file" in done.stderr
        assert "goroutine" not in done.stderr

        done = docker("login", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password, check=False)
        assert done.returncode == 1
        assert "the key file" in done.stderr
        assert "auths" not in user.docker_config()

    def test_gets_nothing_from_a_record_for_a_path(self, docker, htpasswd_registry, push, user):
        reference, host = push(htpasswd_registry), htpasswd_registry.host
        argv = ["login", f"{host}/team", "--username", "svc-pull", "--password-stdin"]
        user.registryauth(*argv, stdin=htpasswd_registry.password)
        user.registryauth("setup", "docker", host)
        done = docker("manifest", "inspect", "--insecure", reference, check=False)
        assert done.returncode == 1
        assert f"nothing is stored for {host} as a whole" in done.stderr


class TestPodman:
    def test_logs_in_and_out_through_us(self, podman, htpasswd_registry, user, auth_file):
        host = htpasswd_registry.host
        user.registryauth("setup", "containers", host)
        podman("login", "--tls-verify=false", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
        assert htpasswd_registry.password not in auth_file.read_text()
        assert [(r["address"], r["account"]) for r in user.listed()] == [(host, "svc-pull")]
        assert podman("login", "--get-login", host).stdout.strip() == "svc-pull"
        podman("logout", host)
        assert user.listed() == []

    def test_pulls_with_a_credential_that_only_our_store_holds(self, podman, htpasswd_registry, push, image, user):
        reference = push(htpasswd_registry)
        refused = podman("pull", "--tls-verify=false", reference, check=False)
        assert "authentication required" in refused.stderr

        user.login(htpasswd_registry)
        user.registryauth("setup", "containers", htpasswd_registry.host)
        podman("pull", "--tls-verify=false", reference)
        inspected = json.loads(podman("image", "inspect", reference).stdout)[0]
        assert inspected["Digest"] == image.digest


def test_setup_keeps_what_was_there_and_is_taken_back(user, docker, htpasswd_registry):
    before = {"HttpHeaders": {"X-Team": "ours"}, "auths": {"other.example": {"auth": "eDp5"}}, "psFormat": "table"}
    (user.home / ".docker").mkdir()
    (user.home / ".docker" / "config.json").write_text(json.dumps(before))
    host = htpasswd_registry.host
    user.registryauth("setup", "docker", host)
    docker("login", *login_argv(htpasswd_registry), host, stdin=htpasswd_registry.password)
    after = user.docker_config()
    assert {key: after[key] for key in ("HttpHeaders", "psFormat")} == {key: before[key] for key in ("HttpHeaders", "psFormat")}
    assert after["auths"]["other.example"] == {"auth": "eDp5"}
    docker("logout", host)
    user.registryauth("setup", "docker", "--undo")
    assert user.docker_config() == before
