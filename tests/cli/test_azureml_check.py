from __future__ import annotations

import json

import pytest

CANARY = "canary-d417"
PUBLIC = {"entryScript": "score.py", "baseImage": "mcr.microsoft.com/azureml/base:1", "baseImageRegistry": "mcr.microsoft.com"}
PRIVATE = {"baseImage": "myimage:1", "baseImageRegistry": {"address": "my.azurecr.io", "username": "me", "password": CANARY}}


@pytest.fixture
def check(cli, tmp_path):
    def check(inference, *options, deployment=None):
        (tmp_path / "ic.json").write_text(inference if isinstance(inference, str) else json.dumps(inference))
        if deployment is not None:
            (tmp_path / "dc.json").write_text(json.dumps(deployment))
            options = ("--dc", tmp_path / "dc.json", *options)
        return cli("azureml", "check", "--ic", tmp_path / "ic.json", *options)

    return check


def test_yes_is_status_0(check):
    done = check(PUBLIC, "--ct", "prod", deployment={"computeType": "aks"})
    assert (done.status, done.err) == (0, "")
    rows = dict(line.split("  ", 1) for line in done.out.splitlines())
    shown = {name: value.strip() for name, value in rows.items()}
    assert shown == {
        "WHAT": "VALUE",
        "base image": "mcr.microsoft.com/azureml/base:1",
        "registry": "public",
        "pulled by": "the workspace's image build",
        "can": "yes",
        "because": "mcr.microsoft.com is public and asks nobody",
        "deployed by": "the AKS cluster, from the workspace's registry (prod)",
    }


def test_no_is_status_7_and_says_what_to_do_instead(check):
    done = check(PRIVATE | {"baseImageRegistry": "my.azurecr.io"}, "--output", "json")
    assert done.status == 7
    shown = json.loads(done.out)
    assert (shown["version"], shown["can_pull"], shown["image"], shown["kind"]) == (1, False, "my.azurecr.io/myimage:1", "standalone")
    assert "Python SDK" in shown["advice"]


def test_the_password_in_the_file_is_not_shown(check):
    for options in ((), ("-o", "json"), ("-o", "yaml")):
        done = check(PRIVATE, *options)
        assert done.status == 0
        assert CANARY not in done.out + done.err


def test_the_configuration_says_which_registry_is_the_workspaces(check, home):
    (home / ".config/registryauth").mkdir(parents=True)
    (home / ".config/registryauth/config.toml").write_text('[registries."my.azurecr.io"]\nkind = "workspace"\n')
    assert check(PRIVATE | {"baseImageRegistry": None, "baseImage": "azureml/azureml_1"}).status == 0
    assert "workspace's own" in check(PRIVATE).out


@pytest.mark.parametrize(
    ("inference", "said"),
    [
        ("{", "is not JSON (line 1, column 2)"),
        (f'{{"baseImage": "{CANARY}', "is not JSON"),
        ('{"baseImage": 5}', "inferenceconfig.json: baseImage must be a string"),
        ('{"baseImage": "my.azurecr.io/my.azurecr.io/x"}', "the registry is written twice"),
        ('{"baseImage": "x:1 ", "baseImageRegistry": "my.azurecr.io"}', "white space"),
        ('{"baseImage": "azureml/x"}', "never looked for on Docker Hub"),
        (" " * 5_000_000, "is larger than"),
    ],
)
def test_a_file_that_makes_no_sense_is_status_2(check, inference, said):
    done = check(inference)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert CANARY not in done.err


def test_a_file_that_is_not_there_is_status_2(cli, tmp_path):
    done = cli("azureml", "check", "--ic", tmp_path / "none.json")
    assert (done.status, done.out) == (2, "")
    assert "none.json cannot be read: No such file or directory" in done.err
