"""One call of resource management: who asks, for what, in which version of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from registryauth._http.messages import Request
from registryauth._json import load_json
from registryauth._value import Value
from registryauth.errors import ContentError
from registryauth.testing.azure.directory import App, User
from registryauth.testing.azure.refusals import ServiceRefusal

if TYPE_CHECKING:
    from registryauth.testing.azure.simulator import AzureSimulator


class Call(Value):
    """*path* is decoded and has no query; *version* is the ``api-version``."""

    azure: AzureSimulator
    request: Request
    caller: User
    version: str
    path: str

    @property
    def method(self) -> str:
        """GET, PUT and so on."""
        return self.request.method

    def body(self) -> dict[str, Any]:
        """The JSON object that came, empty for none; raise `ServiceRefusal` for anything else."""
        if not self.request.body.strip():
            return {}
        try:
            found = load_json(self.request.body, "the request", error=ContentError)
        except ContentError:
            found = None
        if not isinstance(found, dict):
            raise ServiceRefusal(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
        return found

    def may(self, action: str, scope: str) -> bool:
        """Whether the caller may do *action* at *scope*."""
        return self.azure.roles.allows(self.caller.principal_id, action, scope)

    def require(self, action: str, scope: str) -> None:
        """Raise the 403 that Azure answers before it says whether the resource is there (Microsoft Learn, AuthorizationFailed)."""
        if self.may(action, scope):
            return
        who = self.caller.app_id if isinstance(self.caller, App) else self.caller.name
        raise ServiceRefusal(
            403,
            "AuthorizationFailed",
            f"The client '{who}' with object id '{self.caller.principal_id}' does not have authorization to perform action '{action}' over "
            f"scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        )

    def require_group(self, group: str) -> None:
        """Raise the 404 of a resource group that is not there."""
        if group and group.lower() not in (name.lower() for name in self.azure.groups):
            raise ServiceRefusal(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def absent(type_: str, name: str, group: str) -> ServiceRefusal:
    """The 404 of a resource that is not there."""
    message = (
        f"The Resource '{type_}/{name}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix"
    )
    return ServiceRefusal(404, "ResourceNotFound", message)
