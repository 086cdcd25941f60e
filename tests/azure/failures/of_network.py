"""What is between us and Azure: firewalls, private endpoints, names, portals, clocks."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import (
    closed,
    entra_says,
    firewall,
    forwarded,
    no_data_endpoint,
    no_such_registry,
    portal_for,
    private_by_public,
    private_outside,
    private_refused,
    skew,
)
from .words import SIGN_IN

TITLE = "The network"
FAILURES = (
    Failure(
        "firewall",
        "403 `client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`",
        "the registry's firewall does not let this address in",
        firewall,
        (
            Answer(
                ("login", "azure acr login", "manifest get", "principal verify", "doctor"),
                "client with IP '203.0.113.7' is not allowed access",
                "az acr network-rule add --name myregistry --ip-address 203.0.113.7",
            ),
        ),
    ),
    Failure(
        "closed",
        "the same",
        "public access is off: no address is let in",
        closed,
        (
            Answer(
                ("doctor",),
                "its network: closed to the public network",
                "az acr update --name myregistry --public-network-enabled true",
            ),
        ),
    ),
    Failure(
        "private-outside",
        "no answer",
        "the name leads to a private endpoint, and this machine is outside of its network",
        private_outside,
        (
            Answer(
                ("doctor",),
                "did not answer within 10 seconds; a private address, so a private endpoint",
                "from outside of its network nobody gets to a private endpoint: come by VPN, peering or a proxy in there",
            ),
        ),
    ),
    Failure(
        "private-refused",
        "connection refused",
        "the same, where something else has that private address",
        private_refused,
        (Answer(("doctor",), "refuses connections; a private address", "from outside of its network nobody gets to a private endpoint"),),
    ),
    Failure(
        "private-by-public",
        "403, as with a firewall",
        "there is a private endpoint (a CNAME below `privatelink.azurecr.io`), and this machine is led to the public address",
        private_by_public,
        (
            Answer(
                ("doctor",),
                "it has a private endpoint, and this machine is led to the public address",
                "link the private DNS zone privatelink.azurecr.io to its network",
            ),
        ),
    ),
    Failure(
        "data-endpoint",
        "no such host, for `myregistry.westeurope.data.azurecr.io`",
        "blobs come from the data endpoint, which has a name, a firewall rule and a private DNS record of its own",
        no_data_endpoint,
        (
            Answer(
                ("doctor",),
                "myregistry.westeurope.data.azurecr.io cannot be found",
                "the private DNS zone needs a record for myregistry.westeurope.data.privatelink.azurecr.io, too",
            ),
        ),
    ),
    Failure(
        "no-such-registry",
        "no such host: Azure has no answer for a registry that is not there",
        "the name is wrong; or there is a private endpoint, and no record of it here",
        no_such_registry,
        (
            Answer(
                SIGN_IN,
                "Name or service not known",
                "A registry that is not there has no name in DNS, and behind a private endpoint",
                6,
            ),
            Answer(
                ("manifest get", "principal verify"),
                "Name or service not known",
                "registryauth doctor myregistry.azurecr.io/REPOSITORY looks closer",
                6,
            ),
            Answer(
                ("doctor",),
                "myregistry.azurecr.io cannot be found",
                "one with a private endpoint has none until the zone has its record",
            ),
        ),
    ),
    Failure(
        "forwarded",
        "400 `<Error><Code>InvalidAuthenticationInfo</Code>`, from the blob storage",
        "something in between sent the registry's token on to the storage, which we do not",
        forwarded,
        (
            Answer(("pull",), "the registry's token was sent on to the storage behind it", "it must drop it", 1),
            Answer(("doctor",), "the registry's token was sent on to the storage behind it", "it must drop it"),
        ),
    ),
    Failure(
        "portal-for-entra",
        "a web page in place of Entra's JSON",
        "a captive portal, or a proxy that wants a login",
        portal_for("entra"),
        (
            Answer(
                ("azure acr login",),
                "Entra's answer is a web page where JSON belongs",
                "a captive portal or a proxy answers in its place",
                1,
            ),
        ),
    ),
    Failure(
        "portal-for-the-registry",
        "a web page in place of the registry",
        "the same",
        portal_for("registry"),
        (
            Answer(("login", "principal verify"), "it answers with a web page", "is the address right?", 1),
            Answer(("azure acr login",), "does not answer as a registry of Azure does", "no captive portal in the way?", 1),
            Answer(
                ("manifest get",),
                "the manifest is a web page where JSON belongs",
                "a captive portal or a proxy answers in its place",
                1,
            ),
            Answer(("doctor",), "answers with a web page", "did a proxy answer for it?"),
        ),
    ),
    Failure(
        "portal-for-management",
        "a web page in place of resource management",
        "the same",
        portal_for("management"),
        (Answer(("azure workspace-registry",), "is a web page where JSON belongs", "a captive portal or a proxy answers in its place", 1),),
    ),
    Failure(
        "clock",
        "nothing",
        "this machine's clock is two hours behind",
        skew,
        (Answer(("doctor",), "seconds behind the registry's", "set the clock"),),
    ),
    Failure(
        "clock-and-certificate",
        "`AADSTS700024: Client assertion is not within its valid time range`",
        "what a certificate signed is too early or too late for Entra",
        entra_says(700024, "Client assertion is not within its valid time range."),
        (Answer(("azure acr login",), "the signed assertion is too early or too late (AADSTS700024)", "is this machine's clock right?"),),
    ),
)
