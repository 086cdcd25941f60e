"""Entra's refusals, told apart."""

from __future__ import annotations

import json

import pytest

from registryauth._http import Response
from registryauth._origin import Url
from registryauth.azure.clouds import REGISTRY_SCOPE
from registryauth.azure.entra import ClientSecret, Entra
from registryauth.azure.entra_errors import MEANINGS, meaning, proof_of, refusal
from registryauth.errors import AzureError
from registryauth.testing import answers

GUID = "6a1d5f3c-1111-2222-3333-444455556666"


@pytest.fixture
def refused(azure, clock):
    """The error of a sign-in with a client ID and a secret."""

    def refused(client_id, secret, tenant=""):
        entra = Entra(azure.transport(), azure.cloud.authority, tenant or azure.home.id, clock=clock, sleep=lambda _: None)
        with pytest.raises(AzureError) as caught:
            ClientSecret(entra, client_id, secret).token(REGISTRY_SCOPE)
        assert secret not in f"{caught.value!r}{caught.value.hint}"
        assert caught.value.exit_code == 4
        return caught.value

    return refused


def test_an_expired_secret_is_told_from_a_wrong_one(app, refused, clock):
    app.add_secret(value="old-canary", lifetime=60)
    clock.now += 61
    expired, wrong = refused(app.app_id, "old-canary"), refused(app.app_id, "wrong-canary")
    assert (expired.code, wrong.code) == ("AADSTS7000222", "AADSTS7000215")
    assert "its client secret has expired" in str(expired)
    assert "rotate" in expired.hint
    assert "its client secret is wrong" in str(wrong)
    assert "not its Secret ID" in wrong.hint
    assert expired.correlation_id


def test_a_secret_id_that_was_pasted_is_recognised_by_its_looks(app, refused):
    app.add_secret(value="right")
    error = refused(app.app_id, GUID)
    assert "is the Secret ID of its client secret, not the secret's value" in str(error)


def test_a_client_id_that_the_tenant_does_not_know(refused):
    error = refused(GUID, "canary")
    assert (error.code, "no such application" in str(error)) == ("AADSTS700016", True)
    assert GUID in str(error)


def test_a_tenant_that_is_not_there_or_in_another_cloud(app, refused):
    error = refused(app.app_id, "canary", tenant=GUID)
    assert (error.code, "no such tenant in this cloud" in str(error)) == ("AADSTS90002", True)


def answered(status, body, fields=()):
    return Response.of(status, fields, Url.parse("https://login.microsoftonline.com/t"), body if isinstance(body, bytes) else body.encode())


def test_being_throttled_says_how_long_to_wait():
    error = refusal(answered(429, "{}", [("retry-after", "3600")]), "the service principal c", 0.0)
    assert (str(error), error.hint) == ("Entra is throttling the service principal c", "wait 3600 s, then try again")


def test_a_code_that_we_do_not_know_is_told_in_entras_words_without_the_secret():
    words = "AADSTS123456: No canary please. Trace ID: t\r\nmore"
    body = {"error": "x", "error_description": words, "error_codes": [123456], "correlation_id": "id-7"}
    error = refusal(answered(400, json.dumps(body)), "c", 0.0, proof_of("canary"))
    assert str(error) == "Entra refused c: No *** please (AADSTS123456)"
    assert error.hint.endswith("id-7")


@pytest.mark.parametrize(
    "body", [b"<html>captive portal", b"", b"[]", b'{"error": {"a": 1}, "error_description": 5, "error_codes": ["x"]}', b"x" * 10_000_000]
)
def test_a_body_that_is_not_entras_is_not_shown(body):
    error = refusal(answered(400, body), "c", 0.0)
    assert str(error) == "Entra refused c: it gave no reason (status 400)"


def test_nothing_is_followed():
    error = refusal(answered(302, "", [("location", "https://evil.example")]), "c", 0.0)
    assert "sent c elsewhere (302)" in str(error)


def test_terminal_escapes_do_not_come_through():
    error = refusal(answered(400, '{"error_description": "\\u001b[31mred\\u202e"}'), "c", 0.0)
    assert str(error).isprintable()


@pytest.mark.parametrize("number", sorted(MEANINGS))
def test_every_meaning_says_what_to_do(number):
    error = meaning(f"AADSTS{number}", "c", "")
    assert f"(AADSTS{number})" in str(error)
    assert error.hint


def test_a_throttling_answer_of_entra_stops_the_sign_in(azure, app, environ, tokens):
    azure.fault(lambda request: answers.document(request, 429, {}, [("retry-after", "3600")]), "login.microsoftonline.com")
    with pytest.raises(AzureError, match="throttling"):
        tokens.get(REGISTRY_SCOPE)
    assert len(azure.requests) == 1
