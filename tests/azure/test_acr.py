"""Signing in to a registry with Entra."""

from __future__ import annotations

from email.utils import formatdate
from urllib.parse import parse_qs

import pytest

from registryauth._http import Headers
from registryauth.azure.acr import Acr, require_login_server
from registryauth.azure.clouds import CHINA, PUBLIC
from registryauth.errors import (
    AzureError,
    Denied,
    RealmRefused,
    RegistryError,
    TokenRefused,
    TooManyRequests,
    TransportError,
)
from registryauth.reference import Registry
from registryauth.testing import answers

HOST = "myregistry.azurecr.io"
EXCHANGE = f"POST https://{HOST}/oauth2/exchange"


def reg(host=HOST):
    return Registry.parse(host, known=(host.rpartition(":")[0] or host,))


@pytest.fixture
def registry(azure, app):
    made = azure.registry("myregistry")
    azure.assign(app, "AcrPull", made)
    return made


@pytest.fixture
def acr(azure, tokens, clock):
    return Acr(tokens, azure.transport(), azure.cloud, clock=clock)


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_an_entra_token_becomes_a_refresh_token_in_three_requests(azure, acr, registry, asked, clock):
    login = acr.sign_in(reg())
    assert asked() == [f"GET https://{HOST}/v2/", f"POST https://login.microsoftonline.com/{azure.home.id}/oauth2/v2.0/token", EXCHANGE]
    sent = form(azure.requests[-1])
    assert (sent["grant_type"], sent["service"], sent["tenant"]) == ("access_token", HOST, azure.home.id)
    assert registry.claims_of(login.credential.token, "refresh_token")
    assert login.refresh.expires_at == clock.now + 11_700
    assert (login.audience, login.tenant, login.notices) == ("https://containerregistry.azure.net", azure.home.id, ())
    assert login.refresh.value not in repr(login)


def test_without_a_look_it_is_two(acr, registry, asked):
    acr.sign_in(reg(), look=False)
    assert len(asked()) == 2


def test_a_service_that_is_called_otherwise_is_asked_for_its_name(azure, acr, registry, asked):
    """A regional endpoint's challenge names the registry itself."""
    regional = reg(f"myregistry.{registry.location}.geo.azurecr.io")
    assert acr.sign_in(regional, look=False).refresh.value
    assert [line.rpartition("/")[2] for line in asked()] == ["token", "exchange", "", "exchange"]
    assert form(azure.requests[-1])["service"] == HOST


@pytest.mark.parametrize(("mode", "abac"), [("classic", False), ("abac", True)])
def test_a_registry_with_repository_permissions_is_recognised(acr, registry, mode, abac):
    registry.mode = mode
    assert acr.sign_in(reg()).refresh.abac is abac


def test_where_entra_knows_no_registries_it_is_resource_managements_audience(azure, acr, registry):
    azure.entra.audiences.discard("https://containerregistry.azure.net")
    login = acr.sign_in(reg())
    assert login.audience == "https://management.azure.com"
    assert "with a token for resource management" in login.notices[0]
    assert "no such audience" in login.notices[0]


def test_where_neither_audience_will_do_both_answers_are_told(azure, acr, registry):
    azure.entra.audiences.discard("https://containerregistry.azure.net")
    registry.arm_audience = False
    with pytest.raises(AzureError, match="no such audience") as caught:
        acr.sign_in(reg())
    assert "for resource management" in caught.value.hint
    assert "takes no Entra token that is for resource management" in caught.value.hint


def test_an_identity_without_a_role_is_refused_with_what_it_needs(azure, acr, registry):
    registry.refuse_without_role = True
    azure.roles.assignments.clear()
    with pytest.raises(TokenRefused, match="authentication required") as caught:
        acr.sign_in(reg())
    assert "AcrPull" in caught.value.hint
    assert "Container Registry Repository Reader" in caught.value.hint


def test_a_firewall_says_which_address_it_saw(azure, acr, registry, asked):
    registry.firewall = ["198.51.100.1"]
    with pytest.raises(Denied, match=r"does not let in 203\.0\.113\.7") as caught:
        acr.sign_in(reg())
    assert caught.value.hint.startswith("az acr network-rule add --name myregistry --ip-address 203.0.113.7")
    assert asked() == [f"GET https://{HOST}/v2/"], "Entra is not asked for what cannot be used"
    with pytest.raises(Denied, match=r"203\.0\.113\.7"):
        acr.sign_in(reg(), look=False)


@pytest.mark.parametrize(
    "message", ["client with IP \\u0027203.0.113.9\\u0027 is not allowed access.", "client with IP '2001:db8::7' is not"]
)
def test_the_address_is_read_in_each_way_of_writing_it(azure, acr, registry, message):
    body = f'{{"errors":[{{"code":"DENIED","message":"{message} CorrelationId: 0"}}]}}'.encode()
    azure.fault(lambda request: answers.content(request, 403, "application/json", body), HOST)
    with pytest.raises(Denied, match=r"does not let in (203\.0\.113\.9|2001:db8::7), "):
        acr.sign_in(reg())


def test_a_registry_that_is_closed_to_the_public(azure, acr, registry):
    azure.fault(lambda request: answers.error(request, 403, "DENIED", "no"), HOST)
    with pytest.raises(Denied, match="closed to the public network") as caught:
        acr.sign_in(reg())
    assert "private endpoint" in caught.value.hint


def test_throttling_stops_it_and_tells_the_wait(azure, acr, registry, asked):
    azure.fault(lambda request: answers.empty(request, 429, [("retry-after", "3600")]), HOST)
    with pytest.raises(TooManyRequests, match="throttling") as caught:
        acr.sign_in(reg(), look=False)
    assert (caught.value.retry_after, caught.value.hint) == (3600.0, "wait 3600 seconds, then try again")
    assert asked().count(EXCHANGE) == 1


@pytest.mark.parametrize(
    "realm",
    ["https://evil.example/oauth2/token", "http://myregistry.azurecr.io/oauth2/token", "https://myregistry.azurecr.io.evil.example/t"],
)
def test_a_realm_elsewhere_gets_no_token(azure, acr, registry, asked, realm):
    fields = [("www-authenticate", f'Bearer realm="{realm}",service="{HOST}"')]
    azure.fault(lambda request: answers.error(request, 401, "UNAUTHORIZED", "x", fields=fields), HOST)
    with pytest.raises(RealmRefused, match="which no registry of Azure does"):
        acr.sign_in(reg())
    assert asked() == [f"GET https://{HOST}/v2/"]


@pytest.mark.parametrize(
    "host",
    [
        "myregistry.azurecr.io.evil.example",
        "evilazurecr.io",
        "azurecr.io",
        "registry.example",
        "my.registry.azurecr.io",
        "myregistry.azurecr.cn",
        "myregistry.azurecr.io:444",
        "127.0.0.1:5000",
        "myregistry.westeurope.data.azurecr.io",
    ],
)
def test_a_look_alike_gets_no_token_and_is_not_even_asked(acr, asked, host):
    with pytest.raises(RealmRefused) as caught:
        acr.sign_in(reg(host))
    assert caught.value.hint
    assert asked() == []


@pytest.mark.parametrize("host", ["a1.azurecr.io", "myregistry-e7ggejfuhzhgedc8.azurecr.io", "demo-abc123.eastus2.geo.azurecr.io"])
def test_every_form_of_a_login_server_is_one(host):
    require_login_server(reg(host), PUBLIC)


def test_a_cloud_without_a_suffix_has_no_registries():
    with pytest.raises(RealmRefused):
        require_login_server(reg(), CHINA.replace(registry_suffix="."))


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>sign in to the wifi"), (404, b""), (401, b"{}"), (302, b"")])
def test_what_is_no_registry_gets_no_token(azure, acr, registry, asked, status, body):
    azure.fault(lambda request: answers.content(request, status, "text/html", body, [("location", "https://portal.example")]), HOST)
    with pytest.raises(RegistryError, match="does not answer as a registry of Azure does"):
        acr.sign_in(reg())
    assert len(asked()) == 1


def test_a_name_that_is_not_there_says_what_that_may_mean(acr):
    with pytest.raises(TransportError) as caught:
        acr.sign_in(reg("nosuchregistry.azurecr.io"))
    assert "private endpoint" in caught.value.hint


@pytest.mark.parametrize("body", [b"{}", b'{"refresh_token": 5}', b'{"refresh_token": "a b"}', b"[]", b"<html>", b"x" * 200_000])
def test_an_exchange_without_a_token_quotes_nothing(azure, acr, registry, body):
    azure.fault(lambda request: answers.content(request, 200, "application/json", body) if "exchange" in request.url.target else None)
    with pytest.raises(Exception, match=r"refresh token|a web page|the \d+ bytes|allowed"):
        acr.sign_in(reg())


def test_an_exchange_that_sends_us_on_gets_nothing_more(azure, acr, registry):
    location = [("location", "https://evil.example/")]
    azure.fault(lambda request: answers.empty(request, 307, location) if "exchange" in request.url.target else None)
    with pytest.raises(RealmRefused, match="sent the exchange elsewhere"):
        acr.sign_in(reg())


def test_an_entra_token_that_is_repeated_is_not_shown(azure, acr, registry):
    def echo(request):
        if "exchange" not in request.url.target:
            return None
        return answers.error(request, 401, "UNAUTHORIZED", f"bad token {form(request)['access_token']}")

    azure.fault(echo)
    with pytest.raises(TokenRefused, match=r"bad token \*\*\*") as caught:
        acr.sign_in(reg())
    for request in azure.requests:
        for secret in (form(request).get("access_token"), form(request).get("client_secret")) if request.body else ():
            assert not secret or secret not in f"{caught.value!r}{caught.value.hint}{caught.value.__cause__!r}"


@pytest.mark.parametrize("skew", [-7200, -120, 0, 120, 7200])
def test_the_expiry_is_on_our_clock_whatever_the_registrys_says(azure, acr, app, registry, clock, skew):
    azure.altered(lambda _, answer: _dated(answer, formatdate(azure.now(), usegmt=True)))
    azure.skew = skew
    # Of before, by anybody's clock.
    app.secrets[0].starts_at = app.secrets[0].known_at = 0
    assert abs(acr.sign_in(reg()).refresh.expires_at - (clock.now + 11_700)) <= 1


def _dated(answer, date):
    answer.headers = Headers([*answer.headers, ("date", date)])
    return answer


@pytest.mark.parametrize("encoding", ["standard", "url"])
def test_tokens_in_other_base64_are_read(azure, acr, registry, clock, encoding):
    """Claims that contain every letter of the alphabet, so that the two differ."""
    registry.signer.encoding = encoding
    registry.azure.entra.signer.encoding = encoding
    assert acr.sign_in(reg()).refresh.expires_at == clock.now + 11_700


def test_what_is_no_json_web_token_has_no_expiry(azure, acr, registry):
    azure.fault(lambda request: answers.document(request, 200, {"refresh_token": "opaque"}) if "exchange" in request.url.target else None)
    login = acr.sign_in(reg())
    assert (login.refresh.expires_at, login.refresh.abac) == (0, False)


def test_the_body_of_an_exchange_is_a_form_that_repr_does_not_show(azure, acr, registry):
    acr.sign_in(reg())
    request = azure.requests[-1]
    assert request.header("content-type") == "application/x-www-form-urlencoded"
    assert form(request)["access_token"] not in repr(request)
