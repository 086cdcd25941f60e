"""What each target reads from its document: user name and password by the key that it looks for."""

from __future__ import annotations

import base64
import json
import re
import shlex
from urllib.parse import unquote

import yaml

from .conftest import login_in


def _auths(auths):
    return {key: login_in(auths, key) for key in auths}


def _kubernetes(manifest):
    return _auths(json.loads(base64.b64decode(manifest["data"][".dockerconfigjson"]))["auths"])


def _kustomize(text):
    (generator,) = yaml.safe_load(text)["secretGenerator"]
    (literal,) = generator["literals"]
    name, _, content = literal.partition("=")
    assert name == ".dockerconfigjson"
    # As kustomize trims the quotation marks of a value.
    return _auths(json.loads(content.strip("\"'"))["auths"])


def _entries(entries, address):
    return {entry[address]: (entry["username"], entry["password"]) for entry in entries}


def _flags(text):
    given = dict(word.split("=", 1) for word in shlex.split(text))
    return {given["--registry-login-server"]: (given["--registry-username"], given["--registry-password"])} if given else {}


def _app_service(text):
    given = {each["name"].removeprefix("DOCKER_REGISTRY_SERVER_"): each["value"] for each in json.loads(text)}
    return {given["URL"].removeprefix("https://"): (given["USERNAME"], given["PASSWORD"])} if given else {}


def _outputs(text):
    last = text.splitlines()[-1].partition(" >> ")[0]
    given = dict(word.split("=", 1) for word in shlex.split(last)[2:])
    return {given["registry"]: (given["username"], given["password"])}


def _sh(text):
    given = dict(shlex.split(line)[1].split("=", 1) for line in text.splitlines())
    return _variables(given)


def _powershell(text):
    """By PowerShell's grammar (language specification §2.3.5.2): in a verbatim string any two single quotes are one, and nothing else
    means anything."""
    quote = "['\u2018\u2019\u201a\u201b]"
    given = {}
    for line in text.splitlines():
        found = re.fullmatch(rf"\$env:([A-Z_]+) = {quote}((?:[^'\u2018\u2019\u201a\u201b]|{quote}{{2}})*){quote}", line)
        assert found, line
        given[found[1]] = re.sub(rf"({quote}){quote}", r"\1", found[2])
    return _variables(given)


def _fish(text):
    """By fish's grammar: in single quotes a backslash escapes itself and the quote, and nothing else means anything."""
    given = {}
    for line in text.splitlines():
        found = re.fullmatch(r"set -gx ([A-Z_]+) '((?:[^'\\]|\\['\\])*)'", line)
        assert found, line
        given[found[1]] = re.sub(r"\\(.)", r"\1", found[2])
    return _variables(given)


def _variables(given):
    names = (f"REGISTRYAUTH_{name}" for name in ("REGISTRY", "USERNAME", "PASSWORD"))
    host, username, password = (given[name] for name in names)
    return {host: (username, password)}


def _helm(text):
    given = yaml.safe_load(text)["imageCredentials"]
    return {given["registry"]: (given["username"], given["password"])} if given else {}


def _registry(given):
    return {given["address"]: (given["username"], given["password"])} if given["address"] else {}


def _connection(given, credentials):
    found = credentials(given)
    return {given["target"].removeprefix("https://"): (unquote(found["username"]), unquote(found["password"]))}


def _secrets(document):
    return {each["registry"]: (each["username"], each["password"]) for each in document["pull_secrets"] if each["type"] != "Anonymous"}


#: Of each format that holds a user name and password.
READERS = {
    "docker-config": lambda text: _auths(json.loads(text)["auths"]),
    "containers-auth": lambda text: _auths(json.loads(text)["auths"]),
    "kubernetes-secret": lambda text: _kubernetes(yaml.safe_load(text)),
    "kubernetes-secret-json": lambda text: _kubernetes(json.loads(text)),
    "kustomize": _kustomize,
    "helm-values": _helm,
    "iot-edge": lambda text: _entries(json.loads(text)["registryCredentials"].values(), "address"),
    "aci": lambda text: _entries(json.loads(text)["imageRegistryCredentials"], "server"),
    "aci-yaml": lambda text: _entries(yaml.safe_load(text)["imageRegistryCredentials"], "server"),
    "aci-az": _flags,
    "app-service": _app_service,
    "github-actions": _outputs,
    "gitlab-ci": lambda text: _auths(json.loads(text)["auths"]),
    "terraform": lambda text: _entries(json.loads(text)["registry_auth"], "address"),
    "env": _sh,
    "env-fish": _fish,
    "env-powershell": _powershell,
    "azureml-environment": lambda text: _registry(json.loads(text)["docker"]["baseImageRegistry"]),
    "azureml-inferenceconfig": lambda text: _registry(json.loads(text)["environment"]["docker"]["baseImageRegistry"]),
    "azureml-connection": lambda text: _connection(yaml.safe_load(text), lambda given: given["credentials"]),
    "azureml-connection-arm": lambda text: _connection(json.loads(text)["properties"], lambda given: given["credentials"]),
    "secret-json": lambda text: _secrets(json.loads(text)),
    "secret-yaml": lambda text: _secrets(yaml.safe_load(text)),
}
