"""Whom we trust, what we show them, and what a failed handshake means."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence

from registryauth._http.certs_d import HostDirectory, look_up
from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, TransportError

#: Alerts (RFC 8446 §6.2) by which a server turns a client's certificate, or none, down, in OpenSSL's words.
_REFUSED = r"_ALERT_(?:.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)\Z"


class NotTls(TransportError):
    """*origin* does not speak TLS; a caller that is allowed to may try plain http there."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(f"{origin} does not speak TLS", hint="if it is a plain http registry that you trust, say --insecure")
        self.origin = origin


class Trust(Value):
    """What counts for one host: *authorities* beside the system's, each a PEM file, and the *certificate* that it is shown.

    *key* is empty where the key is in the certificate's file.
    """

    authorities: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""


Trusting = Callable[[str], Trust]


def trusting(
    ca_files: Mapping[str, str] | None = None,
    client_certs: Mapping[str, tuple[str, str]] | None = None,
    certs_d: Sequence[str] = (),
) -> Trusting:
    """A function from ``host[:port]`` to what counts for it.

    *ca_files* maps that, or ``*`` for every host, to a PEM file of authorities; *client_certs* maps it to the PEM files of a
    certificate and its key. *certs_d* are directories as `certs_d` reads them, looked into when a host is first asked about: its
    own entries here come before what they say, and ``*`` adds to it.
    """
    files, shown, known = dict(ca_files or {}), dict(client_certs or {}), dict[str, Trust]()

    def trust(netloc: str) -> Trust:
        if netloc not in known:
            own, pair = files.get(netloc), shown.get(netloc)
            there = HostDirectory() if own and pair else look_up(netloc, certs_d)
            authorities = (own,) if own else (*there.authorities, *filter(None, (files.get("*"),)))
            known[netloc] = Trust(authorities, *(pair or there.client_certificate()))
        return known[netloc]

    return trust


def contexts(trust: Trusting) -> Callable[[str], ssl.SSLContext]:
    """A function from ``host[:port]`` to its TLS context, built when first asked for: loading the system's roots takes 20 ms."""
    made: dict[Trust, ssl.SSLContext] = {}

    def context(netloc: str) -> ssl.SSLContext:
        wanted = trust(netloc)
        if wanted not in made:
            made[wanted] = _context(wanted)
        return made[wanted]

    return context


def attempts(trust: Trusting) -> Callable[[str], Iterator[ssl.SSLContext]]:
    """A function from ``host[:port]`` to the contexts to try, the next one where the last did not know the certificate's authority.

    The first looks authorities up in the system's hashed directory when it meets them, which costs nothing until
    then; only the second, that of `contexts`, reads all of the system's roots. The first trusts no one whom the second does not.
    """
    full = contexts(trust)
    lean: dict[Trust, ssl.SSLContext | None] = {}

    def try_in_turn(netloc: str) -> Iterator[ssl.SSLContext]:
        wanted = trust(netloc)
        if wanted not in lean:
            lean[wanted] = _lean_context(wanted)
        if first := lean[wanted]:
            yield first
            # It was not enough once: do not make the next connection pay, too.
            lean[wanted] = None
        yield full(netloc)

    return try_in_turn


def _lean_context(trust: Trust) -> ssl.SSLContext | None:
    """A context that reads authorities when it needs them; None where the system keeps no directory to look them up in."""
    directory = ssl.get_default_verify_paths().capath
    try:
        # The names that OpenSSL looks for (openssl-rehash(1)).
        hashed = directory and any(re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name) for name in os.listdir(directory))
    except OSError:
        return None
    return _completed(ssl.create_default_context(capath=directory), trust) if hashed else None


def _context(trust: Trust) -> ssl.SSLContext:
    context = _completed(ssl.create_default_context(), trust)
    if not trust.authorities and not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        # Some Python builds find no system roots; certifi comes with httpx.
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context


def _completed(context: ssl.SSLContext, trust: Trust) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in trust.authorities:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"cannot read certificate authorities from {printable(file)}",
                file=file,
                hint="it should be a PEM file with BEGIN CERTIFICATE lines",
            ) from error
    if trust.certificate:
        _show(context, trust.certificate, trust.key)
    return context


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Have *context* present *certificate*; raise `ConfigurationError` where it cannot, never ask at the terminal for a passphrase."""
    key = key or certificate

    def refuse() -> str:
        raise ConfigurationError(
            f"the key {printable(key)} is encrypted",
            file=key,
            hint="keep it without a passphrase, in a file that nobody else may read: openssl pkey -in KEY -out PLAIN",
        )

    for file in (certificate, key):
        if not os.access(file, os.R_OK):
            raise ConfigurationError(
                f"cannot read {printable(file)} for a client certificate", file=file, hint="is it there, and may this account read it?"
            )
    try:
        context.load_cert_chain(certificate, key, refuse)
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        what = "is not the key of" if mismatch else "and its certificate cannot be used:"
        raise ConfigurationError(
            f"{printable(key)} {what} {printable(certificate)}",
            file=key,
            hint="they should be PEM files, BEGIN CERTIFICATE lines in one and a BEGIN PRIVATE KEY line in the other",
        ) from error
    except OSError as error:
        raise ConfigurationError(f"cannot read {printable(certificate)} or {printable(key)}: {error.strerror}", file=certificate) from error


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
    if re.search(_REFUSED, reason):
        return TransportError(
            f"{origin} did not accept the client certificate, or the lack of one: {printable(reason)}",
            hint="name the one that it knows with client_cert and client_key in the configuration",
        )
    hint = "it may want a client certificate: client_cert in the configuration" if reason.endswith("ALERT_HANDSHAKE_FAILURE") else ""
    return TransportError(f"TLS with {origin} failed: {printable(reason or str(error))}", hint=hint)
