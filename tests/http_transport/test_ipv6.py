"""A registry at an IPv6 address, all the way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from registryauth.client import Client
from registryauth.credentials import Basic, Pinned
from registryauth.testing import RegistrySimulator
from registryauth.transfer import pull, push

from .certificates import Authority
from .proxy import Proxy
from .raw_server import raw_server


@pytest.fixture(autouse=True)
def _has_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")


@pytest.fixture(params=["http", "https"])
def host(request: pytest.FixtureRequest, authority: Authority) -> Iterator[str]:
    simulator = RegistrySimulator(accounts={"robot": "right"})
    simulator.add_image("team/app", "v1", [b"a layer", b"another"])
    with simulator.serve(authority.server("::1") if request.param == "https" else None, address="::1") as host:
        assert host.startswith("[::1]:")
        yield host


@pytest.mark.parametrize("proxied", [False, True])
def test_an_image_is_pulled_and_pushed_at_an_ipv6_address(host: str, authority: Authority, tmp_path: Path, proxied: bool) -> None:
    """With a token: the realm, which the challenge names, is at that address, too."""
    with raw_server(Proxy()) as proxy:
        environ = {"ALL_PROXY": f"http://{proxy.host}"} if proxied else {}
        held = (Pinned(Basic("robot", "right"), "test"),)
        with Client(lambda _: held, ca_files={host: authority.ca_file}, certs_d=(), environ=environ) as client:
            got = pull(client.repository(f"{host}/team/app"), "v1", tmp_path / "layout")
            put = push(client.repository(f"{host}/team/copy"), tmp_path / "layout", tag="v2")
            assert client.repository(f"{host}/team/copy").head("v2").digest == got.root.digest == put.root.digest
        assert proxy.accepted == 0, "loopback is never asked through a proxy"
