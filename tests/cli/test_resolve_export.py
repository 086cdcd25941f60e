"""``resolve --format``: the options, what is written down, and what it costs."""

from __future__ import annotations

import base64
import json
import os

import pytest
import yaml

from registryauth.audit.recorder import Recorder
from registryauth.errors import StoreUnavailable
from registryauth.stores import Slot, open_store
from registryauth.stores.encrypted import EncryptedStore

from .conftest import CANARY

IMAGE = "registry.example/team/model:v1"
SECRET = ("--format", "kubernetes-secret")


@pytest.fixture
def consumers(load):
    """Target, format, secret's number and state of each consumer of a principal."""

    def consumers(address="registry.example"):
        found = load("principal", "consumers", address)["consumers"]
        return [(each["target"], each["format"], each["serial"], each["secret"]) for each in found]

    return consumers


@pytest.fixture
def events(load):
    """The export events in the audit log, in their order."""
    return lambda: [each for each in load("audit", "show")["events"] if each["event"] == "exported"]


# -- options --


def test_help_lists_every_format_without_an_image_or_a_store(cli, home):
    done = cli("resolve", "--format", "help")
    assert (done.status, done.err) == (0, "")
    lines = dict(line.split(None, 1) for line in done.out.splitlines())
    assert {"kubernetes-secret", "aci-az", "azureml-connection", "secret-yaml"} < set(lines)
    assert list(home.iterdir()) == []


def test_name_namespace_and_labels_are_the_objects(cli, keep):
    keep("registry.example")
    done = cli("resolve", IMAGE, *SECRET, "--name", "pull", "--namespace", "prod", "--label", "team=ml", "--label", "empty=")
    assert done.status == 0
    metadata = yaml.safe_load(done.out)["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("pull", "prod")
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "registryauth", "team": "ml", "empty": ""}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", "x"], "go with --format"),
        (["--label", "a=b"], "go with --format"),
        (["--allow-short-lived"], "go with --format"),
        (["--consumer", "x"], "go with --format"),
        (["--allow-whole-registry"], "go with --format"),
        (["--no-record"], "go with --format"),
        ([*SECRET, "--name", "Not_A_Name"], "is no name for a Kubernetes object"),
        ([*SECRET, "--label", "prod"], "--label is KEY=VALUE"),
        (["--format", "env", "--name", "x"], "env has no name to give"),
        (["--format", "azureml-connection", "--label", "a=b"], "azureml-connection has no labels to give"),
        ([*SECRET, "--consumer", "x", "--no-record"], "choose one"),
        (["--format", "helm-value"], "did you mean helm-values?"),
    ],
)
def test_options_that_make_no_sense_are_status_2_and_nothing_is_written(cli, keep, events, options, said, tmp_path):
    keep("registry.example")
    done = cli("resolve", IMAGE, *options, *(["--output-file", tmp_path / "out"] if "--format" in options else []))
    assert (done.status, done.out, list(tmp_path.iterdir())) == (2, "", [])
    assert said in done.err
    assert events() == []


def test_a_credential_that_dies_soon_is_refused_where_it_would_be_kept_and_names_the_hour(cli, keep, consumers, events, tmp_path):
    keep("registry.example", dates={"expires_at": 2_000_000_000})
    assert cli("resolve", IMAGE, *SECRET).status == 0
    keep("short.azurecr.io", "<token>", "a-token", kind="identity-token", dates={"expires_at": 1_000_000_000})
    argv = ("resolve", "short.azurecr.io/a", *SECRET, "--output-file", tmp_path / "out")
    done = cli(*argv)
    assert (done.status, done.out, list(tmp_path.iterdir())) == (1, "", [])
    assert "the credential for short.azurecr.io ended at 2001-09-09T01:46:40Z" in done.err
    assert "--allow-short-lived" in done.err
    assert cli(*argv, "--allow-short-lived").status == 0


def test_what_is_registered_for_a_path_is_not_written_for_the_registry_unless_that_is_said(cli, keep, tmp_path):
    keep("registry.example/team")
    argv = ("resolve", IMAGE, "--format", "docker-config", "--output-file", tmp_path / "out")
    done = cli(*argv)
    assert (done.status, done.out, list(tmp_path.iterdir())) == (1, "", [])
    assert "the credential for registry.example/team is for that path alone" in done.err
    assert CANARY not in done.err
    assert cli(*argv, "--allow-whole-registry").status == 0
    assert list(json.loads((tmp_path / "out").read_text())["auths"]) == ["registry.example"]


@pytest.mark.parametrize("kind", ["store", "environment", "docker's variable", "docker's file", "containers' file"])
def test_every_source_says_for_which_path_it_has_something(cli, keep, home, monkeypatch, kind):
    auths = json.dumps({"auths": {"registry.example/team": {"auth": base64.b64encode(b"me:x").decode()}}})
    if kind == "store":
        keep("registry.example/team")
    elif kind == "environment":
        for name, value in (("REGISTRY", "registry.example/team"), ("USERNAME", "me"), ("PASSWORD", "x")):
            monkeypatch.setenv(f"REGISTRYAUTH_{name}", value)
    elif kind == "docker's variable":
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", auths)
    else:
        path = home / (".docker/config.json" if kind == "docker's file" else ".config/containers/auth.json")
        path.parent.mkdir(parents=True)
        path.write_text(auths)
    done = cli("resolve", IMAGE, "--format", "containers-auth")
    assert done.status == 0, done.err
    assert list(json.loads(done.out)["auths"]) == ["registry.example/team"]


def test_the_path_of_a_wildcard_is_in_the_images_own_registry(cli, keep):
    keep("*.example.com/team")
    done = cli("resolve", "a.example.com/team/x", "b.example.com/team/y:v1", "--format", "containers-auth")
    assert list(json.loads(done.out)["auths"]) == ["a.example.com/team", "b.example.com/team"]


def test_several_references_make_one_document(cli, keep):
    keep("registry.example")
    keep("docker.io", "hub")
    done = cli("resolve", IMAGE, "registry.example/other", "ubuntu", "mcr.microsoft.com/x", "--format", "kubernetes-secret-json")
    auths = json.loads(base64.b64decode(json.loads(done.out)["data"][".dockerconfigjson"]))["auths"]
    assert list(auths) == ["https://index.docker.io/v1/", "registry.example"]


# -- what is written down --


def test_a_file_is_a_consumer_of_the_secret_that_it_was_given(cli, keep, consumers, tmp_path, monkeypatch):
    keep("registry.example", dates={"serial": 3})
    monkeypatch.chdir(tmp_path)
    done = cli("resolve", IMAGE, *SECRET, "--output-file", "secret.yaml")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert consumers() == [(str(tmp_path / "secret.yaml"), "kubernetes-secret", 3, "current")]


def test_a_name_that_is_given_is_the_consumers_whether_or_not_there_is_a_file(cli, keep, consumers, tmp_path):
    keep("registry.example", dates={"serial": 1})
    assert cli("resolve", IMAGE, *SECRET, "--consumer", "prod/pull").status == 0
    assert cli("resolve", IMAGE, "--format", "env", "--consumer", "ci", "--output-file", tmp_path / "x").status == 0
    assert consumers() == [("prod/pull", "kubernetes-secret", 1, "current"), ("ci", "env", 1, "current")]


def test_a_pipe_has_no_name_and_no_record_says_so_for_a_file(cli, keep, consumers, tmp_path):
    keep("registry.example")
    assert cli("resolve", IMAGE, *SECRET).status == 0
    assert cli("resolve", IMAGE, *SECRET, "--output-file", tmp_path / "x", "--no-record").status == 0
    assert consumers() == []


def test_the_record_is_the_one_that_the_secret_came_from(cli, keep, consumers, tmp_path):
    keep("registry.example", "wide")
    keep("registry.example/team", "narrow")
    assert cli("resolve", IMAGE, *SECRET, "--output-file", tmp_path / "x").status == 0
    assert [target for target, *_ in consumers("registry.example/team")] == [str(tmp_path / "x")]
    assert consumers("registry.example") == []


def test_rotation_names_the_file_that_has_the_old_secret(cli, keep, consumers, tmp_path):
    keep("registry.example")
    argv = ("resolve", IMAGE, *SECRET, "--output-file", tmp_path / "x")
    assert cli(*argv).status == 0
    store = open_store(environ=os.environ)
    (record,) = store.list()
    store.put(record.replace(slots=(Slot("next", serial=2), record.slots[0])))
    store.close()
    assert [state for *_, state in consumers()] == ["old"]
    assert cli(*argv).status == 0
    assert [(serial, state) for *_, serial, state in consumers()] == [(2, "current")]


@pytest.mark.parametrize("document", ["kubernetes-service-account", "azureml-environment-yaml"])
def test_what_holds_no_secret_makes_no_consumer_and_no_event(cli, keep, consumers, events, tmp_path, document):
    keep("registry.example")
    assert cli("resolve", IMAGE, "--format", document, "--output-file", tmp_path / "x").status == 0
    assert (consumers(), events()) == ([], [])


def test_a_credential_of_another_source_is_nobodys_consumer(cli, keep, consumers, events, tmp_path, monkeypatch):
    keep("registry.example")
    for name, value in (("REGISTRY", "other.example"), ("USERNAME", "me"), ("PASSWORD", "x")):
        monkeypatch.setenv(f"REGISTRYAUTH_{name}", value)
    assert cli("resolve", "other.example/x", "--format", "docker-config", "--output-file", tmp_path / "x").status == 0
    assert (consumers(), events()) == ([], [])


def test_without_a_store_nothing_makes_one(cli, home, tmp_path, monkeypatch):
    for name, value in (("REGISTRY", "other.example"), ("USERNAME", "me"), ("PASSWORD", "x")):
        monkeypatch.setenv(f"REGISTRYAUTH_{name}", value)
    assert cli("resolve", "other.example/x", *SECRET, "--output-file", tmp_path / "x").status == 0
    assert list(home.iterdir()) == []


def test_an_export_is_written_down_with_the_secrets_number_and_where_it_went(cli, keep, events, tmp_path):
    keep("registry.example", dates={"serial": 3})
    cli("resolve", IMAGE, "registry.example/other", *SECRET, "--output-file", tmp_path / "x")
    cli("resolve", IMAGE, "--format", "env")
    first, second = events()
    assert [first[name] for name in ("address", "account", "serial", "result")] == ["registry.example", "me", 3, "ok"]
    assert first["detail"] == f"kubernetes-secret to {tmp_path / 'x'}"
    assert second["detail"] == "env to standard output"
    assert CANARY not in json.dumps([first, second])


def test_nothing_leaves_where_the_log_is_required_and_cannot_be_written(cli, keep, home, tmp_path, monkeypatch):
    keep("registry.example")
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_MODE", "required")
    assert cli("resolve", IMAGE, *SECRET, "--output-file", tmp_path / "x", "--no-record").status == 0
    (tmp_path / "x").unlink()
    record = Recorder.record

    def refuse(self, events, *more):
        if any(event.event == "exported" for event in events):
            raise StoreUnavailable("the disk is full", hint="make room")
        return record(self, events, *more)

    monkeypatch.setattr(Recorder, "record", refuse)
    done = cli("resolve", IMAGE, *SECRET, "--output-file", tmp_path / "x")
    assert (done.status, done.out, list(tmp_path.iterdir())) == (5, "", [])
    assert "the disk is full" in done.err
    assert CANARY not in done.err


def test_a_store_that_cannot_be_written_only_warns(cli, keep, home, tmp_path, monkeypatch):
    keep("registry.example", dates={"serial": 1})

    def put(self, *_):
        raise StoreUnavailable("the store cannot be written: attempt to write a readonly database", hint="check")

    monkeypatch.setattr(EncryptedStore, "put", put)
    done = cli("resolve", IMAGE, *SECRET, "--output-file", tmp_path / "x")
    assert (done.status, done.out) == (0, "")
    assert (tmp_path / "x").exists()
    assert f"warning: it is not noted that {tmp_path / 'x'} has secret 1 of me at registry.example" in done.err
    assert CANARY not in done.err


def test_a_file_that_could_not_be_written_is_no_consumer(cli, keep, consumers):
    keep("registry.example")
    assert cli("resolve", IMAGE, *SECRET, "--output-file", "/no/such/directory/out").status == 1
    assert consumers() == []


# -- what it costs --


@pytest.fixture
def reads(monkeypatch):
    """What was looked up in the store, one entry for each time that it was read, and how often it was opened."""
    looked, opened = [], []
    nearest, begin = EncryptedStore.nearest_all, EncryptedStore.__init__

    def counted(self, questions):
        looked.append([str(address) for address, _ in questions])
        return nearest(self, questions)

    def opening(self, *args, **kwargs):
        opened.append(1)
        begin(self, *args, **kwargs)

    monkeypatch.setattr(EncryptedStore, "nearest_all", counted)
    monkeypatch.setattr(EncryptedStore, "__init__", opening)
    return looked, opened


def test_five_hundred_images_are_one_read_of_one_opened_store(cli, keep, reads, tmp_path):
    for host in "abc":
        keep(f"{host}.example")
    looked, opened = reads
    looked.clear()
    opened.clear()
    images = [f"{'abc'[number % 3]}.example/team/model{number % 250}:v{number}" for number in range(500)]
    done = cli("resolve", *images, "--format", "kubernetes-secret-json", "--output-file", tmp_path / "x")
    assert done.status == 0
    assert [sorted(each) for each in looked] == [sorted({image.partition(":")[0] for image in images})]
    assert len(opened) == 1


def test_a_workspaces_image_and_a_public_one_ask_no_source_in_azures_formats(cli, keep, home, reads, simulator, online):
    keep("ws.azurecr.io")
    (home / ".config/registryauth").mkdir(parents=True, exist_ok=True)
    (home / ".config/registryauth/config.toml").write_text('[registries."ws.azurecr.io"]\nkind = "workspace"\n')
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{ broken")
    looked, _ = reads
    for image in ("ws.azurecr.io/a:1", "azureml/azureml_1", "mcr.microsoft.com/a:1"):
        done = cli("resolve", image, "--format", "azureml-environment")
        assert done.status == 0, done.err
        registry = json.loads(done.out)["docker"]["baseImageRegistry"]
        assert registry == {"address": None, "username": None, "password": None}
    assert looked == []
    assert online.requests == []
    assert cli("resolve", "ws.azurecr.io/a:1", "--format", "docker-config").status == 0
    assert looked == [["ws.azurecr.io/a"]]


def test_a_host_that_the_configuration_names_is_no_slip_of_the_finger(cli, keep, home):
    keep("x.azureecr.io")
    assert cli("resolve", "x.azureecr.io/a", "--format", "docker-config").status == 2
    (home / ".config/registryauth/config.toml").write_text('[registries."x.azureecr.io"]\nkind = "standalone"\n')
    assert cli("resolve", "x.azureecr.io/a", "--format", "docker-config").status == 0


def test_each_image_keeps_its_own_tag(cli, keep):
    keep("registry.example")
    done = cli("resolve", "registry.example/a:1", "registry.example/a:2", "registry.example/a:1", "--format", "secret-json")
    assert [each["reference"] for each in json.loads(done.out)["pull_secrets"]] == [f"registry.example/a:{tag}" for tag in (1, 2, 1)]
