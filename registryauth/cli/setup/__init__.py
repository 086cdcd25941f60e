"""``registryauth setup``."""

from __future__ import annotations

from registryauth.cli.app import group
from registryauth.cli.setup.client import verb
from registryauth.cli.setup.kubelet import kubelet
from registryauth.setup.clients import CLIENTS

app = group("Let docker, podman, helm or the kubelet ask registryauth.")
for client in CLIENTS.values():
    app.command(client.name)(verb(client))
app.command()(kubelet)
