"""What comes of a build, from its context and its Dockerfile: the log, and the reason if it fails."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from typing import TYPE_CHECKING, Any

from registryauth._value import Value

if TYPE_CHECKING:
    from registryauth.testing.azure.registry import AzureRegistry


class Outcome(Value):
    """The lines of the *log*, and why it failed, empty if it did not."""

    log: tuple[str, ...]
    error: str = ""


def built(registry: AzureRegistry, wanted: dict[str, Any], context: bytes | None, source: str) -> Outcome:
    """What a build of *context*, a gzipped tar, says and comes to; None is a *source* that is elsewhere, and is taken on trust."""
    head = [
        "Downloading source code...",
        "Finished downloading source code",
        "Setting up Docker configuration...",
        "Successfully set up Docker configuration",
        f"Logging in to registry: {registry.login_server}",
        f"Successfully logged into {registry.login_server}",
        "Executing step ID: build. Timeout(sec): 28800, Working directory: '', Network: ''",
    ]
    if context is None and "://" not in source:
        return _failed(["Downloading source code..."], f"failed to download source code: {source} does not exist")
    try:
        recipe = "FROM scratch\n" if context is None else _recipe(context, str(wanted["dockerFilePath"]))
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, OSError):
        return _failed(head[:1], "failed to extract source code: the archive is no gzipped tar")
    except KeyError:
        return _failed(head, f"unable to evaluate symlinks in Dockerfile path: lstat {wanted['dockerFilePath']}: no such file or directory")
    steps = [line.strip() for line in recipe.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    log = head + [f"Step {number}/{len(steps)} : {step}" for number, step in enumerate(steps, 1)]
    for base in re.findall(r"(?im)^\s*FROM\s+(?:--\S+\s+)?(\S+)", recipe):
        if reason := _unpullable(registry, wanted, base):
            return _failed(log[: len(head) + 1], reason)
    names = wanted.get("imageNames") or []
    log += ["Successfully built 1b3f5d7a9c0e"]
    if not wanted.get("isPushEnabled", True):
        return Outcome(tuple(log))
    if reason := _unpushable(registry, wanted):
        return _failed(log, reason)
    return Outcome((*log, *(f"Pushing image: {registry.login_server}/{name}, attempt 1" for name in names)))


def _failed(log: list[str], error: str) -> Outcome:
    return Outcome((*log, error), error)


def _recipe(context: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(context), mode="r:gz") as archive:
        names = {member.name.removeprefix("./"): member for member in archive.getmembers()}
        found = archive.extractfile(names[name.removeprefix("./")])
        if found is None:
            raise KeyError(name)
        return found.read().decode("utf-8", "replace")


def _unpullable(registry: AzureRegistry, wanted: dict[str, Any], base: str) -> str:
    """Why *base* cannot be pulled, as far as the simulated registries know: a second registry needs credentials (Azure/acr#774)."""
    from registryauth.testing.azure.acr import identified

    host = base.partition("/")[0]
    other = next((one for one in registry.azure.registries if host in one.hosts), None)
    if other is None or other is registry or other.anonymous_pull:
        return ""
    given = ((wanted.get("credentials") or {}).get("customRegistries") or {}).get(host) or {}
    name, password = ((given.get(part) or {}).get("value", "") for part in ("userName", "password"))
    if not name or isinstance(identified(other, name, password), str):
        return f"failed to pull {base}: unauthorized: authentication required"
    return ""


def _may_push(registry: AzureRegistry, wanted: dict[str, Any]) -> bool:
    """Whether the caller may push each of the images: that is all that a build may, under its caller's identity."""
    from registryauth.testing.azure.registry import Caller

    caller = Caller("entra", str(wanted.get("caller")))
    return all("push" in registry.actions(caller, name.partition(":")[0]) for name in wanted.get("imageNames") or [])


def _unpushable(registry: AzureRegistry, wanted: dict[str, Any]) -> str:
    """A build has only its caller's rights in an ABAC registry (Microsoft Learn), and no firewall knows its agent (Azure/acr#603)."""
    identity = ((wanted.get("credentials") or {}).get("sourceRegistry") or {}).get("identity")
    if registry.mode == "abac" and not (identity == "[caller]" and _may_push(registry, wanted)):
        return "denied: requested access to the resource is denied"
    if (registry.firewall or not registry.public) and not wanted.get("agentPoolName"):
        return "denied: client with IP '20.42.0.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
    return ""
