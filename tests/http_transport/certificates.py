"""Certificates, good and bad, made for a test."""

from __future__ import annotations

import ssl
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from registryauth.testing import certificates


class Authority:
    """A certificate authority as a transport meets it; `ca_file` is its PEM file."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        (directory / name).mkdir()
        self._authority = certificates.Authority(directory / name)
        self._serial = count(1)
        self.ca_file = str(self._authority.ca_file)

    def server(self, host: str = "127.0.0.1", *, expired: bool = False, clients: ssl.VerifyMode = ssl.CERT_NONE) -> ssl.SSLContext:
        """A server's context with a certificate for *host* alone, its common name, too; *clients* says whether it wants theirs, by us."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._authority.issue(host, hosts=[host], loopback=False, expired=expired))
        if clients is not ssl.CERT_NONE:
            context.load_verify_locations(self.ca_file)
            context.verify_mode = clients
        return context

    def client(self, passphrase: bytes = b"") -> tuple[str, str]:
        """The files of a new client's certificate and its key, encrypted if there is a *passphrase*."""
        name, key = f"client-{next(self._serial)}", ec.generate_private_key(ec.SECP256R1())
        certificate_file, key_file = self._authority.issue(name, key, [name], loopback=False)
        if passphrase:
            locked = serialization.BestAvailableEncryption(passphrase)
            key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        return str(certificate_file), str(key_file)
