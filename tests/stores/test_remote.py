"""What every remote backend is held to, whatever the other side does."""

from __future__ import annotations

import json

import pytest

from registryauth._http import Request, Response
from registryauth._json import Node
from registryauth._origin import Url
from registryauth.errors import ConfigurationError, StoreUnavailable, TransportError
from registryauth.stores.remote import Remote, Unreachable, address_of, said_in


def a_remote(answer):
    return Remote(Url.parse("https://vault.example/base").replace(target="/base"), answer, "the vault")


def answering(status, body=b"{}", headers=()):
    return lambda request: Response.of(status, headers, request.url, body)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://vault.example:8200/", "https://vault.example:8200"),
        ("https://vault.example/team/vault//", "https://vault.example/team/vault"),
        ("http://127.0.0.1:8200", "http://127.0.0.1:8200"),
        ("http://[::1]:8200", "http://[::1]:8200"),
        ("http://localhost:8200", "http://localhost:8200"),
    ],
)
def test_an_address_is_a_url_without_a_slash_at_its_end(text, url) -> None:
    assert str(address_of(text, "vault.address")) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vault.example",
        "http://vault.example",
        "http://127.0.0.1.evil.example",
        "https://vault.example?x=y",
        "https://u:p@vault.example",
        "ftp://x",
    ],
)
def test_any_other_is_refused_and_named_by_its_key(text) -> None:
    with pytest.raises(ConfigurationError, match=r"^vault\.address ") as caught:
        address_of(text, "vault.address")
    assert caught.value.hint


def test_a_request_is_json_below_the_base_and_accepts_no_encoding() -> None:
    seen = []

    def send(request: Request) -> Response:
        seen.append(request)
        return Response.of(200, (), request.url, b'{"a": 1}')

    assert a_remote(send).ask("POST", "/v1/x", (("x-token", "t"),), {"k": "v"}).body.field("a").whole() == 1
    (request,) = seen
    assert str(request.url) == "https://vault.example/base/v1/x"
    assert json.loads(request.body) == {"k": "v"}
    assert request.header("accept-encoding") == "identity"
    assert request.header("x-token") == "t"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status) -> None:
    asked = []

    def send(request: Request) -> Response:
        asked.append(request)
        return Response.of(status, [("location", "https://vault.example/base/v1/y")], request.url)

    with pytest.raises(StoreUnavailable, match="sends us elsewhere") as caught:
        a_remote(send).ask("GET", "/v1/x")
    assert not isinstance(caught.value, Unreachable)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_not_now_is_unreachable(status) -> None:
    with pytest.raises(Unreachable, match=f"cannot answer now \\(status {status}: no leader"):
        a_remote(answering(status, b'{"errors": ["no leader"]}')).ask("GET", "/v1/x")


def test_no_answer_is_unreachable() -> None:
    def send(_: Request) -> Response:
        raise TransportError("cannot reach it", hint="look")

    with pytest.raises(Unreachable, match="cannot be reached: cannot reach it"):
        a_remote(send).ask("GET", "/v1/x")


def test_an_endless_answer_is_cut_off() -> None:
    def send(request: Request) -> Response:
        from registryauth._http import Headers

        return Response(200, Headers(), request.url, len)

    with pytest.raises(Unreachable, match="more than the"):
        a_remote(send).ask("GET", "/v1/x")


@pytest.mark.parametrize("body", [b"<html>", b'{"a":', b"\xff", b"[" * 100_000])
def test_a_success_that_is_not_json_is_no_answer(body) -> None:
    with pytest.raises(StoreUnavailable, match=r"the vault at https://vault\.example"):
        a_remote(answering(200, body)).ask("GET", "/v1/x")


def test_a_proxys_page_keeps_its_status() -> None:
    answer = a_remote(answering(403, b"<html>Forbidden</html>")).ask("GET", "/v1/x")
    assert answer.status == 403
    assert not answer.body


def test_what_an_error_says_is_cleaned_and_has_no_secret() -> None:
    def body(value: object) -> Node:
        return Node(value, "it")

    assert said_in(body({"errors": ["one\x1b[2J", "two s3cret"]}), ("s3cret",)) == "one [2J; two ***"
    assert said_in(body({"error": {"message": "m"}})) == "m"
    assert said_in(body({"error": "invalid_client", "error_description": "d"})) == "d"
    for nothing in ({}, None, {"errors": "text"}, {"errors": [1]}, {"error": []}):
        assert said_in(body(nothing)) == ""


def test_what_failed_never_shows_a_token_that_a_server_repeats() -> None:
    with pytest.raises(Unreachable) as caught:
        a_remote(answering(500, b'{"errors": ["bad canary-token"]}')).ask("GET", "/v1/x", (("x-vault-token", "canary-token"),))
    assert "canary" not in str(caught.value)
    with pytest.raises(Unreachable) as caught:
        a_remote(answering(500, b'{"errors": ["bad canary-secret"]}')).ask("POST", "/v1/x", (), {"secret": "canary-secret"})
    assert "canary" not in str(caught.value)


def test_an_answer_does_not_show_what_it_holds() -> None:
    answer = a_remote(answering(200, b'{"data": "canary"}')).ask("GET", "/v1/x")
    assert "canary" not in repr(answer)
