"""A token server for Debian's docker-registry: RS256 JWTs, over https, at an origin of its own.

Written apart from the shipped simulator, so that neither can be wrong in the other's favour. The registry
wants the signer's certificate in ``x5c`` and ``aud`` as a plain string; a list is answered with 401.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .certificates import Authority

SERVICE = "registryauth-test-registry"
ISSUER = "registryauth-test-issuer"


@dataclass
class Asked:
    """One request that the token server got."""

    method: str
    authorization: str
    parameters: dict[str, list[str]] = field(repr=False)


class Signer:
    """Signs what the registry trusts through the authority's certificate."""

    def __init__(self, authority: Authority) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate_file, _ = authority.issue("token-signer", self._key)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        self._chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]

    def sign(self, claims: dict[str, Any]) -> str:
        head = {"typ": "JWT", "alg": "RS256", "x5c": self._chain}
        signed = b".".join(_b64(json.dumps(part).encode()) for part in (head, claims))
        return (signed + b"." + _b64(self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))).decode()


class TokenServer:
    """Knows *accounts*, user name to password; grants each of them whatever is asked for `lifetime` seconds, and nobody else anything."""

    def __init__(self, signer: Signer, accounts: dict[str, str], lifetime: int = 300) -> None:
        self.requests: list[Asked] = []
        self.realm = ""
        self._signer = signer
        self._accounts = accounts
        self.lifetime = lifetime
        self._refresh: dict[str, str] = {}

    def answer(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Status and document for *asked*."""
        self.requests.append(asked)
        parameters = {name: values[0] for name, values in asked.parameters.items()}
        if parameters.get("service") != SERVICE:
            return 400, {"details": "wrong service"}
        username = self._caller(asked, parameters)
        if not username:
            return 401, {"details": "incorrect username or password"}
        scopes = [scope for value in asked.parameters.get("scope", []) for scope in value.split()]
        token = self._signer.sign(self._claims(username, scopes))
        document: dict[str, Any] = {"access_token": token, "expires_in": self.lifetime}
        document |= {"token": token} if asked.method == "GET" else {"scope": " ".join(scopes)}
        if parameters.get("offline_token") == "true" or parameters.get("access_type") == "offline":
            document["refresh_token"] = self.identity_token(username)
        return 200, document

    def identity_token(self, username: str) -> str:
        """A new refresh token of *username*."""
        token = secrets.token_urlsafe(24)
        self._refresh[token] = username
        return token

    def _caller(self, asked: Asked, parameters: dict[str, str]) -> str:
        if asked.method == "POST" and parameters.get("grant_type") == "refresh_token":
            return self._refresh.get(parameters.get("refresh_token", ""), "")
        if asked.method == "POST":
            username, password = parameters.get("username", ""), parameters.get("password", "")
        else:
            encoded = asked.authorization.removeprefix("Basic ")
            username, _, password = base64.b64decode(encoded).decode().partition(":")
        return username if username and self._accounts.get(username) == password else ""

    def _claims(self, username: str, scopes: list[str]) -> dict[str, Any]:
        now = int(time.time())
        access = []
        for scope in scopes:
            type_, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": type_, "name": name, "actions": actions.split(",")})
        dates = {"nbf": now - 10, "iat": now, "exp": now + self.lifetime}
        return {"iss": ISSUER, "sub": username, "aud": SERVICE, "jti": secrets.token_hex(8), "access": access, **dates}

    @contextmanager
    def serve(self, certificate: Path, key: Path) -> Iterator[None]:
        """Answer on a free loopback port over https; `realm` is the URL while it lasts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that does not trust us is a test's business
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        self.realm = f"https://127.0.0.1:{server.server_port}/token"
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(tokens: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0: one request a connection, so that no thread outlives the server.
        timeout = 10

        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._answer(self._body().decode())

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers["content-length"]))
            # As skopeo 1.9 sends it.
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            return body

        def _answer(self, parameters: str) -> None:
            authorization = self.headers.get("authorization", "")
            status, document = tokens.answer(Asked(self.command, authorization, parse_qs(parameters, keep_blank_values=True)))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
