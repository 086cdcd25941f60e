from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import SourceFailed
from registryauth.reference import Repository
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.docker_config import DockerConfig, docker_config_file
from registryauth.resolver.helper import ACTIVE

CANARY = "canary-7f3a"


@pytest.fixture
def config(home, write_json):
    return lambda content: write_json(home / ".docker/config.json", content)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def ask(environ, asked):
    """Ask the source; helpers are played by a table from (name, server) to credential, None or error."""

    def ask(repository: str = "host.example/team/app", **table):
        def play(name, server, _):
            asked.append((name, server))
            said = table.get(name)
            if isinstance(said, Exception):
                raise said
            return said

        return DockerConfig(environ, ask=play).ask(Repository.parse(repository))

    return ask


def test_without_a_file_the_answer_is_absent_and_says_where_was_looked(ask, home):
    assert ask() == Absent("docker config", f"no {home}/.docker/config.json")


def test_an_entry_is_found_and_its_secret_is_not_in_the_answer(ask, config, basic):
    path = config({"auths": {"https://host.example/v2/": basic("me")}})
    answer = ask()
    assert isinstance(answer, Found)
    assert answer.detail == f"{path}, entry for host.example, account me"
    pinned = answer.fetch()
    assert pinned.credential == Basic("me", CANARY)
    assert pinned.realms == ()
    assert CANARY not in repr(answer) + repr(pinned)


def test_the_identity_changes_with_the_secret_and_not_with_the_asking(ask, config, basic):
    config({"auths": {"host.example": basic("me", "one")}})
    first, again = ask().fetch().identity, ask("host.example/other").fetch().identity
    config({"auths": {"host.example": basic("me", "two")}})
    assert first == again != ask().fetch().identity


def test_docker_config_names_another_directory(ask, environ, tmp_path, write_json, config, basic):
    config({"auths": {"host.example": basic("home")}})
    environ["DOCKER_CONFIG"] = str(tmp_path / "dc")
    write_json(tmp_path / "dc/config.json", {"auths": {"host.example": basic("other")}})
    assert docker_config_file(environ) == f"{tmp_path}/dc/config.json"
    assert ask().fetch().credential.username == "other"


def test_the_registrys_helper_comes_before_the_store_and_that_before_entries(ask, asked, config, basic):
    content = {"auths": {"host.example": basic("file")}, "credsStore": "all", "credHelpers": {"host.example": "one", "x.example": "two"}}
    config(content)
    assert ask(one=IdentityToken("t")).fetch().credential == IdentityToken("t")
    assert isinstance(ask("other.example/a/b", all=None), Absent)
    del content["credHelpers"], content["credsStore"]
    config(content)
    assert ask().fetch().credential.username == "file"
    assert asked == [("one", "host.example"), ("all", "other.example")]


def test_a_leftover_under_auths_is_not_used_beside_a_helper_as_docker_does_not_use_it(ask, config, basic):
    config({"auths": {"host.example": basic("stale")}, "credsStore": "all"})
    answer = ask(all=None)
    assert isinstance(answer, Absent)
    assert "the helper all, which has nothing for host.example" in answer.detail


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_docker_hub_is_asked_for_under_the_key_that_docker_gives_it(ask, asked, config, key):
    config({"credHelpers": {key: "hub"}})
    ask("ubuntu")
    assert asked == [("hub", "https://index.docker.io/v1/")]


def test_the_tokens_of_docker_hubs_web_login_are_nobodys_credential(ask, config, basic):
    config({"auths": {"https://index.docker.io/v1/access-token": basic("a"), "https://index.docker.io/v1/refresh-token": basic("b")}})
    assert isinstance(ask("docker.io/v1/access-token"), Absent)
    assert isinstance(ask("ubuntu"), Absent)


def test_a_marker_without_a_secret_is_absent(ask, config):
    config({"auths": {"host.example": {}}})
    assert "empty marker" in ask().detail


def test_a_helper_that_is_broken_is_broken(ask, config):
    config({"credHelpers": {"host.example": "bad"}})
    with pytest.raises(SourceFailed, match="it broke"):
        ask(bad=SourceFailed("it broke"))


def test_with_a_broken_helper_no_other_registrys_credential_is_offered(ask, config, basic):
    # CVE-2021-41092: docker sent a private registry's credential to Docker Hub when a helper was missing.
    config({"auths": {"private.example": basic("me")}, "credHelpers": {"private.example": "gone"}, "credsStore": "gone-too"})
    for repository in ("ubuntu", "private.example/a", "evil.example/a"):
        with pytest.raises(SourceFailed):
            ask(repository, **{"gone": SourceFailed("gone"), "gone-too": SourceFailed("gone")})
    config({"auths": {"private.example": basic("me")}, "credHelpers": {"private.example": "gone"}})
    assert isinstance(ask("ubuntu"), Absent)
    assert isinstance(ask("evil.example/private.example"), Absent)
    assert isinstance(ask("private.example.evil.example/a"), Absent)


@pytest.mark.parametrize("content", [{"credsStore": "registryauth"}, {"credHelpers": {"host.example": "registryauth"}}])
def test_our_own_helper_is_not_asked(environ, config, helper, content):
    log = helper("registryauth", "sys.exit(1)")
    config(content)
    answer = DockerConfig(environ).ask(Repository.parse("host.example/a"))
    assert isinstance(answer, Absent)
    assert "our own" in answer.detail
    assert not log.exists()


def test_no_helper_is_asked_by_a_child_of_ours(environ, config, helper):
    log = helper("team", "print('{}')")
    config({"credsStore": "team"})
    source = DockerConfig(environ | {ACTIVE: "1"})
    assert isinstance(source.ask(Repository.parse("host.example/a")), Absent)
    assert not log.exists()


def test_a_helper_is_really_run(environ, config, helper):
    helper("team", "print(json.dumps({'Username': 'me', 'Secret': line}))")
    config({"credHelpers": {"host.example:5000": "team"}})
    answer = DockerConfig(environ).ask(Repository.parse("host.example:5000/a"))
    assert answer.fetch().credential == Basic("me", "host.example:5000")
    assert "the helper team" in answer.detail


HOSTILE = [
    b"{",
    b"not json " + CANARY.encode(),
    b'\xef\xbb\xbf{"auths": {}}',
    b"\xff\xfe" + CANARY.encode("utf-16-le"),
    b"[" * 100_000,
    b" " * (4 * 1024 * 1024) + b"{}",
    b"\0" * 100,
    b'["' + CANARY.encode() + b'"]',
    b'"' + CANARY.encode() + b'"',
    {"auths": [CANARY]},
    {"auths": {"host.example": CANARY}},
    {"auths": {"host.example": {"auth": CANARY}}},
    {"credHelpers": CANARY},
    {"credHelpers": {"host.example": [CANARY]}},
    {"credsStore": {"x": CANARY}},
    {"credsStore": f"../{CANARY}"},
    {"credHelpers": {"host.example": f"{CANARY};ls"}},
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_broken_not_quoted_and_not_touched(environ, config, content):
    path = Path(config(content))
    before = path.read_bytes()
    with pytest.raises(SourceFailed) as caught:
        DockerConfig(environ).ask(Repository.parse("host.example/a"))
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b" \n", b"{}", b'{"auths": null, "credHelpers": null, "credsStore": null}', b'{"auths": {}}'])
def test_an_empty_file_is_absent(ask, config, content):
    config(content)
    assert isinstance(ask(), Absent)


def test_what_is_no_file_is_broken_and_does_not_hold_us(ask, home):
    (home / ".docker").mkdir()
    os.mkfifo(home / ".docker/config.json")
    with pytest.raises(SourceFailed, match="is not a file"):
        ask()
    os.unlink(home / ".docker/config.json")
    (home / ".docker/config.json").mkdir()
    with pytest.raises(SourceFailed, match="is not a file"):
        ask()


def test_a_file_that_leads_to_dev_null_is_empty(ask, home):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").symlink_to(os.devnull)
    assert isinstance(ask(), Absent)


def test_a_link_to_itself_is_broken(ask, home):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").symlink_to("config.json")
    with pytest.raises(SourceFailed, match="cannot be read"):
        ask()
