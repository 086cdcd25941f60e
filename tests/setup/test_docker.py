from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registryauth.errors import ConfigurationError
from registryauth.reference import Address
from registryauth.setup import apply, docker

CANARY = "canary-7f3a"


def addresses(*texts):
    return [Address.parse(text) for text in texts]


@pytest.fixture
def config(home):
    return home / ".docker/config.json"


def test_in_an_empty_home_the_file_is_made_as_docker_makes_it(environ, config):
    change = docker.plan(addresses("host.example:5000"), environ)
    assert (change.path, change.before, change.needed, change.warnings) == (str(config), None, True, ())
    assert not config.parent.exists()
    apply(change)
    assert config.read_text() == '{\n\t"credHelpers": {\n\t\t"host.example:5000": "registryauth"\n\t}\n}\n'
    assert (config.stat().st_mode & 0o777, config.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_is_there_stays_in_its_order(environ, config, write):
    before = {
        "zeta": [1, 2.5, None, True, "ü\u2028", {"a": {}}],
        "auths": {"other.example": {"auth": "x"}},
        "credHelpers": {"b.example": "pass", "a.example": "registryauth"},
        "HttpHeaders": {"User-Agent": "<x>"},
    }
    write(config, before)
    apply(docker.plan(addresses("host.example"), environ))
    after = json.loads(config.read_bytes())
    assert list(after) == list(before)
    assert list(after["credHelpers"].items()) == [*before["credHelpers"].items(), ("host.example", "registryauth")]
    assert {key: value for key, value in after.items() if key != "credHelpers"} == {k: v for k, v in before.items() if k != "credHelpers"}


def test_but_for_the_new_lines_the_file_is_the_same_byte_for_byte(environ, config, write):
    write(config, b'{\n\t"auths": {\n\t\t"x": {}\n\t},\n\t"psFormat": "\xc3\xbc"\n}')
    apply(docker.plan(addresses("host.example"), environ))
    added = b',\n\t"credHelpers": {\n\t\t"host.example": "registryauth"\n\t}\n}'
    assert config.read_bytes() == b'{\n\t"auths": {\n\t\t"x": {}\n\t},\n\t"psFormat": "\xc3\xbc"' + added


def test_the_users_own_indentation_stays(environ, config, write):
    write(config, b'{\n  "a": 1\n}\n')
    apply(docker.plan(addresses("host.example"), environ))
    assert config.read_bytes() == b'{\n  "a": 1,\n  "credHelpers": {\n    "host.example": "registryauth"\n  }\n}\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"{}", b'{\n\t"credHelpers": {\n\t\t"host.example": "registryauth"\n\t}\n}'),
        (b'{"a":1e999,"b":0.10}', b'{"a":1e999,"b":0.10,"credHelpers":{"host.example": "registryauth"}}'),
        (
            b'{"a": [1,  2],\n "b": "\\u00fc\\/"}\n',
            b'{"a": [1,  2],\n "b": "\\u00fc\\/",\n "credHelpers": {"host.example": "registryauth"}}\n',
        ),
        (
            b'{"credHelpers" : {"b.example" : "pass"} , "x": 1}',
            b'{"credHelpers" : {"b.example" : "pass", "host.example" : "registryauth"} , "x": 1}',
        ),
        (
            b'{\r\n  "a": 1\r\n}\r\n',
            b'{\r\n  "a": 1,\r\n  "credHelpers": {\r\n    "host.example": "registryauth"\r\n  }\r\n}\r\n',
        ),
        (b'{\n  "credHelpers": null\n}', b'{\n  "credHelpers": {\n    "host.example": "registryauth"\n  }\n}'),
    ],
)
def test_every_other_byte_stays_whatever_the_file_looks_like(environ, config, write, before, after):
    write(config, before)
    apply(docker.plan(addresses("host.example"), environ))
    assert config.read_bytes() == after


_KEYS = st.text(st.characters(codec="utf-8", exclude_characters='"\\'), max_size=6)
_ANY = st.recursive(st.none() | st.booleans() | st.integers() | _KEYS, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner))


@given(
    document=st.dictionaries(_KEYS.filter(lambda key: key not in ("credHelpers", "auths")), _ANY, min_size=1),
    helpers=st.none() | st.dictionaries(_KEYS, st.just("pass"), min_size=1),
    first=st.booleans(),
    indent=st.sampled_from([None, 0, 1, 4, "\t"]),
)
@settings(max_examples=40)
def test_what_is_added_to_any_file_and_taken_back_leaves_it_as_it_was(document, helpers, first, indent):
    entry = {} if helpers is None else {"credHelpers": helpers}
    text = json.dumps(entry | document if first else document | entry, indent=indent, ensure_ascii=False)
    with TemporaryDirectory() as directory:
        path = Path(directory, "config.json")
        path.write_bytes(text.encode())
        environ = {"DOCKER_CONFIG": directory, "PATH": ""}
        path.write_bytes(docker.plan(addresses("host.example", "b.example"), environ).after)
        changed = json.loads(path.read_bytes())
        assert changed == document | {"credHelpers": (helpers or {}) | {"host.example": "registryauth", "b.example": "registryauth"}}
        assert docker.undo(addresses("host.example", "b.example"), environ).after == text.encode()


def test_an_entry_that_stands_there_twice_is_left_to_a_person(environ, config, write):
    content = b'{"credHelpers": {"a.example": "registryauth", "a.example": "registryauth", "b.example": "pass"}}'
    write(config, content)
    with pytest.raises(ConfigurationError, match="cannot be changed without a change of others"):
        docker.undo(addresses("a.example"), environ)


def test_half_a_surrogate_pair_stays_what_it_is(environ, config, write):
    write(config, b'{"a": "\\ud800 \\u00fc"}')
    apply(docker.plan(addresses("host.example"), environ))
    assert json.loads(config.read_bytes())["a"] == "\ud800 ü"


def test_keys_are_hosts_and_docker_hub_has_its_own(environ, config):
    apply(docker.plan(addresses("host.example/team/app", "host.example", "docker.io", "https://index.docker.io/v1/"), environ))
    assert json.loads(config.read_bytes()) == {
        "credHelpers": {"host.example": "registryauth", "https://index.docker.io/v1/": "registryauth"}
    }


def test_a_second_time_nothing_is_needed_and_nothing_is_written(environ, config):
    apply(docker.plan(addresses("host.example"), environ))
    inode = config.stat().st_ino
    change = docker.plan(addresses("host.example"), environ)
    assert not change.needed
    assert change.diff() == ""
    apply(change)
    assert config.stat().st_ino == inode


def test_another_programs_helper_is_not_replaced(environ, config, write):
    write(config, {"credHelpers": {"host.example": "pass"}})
    with pytest.raises(ConfigurationError, match=r"already names pass for host\.example") as caught:
        docker.plan(addresses("host.example"), environ)
    assert caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        *(b"{", b"[]", b'"x"', b"\xff", b'\xef\xbb\xbf{"auths": {}}', b"[" * 100_000, b"\0", b" " * (4 * 1024 * 1024) + b"{}"),
        *(b'{"credHelpers": ["canary-7f3a"]}', b'{"credHelpers": {"x": 1}}'),
        *(b'{"auths": "canary-7f3a"}', b'{"auths": {"host.example": 1}}'),
    ],
)
def test_a_file_that_we_cannot_read_or_write_again_is_refused_and_left_alone(environ, config, write, content):
    write(config, content)
    with pytest.raises(ConfigurationError) as caught:
        apply(docker.plan(addresses("host.example"), environ))
    assert CANARY not in str(caught.value)
    assert config.read_bytes() == content
    assert os.listdir(config.parent) == ["config.json"]


def test_an_entry_that_is_not_asked_any_more_is_reported(environ, config, write):
    write(config, {"auths": {"https://host.example/v2/": {"auth": CANARY}, "x.example": {"auth": CANARY}, "host.example": {}}})
    [warning] = docker.plan(addresses("host.example"), environ).warnings
    assert "still holds a credential for host.example" in warning
    assert CANARY not in warning


def test_a_variable_that_docker_asks_first_is_reported(environ):
    [warning] = docker.plan(addresses("host.example"), environ | {"DOCKER_AUTH_CONFIG": CANARY}).warnings
    assert "DOCKER_AUTH_CONFIG is set" in warning
    assert CANARY not in warning


def test_it_is_said_if_nobody_can_find_our_helper(environ):
    [warning] = docker.plan(addresses("host.example"), environ | {"PATH": "/nonexistent"}).warnings
    assert "docker-credential-registryauth is not on PATH" in warning


def test_the_diff_shows_what_changes_and_no_secret(environ, config, write):
    content = {"auths": {"h.example": {"auth": CANARY}, f"me:{CANARY}@x": {}}, "HttpHeaders": {"X": CANARY}, "proxies": [CANARY], "n": 7351}
    write(config, content)
    change = docker.plan(addresses("host.example"), environ)
    diff = change.diff()
    assert '+\t\t"host.example": "registryauth"' in diff.splitlines()
    assert diff.startswith(f"--- {config}\n+++ {config}\n@@")
    assert CANARY not in diff + repr(change)
    assert "7351" not in diff


def test_undo_takes_our_entries_back_and_leaves_the_others(environ, config, write):
    before = {"auths": {}, "credHelpers": {"a.example": "pass", "b.example": "registryauth"}, "x": 1}
    write(config, before)
    apply(docker.plan(addresses("host.example"), environ))
    apply(docker.undo(addresses("host.example", "a.example"), environ))
    assert json.loads(config.read_bytes()) == before
    change = docker.undo((), environ)
    assert change.keys == ("b.example",)
    apply(change)
    assert json.loads(config.read_bytes()) == {"auths": {}, "credHelpers": {"a.example": "pass"}, "x": 1}


def test_undo_of_all_gives_back_the_file_of_before_byte_for_byte(environ, config, write):
    before = write(config, {"auths": {"x": {}}}).read_bytes()
    apply(docker.plan(addresses("host.example", "other.example"), environ))
    apply(docker.undo(environ=environ))
    assert config.read_bytes() == before


def test_undo_of_nothing_is_not_needed_and_makes_nothing(environ, config):
    change = docker.undo(environ=environ)
    assert not change.needed
    apply(change)
    assert not config.parent.exists()


def test_docker_config_names_another_directory(environ, tmp_path):
    assert docker.plan(addresses("host.example"), environ | {"DOCKER_CONFIG": str(tmp_path / "dc")}).path == f"{tmp_path}/dc/config.json"
