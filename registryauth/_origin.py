"""May this secret go to that URL? The one policy, for realms, redirects and upload locations.

Pure: values in, verdict out, no DNS. A host name that resolves to a private address is therefore not
seen here; what protects against it is that secrets travel only to origins that were registered.
"""

from __future__ import annotations

import re

from registryauth._grammar import URL
from registryauth._value import Value
from registryauth.errors import RealmRefused, TransportError

_DEFAULT_PORTS = {"http": 80, "https": 443}

#: No URL that a registry sends us needs more; presigned storage links stay below 4 KiB.
MAX_URL = 8192
#: RFC 1035 §2.3.4.
MAX_HOST = 253


class Origin(Value):
    """Scheme, host and port (RFC 6454); the port is always written out."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """``host`` or ``host:port``, as in a URL."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def hostname(self) -> str:
        """The host without the brackets of an IPv6 literal."""
        return self.host.strip("[]")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


class Url(Value):
    """An absolute http or https URL without userinfo or fragment."""

    origin: Origin
    target: str

    @classmethod
    def parse(cls, text: str) -> Url:
        """Read an absolute URL; raise `TransportError` saying what is wrong with it (never quoting it: it may hold a signature)."""
        text = text.partition("#")[0]
        if len(text) > MAX_URL:
            raise TransportError(f"a URL of {len(text)} characters is longer than the {MAX_URL} allowed")
        match = re.fullmatch(URL, text)
        if not match:
            raise TransportError(
                "that is not an absolute http or https URL", hint="user names, spaces and control characters are refused in URLs"
            )
        scheme, host = match["scheme"].lower(), match["host"].lower()
        if not _is_host(host):
            raise TransportError("the host of that URL cannot exist")
        port = int(match["port"] or _DEFAULT_PORTS[scheme])
        if not 0 < port < 65536:
            raise TransportError(f"port {port} does not exist")
        target = match["target"] or "/"
        return cls(Origin(scheme, host, port), target if target.startswith("/") else "/" + target)

    def join(self, location: str) -> Url:
        """*location*, absolute or relative to this URL (RFC 3986 §5, RFC 9110 §10.2.2); raise `TransportError` as `parse` does."""
        if len(location) > MAX_URL or re.search(r"[^!-~]", location):
            # urljoin would drop tabs and newlines, and join what others read differently.
            raise TransportError(
                "that is no URL to be sent on to", hint="spaces, control characters and foreign letters are refused in URLs"
            )
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location):
            return Url.parse(location)
        from urllib.parse import urljoin

        try:
            return Url.parse(urljoin(str(self), location))
        except ValueError:
            raise TransportError("that is no URL to be sent on to") from None

    @property
    def redacted(self) -> str:
        """The URL without its query, which may carry a signature."""
        return f"{self.origin}{self.target.partition('?')[0]}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"

    def __repr__(self) -> str:
        return f"Url({self.redacted!r})"


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return len(host) <= MAX_HOST
    import ipaddress

    try:
        ipaddress.IPv6Address(host.strip("[]"))
    except ValueError:
        return False
    return True


#: Token servers that are known to belong to a registry on another origin. Source: each vendor's challenge,
#: collected under "Token servers" in docs/registries.md.
KNOWN_REALMS = {
    "registry-1.docker.io": ("auth.docker.io", "auth.ipv6.docker.com"),
    "registry.gitlab.com": ("gitlab.com",),
    "registry.digitalocean.com": ("api.digitalocean.com",),
}


def is_loopback(hostname: str) -> bool:
    """Whether *hostname* is this machine by its spelling: ``localhost``, ``*.localhost`` (RFC 6761 §6.3), 127/8, ``::1``."""
    hostname = hostname.strip("[]").lower()
    if hostname == "localhost" or hostname.endswith(".localhost") or hostname == "::1":
        return True
    return bool(re.fullmatch(r"127(?:\.[0-9]{1,3}){3}", hostname))


#: Azure's platform service: public by its number, yet every virtual machine reaches its own host there.
#: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_WIRE_SERVER = "168.63.129.16"

#: No registry lives there, so not even one in the same place may lead us there.
_NOBODYS = ("link-local", "cloud-internal", "unusually spelled")


def _neighbourhood(hostname: str) -> str:
    """Which part of a private network an address literal names; empty for host names and public addresses."""
    hostname = hostname.strip("[]")
    if is_loopback(hostname):
        return "loopback"
    if hostname == _WIRE_SERVER:
        return "cloud-internal"
    last = hostname.rpartition(".")[2]
    if not (":" in hostname or re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", last)):
        return ""
    import ipaddress

    try:
        literal = ipaddress.ip_address(hostname)
    except ValueError:
        # 2130706433, 0x7f.1, 127.1: spellings that some resolvers take for an address.
        return "unusually spelled"
    address = getattr(literal, "ipv4_mapped", None) or literal
    if address.is_global:
        return ""
    return "link-local" if address.is_link_local else "loopback" if address.is_loopback else "private"


def may_carry(secret_for: Origin, realms: tuple[Origin, ...], target: Url, *, insecure: bool = False) -> None:
    """Raise `RealmRefused` unless a secret registered for *secret_for* may travel to *target*.

    Allowed: the registry's own origin, an origin in *realms* (pinned when the secret was registered),
    and the built-in table. Plain http only where registry and target are both loopback, or with
    *insecure*, which the user set for this registry in so many words.
    """
    origin = target.origin
    known = KNOWN_REALMS.get(secret_for.host, ()) if secret_for.scheme == "https" and secret_for.port == 443 else ()
    if not (origin == secret_for or origin in realms or (str(origin) in {f"https://{host}" for host in known})):
        raise RealmRefused(
            f"{secret_for.netloc} asked for its credential to be sent to {origin}, which it was not registered for",
            hint=f"if {origin} is this registry's token server, log in again with --realm {target.redacted}",
        )
    if origin.scheme != "https" and not insecure and not (is_loopback(origin.host) and is_loopback(secret_for.host)):
        raise RealmRefused(
            f"{origin} is plain http: a secret sent there could be read on the way",
            hint="use https, or name the registry insecure in so many words (--insecure)",
        )


def may_visit(source: Origin, target: Url, *, insecure: bool = False) -> None:
    """Raise `RealmRefused` unless a request without secrets may follow *source*'s word to *target*.

    An answer must not lead us from https to http, nor to an address inside somebody's network
    (the cloud metadata service, a router, this machine) unless the registry lives there itself.
    """
    origin = target.origin
    if origin == source:
        return
    if source.scheme == "https" and origin.scheme != "https" and not insecure:
        raise RealmRefused(
            f"{source.netloc} sent us from https to plain http at {origin}", hint="the registry is misconfigured or under attack"
        )
    there = _neighbourhood(origin.host)
    if there and (there in _NOBODYS or there != _neighbourhood(source.host)):
        raise RealmRefused(
            f"{source.netloc} sent us to the {there} address {origin.netloc}", hint="the registry is misconfigured or under attack"
        )
