"""``credential-helpers`` of registries.conf, as podman, buildah and skopeo read it."""

from __future__ import annotations

import os

import pytest

from registryauth.credentials import Basic
from registryauth.errors import SourceFailed
from registryauth.reference import Repository
from registryauth.resolver.answer import Absent
from registryauth.resolver.containers_auth import ContainersAuth
from registryauth.resolver.registries_conf import MAX_FILE, MAX_FILES, RegistriesConf

from .conftest import CANARY

FILES = "containers-auth.json"


@pytest.fixture
def system(tmp_path):
    return tmp_path / "etc"


@pytest.fixture
def put(home, system):
    """``put(name, helpers)``: a file of the system's, with ``~/`` in front of the user's; *helpers* may be the text itself."""

    def put(name, helpers):
        path = home / ".config/containers" / name[2:] if name.startswith("~/") else system / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(helpers if isinstance(helpers, str) else f"credential-helpers = {helpers!r}\n")
        return str(path)

    return put


@pytest.fixture
def helpers(environ, system):
    return lambda: RegistriesConf(environ, str(system)).helpers()


@pytest.fixture
def ask(environ, system):
    def ask(repository="host.example:5000/team/app", **helpers):
        def helper(name, server, _):
            answer = helpers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer and Basic(answer, server)

        return ContainersAuth(environ, ask=helper, system=str(system)).ask(Repository.parse(repository))

    return ask


def test_without_a_word_of_it_the_files_are_asked(helpers, put):
    assert helpers() == ((FILES,), "")
    put("registries.conf", 'unqualified-search-registries = ["example.com"]\n[[registry]]\nlocation = "x.example"\n')
    put("registries.conf.d/shortnames.conf", '[aliases]\n"a" = "x.example/a"\n')
    assert helpers() == ((FILES,), "")


def test_files_override_each_other_in_their_order(helpers, put):
    put("registries.conf", ["main"])
    put("registries.conf.d/10.conf", ["ten"])
    last = put("registries.conf.d/20.conf", ["twenty", FILES])
    put("registries.conf.d/30.ignored", ["thirty"])
    put("registries.conf.d/40.conf/inner.conf", ["forty"])
    assert helpers() == (("twenty", FILES), last)
    users = put("~/registries.conf.d/01.conf", ["users"])
    assert helpers() == (("users",), users)


def test_who_has_a_file_of_their_own_has_none_of_the_systems(helpers, put):
    put("registries.conf", ["main"])
    put("registries.conf.d/10.conf", ["ten"])
    own = put("~/registries.conf", ["own"])
    assert helpers() == (("own",), own)
    drop_in = put("~/registries.conf.d/1.conf", ["dropped"])
    assert helpers() == (("dropped",), drop_in)


def test_a_variable_names_another_main_file(helpers, put, environ, tmp_path):
    put("registries.conf", ["main"])
    put("~/registries.conf", ["own"])
    environ["CONTAINERS_REGISTRIES_CONF"] = str(tmp_path / "named.conf")
    (tmp_path / "named.conf").write_text('credential-helpers = ["named"]')
    assert helpers()[0] == ("named",)
    put("registries.conf.d/10.conf", ["ten"])
    assert helpers()[0] == ("ten",)


def test_an_empty_list_is_the_default_again(helpers, put):
    put("registries.conf", ["main"])
    put("registries.conf.d/empty.conf", [])
    assert helpers()[0] == (FILES,)


def test_a_change_counts_at_once(environ, system, put):
    conf = RegistriesConf(environ, str(system))
    assert conf.helpers()[0] == (FILES,)
    put("registries.conf", ["one"])
    assert conf.helpers()[0] == ("one",)
    put("registries.conf", ["another"])
    assert conf.helpers()[0] == ("another",)
    os.unlink(system / "registries.conf")
    assert conf.helpers()[0] == (FILES,)


def test_hundreds_of_questions_read_it_once(environ, system, put, monkeypatch):
    put("registries.conf", ["one"])
    conf = RegistriesConf(environ, str(system))
    conf.helpers()
    monkeypatch.setattr("registryauth.resolver.registries_conf.read_file", None)
    assert conf.helpers()[0] == ("one",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("credential-helpers = [", "is not TOML"),
        ('credential-helpers = "one"', "no list of names"),
        ("credential-helpers = [1]", "no list of names"),
        (f"credential-helpers = {['x'] * 21!r}", "more than the 20 helpers"),
        ("#" * (MAX_FILE + 1), "is larger than"),
        ("a = " + "[" * 100_000, "is not TOML"),
        ("a = " + "9" * 5000, "is not TOML"),
    ],
)
def test_what_podman_could_not_read_is_broken_and_named(ask, put, content, said):
    path = put("registries.conf", content)
    with pytest.raises(SourceFailed, match=said) as caught:
        ask()
    assert caught.value.message.startswith(path)
    assert caught.value.hint


def test_no_more_files_are_read_than_a_directory_may_have(ask, put):
    for number in range(MAX_FILES + 1):
        put(f"registries.conf.d/{number}.conf", "")
    with pytest.raises(SourceFailed, match="more than the 200 files"):
        ask()


def test_what_is_no_text_is_broken(ask, system):
    system.mkdir()
    (system / "registries.conf").write_bytes(b"\xff")
    with pytest.raises(SourceFailed, match="is not UTF-8"):
        ask()


def test_a_helper_is_asked_for_the_host_in_its_turn(ask, put, home, write_json, basic):
    write_json(home / ".config/containers/auth.json", {"auths": {"host.example:5000/team": basic("file")}})
    path = put("registries.conf", ["first", FILES, "last"])
    answer = ask(first="me", last="no")
    assert answer.fetch().credential == Basic("me", "host.example:5000")
    assert f"the helper first, named in {path}" in answer.detail
    assert ask(last="no").fetch().credential == Basic("file", CANARY)
    assert ask("host.example:5000/other", last="me").fetch().credential == Basic("me", "host.example:5000")
    assert ask("ubuntu", first="hub").fetch().credential == Basic("hub", "docker.io")


def test_without_the_files_among_them_auth_json_is_not_read(ask, put, home, write_json, basic):
    write_json(home / ".config/containers/auth.json", {"auths": {"host.example:5000": basic("file")}})
    path = put("registries.conf", ["one"])
    answer = ask()
    assert isinstance(answer, Absent)
    assert answer.detail == f"{path} names the helper one, which has nothing for host.example:5000; {path} leaves auth.json out"


def test_a_broken_helper_is_not_passed_over(ask, put):
    put("registries.conf", ["one", "two"])
    with pytest.raises(SourceFailed, match="it hangs"):
        ask(one=SourceFailed("it hangs"), two="me")


def test_our_own_helper_is_not_asked(environ, system, put, helper):
    log = helper("registryauth", "sys.exit(1)")
    put("registries.conf", ["registryauth"])
    answer = ContainersAuth(environ, system=str(system)).ask(Repository.parse("host.example/a"))
    assert "our own" in answer.detail
    assert not log.exists()
