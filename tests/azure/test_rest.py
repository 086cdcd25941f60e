"""The JSON client: what it retries, where it goes, what it says and never says."""

from __future__ import annotations

import json
import traceback

import pytest

from registryauth._http.messages import Response
from registryauth._origin import Url
from registryauth.azure.rest import MAX_ANSWER, MAX_PAGES, Rest
from registryauth.errors import AzureError, RealmRefused, TransportError

ORIGIN = Url.parse("https://management.azure.com/").origin
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQifQ.canary-signature"
NOW = 1_700_000_000.0


class Service:
    """Answers in order, the last one for ever; each is a status, a body and header fields."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def send(self, request):
        self.requests.append(request)
        status, body, *fields = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        return Response.of(status, [("content-length", str(len(body))), *fields], request.url, body)

    def close(self):
        pass


class Sleeper(list):
    def __call__(self, seconds):
        self.append(seconds)


def rest(*answers, sleep=None):
    service = Service(*answers)
    return Rest(service, ORIGIN, lambda: TOKEN, "Azure", sleep=sleep if sleep is not None else Sleeper(), clock=lambda: NOW), service


def failed(*answers, method="GET", **given):
    client, service = rest(*answers, **given)
    with pytest.raises(AzureError) as caught:
        client.call(method, "/subscriptions/s?secret=x", "2025-01-01")
    error = caught.value
    everything = "".join(traceback.format_exception(error)) + error.message + error.hint + error.code + repr(error)
    assert "canary" not in everything
    return error, service


def test_a_document_is_asked_for_with_its_version_and_the_token():
    client, service = rest((200, {"name": "x"}))
    assert client.get("/subscriptions/s?a=b", "2025-01-01").field("name").text() == "x"
    (request,) = service.requests
    assert str(request.url) == "https://management.azure.com/subscriptions/s?a=b&api-version=2025-01-01"
    assert (request.header("authorization"), request.header("content-type")) == (f"Bearer {TOKEN}", "")


def test_a_body_goes_as_json_and_an_empty_answer_is_an_absent_document():
    client, service = rest((204, b""))
    answer = client.call("POST", "/x", body={"keyId": "k"})
    assert (answer.status, bool(answer.document)) == (204, False)
    assert (service.requests[0].body, service.requests[0].header("content-type")) == (b'{"keyId": "k"}', "application/json")
    assert str(service.requests[0].url) == "https://management.azure.com/x"


def test_an_answer_never_shows_its_document():
    client, _ = rest((200, {"secretText": "canary"}))
    assert "canary" not in repr(client.call("GET", "/x"))


def test_a_refusal_has_azures_own_words_and_its_number_for_support():
    said = {"error": {"code": "AuthorizationFailed", "message": "The client 'x'\u001b[2J does not have authorization"}}
    error, service = failed((403, said, ("x-ms-correlation-request-id", "c-1")))
    assert error.message == (
        "Azure, asked to GET /subscriptions/s, answered 403: AuthorizationFailed: The client 'x' [2J does not have authorization"
    )
    assert (error.status, error.code, error.correlation_id, error.exit_code) == (403, "AuthorizationFailed", "c-1", 4)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 409, 418, 429, 500])
def test_every_refusal_says_what_to_do(status):
    assert failed((status, {"error": {"code": "C", "message": "m"}}, ("retry-after", "100")))[0].hint


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(status):
    sleep = Sleeper()
    client, service = rest((status, b""), (status, b"", ("retry-after", "7")), (200, {"name": "x"}), sleep=sleep)
    assert client.get("/x").field("name").text() == "x"
    assert sleep == [0.5, 7.0]
    assert len(service.requests) == 3


def test_a_server_that_stays_busy_is_asked_four_times():
    sleep = Sleeper()
    error, service = failed((503, b""), sleep=sleep)
    assert (error.status, len(service.requests), sleep) == (503, 4, [0.5, 1.0, 2.0])


@pytest.mark.parametrize("wished", ["3600", "Tue, 14 Nov 2023 23:13:20 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_an_hour_is_said_and_not_waited_for(status, wished):
    sleep = Sleeper()
    error, service = failed((status, {"error": {"code": "TooManyRequests", "message": "slow down"}}, ("retry-after", wished)), sleep=sleep)
    assert (sleep, len(service.requests)) == ([], 1)
    assert "wait 3600 s" in error.hint


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_may_have_made_something_is_not_sent_twice(method, status):
    error, service = failed((status, b""), (200, {}), method=method)
    assert (error.status, len(service.requests)) == (status, 1)


def test_what_was_throttled_was_not_looked_at_and_goes_again():
    client, service = rest((429, b"", ("retry-after", "1")), (200, {"keyId": "k"}))
    assert client.call("POST", "/x", body={}).document.field("keyId").text() == "k"
    assert len(service.requests) == 2


def test_each_attempt_has_a_token_of_its_moment():
    tokens = iter(["first", "second"])
    service = Service((503, b""), (200, {}))
    Rest(service, ORIGIN, lambda: next(tokens), "Azure", sleep=Sleeper()).get("/x")
    assert [request.header("authorization") for request in service.requests] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status):
    error, service = failed((status, b"", ("location", "https://elsewhere.example/")))
    assert "sent us elsewhere" in error.message
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [200, 403, 511])
def test_a_captive_portals_page_is_called_one(status):
    error, _ = failed((status, b"\r\n<!DOCTYPE html><title>Welcome</title>", ("content-type", "text/html")))
    assert "web page" in error.message
    assert "captive portal" in error.hint


@pytest.mark.parametrize("body", [b"not json", b"[1, 2", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a": NaN}'])
def test_an_answer_that_is_no_json_is_refused(body):
    assert "the answer of Azure" in failed((200, body))[0].message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"null",
        b"[]",
        b'"text"',
        b'{"error": null}',
        b'{"error": []}',
        b'{"error": {"code": 7, "message": {}}}',
        b"[" * 60_000,
    ],
)
def test_an_error_that_says_nothing_is_said_to(body):
    assert "answered 400: it gave no reason" in failed((400, body))[0].message


def test_an_error_of_ten_megabytes_is_not_read():
    read = 0

    class Endless(Service):
        def send(self, request):
            def read_into(buffer):
                nonlocal read
                read += len(buffer)
                buffer[:] = bytes(len(buffer))
                return len(buffer) if read < 10 << 20 else 0

            response = super().send(request)
            return Response(response.status, type(response.headers)(()), request.url, read_into)

    client = Rest(Endless((400, b"")), ORIGIN, lambda: TOKEN, "Azure")
    with pytest.raises(AzureError, match="it gave no reason"):
        client.get("/x")
    assert read <= 256 * 1024


def test_an_answer_that_is_too_long_is_refused():
    assert f"longer than the {MAX_ANSWER} bytes" in failed((200, b" " * (MAX_ANSWER + 1)))[0].message


@pytest.mark.parametrize("message", [f"the token {TOKEN} is bad", f"'{TOKEN.replace('_', '+')[:60]}' is bad", "Bearer " + TOKEN])
def test_an_answer_that_quotes_the_token_does_not_get_it_into_the_error(message):
    error, _ = failed((401, {"error": {"code": TOKEN, "message": message}}))
    assert "eyJ" not in error.message + error.code
    assert "[token]" in error.message


def test_a_token_that_looks_like_nothing_is_kept_out_too():
    service = Service((401, {"error": {"code": "C", "message": "what is opaque-canary?"}}))
    with pytest.raises(AzureError) as caught:
        Rest(service, ORIGIN, lambda: "opaque-canary", "Azure").get("/x")
    assert "canary" not in caught.value.message


def test_a_field_that_is_not_what_it_should_be_is_named():
    client, _ = rest((200, {"properties": {"loginServer": 7}}))
    with pytest.raises(AzureError, match=r"properties\.loginServer must be a string"):
        client.get("/x").field("properties").field("loginServer").text()


def test_a_list_is_read_page_by_page():
    more = "https://management.azure.com/next?$skiptoken=2&api-version=v"
    client, service = rest((200, {"value": [{"n": 1}], "nextLink": more}), (200, {"value": [{"n": 2}]}))
    assert [one.field("n").whole() for one in client.pages("/list", "v")] == [1, 2]
    assert [str(request.url) for request in service.requests] == ["https://management.azure.com/list?api-version=v", more]


def test_graph_names_its_next_page_differently():
    client, _ = rest((200, {"value": [1], "@odata.nextLink": f"{ORIGIN}/next"}), (200, {"value": [2]}))
    assert len(list(client.pages("/list", link="@odata.nextLink"))) == 2


@pytest.mark.parametrize("link", ["https://evil.example/next", "http://management.azure.com/next", "https://management.azure.com:444/next"])
def test_a_next_page_elsewhere_gets_no_token(link):
    client, service = rest((200, {"value": [], "nextLink": link}))
    with pytest.raises(RealmRefused, match="another service"):
        list(client.pages("/list"))
    assert len(service.requests) == 1


@pytest.mark.parametrize("link", ["/relative", "https://user@management.azure.com/next", "ftp://management.azure.com/"])
def test_a_next_page_that_is_no_url_is_refused(link):
    client, _ = rest((200, {"value": [], "nextLink": link}))
    with pytest.raises(TransportError):
        list(client.pages("/list"))


@pytest.mark.parametrize(
    ("document", "field"), [({"value": {}}, "value"), ({"value": [], "nextLink": 1}, "nextLink"), ([], "the whole of it")]
)
def test_a_list_of_another_shape_names_the_field(document, field):
    client, _ = rest((200, document))
    with pytest.raises(AzureError, match=f"{field} must be"):
        list(client.pages("/list"))


def test_a_list_that_never_ends_is_given_up():
    client, service = rest((200, {"value": [], "nextLink": f"{ORIGIN}/again"}))
    with pytest.raises(AzureError, match=f"more than {MAX_PAGES} pages"):
        list(client.pages("/list"))
    assert len(service.requests) == MAX_PAGES
