"""Signing in as an application."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from registryauth._origin import Origin
from registryauth.azure.certificate import sign
from registryauth.azure.clouds import REGISTRY_SCOPE
from registryauth.azure.entra import Certificate, ClientSecret, Entra, WorkloadIdentity
from registryauth.errors import AzureError, ConfigurationError, NoIdentity, TransportError
from registryauth.testing import answers

PAUSES: list[float] = []


@pytest.fixture
def entra(azure, clock):
    PAUSES.clear()
    return Entra(azure.transport(), azure.cloud.authority, azure.home.id, clock=clock, sleep=PAUSES.append)


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_a_secret_goes_in_the_body_to_the_authority_and_nowhere_else(azure, entra, app, clock):
    app.add_secret(value="canary~ +&=%")
    token = ClientSecret(entra, app.app_id, "canary~ +&=%").token(REGISTRY_SCOPE)
    (request,) = azure.requests
    assert (request.method, str(request.url)) == ("POST", f"https://login.microsoftonline.com/{azure.home.id}/oauth2/v2.0/token")
    assert form(request) == {
        "client_id": app.app_id,
        "client_secret": "canary~ +&=%",
        "scope": "https://containerregistry.azure.net/.default",
        "grant_type": "client_credentials",
    }
    assert token.expires_at == clock.now + azure.entra.lifetime
    assert token.value not in repr(token)


def test_the_lifetime_that_entra_says_is_honoured(azure, entra, app, clock):
    azure.entra.lifetime = 86399
    app.add_secret(value="s")
    assert ClientSecret(entra, app.app_id, "s").token(REGISTRY_SCOPE).expires_at == clock.now + 86399


def test_a_tenant_cannot_change_the_path():
    made = Entra(None, Origin("https", "login.microsoftonline.com", 443), "../x?y")
    assert made.url.target == "/..%2Fx%3Fy/oauth2/v2.0/token"


@pytest.mark.parametrize("status", [500, 503])
def test_entra_that_fails_is_asked_again_and_then_said_to_fail(azure, entra, app, status):
    azure.fault(lambda request: answers.content(request, status, "text/html", b"<h1>Oops</h1>"))
    with pytest.raises(TransportError, match=rf"Entra failed \({status}\)"):
        ClientSecret(entra, app.app_id, "s").token(REGISTRY_SCOPE)
    assert len(azure.requests) == 3
    assert PAUSES == [0.5, 2.0]


def test_a_refusal_is_one_attempt(azure, entra, app):
    app.add_secret(value="s")
    with pytest.raises(AzureError):
        ClientSecret(entra, app.app_id, "wrong").token(REGISTRY_SCOPE)
    assert len(azure.requests) == 1
    assert PAUSES == []


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": "a b"}, {"access_token": 7}, ["x"], "x"])
def test_an_answer_without_a_token_is_an_error_that_quotes_nothing(azure, entra, app, body):
    azure.fault(lambda request: answers.document(request, 200, body))
    with pytest.raises(AzureError, match=r"without a token|must be"):
        ClientSecret(entra, app.app_id, "s").token(REGISTRY_SCOPE)


def test_a_workload_presents_what_its_file_holds_at_that_moment(azure, entra, app, tmp_path):
    file = tmp_path / "token"
    app.trust("https://issuer.example", "system:serviceaccount:ns:sa")
    claims = {"iss": "https://issuer.example", "sub": "system:serviceaccount:ns:sa", "aud": "api://AzureADTokenExchange", "exp": 1e10}
    file.write_text(_jwt(claims) + "\n")
    workload = WorkloadIdentity(entra, app.app_id, str(file))
    first = form_after(azure, workload)["client_assertion"]
    file.write_text(_jwt(claims | {"jti": "2"}))
    second = form_after(azure, workload)
    assert (first, second["client_assertion"]) == (_jwt(claims), _jwt(claims | {"jti": "2"}))
    assert second["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in second


def form_after(azure, source):
    source.token(REGISTRY_SCOPE)
    return form(azure.requests[-1])


@pytest.mark.parametrize("content", ["", "a b", "two\nlines", "é", "x" * 70_000])
def test_a_file_without_one_token_is_refused_before_anything_is_sent(azure, entra, tmp_path, content):
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match="does not hold one token"):
        WorkloadIdentity(entra, "c", str(file)).token(REGISTRY_SCOPE)
    assert azure.requests == []


def test_a_workload_without_its_file_has_no_identity(entra, tmp_path):
    with pytest.raises(NoIdentity, match="cannot be read: No such file"):
        WorkloadIdentity(entra, "c", str(tmp_path / "none")).token(REGISTRY_SCOPE)


def _jwt(claims):
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".c2ln"


@pytest.fixture(scope="module")
def keys():
    """Made once: a key takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048), rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_certificate(key, *, days=(-1, 30), at=1_800_000_000.0):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "deploy")])
    now = datetime.fromtimestamp(at, UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def key_pem(key, password=b""):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


@pytest.fixture
def pem(tmp_path):
    def pem(*parts):
        file = tmp_path / "sp.pem"
        file.write_bytes(b"".join(parts))
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
        return str(file)

    return pem


def test_a_certificate_signs_what_entra_verifies(azure, entra, app, pem, keys):
    certificate = a_certificate(keys[0])
    app.add_certificate(certificate)
    # A chain, and its leaf not first.
    file = pem(a_certificate(keys[1]), key_pem(keys[0]), certificate)
    Certificate(entra, app.app_id, file).token(REGISTRY_SCOPE)
    sent = form(azure.requests[-1])
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in sent["client_assertion"].split(".")[:2])
    assert head == {"typ": "JWT", "alg": "PS256", "x5t#S256": _thumbprint(certificate)}
    assert claims["aud"] == str(azure.requests[-1].url)
    assert (claims["iss"], claims["sub"], claims["exp"] - claims["nbf"]) == (app.app_id, app.app_id, 1800)


def _thumbprint(pem):
    return base64.urlsafe_b64encode(x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256())).rstrip(b"=").decode()


def test_a_key_may_be_encrypted(azure, entra, app, pem, keys):
    certificate = a_certificate(keys[0])
    app.add_certificate(certificate)
    assert Certificate(entra, app.app_id, pem(key_pem(keys[0], b"pw"), certificate), "pw").token(REGISTRY_SCOPE).value


def test_a_certificate_that_is_not_registered_is_said_so(entra, app, pem, keys):
    with pytest.raises(AzureError, match="the certificate is not registered with the application") as caught:
        Certificate(entra, app.app_id, pem(key_pem(keys[0]), a_certificate(keys[0]))).token(REGISTRY_SCOPE)
    assert caught.value.code == "AADSTS700027"


@pytest.mark.parametrize(
    ("parts", "password", "complaint"),
    [
        (lambda k: [a_certificate(k[0])], "", "holds no private key"),
        (lambda k: [key_pem(k[0])], "", "holds no certificate that belongs to its key"),
        (lambda k: [key_pem(k[0]), a_certificate(k[1])], "", "holds no certificate that belongs to its key"),
        (lambda k: [key_pem(k[0], b"canary"), a_certificate(k[0])], "", "needs AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        (lambda k: [key_pem(k[0], b"canary"), a_certificate(k[0])], "wrong", "cannot be opened with AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        (lambda k: [key_pem(k[0]), a_certificate(k[0])], "canary", "has a key that is not encrypted"),
        (lambda k: [key_pem(ec.generate_private_key(ec.SECP256R1()))], "", "another kind than RSA"),
        (lambda k: [key_pem(k[0]), a_certificate(k[0], days=(-9, -1))], "", "expired on 2027-01-14"),
        (lambda k: [key_pem(k[0]), a_certificate(k[0], days=(1, 9))], "", "not valid before 2027-01-16"),
        (lambda k: [b"canary" * 60_000], "", "is larger than"),
    ],
)
def test_a_file_that_does_not_do_says_what_is_wrong_with_it(pem, keys, clock, parts, password, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        sign(pem(*parts(keys)), password, "c", "aud", clock.now)
    assert "canary" not in f"{caught.value!r}{caught.value.hint}{caught.value.__cause__!r}"
    assert caught.value.key == "azure.certificate_file"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        sign(str(tmp_path / "none.pem"), "", "c", "aud", 0.0)
