"""The user name and password that a file of Azure Machine Learning holds for a standalone registry, as `exports` writes them.

Sources: those of `exports.azureml_inference` (``inferenceconfig.json``, of 2019 and later), `exports.azureml`
(``azureml_environment.json``) and `exports.azureml_v2` (a workspace connection's YAML, and its body for resource management).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from registryauth._json import MAX_JSON, Node, load_json
from registryauth._redact import printable
from registryauth.credentials import NULL_GUID, TOKEN_USERNAME
from registryauth.errors import ConfigurationError
from registryauth.exports import azureml_inference
from registryauth.exports.azureml_image import BaseImage, joined
from registryauth.principals.candidate import Candidate, Rules, Skipped
from registryauth.principals.refusals import refuse_unusable
from registryauth.reference import Address
from registryauth.registries import provider_of
from registryauth.stores.principal import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HINT = (
    "it is none of inferenceconfig.json, azureml_environment.json, a connection's YAML (type: container_registry) or its body for "
    "resource management"
)
#: What only such files have, in JSON and in YAML.
_JSON_MARK = rb'"(?:baseImage|baseImageRegistry|entryScript)"\s*:|"category"\s*:\s*"(?:Generic)?ContainerRegistry"'
_YAML_MARK = rb"^type:\s*[\"']?container_registry\b"
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def looks_like_azureml(head: bytes) -> bool:
    """Whether *head*, the first bytes of a file, are one of these files'."""
    if head.lstrip().startswith(b"{"):
        return b'"auths"' not in head and bool(re.search(_JSON_MARK, head))
    return bool(re.search(_YAML_MARK, head, re.MULTILINE))


def read_azureml(data: bytes, what: str, rules: Rules) -> tuple[list[Candidate], list[Skipped]]:
    """The credential in *data*, or why there is none; *what* names the file.

    A connection's user name and password are percent-decoded, as azure-ai-ml asks for them. Raise `ConfigurationError` for another
    shape, for some of address, user name and password without the others, and for what no registry can be sent; no value is quoted.
    """
    if len(data) > MAX_JSON:
        raise ConfigurationError(f"{what} is larger than the {MAX_JSON} bytes allowed", file=what, hint="is it the right file?")
    document = load_json(data, what) if data.lstrip().startswith(b"{") else _yaml(data, what)
    found, place = _said(document, what)
    if found is None or not (found.username or found.password):
        return [], [Skipped(place, "it has no user name and password: the workspace pulls as itself, or nobody has to")]
    if found.is_partial:
        raise ConfigurationError(
            f"{what}: {place} has some of address, user name and password, and not all", file=what, hint="all three, or none"
        )
    if found.username in (NULL_GUID, TOKEN_USERNAME):
        return [], [Skipped(place, "a token of some hours is no principal")]
    try:
        refuse_unusable(found.username, found.password)
    except ConfigurationError as error:
        raise ConfigurationError(f"{what}: {place}: {error.message}", file=what, hint=error.hint) from None
    if found.image:
        # Raises where both name different registries.
        joined(found.image, found.address, known=rules.known)
    address = Address(Address.parse(found.address, known=rules.known).registry)
    kind = _kind(found.username, address)
    principal = rules.principal(address, found.username, Slot(found.password, int(rules.now)), kind=kind)
    return [Candidate(place, principal, ("kind",) if kind != "user" else ())], []


def _said(document: Any, what: str) -> tuple[BaseImage | None, str]:  # noqa: ANN401 - JSON
    """What *document* says of the registry, and where."""
    top = Node(document, what)
    keys = {key for key, _ in top.fields()}
    if "properties" in keys:
        return _of_arm(top.field("properties")), "properties"
    if keys >= {"type", "target"}:
        return _of_yaml(top), "credentials"
    if not keys & {"environment", "docker", "baseImage", "baseImageRegistry", "entryScript"}:
        raise ConfigurationError(f"{what} names no base image and no registry", file=what, hint=_HINT)
    return azureml_inference.read(document, what), "baseImageRegistry"


def _of_arm(properties: Node) -> BaseImage | None:
    _require(properties.field("category"), "ContainerRegistry", "GenericContainerRegistry")
    if properties.field("authType").text() != "UsernamePassword":
        return None
    return _login(properties.field("target"), properties.field("credentials"))


def _of_yaml(top: Node) -> BaseImage | None:
    _require(top.field("type"), "container_registry")
    credentials = top.field("credentials")
    if credentials.field("type").text() != "username_password":
        return None
    return _login(top.field("target"), credentials)


def _login(target: Node, credentials: Node) -> BaseImage:
    username, password = (_decoded(credentials.field(name).text()) for name in ("username", "password"))
    return BaseImage("", target.text(), username, password)


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        # Nobody encoded that.
        return text


def _require(node: Node, *wanted: str) -> None:
    if node.text() not in wanted:
        said = printable(node.text(), 60)
        raise ConfigurationError(
            f"{node.what}: {node.path} is {said!a}, which is no container registry's", file=node.what, key=node.path, hint=_HINT
        )


def _kind(account: str, address: Address) -> str:
    """A client id is a GUID; anybody else is called by a name that says nothing."""
    of_azure = provider_of(address.registry).name == "acr"
    return "service-principal" if of_azure and re.fullmatch(_GUID, account) else "user"


def _yaml(data: bytes, what: str) -> Any:  # noqa: ANN401 - what the file holds
    import yaml

    line = 0
    try:
        return yaml.safe_load(data.decode("utf-8"))
    except UnicodeDecodeError:
        fault = "is not UTF-8"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        fault = f"is not YAML (line {line})"
    except (RecursionError, ValueError):
        fault = "is not YAML that can be read"
    # Raised out here: the parser's own error quotes the file.
    raise ConfigurationError(f"{what} {fault}", file=what, line=line, hint="correct it, and import it again")
