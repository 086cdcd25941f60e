"""What is sent to a token server, to the letter of the two protocols."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, parse_qsl

import pytest

from registryauth._http import Request
from registryauth.auth.challenge import Challenge
from registryauth.auth.exchange import CLIENT_ID, MAX_TOKEN_BODY, basic, read_refusal, token_requests
from registryauth.auth.scope import Scope
from registryauth.credentials import Anonymous, Basic, IdentityToken
from registryauth.errors import AuthError, InvalidChallenge, TransportError

CANARY = "canary-7f3a"
PULL = Scope.parse("repository:team/app:pull")
PUSH = Scope.parse("repository:team/other:pull,push")


def bearer(realm: str = "https://r.example/token", **params: str) -> Challenge:
    return Challenge("bearer", tuple(sorted({"realm": realm, **params}.items())))


def query(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.url.target.partition("?")[2], keep_blank_values=True)


def form(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def test_anonymous_asks_by_get_and_tells_nothing_of_itself() -> None:
    [request] = token_requests(bearer(service="r.example"), Anonymous(), [PULL])
    assert request.method == "GET"
    assert str(request.url) == "https://r.example/token?service=r.example&scope=repository:team/app:pull"
    assert request.headers == ()
    assert request.body == b""


def test_a_password_is_asked_for_by_get_with_basic_and_then_by_post() -> None:
    get, post = token_requests(bearer(service="r.example"), Basic("robot$x", CANARY), [PULL])
    assert query(get) == [("service", "r.example"), ("scope", "repository:team/app:pull"), ("account", "robot$x")]
    assert get.header("authorization") == "Basic " + base64.b64encode(f"robot$x:{CANARY}".encode()).decode()
    assert CANARY not in str(get.url)
    assert form(post) == {
        "grant_type": ["password"],
        "service": ["r.example"],
        "client_id": [CLIENT_ID],
        "scope": ["repository:team/app:pull"],
        "username": ["robot$x"],
        "password": [CANARY],
    }
    assert (post.method, str(post.url)) == ("POST", "https://r.example/token")
    assert post.headers == (("content-type", "application/x-www-form-urlencoded"),)


def test_an_identity_token_is_only_ever_posted() -> None:
    [post] = token_requests(bearer(service="r.example"), IdentityToken(CANARY), [PULL])
    assert form(post) == {
        "grant_type": ["refresh_token"],
        "service": ["r.example"],
        "client_id": [CLIENT_ID],
        "scope": ["repository:team/app:pull"],
        "refresh_token": [CANARY],
    }
    assert CANARY not in str(post.url)
    assert post.header("authorization") == ""


def test_scopes_are_repeated_in_a_query_and_spaced_in_a_form() -> None:
    get, post = token_requests(bearer(service="s"), Basic("u", "p"), [PULL, PUSH])
    assert [value for name, value in query(get) if name == "scope"] == ["repository:team/app:pull", "repository:team/other:pull,push"]
    assert form(post)["scope"] == ["repository:team/app:pull repository:team/other:pull,push"]


def test_without_a_service_none_is_sent() -> None:
    get, post = token_requests(bearer(), Basic("u", "p"), [PULL])
    assert query(get) == [("scope", "repository:team/app:pull"), ("account", "u")]
    assert "service" not in form(post)


def test_without_scopes_none_is_sent() -> None:
    get, post = token_requests(bearer(service="s"), Basic("u", "p"), [])
    assert query(get) == [("service", "s"), ("account", "u")]
    assert "scope" not in form(post)


def test_a_bare_realm_is_asked_as_it_stands() -> None:
    [request] = token_requests(bearer("https://us-docker.pkg.dev/v2/token"), Anonymous(), [])
    assert str(request.url) == "https://us-docker.pkg.dev/v2/token"


def test_a_realm_keeps_its_own_query() -> None:
    """nvcr.io writes the scope into its realm."""
    [request] = token_requests(bearer("https://nvcr.io/proxy_auth?scope=repository:nvidia/cuda:pull,push"), Anonymous(), [PULL])
    assert query(request) == [("scope", "repository:nvidia/cuda:pull,push"), ("scope", "repository:team/app:pull")]


def test_an_opaque_scope_is_passed_on() -> None:
    [request] = token_requests(bearer("https://public.ecr.aws/token/", service="public.ecr.aws"), Anonymous(), [Scope("aws")])
    assert str(request.url) == "https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws"


def test_what_a_challenge_says_cannot_become_another_parameter() -> None:
    challenge = bearer(service="s&scope=registry:catalog:*#x\r\ny z")
    get, post = token_requests(challenge, Basic("u&password=x", "p&a=b c+d"), [Scope("a&b=c")])
    assert query(get) == [("service", "s&scope=registry:catalog:*#x\r\ny z"), ("scope", "a&b=c"), ("account", "u&password=x")]
    assert form(post)["password"] == ["p&a=b c+d"]
    assert not set(get.url.target) & set(" \r\n#")


def test_a_password_in_any_script_survives() -> None:
    get, post = token_requests(bearer(), Basic("jürgen", "пароль:🔑"), [])
    assert base64.b64decode(get.header("authorization").removeprefix("Basic ")).decode() == "jürgen:пароль:🔑"
    assert form(post)["password"] == ["пароль:🔑"]


def test_basic_is_the_rfcs_own_example() -> None:
    assert basic(Basic("Aladdin", "open sesame")) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    # RFC 7617 §2.1
    assert basic(Basic("test", "123£")) == "Basic dGVzdDoxMjPCow=="


@pytest.mark.parametrize("credential", [Basic("u", f"{CANARY}\udcff"), Basic(f"{CANARY}\udcff", "p"), IdentityToken(f"{CANARY}\udcff")])
def test_a_secret_that_cannot_be_encoded_is_refused_without_being_shown(credential: Basic | IdentityToken) -> None:
    """Python reads a byte that is not UTF-8 from the environment as a lone surrogate; its codec error holds the whole text."""
    with pytest.raises(AuthError) as caught:
        token_requests(bearer(), credential, [])
    assert caught.value.hint
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize("realm", ["", "/token", "token", "r.example/token", "//r.example/token", "javascript:alert(1)"])
def test_a_realm_that_is_no_absolute_url_is_refused(realm: str) -> None:
    with pytest.raises(InvalidChallenge, match="absolute URL") as caught:
        token_requests(bearer(realm), Anonymous(), [])
    assert "https://" in caught.value.hint


@pytest.mark.parametrize(
    "realm",
    [
        "file:///etc/passwd",
        "ftp://r.example/",
        "https://user:pw@r.example/token",
        "https://r.example\\@evil.example/",
        "https://r.example/a b",
        "https://r.example:99999/",
        "https://\u202er.example/",
        "https://r.example/\r\nX-Injected: 1",
        "https://" + "a" * 9000 + ".example/",
    ],
)
def test_a_realm_that_is_no_http_url_is_refused_and_not_quoted(realm: str) -> None:
    with pytest.raises((TransportError, InvalidChallenge)) as caught:
        token_requests(bearer(realm), Basic("u", CANARY), [])
    assert "r.example" not in str(caught.value)
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit https://aka.ms/acr/authorization","detail":[]}]}',
            "authentication required, visit https://aka.ms/acr/authorization",
        ),
        (
            b'{"errors":[{"code":"DENIED","message":"client with IP \\u00271.2.3.4\\u0027 is not allowed access. Refer https://aka.ms/acr/firewall"}]}',
            "client with IP '1.2.3.4' is not allowed access. Refer https://aka.ms/acr/firewall",
        ),
        (
            b'{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: Invalid clientid or client secret."}]}',
            "unauthorized: Invalid clientid or client secret.",
        ),
        (
            b'{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: Application not registered with AAD"}]}',
            "unauthorized: Application not registered with AAD",
        ),
        (
            b'{"error":"invalid_grant","error_description":"AADSTS7000222: the client secret keys are expired"}',
            "AADSTS7000222: the client secret keys are expired",
        ),
        (b'{"details":"incorrect username or password"}', "incorrect username or password"),
        (b'{"message":"nope"}', "nope"),
        (b'{"error":{"code":7},"errors":"none","message":null}', ""),
        (b'{"errors":[null,7,{"message":{"a":1}},{"code":"X"}]}', ""),
        (b"<html>Request Header Or Cookie Too Large</html>", ""),
        (b"", ""),
        (b"[]", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_the_reason_in_a_refusal(body: bytes, reason: str) -> None:
    assert read_refusal(body) == reason


def test_a_reason_is_made_fit_for_a_terminal() -> None:
    body = b'{"error_description":"gone\\u001b[2J\\u001b]0;owned\\u0007\\r\\n\\u202esecret\\u009b31m"}'
    reason = read_refusal(body)
    assert reason.isprintable()
    assert reason.startswith("gone")
    assert len(read_refusal(b'{"message":"' + b"x" * 100_000 + b'"}')) <= 300


def test_a_body_too_large_gives_no_reason() -> None:
    assert read_refusal(b'{"message":"' + b"x" * MAX_TOKEN_BODY + b'"}') == ""
