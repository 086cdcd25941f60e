from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest

from registryauth._http.messages import Request
from registryauth._origin import Url
from registryauth.testing import RegistrySimulator

REALM = "https://registry.example/token"
FORM = {"service": "registry.simulator", "client_id": "a-test"}


@pytest.fixture
def simulator():
    return RegistrySimulator(accounts={"robot": "se:cret", "reader": "r"}, rights={"reader": {"pull"}}, clock=lambda: 1_000_000.9)


def get(simulator, *, login="", **query):
    headers = (("authorization", "Basic " + base64.b64encode(login.encode()).decode()),) if login else ()
    url = f"{REALM}?{urlencode({'service': 'registry.simulator'} | query, doseq=True)}"
    return simulator.handle(Request("GET", Url.parse(url), headers))


def post(simulator, **form):
    headers = (("content-type", "application/x-www-form-urlencoded"),)
    return simulator.handle(Request("POST", Url.parse(REALM), headers, urlencode(form).encode()))


def document(response):
    return json.loads(response.read(1 << 16))


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_token_says_who_for_what_and_until_when(simulator):
    answer = document(get(simulator, login="robot:se:cret", scope="repository:team/model:pull,push"))
    assert answer["token"] == answer["access_token"]
    assert (answer["expires_in"], answer["issued_at"]) == (300, "1970-01-12T13:46:40Z")
    said = claims(answer["token"])
    assert (said["sub"], said["aud"], said["exp"]) == ("robot", "registry.simulator", 1_000_300)
    assert said["access"] == [{"type": "repository", "name": "team/model", "actions": ["pull", "push"]}]
    assert "refresh_token" not in answer


def test_less_is_granted_than_asked_and_that_is_no_error(simulator):
    scopes = ["repository:a:pull,push", "repository:b:push", "registry:catalog:*"]
    answer = get(simulator, login="reader:r", scope=scopes)
    assert answer.status == 200
    assert claims(document(answer)["token"])["access"] == [{"type": "repository", "name": "a", "actions": ["pull"]}]


def test_scopes_may_be_repeated_or_joined_and_names_may_hold_a_port(simulator):
    answer = get(simulator, login="robot:se:cret", scope=["repository:a:pull repository:b:pull", "repository:host:5000/c:pull"])
    assert [access["name"] for access in claims(document(answer)["token"])["access"]] == ["a", "b", "host:5000/c"]


@pytest.mark.parametrize("login", ["robot:wrong", "nobody:secret", "no colon"])
def test_a_wrong_login_is_refused(simulator, login):
    assert get(simulator, login=login).status == 401


def test_another_service_is_refused(simulator):
    assert get(simulator, login="robot:se:cret", service="another").status == 400


def test_a_stranger_gets_no_token_unless_anybody_may_pull(simulator):
    assert get(simulator, scope="repository:a:pull").status == 401
    friendly = RegistrySimulator(anonymous_pull=True)
    assert claims(document(get(friendly, scope="repository:a:pull,push"))["token"])["access"][0]["actions"] == ["pull"]


def test_offline_access_gives_an_identity_token_that_is_good_for_more(simulator):
    refresh = document(get(simulator, login="robot:se:cret", offline_token="true"))["refresh_token"]
    answer = document(post(simulator, grant_type="refresh_token", refresh_token=refresh, scope="repository:a:pull", **FORM))
    assert claims(answer["access_token"])["sub"] == "robot"
    assert (answer["scope"], answer["refresh_token"]) == ("repository:a:pull", refresh)


def test_an_identity_token_can_be_had_without_logging_in(simulator):
    refresh = simulator.identity_token("reader")
    answer = post(simulator, grant_type="refresh_token", refresh_token=refresh, scope="repository:a:pull,push", **FORM)
    assert document(answer)["scope"] == "repository:a:pull"


def test_an_identity_token_ends_with_its_account():
    accounts = {"robot": "secret"}
    simulator = RegistrySimulator(accounts=accounts)
    refresh = simulator.identity_token("robot")
    del accounts["robot"]
    assert post(simulator, grant_type="refresh_token", refresh_token=refresh, **FORM).status == 401


def test_the_password_grant(simulator):
    login = {"grant_type": "password", "username": "robot", "password": "se:cret"}
    answer = document(post(simulator, scope="repository:a:pull repository:b:push", **login, **FORM))
    assert [access["name"] for access in claims(answer["access_token"])["access"]] == ["a", "b"]
    assert "refresh_token" not in answer
    assert document(post(simulator, access_type="offline", **login, **FORM))["refresh_token"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password", "username": "robot", "password": "wrong"} | FORM, 401),
        ({"grant_type": "refresh_token", "refresh_token": "made up"} | FORM, 401),
        ({"grant_type": "refresh_token"} | FORM, 401),
        ({"grant_type": "authorization_code"} | FORM, 400),
        ({"grant_type": "password", "service": "registry.simulator"}, 400),
        ({"grant_type": "password", "service": "another", "client_id": "x"}, 400),
        (FORM, 400),
    ],
)
def test_a_form_that_is_wrong_or_incomplete_is_refused(simulator, form, status):
    assert post(simulator, **form).status == status


def test_a_body_that_is_no_form_is_refused(simulator):
    json_body = Request("POST", Url.parse(REALM), (("content-type", "application/json"),), b"{}")
    assert simulator.handle(json_body).status == 400


def test_a_foreign_realm_is_named_and_answers(simulator):
    simulator.realm = "https://auth.example/oauth/tokens"
    challenge = simulator.handle(Request("GET", Url.parse("https://registry.example/v2/")))
    assert 'realm="https://auth.example/oauth/tokens"' in challenge.headers.get("www-authenticate")
    asked = Request("GET", Url.parse(f"{simulator.realm}?service=registry.simulator"))
    assert simulator.handle(asked).status == 401
