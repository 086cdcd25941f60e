"""Domains under which everybody can have a host, so that a secret for "any host there" would be anybody's.

Drawn from the providers' own table and from services that hand out host names to whoever signs up; docs/principals.md shows
the list. It cannot be complete: a wildcard is opt-in, and the person who writes one says that the domain is theirs.
"""

from __future__ import annotations

import re

from registryauth.reference import wildcard_of
from registryauth.registries.providers import HOSTS, SUFFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.reference import Address

#: Registries with a host for each customer, clouds, and services that give out names, by the domain that they share.
SHARED_DOMAINS = frozenset({
    "aliyuncs.com", "azurecontainerapps.io", "azurewebsites.net", "cloudapp.azure.com", "cloudsmith.io", "digitalocean.com",
    "duckdns.org", "ecr.aws", "ghe.com", "github.io", "gitlab.io", "herokuapp.com", "icr.io", "jfrog.io", "microsoft.com",
    "myhuaweicloud.com", "ngrok-free.app", "ngrok.app", "ngrok.io", "nip.io", "ocir.io", "pkg.dev", "run.app", "scw.cloud",
    "sslip.io", "tencentcloudcr.com", "vultrcr.com", "windows.net",
    *HOSTS,
    *(suffix.lstrip(".-") for suffix, _, _ in SUFFIXES),
})  # fmt: skip
#: ``co.uk``, ``com.au``: below these, countries register names for everybody.
_SECOND_LEVEL = r"(?:ac|co|com|edu|go|gob|gov|gouv|ne|net|or|org)\.[a-z]{2}"


def shared_domain(address: Address) -> str:
    """The domain with many owners that the wildcard *address* lies under, or whose host it covers; empty if none is known."""
    pattern = re.sub(r":[0-9]+\Z", "", address.registry.host)
    domain = pattern.removeprefix("*.")
    if re.fullmatch(_SECOND_LEVEL, domain):
        return domain
    labels = domain.split(".")
    above = (".".join(labels[at:]) for at in range(len(labels)))
    known = (name for name in above if name in SHARED_DOMAINS)
    return next(known, "") or next((host for host in sorted(HOSTS) if wildcard_of(host) == pattern), "")
