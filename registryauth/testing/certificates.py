"""A certificate authority of one's own, for tests that serve on loopback over TLS."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Authority:
    """Its certificates are good for a day.

    Its files are in *directory*: `ca_file`, and `directory` itself is what skopeo calls a cert-dir.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("registryauth testing authority")
        self.certificate = self._built(self._name, self._key, authority=True)
        self.ca_file = directory / "ca.crt"
        self.ca_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, key: Key | None = None, hosts: Sequence[str] = (), *, loopback: bool = True, expired: bool = False
    ) -> tuple[Path, Path]:
        """Files of a certificate for *hosts*, names or addresses, and of its key: a new one, or *key*.

        It is for 127.0.0.1 and localhost, too, unless *loopback* is False; one that *expired* did so an hour ago.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        names = [_host(host) for host in (*(("localhost", "127.0.0.1") if loopback else ()), *hosts)]
        certificate = self._built(_named(name), key, names, expired=expired)
        # No *.cert and *.key: skopeo takes such a pair in a cert-dir for a client certificate.
        certificate_file, key_file = self.directory / f"{name}.pem", self.directory / f"{name}-key.pem"
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate_file, key_file

    def _built(
        self, subject: x509.Name, key: Key, names: Sequence[x509.GeneralName] = (), *, authority: bool = False, expired: bool = False
    ) -> x509.Certificate:
        now, day, hour = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1), datetime.timedelta(hours=1)
        start, end = (now - day, now - hour) if expired else (now - hour, now + day)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=authority), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
