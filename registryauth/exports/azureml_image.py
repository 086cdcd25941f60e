"""Azure Machine Learning's base image: an image's name, and the registry's address, user name and password, all three or none.

Sources: azureml-core 1.61 ``azureml/core/environment.py`` (DockerSection), ``azureml/core/container_registry.py``,
``azureml/core/model.py`` (InferenceConfig: "Address, Username and Password must be provided for base image registry");
Microsoft Learn "Deploy a model using a custom Docker base image" (``docker.base_image``: the registry and path of the image).
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Anonymous
from registryauth.errors import ConfigurationError, CredentialError
from registryauth.exports.logins import as_login
from registryauth.reference import Address, Reference
from registryauth.registries import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from registryauth.exports.options import Options
    from registryauth.resolver import PullSecret

#: The name of the object where none was given.
NAME = "registryauth"
TARGET = "Azure Machine Learning"
#: Kinds of registry for which Azure Machine Learning needs no secret of ours: the workspace has one of its own, or nobody needs one.
UNASKED = (Kind.WORKSPACE, Kind.PUBLIC)


class BaseImage(Value, hidden=("password",)):
    """An image's name and what its registry asks for; *address*, *username* and *password* are empty where nobody said."""

    image: str
    address: str = ""
    username: str = ""
    password: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether some of address, user name and password are there and others are not; an address alone is none of them."""
        return bool(self.username or self.password) and not (self.address and self.username and self.password)


def base_image(secret: PullSecret) -> BaseImage:
    """What *secret* says; for a workspace's registry and a public one the name alone, and nothing is fetched.

    Raise `CredentialError` for a token that no user name and password can say.
    """
    name = str(secret.reference)
    if secret.kind in UNASKED or isinstance(secret.credential, Anonymous):
        return BaseImage(name)
    registry = secret.reference.registry
    return BaseImage(name, registry.host, *as_login(secret.credential, registry, TARGET))


def one(secrets: Sequence[PullSecret]) -> PullSecret:
    """The one pull secret; raise `CredentialError` for any other number."""
    if len(secrets) != 1:
        raise CredentialError(f"an environment has one base image, not {len(secrets)}", hint="export each image apart")
    return secrets[0]


def resource_name(options: Options, what: str) -> str:
    """The name that was given, else `NAME`; raise `ConfigurationError` for what cannot stand in the address of a resource of Azure."""
    chosen = options.name or NAME
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", chosen):
        raise ConfigurationError(
            f"{printable(chosen, 80)!a} is no name for {what}", hint="at most 255 of A-Z a-z 0-9 - _ . with a letter or digit first"
        )
    return chosen


def joined(image: str, address: str = "", *, known: Collection[str] = ()) -> Reference:
    """The image that is meant by *image* and the registry's *address*: a name without a host lies in that registry.

    Raise `InvalidReference` for what is no image or address, as for a host that is written twice, and `ConfigurationError` where
    the two name different registries. *known* is as `Reference.parse` takes it.
    """
    reference = Reference.parse(image, known=known)
    if not address:
        return reference
    place = Address.parse(address, known=known)
    if place.path:
        raise ConfigurationError(
            f"the registry's address {printable(address, 120)!a} has a path in it",
            hint=f"say {place.registry}; the path is the image's",
        )
    if reference.implied_registry:
        return Reference.parse(f"{place.registry}/{image}", known=known)
    if reference.registry != place.registry:
        raise ConfigurationError(
            f"the image is at {reference.registry}, and its registry's address is {place.registry}",
            hint="they have to be one; the credential would be offered to the wrong one",
        )
    return reference
