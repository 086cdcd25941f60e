"""`principal verify` against a registry and a token server that we did not write."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.real


@pytest.fixture
def verify(user):
    """The status and the entry for team/model."""

    def verify(server, *options):
        trust = ["--ca-file", server.ca_file] if server.ca_file else []
        done = user.registryauth("principal", "verify", f"{server.host}/team/model", *trust, *options, "-o", "json", check=False)
        [said] = json.loads(done.stdout)["principals"]
        return done.returncode, said

    return verify


def test_with_a_password_that_goes_to_the_registry_reading_is_tried_and_nothing_is_written(htpasswd_registry, push, user, verify):
    push(htpasswd_registry)
    user.login(htpasswd_registry)
    before = len(htpasswd_registry.requests)
    status, said = verify(htpasswd_registry)
    assert (status, said["verdict"], said["granted"]) == (0, "ok", ["pull", "catalog"])
    assert said["unknown"] == ["push", "delete", "metadata_read"]
    assert {line.split(" ")[0] for line in htpasswd_registry.requests[before:]} == {"GET"}


def test_what_a_token_server_grants_is_read_from_its_token_and_the_registry_sees_one_request(token_registry, push, user, verify):
    push(token_registry)
    user.login(token_registry)
    before = len(token_registry.requests)
    status, said = verify(token_registry)
    # This token server grants whatever it is asked for.
    assert (status, said["verdict"], said["unknown"]) == (7, "wider", [])
    assert said["evidence"] == "the token says"
    assert token_registry.requests[before:] == ["GET /v2/"]


@pytest.mark.parametrize("kind", ["htpasswd_registry", "token_registry"])
def test_a_secret_that_is_no_longer_good_is_refused(kind, request, user, verify):
    server = request.getfixturevalue(kind)
    user.login(server, "--no-verify", password="wrong")
    assert verify(server)[0] == 4


def test_an_open_registry_is_unverified(docker_registry, user, verify):
    user.registryauth("login", docker_registry.host, "--username", "me", "--password-stdin", "--no-verify", stdin="anything\n")
    status, said = verify(docker_registry)
    assert (status, said["verdict"]) == (0, "unverified")
