"""A pod's service account trades its token for a registry's: against the simulator, which was never compared with Azure itself."""

from __future__ import annotations

import base64
import io
import json

import pytest

from registryauth.azure.service_account import sign_in_as
from registryauth.azure.wire import Wire
from registryauth.credentials import NULL_GUID, IdentityToken
from registryauth.errors import AzureError, RealmRefused
from registryauth.kubelet_provider import API_VERSION, run
from registryauth.reference import Registry
from registryauth.stores.memory import MemoryStore

ISSUER, SUBJECT = "https://cluster.example/", "system:serviceaccount:team:builder"
HOST = "myregistry.azurecr.io"


def account_token(clock, subject=SUBJECT, audience="api://AzureADTokenExchange", life=3600):
    claims = {"iss": ISSUER, "sub": subject, "aud": [audience], "exp": clock() + life}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    return ".".join([base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts] + ["canary-sig"])


@pytest.fixture
def pod(azure, app):
    """The registry, and an application of the subscription's tenant that trusts the account and may pull."""
    registry = azure.registry("myregistry")
    app.trust(ISSUER, SUBJECT)
    azure.assign(app, "AcrPull", registry)
    return registry


@pytest.fixture
def trade(azure, app, clock, config):
    def trade(token, registry=HOST, client_id=app.app_id, tenant=None):
        def wire(*_):
            return Wire(azure.transport(), azure.transport())

        tenant = azure.home.id if tenant is None else tenant
        return sign_in_as(Registry(registry), token, client_id, tenant, config(), {}, open_wire=wire, clock=clock)

    return trade


def test_the_accounts_token_becomes_the_registrys_refresh_token(pod, azure, trade, clock):
    credential, expires_at = trade(account_token(clock))
    assert isinstance(credential, IdentityToken)
    assert clock() < expires_at <= clock() + 24 * 3600
    hosts = [request.url.origin.host for request in azure.requests]
    assert hosts == ["login.microsoftonline.com", HOST]
    assert "canary-sig" not in azure.requests[1].body.decode(), "the registry never sees the account's own token"


@pytest.mark.parametrize("wrong", [{"subject": "system:serviceaccount:team:other"}, {"audience": "api://other"}, {"life": -4000}])
def test_a_token_that_entra_does_not_take_is_refused_without_a_word_of_it(pod, trade, clock, wrong):
    with pytest.raises(AzureError) as caught:
        trade(account_token(clock, **wrong))
    assert "AADSTS" in caught.value.message
    assert "canary-sig" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("host", ["host.example", "myregistry.azurecr.io.evil.example", "myregistry.azurecr.io:8443"])
def test_it_goes_to_registries_of_azure_alone(azure, trade, clock, host):
    with pytest.raises(RealmRefused):
        trade(account_token(clock), host)
    assert azure.requests == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"client_id": "../x"}, "acr-client-id '../x' is none"),
        ({"tenant": ""}, "acr-tenant-id is missing"),
        ({"tenant": "a/b"}, "acr-tenant-id 'a/b' is none"),
        ({"token": "not a token"}, "is no JWT"),
        ({"token": "a.b.c\r\nx: y"}, "is no JWT"),
        ({"token": f"a.b.{'c' * 70_000}"}, "is no JWT"),
    ],
)
def test_annotations_and_tokens_that_are_none_are_sent_nowhere(pod, azure, trade, clock, given, said):
    with pytest.raises(AzureError, match=said):
        trade(**({"token": account_token(clock)} | given))
    assert azure.requests == []


def test_the_provider_hands_it_to_the_kubelet_for_as_long_as_it_lives(pod, azure, app, clock, trade):
    def as_the_pod(registry, token, client_id, tenant, config, environ):
        return trade(token, registry.host, client_id, tenant)

    annotations = {"kubernetes.azure.com/acr-client-id": app.app_id, "kubernetes.azure.com/acr-tenant-id": azure.home.id}
    request = {"apiVersion": API_VERSION, "kind": "CredentialProviderRequest", "image": f"{HOST}/team/app"}
    request |= {"serviceAccountToken": account_token(clock), "serviceAccountAnnotations": annotations}
    out, err = io.StringIO(), io.StringIO()
    data = io.BytesIO(json.dumps(request).encode())
    assert run([], data, out, err, {"HOME": "/nowhere"}, store=MemoryStore(), clock=clock, sign_in_as=as_the_pod) == 0
    answer = json.loads(out.getvalue())
    assert (answer["cacheKeyType"], answer["cacheDuration"]) == ("Registry", "1h0m0s")
    [(key, login)] = answer["auth"].items()
    assert (key, login["username"], err.getvalue()) == (HOST, NULL_GUID, "")
