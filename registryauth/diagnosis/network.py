"""What lies below HTTP, one layer at a time: names, connections, certificates. Nothing secret is sent here but a proxy's own password."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from contextlib import closing
from urllib.parse import unquote, urlsplit

from registryauth._http import tls
from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import TransportError

#: Seconds for a connection, and for an answer below HTTP.
TIMEOUT = 10.0
#: A proxy's answer to CONNECT is a status line and a few fields.
_MAX_HEAD = 16 * 1024
_SHOWN_ADDRESSES = 8


class Found(Value):
    """The *addresses* of a host, in the order in which they are tried, and the name at the end of its CNAMEs."""

    addresses: tuple[str, ...]
    canonical: str = ""

    @property
    def private(self) -> tuple[str, ...]:
        """Those that only a private network can reach."""
        import ipaddress

        parsed = [ipaddress.ip_address(address.partition("%")[0]) for address in self.addresses]
        return tuple(str(each) for each in parsed if each.is_private and not each.is_loopback and not each.is_link_local)


class Certificate(Value):
    """What a server shows: to whom it was given, by whom, its names, and its first and last second, since the epoch."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: int
    not_after: int


class Handshake(Value):
    """A TLS handshake that succeeded."""

    version: str
    certificate: Certificate


class Network:
    """The network as it is; a test gives another."""

    def addresses(self, host: str, port: int) -> Found:
        """Look *host* up as the client does; raise `TransportError` where it has no address."""
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
        except (OSError, UnicodeError) as error:
            reason = printable(getattr(error, "strerror", None) or str(error))
            raise TransportError(
                f"{host} cannot be found: {reason}", hint="is the name right, and can this machine ask a name server?"
            ) from error
        found = dict.fromkeys(str(row[4][0]) for row in rows)
        canonical = next((row[3] for row in rows if row[3]), "")
        return Found(tuple(found)[:_SHOWN_ADDRESSES], printable(canonical.rstrip("."), 253))

    def connect(self, origin: Origin, proxy: str) -> socket.socket:
        """A connection to *origin*, through *proxy* if that is set; raise `TransportError`."""
        if not proxy:
            return _connected(origin.hostname, origin.port, str(origin))
        parts = urlsplit(proxy)
        host, port = parts.hostname or "", parts.port or 80
        line = _connected(host, port, f"the proxy {host}:{port}")
        try:
            if origin.scheme == "https":
                _tunnel(line, origin, parts.username or "", parts.password or "")
        except BaseException:
            line.close()
            raise
        return line

    def handshake(self, origin: Origin, proxy: str, trust: tls.Trusting) -> Handshake:
        """Speak TLS with *origin* under *trust*; raise `TransportError`, `tls.NotTls` where it speaks another protocol."""
        context = tls.contexts(trust)(origin.netloc)
        line = self.connect(origin, proxy)
        with closing(line):
            try:
                with context.wrap_socket(line, server_hostname=origin.hostname) as secured:
                    return Handshake(secured.version() or "", _certificate(secured))
            except ssl.SSLError as error:
                raise tls.explain(error, origin) from error
            except OSError as error:
                raise _unreachable(str(origin), error) from error

    def shown(self, origin: Origin, proxy: str) -> Certificate | None:
        """The certificate that *origin* shows, believed or not, for a person to look at; None where it shows none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with closing(self.connect(origin, proxy)) as line, context.wrap_socket(line, server_hostname=origin.hostname) as secured:
                return _certificate(secured)
        except (OSError, ValueError, TransportError):
            return None


def _connected(host: str, port: int, what: str) -> socket.socket:
    try:
        return socket.create_connection((host, port), TIMEOUT)
    except OSError as error:
        raise _unreachable(what, error) from error


def _unreachable(what: str, error: OSError) -> TransportError:
    if isinstance(error, TimeoutError):
        return TransportError(
            f"{what} did not answer within {TIMEOUT:.0f} seconds", hint="a firewall drops what is sent there, or it is down"
        )
    if isinstance(error, ConnectionRefusedError):
        return TransportError(f"{what} refuses connections", hint="nothing listens there: is the port right, and the server up?")
    return TransportError(f"cannot connect to {what}: {printable(error.strerror or str(error))}", hint="is the network up?")


def _tunnel(line: socket.socket, origin: Origin, username: str, password: str) -> None:
    """Have the proxy at the other end of *line* connect us to *origin* (RFC 9110 §9.3.6)."""
    where = f"{origin.host}:{origin.port}"
    login = base64.b64encode(f"{unquote(username)}:{unquote(password)}".encode()).decode("ascii")
    fields = [f"proxy-authorization: Basic {login}"] if username else []
    try:
        line.sendall("\r\n".join((f"CONNECT {where} HTTP/1.1", f"host: {where}", *fields, "\r\n")).encode("latin-1"))
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD and (piece := line.recv(1024)):
            head += piece
    except OSError as error:
        raise _unreachable("the proxy", error) from error
    match = re.match(rb"HTTP/1\.[01] ([0-9]{3})", head)
    status = int(match[1]) if match else 0
    if 200 <= status < 300:
        return
    if status == 407:
        raise TransportError(
            "the proxy wants a user name and a password, or others than it was given (407)", hint="put them into HTTPS_PROXY"
        )
    answer = f"answered {status}" if status else "did not answer as a proxy does"
    raise TransportError(f"the proxy {answer} to CONNECT {where}", hint="it may not let this host through; or name the host in NO_PROXY")


def _certificate(line: ssl.SSLSocket) -> Certificate:
    from cryptography import x509

    raw = line.getpeercert(binary_form=True)
    parsed = x509.load_der_x509_certificate(raw or b"")
    try:
        extension = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*extension.get_values_for_type(x509.DNSName), *map(str, extension.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return Certificate(
        printable(parsed.subject.rfc4514_string(), 200),
        printable(parsed.issuer.rfc4514_string(), 200),
        tuple(printable(name, 253) for name in names[:10]),
        int(parsed.not_valid_before_utc.timestamp()),
        int(parsed.not_valid_after_utc.timestamp()),
    )
