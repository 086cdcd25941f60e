"""The signed word of a certificate's owner, which Entra takes in place of a secret.

Source: Microsoft Learn "Microsoft identity platform application authentication certificate credentials": PS256, ``x5t#S256``, and a life
of half an hour, as azure-identity 1.27 has them. RFC 7515 §4.1.8, RFC 7518 §3.5.
"""

from __future__ import annotations

import base64
import json
import uuid

from registryauth._redact import printable
from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

#: Bytes: a key, a certificate and its whole chain have about 10 KiB.
_MAX_FILE = 256 * 1024
#: Seconds.
_LIFETIME = 1800


def sign(file: str, password: str, client_id: str, audience: str, now: float) -> str:
    """A JWT that says that *client_id* asks *audience*, signed with the key in the PEM *file*.

    Raise `ConfigurationError` for a file that cannot be read, without a private key or its certificate, with another key than
    RSA's, with one that *password* does not open, and for a certificate that is out of its dates.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key, certificate = _owner(file, password)
    _refuse_dates(file, certificate, now)
    head = {"typ": "JWT", "alg": "PS256", "x5t#S256": _text(certificate.fingerprint(hashes.SHA256()))}
    claims = {
        "jti": str(uuid.uuid4()),
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "nbf": int(now),
        "exp": int(now) + _LIFETIME,
    }
    signed = ".".join(_text(json.dumps(part).encode()) for part in (head, claims))
    digest = hashes.SHA256()
    # RFC 7518 §3.5: the salt is as long as the hash.
    signature = key.sign(signed.encode("ascii"), padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return f"{signed}.{_text(signature)}"


def _owner(file: str, password: str) -> tuple[RSAPrivateKey, Certificate]:
    """The key, and among the certificates, which may be a chain, the one that is the key's."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read(file)
    key, fault = None, ""
    try:
        key = load_pem_private_key(content, password.encode() if password else None)
    except TypeError:
        fault = "needs AZURE_CLIENT_CERTIFICATE_PASSWORD" if not password else "has a key that is not encrypted: leave the password out"
    except ValueError:
        fault = "cannot be opened with AZURE_CLIENT_CERTIFICATE_PASSWORD" if password else "holds no private key"
    if fault:
        # Raised out here: the library's own error may quote the file.
        raise _unusable(file, fault)
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(file, "has a key of another kind than RSA, the only one that Entra takes")
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError:
        certificates = []
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            return key, certificate
    raise _unusable(file, "holds no certificate that belongs to its key")


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            content = opened.read(_MAX_FILE + 1)
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from None
    if len(content) > _MAX_FILE:
        raise _unusable(file, f"is larger than the {_MAX_FILE} bytes allowed")
    return content


def _refuse_dates(file: str, certificate: Certificate, now: float) -> None:
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= ends.timestamp():
        raise _unusable(file, f"holds a certificate that expired on {ends:%Y-%m-%d}")
    if now < starts.timestamp():
        raise _unusable(file, f"holds a certificate that is not valid before {starts:%Y-%m-%d}: is the clock right?")


def _unusable(file: str, complaint: str) -> ConfigurationError:
    return ConfigurationError(
        f"{printable(file)} {complaint}",
        key="azure.certificate_file",
        hint="it is a PEM file with the certificate and its RSA key; openssl pkcs12 -in FILE.pfx -out FILE.pem -nodes makes one",
    )


def _text(data: bytes) -> str:
    """RFC 7515 §2, base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
