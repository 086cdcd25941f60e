"""Whom we trust, and what a failed handshake means."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth.errors import ConfigurationError, TransportError


class NotTls(TransportError):
    """The other side does not speak TLS; a caller that is allowed to may try plain http."""


def contexts(ca_files: Mapping[str, str]) -> Callable[[str], ssl.SSLContext]:
    """A function from ``host[:port]`` to its TLS context, built when first asked for: loading the system's roots takes 20 ms."""
    made: dict[str, ssl.SSLContext] = {}

    def context(netloc: str) -> ssl.SSLContext:
        ca_file = ca_files.get(netloc) or ca_files.get("*", "")
        if ca_file not in made:
            made[ca_file] = _context(ca_file)
        return made[ca_file]

    return context


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"cannot read certificate authorities from {ca_file}",
                file=ca_file,
                hint="it should be a PEM file with BEGIN CERTIFICATE lines",
            ) from error
    elif not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        # Some Python builds find no system roots; certifi comes with httpx.
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context


def explain(error: ssl.SSLError, origin: Origin) -> TransportError:
    """The TLS failure in a person's words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(
            f"{origin} shows a certificate that is not trusted: {printable(error.verify_message)}",
            hint="if it is your own authority's, name it with --ca-file or ca_file in the configuration",
        )
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"):
        return NotTls(f"{origin} does not speak TLS", hint="if it is a plain http registry that you trust, say --insecure")
    return TransportError(f"TLS with {origin} failed: {printable(error.reason or str(error))}")
