"""What to do about a build that did not succeed, by its status, its own reason and the end of its log.

Sources: Microsoft Learn "Troubleshoot ACR Tasks", "ACR Tasks and network-restricted registries", "repository permissions (ABAC)";
Azure/acr#603 (firewall), Azure/acr#774 (a base image in a second private registry).
"""

from __future__ import annotations

import re

from registryauth.azure.build_request import MAX_TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from registryauth.azure.build_request import BuildRequest
    from registryauth.azure.builds import Run
    from registryauth.azure.container_registries import ContainerRegistry

#: A host as it stands in a log: before a path, in a URL or not.
_HOST = r"(?:https?://)?([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]{1,5})?)/"
_FIREWALL = "is not allowed access"
_REFUSED = ("unauthorized", "authentication required", "pull access denied", "denied: requested access")


def advice(run: Run, log: Iterable[str], registry: ContainerRegistry, request: BuildRequest | None = None) -> str:
    """A hint for *run*, which ended otherwise than well; *log* are its last lines, *request* what was asked for, where that is known."""
    name = registry.id.name
    see = f"the log says more: registryauth azure acr run logs {run.id} --registry {name}"
    match run.status:
        case "Canceled":
            return "somebody canceled it; start it again"
        case "Timeout":
            most = f"--timeout takes up to {MAX_TIMEOUT} seconds"
            return f"{most}; {see}" if request is None or request.timeout < MAX_TIMEOUT else f"it may take no longer than that; {see}"
    lines = [run.error, *log]
    return _network(lines, name) or _rights(lines, registry, request) or _limits(lines) or see


def _network(lines: list[str], name: str) -> str:
    if not any(_FIREWALL in line for line in lines):
        return ""
    return (
        f"{name} keeps the build's machine out: run it in the registry's network with --agent-pool, or let trusted services pass "
        "(az acr update --allow-trusted-services)"
    )


def _rights(lines: list[str], registry: ContainerRegistry, request: BuildRequest | None) -> str:
    own = registry.login_server
    refused = [line.lower() for line in lines if any(word in line.lower() for word in _REFUSED)]
    if not refused:
        return ""
    hosts = [host for line in refused for host in re.findall(_HOST, line) if host not in (own.host, "aka.ms")]
    if hosts:
        given = request is not None and any(one.host == hosts[0] for one in request.logins)
        if given:
            return f"{hosts[0]} did not take the credential it was given: registryauth principal verify {hosts[0]}"
        return f"the build has no credential for {hosts[0]}: --with-credential {hosts[0]} gives it ours"
    if registry.mode == "abac":
        if request is not None and request.source_auth in ("none", "default"):
            return "the registry grants rights by repository (ABAC): leave --source-auth out, or say --source-auth caller"
        return "you need Container Registry Repository Writer on the repository: with --source-auth caller a build has its caller's rights"
    return ""


def _limits(lines: list[str]) -> str:
    if any("toomanyrequests" in line.lower() or "pull rate limit" in line.lower() for line in lines):
        return "Docker Hub throttles whoever it does not know: --with-credential docker.io, or copy the base image into your registry"
    return ""
