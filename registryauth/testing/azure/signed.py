"""JSON Web Tokens that their issuer knows again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any, Literal

#: A claim that makes both letters of the standard alphabet show up that the URL's own does not have.
_TELLTALE = "\u00fb\u00ef\u00be?>~\u00ff"


class Signer:
    """Signs claims and reads what it signed.

    The header says RS256, as Azure's tokens do (Azure/acr docs/AAD-OAuth.md), and the signature is a MAC: only the issuer
    checks it here. *encoding* ``standard`` writes Base64 with ``+``, ``/`` and padding, which RFC 7515 does not allow
    and some issuers do.
    """

    def __init__(self) -> None:
        self.encoding: Literal["url", "standard"] = "url"
        self._key = secrets.token_bytes(32)
        self._id = secrets.token_urlsafe(20)

    def sign(self, claims: dict[str, Any]) -> str:
        """The token of *claims*."""
        if self.encoding == "standard":
            claims = {**claims, "telltale": _TELLTALE}
        head = {"typ": "JWT", "alg": "RS256", "kid": self._id}
        written = (json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode() for part in (head, claims))
        signed = ".".join(self._encoded(part) for part in written)
        return f"{signed}.{self._encoded(self._mac(signed))}"

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that was signed here and not altered, expired or not; else None."""
        signed, _, signature = token.rpartition(".")
        try:
            genuine = hmac.compare_digest(self._mac(signed), decoded(signature))
            claims: dict[str, Any] = json.loads(decoded(signed.partition(".")[2])) if genuine else {}
        except (binascii.Error, ValueError):
            return None
        return claims or None

    def _mac(self, signed: str) -> bytes:
        return hmac.digest(self._key, signed.encode(), hashlib.sha256)

    def _encoded(self, data: bytes) -> str:
        if self.encoding == "standard":
            return base64.b64encode(data).decode()
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of Base64 in either alphabet, padded or not; raise `ValueError` for anything else."""
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of any token, unchecked; raise `ValueError` for what is none."""
    head, _, rest = token.partition(".")
    try:
        read = json.loads(decoded(head)), json.loads(decoded(rest.partition(".")[0]))
    except binascii.Error as error:
        raise ValueError("that is no token") from error
    if not all(isinstance(part, dict) for part in read):
        raise ValueError("that is no token")
    return read
