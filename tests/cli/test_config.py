from __future__ import annotations

import stat

import pytest


@pytest.fixture
def file(home):
    return home / ".config/registryauth/config.toml"


def test_every_setting_is_shown_with_its_value_and_on_request_with_its_origin(cli, load, monkeypatch, file):
    file.parent.mkdir(parents=True)
    file.write_text('[resolver]\ndocker_config = false\n[registries."h.example"]\ninsecure = true\n')
    monkeypatch.setenv("REGISTRYAUTH_STORE_KEY", "file")
    origins = {row["key"]: (row["value"], row["origin"]) for row in load("config", "show")["settings"]}
    assert origins["store.key"] == ("file", "REGISTRYAUTH_STORE_KEY")
    assert origins["resolver.docker_config"] == ("false", str(file))
    assert origins['registries."h.example".insecure'] == ("true", str(file))
    assert origins["store.path"][1] == "default"
    assert cli("config", "show").out.splitlines()[0].split() == ["KEY", "VALUE"]
    shown = cli("config", "show", "--origin").out
    assert shown.splitlines()[0].split() == ["KEY", "VALUE", "ORIGIN"]
    assert "REGISTRYAUTH_STORE_KEY" in shown


def test_no_secret_variable_is_a_setting(cli, monkeypatch):
    for name in ("REGISTRY", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"REGISTRYAUTH_{name}", f"canary-{name}")
    for output in ("table", "json", "yaml"):
        assert "canary" not in cli("config", "show", "--origin", "-o", output).out


def test_the_path_of_the_file_is_printed_whether_it_is_there_or_not(cli, file, home, monkeypatch):
    assert (cli("config", "path").out, list(home.iterdir())) == (f"{file}\n", [])
    monkeypatch.setenv("REGISTRYAUTH_CONFIG", "/elsewhere/x.toml")
    assert cli("config", "path").out == "/elsewhere/x.toml\n"


def test_a_path_that_is_no_utf_8_is_printed_as_the_bytes_that_it_is(cli, monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_CONFIG", "/tmp/\udcff.toml")
    assert cli("config", "path").raw == b"/tmp/\xff.toml\n"


def test_the_file_that_init_writes_loads_and_changes_nothing(cli, file):
    before = cli("config", "show").out
    done = cli("config", "init")
    assert (done.status, done.out, done.err) == (0, "", f"Wrote {file}.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cli("config", "show").out == before
    assert all(not line or line.startswith("#") for line in file.read_text().splitlines())


def test_a_file_that_is_there_is_left_as_it_is(cli, file):
    file.parent.mkdir(parents=True)
    for make in (lambda: file.write_text("[store]\n"), lambda: file.symlink_to("/nowhere")):
        make()
        done = cli("config", "init")
        assert done.status == 2
        assert "is there already" in done.err
        assert file.is_symlink() or file.read_text() == "[store]\n"
        file.unlink()


def test_init_writes_to_the_place_that_the_variable_names(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path / "new/config.toml", "here.toml"):
        monkeypatch.setenv("REGISTRYAUTH_CONFIG", str(place))
        done = cli("config", "init")
        assert done.status == 0, done.err
        assert cli("config", "show").status == 0
    assert (tmp_path / "here.toml").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[store]\npath = 5\n", "line 2: store.path must be text in double quotes"),
        ("[store]\nkey = 'keychain'\n", "line 2: store.key must be one of auto, file, keyring"),
        ("[stores]\n", "did you mean store?"),
        ("not toml", "line 1: that is not TOML"),
        ("\x1b[2J", "that is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_by_every_verb(cli, file, content, said):
    file.parent.mkdir(parents=True)
    file.write_text(content)
    for verb in (["config", "show"], ["list"], ["resolve", "registry.example/x"], ["status"]):
        done = cli(*verb)
        assert (done.status, done.out) == (2, "")
        assert said in done.err
        assert "\x1b" not in done.err
    assert cli("config", "path").status == 0, "it must be findable"
