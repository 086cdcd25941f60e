"""Registries that are called otherwise than was typed."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import blank, data_endpoint_named, look_alike, not_seen, slip

TITLE = "Names"
FAILURES = (
    Failure(
        "look-alike",
        "nothing: nobody is told a secret",
        "`myregistry.azurecr.io.evil.example` is a host of whoever owns `evil.example`",
        look_alike,
        (
            Answer(("login",), "only looks like a registry of Azure's", "a registry's name ends in .azurecr.io", 2),
            Answer(("azure acr login",), "so no Entra token goes there", "its name ends in .azurecr.io"),
            Answer(("doctor",), "only looks like a registry of Azure's", "a registry's name ends in .azurecr.io"),
        ),
    ),
    Failure(
        "slip",
        "nothing: nobody is asked",
        "`azureecr.io`, as in the how-to of 2019",
        slip,
        (
            Answer(
                ("login", "azure acr login", "manifest get", "resolve", "principal verify"),
                "a slip of the finger?",
                "did you mean azurecr.io?",
                2,
            ),
            Answer(("doctor",), "a slip of the finger?", "did you mean azurecr.io?"),
        ),
    ),
    Failure(
        "blank",
        "nothing: nobody is asked",
        "a blank was pasted along with the name",
        blank,
        (
            Answer(("login", "azure acr login"), "there is white space around the reference", "write 'myregistry.azurecr.io'", 2),
            Answer(
                ("manifest get", "resolve"),
                "there is white space around the reference",
                "write 'myregistry.azurecr.io/team/model:v1'",
                2,
            ),
            Answer(("doctor",), "there is white space around the reference", "write 'myregistry.azurecr.io/team/model:v1'"),
        ),
    ),
    Failure(
        "data-endpoint-named",
        "nothing: nobody is asked",
        "the host of a data endpoint was given for the registry",
        data_endpoint_named,
        (
            Answer(("azure acr login",), "serves blobs only and takes no login", "name the registry itself"),
            Answer(("doctor",), "Azure Container Registry", "serves blobs only: name the registry itself"),
        ),
    ),
    Failure(
        "not-seen",
        "an empty list",
        "no subscription that one may see has a registry of that name",
        not_seen,
        (
            Answer(
                ("azure acr login NAME",),
                "no subscription that you may see has a registry of that name",
                "A registry that is not there has no name in DNS",
                6,
            ),
        ),
    ),
)
