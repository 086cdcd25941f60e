"""The simulated vaults by each of their doors, and that they refuse what the real ones refuse."""

from __future__ import annotations

import urllib.error
import urllib.request

import httpx
import pytest

from registryauth._http import Request
from registryauth._origin import Url
from registryauth.testing import KeyVaultSimulator, VaultSimulator


@pytest.mark.parametrize(
    ("simulator", "target", "status"),
    [(VaultSimulator(), "/v1/sys/seal-status", 200), (KeyVaultSimulator(), "/secrets?api-version=7.4", 401)],
    ids=["vault", "key vault"],
)
def test_every_door_leads_to_the_same_answer(simulator, target, status) -> None:
    with simulator.transport().send(Request("GET", Url.parse(f"https://x.example{target}"))) as answer:
        direct = answer.status, answer.read(10_000)
    with httpx.Client(transport=simulator.httpx_transport()) as client:
        by_httpx = client.get(f"https://x.example{target}")
    with simulator.serve() as host:
        try:
            with urllib.request.urlopen(f"http://{host}{target}") as response:
                by_socket = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                by_socket = error.code, error.read()
    assert direct == (by_httpx.status_code, by_httpx.content) == by_socket
    assert direct[0] == status
    assert len(simulator.requests) == 3


def key_vault(method, target, body=b"", **rights):
    simulator = KeyVaultSimulator()
    fields = (("authorization", f"Bearer {simulator.issue()}"),)
    with simulator.handle(Request(method, Url.parse(f"https://x.example{target}"), fields, body)) as answer:
        return answer.status


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/secrets?api-version=2", b"", 400),
        ("PUT", "/secrets/a_b?api-version=7.4", b'{"value": "x"}', 400),
        ("PUT", f"/secrets/{'a' * 128}?api-version=7.4", b'{"value": "x"}', 400),
        ("PUT", "/secrets/a?api-version=7.4", b'{"value": "%s"}' % (b"x" * 25_601), 400),
        ("PUT", "/secrets/a?api-version=7.4", b'{"value": "x", "tags": {"a": "%s"}}' % (b"x" * 257), 400),
        ("PUT", "/secrets/a?api-version=7.4", b'{"value": "x", "tags": {"a": "b"}}', 200),
        ("GET", "/secrets/a?api-version=7.4", b"", 404),
        ("DELETE", "/secrets/a?api-version=7.4", b"", 404),
    ],
)
def test_the_key_vault_has_its_limits(method, target, body, status) -> None:
    assert key_vault(method, target, body) == status
