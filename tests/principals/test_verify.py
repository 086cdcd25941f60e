from __future__ import annotations

import pytest

from registryauth._http.messages import Response
from registryauth._http.tls import NotTls
from registryauth._origin import Origin
from registryauth.client import Client
from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import (
    Denied,
    InvalidChallenge,
    RealmRefused,
    RegistryError,
    TokenRefused,
    TransportError,
    Unauthorized,
    UnsupportedScheme,
)
from registryauth.principals import Verification, verify
from registryauth.reference import Address, Repository
from registryauth.testing import RegistrySimulator, answers, faults

from .conftest import CANARY

HOST = Address.parse("registry.example")
GOOD = Basic("me", CANARY)
MODEL = Repository.parse("registry.example/team/model")
ELSEWHERE = "https://auth.other.example/token"


def test_a_password_that_the_token_server_takes_is_verified(opened, sent):
    verification = verify(HOST, GOOD, opened)
    assert (verification.verified, verification.realm, verification.granted) == (True, "", ())
    assert "--repository would check" in verification.detail
    assert sent() == ["GET https://registry.example/token"]


def test_an_identity_token_is_verified_by_trading_it(simulator, opened):
    assert verify(HOST, IdentityToken(simulator.identity_token("me")), opened).verified
    with pytest.raises(TokenRefused):
        verify(HOST, IdentityToken("made up"), opened)


def test_the_right_to_pull_is_read_from_the_token(opened):
    verification = verify(HOST, GOOD, opened, repository=MODEL)
    assert (verification.verified, verification.granted) == (True, ("pull",))
    assert verification.detail == "the token for team/model grants pull"


def test_a_token_that_grants_less_than_asked_is_no_success(opened):
    with pytest.raises(Denied, match=r"gives it no right to pull from registry\.example/team/model") as failure:
        verify(HOST, Basic("reader", CANARY), opened, repository=MODEL)
    assert "AcrPull" in failure.value.hint


def test_basic_authentication_sends_the_password_to_the_registry_itself(simulator, opened, sent):
    simulator.auth = "basic"
    assert verify(HOST, GOOD, opened) == Verification(True, "the registry took the user name and password")
    assert sent() == ["GET https://registry.example/v2/"]


@pytest.mark.parametrize(("auth", "error"), [("token", TokenRefused), ("basic", Unauthorized)])
def test_a_wrong_password_is_one_attempt(simulator, opened, sent, auth, error):
    simulator.auth = auth
    with pytest.raises(error) as failure:
        verify(HOST, Basic("me", "wrong-7a"), opened)
    assert len(sent("wrong-7a")) == 1
    assert failure.value.exit_code == 4
    assert failure.value.hint
    assert "wrong-7a" not in str(failure.value) + failure.value.hint


def test_a_registry_that_asks_nobody_says_nothing_and_is_sent_nothing(simulator, opened, sent):
    simulator.auth = "none"
    verification = verify(HOST, Basic("me", "anything"), opened)
    assert not verification.verified
    assert "answers without a credential" in verification.detail
    assert sent("anything") == []
    assert len(simulator.requests) == 1


# -- what is no registry --


def _answering(simulator, status, body=b"", fields=()):
    media_type = dict(fields).get("content-type", "text/plain")
    rest = [field for field in fields if field[0] != "content-type"]
    simulator.inject(lambda request: answers.content(request, status, media_type, body, rest))


@pytest.mark.parametrize(
    ("status", "fields", "said"),
    [
        (200, [("content-type", "text/html; charset=utf-8")], "it answers with a web page"),
        (404, [], "it answers 404 to GET /v2/"),
        (301, [("location", "https://www.registry.example/v2/")], "it answers 301 to GET /v2/"),
        (405, [], "it answers 405"),
        (401, [], "does not say what it wants"),
    ],
)
def test_what_is_no_registry_is_called_that_and_sent_nothing(simulator, opened, sent, status, fields, said):
    _answering(simulator, status, b"<html>hello</html>", fields)
    with pytest.raises(RegistryError, match=r"registry\.example does not speak the registry API: ") as failure:
        verify(HOST, GOOD, opened)
    assert said in str(failure.value)
    assert failure.value.exit_code == 1
    assert "is the address right?" in failure.value.hint
    assert sent() == []


@pytest.mark.parametrize(("status", "exit_code"), [(403, 4), (429, 1), (500, 1), (503, 1)])
def test_a_registry_that_cannot_answer_now_is_not_called_something_else(simulator, opened, sent, status, exit_code):
    _answering(simulator, status)
    with pytest.raises(RegistryError) as failure:
        verify(HOST, GOOD, opened)
    assert "does not speak" not in str(failure.value)
    assert failure.value.exit_code == exit_code
    assert sent() == []


@pytest.mark.parametrize("line", ["Negotiate", "Digest realm=x, nonce=y", "Bearer service=x"])
def test_a_scheme_that_we_do_not_speak_is_named(simulator, opened, sent, line):
    simulator.alter(faults.wrong_field("/v2/", "www-authenticate", line))
    with pytest.raises(UnsupportedScheme, match=line.partition(" ")[0].lower()):
        verify(HOST, GOOD, opened)
    assert sent() == []


@pytest.mark.parametrize(
    "realm", ["/token", "token", "//auth.example/token", "ftp://auth.example/", "https://u:p@auth.example/", "https:///x"]
)
def test_a_realm_that_is_no_url_is_the_registry_s_fault_not_the_network_s(simulator, opened, sent, realm):
    simulator.alter(faults.wrong_field("/v2/", "www-authenticate", f'Bearer realm="{realm}",service="x"'))
    with pytest.raises(InvalidChallenge, match="names a token server that is no URL") as failure:
        verify(HOST, GOOD, opened)
    assert failure.value.exit_code == 4
    assert sent() == []


# -- the token server on another origin --


@pytest.mark.parametrize(
    "realm",
    [
        ELSEWHERE, "https://registry.example:8443/token", "https://evil.registry.example/token", "https://registry.example.evil.example/token",
        "http://registry.example/token", "https://127.0.0.1/token", "https://169.254.169.254/token", "https://[::1]/token", "https://10.0.0.1/t",
    ],
)  # fmt: skip
def test_a_realm_on_another_origin_is_refused_and_sent_nothing(simulator, opened, sent, realm):
    simulator.realm = realm
    with pytest.raises(RealmRefused) as failure:
        verify(HOST, GOOD, opened)
    assert sent() == []
    assert [str(request.url) for request in simulator.requests] == ["https://registry.example/v2/"]
    assert failure.value.exit_code == 4
    assert failure.value.hint


def test_one_that_was_named_is_used_and_to_be_pinned(simulator, opened, sent):
    simulator.realm = ELSEWHERE
    verification = verify(HOST, GOOD, opened, realm="https://auth.other.example/")
    assert verification.realm == ELSEWHERE
    assert sent() == [f"GET {ELSEWHERE}"]


def test_one_that_was_named_and_is_not_asked_for_changes_nothing(opened, sent):
    assert verify(HOST, GOOD, opened, realm=ELSEWHERE).realm == ""
    assert sent() == ["GET https://registry.example/token"]


def test_another_than_the_one_named_is_refused(simulator, opened, sent):
    simulator.realm = "https://third.example/token"
    with pytest.raises(RealmRefused):
        verify(HOST, GOOD, opened, realm=ELSEWHERE)
    assert sent() == []


def test_a_person_may_say_yes_to_the_one_that_is_shown(simulator, opened, sent):
    simulator.realm = ELSEWHERE + "?sig=secret-signature"
    asked = []
    verification = verify(HOST, GOOD, opened, confirm=lambda question: asked.append(question) or True)
    assert asked == ["registry.example wants its credentials sent to the token server https://auth.other.example. Is that its own?"]
    assert verification.realm == ELSEWHERE, "without its query, which may be signed"
    assert sent() == [f"GET {ELSEWHERE}"]


def test_plain_http_is_not_a_person_s_to_wave_through(simulator, opened, sent):
    simulator.realm = "http://auth.other.example/token"
    with pytest.raises(RealmRefused, match="plain http"):
        verify(HOST, GOOD, opened, confirm=lambda _: pytest.fail("nobody is asked"))
    with pytest.raises(RealmRefused, match="plain http"):
        verify(HOST, GOOD, opened, realm="http://auth.other.example/token")
    assert sent() == []


def test_docker_hub_s_token_server_is_known(simulator, opened, sent):
    simulator.realm = "https://auth.docker.io/token"
    assert verify(Address.parse("docker.io"), GOOD, opened).realm == "https://auth.docker.io/token"
    assert sent() == ["GET https://auth.docker.io/token"]


# -- plain http --


class _PlainOnly:
    """A registry that does not speak TLS."""

    def __init__(self, simulator: RegistrySimulator) -> None:
        self._simulator = simulator

    def send(self, request) -> Response:
        origin: Origin = request.url.origin
        if origin.scheme == "https":
            raise NotTls(origin)
        return self._simulator.handle(request)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("auth", ["token", "basic"])
def test_plain_http_is_spoken_to_another_machine_only_when_the_registry_was_named_insecure(simulator, sent, auth):
    simulator.auth = auth
    with pytest.raises(TransportError, match="does not speak TLS") as failure:
        verify(HOST, GOOD, lambda credentials: Client(credentials, transport=_PlainOnly(simulator), environ={}))
    assert "--insecure" in failure.value.hint
    assert simulator.requests == []

    def insecure(credentials):
        return Client(credentials, transport=_PlainOnly(simulator), insecure=["registry.example"], environ={})

    assert verify(HOST, GOOD, insecure, insecure=True).verified
    assert sent() == ["GET http://registry.example/token" if auth == "token" else "GET http://registry.example/v2/"]
