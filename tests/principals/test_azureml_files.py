from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth import exports
from registryauth.credentials import Basic, Pinned
from registryauth.errors import ConfigurationError, InvalidReference
from registryauth.principals.azureml_files import looks_like_azureml, read_azureml
from registryauth.principals.candidate import Rules
from registryauth.resolver import Found, Resolver

CANARY = "canary~5c21"
APP = "0f5c2f6e-0000-4000-8000-000000000002"
IMAGE = "deploy.azurecr.io/team/model:v1"
REGISTRY = {"address": "deploy.azurecr.io", "username": APP, "password": CANARY}
RULES = Rules(1_800_000_000.0)


def given_as(document):
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()


def read(document):
    return read_azureml(given_as(document), "the file", RULES)


def connection(target="https://deploy.azurecr.io", username=APP, password=CANARY, **more):
    return json.dumps(
        {"name": "c", "type": "container_registry", "target": target, **more}
        | {"credentials": {"type": "username_password", "username": username, "password": password}}
    )


ARM = {
    "properties": {
        "category": "ContainerRegistry", "target": "https://deploy.azurecr.io", "authType": "UsernamePassword",
        "credentials": {"username": APP, "password": CANARY},
    }
}  # fmt: skip
YAML = f"""# a comment
$schema: https://azuremlschemas.azureedge.net/latest/connection.schema.json
name: deploy
type: container_registry
target: https://deploy.azurecr.io/
credentials:
  type: username_password
  username: {APP}
  password: "{CANARY}"
"""


@pytest.mark.parametrize(
    "document",
    [
        {"entryScript": "score.py", "baseImage": IMAGE, "baseImageRegistry": REGISTRY},
        {"entryScript": "score.py", "environment": {"name": "e", "docker": {"baseImage": IMAGE, "baseImageRegistry": REGISTRY}}},
        {"name": "e", "docker": {"enabled": True, "baseImage": IMAGE, "baseImageRegistry": REGISTRY}},
        {"name": "e", "docker": {"baseImage": "team/model:v1", "baseImageRegistry": REGISTRY}},
        ARM,
        YAML,
        connection("deploy.azurecr.io"),
    ],
)
def test_every_file_gives_its_registrys_service_principal(document):
    assert looks_like_azureml(given_as(document)) or document == connection("deploy.azurecr.io")
    ((candidate,), skipped) = read(document)
    found = candidate.principal
    assert (str(found.address), found.account, found.slots[0].secret) == ("deploy.azurecr.io", APP, CANARY)
    assert (found.kind, found.made_by, found.needed, skipped) == ("service-principal", "admin", ("pull",), [])
    assert CANARY not in repr(candidate)


@pytest.mark.parametrize(
    "document",
    [
        {"entryScript": "score.py"},
        {"baseImage": "mcr.microsoft.com/azureml/base:1", "baseImageRegistry": "mcr.microsoft.com"},
        {"docker": {"baseImage": IMAGE, "baseImageRegistry": {"address": None, "username": None, "password": None}}},
        {"docker": {"baseImage": IMAGE, "baseImageRegistry": REGISTRY | {"username": "0" * 8 + "-0000-0000-0000-" + "0" * 12}}},
        {"properties": ARM["properties"] | {"authType": "ManagedIdentity"}},
        "type: container_registry\ntarget: deploy.azurecr.io\ncredentials:\n  type: managed_identity\n  client_id: x\n",
    ],
)
def test_where_no_lasting_secret_is_that_is_said(document):
    found, (skipped,) = read(document)
    assert found == []
    assert skipped.reason


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"docker": {"baseImage": IMAGE, "baseImageRegistry": REGISTRY | {"address": ""}}}, "some of address"),
        ({"docker": {"baseImage": IMAGE, "baseImageRegistry": REGISTRY | {"password": None}}}, "some of address"),
        (
            {"docker": {"baseImage": IMAGE, "baseImageRegistry": REGISTRY | {"password": [CANARY]}}},
            "docker.baseImageRegistry.password must be",
        ),
        ({"docker": {"baseImage": IMAGE, "baseImageRegistry": REGISTRY | {"password": f"{CANARY}\n"}}}, "the file: baseImageRegistry: "),
        ({"docker": {"baseImage": "other.azurecr.io/x", "baseImageRegistry": REGISTRY}}, "the image is at other.azurecr.io"),
        ({"properties": ARM["properties"] | {"category": "Git"}}, "properties.category is 'Git'"),
        (YAML.replace("container_registry", "git"), "type is 'git'"),
        ({"auths": {}}, "no base image"),
        (f"type: container_registry\npassword: [{CANARY}\n", "is not YAML (line "),
        (f"type: container_registry\npassword: &a !!python/object:os.system {CANARY}\n", "is not YAML (line 2)"),
        (b"type: \xff".decode("latin-1") + CANARY, ""),
        ("[1, 2]", "must be an object"),
        ("x" * (4 * 1024 * 1024 + 1), "is larger than"),
    ],
)
def test_another_shape_is_refused_without_a_word_of_what_is_in_it(document, words):
    with pytest.raises(ConfigurationError) as caught:
        read(document)
    assert words in caught.value.message
    assert caught.value.hint
    raised = caught.value
    while raised is not None:
        assert CANARY not in f"{raised} {getattr(raised, 'hint', '')}"
        raised = raised.__cause__ or (None if raised.__suppress_context__ else raised.__context__)


def test_a_mistyped_registry_is_refused_and_one_that_the_configuration_names_is_taken():
    mistyped = {"docker": {"baseImage": "deploy.azureecr.io/x", "baseImageRegistry": REGISTRY | {"address": "deploy.azureecr.io"}}}
    with pytest.raises(InvalidReference, match="slip of the finger"):
        read(mistyped)
    (candidate,), _ = read_azureml(given_as(mistyped), "the file", RULES.replace(known=("deploy.azureecr.io",)))
    assert str(candidate.principal.address) == "deploy.azureecr.io"


@pytest.mark.parametrize(("written", "meant"), [("a%2Fb%40c", "a/b@c"), ("a+b", "a+b"), ("100%", "100%"), ("a%FFb", "a%FFb")])
def test_a_connections_secret_is_decoded_where_somebody_encoded_it(written, meant):
    (candidate,), _ = read(connection(password=written))
    assert candidate.principal.slots[0].secret == meant


def test_a_user_name_that_is_no_client_id_is_a_users():
    (candidate,), _ = read(connection(username="deploy"))
    assert (candidate.principal.kind, candidate.said) == ("user", ())
    (candidate,), _ = read(connection(target="https://registry.example:5000"))
    assert (candidate.principal.kind, str(candidate.principal.address)) == ("user", "registry.example:5000")


def pull_secret(credential):
    class Source:
        name = "test"

        def ask(self, repository):
            return Found("test", "", lambda: Pinned(credential, "test"))

    return Resolver([Source()]).resolve(IMAGE)


secrets = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


@pytest.mark.parametrize("form", ["azureml-environment", "azureml-inferenceconfig", "azureml-connection", "azureml-connection-arm"])
@given(username=st.from_regex(r"[A-Za-z0-9@%+/ -]{1,30}", fullmatch=True), password=secrets)
def test_what_we_write_we_read_again(form, username, password):
    text = exports.export([pull_secret(Basic(username, password))], form).text
    assert looks_like_azureml(text.encode())
    (candidate,), _ = read(text)
    assert (candidate.principal.account, candidate.principal.slots[0].secret) == (username, password)


@pytest.mark.parametrize(
    "text",
    ['{"auths": {"a": {}}}', "registry,client_id,secret\n", "[[principal]]\n", '{"auths": {}, "x": {"baseImage": ""}}', "type: git\n"],
)
def test_other_files_are_not_taken_for_one(text):
    assert not looks_like_azureml(text.encode())
