"""Checks of what other programs are told: our helper on PATH, docker's and podman's files, variables that stand above both."""

from __future__ import annotations

import os
import sys

from registryauth._http.proxies import variables
from registryauth._redact import printable
from registryauth.diagnosis.step import Look, broken, failed, fine, odd
from registryauth.diagnosis.surroundings import Surroundings
from registryauth.errors import ConfigurationError, Error, StoreError
from registryauth.resolver.helper import OURS, PREFIX, find_program
from registryauth.setup import containers as podman
from registryauth.setup import docker as dockers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from registryauth.reference import Address

#: All three or none (DESIGN §4.12).
_TRIPLE = ("REGISTRYAUTH_REGISTRY", "REGISTRYAUTH_USERNAME", "REGISTRYAUTH_PASSWORD")


def helper(here: Surroundings) -> Look:
    """Whether clients find our helper on PATH, and whether it is this installation's."""
    program = find_program(OURS, here.environ)
    beside = os.path.join(os.path.dirname(sys.executable), PREFIX + OURS)
    facts = {"found": program, "ours": beside}
    if program is None:
        return odd(
            f"{PREFIX}{OURS} is not on PATH, so docker and podman cannot call it",
            f"add {os.path.dirname(beside)} to PATH, or link {beside} into a directory that is on it",
            facts,
        )
    if os.path.exists(beside) and os.path.realpath(program) != os.path.realpath(beside):
        return odd(f"{program} is first on PATH, and belongs to another installation", f"remove it, or put {beside} before it", facts)
    return fine(program, facts)


def docker(here: Surroundings) -> Look:
    """Whether docker asks us for what we hold, and what stands in the way."""
    look = _client(here, "docker", dockers)
    if not here.environ.get("DOCKER_AUTH_CONFIG"):
        return look
    # docker/cli, cli/config/configfile: since 28.2 it is read before every helper.
    return odd(
        f"{look.detail}; DOCKER_AUTH_CONFIG is set and is asked first",
        "unset it where docker is to ask registryauth",
        {**look.facts, "shadowed": True},
    )


def containers(here: Surroundings) -> Look:
    """Whether podman, buildah and skopeo ask us for what we hold, and what stands in the way."""
    return _client(here, "containers", podman)


def _client(here: Surroundings, name: str, target: ModuleType) -> Look:
    asked = target.undo((), here.environ)
    facts: dict[str, object] = {"file": asked.path, "helper_for": list(asked.keys)}
    missing, warnings = [], []
    for address in _whole(here):
        try:
            change = target.plan([address], here.environ)
        except Error as error:
            return failed(error).replace(outcome="warning", facts=facts)
        missing += [str(address)] if change.needed else []
        # Whether the helper is there is a check of its own.
        warnings += [] if change.needed else [text for text in change.warnings if "is not on PATH" not in text]
    facts |= {"not_set_up": missing, "warnings": warnings}
    said = f"{asked.path} names us for {', '.join(map(printable, asked.keys)) or 'nothing'}"
    if warnings:
        return odd(
            f"{said}; {'; '.join(dict.fromkeys(warnings))}",
            "mend or remove those entries: they shadow what is stored here, or are left over",
            facts,
        )
    return fine(said + (f"; set up the rest with registryauth setup {name}" if missing and asked.keys else ""), facts)


def _whole(here: Surroundings) -> list[Address]:
    """What is stored for whole registries; nothing where the store cannot be read, of which another check speaks."""
    try:
        records = here.records
    except (StoreError, ConfigurationError):
        return []
    return [record.address for record in records if not record.address.path and not record.address.registry.host.startswith("*.")]


def environment(here: Surroundings) -> Look:
    """Variables that decide which credential is used, and by which way; names alone, never values."""
    there = [name for name in _TRIPLE if here.environ.get(name)]
    proxies = sorted(variables(here.environ))
    facts = {"credential_variables": there, "proxy_variables": proxies}
    if there and len(there) < len(_TRIPLE):
        missing = ", ".join(name for name in _TRIPLE if name not in there)
        return broken(f"{', '.join(there)} is set, and {missing} is not", "set all three or none", facts)
    way = f"proxies by {', '.join(name.upper() for name in proxies)}" if proxies else "no proxy"
    if there:
        return odd(
            f"REGISTRYAUTH_PASSWORD is asked before the store, for the registry in REGISTRYAUTH_REGISTRY; {way}",
            "unset it if it is a leftover",
            facts,
        )
    return fine(way, facts)
