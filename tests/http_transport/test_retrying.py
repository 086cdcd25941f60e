"""What is sent again, when, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from registryauth._http.messages import Request, Response
from registryauth._http.retrying import ATTEMPTS, MAX_PAUSE, Retrying, retry_after
from registryauth._origin import Url
from registryauth.errors import TransportError

URL = Url.parse("https://registry.example/v2/")
NOW = 1_800_000_000.0


class Scripted:
    """A transport that answers by script: a status, or an error to raise."""

    def __init__(self, *script: object, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.script = list(script)
        self.headers = headers
        self.sent = 0
        self.released = 0

    def send(self, request: Request) -> Response:
        self.sent += 1
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, int)
        response = Response.of(step, self.headers, URL)
        response._release = self._count
        return response

    def _count(self) -> None:
        self.released += 1

    def close(self) -> None:
        self.script.clear()


def send(inner: Scripted, method: str = "GET") -> tuple[Response, list[float]]:
    pauses: list[float] = []
    return Retrying(inner, sleep=pauses.append, clock=lambda: NOW).send(Request(method, URL)), pauses


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(status):
    inner = Scripted(status, 200)
    response, pauses = send(inner)
    assert (response.status, inner.sent, len(pauses)) == (200, 2, 1)
    assert inner.released == 1, "the refused answer's connection was not freed"


@pytest.mark.parametrize("status", [200, 206, 301, 400, 401, 403, 404, 416, 500, 501])
def test_any_other_answer_stands(status):
    inner = Scripted(status)
    response, pauses = send(inner)
    assert (response.status, inner.sent, pauses) == (status, 1, [])


def test_a_connection_that_broke_is_tried_again():
    inner = Scripted(TransportError("reset", transient=True), TransportError("reset", transient=True), 200)
    response, pauses = send(inner)
    assert response.status == 200
    assert len(pauses) == 2
    assert pauses[0] < pauses[1] * 3


def test_what_will_not_pass_is_not_tried_again():
    inner = Scripted(TransportError("no such host"))
    with pytest.raises(TransportError, match="no such host"):
        send(inner)
    assert inner.sent == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_is_sent_once(method):
    inner = Scripted(503)
    response, pauses = send(inner, method)
    assert (response.status, inner.sent, pauses) == (503, 1, [])
    broken = Scripted(TransportError("reset", transient=True))
    with pytest.raises(TransportError):
        send(broken, method)
    assert broken.sent == 1


def test_it_ends_with_the_last_answer():
    inner = Scripted(*[503] * ATTEMPTS)
    response, pauses = send(inner)
    assert (response.status, inner.sent, len(pauses)) == (503, ATTEMPTS, ATTEMPTS - 1)
    assert inner.released == ATTEMPTS - 1, "the answer that is handed over was freed, or another one was not"


def test_it_ends_with_the_last_error():
    inner = Scripted(*[TransportError(f"reset {n}", transient=True) for n in range(ATTEMPTS)])
    with pytest.raises(TransportError, match=f"reset {ATTEMPTS - 1}"):
        send(inner)


@pytest.mark.parametrize("wished", ["7", format_datetime(datetime.fromtimestamp(NOW + 7, UTC), usegmt=True)], ids=["seconds", "date"])
def test_retry_after_is_kept_to_in_both_forms(wished):
    inner = Scripted(429, 200, headers=(("retry-after", wished),))
    assert send(inner)[1] == [7.0]


def test_more_patience_than_we_have_is_the_persons_to_decide():
    inner = Scripted(429, 200, headers=(("retry-after", str(int(MAX_PAUSE) + 1)),))
    response, pauses = send(inner)
    assert (response.status, inner.sent, pauses) == (429, 1, [])


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "٣", "Mon, 99 Foo 2026", "9" * 400])
def test_a_retry_after_that_cannot_be_read_is_none_or_a_number(value):
    wished = retry_after(value, NOW)
    assert wished is None or wished >= 0


def test_a_date_in_the_past_means_now():
    assert retry_after(format_datetime(datetime.fromtimestamp(NOW - 60, UTC), usegmt=True), NOW) == 0.0


def test_tenacity_is_imported_only_when_something_is_sent_again():
    import subprocess
    import sys

    code = (
        "import sys; from registryauth._http.retrying import Retrying; from registryauth._http.messages import Request, Response\n"
        "from registryauth._origin import Url; url = Url.parse('https://r.example/v2/')\n"
        "class T:\n def send(self, request): return Response.of(200, (), url)\n"
        "Retrying(T()).send(Request('GET', url)); assert 'tenacity' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_refused_connection_may_pass_only_where_somebody_was_there_before():
    from registryauth._http.direct import DirectTransport
    from registryauth.testing import RegistrySimulator

    transport = DirectTransport()
    with RegistrySimulator(auth="none").serve() as host:
        request = Request("GET", Url.parse(f"http://{host}/v2/"))
        transport.send(request).close()
        transport.close()
    with pytest.raises(TransportError) as was_there:
        transport.send(request)
    with pytest.raises(TransportError) as never:
        DirectTransport().send(request)
    assert (was_there.value.transient, never.value.transient) == (True, False)
