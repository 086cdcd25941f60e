"""Docker's engine: it loads what we pulled, and pulls and pushes with what only our store holds."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from .engine import docker_engine

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def engine(program):
    """Where a docker engine of this module listens."""
    path = program("dockerd")
    if os.geteuid():
        pytest.skip("dockerd runs as root alone")
    # A socket's path is short, and pytest's are not.
    directory = Path(tempfile.mkdtemp(prefix="engine-"))
    try:
        with docker_engine(path, directory) as address:
            yield address
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def docker(user, program, engine):
    """``docker(verb, …)`` at that engine; what images the test left there are removed after it."""
    path = program("docker")
    user.environ["DOCKER_HOST"] = engine
    docker = lambda *argv, **how: user.run(path, *argv, **how)  # noqa: E731 - as the other clients' fixtures give it
    yield docker
    if left := docker("images", "--all", "--quiet", "--no-trunc").stdout.split():
        docker("rmi", "--force", *set(left))


@pytest.fixture
def identity(docker):
    """``identity(name)``: what the engine calls the image, the digest of its configuration."""
    return lambda name: json.loads(docker("image", "inspect", name).stdout)[0]["Id"]


@pytest.fixture
def config_digest(image):
    """The digest of `image`'s configuration."""
    return json.loads(image.manifest)["config"]["digest"]


def test_it_loads_what_we_pulled(docker, identity, docker_registry, push, config_digest, user, tmp_path):
    reference = push(docker_registry)
    user.registryauth("pull", reference, tmp_path / "image.tar", "--as", "docker-archive")

    assert docker("load", "--input", tmp_path / "image.tar").stdout == f"Loaded image: {reference}\n"
    assert identity(reference) == config_digest


def test_what_it_saved_is_pushed_and_comes_back_as_the_same_image(docker, identity, docker_registry, push, config_digest, user, tmp_path):
    docker("pull", push(docker_registry))
    docker("save", "--output", tmp_path / "saved.tar", f"{docker_registry.host}/team/model:v1")
    user.registryauth("push", tmp_path / "saved.tar", f"{docker_registry.host}/team/again:v1")

    docker("pull", f"{docker_registry.host}/team/again:v1")
    assert identity(f"{docker_registry.host}/team/again:v1") == config_digest


def test_it_pulls_with_a_credential_that_only_our_store_holds(docker, identity, htpasswd_registry, push, config_digest, user):
    reference = push(htpasswd_registry)
    assert "no basic auth credentials" in docker("pull", reference, check=False).stderr

    user.login(htpasswd_registry)
    user.registryauth("setup", "docker", htpasswd_registry.host)
    docker("pull", reference)

    assert identity(reference) == config_digest


@pytest.mark.parametrize("with_token", [False, True], ids=["password", "identity token"])
def test_it_pulls_from_a_token_registry(docker, identity, token_registry, push, config_digest, user, with_token):
    reference = push(token_registry)
    if with_token:
        token = token_registry.token_server.identity_token("svc-pull")
        user.registryauth("login", token_registry.host, "--identity-token-stdin", "--no-verify", stdin=token)
    else:
        user.login(token_registry)
    user.registryauth("setup", "docker", token_registry.host)
    docker("pull", reference)

    assert identity(reference) == config_digest


def test_it_pushes_with_it(docker, docker_registry, htpasswd_registry, push, config_digest, user):
    docker("pull", push(docker_registry))
    target = f"{htpasswd_registry.host}/team/from-docker:v1"
    docker("tag", f"{docker_registry.host}/team/model:v1", target)
    user.login(htpasswd_registry)
    user.registryauth("setup", "docker", htpasswd_registry.host)
    docker("push", target)

    assert json.loads(user.raw("manifest", "get", target))["config"]["digest"] == config_digest


def test_it_logs_in_and_out_through_us(docker, htpasswd_registry, push, user):
    reference, host = push(htpasswd_registry), htpasswd_registry.host
    user.registryauth("setup", "docker", host)
    docker("login", host, "--username", htpasswd_registry.username, "--password-stdin", stdin=htpasswd_registry.password)
    assert [(record["address"], record["account"]) for record in user.listed()] == [(host, "svc-pull")]
    docker("pull", reference)

    docker("logout", host)
    assert user.listed() == []
    assert "no basic auth credentials" in docker("pull", reference, check=False).stderr


def test_a_password_that_the_registry_refuses_is_not_kept(docker, htpasswd_registry, user):
    host = htpasswd_registry.host
    user.registryauth("setup", "docker", host)
    done = docker("login", host, "--username", htpasswd_registry.username, "--password-stdin", stdin="wrong", check=False)

    assert done.returncode == 1
    assert user.listed() == []


def test_it_pulls_with_the_file_that_resolve_exports(docker, identity, htpasswd_registry, push, config_digest, user):
    reference = push(htpasswd_registry)
    user.login(htpasswd_registry)
    exported = user.registryauth("resolve", reference, "--format", "docker-config").stdout
    target = user.home / "exported"
    target.mkdir()
    (target / "config.json").write_text(exported)

    docker("--config", target, "pull", reference)
    assert identity(reference) == config_digest
