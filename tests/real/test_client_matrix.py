"""Every client, with every kind of credential, at every server: `sh scripts/clients-matrix` prints it as a table."""

from __future__ import annotations

import base64
import json
import tempfile

import pytest

from .client_matrix import AUTHS, CLIENTS, SERVERS

pytestmark = pytest.mark.real

_CHART = "apiVersion: v2\nname: chart\nversion: 0.1.0\n"


@pytest.fixture
def store_credential(user):
    """Put the server's account, or an identity token of it, into our store."""

    def store_credential(server, auth):
        if auth == "identity token":
            token = server.token_server.identity_token(server.username)
            user.registryauth("login", server.host, "--identity-token-stdin", "--no-verify", stdin=token)
        else:
            user.login(server)

    return store_credential


@pytest.fixture
def pushed(user, push, go_program, tmp_path):
    """An image there, for helm a chart; pushed with a login that is not in the user's home."""

    def pushed(client, server):
        if client.name != "helm":
            return push(server)
        (tmp_path / "chart").mkdir()
        (tmp_path / "chart/Chart.yaml").write_text(_CHART)
        helm, aside = go_program("helm"), tmp_path / "helm.json"
        # Not by `helm registry login`: where `pass` is installed, helm would keep the login there.
        encoded = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
        aside.write_text(json.dumps({"auths": {server.host: {"auth": encoded}}}))
        trust = ["--ca-file", server.ca_file] if server.ca_file else ["--plain-http"]
        user.run(helm, "package", tmp_path / "chart", "--destination", tmp_path)
        user.run(helm, "push", "--registry-config", aside, *trust, tmp_path / "chart-0.1.0.tgz", f"oci://{server.host}/charts")
        return f"{server.host}/charts/chart:0.1.0"

    return pushed


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_reads_with_a_credential_that_only_our_store_holds(
    client, auth, server, request, user, program, go_program, pushed, store_credential
):
    path = (go_program if client.built else program)(client.name)
    if client.public_realms and auth != "basic":
        pytest.skip(f"{client.name} asks no token server on another port of this machine")
    there = request.getfixturevalue(f"{'htpasswd' if auth == 'basic' else 'token'}_{SERVERS[server]}")
    reference = pushed(client, there)
    user.environ |= {"DOCKER_HOST": f"unix://{user.home}/no-daemon.sock"} | client.extra(there)
    with tempfile.TemporaryDirectory(prefix="m-") as directory:
        argv = [path, *client.argv(reference, there, directory)]
        refused = user.run(*argv, check=False)
        assert refused.returncode, "it reads without a credential: nothing is shown here"
        store_credential(there, auth)
        user.registryauth("setup", client.verb, there.host)
        read = user.run(*argv)
        assert read.stdout.strip()
    for path in user.home.rglob("*"):
        assert not path.is_file() or there.password.encode() not in path.read_bytes(), path
