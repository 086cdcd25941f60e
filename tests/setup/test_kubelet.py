from __future__ import annotations

import os

import pytest
import yaml

from registryauth.config import load, user_file
from registryauth.errors import ConfigurationError
from registryauth.reference import Address
from registryauth.setup import apply, kubelet
from registryauth.setup.program import PROVIDER

CANARY = "canary-44de"
OTHER = """\
# Written by hand.
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  # Amazon's
  - name: ecr-credential-provider
    matchImages: ["*.dkr.ecr.*.amazonaws.com"]   # all of them
    defaultCacheDuration: 12h
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [--token, canary-44de]
    env:
      - {name: SECRET, value: canary-44de}
    unknown: {deep: [1, two]}
# The end.
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "credential-provider.yaml"


@pytest.fixture
def plan(file):
    def plan(*patterns, env=None, **how):
        return kubelet.plan(patterns, env or {}, str(file), **how)

    return plan


def providers(file):
    return yaml.safe_load(file.read_text())["providers"]


def test_a_new_file_has_what_the_kubelet_requires_and_nothing_else(plan, file):
    change = plan("b.example", "a.example/team", env={"REGISTRYAUTH_CONFIG": "/etc/r.toml"})
    assert (change.before, change.keys) == (None, (PROVIDER,))
    apply(change)
    assert yaml.safe_load(file.read_text()) == {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "providers": [
            {
                "name": PROVIDER,
                "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
                "matchImages": ["a.example/team", "b.example"],
                "defaultCacheDuration": "10m0s",
                "env": [{"name": "REGISTRYAUTH_CONFIG", "value": "/etc/r.toml"}],
            }
        ],
    }


def test_service_accounts_are_asked_for_with_all_that_validation_wants(plan, file):
    apply(plan("*.azurecr.io", service_accounts=True))
    assert providers(file)[0]["tokenAttributes"] == {
        "serviceAccountTokenAudience": "api://AzureADTokenExchange",
        "cacheType": "ServiceAccount",
        "requireServiceAccount": False,
        "optionalServiceAccountAnnotationKeys": ["kubernetes.azure.com/acr-client-id", "kubernetes.azure.com/acr-tenant-id"],
    }


def test_other_providers_and_comments_stay_byte_for_byte_and_undo_gives_the_file_back(plan, file):
    file.write_text(OTHER)
    apply(plan("a.example"))
    head = OTHER.removesuffix("# The end.\n")
    assert file.read_text().startswith(head + f"  - name: {PROVIDER}\n")
    assert file.read_text().endswith("# The end.\n")
    assert [each["name"] for each in providers(file)] == ["ecr-credential-provider", PROVIDER]
    apply(kubelet.undo(file=str(file)))
    assert file.read_text() == OTHER


def test_a_second_time_adds_to_it_and_keeps_what_a_person_changed(plan, file):
    apply(plan("a.example/team", env={"REGISTRYAUTH_STORE_PATH": "/old", "REGISTRYAUTH_AUDIT_FILE": "/a"}, service_accounts=True))
    text = file.read_text().replace("10m0s", "1h0m0s").replace("  env:\n", "  env:\n  - name: TZ\n    value: UTC\n")
    file.write_text(text + "  args:\n  - --flag\n")
    apply(plan("a.example", "b.example", env={"REGISTRYAUTH_STORE_PATH": "/new"}))
    [ours] = providers(file)
    assert ours["matchImages"] == ["a.example", "b.example"]
    assert (ours["defaultCacheDuration"], ours["args"]) == ("1h0m0s", ["--flag"])
    assert "tokenAttributes" in ours
    assert ours["env"] == [
        {"name": "TZ", "value": "UTC"},
        {"name": "REGISTRYAUTH_STORE_PATH", "value": "/new"},
        {"name": "REGISTRYAUTH_AUDIT_FILE", "value": "/a"},
    ]
    inode = file.stat().st_ino
    change = plan("b.example", env={"REGISTRYAUTH_STORE_PATH": "/new"})
    assert not change.needed
    apply(change)
    assert file.stat().st_ino == inode


def test_ours_between_others_is_replaced_in_its_place(plan, file):
    body = "- name: a\n  matchImages: [x]\n\n# ours\n- name: {}\n  matchImages:\n  - old.example\n\n# last\n- name: z\n  matchImages: [y]\n"
    head = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n"
    file.write_text(head + body.format(PROVIDER))
    apply(plan("new.example"))
    assert [each["name"] for each in providers(file)] == ["a", PROVIDER, "z"]
    text = file.read_text()
    assert text.startswith(head + "- name: a\n  matchImages: [x]\n\n# ours\n- name: registryauth")
    assert text.endswith("\n\n# last\n- name: z\n  matchImages: [y]\n")
    apply(kubelet.undo(["old.example"], str(file)))
    assert providers(file)[1]["matchImages"] == ["new.example"]
    assert not kubelet.undo(["old.example"], str(file)).needed


@pytest.mark.parametrize(
    "content",
    [
        '{"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [{"name": "x", "u": 1}]}',
        "{apiVersion: kubelet.config.k8s.io/v1, kind: CredentialProviderConfig, providers: [{name: x, u: 1}]}",
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: [{name: x, u: 1}]\n",
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n-\n  name: x\n  u: 1",
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- {name: x, u: 1}",
        "providers:\n- name: x\n  u: |\n    1\n\n\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: CredentialProviderConfig\n",
    ],
)
def test_however_it_is_laid_out_the_others_stay_what_they_are(plan, file, content):
    before = yaml.safe_load(content)
    file.write_text(content)
    apply(plan("a.example"))
    after = yaml.safe_load(file.read_text())
    assert after["providers"][0] == before["providers"][0]
    assert after["providers"][1]["matchImages"] == ["a.example"]
    assert {key: after[key] for key in ("apiVersion", "kind")} == {key: before[key] for key in ("apiVersion", "kind")}
    apply(kubelet.undo(file=str(file)))
    assert yaml.safe_load(file.read_text()) == before


def test_a_file_that_is_json_stays_json(plan, file):
    file.write_text('{"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": []}')
    apply(plan("a.example"))
    assert file.read_text().startswith("{\n")


@pytest.mark.parametrize(
    "content",
    [
        b"a: [",
        b"- x",
        b"just text",
        b"\xff",
        b"apiVersion: v1\nkind: Pod",
        b"apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration",
        b"apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: {a: 1}",
        b"apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: [canary-44de]",
        b"---\napiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n---\n{}",
        b"apiVersion: &a kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: []\nx: *a",
        b"!!python/object/apply:os.system [id]",
        b"[" * 5000,
        b"#" * 300_000,
        f"apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: [{{name: {PROVIDER}, matchImages: x}}]".encode(),
        f"apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: [{{name: {PROVIDER}, env: [1]}}]".encode(),
    ],
)
def test_what_the_kubelet_would_not_read_is_refused_and_left_alone(plan, file, content):
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        apply(plan("a.example"))
    assert caught.value.hint
    assert CANARY not in str(caught.value)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_nested_deeper_than_the_types_go_is_given_up_early(plan, file):
    file.write_text("apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nx: " + "[" * 40 + "]" * 40)
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        plan("a.example")


def test_an_older_file_knows_no_service_accounts(plan, file):
    file.write_text(OTHER.replace("k8s.io/v1\nkind", "k8s.io/v1beta1\nkind"))
    with pytest.raises(ConfigurationError, match="knows no tokens of service accounts") as caught:
        plan("a.example", service_accounts=True)
    assert "apiVersion: kubelet.config.k8s.io/v1" in caught.value.hint


def test_the_diff_shows_ours_and_no_secret_of_anybody(plan, file):
    file.write_text(
        OTHER + f"  - name: {PROVIDER}\n    matchImages: [b.example]\n    env:\n    - name: VAULT_TOKEN\n      value: {CANARY}\n"
    )
    diff = plan("a.example", env={"REGISTRYAUTH_STORE_PATH": "/s.db"}).diff()
    assert "+  - a.example" in diff.splitlines()
    assert "+    value: /s.db" in diff.splitlines()
    assert CANARY not in diff


def test_when_nothing_is_left_it_is_said_that_the_kubelet_would_not_start(plan, file):
    apply(plan("a.example"))
    change = kubelet.undo(file=str(file))
    [warning] = change.warnings
    assert "the kubelet refuses such a file" in warning
    apply(change)
    assert providers(file) == []
    assert not kubelet.undo(file=str(file)).needed


def test_undo_of_a_file_that_is_not_there_makes_none(file):
    change = kubelet.undo(file=str(file))
    apply(change)
    assert not change.needed
    assert not file.exists()


def addresses(*texts):
    return [Address.parse(text, wildcard=True) for text in texts]


def test_patterns_are_the_addresses_in_the_kubelets_words():
    held = addresses("host.example:5000", "*.example.com", "docker.io/team", "a.example/x/y", "127.0.0.1:5000", "[::1]:5000")
    patterns, warnings = kubelet.match_images(held)
    assert patterns == ["*.example.com", "127.0.0.1:5000", "[::1]:5000", "a.example/x/y", "docker.io/team", "host.example:5000"]
    assert warnings == ()


def test_a_path_goes_without_saying_where_the_whole_registry_is_there():
    assert kubelet.match_images(addresses("a.example", "a.example/team", "a.example:5000/team"))[0] == ["a.example", "a.example:5000/team"]


def test_what_the_kubelet_cannot_match_is_left_out_and_said():
    patterns, [warning] = kubelet.match_images(addresses("[::1]", "a.example"))
    assert patterns == ["a.example"]
    assert "cannot match [::1]" in warning


class TestVariables:
    def of(self, environ):
        config = load(environ, system_file="/nonexistent")
        return kubelet.variables(config, environ, user_file(environ))

    def test_what_follows_from_home_is_written_out(self, home):
        assert self.of({"HOME": str(home)}) == {
            "REGISTRYAUTH_STORE_PATH": f"{home}/.local/share/registryauth/store.db",
            "REGISTRYAUTH_STORE_KEY_FILE": f"{home}/.config/registryauth/store.key",
            "XDG_STATE_HOME": f"{home}/.local/state",
        }

    def test_a_file_of_the_users_is_named_and_what_it_says_is_not_repeated(self, home):
        file = home / ".config/registryauth/config.toml"
        file.parent.mkdir(parents=True)
        file.write_text('[store]\npath = "/elsewhere.db"\n')
        found = self.of({"HOME": str(home)})
        assert found["REGISTRYAUTH_CONFIG"] == str(file)
        assert "REGISTRYAUTH_STORE_PATH" not in found

    def test_choices_of_the_shell_are_kept_and_secrets_are_not(self, home, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        secrets = ("REGISTRYAUTH_MASTER_KEY", "REGISTRYAUTH_PASSWORD", "REGISTRYAUTH_PASSPHRASE", "VAULT_TOKEN")
        found = self.of(
            {"HOME": str(home), "REGISTRYAUTH_STORE_PATH": "s.db", "REGISTRYAUTH_STORE_BACKEND": "vault", "VAULT_ADDR": "https://v.example"}
            | dict.fromkeys(secrets, CANARY)
        )
        assert found["REGISTRYAUTH_STORE_PATH"] == str(tmp_path / "s.db")
        assert (found["REGISTRYAUTH_STORE_BACKEND"], found["VAULT_ADDR"]) == ("vault", "https://v.example")
        assert CANARY not in str(found)


class TestPlace:
    @pytest.fixture
    def python(self, tmp_path):
        """An interpreter with our provider beside it."""
        program = tmp_path / "venv/bin" / PROVIDER
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        return str(program.parent / "python")

    @pytest.fixture
    def bin_dir(self, tmp_path):
        (tmp_path / "bin").mkdir()
        return str(tmp_path / "bin")

    def test_without_a_directory_it_is_where_it_is_installed(self, python):
        assert kubelet.place("", python) == (os.path.join(os.path.dirname(python), PROVIDER), "")

    def test_a_link_is_made_once_and_taken_back(self, python, bin_dir):
        path, program = kubelet.place(bin_dir, python)
        assert program == os.path.join(os.path.dirname(python), PROVIDER)
        kubelet.link(path, program)
        assert os.path.realpath(path) == program
        assert kubelet.place(bin_dir, python) == (path, "")
        assert kubelet.unlink(bin_dir, python) == path
        assert os.listdir(bin_dir) == []
        assert kubelet.unlink(bin_dir, python) == ""

    def test_what_is_not_ours_stays(self, python, bin_dir, tmp_path):
        theirs = tmp_path / "bin" / PROVIDER
        theirs.write_text("theirs")
        with pytest.raises(ConfigurationError, match="is another program"):
            kubelet.place(bin_dir, python)
        assert kubelet.unlink(bin_dir, python) == ""
        assert theirs.read_text() == "theirs"

    @pytest.mark.parametrize(("directory", "said"), [("nowhere", "is no directory"), ("", "is not beside")])
    def test_what_is_missing_is_said(self, python, tmp_path, directory, said):
        interpreter = python if directory else str(tmp_path / "python")
        with pytest.raises(ConfigurationError, match=said):
            kubelet.place(directory and str(tmp_path / directory), interpreter)


def test_what_others_may_write_to_is_warned_of(tmp_path):
    open_to_all, mine = tmp_path / "a", tmp_path / "b"
    for path in (open_to_all, mine):
        path.write_text("")
        path.chmod(0o755)
    open_to_all.chmod(0o777)
    said = kubelet.permissions([str(open_to_all), str(mine), str(tmp_path / "none")], user=0)
    assert any(f"may write to {open_to_all}" in line for line in said)
    assert (f"may write to {mine}" in "".join(said)) is (os.geteuid() != 0)
    assert "you are user 1000" in kubelet.permissions([], user=1000)[0]
