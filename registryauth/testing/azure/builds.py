"""Image builds: a place for the context, a run, its log.

Sources: azure-rest-api-specs, containerregistry tasks 2019-04-01 and 2025-03-01-preview (RegistriesGetBuildSourceUploadUrl.json,
RegistriesScheduleRun.json, RunsGet.json, RunsGetLogSasUrl.json); azure-cli 2.91 ``acr/_stream_utils.py`` reads the log, which is
finished when the blob's metadata says ``Complete``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registryauth._http.messages import Response
from registryauth.testing import answers, asked
from registryauth.testing.azure.blobs import Blob
from registryauth.testing.azure.build_steps import Outcome, built
from registryauth.testing.azure.calls import Call, absent
from registryauth.testing.azure.directory import new_id
from registryauth.testing.azure.refusals import ServiceRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.digest import Digest
    from registryauth.testing.azure.registry import AzureRegistry
    from registryauth.testing.azure.simulator import AzureSimulator
    from registryauth.testing.registry_simulator import RegistrySimulator

_TYPE = "Microsoft.ContainerRegistry/registries/runs"
#: What the log's metadata says at the end, by the run's status (azure-cli ``acr/_stream_utils.py``).
_COMPLETE = {"Succeeded": "succeeded", "Failed": "failed", "Error": "internalerror", "Timeout": "timedout", "Canceled": "canceled"}


@dataclass
class Build:
    """How the next runs go: *queued* seconds of waiting, then *duration* seconds of work, then *status*.

    An empty *status* is what comes of the Dockerfile. *log* replaces the lines of the log, *error* is the ``runErrorMessage``.
    *complete* False never marks the log as finished, as where the agent died. No Dockerfile is run: what is pushed is one layer that
    says which run made it, or what *image* puts into the registry, called with the registry's images, the repository and the tag.
    """

    queued: float = 0.0
    duration: float = 0.0
    status: str = ""
    log: tuple[str, ...] = ()
    error: str = ""
    complete: bool = True
    image: Callable[[RegistrySimulator, str, str], Digest] | None = None

    def push(self, images: RegistrySimulator, repository: str, tag: str, run: str) -> Digest:
        """Put what the run called *run* has built into *images*."""
        return self.image(images, repository, tag) if self.image else images.add_image(repository, tag, (f"built by {run}".encode(),))


@dataclass
class Run:
    """One run, as far as it has come by the clock."""

    registry: AzureRegistry
    wanted: dict[str, Any]
    build: Build
    outcome: Outcome
    id: str
    created_at: float = 0.0
    canceled_at: float | None = None
    images: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ended_at(self) -> float:
        """When it ends, or was canceled."""
        end = self.created_at + self.build.queued + self.build.duration
        return end if self.canceled_at is None else min(end, self.canceled_at)

    @property
    def is_over(self) -> bool:
        """Whether it has come to an end."""
        return self.ended_at <= self.registry.azure.now()

    @property
    def status(self) -> str:
        """``Queued``, ``Running``, or how it ended."""
        if not self.is_over:
            return "Queued" if self.registry.azure.now() < self.created_at + self.build.queued else "Running"
        if self.canceled_at is not None and self.canceled_at <= self.ended_at:
            return "Canceled"
        return self.build.status or ("Failed" if self.outcome.error else "Succeeded")

    def settle(self) -> None:
        """Push what it built, once, when it has succeeded."""
        if self.images or self.status != "Succeeded" or not self.wanted.get("isPushEnabled", True):
            return
        for name in self.wanted.get("imageNames") or []:
            repository, _, tag = name.partition(":")
            digest = self.build.push(self.registry.images, repository, tag or "latest", self.id)
            self.images.append(
                {"registry": self.registry.login_server, "repository": repository, "tag": tag or "latest", "digest": str(digest)}
            )

    def log(self) -> bytes:
        """As much of the log as is written by now: its lines come evenly over the run's duration."""
        lines = [*(self.build.log or self.outcome.log)]
        if self.status == "Queued":
            return b""
        begun = self.created_at + self.build.queued
        share = 1.0 if not self.build.duration else (min(self.registry.azure.now(), self.ended_at) - begun) / self.build.duration
        shown = lines[: int(len(lines) * share)]
        if self.is_over:
            shown += [line for line in (self._last(),) if line]
        return "".join(f"{line}\r\n" for line in shown).encode()

    def _last(self) -> str:
        """The server's own last line (Microsoft Learn "Build an image in the cloud"), which no client makes up."""
        seconds = int(self.build.duration)
        took = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
        endings = {
            "Succeeded": f"Run ID: {self.id} was successful after {took}",
            "Canceled": f"Run ID: {self.id} was canceled after {took}",
        }
        return endings.get(self.status, f"Run ID: {self.id} failed after {took}. Error: {self.error or 'failed during run'}")

    @property
    def error(self) -> str:
        """Why it failed, empty if it did not."""
        return (self.build.error or self.outcome.error) if self.status in ("Failed", "Error", "Timeout") else ""

    def metadata(self) -> dict[str, str]:
        """The log's: ``Complete`` at the end."""
        return {"Complete": _COMPLETE[self.status]} if self.is_over and self.build.complete else {}

    def shown(self) -> dict[str, Any]:
        """The resource."""
        self.settle()
        times = {"createTime": _iso(self.created_at), "startTime": _iso(self.created_at + self.build.queued)}
        if self.is_over:
            times["finishTime"] = _iso(self.ended_at)
        return {
            "type": _TYPE,
            "id": f"{self.registry.id}/runs/{self.id}",
            "name": self.id,
            "properties": {
                "runId": self.id,
                "status": self.status,
                "lastUpdatedTime": _iso(self.registry.azure.now()),
                "runType": "QuickRun",
                "agentPoolName": self.wanted.get("agentPoolName"),
                **times,
                "outputImages": self.images or None,
                "task": None,
                "platform": {"os": "linux", "architecture": "amd64", **(self.wanted.get("platform") or {})},
                "agentConfiguration": self.wanted.get("agentConfiguration") or {"cpu": 2},
                "provisioningState": "Succeeded" if self.is_over else "Running",
                "isArchiveEnabled": bool(self.wanted.get("isArchiveEnabled")),
                "runErrorMessage": self.error or None,
            },
        }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.1234567+00:00")


class Builds:
    """Answers below a registry's own resource."""

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure

    def answer(self, call: Call, registry: AzureRegistry, rest: list[str]) -> Response | list[Any] | None:
        """The answer, a list to be paged, or None where *rest* is no part of a build."""
        match [part.lower() for part in rest], call.method:
            case ["listbuildsourceuploadurl"], "POST":
                return answers.document(call.request, 200, self._upload(registry))
            case ["schedulerun"], "POST":
                return answers.document(call.request, 200, self._schedule(registry, _known(call)).shown())
            case ["runs"], "GET":
                most = asked.parameter(call.request, "$top")
                return [run.shown() for run in list(reversed(registry.runs))[: int(most) if most else None]]
            case ["runs", name, *verb], _:
                run = next((one for one in registry.runs if one.id == name), None)
                if run is None:
                    raise absent(_TYPE, f"{registry.name}/{name}", registry.group)
                return self._run(call, run, "/".join(verb))
        return None

    def _upload(self, registry: AzureRegistry) -> dict[str, str]:
        """A signed link for the context, and what ``scheduleRun`` calls it."""
        folder = datetime.fromtimestamp(self.azure.now(), UTC).strftime("%Y%m%d0000")
        path = f"source/{folder}/{new_id()}.tar.gz"
        url = f"https://{registry.storage}.{self.azure.blobs.suffix}/{_container(registry)}/{path}"
        self.azure.blobs.add(url, Blob())
        return {"relativePath": path, "uploadUrl": self.azure.blobs.signed(url, lifetime=3600, rights="cw")}

    def _schedule(self, registry: AzureRegistry, wanted: dict[str, Any]) -> Run:
        if wanted.get("type") != "DockerBuildRequest":
            raise ServiceRefusal(400, "InvalidRequest", f"The run request type '{wanted.get('type')}' is not simulated.")
        missing = [name for name in ("dockerFilePath", "sourceLocation", "platform") if not wanted.get(name)]
        if missing:
            raise ServiceRefusal(400, "InvalidRequest", f"The property '{missing[0]}' is required.")
        source = str(wanted["sourceLocation"])
        url = source if "://" in source else f"https://{registry.storage}.{self.azure.blobs.suffix}/{_container(registry)}/{source}"
        found = self.azure.blobs.find(url)
        build = registry.build or Build()
        outcome = built(registry, wanted, found.bytes if found else None, source)
        run = Run(registry, wanted, build, outcome, _id(len(registry.runs)), created_at=self.azure.now())
        registry.runs.append(run)
        return run

    def _run(self, call: Call, run: Run, verb: str) -> Response:
        match verb, call.method:
            case "", "GET":
                return answers.document(call.request, 200, run.shown())
            case "listlogsasurl", "POST":
                url = f"https://{run.registry.storage}.{self.azure.blobs.suffix}/{_container(run.registry)}/logs/{run.id}/rawtext.log"
                self.azure.blobs.add(url, Blob(run.log, run.metadata, "AppendBlob"))
                link = self.azure.blobs.signed(url, lifetime=3600)
                return answers.document(call.request, 200, {"logLink": link, "logArtifactLink": None})
            case "cancel", "POST":
                if not run.is_over:
                    run.canceled_at = self.azure.now()
                return answers.empty(call.request, 200)
        raise ServiceRefusal(405, "MethodNotAllowed", f"The method {call.method} is not allowed here.")


def _known(call: Call) -> dict[str, Any]:
    """What was asked for, as far as that version of the API knows it: resource management passes over fields that it does not."""
    wanted = call.body() | {"caller": call.caller.principal_id}
    timeout = wanted.get("timeout", 3600)
    if not isinstance(timeout, int) or not 300 <= timeout <= 28_800:
        raise ServiceRefusal(400, "InvalidRequest", "The timeout is not between 300 and 28800 seconds.")
    if any(re.search("[A-Z]", str(name).partition(":")[0]) for name in wanted.get("imageNames") or []):
        raise ServiceRefusal(400, "InvalidRequest", "The image name is invalid: repository names are in lower case.")
    if call.version < "2019-06-01":
        wanted.pop("agentPoolName", None)
    source = (wanted.get("credentials") or {}).get("sourceRegistry") or {}
    if call.version < "2025-03-01":
        source.pop("identity", None)
    return wanted


def _id(number: int) -> str:
    """As the service counts: ``ca1`` is the first, after ``ca9`` comes ``caa``."""
    digits, number = "", number + 1
    while number or not digits:
        digits, number = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36] + digits, number // 36
    return f"ca{digits}"


def _container(registry: AzureRegistry) -> str:
    return f"{registry.name.lower()}-builds"
