"""Principals as an admin has them: one of every trouble, and some without."""

from __future__ import annotations

from registryauth.reference import Address
from registryauth.stores.principal import Check, Consumer, Principal, Slot

#: 2026-11-22T12:00:00Z.
NOW = 1_795_348_800
DAY = 86400
WITHIN = 30 * DAY
CANARY = "canary-5e81"


def principal(address, account, *slots, **said):
    said.setdefault("made_by", "admin")
    said.setdefault("kind", "service-principal")
    said.setdefault("created_at", NOW - 300 * DAY)
    return Principal(Address.parse(address, known=(address,), wildcard=True), account, slots or (slot(),), **said)


def slot(days=200, serial=1, **said):
    """A secret that lasts so many *days* more; None: nobody said."""
    return Slot(f"{CANARY}-{serial}", NOW - 100 * DAY, NOW + days * DAY if days is not None else 0, serial=serial, **said)


def check(repository, granted="pull", refused="push delete metadata_read catalog", days=2, evidence="the token says"):
    return Check(repository, tuple(granted.split()), tuple(refused.split()), evidence, NOW - days * DAY)


def consumer(target, serial=1, shape="docker-config", days=40):
    return Consumer(target, shape, serial, NOW - days * DAY)


def fleet():
    """The records of a small company."""
    acr, edge, hub = "contoso.azurecr.io", "edge.azurecr.io", "registry.contoso.example:5000"
    held = {"consumers": (consumer("/etc/kubernetes/pull.yaml", shape="kubernetes-secret"),)}
    return [
        principal(
            f"{acr}/team",
            "0f5c2f6e-8b1d-4c6e-9a53-2d7f64c1b0aa",
            slot(-3),
            owner="ml-platform",
            purpose="AKS pulls, west Europe",
            verified_at=NOW - 9 * DAY,
            checks=(check("team/model"),),
            **held,
        ),
        principal(
            acr,
            "7be1d0c4-51a2-4f0e-8c77-90e3c1a4d2f5",
            slot(120),
            owner="release",
            purpose="promotes images from staging",
            needed=("pull", "push"),
            verified_at=NOW - DAY,
            checks=(
                check("team/model", "pull push delete catalog", "metadata_read"),
                check("team/base", "pull push", "delete metadata_read catalog"),
                check("", "catalog", "", evidence="the registry listed its repositories"),
            ),
            labels=(("env", "prod"), ("team", "release")),
            **held,
        ),
        principal(
            acr,
            "ci-pull",
            slot(12),
            kind="acr-token",
            owner="build-farm",
            purpose="pulls base images in CI",
            verified_at=NOW - 2 * DAY,
            checks=(check("team/base"), check("team/model", "", "pull push delete metadata_read catalog")),
            consumers=(consumer("https://ci.contoso.example/team/model", shape="gitlab-ci"),),
        ),
        principal(
            edge,
            "c3a9f2d1-0000-4b7a-a1e2-6f1f0b9d8e7c",
            slot(27),
            slot(2, serial=0, remove_after=NOW - DAY),
            owner="iot",
            purpose="IoT Edge devices in the field",
            verified_at=NOW - 3 * DAY,
            checks=(check("sensors/agent"), check("sensors/hub")),
            consumers=(consumer("deployments/plant-7.json", 0, "iot-edge"), consumer("deployments/plant-9.json", 1, "iot-edge")),
        ),
        principal(edge, "robot$legacy", slot(None), kind="robot", owner="", created_at=NOW - 700 * DAY),
        principal(
            hub,
            "deploy",
            slot(340),
            kind="user",
            owner="infra",
            purpose="deploys to the on-premises cluster",
            verified_at=NOW - 20 * DAY,
            checks=(check("web/front", "pull", "", evidence="the registry listed its tags"),),
            **held,
        ),
        principal(
            hub,
            "old-admin",
            slot(60),
            kind="admin-user",
            owner="infra",
            disabled_at=NOW - 30 * DAY,
            verified_at=NOW - 200 * DAY,
            checks=(check("web/front", "pull push delete", "", 200),),
        ),
        principal(
            "docker.io",
            "contoso-bot",
            slot(None),
            kind="user",
            made_by="login",
            verified_at=NOW - 50 * DAY,
            needed=(),
            checks=(check("contoso/tools", "pull", "push delete"),),
            **held,
        ),
        principal("*.apps.contoso.example", "wild", slot(75), kind="robot", owner="apps", verified_at=NOW - 5 * DAY, **held),
    ]
