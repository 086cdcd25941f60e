"""What goes over the wire when all is well: requests as they were made, answers as they came, connections used again."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from registryauth._http import Request, Response
from registryauth._http.direct import _MAX_IDLE, DirectTransport
from registryauth._origin import Origin, Url
from registryauth.errors import TransportError
from registryauth.testing import RegistrySimulator
from registryauth.transfer.crew import MAX_JOBS

from .raw_server import OK, Line, forever, raw_server, saying


def get(host: str, target: str = "/v2/", **more: str) -> Request:
    return Request("GET", Url.parse(f"http://{host}{target}"), tuple(more.items()))


def body(response: Response, limit: int = 1 << 20) -> bytes:
    return response.read(limit)


def test_a_request_is_sent_as_it_was_made_and_nothing_is_added_but_the_host(transport: DirectTransport) -> None:
    with raw_server(forever()) as server:
        request = get(server.host, "/v2/a/manifests/v1?x=1%20y", accept="a/b, c/d", authorization="Bearer tok")
        assert body(transport.send(request)) == b"ok"
    assert server.requests == [
        f"GET /v2/a/manifests/v1?x=1%20y HTTP/1.1\r\nhost: {server.host}\r\naccept: a/b, c/d\r\nauthorization: Bearer tok\r\n\r\n".encode()
    ]


@pytest.mark.parametrize(("method", "content", "length"), [("PUT", b"abc", b"3"), ("POST", b"", b"0"), ("PATCH", b"\x00" * 9, b"9")])
def test_a_body_is_sent_with_its_length(transport: DirectTransport, method: str, content: bytes, length: bytes) -> None:
    with raw_server(forever()) as server:
        transport.send(get(server.host).replace(method=method, body=content)).close()
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert b"content-length: " + length in head.lower().split(b"\r\n")
    assert sent == content


def test_the_answer_is_given_as_it_came(transport: DirectTransport) -> None:
    answer = b'HTTP/1.1 404 Gone fishing\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\nWWW-Authenticate: Basic realm="\xe9"\r\n\r\nno\n'
    with raw_server(forever(answer)) as server:
        response = transport.send(get(server.host))
        assert response.status == 404
        assert response.headers.all("X-A") == ["1", "2"]
        assert response.headers.get("www-authenticate") == 'Basic realm="\xe9"'
        assert str(response.url) == f"http://{server.host}/v2/"
        assert body(response) == b"no\n"


def test_redirects_are_given_back_and_not_followed(transport: DirectTransport) -> None:
    with raw_server(forever(b"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")) as server:
        response = transport.send(get(server.host))
        response.close()
    assert response.status == 307
    assert len(server.requests) == 1


def test_one_connection_serves_one_request_after_another(transport: DirectTransport) -> None:
    with raw_server(forever()) as server:
        for _ in range(5):
            assert body(transport.send(get(server.host))) == b"ok"
        assert server.accepted == 1


def test_a_small_body_that_nobody_reads_does_not_cost_the_connection(transport: DirectTransport) -> None:
    with raw_server(forever(b"HTTP/1.1 401 U\r\nContent-Length: 300\r\n\r\n" + b"x" * 300)) as server:
        for _ in range(3):
            transport.send(get(server.host)).close()
        assert server.accepted == 1


def test_a_large_body_that_nobody_reads_is_not_read_and_its_connection_is_dropped(transport: DirectTransport) -> None:
    sent: list[int] = []

    def talk(line: Line) -> None:
        while line.request():
            if line.number:
                line.say(OK)
                continue
            line.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            total = 0
            try:
                while total < 1_000_000_000:
                    total += line.socket.send(b"x" * 65536)
            finally:
                sent.append(total)

    with raw_server(talk) as server:
        transport.send(get(server.host)).close()
        assert body(transport.send(get(server.host))) == b"ok"
        assert server.accepted == 2
    assert sent[0] < 100_000_000


def test_head_has_no_body_whatever_its_length_says(transport: DirectTransport) -> None:
    with raw_server(forever(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")) as server:
        for _ in range(2):
            response = transport.send(get(server.host).replace(method="HEAD"))
            assert response.headers.get("content-length") == "1234"
            assert b"".join(map(bytes, response.chunks())) == b""
        assert server.accepted == 1


def test_204_and_304_have_no_body(transport: DirectTransport) -> None:
    with raw_server(saying(b"HTTP/1.1 204 N\r\n\r\n", b"HTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n", OK)) as server:
        assert body(transport.send(get(server.host))) == b""
        assert body(transport.send(get(server.host))) == b""
        assert body(transport.send(get(server.host))) == b"ok"
        assert server.accepted == 1


def test_chunks_are_put_together_and_the_connection_used_again(transport: DirectTransport) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n06\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
    with raw_server(forever(chunked)) as server:
        assert body(transport.send(get(server.host))) == b"hello world"
        assert body(transport.send(get(server.host))) == b"hello world"
        assert server.accepted == 1


def test_a_body_without_a_length_ends_with_the_connection(transport: DirectTransport) -> None:
    with raw_server(saying(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")) as server:
        assert body(transport.send(get(server.host))) == b"until the end"
        assert body(transport.send(get(server.host))) == b"until the end"
        assert server.accepted == 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nConnection: close", b"HTTP/1.0 200 OK"])
def test_a_server_that_closes_is_connected_to_again(transport: DirectTransport, head: bytes) -> None:
    with raw_server(saying(head + b"\r\nContent-Length: 2\r\n\r\nok")) as server:
        assert body(transport.send(get(server.host))) == b"ok"
        assert body(transport.send(get(server.host))) == b"ok"
        assert server.accepted == 2


def test_100_continue_is_passed_over(transport: DirectTransport) -> None:
    with raw_server(forever(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)) as server:
        assert body(transport.send(get(server.host))) == b"ok"


def test_two_answers_at_once_have_two_connections(transport: DirectTransport) -> None:
    with raw_server(forever()) as server:
        first, second = transport.send(get(server.host)), transport.send(get(server.host))
        assert server.accepted == 2
        assert body(first) + body(second) == b"okok"
        body(transport.send(get(server.host)))
        assert server.accepted == 2


def test_each_origin_has_connections_of_its_own(transport: DirectTransport) -> None:
    with raw_server(forever()) as one, raw_server(forever(OK.replace(b"\r\n\r\nok", b"\r\n\r\nno"))) as other:
        assert [body(transport.send(get(server.host))) for server in (one, other, one, other)] == [b"ok", b"no", b"ok", b"no"]
        assert (one.accepted, other.accepted) == (1, 1)


def test_only_so_many_idle_connections_are_kept(transport: DirectTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registryauth._http.direct._MAX_IDLE", 8)
    with raw_server(forever()) as server:
        responses = [transport.send(get(server.host)) for _ in range(12)]
        for response in responses:
            response.close()
        assert len(transport._idle[Url.parse(f"http://{server.host}/").origin]) == 8


def test_as_many_are_kept_as_a_transfer_has_jobs(transport: DirectTransport) -> None:
    assert _MAX_IDLE >= MAX_JOBS
    with raw_server(forever()) as server:
        for _ in range(2):
            for response in [transport.send(get(server.host)) for _ in range(30)]:
                body(response)
        assert server.accepted == 30


def test_closing_twice_hands_the_connection_back_once(transport: DirectTransport) -> None:
    with raw_server(forever()) as server:
        response = transport.send(get(server.host))
        response.close()
        response.close()
        assert len(transport._idle[response.url.origin]) == 1


def test_after_close_no_connection_is_kept(transport: DirectTransport) -> None:
    with raw_server(forever()) as server:
        in_use = transport.send(get(server.host))
        transport.send(get(server.host)).close()
        transport.close()
        assert body(in_use) == b"ok"
        assert transport._idle.get(in_use.url.origin, []) == []


def test_a_connection_that_the_server_closed_while_idle_is_replaced(transport: DirectTransport) -> None:
    """One answer a connection, and then it is closed without a word: the request must go through all the same."""
    with raw_server(saying(OK)) as server:
        for turn in range(4):
            if turn % 2:
                time.sleep(0.02)
            assert body(transport.send(get(server.host))) == b"ok"
        assert server.accepted == 4
        assert len(server.requests) == 4


def test_a_stale_connection_is_replaced_once_and_no_more(transport: DirectTransport) -> None:
    def talk(line: Line) -> None:
        if line.request() and line.number == 0:
            line.say(OK)
            line.request()

    with raw_server(talk) as server:
        body(transport.send(get(server.host)))
        with pytest.raises(TransportError, match="cannot reach"):
            transport.send(get(server.host))
        assert server.accepted == 2
        assert len(server.requests) == 3


def test_what_arrives_on_an_idle_connection_is_no_answer_to_the_next_request(transport: DirectTransport) -> None:
    """A load balancer's 408 to an idle connection; or somebody's attempt to answer a question before it is asked."""
    unsolicited = threading.Event()

    def talk(line: Line) -> None:
        while line.request():
            line.say(OK)
            if line.number == 0:
                time.sleep(0.01)
                line.say(b"HTTP/1.1 408 Request Time-out\r\nContent-Length: 5\r\n\r\nwrong")
                unsolicited.set()

    with raw_server(talk) as server:
        assert body(transport.send(get(server.host))) == b"ok"
        assert unsolicited.wait(5)
        time.sleep(0.02)
        response = transport.send(get(server.host))
        assert (response.status, body(response)) == (200, b"ok")
        assert server.accepted == 2


def test_eight_threads_share_one_transport(transport: DirectTransport) -> None:
    simulator = RegistrySimulator(auth="none")
    digests = [simulator.add_blob(bytes([number]) * 100_000) for number in range(8)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(10):
                response = transport.send(get(host, f"/v2/app/blobs/{digests[number]}"))
                assert body(response) == bytes([number]) * 100_000
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    with simulator.serve() as host:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failures == []


def test_ipv6_is_spoken(transport: DirectTransport) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                received.append(connection.recv(65536))
                connection.sendall(OK)

        received: list[bytes] = []
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        request = Request("GET", Url(Origin("http", "[::1]", port), "/v2/"))
        assert body(transport.send(request)) == b"ok"
        thread.join(5)
        assert f"host: [::1]:{port}\r\n".encode() in received[0]
