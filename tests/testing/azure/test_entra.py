"""Entra's token endpoint: who gets a token, and with which words everybody else is refused."""

from __future__ import annotations

import base64
import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from .asking import ACR_SCOPE, ARM_SCOPE, ASSERTION, LOGIN, claims

GUID = "00000000-1111-2222-3333-444444444444"


def test_a_secret_gets_a_token_in_the_documented_shape(ask, app, clock):
    answer = ask.login(app, app.add_secret().value)
    assert answer.status == 200
    assert answer.json == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": answer.json["access_token"]}
    said = claims(answer.json["access_token"])
    assert {key: said[key] for key in ("aud", "iss", "appid", "oid", "tid", "exp", "ver")} == {
        "aud": "https://management.azure.com", "iss": f"https://sts.windows.net/{app.tenant.id}/", "appid": app.app_id,
        "oid": app.principal_id, "tid": app.tenant.id, "exp": int(clock.now) + 3599, "ver": "1.0",
    }  # fmt: skip


def test_a_lifetime_of_a_day_was_recorded_and_can_be_had(azure, ask, app):
    azure.entra.lifetime = 86399
    assert ask.login(app, app.add_secret().value).json["expires_in"] == 86399


def test_an_expired_secret_is_answered_as_it_was_recorded(ask, app):
    answer = ask.login(app, app.add_secret(lifetime=-1).value)
    said = answer.json
    assert answer.status == 401
    assert set(said) == {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"}
    assert (said["error"], said["error_codes"]) == ("invalid_client", [7000222])
    assert said["error_uri"] == "https://login.microsoftonline.com/error?code=7000222"
    assert said["error_description"].startswith(
        f"AADSTS7000222: The provided client secret keys for app '{app.app_id}' are expired. Visit the Azure portal to create new keys "
        "for your app: https://aka.ms/NewClientSecret,"
    )
    assert f"Trace ID: {said['trace_id']} Correlation ID: {said['correlation_id']} Timestamp: {said['timestamp']}" in answer.message


def test_a_wrong_secret_and_a_pasted_key_id_are_answered_alike(ask, app):
    secret = app.add_secret()
    for wrong in ("wrong", secret.key_id):
        answer = ask.login(app, wrong)
        assert answer.code == (401, 7000215)
        assert "Ensure the secret being sent in the request is the client secret value, not the client secret ID" in answer.message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": GUID}, (400, 700016)),
        ({"client_id": ""}, (400, 900144)),
        ({"client_secret": ""}, (401, 7000218)),
        ({"scope": "https://management.azure.com"}, (400, 70011)),
        ({"scope": f"{ARM_SCOPE} {ACR_SCOPE}"}, (400, 70011)),
        ({"scope": "https://myregistry.azurecr.io/.default"}, (400, 500011)),
        ({"grant_type": "password"}, (400, 70003)),
        ({"client_assertion": "none", "client_assertion_type": ASSERTION}, (400, 50027)),
    ],
)
def test_each_slip_has_its_number(ask, app, change, code):
    form = {"grant_type": "client_credentials", "client_id": app.app_id, "client_secret": app.add_secret().value, "scope": ARM_SCOPE}
    assert ask.form(f"{LOGIN}/{app.tenant.id}/oauth2/v2.0/token", **(form | change)).code == code


def test_a_tenant_that_is_not_there_has_its_number_at_both_endpoints(ask, app):
    assert ask.login(app, "s", tenant=GUID).code == (400, 90002)
    described = ask("GET", f"{LOGIN}/{GUID}/v2.0/.well-known/openid-configuration")
    assert described.json["error"] == "invalid_tenant"
    assert "AADSTS90002" in described.message


def test_an_application_of_another_tenant_is_unknown(azure, ask, app):
    other = azure.tenant("fabrikam").app("theirs")
    assert ask.login(other, other.add_secret().value, tenant=app.tenant.id).code == (400, 700016)


def test_a_tenant_is_known_by_its_domain_too(ask, app):
    assert ask.login(app, app.add_secret().value, tenant="contoso.onmicrosoft.com").status == 200


@pytest.mark.parametrize(
    "scope",
    [ARM_SCOPE, ACR_SCOPE, "https://management.core.windows.net//.default", "https://graph.microsoft.com/.default"],
)
def test_the_known_audiences_are_given(ask, app, scope):
    answer = ask.login(app, app.add_secret().value, scope)
    assert claims(answer.json["access_token"])["aud"] == scope.removesuffix("/.default")


def test_a_new_secret_is_unknown_until_it_was_replicated(ask, app, clock):
    secret = app.add_secret(delay=10)
    assert ask.login(app, secret.value).code == (401, 7000215)
    clock.now += 10
    assert ask.login(app, secret.value).status == 200


def test_a_removed_secret_works_until_that_was_replicated(ask, app, clock):
    secret = app.add_secret()
    assert app.remove_secret(secret.key_id, delay=5)
    assert ask.login(app, secret.value).status == 200
    clock.now += 5
    assert ask.login(app, secret.value).code == (401, 7000215)
    assert not app.remove_secret(secret.key_id)


def test_two_secrets_work_side_by_side(ask, app):
    assert {ask.login(app, app.add_secret().value).status, ask.login(app, app.add_secret().value).status} == {200}


def test_an_application_without_a_service_principal_has_its_number(ask, app):
    app.has_principal = False
    assert ask.login(app, app.add_secret().value).code == (401, 7000229)


def test_a_secret_does_not_show_in_its_repr(app):
    secret = app.add_secret()
    assert secret.value not in repr(secret) + repr(app.secrets)
    assert secret.hint == secret.value[:3]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def pair():
    """A key and its certificate, PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "deploy")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    return key, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def signed(app, pair, clock):
    """An assertion of the certificate's key; *kind* is how it is signed, claims can be changed."""
    key, pem = pair
    certificate = x509.load_pem_x509_certificate(pem)

    def sign(kind="PS256", **changes):
        aud = f"{LOGIN}/{app.tenant.id}/oauth2/v2.0/token"
        said = {"aud": aud, "iss": app.app_id, "sub": app.app_id, "jti": "1", "nbf": clock.now, "exp": clock.now + 600, **changes}
        thumb = (
            {"x5t#S256": b64(certificate.fingerprint(hashes.SHA256()))}
            if kind == "PS256"
            else {"x5t": b64(certificate.fingerprint(hashes.SHA1()))}
        )
        text = ".".join(b64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": kind, **thumb}, said))
        pads = {"PS256": padding.PSS(padding.MGF1(hashes.SHA256()), 32), "RS256": padding.PKCS1v15()}
        return f"{text}.{b64(key.sign(text.encode(), pads[kind], hashes.SHA256()))}"

    return sign


def by_assertion(ask, app, token):
    return ask.login(app, client_assertion=token, client_assertion_type=ASSERTION)


@pytest.mark.parametrize("kind", ["PS256", "RS256"])
def test_a_registered_certificate_signs_in_by_either_thumbprint(ask, app, pair, signed, kind):
    assert by_assertion(ask, app, signed(kind)).code == (401, 700027)
    app.add_certificate(pair[1])
    assert by_assertion(ask, app, signed(kind)).status == 200


def test_a_signature_that_is_not_the_keys_is_refused(ask, app, pair, signed):
    app.add_certificate(pair[1])
    head, _, signature = signed().split(".")
    said = b64(json.dumps({**claims(signed()), "jti": "2"}).encode())
    assert by_assertion(ask, app, f"{head}.{said}.{signature}").code == (401, 700027)


def test_an_assertion_for_somebody_else_is_refused(ask, app, pair, signed):
    app.add_certificate(pair[1])
    assert by_assertion(ask, app, signed(aud="https://evil.example/token")).code == (401, 700023)


def test_clocks_that_differ_refuse_an_assertion(azure, ask, app, pair, signed):
    app.add_certificate(pair[1])
    azure.skew = 3600
    assert by_assertion(ask, app, signed()).code == (401, 700024)
    azure.skew = -3600
    assert by_assertion(ask, app, signed()).code == (401, 700024)


def test_a_workloads_token_stands_for_the_application_that_trusts_its_subject(ask, app, clock):
    def token(**changes):
        said = {"iss": "https://cluster", "sub": "system:serviceaccount:a:b", "aud": ["api://AzureADTokenExchange"], "exp": clock.now + 60}
        return f"{b64(b'{}')}.{b64(json.dumps(said | changes).encode())}."

    app.trust("https://cluster", "system:serviceaccount:a:b")
    assert by_assertion(ask, app, token()).status == 200
    for changes in ({"sub": "system:serviceaccount:a:c"}, {"iss": "https://other"}, {"aud": "https://kubernetes"}):
        assert by_assertion(ask, app, token(**changes)).code == (401, 700213)
    assert by_assertion(ask, app, token(exp=clock.now - 400)).code == (401, 700024)


def test_a_person_is_waited_for(azure, ask, tenant, clock):
    def poll(code):
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return ask.form(f"{LOGIN}/{tenant.id}/oauth2/v2.0/token", grant_type=grant, client_id=GUID, device_code=code)

    begun = ask.form(f"{LOGIN}/{tenant.id}/oauth2/v2.0/devicecode", client_id=GUID, scope=f"{ARM_SCOPE} offline_access").json
    assert (begun["expires_in"], begun["interval"]) == (900, 5)
    assert poll(begun["device_code"]).json["error"] == "authorization_pending"
    azure.entra.device_codes.approve(begun["user_code"], tenant.user("ada"))
    assert claims(poll(begun["device_code"]).json["access_token"])["unique_name"] == "ada"
    clock.now += 900
    assert poll(begun["device_code"]).json["error"] == "expired_token"


def test_a_person_may_decline(azure, ask, tenant):
    begun = ask.form(f"{LOGIN}/{tenant.id}/oauth2/v2.0/devicecode", client_id=GUID, scope=ARM_SCOPE).json
    azure.entra.device_codes.decline(begun["user_code"])
    answer = ask.form(f"{LOGIN}/{tenant.id}/oauth2/v2.0/token", grant_type="device_code", client_id=GUID, device_code=begun["device_code"])
    assert answer.json["error"] == "authorization_declined"


def test_tokens_in_another_base64_are_tokens_all_the_same(azure, ask, app, registry):
    azure.assign(app, "AcrPull", registry)
    azure.entra.signer.encoding = registry.signer.encoding = "standard"
    token = ask.login(app, app.add_secret().value).json["access_token"]
    assert set(token) & set("+/=")
    assert ask.exchange(app).status == 200
