"""Tokens that are for something else, or too long."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import entra_token_as_password, neither_audience, no_acr_audience

TITLE = "Audience and size"
FAILURES = (
    Failure(
        "no-acr-audience",
        "`AADSTS500011: The resource principal named https://containerregistry.azure.net was not found in the tenant`",
        "some tenants and machines do not know the registry's audience: a token for resource management is tried",
        no_acr_audience,
        (
            Answer(
                ("azure acr login",),
                "signed in with a token for resource management (https://management.azure.com)",
                "it knows no such audience (AADSTS500011)",
                0,
            ),
        ),
    ),
    Failure(
        "neither-audience",
        "`token validation failed`",
        "that token is not taken either: `azureADAuthenticationAsArmPolicy` is disabled",
        neither_audience,
        (
            Answer(
                ("azure acr login",),
                "it knows no such audience (AADSTS500011)",
                "the registry takes no Entra token that is for resource management",
            ),
        ),
    ),
    Failure(
        "too-long",
        "400 `Request Header Or Cookie Too Large`",
        "an Entra token was used as a password, and is too long for a header",
        entra_token_as_password,
        (
            Answer(
                ("login", "manifest get"),
                "an Entra token was used as a password",
                "registryauth azure acr login exchanges it for a short one",
            ),
        ),
    ),
)
