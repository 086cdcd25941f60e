"""The links below HTTP: the host's addresses, the way there, and its certificate."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime

from registryauth._http.proxies import proxy_for, variables
from registryauth._http.tls import NotTls
from registryauth._origin import Origin
from registryauth.diagnosis.redaction import BLOT
from registryauth.diagnosis.step import Look, broken, failed, fine, odd
from registryauth.diagnosis.walk import Walk
from registryauth.errors import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.diagnosis.network import Certificate, Found

_DAY = 86400
#: Seconds before its end at which a certificate is a finding, unless it has more than a third of its life before it: those that are
#: renewed by a machine are so by then, and some live for a day (https://letsencrypt.org/docs/integration-guide/, "When to Renew").
_SOON = 14 * _DAY


#: What it means that a registry of Azure's has no address
#: (https://learn.microsoft.com/azure/container-registry/container-registry-private-link, "Configure private DNS zone").
_NO_NAME = (
    "Of Azure's registries, one that is not there has no name; and where a private DNS zone privatelink.azurecr.io is linked to "
    "this network, one with a private endpoint has none until the zone has its record"
)


def dns(walk: Walk) -> Look:
    """The registry's addresses, and whether they are those of a private endpoint."""
    origin = walk.registry.origin()
    proxy = proxy_for(origin, walk.tools.environ)
    try:
        found = walk.tools.network.addresses(origin.hostname, origin.port)
    except TransportError as error:
        if proxy:
            return fine(f"{origin.hostname} is not known here, and need not be: the proxy looks it up", {"addresses": []}, proxy=proxy)
        look = failed(error)
        return look.replace(hint=f"{look.hint} {_NO_NAME}") if walk.is_acr else look
    private = private_endpoint(origin.hostname, found)
    facts = {"addresses": list(found.addresses), "canonical_name": found.canonical or None, "private": list(found.private)}
    return fine(described(origin.hostname, found), facts, proxy=proxy, private=private)


def described(host: str, found: Found) -> str:
    """*found* in words."""
    alias = f" (by the name {found.canonical})" if found.canonical and found.canonical != host else ""
    endpoint = private_endpoint(host, found)
    return f"{host} is {', '.join(found.addresses)}{alias}" + (f"; {endpoint}" if endpoint else "")


def private_endpoint(host: str, found: Found) -> str:
    """What there is to say of a private endpoint; empty where nothing speaks of one.

    A registry that has one gets a CNAME below ``privatelink`` (https://learn.microsoft.com/azure/container-registry/container-registry-private-link),
    which outside of its network ends at the public address.
    """
    if host in found.addresses:
        return ""
    if found.private:
        return "a private address, so a private endpoint or a name server of your own"
    if ".privatelink." in f".{found.canonical}":
        return "it has a private endpoint, and this machine is led to the public address"
    return ""


_OUTSIDE = (
    "from outside of its network nobody gets to a private endpoint: come by VPN, peering or a proxy in there, "
    "or have this machine's name server tell the public address"
)


def connection(walk: Walk) -> Look:
    """Whether the registry, or the proxy before it, takes connections."""
    origin = walk.registry.origin()
    how, facts = _way(origin, walk.proxy, walk.tools.environ)
    if walk.proxy and not re.match(r"(?i)http://", walk.proxy):
        return fine(f"{how}; it is used, and not looked at apart", facts)
    try:
        line = walk.tools.network.connect(origin, walk.proxy)
    except TransportError as error:
        if not walk.is_acr or not walk.private or walk.proxy:
            raise
        return failed(error, walk.private).replace(hint=f"{_OUTSIDE}; {error.hint}")
    with closing(line):
        peer = line.getpeername()
    return fine(f"connected {how}" + ("" if walk.proxy else f" to {peer[0]} port {peer[1]}"), facts)


def _way(origin: Origin, proxy: str, environ: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    found = variables(environ)
    if not proxy:
        unused = sorted(name.upper() for name in found if name in (f"{origin.scheme}_proxy", "all_proxy"))
        why = f"directly, for {' and '.join(unused)} does not count here (loopback, or NO_PROXY)" if unused else "directly"
        return why, {"proxy": None, "variable": None}
    variable = next(name for name in (f"{origin.scheme}_proxy", "all_proxy") if name in found)
    shown = re.sub(r"\A([A-Za-z0-9+.-]+://)?(?:.*@)?", lambda m: (m[1] or "") + (f"{BLOT}@" if "@" in m[0] else ""), proxy)
    return f"through the proxy {shown}, which {variable.upper()} names", {"proxy": shown, "variable": variable.upper()}


def tls(walk: Walk) -> Look:
    """Whether the certificate is one that counts, whose, and for how long."""
    origin = walk.registry.origin()
    if walk.proxy and not re.match(r"(?i)http://", walk.proxy):
        return fine("not looked at apart, for the way there is the proxy's")
    trust = walk.tools.trust(origin.netloc)
    facts: dict[str, object] = {"authorities": list(trust.authorities), "client_certificate": trust.certificate or None}
    try:
        done = walk.tools.network.handshake(origin, walk.proxy, walk.tools.trust)
    except NotTls as error:
        return _plain(walk, error)
    except TransportError as error:
        shown = walk.tools.network.shown(origin, walk.proxy)
        return failed(error, _not_believed(shown, walk.tools.clock()) if shown else "").replace(facts=facts | _plainly(shown))
    certificate, now = done.certificate, walk.tools.clock()
    days = int((certificate.not_after - now) // _DAY)
    ours = f", trusted by {', '.join(trust.authorities)} beside the system's" if trust.authorities else ""
    said = f"{done.version}, {certificate.subject} by {certificate.issuer}{ours}; until {_date(certificate.not_after)}, {days} days"
    facts |= {"version": done.version, "days_left": days, **_plainly(certificate)}
    left, life = certificate.not_after - now, certificate.not_after - certificate.not_before
    if left < _SOON and left < life / 3:
        return odd(said, f"whoever runs {walk.registry} should renew its certificate", facts, origin=origin)
    return fine(said, facts, origin=origin)


def _plain(walk: Walk, error: NotTls) -> Look:
    plain = walk.registry.origin(plain_http=True)
    if walk.registry.is_loopback:
        return fine("plain http, on this machine", {"plain": True}, origin=plain)
    named = walk.tools.is_insecure(walk.registry) or any(pinned.insecure for pinned in walk.candidates)
    if not named:
        return failed(error)
    hint = "whoever is on the way reads every secret: give the registry a certificate"
    return odd("plain http, because you named this registry insecure", hint, {"plain": True}, origin=plain)


def _not_believed(shown: Certificate, now: float) -> str:
    names, dates = ", ".join(shown.names) or "no name", f"{_date(shown.not_before)} to {_date(shown.not_after)}"
    said = f"it is {shown.subject} by {shown.issuer}, for {names}, {dates}"
    outside = not shown.not_before <= now <= shown.not_after
    return said + (f"; this machine's clock says {_date(now)}: is it right?" if outside else "")


def _plainly(shown: Certificate | None) -> dict[str, object]:
    if shown is None:
        return {}
    dates = {"not_before": _date(shown.not_before), "not_after": _date(shown.not_after)}
    return {"subject": shown.subject, "issuer": shown.issuer, "names": list(shown.names), **dates}


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _data_record(walk: Walk, origin: Origin) -> str:
    """What a data endpoint of Azure's may lack beside: with a private endpoint it has a record of its own."""
    if not walk.is_acr or ".data." not in origin.hostname:
        return ""
    alias = origin.hostname.replace(".data.", ".data.privatelink.", 1)
    return f"; behind a private endpoint, the private DNS zone needs a record for {alias}, too"


def elsewhere(walk: Walk, origin: Origin, what: str) -> Look:
    """Whether the other host that the registry sends us to, *what*, can be found and believed; its name is in every answer."""
    proxy = proxy_for(origin, walk.tools.environ)
    try:
        found = walk.tools.network.addresses(origin.hostname, origin.port)
        said = described(origin.hostname, found)
        addresses = list(found.addresses)
    except TransportError as error:
        if not proxy:
            hint = f"{what} is at {origin.hostname}: this machine must find that host, and its firewall let it through, too"
            return broken(f"{what}: {error.message}", hint + _data_record(walk, origin))
        said, addresses = f"{origin.hostname}, looked up by the proxy", []
    if origin.scheme == "https" and (not proxy or re.match(r"(?i)http://", proxy)):
        try:
            done = walk.tools.network.handshake(origin, proxy, walk.tools.trust)
        except TransportError as error:
            hint = (
                error.hint or f"{what} is at {origin.hostname}: a firewall that lets the registry through must let that host through, too"
            )
            return broken(f"{what}: {error.message}", hint, {"host": origin.hostname})
        said += f", {done.version} by {done.certificate.issuer}"
    return fine(said, {"host": origin.hostname, "addresses": addresses})
