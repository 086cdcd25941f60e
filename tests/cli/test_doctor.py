"""The doctor as a user types it."""

from __future__ import annotations

import base64
import json
import os
import tarfile
import zipfile

import pytest
import yaml

from registryauth.testing import RegistrySimulator, faults

from ..http_transport.certificates import Authority
from .conftest import CANARY


@pytest.fixture
def served(simulator):
    simulator.add_image("team/model", "v1", [b"a layer"])
    with simulator.serve() as host:
        yield host


def test_a_sound_chain_is_exit_0_and_shows_every_step(cli, keep, served):
    keep(served)
    done = cli("doctor", f"{served}/team/model:v1", "--platform", "linux/amd64")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["STEP", "OUTCOME", "TIME", "WHAT"]
    assert [line.split()[1] for line in lines[1:]] == ["ok"] * 13
    assert all(line.split()[3] == "ms" for line in lines[1:])


def test_a_broken_link_is_exit_7_and_says_what_to_do_next(cli, keep, served):
    keep(served, secret="wrong-secret")
    done = cli("doctor", f"{served}/team/model:v1")
    assert done.status == 7
    assert "token       broken" in done.out
    assert "Not looked at, because of what is broken: scope, manifest, layer, platform." in done.out
    assert f"token: next: it may be wrong, expired or revoked: log in again with 'registryauth login {served}'" in done.out


def test_the_secret_goes_nowhere_but_where_a_pull_sends_it(cli, keep, served, sent):
    keep(served)
    assert cli("doctor", f"{served}/team/model:v1").status == 0
    assert set(sent()) == {f"GET http://{served}/token"}


def test_json_and_yaml_are_the_same_document(cli, keep, served):
    keep(served)
    plain = json.loads(cli("doctor", f"{served}/team/model:v2", "-o", "json").out)
    assert {name: plain[name] for name in ("version", "subject", "outcome", "broken")} == {
        "version": 1,
        "subject": f"{served}/team/model:v2",
        "outcome": "broken",
        "broken": "manifest",
    }
    assert set(plain["steps"][0]) == {"step", "outcome", "detail", "hint", "milliseconds", "facts"}
    said = yaml.safe_load(cli("doctor", f"{served}/team/model:v2", "-o", "yaml").out)
    assert [each["outcome"] for each in said["steps"]] == [each["outcome"] for each in plain["steps"]]


def test_over_https_the_authority_has_to_be_named(cli, keep, simulator, tmp_path):
    authority = Authority(tmp_path)
    simulator.add_image("team/model", "v1")
    with simulator.serve(authority.server()) as host:
        keep(host)
        unknown = cli("doctor", f"{host}/team/model:v1", "-o", "json")
        known = cli("doctor", f"{host}/team/model:v1", "--ca-file", authority.ca_file, "-o", "json")
    assert (unknown.status, json.loads(unknown.out)["broken"]) == (7, "tls")
    assert (known.status, json.loads(known.out)["outcome"]) == (0, "ok")


def test_an_account_can_be_chosen(cli, keep, served):
    keep(served)
    keep(served, account="reader")
    assert "credential  broken" in cli("doctor", f"{served}/team/model:v1").out
    assert cli("doctor", f"{served}/team/model:v1", "--account", "me").status == 0


@pytest.mark.parametrize(
    "argv",
    [
        ("--platform", "linux/amd64"),
        ("--account", "me"),
        ("--insecure",),
        ("--with-addresses",),
        ("host.example/x", "--bundle", "ticket.rar"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(cli, argv):
    assert cli("doctor", *argv).status == 2


def test_the_installation_alone_touches_no_network(cli, keep, simulator, online):
    keep("registry.example.com")
    done = cli("doctor", "-o", "json")
    said = json.loads(done.out)
    assert said["subject"] is None
    assert {"store", "key", "docker", "expiry"} <= {each["step"] for each in said["steps"]}
    assert simulator.requests == []


def test_a_broken_configuration_is_a_finding_of_the_installation(cli, home):
    file = home / ".config/registryauth/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("store = [")
    done = cli("doctor")
    assert done.status == 7
    assert "configuration  broken" in done.out


def contents(path):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


@pytest.mark.parametrize("name", ["ticket.zip", "ticket.tar.gz", "ticket.tgz"])
def test_a_bundle_is_for_its_owner_alone_and_holds_what_a_ticket_needs(cli, keep, served, tmp_path, name):
    keep(served)
    file = tmp_path / name
    done = cli("doctor", f"{served}/team/model:v1", "--bundle", file)
    assert (done.status, file.stat().st_mode & 0o777) == (0, 0o600)
    said = {each: json.loads(data) for each, data in contents(file).items()}
    assert set(said) == {"versions.json", "installation.json", "environment.json", "doctor.json", "config.json"}
    assert said["doctor.json"]["outcome"] == "ok"
    assert "store.backend" in {row["key"] for row in said["config.json"]}
    assert "HOME" in said["environment.json"]
    assert said["versions.json"]["packages"]["registryauth"]


def test_a_bundle_names_addresses_only_when_asked(cli, keep, tmp_path):
    keep("other.example.com")
    cli("doctor", "--bundle", tmp_path / "without.zip")
    cli("doctor", "--bundle", tmp_path / "with.zip", "--with-addresses")
    assert b"other.example.com" not in b"".join(contents(tmp_path / "without.zip").values())
    assert json.loads(contents(tmp_path / "with.zip")["addresses.json"]) == [{"address": "other.example.com", "account": "me"}]


def test_a_bundle_never_takes_a_files_place(cli, tmp_path):
    file = tmp_path / "ticket.zip"
    file.write_text("mine")
    (tmp_path / "link.zip").symlink_to(tmp_path / "elsewhere")
    assert cli("doctor", "--bundle", file).status == 2
    assert cli("doctor", "--bundle", tmp_path / "link.zip").status == 2
    assert (file.read_text(), (tmp_path / "elsewhere").exists()) == ("mine", False)


def test_a_file_that_appears_meanwhile_is_not_replaced(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("registryauth.diagnosis.bundle.check_name", lambda _: None)
    file = tmp_path / "ticket.zip"
    file.write_text("mine")
    assert cli("doctor", "--bundle", file).status == 2
    assert file.read_text() == "mine"


def test_a_bundle_that_cannot_be_written_is_an_error(cli, tmp_path):
    done = cli("doctor", "--bundle", tmp_path / "nowhere" / "ticket.zip")
    assert done.status == 1
    assert "cannot be written" in done.err


def canaries(home, host, monkeypatch):
    """A secret in every place that the doctor looks at; gives them."""
    found = {name: f"canary-{name}-7f31c2" for name in ("docker", "auth", "proxy", "helper", "environment", "token", "url", "vault")}
    (home / ".docker").mkdir()
    login = base64.b64encode(f"me:{found['docker']}".encode()).decode()
    config = {
        "auths": {host: {"auth": login}},
        "HttpHeaders": {"X-Meta": found["helper"]},
        "proxies": {"default": {"httpProxy": found["auth"]}},
    }
    (home / ".docker/config.json").write_text(json.dumps(config))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{found['proxy']}@127.0.0.1:1")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {host: {"identitytoken": found["token"]}}}))
    monkeypatch.setenv("REGISTRYAUTH_USERNAME", "me")
    monkeypatch.setenv("REGISTRYAUTH_REGISTRY", "other.example.com")
    monkeypatch.setenv("REGISTRYAUTH_PASSWORD", found["environment"])
    monkeypatch.setenv("VAULT_TOKEN", found["vault"])
    return found


def test_no_secret_from_anywhere_is_in_the_bundle_or_on_the_terminal(cli, keep, served, home, monkeypatch, tmp_path, simulator):
    keep(served)
    found = canaries(home, served, monkeypatch)
    simulator.inject(faults.terminal_escapes("GET /v2/team/model/blobs/"))
    references = (f"{served}/team/model:v1", f"me:{found['url']}@{served}/team/model:v1", f"https://me:{found['url']}/x@{served}/y:v1", "")
    for number, reference in enumerate(references):
        for output in ("table", "json"):
            file = tmp_path / f"{number}{output}.zip"
            done = cli("doctor", *filter(None, [reference]), "-o", output, "--bundle", file, "--with-addresses")
            assert done.status in (0, 7)
            seen = done.out + done.err + b"".join(contents(file).values()).decode()
            for secret in (CANARY, *found.values()):
                assert secret not in seen
                for form in (secret, f"me:{secret}"):
                    assert base64.b64encode(form.encode()).decode().rstrip("=") not in seen
            assert "\x1b" not in seen


def test_the_search_would_find_what_it_searches_for(home, monkeypatch):
    """The canaries are where the doctor looks: in the variables and in docker's file."""
    found = canaries(home, "h.example.com", monkeypatch)
    there = (home / ".docker/config.json").read_text() + json.dumps(dict(os.environ))
    assert sum(secret in there for secret in found.values()) == 7 - 1


def test_nothing_is_written_beside_the_bundle(cli, keep, served, home, tmp_path):
    keep(served)
    before = {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "audit.log"}
    cli("doctor", "--bundle", tmp_path / "a.zip")
    assert {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "audit.log"} == before


def test_a_registry_that_lets_everybody_in_has_no_broken_link(cli):
    registry = RegistrySimulator(auth="none")
    registry.add_image("team/model", "v1")
    with registry.serve() as host:
        assert cli("doctor", f"{host}/team/model:v1").status == 0
