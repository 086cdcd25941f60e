"""The main job on real input: log in, keep, resolve, fetch, against registries that we did not write."""

from __future__ import annotations

import hashlib
import json

import pytest

from .images import digest_of, make_index

pytestmark = pytest.mark.real

KINDS = ["docker_registry", "htpasswd_registry", "token_registry"]
PRIVATE = ["htpasswd_registry", "token_registry"]


@pytest.fixture
def server(request):
    """The registry that a test is parametrized with; the open one takes any account."""
    server = request.getfixturevalue(request.param)
    server.username = server.username or "anybody"
    server.password = server.password or "anything"
    return server


@pytest.fixture
def reference(server, push):
    """The image, pushed there by skopeo."""
    return push(server)


@pytest.fixture
def trusted(server):
    """What our fetching commands need to trust *server*."""
    return ["--ca-file", str(server.ca_file)] if server.ca_file else []


def skopeo_raw(user, program, server, reference):
    login = ["--creds", f"{server.username}:{server.password}"]
    argv = [program("skopeo"), "inspect", "--raw", "--tls-verify=false", *login, f"docker://{reference}"]
    return user.run(*argv).stdout.encode()


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_the_road_from_login_to_verified_content(server, reference, image, trusted, user, program, tmp_path):
    repository = reference.rpartition(":")[0]
    user.login(server, "--repository", "team/model")

    resolved = json.loads(user.registryauth("resolve", reference, "--output", "json").stdout)["pull_secrets"][0]
    assert (resolved["source"], resolved["credential"]["username"]) == ("store", server.username)

    manifest = user.raw("manifest", "get", reference, *trusted)
    assert manifest == skopeo_raw(user, program, server, reference) == image.manifest
    assert user.raw("manifest", "get", f"{repository}@{image.digest}", *trusted) == manifest

    head = json.loads(user.registryauth("manifest", "head", reference, "-o", "json", *trusted).stdout)["manifest"]
    assert (head["digest"], head["size"]) == (image.digest, len(manifest))

    for blob in (image.config, *image.layers):
        assert user.raw("blob", "get", f"{repository}@{digest_of(blob)}", *trusted) == blob
    user.registryauth("blob", "get", f"{repository}@{digest_of(image.layers[1])}", "--output-file", tmp_path / "layer", *trusted)
    assert f"sha256:{hashlib.sha256((tmp_path / 'layer').read_bytes()).hexdigest()}" == digest_of(image.layers[1])

    user.registryauth("logout", server.host)
    assert user.listed() == []
    assert server.password not in "".join(path.read_text(errors="replace") for path in user.home.rglob("*") if path.is_file())


@pytest.mark.parametrize("server", PRIVATE, indirect=True)
def test_a_private_registry_stays_closed_after_the_logout(server, reference, trusted, user):
    user.login(server)
    user.registryauth("logout", server.host)
    assert user.registryauth("resolve", reference, check=False).returncode == 3
    done = user.registryauth("manifest", "get", reference, *trusted, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert f"store: absent: no entry for {server.host}" in done.stderr


@pytest.mark.parametrize("server", PRIVATE, indirect=True)
def test_a_login_is_verified_and_says_so(server, user):
    assert f"Stored svc-pull for {server.host}: verified" in user.login(server).stderr
    assert user.listed()[0]["verified_at"]


@pytest.mark.parametrize("server", ["docker_registry"], indirect=True)
def test_a_login_that_the_registry_did_not_look_at_is_stored_as_unverified(server, user):
    assert f"Stored anybody for {server.host}: unverified; {server.host} answers without a credential" in user.login(server).stderr
    assert user.listed()[0]["verified_at"] is None


@pytest.mark.parametrize("server", PRIVATE, indirect=True)
def test_the_secret_rests_encrypted(server, user):
    user.login(server)
    for path in user.home.rglob("*"):
        assert not path.is_file() or server.password.encode() not in path.read_bytes()


def test_a_wrong_password_is_one_attempt_at_a_basic_registry(htpasswd_registry, user):
    done = user.login(htpasswd_registry, password="wrong", check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert "the registry refused the credential" in done.stderr
    assert "svc-pull" in done.stderr
    assert user.listed() == []
    assert htpasswd_registry.log.read_text().count("error authenticating user") == 1


def test_a_wrong_password_is_one_attempt_at_a_token_server(token_registry, user):
    done = user.login(token_registry, password="wrong", check=False)
    assert done.returncode == 4
    assert "refused the credential" in done.stderr
    assert "incorrect username or password" in done.stderr
    assert user.listed() == []
    assert len(token_registry.token_server.requests) == 1


def test_a_wrong_password_leaves_the_right_one_in_place(htpasswd_registry, push, user):
    user.login(htpasswd_registry)
    user.login(htpasswd_registry, password="wrong", check=False)
    user.registryauth("manifest", "get", push(htpasswd_registry))


def test_a_password_that_stopped_working_is_refused_after_one_attempt(htpasswd_registry, push, user):
    user.login(htpasswd_registry, "--no-verify", password="revoked")
    done = user.registryauth("manifest", "get", push(htpasswd_registry), check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert "svc-pull" in done.stderr
    assert htpasswd_registry.log.read_text().count("error authenticating user") == 1


def test_a_token_server_elsewhere_gets_no_secret_until_it_is_named(token_registry, user):
    argv = ["login", token_registry.host, "-u", token_registry.username, "--password-stdin", "--ca-file", token_registry.ca_file]
    done = user.registryauth(*argv, stdin=token_registry.password, check=False)
    assert done.returncode == 4
    assert f"log in again with --realm {token_registry.realm}" in done.stderr
    assert token_registry.token_server.requests == []
    assert user.listed() == []


def test_the_token_server_named_at_login_is_the_only_one_that_gets_the_secret(token_registry, push, user):
    reference = push(token_registry)
    asked = len(token_registry.token_server.requests)
    elsewhere = "https://127.0.0.1:9/token"
    user.login(token_registry, "--no-verify", "--realm", elsewhere)
    done = user.registryauth("manifest", "get", reference, "--ca-file", token_registry.ca_file, check=False)
    assert done.returncode == 4
    assert "which it was not registered for" in done.stderr
    assert len(token_registry.token_server.requests) == asked


def test_an_authority_that_nobody_named_is_not_trusted(token_registry, user):
    argv = ["login", token_registry.host, "-u", token_registry.username, "--password-stdin", "--realm", token_registry.realm]
    done = user.registryauth(*argv, stdin=token_registry.password, check=False)
    assert done.returncode == 6
    assert "--ca-file" in done.stderr
    assert token_registry.requests == []


def test_an_identity_token_logs_in(token_registry, push, user):
    token = token_registry.token_server.identity_token("svc-pull")
    argv = ["login", token_registry.host, "--identity-token-stdin", "--ca-file", token_registry.ca_file, "--realm", token_registry.realm]
    user.registryauth(*argv, "--repository", "team/model", stdin=token)
    reference = push(token_registry)
    assert user.raw("manifest", "get", reference, "--ca-file", str(token_registry.ca_file))
    assert token_registry.token_server.requests[-1].parameters["grant_type"] == ["refresh_token"]
    assert token not in user.registryauth("list", "-o", "json").stdout


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_an_index_is_followed_to_a_platform(server, trusted, user, program, tmp_path):
    index = make_index(tmp_path / "index", {"linux/amd64": b"for amd64", "linux/arm64": b"for arm64"})
    reference = f"{server.host}/team/multi:v1"
    login = ["--dest-creds", f"{server.username}:{server.password}"]
    skopeo = [program("skopeo"), "--insecure-policy", "copy", "--all", "--dest-tls-verify=false", *login]
    user.run(*skopeo, index.layout, f"docker://{reference}")
    user.login(server)

    raw = user.raw("manifest", "get", reference, *trusted)
    assert raw == skopeo_raw(user, program, server, reference)
    assert {f"{m['platform']['os']}/{m['platform']['architecture']}" for m in json.loads(raw)["manifests"]} == set(index.manifests)
    for platform, manifest in index.manifests.items():
        assert user.raw("manifest", "get", reference, "--platform", platform, *trusted) == manifest

    done = user.registryauth("manifest", "get", reference, "--platform", "linux/s390x", *trusted, check=False)
    assert done.returncode == 3
    assert "linux/s390x" in done.stderr


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_what_is_not_there_is_not_found(server, reference, trusted, user):
    user.login(server)
    for absent in (reference.replace(":v1", ":v2"), reference.replace("team/model", "team/other")):
        done = user.registryauth("manifest", "get", absent, *trusted, check=False)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr


def test_nobody_at_home_is_a_network_error(docker_registry, user):
    nowhere = "127.0.0.1:9"
    done = user.registryauth("login", nowhere, "-u", "x", "--password-stdin", stdin="y", check=False)
    assert done.returncode == 6
    assert nowhere in done.stderr
    assert user.listed() == []
