"""Whom we trust, and what a failed handshake means."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping

from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth.errors import ConfigurationError, TransportError


class NotTls(TransportError):
    """*origin* does not speak TLS; a caller that is allowed to may try plain http there."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(f"{origin} does not speak TLS", hint="if it is a plain http registry that you trust, say --insecure")
        self.origin = origin


def contexts(ca_files: Mapping[str, str]) -> Callable[[str], ssl.SSLContext]:
    """A function from ``host[:port]`` to its TLS context, built when first asked for: loading the system's roots takes 20 ms."""
    made: dict[str, ssl.SSLContext] = {}

    def context(netloc: str) -> ssl.SSLContext:
        ca_file = ca_files.get(netloc) or ca_files.get("*", "")
        if ca_file not in made:
            made[ca_file] = _context(ca_file)
        return made[ca_file]

    return context


def attempts(ca_files: Mapping[str, str]) -> Callable[[str], Iterator[ssl.SSLContext]]:
    """A function from ``host[:port]`` to the contexts to try, the next one where the last did not know the certificate's authority.

    The first looks authorities up in the system's hashed directory when it meets them, which costs nothing until
    then; only the second, that of `contexts`, reads all of the system's roots. The first trusts no one whom the second does not.
    """
    full = contexts(ca_files)
    lean: dict[str, ssl.SSLContext | None] = {}

    def try_in_turn(netloc: str) -> Iterator[ssl.SSLContext]:
        ca_file = ca_files.get(netloc) or ca_files.get("*", "")
        if ca_file not in lean:
            lean[ca_file] = _lean_context(ca_file)
        if first := lean[ca_file]:
            yield first
            # It was not enough once: do not make the next connection pay, too.
            lean[ca_file] = None
        yield full(netloc)

    return try_in_turn


def _lean_context(ca_file: str) -> ssl.SSLContext | None:
    """A context that reads authorities when it needs them; None where the system keeps no directory to look them up in."""
    directory = ssl.get_default_verify_paths().capath
    try:
        # The names that OpenSSL looks for (openssl-rehash(1)).
        hashed = directory and any(re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name) for name in os.listdir(directory))
    except OSError:
        return None
    return _completed(ssl.create_default_context(capath=directory), ca_file) if hashed else None


def _context(ca_file: str) -> ssl.SSLContext:
    context = _completed(ssl.create_default_context(), ca_file)
    if not ca_file and not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        # Some Python builds find no system roots; certifi comes with httpx.
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context


def _completed(context: ssl.SSLContext, ca_file: str) -> ssl.SSLContext:
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
    return context


def explain(error: ssl.SSLError, origin: Origin) -> TransportError:
    """The TLS failure in a person's words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(
            f"{origin} shows a certificate that is not trusted: {printable(error.verify_message)}",
            hint="if it is your own authority's, name it with --ca-file or ca_file in the configuration",
        )
    # Errors that Python itself raises have no reason.
    reason = getattr(error, "reason", None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"):
        return NotTls(origin)
    return TransportError(f"TLS with {origin} failed: {printable(reason or str(error))}")
