"""Images of a workspace that are named without their registry (``AzureML.DerivedImageName``), in every verb that takes an image."""

from __future__ import annotations

import json

import pytest
import typer

from registryauth.azure.wire import Wire
from registryauth.cli.app import command
from registryauth.testing.azure import AzureSimulator

from .conftest import CANARY

BUILT = "azureml/azureml_0123456789abcdef0123456789abcdef"
LAYER = b"a layer"


@pytest.fixture
def azure(monkeypatch):
    """Azure, with the workspaces ``prod`` and ``dev``; only the registry of ``dev`` has the image."""
    azure = AzureSimulator()
    app = azure.tenant().app("me")
    app.add_secret(value=CANARY)
    for role in ("Reader", "AcrPush", "Contributor"):
        azure.assign(app, role)
    monkeypatch.setattr("registryauth.azure.access.open_wire", lambda *_: Wire(azure.transport(), azure.transport()))
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda *_, **__: azure.transport())
    for name, value in (("TENANT_ID", azure.home.id), ("CLIENT_ID", app.app_id), ("CLIENT_SECRET", CANARY)):
        monkeypatch.setenv(f"AZURE_{name}", value)
    azure.workspace("prod", registry=azure.registry("prodacr", admin=True))
    azure.workspace("dev", registry=azure.registry("devacr", admin=True))
    return azure


@pytest.fixture
def images(azure):
    return next(each for each in azure.registries if each.name == "devacr").images


@pytest.fixture
def digest(images):
    return images.add_image(BUILT, "v1", layers=[LAYER])


@pytest.fixture(autouse=True)
def configured(azure, home):
    (home / ".config/registryauth").mkdir(parents=True, exist_ok=True)
    tables = [f'[workspaces.{one.name}]\nid = "{one.id}"\n' for one in azure.workspaces]
    (home / ".config/registryauth/config.toml").write_text("\n".join(tables))


def went_to(azure):
    """The registries that were asked for anything but their challenge and tokens."""
    return {request.url.origin.host for request in azure.requests if f"/v2/{BUILT}" in request.url.target}


@pytest.fixture
def argv(tmp_path, images, digest):
    """What to type, by verb, for a verb's words."""
    layer = next(each for each in images.shelf.blobs if images.shelf.blobs[each] == LAYER)
    (tmp_path / "file.json").write_text("{}")
    words = {
        "digest": [f"{BUILT}:v1"],
        "manifest get": [f"{BUILT}:v1"],
        "manifest head": [f"{BUILT}:v1"],
        "blob get": [f"{BUILT}@{layer}"],
        "blob head": [f"{BUILT}@{layer}"],
        "tag list": [BUILT],
        "referrers": [f"{BUILT}@{digest}"],
        "pull": [f"{BUILT}:v1", tmp_path / "image"],
        "copy": [f"{BUILT}:v1", f"{BUILT}:v2"],
        "artifact push": [f"{BUILT}:notes", tmp_path / "file.json", "--subject", f"{BUILT}@{digest}"],
        "manifest delete": [f"{BUILT}@{digest}"],
        "image facts": [f"{BUILT}:v1"],
    }
    return lambda verb: [*verb.split(), *words[verb]]


VERBS = ["digest", "manifest get", "manifest head", "blob get", "blob head", "tag list", "referrers", "pull", "copy", "artifact push"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_flag_says_whose_image_it_is(cli, azure, argv, verb):
    done = cli(*argv(verb), "--workspace", "dev")
    assert done.status == 0, done.err
    assert went_to(azure) == {"devacr.azurecr.io"}
    assert CANARY not in done.out + done.err


@pytest.mark.parametrize("verb", [*VERBS, "manifest delete", "image facts"])
def test_without_it_the_error_names_both_and_no_registry_is_asked(cli, azure, argv, verb):
    done = cli(*argv(verb))
    assert done.status == 2
    assert "devacr.azurecr.io (dev), prodacr.azurecr.io (prod)" in done.err
    assert "--workspace NAME" in done.err
    assert went_to(azure) == set()


def test_an_image_goes_from_one_workspace_to_another_by_its_full_name(cli, azure, digest):
    done = cli("copy", f"devacr.azurecr.io/{BUILT}:v1", f"{BUILT}:v1", "--workspace", "prod")
    assert (done.status, done.out) == (0, f"{digest}\n"), done.err
    assert cli("digest", f"{BUILT}:v1", "--workspace", "prod").out == f"{digest}\n"


def test_a_registry_that_is_written_is_the_one_whatever_the_flag_says(cli, azure, digest):
    assert cli("digest", f"devacr.azurecr.io/{BUILT}:v1", "--workspace", "prod").out == f"{digest}\n"


def test_a_subject_elsewhere_is_refused_still(cli, azure, digest, tmp_path):
    (tmp_path / "file.json").write_text("{}")
    done = cli("artifact", "push", f"{BUILT}:notes", tmp_path / "file.json", "--subject", f"ubuntu@{digest}", "--workspace", "dev")
    assert (done.status, "the subject must be in devacr.azurecr.io" in done.err) == (2, True)


def test_the_admin_user_takes_its_flag_everywhere(cli, azure, digest):
    assert cli("digest", f"{BUILT}:v1", "--workspace", "dev").status == 0
    assert not [request for request in azure.requests if "listKeys" in request.url.target]
    assert cli("digest", f"{BUILT}:v1", "--workspace", "dev", "--allow-admin-user").status == 0
    assert len([request for request in azure.requests if "listKeys" in request.url.target]) == 1


def test_the_doctor_walks_to_the_registry_that_the_flag_says(cli, azure, digest, monkeypatch):
    found = cli("doctor", f"{BUILT}:v1", "--workspace", "nobody")
    assert (found.status, "known there: prod, dev" in found.err) == (2, True)
    assert cli("doctor", "--workspace", "dev").status == 2
    # No name can be looked up: the step before is what counts.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    steps = json.loads(cli("doctor", f"{BUILT}:v1", "--workspace", "dev", "--output", "json").out)["steps"]
    assert [step["detail"] for step in steps if "registry of workspace dev" in step["detail"]]


def test_a_check_of_deploy_files_knows_such_images_too(cli, azure, tmp_path):
    (tmp_path / "ic.json").write_text(json.dumps({"entryScript": "score.py", "baseImage": f"{BUILT}:v1"}))
    assert cli("azureml", "check", "--ic", tmp_path / "ic.json").status == 2
    done = cli("azureml", "check", "--ic", tmp_path / "ic.json", "--workspace", "dev")
    assert (done.status, f"devacr.azurecr.io/{BUILT}:v1" in done.out) == (0, True), done.err


def test_no_verb_that_takes_an_image_forgets_the_flag():
    lacking = [name for name, verb in verbs(command()) if takes_an_image(verb) and "--workspace" not in options(verb)]
    assert lacking == []


#: A name there is a registry's, or names what is made or stored, or is never a workspace's by its nature.
ELSEWHERE = {"login", "setup", "principal", "azure", "logout", "list", "store", "audit", "whoami", "report", "config"}


def verbs(at, path=()):
    if not isinstance(at, typer.core.TyperGroup):
        yield " ".join(path), at
        return
    for name in at.list_commands(None):
        if path or name not in ELSEWHERE:
            yield from verbs(at.get_command(None, name), (*path, name))


def options(verb):
    return [text for each in verb.params for text in each.opts]


def takes_an_image(verb):
    said = [each.make_metavar(typer.Context(verb)) for each in verb.params if each.param_type_name == "argument"]
    return any(word in text for text in said for word in ("REFERENCE", "REPOSITORY", "FROM", "BLOB", "IMAGE"))
