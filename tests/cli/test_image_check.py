from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from registryauth.digest import Digest
from registryauth.testing.file_systems import add_base_image, add_file_system, layer_of

from .conftest import CANARY

REFERENCE = "r.example/team/base:v1"
PAGE = Path(__file__).parent.parent.parent / "docs/image-check.md"


@pytest.fixture
def base(online, keep):
    """The how-to's image, in a registry that one account may read."""
    keep("r.example")
    return add_base_image(online, "team/base", "v1")


def test_an_image_that_meets_the_profile_is_exit_0_with_a_row_for_each_rule(cli, base):
    done = cli("image", "check", REFERENCE, "--profile", "azureml-2019")
    assert done.status == 0
    rows = [re.split(" {2,}", line) for line in done.out.splitlines()]
    assert rows[0] == ["RULE", "REQUIRED", "FOUND", "STATUS", "LAYER"]
    assert [row[:4] for row in rows[1:]] == [
        ["image_type", "docker or oci", "oci", "pass"],
        ["os", "Ubuntu 16.04+", "ubuntu 16.04", "pass"],
        ["conda", "4.5.#+", "4.5.12", "pass"],
        ["python", "3.5.# or 3.6.#", "3.6.8", "pass"],
    ]
    assert done.err == "Read 30.6 KiB of 30.6 KiB: 3 of 3 layers whole and verified.\n"
    assert CANARY not in done.out + done.err


def test_of_five_gigabytes_it_reads_what_is_on_top_and_says_how_much_that_was(cli, load, online, keep):
    """The layer at the bottom is not there at all: a byte of it that was asked for would be an error."""
    keep("r.example")
    five, below = 5 * 1024**3, f"sha256:{'5' * 64}"
    top = layer_of({"etc/os-release": b"ID=ubuntu\nVERSION_ID=18.04\n", "bin/sh": b"\x7fELF", "big": bytes(2_000_000)})
    described = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [below, str(Digest.of(top))]}}
    config, media_type = json.dumps(described).encode(), "application/vnd.oci.image.manifest.v1+json"
    layer_type = "application/vnd.oci.image.layer.v1.tar"
    config_row = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(Digest.of(config)), "size": len(config)}
    top_row = {"mediaType": layer_type, "digest": str(Digest.of(top)), "size": len(top)}
    below_row = {"mediaType": layer_type, "digest": below, "size": five}
    for blob in (config, top):
        online.add_blob(blob)
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config_row, "layers": [below_row, top_row]}
    online.shelf.add_manifest("team/base", media_type, json.dumps(manifest).encode(), tag="v1")
    (Path(os.environ["HOME"]) / ".config/registryauth").mkdir(parents=True, exist_ok=True)
    (Path(os.environ["HOME"]) / ".config/registryauth/config.toml").write_text('[profiles.mine]\nos = "Ubuntu 18.04+"\nshell = "/bin/sh"\n')
    done = cli("image", "check", REFERENCE, "--profile", "mine")
    assert done.status == 0, done.err
    assert re.fullmatch(r"Read 1\.9 MiB of 5\.0 GiB: 1 of 2 layers whole and verified\.\n", done.err), done.err
    read = load("image", "check", REFERENCE, "--profile", "mine")["read"]
    assert (read["bytes"] < 2 * 1024**2, read["of"] > five) == (True, True)


def test_one_that_does_not_is_exit_7_and_each_rule_is_named_on_stderr(cli, base):
    done = cli("image", "check", REFERENCE, "--profile", "azureml-2021")
    assert done.status == 7
    assert "fail" in done.out
    assert "error: r.example/team/base:v1 does not meet azureml-2021:\n  os: Ubuntu 18.04+ is required, ubuntu 16.04" in done.err
    assert "hint: " in done.err


def test_the_document_has_a_fixed_top_level_and_whole_digests(cli, load, base):
    document = load("image", "check", REFERENCE, "--profile", "azureml-2019")
    assert list(document) == [
        "version",
        "reference",
        "digest",
        "manifest",
        "platform",
        "image_type",
        "read",
        "layers",
        "profile",
        "met",
        "rules",
    ]
    assert (document["version"], document["reference"], document["digest"], document["met"]) == (1, REFERENCE, str(base), True)
    assert document["profile"]["name"] == "azureml-2019"
    python = document["rules"][-1]
    assert (python["rule"], python["required"], python["found"], python["status"]) == ("python", "3.5.# or 3.6.#", "3.6.8", "pass")
    assert python["evidence"][0]["layer"] == document["layers"][2]["digest"]
    assert python["evidence"][0]["created_by"] == "RUN conda install -y conda=4.5.12 python=3.6"
    assert {layer["state"] for layer in document["layers"]} == {"verified"}
    done = cli("image", "check", REFERENCE, "--profile", "azureml-2019", "--output", "yaml")
    assert yaml.safe_load(done.out) == document


def test_the_document_is_printed_where_the_answer_is_no_too(cli, base):
    done = cli("image", "check", REFERENCE, "--profile", "azureml-2021", "--output", "json")
    assert (done.status, json.loads(done.out)["met"]) == (7, False)


def test_a_quick_look_that_settles_nothing_is_exit_7_and_says_unconfirmed(cli, base, monkeypatch):
    monkeypatch.setattr("registryauth.inspection.limits.QUICK", 100)
    done = cli("image", "check", REFERENCE, "--profile", "azureml-2019", "--quick", "--output", "json")
    document = json.loads(done.out)
    assert (done.status, document["met"]) == (7, None)
    assert [rule["status"] for rule in document["rules"]] == ["pass", "unconfirmed", "unconfirmed", "unconfirmed"]
    assert document["layers"][2]["state"] == "read in part: not verified"
    assert "0 of 3 layers whole and verified, 1 in part, which is not verified." in done.err
    assert "is not known to meet azureml-2019" in done.err
    assert "without --quick" in done.err


def test_a_quick_look_that_settles_everything_is_exit_0(cli, base):
    assert cli("image", "check", REFERENCE, "--profile", "azureml-2019", "--quick").status == 0


def test_every_fact_is_shown(cli, load, base):
    document = load("image", "facts", REFERENCE)
    assert {row["fact"]: row["found"] for row in document["facts"]} == {
        "image_type": "oci", "architecture": "amd64", "os": "ubuntu 16.04", "conda": "4.5.12", "python": "3.6.8", "pythons": "3.6.8",
        "shell": "/bin/sh -> /bin/dash",
    }  # fmt: skip
    done = cli("image", "facts", REFERENCE)
    assert (done.status, done.out.splitlines()[0].split()) == (0, ["FACT", "FOUND", "STATUS", "LAYER"])


@pytest.fixture
def configured(home):
    def configured(text):
        path = home / ".config/registryauth/config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return configured


def test_a_profile_of_ones_own_is_used_by_its_name(cli, base, configured):
    configured('[profiles.mine]\npython = "3.6+"\nshell = "/bin/bash"\n')
    done = cli("image", "check", REFERENCE, "--profile", "mine")
    assert done.status == 7
    assert "shell: /bin/bash is required, none was found: fail" in done.err


@pytest.mark.parametrize(
    ("text", "argv", "words"),
    [
        ("", ["--profile", "azureml-2109"], "there is no profile azureml-2109"),
        ('[profiles.mine]\n\npython = ">=3.6"\n', ["--profile", "mine"], 'config.toml, line 3: profiles."mine".python must be a version'),
        ('[profiles.mine]\npyton = "3.6"\n', ["--profile", "mine"], "did you mean python?"),
        ("", [], "Missing option '--profile'"),
    ],
)
def test_a_mistake_is_exit_2_before_anything_is_asked(cli, base, online, configured, text, argv, words):
    configured(text)
    done = cli("image", "check", REFERENCE, *argv)
    assert done.status == 2
    assert words in done.err
    assert online.requests == []


def test_what_is_no_platform_is_refused_before_anything_is_asked(cli, base, online):
    for verb in (["check", REFERENCE, "--profile", "azureml-2019"], ["facts", REFERENCE]):
        done = cli("image", *verb, "--platform", "linux")
        assert done.status
        assert "'linux' is not a platform" in done.err
    assert online.requests == []


def test_an_image_that_is_not_there_is_exit_3(cli, base):
    assert cli("image", "check", "r.example/team/base:v2", "--profile", "azureml-2019").status == 3
    assert cli("image", "check", REFERENCE, "--profile", "azureml-2019", "--platform", "linux/arm64").status == 3


def test_a_damaged_layer_is_exit_1_and_named(cli, base, online):
    add_file_system(online, "team/base", "v2", [("RUN a", b"a layer")])
    done = cli("image", "facts", "r.example/team/base:v2")
    assert done.status == 1
    assert re.search(r"error: layer 1 of 1, sha256:[0-9a-f]{64}: its tar is cut short\nhint: ", done.err)


def test_what_an_image_says_of_itself_moves_no_cursor(cli, base, online):
    evil = "RUN \x1b[2J\u202e" + "x" * 500
    release = b'ID="\x1b[31m"\nVERSION_ID=1\n'
    add_file_system(online, "team/base", "v2", [(evil, layer_of({"etc/os-release": "a\x1b[2J", "etc/a\x1b[2J": release}))])
    for argv in (["facts", "r.example/team/base:v2"], ["check", "r.example/team/base:v2", "--profile", "azureml-2021"]):
        for form in ("table", "json", "yaml"):
            done = cli("image", *argv, "--output", form)
            for text in (done.out, done.err):
                assert "\x1b" not in text
                assert "\u202e" not in text


def test_the_grammar_and_the_python_that_the_page_shows_work(home, configured, base, online, capsysbinary, cli):
    page = PAGE.read_text()
    (table,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    configured(table)
    assert cli("image", "check", REFERENCE, "--profile", "team-base").status == 7
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(block.replace("myregistry.azurecr.io", "r.example"), "image-check.md", "exec"), {})
    assert b"('python', '3.6.8')" in capsysbinary.readouterr().out
