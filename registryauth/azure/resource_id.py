"""Azure's resource ids: compared without regard to case, written as they came.

Source: Microsoft Learn "Azure Resource Manager overview", Resource ID; names are case-insensitive throughout.
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError

_SUBSCRIPTION = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#: Microsoft Learn "Naming rules and restrictions": resource groups, the widest of the names we meet.
_NAME = r"[\w().-]{1,90}"


class ResourceId(Value):
    """A resource *name* of *type* (``Microsoft.ContainerRegistry/registries``, as we write it) in a resource *group*."""

    subscription: str
    group: str
    type: str
    name: str

    @classmethod
    def parse(cls, text: str, type_: str) -> ResourceId:
        """Read the id of a resource of *type_*; raise `ConfigurationError` for anything else, saying which part is wrong."""
        text = text.strip()
        parts = text.strip("/").split("/")
        provider, _, kind = type_.partition("/")
        wanted = ("subscriptions", None, "resourcegroups", None, "providers", provider.lower(), kind.lower(), None)
        what = f"{printable(text, 200)!a} is not the id of a {_one(kind)}"
        shape = f"/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/{type_}/NAME"
        if len(parts) != len(wanted):
            raise ConfigurationError(f"{what}: it has {len(parts)} parts, not {len(wanted)}", hint=shape)
        for part, word in zip(parts, wanted, strict=True):
            if word is not None and part.lower() != word:
                raise ConfigurationError(f"{what}: it says {printable(part, 60)!a} where {word} belongs", hint=shape)
        return cls.of(parts[1], parts[3], type_, parts[7])

    @classmethod
    def of(cls, subscription: str, group: str, type_: str, name: str) -> ResourceId:
        """The id of these parts; raise `ConfigurationError` for one that Azure cannot have, which would ask for something else."""
        if not re.fullmatch(_SUBSCRIPTION, subscription):
            raise ConfigurationError(f"{printable(subscription, 60)!a} is not the id of a subscription", hint="az account show --query id")
        for what, value in (("resource group", group), (_one(type_.rpartition("/")[2]), name)):
            if not re.fullmatch(_NAME, value) or value.endswith(".") or set(value) <= {"."}:
                raise ConfigurationError(f"{printable(value, 60)!a} is no name that a {what} can have", hint="check it for a slip")
        return cls(subscription, group, type_, name)

    @property
    def path(self) -> str:
        """The id as a path of resource management, its names escaped."""
        from urllib.parse import quote

        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{quote(self.group, safe='()')}"
            f"/providers/{self.type}/{quote(self.name, safe='')}"
        )

    def is_same(self, other: ResourceId) -> bool:
        """Whether *other* is the same resource: case does not count."""
        return str(self).lower() == str(other).lower()

    def __str__(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{self.type}/{self.name}"


def _one(kind: str) -> str:
    """``registries`` in the singular."""
    return f"{kind.removesuffix('ies')}y" if kind.endswith("ies") else kind.removesuffix("s")
