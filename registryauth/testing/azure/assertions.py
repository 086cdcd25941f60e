"""Signed proofs of an application: its certificate's, and a federated issuer's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from registryauth.testing.azure.directory import App
from registryauth.testing.azure.refusals import EntraRefusal
from registryauth.testing.azure.signed import decoded, parts

#: RFC 7523 §2.2.
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Seconds by which clocks may differ (Microsoft Learn, AADSTS700024).
_SKEW = 300


def check_assertion(app: App, form: dict[str, str], now: float, audiences: Collection[str]) -> None:
    """Raise `EntraRefusal` unless the assertion in *form* is one of *app*; *audiences* are paths of our token URLs."""
    if form.get("client_assertion_type") != _TYPE:
        raise EntraRefusal(50027, "JWT token is invalid or malformed: client_assertion_type.", "invalid_request")
    try:
        head, claims = parts(form["client_assertion"])
    except ValueError:
        raise EntraRefusal(50027, "JWT token is invalid or malformed.", "invalid_request") from None
    if not (_number(claims, "nbf", 0) - _SKEW <= now < _number(claims, "exp", 0) + _SKEW):
        message = (
            f"Client assertion is not within its valid time range. Current time: {now:.0f}, expiry time of assertion {claims.get('exp')}."
        )
        raise EntraRefusal(700024, message, "invalid_client", 401)
    if claims.get("iss") == claims.get("sub") == app.app_id:
        _check_certificate(app, form["client_assertion"], head, claims, audiences)
    else:
        _check_federation(app, claims)


def _number(claims: dict[str, Any], name: str, default: float) -> float:
    value = claims.get(name, default)
    return value if isinstance(value, int | float) else default


def _check_certificate(app: App, token: str, head: dict[str, Any], claims: dict[str, Any], audiences: Collection[str]) -> None:
    """``x5t`` is the certificate's SHA-1, ``x5t#S256`` its SHA-256 (RFC 7515 §4.1.7, §4.1.8)."""
    thumbprint = decoded(str(head.get("x5t#S256") or head.get("x5t") or "")).hex().upper()
    key = app.certificates.get(thumbprint)
    if key is None or not _is_signed(key, token, head):
        reason = "The key was not found." if key is None else "The signature is not the key's."
        raise EntraRefusal(
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application. "
            f"[Reason - {reason}, Thumbprint of key used by client: '{thumbprint}']",
            "invalid_client",
            401,
        )
    if not any(str(claims.get("aud", "")).endswith(path) for path in audiences):
        raise EntraRefusal(700023, f"Client assertion audience claim does not match: {claims.get('aud')}.", "invalid_client", 401)


def _is_signed(key: Any, token: str, head: dict[str, Any]) -> bool:  # noqa: ANN401 - any of cryptography's public keys
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed, _, signature = token.rpartition(".")
    kinds = {"PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), "RS256": padding.PKCS1v15()}
    try:
        key.verify(decoded(signature), signed.encode(), kinds[head["alg"]], hashes.SHA256())
    except (InvalidSignature, LookupError, ValueError):
        return False
    return True


def _check_federation(app: App, claims: dict[str, Any]) -> None:
    said = claims.get("aud")
    audiences = said if isinstance(said, list) else [said]
    same = [one for one in app.federations if (one.issuer, one.subject) == (claims.get("iss"), claims.get("sub"))]
    if not any(one.audience in audiences for one in same):
        raise EntraRefusal(
            700213,
            f"No matching federated identity record found for presented assertion subject '{claims.get('sub')}'. Check your federated "
            "identity credential Subject, Audience and Issuer against the presented assertion. "
            "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
            "invalid_client",
            401,
        )
