"""The same simulator through each of its doors."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading

import httpx
import pytest

import registryauth.testing
from registryauth._http.messages import Body, Request
from registryauth._origin import Url
from registryauth.digest import Digest
from registryauth.errors import TransportError
from registryauth.testing import RegistrySimulator, faults


@pytest.fixture
def simulator():
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("a", "v1", [b"layer"])
    return simulator


@pytest.fixture
def connection(simulator):
    with simulator.serve() as host:
        connection = http.client.HTTPConnection(host, timeout=10)
        yield connection
        connection.close()


def test_the_public_names_are_there_and_nothing_else():
    names = ["RegistrySimulator", "ServedRegistry", "AzureSimulator", "VaultSimulator", "KeyVaultSimulator", "Features", "StoreContract"]
    assert registryauth.testing.__all__ == names
    assert all(getattr(registryauth.testing, name).__name__ == name for name in names)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = registryauth.testing.Nothing


def test_our_own_transport_leads_to_the_simulator(simulator):
    transport = simulator.transport()
    answer = transport.send(Request("GET", Url.parse("https://anywhere.example/v2/")))
    transport.close()
    assert (answer.status, transport.closed) == (200, True)


def test_httpx_gets_what_the_simulator_says(simulator):
    with httpx.Client(transport=simulator.httpx_transport()) as client:
        answer = client.get("https://anywhere.example/v2/a/manifests/v1", headers={"Accept": "*/*"})
    assert Digest.parse(answer.headers["docker-content-digest"]).matches(answer.content)
    assert simulator.requests[0].header("accept") == "*/*"


def test_httpx_sends_its_body(simulator):
    with httpx.Client(transport=simulator.httpx_transport()) as client:
        answer = client.post(f"https://anywhere.example/v2/a/blobs/uploads/?digest={Digest.of(b'x')}", content=iter([b"x"]))
    assert (answer.status_code, simulator.requests[0].body) == (201, b"x")


def test_httpx_asks_without_blocking_its_loop(simulator):
    async def ask():
        async with httpx.AsyncClient(transport=simulator.httpx_transport()) as client:
            return await client.get("https://anywhere.example/v2/a/tags/list")

    assert asyncio.run(ask()).json() == {"name": "a", "tags": ["v1"]}


def test_httpx_gets_the_bytes_of_the_wire(simulator):
    simulator.inject(faults.gzip_bomb("/v2/", size=1 << 20))
    with (
        httpx.Client(transport=simulator.httpx_transport()) as client,
        client.stream("GET", "https://anywhere.example/v2/") as answer,
    ):
        assert len(b"".join(answer.iter_raw())) == int(answer.headers["content-length"]) < 2048


def test_httpx_sees_a_cut_connection(simulator):
    simulator.inject(faults.no_answer("/v2/"))
    with httpx.Client(transport=simulator.httpx_transport()) as client, pytest.raises(httpx.RemoteProtocolError):
        client.get("https://anywhere.example/v2/")


def test_a_socket_serves_many_requests_on_one_connection(connection):
    local = []
    for path in ("/v2/", "/v2/a/manifests/v1", "/v2/a/manifests/none"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        local.append((answer.status, connection.sock.getsockname()))
    assert [status for status, _ in local] == [200, 200, 404]
    assert len({name for _, name in local}) == 1


def test_a_socket_answers_head_without_a_body(connection):
    connection.request("HEAD", "/v2/a/manifests/v1")
    headed = connection.getresponse()
    assert int(headed.headers["content-length"]) > 0
    assert headed.read() == b""
    connection.request("GET", "/v2/")
    assert connection.getresponse().read() == b"{}"


def test_a_socket_takes_a_chunked_body(connection, simulator):
    pieces = [b"hello ", b"world"]
    connection.request("POST", f"/v2/a/blobs/uploads/?digest={Digest.of(b'hello world')}", body=iter(pieces), encode_chunked=True)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201
    assert simulator.requests[-1].body == b"hello world"


def test_a_socket_sends_a_body_of_unknown_length_in_chunks(connection, simulator):
    simulator.inject(faults.oversized_body("/v2/", 200_000, announced=False))
    connection.request("GET", "/v2/")
    answer = connection.getresponse()
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.read() == bytes(200_000)


def test_a_socket_cuts_the_connection_when_it_is_told_to(connection, simulator):
    simulator.inject(faults.no_answer("/v2/"))
    connection.request("GET", "/v2/")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()


def test_a_socket_breaks_off_an_answer_when_it_is_told_to(connection, simulator):
    simulator.alter(faults.cut_download("/blobs/", 3))
    connection.request("GET", f"/v2/a/blobs/{Digest.of(b'layer')}")
    with pytest.raises(http.client.IncompleteRead) as broken:
        connection.getresponse().read()
    assert broken.value.partial == b"lay"


def test_httpx_sees_an_answer_break_off(simulator):
    simulator.alter(faults.cut_download("/blobs/", 3))
    url = f"https://anywhere.example/v2/a/blobs/{Digest.of(b'layer')}"

    async def ask():
        async with httpx.AsyncClient(transport=simulator.httpx_transport()) as client:
            return await client.get(url)

    with httpx.Client(transport=simulator.httpx_transport()) as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(url)
    with pytest.raises(httpx.RemoteProtocolError):
        asyncio.run(ask())


@pytest.mark.parametrize("head", ["Content-Length: 11\r\n\r\nhello ", "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n5\r\nlo "])
def test_a_client_that_goes_away_in_the_middle_finds_its_bytes_again(simulator, head):
    with simulator.serve() as host:
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("POST", "/v2/a/blobs/uploads/")
        answer = connection.getresponse()
        answer.read()
        location = answer.headers["location"]
        with socket.create_connection(connection.sock.getpeername(), timeout=10) as raw:
            raw.sendall(f"PUT {location}?digest={Digest.of(b'hello world')} HTTP/1.1\r\nHost: {host}\r\n{head}".encode())
            raw.shutdown(socket.SHUT_WR)
            assert raw.recv(100) == b""
        connection.request("GET", location)
        answer = connection.getresponse()
        answer.read()
        connection.close()
    assert (answer.status, answer.headers["range"]) == (204, "0-5")


@pytest.mark.parametrize("head", ["Content-Length: {size}", "Transfer-Encoding: chunked\r\n\r\n{size:x}"])
def test_a_socket_takes_bodies_of_64_mib_at_most(simulator, head):
    with simulator.serve() as host:
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=10) as raw:
            raw.sendall(f"POST /v2/a/blobs/uploads/ HTTP/1.1\r\n{head.format(size=64 * 1024 * 1024 + 1)}\r\n\r\n".encode())
            assert b" 413 " in raw.recv(4096)
    assert simulator.requests == []


def test_our_own_transport_takes_a_body_that_is_read_while_it_is_sent(simulator):
    pieces = [b"hello ", memoryview(b"world")]
    url = Url.parse(f"https://anywhere.example/v2/a/blobs/uploads/?digest={Digest.of(b'hello world')}")
    assert simulator.transport().send(Request("POST", url, upload=Body(11, lambda: iter(pieces)))).status == 201
    assert (simulator.requests[-1].body, simulator.requests[-1].upload) == (b"hello world", None)
    with pytest.raises(TransportError, match="at most"):
        simulator.transport().send(Request("POST", url, upload=Body(64 * 1024 * 1024 + 1, lambda: iter(pieces))))


def test_a_slow_answer_holds_up_nobody_else(simulator):
    asleep, wake = threading.Event(), threading.Event()
    simulator.interfere(faults.slow("/v2/slow", 1, sleep=lambda _: (asleep.set(), wake.wait(10))))
    with simulator.serve() as host:
        slow, fast = (http.client.HTTPConnection(host, timeout=10) for _ in range(2))
        slow.request("GET", "/v2/slow/tags/list")
        assert asleep.wait(10)
        fast.request("GET", "/v2/")
        assert fast.getresponse().read() == b"{}"
        wake.set()
        assert slow.getresponse().status == 404
        slow.close()
        fast.close()


@pytest.mark.parametrize("line", [b"GET http://[::1/ HTTP/1.1\r\n\r\n", b"POST /v2/ HTTP/1.1\r\ncontent-length: many\r\n\r\n"])
def test_a_socket_survives_nonsense(simulator, line):
    with simulator.serve() as host:
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=10) as raw:
            raw.sendall(line)
            assert b" 400 " in raw.recv(4096)
        fine = http.client.HTTPConnection(host, timeout=10)
        fine.request("GET", "/v2/")
        assert fine.getresponse().read() == b"{}"
        fine.close()


def test_a_tls_hello_to_a_plain_socket_is_answered_at_once(simulator):
    with simulator.serve() as host:
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=10) as raw:
            raw.sendall(b"\x16\x03\x01")
            assert raw.recv(4096).startswith(b"HTTP/1.0 400")


def test_closing_the_door_closes_what_clients_keep_open(simulator):
    before = threading.active_count()
    with simulator.serve() as host:
        name, _, port = host.partition(":")
        idle = socket.create_connection((name, int(port)), timeout=10)
        kept = http.client.HTTPConnection(host, timeout=10)
        kept.request("GET", "/v2/")
        kept.getresponse().read()
    assert idle.recv(1) == b""
    assert threading.active_count() == before
    idle.close()
    kept.close()


def test_two_doors_of_one_simulator_are_two_origins(simulator):
    with simulator.serve() as one, simulator.serve() as other:
        assert one != other
        for host in (one, other):
            connection = http.client.HTTPConnection(host, timeout=10)
            connection.request("GET", "/v2/")
            connection.getresponse().read()
            connection.close()
    assert [request.url.origin.netloc for request in simulator.requests] == [one, other]
