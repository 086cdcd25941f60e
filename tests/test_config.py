from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from registryauth.config import DEFAULT, FLAG, MAX_FILE, RegistrySettings, WorkspaceSettings, load, user_file
from registryauth.config.keys import KEYS, PROFILE_KEYS, TABLES
from registryauth.errors import ConfigurationError

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


@pytest.fixture
def environ(home):
    return {"HOME": str(home)}


@pytest.fixture
def write(home, environ):
    def write(text: str | bytes, path: Path | None = None) -> str:
        path = path or home / ".config/registryauth/config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@pytest.fixture
def loaded(environ, tmp_path):
    def loaded(**more):
        more.setdefault("system_file", str(tmp_path / "absent.toml"))
        return load(environ, **more)

    return loaded


def test_without_any_file_the_defaults_hold_and_say_so(loaded, home):
    config = loaded()
    assert config.store_path == f"{home}/.local/share/registryauth/store.db"
    assert config.store_key_file == f"{home}/.config/registryauth/store.key"
    assert (config.store_key, config.docker_config, config.certs_d) == ("auto", True, True)
    assert config.registry("registry.example.com") == RegistrySettings()
    assert set(config.origins.values()) == {DEFAULT}


def test_each_layer_is_stronger_than_the_one_below(loaded, write, environ, tmp_path):
    system = tmp_path / "etc.toml"
    write('[store]\npath = "/s"\nkey = "file"\nkey_file = "/s.key"\n[resolver]\ndocker_config = false', system)
    user = write('[store]\nkey = "keyring"\nkey_file = "/u.key"\n[resolver]\ndocker_config = true')
    environ |= {"REGISTRYAUTH_STORE_KEY_FILE": "/e.key", "REGISTRYAUTH_RESOLVER_DOCKER_CONFIG": "false"}
    config = loaded(flags={"resolver.docker_config": True, "store.path": None}, system_file=str(system))
    assert (config.store_path, config.store_key, config.store_key_file, config.docker_config) == ("/s", "keyring", "/e.key", True)
    assert {key: origin for key, origin in config.origins.items() if origin != DEFAULT} == {
        "store.path": str(system),
        "store.key": user,
        "store.key_file": "REGISTRYAUTH_STORE_KEY_FILE",
        "resolver.docker_config": FLAG,
    }


def test_what_is_said_of_one_registry_adds_up_over_the_layers(loaded, write, tmp_path):
    system = tmp_path / "etc.toml"
    write('[registries."Registry.Example.com:5000"]\nkind = "public"\ninsecure = true', system)
    user = write(
        '[registries."registry.example.com:5000"]\nkind = "standalone"\nca_file = "~/ca.pem"\nrealm = "https://auth.example.com/token"'
    )
    config = loaded(system_file=str(system))
    said = config.registry("registry.example.com:5000")
    assert said.kind == "standalone"
    assert said.insecure is True
    assert said.ca_file.endswith("/ca.pem")
    assert not said.ca_file.startswith("~")
    assert said.realm == "https://auth.example.com/token"
    assert config.origins['registries."registry.example.com:5000".kind'] == user
    assert config.origins['registries."registry.example.com:5000".insecure'] == str(system)


def test_certificate_and_key_may_be_said_in_two_files(loaded, write, tmp_path):
    system = tmp_path / "etc.toml"
    write('[registries."a.example"]\nclient_cert = "/etc/c.pem"', system)
    write('[registries."a.example"]\nclient_key = "~/k.pem"')
    said = loaded(system_file=str(system)).registry("a.example")
    assert said.client_cert == "/etc/c.pem"
    assert said.client_key.endswith("/k.pem")
    assert not said.client_key.startswith("~")


def test_mirrors_are_addresses_in_order_and_shown_as_such(loaded, write):
    write('[registries."docker.io"]\nmirrors = ["M.azureecr.io", "other.example:5000/prefix/", "[FD00::5]:5000"]\nmirrors_for_tags = true')
    config = loaded()
    assert config.registry("docker.io").mirrors == ("m.azureecr.io", "other.example:5000/prefix", "[fd00::5]:5000")
    assert config.registry("docker.io").mirrors_for_tags is True
    shown = {key: value for key, value, _ in config.describe()}
    assert shown['registries."docker.io".mirrors'] == "m.azureecr.io, other.example:5000/prefix, [fd00::5]:5000"


def test_a_variable_switches_certs_d_off(loaded, environ):
    environ["REGISTRYAUTH_NETWORK_CERTS_D"] = "false"
    assert loaded().certs_d is False


def test_dockers_aliases_are_one_registry(loaded, write):
    write('[registries."index.docker.io"]\nkind = "public"')
    assert loaded().registry("docker.io").kind == "public"


def test_the_variable_names_another_file_and_then_it_must_be_there(loaded, write, environ, tmp_path):
    write('[store]\npath = "/not-this"')
    environ["REGISTRYAUTH_CONFIG"] = write('[store]\npath = "/this"', tmp_path / "mine.toml")
    assert loaded().store_path == "/this"
    environ["REGISTRYAUTH_CONFIG"] = str(tmp_path / "gone.toml")
    with pytest.raises(ConfigurationError, match="there is no configuration file") as caught:
        loaded()
    assert caught.value.file == str(tmp_path / "gone.toml")


def test_the_configuration_directory_is_xdgs(environ, tmp_path):
    environ["XDG_CONFIG_HOME"] = str(tmp_path)
    assert user_file(environ) == f"{tmp_path}/registryauth/config.toml"


@pytest.mark.parametrize(
    ("text", "key", "line", "words"),
    [
        ("[stroe]\n", "stroe", 1, "did you mean store?"),
        ('[store]\n\npaht = "/x"\n', "store.paht", 3, "did you mean path?"),
        ("[zzz]\n", "zzz", 1, f"known here: {', '.join(TABLES)}"),
        ('[store]\nkey = "keyrign"\n', "store.key", 2, "did you mean keyring?"),
        ("[store]\nkey = 1\n", "store.key", 2, "must be one of auto, file, keyring"),
        ("[store]\npath = 1\n", "store.path", 2, "must be text"),
        ('[store]\npath = "a\\u0000b"\n', "store.path", 2, "NUL"),
        ('[resolver]\ndocker_config = "yes"\n', "resolver.docker_config", 2, "true or false"),
        ("store = 1\n", "store", 1, "must be a table"),
        ("# x\nregistries = []\n", "registries", 2, "must be a table"),
        ('[registries."a.example"]\n"kynd" = 1\n', "registries.a.example.kynd", 2, "did you mean kind?"),
        ('[registries."a.example"]\nkind = "pubic"\n', 'registries."a.example".kind', 2, "did you mean public?"),
        ('[registries."a.example"]\ninsecure = 1\n', 'registries."a.example".insecure', 2, "true or false"),
        ('[registries."a.example"]\nrealm = "auth"\n', 'registries."a.example".realm', 2, "URL of a token server"),
        ('[registries."a.example"]\nmirrors = "m.example"\n', 'registries."a.example".mirrors', 2, "a list in square brackets"),
        ('[registries."a.example"]\nmirrors = [1]\n', 'registries."a.example".mirrors', 2, "in double quotes"),
        ('[registries."a.example"]\nmirrors = ["http://m.example"]\n', 'registries."a.example".mirrors', 2, "insecure = true"),
        ('[registries."a.example"]\nmirrors = ["m.example/A"]\n', 'registries."a.example".mirrors', 2, "no address"),
        ('[registries."a.example"]\nmirrors_for_tags = "no"\n', 'registries."a.example".mirrors_for_tags', 2, "true or false"),
        ('[registries."a.example"]\nclient_key = "/k"\n', 'registries."a.example".client_key', 0, "no client_cert"),
        ('[network]\ncerts_d = "no"\n', "network.certs_d", 2, "true or false"),
        ('[registries."a b"]\n', 'registries."a b"', 1, "not a registry address"),
        ('[registries]\n"a.example" = 1\n', 'registries."a.example"', 2, "must be a table"),
        ('[registries.myregistry.azurecr.io]\nkind = "public"\n', 'registries."myregistry"', 1, "in quotes"),
        ('store.key = "nope"\n', "store.key", 1, "must be one of"),
        ('store = { pth = "x" }\n', "store.pth", 0, "did you mean path?"),
    ],
)
def test_a_mistake_is_named_with_file_key_line_and_a_guess(loaded, write, text, key, line, words):
    path = write(text)
    with pytest.raises(ConfigurationError) as caught:
        loaded()
    assert (caught.value.file, caught.value.key, caught.value.line) == (path, key, line)
    assert path in caught.value.message
    assert words in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[store\n", "line 1: that is not TOML"),
        (b"\n\npath = \xc3\x84 canary\n", "line 3: that is not TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"#" * (MAX_FILE + 1), "larger than"),
        (b'[store]\npath = "x\x00canary"', "not TOML"),
        (b'{"auths": {"canary": {}}}', "line 1: that is not TOML"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_without_quoting_it(loaded, write, content, words):
    write(content)
    with pytest.raises(ConfigurationError, match=re.escape(words)) as caught:
        loaded()
    assert "canary" not in caught.value.message + caught.value.hint


def test_a_directory_in_the_files_place_is_an_error(loaded, home):
    (home / ".config/registryauth/config.toml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Is a directory"):
        loaded()


@pytest.mark.parametrize(("text", "value"), [("1", True), ("yes", True), ("FALSE", False), ("off", False)])
def test_a_variable_says_yes_or_no_in_the_usual_words(loaded, environ, text, value):
    environ["REGISTRYAUTH_RESOLVER_DOCKER_CONFIG"] = text
    assert loaded().docker_config is value


@pytest.mark.parametrize(("name", "text"), [("REGISTRYAUTH_RESOLVER_DOCKER_CONFIG", "perhaps"), ("REGISTRYAUTH_STORE_KEY", "paper")])
def test_a_variable_that_makes_no_sense_is_named(loaded, environ, name, text):
    environ[name] = text
    with pytest.raises(ConfigurationError, match=f"{name} must be"):
        loaded()


def test_a_flag_of_the_wrong_kind_is_refused(loaded):
    with pytest.raises(ConfigurationError, match=r"store\.key must be one of"):
        loaded(flags={"store.key": "paper"})


def test_the_secret_variables_are_no_settings(loaded, environ):
    environ |= {"REGISTRYAUTH_REGISTRY": "canary.example", "REGISTRYAUTH_USERNAME": "canary", "REGISTRYAUTH_PASSWORD": "canary"}
    config = loaded()
    assert "canary" not in repr(config) + repr(config.describe())


def test_describe_gives_every_setting_once_with_its_origin(loaded, write):
    path = write('[registries."b.example"]\nkind = "public"\n[registries."a.example"]\ninsecure = true')
    rows = loaded().describe()
    assert [row[0] for row in rows] == [*KEYS, 'registries."a.example".insecure', 'registries."b.example".kind']
    assert ("store.key", "auto", DEFAULT) in rows
    assert rows[-2][1:] == ("true", path)


def test_a_host_that_looks_mistyped_may_be_written_down_on_purpose(loaded, write):
    write('[registries."my.azureecr.io:5000"]\nkind = "standalone"')
    assert loaded().registry("my.azureecr.io:5000").kind == "standalone"


def test_the_example_states_every_key_and_its_default(loaded, write):
    setting = re.compile(r"# (\[.*\]|[a-z_]+ = .*)")
    lines = [match[1] for line in EXAMPLE.read_text().splitlines() if (match := setting.fullmatch(line))]
    before = loaded()
    path = write("\n".join(lines))
    config = loaded()
    assert [row[:2] for row in config.describe()[: len(KEYS)]] == [row[:2] for row in before.describe()]
    assert config.registries == {"registry.example.com:5000": RegistrySettings()}
    assert config.workspaces == {"my-workspace": WorkspaceSettings(name="my-workspace")}
    assert {name: (said.rules, said.source) for name, said in config.profiles.items()} == {"my-base-image": ({}, "")}
    own = len(RegistrySettings.__match_args__) + len(WorkspaceSettings.__match_args__) + len(PROFILE_KEYS)
    assert len(config.describe()) == len(KEYS) + own
    assert {row[2] for row in config.describe()} == {path}


def test_what_the_page_on_networks_shows_loads(loaded, write):
    blocks = re.findall(r"^```toml\n(.*?)^```", (EXAMPLE.parent / "docs/networks.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        before = loaded()
        write(block)
        assert loaded() != before, block


def test_the_example_as_it_is_sets_nothing(loaded, write):
    before = loaded()
    write(EXAMPLE.read_text())
    assert loaded() == before


def test_without_a_home_there_are_settings_but_no_files(monkeypatch, tmp_path):
    monkeypatch.setattr("registryauth._paths.home_dir", lambda environ: "")
    config = load({"REGISTRYAUTH_STORE_KEY": "file"}, system_file=str(tmp_path / "absent"))
    assert (config.store_path, config.store_key) == ("", "file")


def test_loading_imports_nothing_heavy_where_there_is_no_file(environ):
    code = (
        "import sys, registryauth.config as c; c.load(system_file='/nonexistent');"
        "print([m for m in ('tomllib','typing','dataclasses','inspect','pathlib','json','difflib','subprocess','tempfile','logging')"
        " if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[resolver]\nhelper_timeout = 0", "must be a number from 1 to 600"),
        ("[resolver]\nhelper_timeout = true", "must be a whole number"),
        ('[resolver]\nhelper_timeout = "30"', "must be a whole number"),
        ('[resolver]\norder = ["store", "dockr"]', "must be one of"),
        ('[resolver]\norder = "store"', "must be a list in square brackets"),
        ('[resolver]\nexpiry_warning = "soon"', "must be a span of time"),
        ('[store]\ncache = "1 day"', "must be a span of time"),
        ('[registries."r.example"]\norder = [1]', "must be one of"),
    ],
)
def test_a_value_that_a_key_does_not_take_is_refused_with_its_line(loaded, write, text, complaint):
    path = write(text)
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        loaded()
    assert (caught.value.file, caught.value.line) == (path, 2)


def test_a_variable_holds_numbers_and_lists_too(loaded, environ):
    environ |= {"REGISTRYAUTH_RESOLVER_HELPER_TIMEOUT": "5", "REGISTRYAUTH_RESOLVER_ORDER": "store, docker"}
    config = loaded()
    assert (config.helper_timeout, config.resolver_order) == (5, ("store", "docker"))
    environ["REGISTRYAUTH_RESOLVER_HELPER_TIMEOUT"] = "5s"
    with pytest.raises(ConfigurationError, match="REGISTRYAUTH_RESOLVER_HELPER_TIMEOUT must be a whole number"):
        loaded()


SUBSCRIPTION = "7b5c2b4e-0000-4000-8000-000000000001"


def test_a_workspace_is_called_as_its_table_unless_it_says_otherwise(loaded, write):
    path = write(
        f'[workspaces.prod]\nsubscription = "{SUBSCRIPTION}"\nresource_group = "ml"\ntenant = "t"\n'
        f'[workspaces."the other"]\nsubscription = "{SUBSCRIPTION}"\nresource_group = "ml"\nname = "ws2"\nallow_admin_user = true\n'
        '[workspaces.here]\nfolder = "~/work"\n'
    )
    config = loaded()
    prod, other, here = (config.workspaces[name] for name in ("prod", "the other", "here"))
    assert (prod.name, prod.resource_group, prod.tenant, prod.allow_admin_user) == ("prod", "ml", "t", False)
    assert (other.name, other.allow_admin_user) == ("ws2", True)
    assert here.folder.endswith("/work")
    assert not here.folder.startswith("~")
    assert ('workspaces."the other".allow_admin_user', "true", path) in config.describe()


def test_what_is_said_of_one_workspace_adds_up_over_the_layers(loaded, write, tmp_path):
    system = tmp_path / "etc.toml"
    write(f'[workspaces.w]\nsubscription = "{SUBSCRIPTION}"\nresource_group = "theirs"', system)
    user = write('[workspaces.w]\nresource_group = "mine"')
    config = loaded(system_file=str(system))
    assert config.workspaces["w"] == WorkspaceSettings(subscription=SUBSCRIPTION, resource_group="mine", name="w")
    assert config.origins['workspaces."w".resource_group'] == user
    assert config.origins['workspaces."w".subscription'] == str(system)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[workspaces.w]\n", "does not say which workspace that is"),
        ('[workspaces.w]\ntenant = "t"\n', "does not say which workspace that is"),
        ('[workspaces.w]\nsubscription = "s"\n', "has no resource_group"),
        ('[workspaces.w]\nid = "/subscriptions/s"\nfolder = "/f"\n', "says more than once"),
        ('[workspaces.w]\nfolder = "/f"\nname = "n"\n', "says more than once"),
        ('[workspaces.w]\nid = "/subscriptions/s"\nresource_group = "g"\n', "says more than once"),
        ('[workspaces.w]\nsubscripton = "s"\n', "did you mean subscription?"),
        ('[workspaces.w]\nallow_admin_user = "yes"\n', "true or false"),
        ("[workspaces]\nw = 1\n", "must be a table"),
        ('[workspaces." "]\nfolder = "/f"\n', "is no name for a workspace"),
        ('[registries."r.example"]\norder = ["workspce"]\n', "did you mean workspace?"),
    ],
)
def test_a_workspace_that_could_not_be_found_is_refused_when_it_is_read(loaded, write, text, words):
    path = write(text)
    with pytest.raises(ConfigurationError) as caught:
        loaded()
    assert words in f"{caught.value.message} {caught.value.hint}"
    # An empty table has no key that some file set.
    assert caught.value.file == (path if "=" in text else "")


def test_a_profile_is_kept_as_it_is_written_with_the_place_of_each_rule(loaded, write, tmp_path):
    system = tmp_path / "etc.toml"
    write('[profiles.base]\nos = "Debian 11+"\npython = "3.8+"', system)
    user = write('[profiles.base]\nsource = "the platform team"\n\npython = "3.9+"\nconda = ""')
    config = loaded(system_file=str(system))
    said = config.profiles["base"]
    assert (said.rules, said.source) == ({"os": "Debian 11+", "python": "3.9+"}, "the platform team")
    assert (said.places["python"].file, said.places["python"].line, said.places["python"].key) == (user, 4, 'profiles."base".python')
    assert said.places["os"].file == str(system)
    assert ('profiles."base".python', "3.9+", user) in config.describe()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[profiles.base]\npyton = "3.8+"\n', 2, "did you mean python?"),
        ("[profiles.base]\n\npython = 3.8\n", 3, "must be text in double quotes"),
        ('[profiles]\nbase = "3.8"\n', 2, "must be a table"),
        ('[profiles.my.base]\nos = "Ubuntu 18.04+"\n', 1, "in quotes"),
        ('[profiles." "]\nos = "Ubuntu 18.04+"\n', 1, "is no name for a profile"),
    ],
)
def test_a_profile_that_is_no_table_of_rules_is_refused_with_its_line(loaded, write, text, line, words):
    path = write(text)
    with pytest.raises(ConfigurationError) as caught:
        loaded()
    assert words in f"{caught.value.message} {caught.value.hint}"
    assert (caught.value.file, caught.value.line) == (path, line)
