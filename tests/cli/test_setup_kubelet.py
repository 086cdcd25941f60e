from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

import pytest
import yaml

from registryauth.setup.program import PROVIDER

CANARY = "canary-d417"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "credential-provider.yaml"


@pytest.fixture
def setup(cli, file):
    return lambda *argv: cli("setup", "kubelet", "--config", file, *argv)


def provider(file):
    [found] = [each for each in yaml.safe_load(file.read_text())["providers"] if each["name"] == PROVIDER]
    return found


def test_every_stored_registry_is_matched_and_the_flags_are_told(setup, keep, file):
    keep("registry.example/team")
    keep("other.example")
    done = setup()
    assert (done.status, done.out) == (0, "")
    assert provider(file)["matchImages"] == ["other.example", "registry.example/team"]
    assert f"Set up {PROVIDER} in {file}." in done.err
    assert f"  --image-credential-provider-config={file}\n" in done.err
    assert f"  --image-credential-provider-bin-dir={os.path.dirname(sys.executable)}\n" in done.err
    assert "root must own that file, the program and the store" in done.err


def test_it_is_seen_to_answer_with_what_the_kubelet_will_have(setup, keep, file):
    keep("registry.example/team")
    done = setup()
    assert f"{PROVIDER}, run as the kubelet will run it, answers for registry.example/team/any." in done.err
    assert CANARY not in done.err + file.read_text()
    assert "answers for" not in setup().err, "nothing was changed"
    assert "answers for" in setup("--prove").err


def test_what_the_kubelet_runs_finds_the_store_without_a_home(setup, keep, file):
    keep("registry.example")
    setup("--no-prove")
    environ = {each["name"]: each["value"] for each in provider(file)["env"]}
    request = {"apiVersion": provider(file)["apiVersion"], "kind": "CredentialProviderRequest", "image": "registry.example/x"}
    program = os.path.join(os.path.dirname(sys.executable), PROVIDER)
    done = subprocess.run([program], input=json.dumps(request).encode(), env=environ, capture_output=True, check=True)
    assert json.loads(done.stdout)["auth"]["registry.example/x"]["password"] == CANARY


def test_a_store_that_opens_here_and_not_for_the_kubelet_is_noticed(setup, cli, file, monkeypatch):
    key = base64.b64encode(bytes(32)).decode()
    monkeypatch.setenv("REGISTRYAUTH_STORE_KEY", "environment")
    monkeypatch.setenv("REGISTRYAUTH_MASTER_KEY", key)
    cli("principal", "add", "registry.example", "--client-id", "me", "--secret-stdin", "--no-verify", stdin=CANARY)
    done = setup()
    assert done.status == 1
    assert f"error: {PROVIDER}, run as the kubelet will run it, has no answer for registry.example/any" in done.err
    assert "REGISTRYAUTH_MASTER_KEY" in done.err, "the reason is told"
    assert key not in done.err + file.read_text()
    assert {"name": "REGISTRYAUTH_STORE_KEY", "value": "environment"} in provider(file)["env"]


def test_registries_may_be_named_wildcards_too_before_anything_is_stored(setup, file):
    done = setup("*.azurecr.io", "registry.example:5000", "--service-accounts")
    assert done.status == 0
    assert provider(file)["matchImages"] == ["*.azurecr.io", "registry.example:5000"]
    assert provider(file)["tokenAttributes"]["serviceAccountTokenAudience"] == "api://AzureADTokenExchange"
    assert "Nothing is stored for any of them yet" in done.err


def test_a_dry_run_shows_it_and_makes_nothing(setup, keep, file, tmp_path):
    keep("registry.example")
    (tmp_path / "bin").mkdir()
    done = setup("--dry-run", "--bin-dir", tmp_path / "bin")
    assert done.status == 0
    assert "+  - registry.example" in done.out.splitlines()
    assert f"Would link {tmp_path}/bin/{PROVIDER} to " in done.err
    assert not file.exists()
    assert os.listdir(tmp_path / "bin") == []


def test_the_program_is_linked_where_the_kubelet_has_its_own_and_all_is_taken_back(setup, keep, file, tmp_path):
    keep("registry.example")
    link = tmp_path / "bin" / PROVIDER
    link.parent.mkdir()
    file.write_text("apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: theirs # this one\n")
    before = file.read_text()
    done = setup("--bin-dir", link.parent)
    assert done.status == 0
    assert f"--image-credential-provider-bin-dir={link.parent}" in done.err
    assert os.access(link, os.X_OK)
    done = setup("--undo", "--bin-dir", link.parent)
    assert done.status == 0
    assert (file.read_text(), os.path.lexists(link)) == (before, False)
    assert f"Removed {link}." in done.err
    assert f"Nothing to change in {file}." in setup("--undo").err


def test_undo_of_one_registry_leaves_the_others(setup, file):
    setup("a.example", "b.example", "--no-prove")
    assert setup("a.example", "--undo").status == 0
    assert provider(file)["matchImages"] == ["b.example"]


@pytest.mark.parametrize("content", ["{not yaml", "kind: Pod\napiVersion: v1\n", "- x\n", "a: &x 1\nb: *x\n"])
@pytest.mark.parametrize("undo", [[], ["--undo"]])
def test_a_file_that_is_not_the_kubelets_is_left_as_it_was(setup, file, content, undo):
    file.write_text(content)
    done = setup("registry.example", *undo)
    assert done.status == 2
    assert "hint: " in done.err
    assert file.read_text() == content


def test_with_nothing_stored_and_nothing_named_there_is_nothing_to_set_up(setup, file):
    done = setup()
    assert done.status == 3
    assert "error: no registry is stored yet" in done.err
    assert not file.exists()


def test_a_directory_that_is_not_there_is_said(setup, file, tmp_path):
    done = setup("registry.example", "--bin-dir", tmp_path / "nowhere")
    assert done.status == 2
    assert "is no directory" in done.err
    assert not file.exists()


def test_undo_says_for_what_the_kubelet_asks_no_more(setup, file):
    setup("a.example", "b.example", "--no-prove")
    assert "The kubelet would ask it no more for a.example, b.example." in setup("--undo", "--dry-run").err
    done = setup("--undo")
    assert f"Removed {PROVIDER} in {file}." in done.err
    assert "The kubelet asks it no more for a.example, b.example." in done.err


def test_undo_of_one_registry_keeps_the_program_for_the_others(setup, file, tmp_path):
    link = tmp_path / "bin" / PROVIDER
    link.parent.mkdir()
    setup("a.example", "b.example", "--no-prove", "--bin-dir", link.parent)
    done = setup("a.example", "--undo", "--bin-dir", link.parent)
    assert f"Took registries out of {PROVIDER} in {file}." in done.err
    assert "The kubelet asks it no more for a.example." in done.err
    assert os.path.lexists(link)


def test_undo_of_what_the_kubelet_cannot_match_takes_out_nothing_else(setup, file):
    setup("a.example", "--no-prove")
    assert f"Nothing to change in {file}." in setup("[::1]", "--undo").err
    assert provider(file)["matchImages"] == ["a.example"]


def test_that_the_entry_led_to_another_store_is_said(setup, file, tmp_path, monkeypatch):
    setup("a.example", "--no-prove")
    assert "elsewhere" not in setup("b.example", "--no-prove").err
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", str(tmp_path / "other.db"))
    done = setup("c.example", "--no-prove")
    assert done.status == 0
    assert "warning: this leads every registry of the entry elsewhere than before: REGISTRYAUTH_STORE_PATH from " in done.err
    assert f"to {tmp_path}/other.db; --undo it first" in done.err
