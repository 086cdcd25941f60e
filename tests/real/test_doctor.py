"""The doctor at registries that we did not write: nothing found where all is well, and the right link where one is broken."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.real

KINDS = ["htpasswd_registry", "token_registry"]


@pytest.fixture
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def reference(server, push):
    return push(server)


@pytest.fixture
def doctor(server, user):
    """``doctor(reference, …)``: exit status, and outcomes by step."""

    def doctor(reference, *options):
        trusted = ["--ca-file", str(server.ca_file)] if server.ca_file else []
        done = user.registryauth("doctor", reference, "-o", "json", *trusted, *options, check=False)
        assert server.password not in done.stdout + done.stderr
        said = json.loads(done.stdout)
        return done.returncode, said["broken"], {each["step"]: each for each in said["steps"]}

    return doctor


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_a_sound_pull_has_no_broken_link(server, reference, user, doctor):
    user.login(server, "--repository", "team/model")
    status, broken, steps = doctor(reference)
    assert (status, broken) == (0, None), steps
    assert {each["outcome"] for each in steps.values()} == {"ok"}
    assert steps["layer"]["facts"]["size"] > 0
    if server.ca_file:
        assert steps["tls"]["facts"]["authorities"] == [str(server.ca_file)]
        assert steps["scope"]["facts"]["granted"] == ["pull"]


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_a_wrong_password_is_the_tokens_link(server, reference, user, doctor):
    user.login(server, "--no-verify", password="wrong-secret-5c1")
    status, broken, steps = doctor(reference)
    assert (status, broken) == (7, "token")
    assert steps["manifest"]["outcome"] == "skipped"


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_no_login_is_the_tokens_link_with_the_login_as_the_next_step(server, reference, doctor):
    status, broken, steps = doctor(reference)
    assert (status, broken) == (7, "token")
    assert "registryauth login" in steps["token"]["hint"]


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_a_tag_that_is_not_there_is_the_manifests_link(server, reference, user, doctor):
    user.login(server, "--repository", "team/model")
    assert doctor(reference.replace(":v1", ":v9"))[:2] == (7, "manifest")


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_another_platform_is_the_last_link(server, reference, user, doctor):
    user.login(server, "--repository", "team/model")
    status, broken, steps = doctor(reference, "--platform", "windows/arm64")
    assert (status, broken) == (7, "platform")
    assert steps["platform"]["facts"]["there"]


@pytest.mark.parametrize("server", ["token_registry"], indirect=True)
def test_an_authority_that_is_not_named_is_the_links_of_tls(server, reference, user):
    user.login(server, "--repository", "team/model")
    done = user.registryauth("doctor", reference, "-o", "json", check=False)
    said = json.loads(done.stdout)
    assert (done.returncode, said["broken"]) == (7, "tls")
    assert "--ca-file" in next(each["hint"] for each in said["steps"] if each["step"] == "tls")
