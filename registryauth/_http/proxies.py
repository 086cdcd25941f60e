"""Which proxy a request goes through, by the variables that every other client reads (curl(1), "Environment"). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from registryauth._origin import Origin, is_loopback

_VARIABLES = ("https_proxy", "http_proxy", "all_proxy")


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables that are set, by lower-case name; where both spellings are, the lower-case one counts."""
    found = {name: environ.get(name) or environ.get(name.upper(), "") for name in (*_VARIABLES, "no_proxy")}
    # CVE-2016-5385: in a CGI program, HTTP_PROXY is what the client sent as its Proxy header.
    if "REQUEST_METHOD" in environ:
        found["http_proxy"] = environ.get("http_proxy", "")
    return {name: value for name, value in found.items() if value}


def configured(environ: Mapping[str, str]) -> bool:
    """Whether any proxy is set."""
    return any(name in variables(environ) for name in _VARIABLES)


def proxy_for(origin: Origin, environ: Mapping[str, str]) -> str:
    """The URL of the proxy for requests to *origin*; empty where there is none, or none is to be used.

    Never one for loopback: a proxy has another loopback, and what may go there in the clear may not leave this machine.
    """
    found = variables(environ)
    proxy = found.get(f"{origin.scheme}_proxy") or found.get("all_proxy", "")
    if not proxy or is_loopback(origin.host) or _excepted(origin, found.get("no_proxy", "")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _excepted(origin: Origin, no_proxy: str) -> bool:
    """Whether NO_PROXY names *origin*: ``*``, a domain with all below it, an address or network, each with a port or without."""
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        if not entry:
            continue
        if entry == "*" or _network(entry, origin.hostname):
            return True
        match = re.fullmatch(r"(?P<name>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]+))?|(?P<bare>[0-9a-f:]+)", entry)
        if not match or (match["port"] and int(match["port"]) != origin.port):
            continue
        name = (match["bare"] or match["name"] or "").strip("[]").removeprefix("*").removeprefix(".")
        if name and (origin.hostname == name or origin.hostname.endswith(f".{name}")):
            return True
    return False


def _network(entry: str, hostname: str) -> bool:
    """Whether *entry* is a network in CIDR notation, and *hostname* an address in it."""
    import ipaddress

    if "/" not in entry:
        return False
    try:
        return ipaddress.ip_address(hostname) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
