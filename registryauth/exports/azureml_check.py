"""Who pulls a v1 deployment's base image, and whether they can, from its files alone: no registry is asked.

Sources: Microsoft Learn "Deploy a model using a custom Docker base image" (the workspace's registry and public ones need no
authentication; the ML CLI cannot use standalone private ones), "Deployment configuration schema" (``computeType``); azureml-core
1.61 ``azureml/core/webservice/local.py`` (``_login_to_registry``).
"""

from __future__ import annotations

from registryauth._json import Node
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.exports import azureml_inference
from registryauth.exports.azureml_image import joined
from registryauth.registries import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from registryauth.exports.azureml_image import BaseImage
    from registryauth.reference import Reference
    from registryauth.registries import Classification

DEPLOYMENT_FILE = "deploymentconfig.json"
#: ``computeType``, and who starts the image that was built.
_TARGETS = {
    "local": "docker on this machine",
    "aci": "Azure Container Instances, from the workspace's registry",
    "aks": "the AKS cluster, from the workspace's registry",
}
_BUILDER = "the workspace's image build"


class Verdict(Value):
    """Whether the base image can be pulled, by whom and why; *advice* says what to do where it cannot, or what to mind.

    *image* and *kind* are empty where the files name no base image. *deployed* is who pulls the image that is built from it,
    empty where no deployment configuration says.
    """

    can: bool
    image: str
    kind: str
    puller: str
    why: str
    deployed: str = ""
    advice: str = ""


def check(
    inference: object,
    deployment: object = None,
    compute_target: str = "",
    *,
    classify: Callable[[Reference], Classification],
    known: Collection[str] = (),
) -> Verdict:
    """The verdict on *inference* and *deployment*, two JSON documents as `load_json` gives them, and the name after ``--ct``.

    *classify* says what a registry is, *known* is as `Reference.parse` takes it. Raise `ConfigurationError` naming the field for
    another shape, and `InvalidReference` for what is no image or address.
    """
    kind = _compute_type(deployment)
    deployed = _TARGETS.get(kind, "")
    if kind == "aks" or (not kind and compute_target):
        deployed = f"{_TARGETS['aks']} ({printable(compute_target, 80)})" if compute_target else _TARGETS["aks"]
    puller = _TARGETS["local"] if kind == "local" else _BUILDER
    found = azureml_inference.read(inference)
    if found is None:
        verdict = _nothing_named(azureml_inference.dockerfile(inference), puller)
    else:
        verdict = _judged(found, classify(joined(found.image, found.address, known=known)), puller)
    if kind == "aks" and not compute_target:
        verdict = verdict.replace(advice="; ".join(filter(None, (verdict.advice, "aks needs the cluster's name after --ct"))))
    return verdict.replace(deployed=deployed)


def _compute_type(deployment: object) -> str:
    if deployment is None:
        return ""
    given = Node(deployment, DEPLOYMENT_FILE).field("computeType").text()
    kind = given.lower()
    # The schema's own words for the same, which `az ml model deploy` writes.
    kind = {"akscompute": "aks", "acicompute": "aci"}.get(kind, kind)
    if kind not in _TARGETS:
        raise ConfigurationError(
            f"{DEPLOYMENT_FILE}: computeType is {printable(given, 40)!a}", key="computeType", hint=f"one of {', '.join(_TARGETS)}"
        )
    return kind


def _nothing_named(by_dockerfile: bool, puller: str) -> Verdict:
    if by_dockerfile:
        why = "a baseDockerfile says what it is built from, and that was not read"
        return Verdict(True, "", "", puller, why, advice="check each image of its FROM lines with registryauth resolve")
    return Verdict(True, "", "", puller, "no base image is named, so it is Azure's own, which is public")


def _judged(found: BaseImage, classification: Classification, puller: str) -> Verdict:
    reference, kind, host = classification.reference, classification.kind, classification.reference.registry
    can, why, advice = True, "", ""
    if found.is_partial:
        can, why = False, "some of address, username and password are there and others are not; Azure takes all three or none"
        advice = f"registryauth resolve {reference} --format azureml-inferenceconfig writes all three"
    elif kind is Kind.PUBLIC:
        why = f"{host} is public and asks nobody"
        advice = "the user name and password in the file are not needed: remove them" if found.password else ""
    elif kind is Kind.WORKSPACE:
        why = f"{host} is the workspace's own registry, which it has access to"
        advice = "the user name and password in the file are not needed: remove them" if found.password else ""
    elif found.password:
        why = f"{host} is a standalone registry, and the file has its address, user name and password"
        advice = "the ML CLI of 2019 took no such credentials; a later one or the Python SDK does"
    else:
        can, why = False, f"{host} is a standalone registry, and the file has no user name and password for it"
        advice = (
            "give them with the Python SDK (exports.azureml.apply), or with --format azureml-inferenceconfig to a later ML CLI, "
            "or copy the image into the workspace's registry"
        )
        if classification.provider.name == "acr":
            advice += f'; if it is the workspace\'s own, say kind = "workspace" under [registries."{host}"]'
        if classification.may_be_public:
            why += "; whether this image is public cannot be told from its name"
            advice += f'; if it is public, say kind = "public" under [registries."{host}"]'
    return Verdict(can, str(reference), kind.value, puller, why, advice=advice)
