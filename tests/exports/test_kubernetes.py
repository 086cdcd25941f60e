"""The Secret, the ServiceAccount's patch and the kustomization; tests/real/test_exports.py has them read by kubectl."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from registryauth.credentials import Anonymous, Basic
from registryauth.errors import ConfigurationError, CredentialError
from registryauth.exports import Options, export

from .conftest import login_in

CANARY = "canary-7f3a"


@pytest.fixture
def one(secret):
    return [secret("host.example/a", Basic("me", CANARY))]


@pytest.fixture
def none(secret):
    return [secret("mcr.microsoft.com/b", Anonymous()), secret("mcr.microsoft.com/a", Anonymous())]


def test_the_secret_is_a_whole_manifest(one):
    options = Options("pull", "prod", (("team", "ml"), ("example.com/owner", "me.too")))
    manifest = yaml.safe_load(export(one, "kubernetes-secret", options).text)
    data = manifest.pop("data")
    assert manifest == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "pull",
            "namespace": "prod",
            "labels": {"app.kubernetes.io/managed-by": "registryauth", "example.com/owner": "me.too", "team": "ml"},
        },
        "type": "kubernetes.io/dockerconfigjson",
    }
    assert list(data) == [".dockerconfigjson"]
    content = json.loads(base64.b64decode(data[".dockerconfigjson"], validate=True))
    assert list(content) == ["auths"]
    assert login_in(content["auths"], "host.example") == ("me", CANARY)


def test_json_and_yaml_say_the_same(one):
    assert json.loads(export(one, "kubernetes-secret-json").text) == yaml.safe_load(export(one, "kubernetes-secret").text)


def test_a_label_given_replaces_ours(one):
    given = Options(labels=(("app.kubernetes.io/managed-by", "argo"),))
    assert yaml.safe_load(export(one, "kubernetes-secret", given).text)["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "argo"}


def test_the_order_of_the_labels_does_not_change_the_document(one):
    labels = (("b", "1"), ("a", "2"))
    texts = {export(one, "kubernetes-secret", Options(labels=given)).text for given in (labels, labels[::-1])}
    assert len(texts) == 1


def test_for_public_images_the_secret_is_empty_and_says_why(none):
    document = export(none, "kubernetes-secret", Options("pull"))
    assert document.text.startswith("# no pull secret is needed for mcr.microsoft.com\n")
    manifest = yaml.safe_load(document.text)
    assert manifest["metadata"]["name"] == "pull"
    assert base64.b64decode(manifest["data"][".dockerconfigjson"]) == b'{"auths":{}}'
    assert json.loads(export(none, "kubernetes-secret-json", Options("pull")).text) == manifest


def test_the_patch_names_the_secret_and_says_that_it_replaces(one, none):
    assert export(one, "kubernetes-service-account").text.startswith("# takes the place of the account's list\n")
    assert yaml.safe_load(export(one, "kubernetes-service-account", Options("pull")).text) == {"imagePullSecrets": [{"name": "pull"}]}
    assert yaml.safe_load(export(none, "kubernetes-service-account").text) == {}


def test_the_kustomization_keeps_the_name_that_pods_refer_to(one):
    (generator,) = yaml.safe_load(export(one, "kustomize", Options("pull", "prod", (("a", "b"),))).text)["secretGenerator"]
    assert (generator["name"], generator["namespace"], generator["type"]) == ("pull", "prod", "kubernetes.io/dockerconfigjson")
    assert generator["options"] == {"disableNameSuffixHash": True, "labels": {"a": "b", "app.kubernetes.io/managed-by": "registryauth"}}


NAMED = ["kubernetes-secret", "kubernetes-secret-json", "kubernetes-service-account", "kustomize", "helm-values"]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("wrong", ["A", "a_b", "-a", "a-", "a..b", ".a", "a.", "a b", "ä", "a" * 254, "a\n", "a/b", "a\x1b[2J"])
def test_a_name_that_breaks_the_rules_is_refused_and_not_changed(one, name, wrong):
    with pytest.raises(ConfigurationError, match="is no name for a Kubernetes object") as caught:
        export(one, name, Options(name=wrong))
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("right", ["a", "0", "a-b.c-d", "a" * 253])
def test_a_name_that_keeps_them_stands_as_it_is(one, right):
    assert yaml.safe_load(export(one, "kubernetes-secret", Options(name=right)).text)["metadata"]["name"] == right


@pytest.mark.parametrize("wrong", ["A", "a.b", "-a", "a" * 64, "a\n"])
def test_a_namespace_that_breaks_the_rules_is_refused(one, wrong):
    with pytest.raises(ConfigurationError, match="is no name for a Kubernetes namespace"):
        export(one, "kubernetes-secret", Options(namespace=wrong))


@pytest.mark.parametrize(
    "label",
    [
        ("", "x"),
        ("a b", "x"),
        ("-a", "x"),
        ("a", "-x"),
        ("a", "x y"),
        ("a" * 64, "x"),
        ("a", "x" * 64),
        ("/a", "x"),
        ("A/a", "x"),
        ("a/b/c", "x"),
        ("a", "x\n"),
    ],
)
def test_a_label_that_breaks_the_rules_is_refused(one, label):
    with pytest.raises(ConfigurationError, match="is no label that Kubernetes takes"):
        export(one, "kubernetes-secret", Options(labels=(label,)))


@pytest.mark.parametrize(
    "label", [("a", ""), ("A_b.c-9", "x_Y.z-1"), ("example.com/a", "b"), ("a" * 63, "x" * 63), ("a", "yes"), ("a", "1")]
)
def test_a_label_that_keeps_them_stands_as_it_is(one, label):
    found = yaml.safe_load(export(one, "kubernetes-secret", Options(labels=(label,))).text)["metadata"]["labels"]
    assert found[label[0]] == label[1]


def test_a_label_twice_is_refused(one):
    with pytest.raises(ConfigurationError, match="a label is there twice"):
        export(one, "kubernetes-secret", Options(labels=(("a", "1"), ("a", "2"))))


@pytest.mark.parametrize("name", ["kubernetes-secret", "kubernetes-secret-json", "kustomize"])
def test_more_than_a_secret_holds_is_refused(secret, name):
    given = [secret(f"r{number}.example/a", Basic("me", "x" * 65_000)) for number in range(13)]
    with pytest.raises(CredentialError, match=r"that is 11\d{5} bytes, and a Kubernetes pull secret holds 1048576"):
        export(given, name)
    assert export(given[:10], name).secret


def test_a_user_name_with_a_colon_would_be_read_as_another(secret):
    with pytest.raises(CredentialError, match="colon"):
        export([secret("a.example/x", Basic("a:b", "x"))], "kubernetes-secret")
