"""``list`` and ``status``: what is stored, where, and what protects it."""

from __future__ import annotations

import json

import pytest
import yaml

from .conftest import CANARY


def test_the_list_is_one_object_with_an_entry_for_each_account(load, keep):
    keep("registry.example", "a", verified_at=1_800_000_000)
    keep("registry.example/team", "b", kind="robot")
    assert load("list") == {
        "version": 1,
        "registries": [
            {"address": "registry.example", "account": "a", "kind": "user", "verified_at": "2027-01-15T08:00:00Z"},
            {"address": "registry.example/team", "account": "b", "kind": "robot", "verified_at": None},
        ],
    }


def test_yaml_says_the_same_as_json(cli, load, keep):
    keep("registry.example", "jörg", owner="yes", purpose="2027-01-01", made_by="admin")
    for verb in (["list"], ["principal", "list"], ["status"], ["resolve", "registry.example/x"], ["config", "show"]):
        done = cli(*verb, "--output", "yaml")
        assert done.status == 0
        assert yaml.safe_load(done.out) == load(*verb)


def test_an_empty_store_is_an_empty_list_and_status_0(cli, load, home):
    assert load("list") == {"version": 1, "registries": []}
    assert load("principal", "list") == {"version": 1, "principals": []}
    done = cli("list")
    assert (done.status, done.out.split()) == (0, ["REGISTRY", "ACCOUNT", "KIND", "VERIFIED"])
    assert "registryauth login" in done.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "verb", [["list"], ["principal", "list"], ["status"], ["resolve", "registry.example/x"], ["config", "show", "--origin"]]
)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_no_reading_verb_shows_a_secret_in_any_form(cli, keep, verb, output):
    keep("registry.example", made_by="admin", owner="o", realm="https://auth.example/token")
    done = cli(*verb, "--output", output)
    assert done.status == 0
    assert CANARY not in done.out + done.err


def test_an_account_of_another_script_is_shown_as_it_is(cli, keep):
    keep("registry.example", "jörg-日本")
    assert "jörg-日本" in cli("list").out
    assert "jörg-日本" in cli("list", "-o", "json").out


# -- status --


def test_the_status_of_an_empty_home_says_where_things_will_be_and_makes_none_of_it(cli, load, home):
    shown = load("status")
    assert shown["store"] == {
        "backend": "local",
        "path": str(home / ".local/share/registryauth/store.db"),
        "exists": False,
        "format": shown["store"]["format"],
        "store_id": "",
        "key": "auto (chosen at the first login)",
        "records": 0,
        "state": "open",
        "unlocked_until": None,
    }
    assert shown["helper_set_up_for"] == {"docker": [], "containers": []}
    assert shown["config"] == str(home / ".config/registryauth/config.toml")
    assert "(none yet)" in cli("status").out
    assert list(home.iterdir()) == []


def test_the_status_of_a_store_says_what_protects_it(cli, load, keep, home):
    keep("registry.example")
    cli("setup", "docker")
    shown = load("status")
    assert (shown["store"]["exists"], shown["store"]["records"]) == (True, 1)
    assert shown["store"]["key"] == f"file {home / '.config/registryauth/store.key'}"
    assert shown["helper_set_up_for"]["docker"] == ["registry.example"]
    assert "registry.example" in cli("status").out


def test_a_docker_configuration_that_cannot_be_read_does_not_hide_the_rest(cli, load, keep, home):
    keep("registry.example")
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{not json")
    done = cli("status", "-o", "json")
    assert done.status == 0
    assert "warning: " in done.err
    assert json.loads(done.out)["helper_set_up_for"] == {"docker": None, "containers": []}
    assert "cannot be told" in cli("status").out


@pytest.mark.parametrize(
    "verb", [["list"], ["status"], ["principal", "list"], ["resolve", "registry.example/x"], ["logout", "registry.example"]]
)
def test_a_locked_store_is_status_5_for_whoever_asks(cli, keep, home, verb):
    keep("registry.example")
    (home / ".config/registryauth/store.key").unlink()
    done = cli(*verb)
    assert done.status == 5
    assert "error: the key file" in done.err
    assert "hint: restore it" in done.err


@pytest.mark.parametrize(
    "verb", [["list"], ["status"], ["principal", "list"], ["resolve", "registry.example/x"], ["logout", "registry.example"]]
)
def test_a_foreign_file_in_the_store_s_place_is_status_5_and_left_alone(cli, home, verb):
    path = home / ".local/share/registryauth/store.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"somebody's novel" * 1000)
    path.chmod(0o600)
    done = cli(*verb)
    assert done.status == 5
    assert "hint: " in done.err
    assert path.read_bytes() == b"somebody's novel" * 1000


def test_a_store_that_others_can_read_is_refused_with_the_command_that_mends_it(cli, keep, home):
    keep("registry.example")
    (home / ".local/share/registryauth/store.db").chmod(0o644)
    done = cli("list")
    assert done.status == 5
    assert "chmod 600" in done.err


def test_no_form_of_output_lets_a_name_move_the_cursor(capsys):
    from registryauth.cli.console import show
    from registryauth.cli.options import Output

    hostile = "a\u009b2J\u202eb\x1b[0m"
    for output in Output:
        show(output, {"version": 1, "tags": [hostile, "ä"]}, ("TAG",), [(hostile,), ("ä",)])
        shown = capsys.readouterr().out
        assert not set(shown) & {"\u009b", "\u202e", "\x1b"}, output
    show(Output.JSON, {"tags": ["ä"]}, ("TAG",), [])
    assert "ä" in capsys.readouterr().out
