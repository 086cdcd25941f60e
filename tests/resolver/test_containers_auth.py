from __future__ import annotations

import os

import pytest

from registryauth.credentials import Basic
from registryauth.errors import SourceFailed
from registryauth.reference import Repository
from registryauth.resolver.answer import Absent
from registryauth.resolver.containers_auth import ContainersAuth, lasting_file, runtime_file
from registryauth.resolver.docker_config import DockerConfig


@pytest.fixture
def runtime(tmp_path, write_json):
    return lambda content: write_json(tmp_path / "run/containers/auth.json", content)


@pytest.fixture
def lasting(home, write_json):
    return lambda content: write_json(home / ".config/containers/auth.json", content)


@pytest.fixture
def ask(environ):
    def ask(repository: str = "host.example/team/app", helper=lambda name, server, _: Basic(name, server)):
        return ContainersAuth(environ, ask=helper).ask(Repository.parse(repository))

    return ask


def username(answer):
    return answer.fetch().credential.username


def test_without_any_file_the_answer_is_absent(ask, home, tmp_path):
    assert ask() == Absent("containers auth", f"no {tmp_path}/run/containers/auth.json; no {home}/.config/containers/auth.json")


def test_the_runtime_file_comes_before_the_lasting_one(ask, runtime, lasting, basic):
    lasting({"auths": {"host.example": basic("lasting")}})
    assert username(ask()) == "lasting"
    runtime({"auths": {"host.example": basic("runtime")}})
    assert username(ask()) == "runtime"


def test_a_less_specific_entry_in_the_first_file_wins_over_a_more_specific_one_in_the_second(ask, runtime, lasting, basic):
    runtime({"auths": {"host.example": basic("runtime")}})
    lasting({"auths": {"host.example/team": basic("lasting")}})
    assert username(ask()) == "runtime"


def test_registry_auth_file_is_the_only_file(ask, environ, runtime, lasting, basic, tmp_path, write_json):
    runtime({"auths": {"host.example": basic("runtime")}})
    environ["REGISTRY_AUTH_FILE"] = str(tmp_path / "mine.json")
    assert ask() == Absent("containers auth", f"no {tmp_path}/mine.json")
    write_json(tmp_path / "mine.json", {"auths": {"host.example/team": basic("mine")}})
    assert username(ask()) == "mine"
    environ["REGISTRY_AUTH_FILE"] = os.devnull
    assert isinstance(ask(), Absent)


def test_a_namespace_is_matched_by_whole_segments(ask, lasting, basic):
    lasting({"auths": {"host.example/team": basic("team"), "host.example/team/ap": basic("wrong")}})
    assert username(ask()) == "team"
    assert isinstance(ask("host.example/teams/app"), Absent)


def test_a_helper_is_asked_by_host_before_the_entries(ask, lasting, basic):
    lasting({"credHelpers": {"host.example": "one"}, "auths": {"host.example/team": basic("file")}})
    assert ask().fetch().credential == Basic("one", "host.example")


def test_a_helper_that_has_nothing_leaves_the_question_to_the_next_file(ask, runtime, lasting, basic):
    runtime({"credHelpers": {"host.example": "one"}})
    lasting({"auths": {"host.example": basic("lasting")}})
    assert username(ask(helper=lambda *_: None)) == "lasting"


def test_docker_hub_is_asked_for_as_docker_io(ask, lasting):
    lasting({"credHelpers": {"docker.io": "hub"}})
    assert ask("ubuntu").fetch().credential == Basic("hub", "docker.io")


def test_creds_store_is_dockers_word_and_means_nothing_here(ask, lasting):
    lasting({"credsStore": "all"})
    assert isinstance(ask(), Absent)


def test_our_own_helper_is_not_asked(environ, lasting, helper):
    log = helper("registryauth", "sys.exit(1)")
    lasting({"credHelpers": {"host.example": "registryauth"}})
    assert "our own" in ContainersAuth(environ).ask(Repository.parse("host.example/a")).detail
    assert not log.exists()


def test_a_broken_first_file_is_not_passed_over(ask, runtime, lasting, basic):
    runtime(b"{")
    lasting({"auths": {"host.example": basic("lasting")}})
    with pytest.raises(SourceFailed, match="is not JSON"):
        ask()


def test_where_the_files_are():
    assert runtime_file({}) == f"/run/containers/{os.getuid()}/auth.json"
    assert runtime_file({"XDG_RUNTIME_DIR": "/r"}) == "/r/containers/auth.json"
    assert lasting_file({"HOME": "/h"}) == "/h/.config/containers/auth.json"
    assert lasting_file({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}) == "/x/containers/auth.json"


def test_docker_hubs_plain_name_is_podmans_here_and_dockers_there(ask, lasting, basic, environ, home, write_json):
    auths = {"https://index.docker.io/v1/": basic("docker"), "docker.io": basic("podman"), "index.docker.io": basic("neither")}
    lasting({"auths": auths})
    assert username(ask("ubuntu")) == "podman"
    write_json(home / ".docker/config.json", {"auths": auths})
    assert username(DockerConfig(environ).ask(Repository.parse("docker.io/library/ubuntu"))) == "docker"


def test_a_namespace_on_docker_hub_comes_before_the_registry(ask, lasting, basic):
    lasting({"auths": {"docker.io/team": basic("team"), "docker.io": basic("hub"), "docker.io/library/ubuntu": basic("one")}})
    assert [username(ask(name)) for name in ("docker.io/team/app", "ubuntu", "debian")] == ["team", "one", "hub"]


def test_a_marker_for_the_namespace_leaves_the_question_to_the_next_file(ask, runtime, lasting, basic):
    """containers/image takes the first key that is there, looks no further in that file, and goes on where it is empty."""
    runtime({"auths": {"host.example/team": {}, "host.example": basic("runtime")}})
    lasting({"auths": {"host.example": basic("lasting")}})
    assert username(ask()) == "lasting"
    assert username(ask("host.example/other")) == "runtime"
