"""Answers that are no answers."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import huge, shape_of_entra, shape_of_exchange, shape_of_token, shape_of_workspace

TITLE = "Answers that are none"
FAILURES = (
    Failure(
        "huge",
        "ten megabytes of error",
        "no error of Entra's is that long: 64 KiB are read",
        huge,
        (Answer(("azure acr login",), "it gave no reason (status 401)", "check tenant, client ID and cloud"),),
    ),
    Failure(
        "shape-of-entra",
        "`access_token` is no text",
        "JSON that is not what the documentation says; the field is named, its content is not shown",
        shape_of_entra,
        (Answer(("azure acr login",), "access_token must be a string", "is the address right, and no proxy in the way?", 1),),
    ),
    Failure(
        "shape-of-the-exchange",
        "`refresh_token` is no text",
        "the same",
        shape_of_exchange,
        (Answer(("azure acr login",), "its answer has no refresh_token", "is that an Azure container registry?"),),
    ),
    Failure(
        "shape-of-the-token",
        "`access_token` is no text",
        "the same, from the registry's token server",
        shape_of_token,
        (
            Answer(
                ("login", "manifest get"),
                "neither its field token nor access_token is one",
                "it may not be a container registry's token server",
            ),
        ),
    ),
    Failure(
        "shape-of-a-workspace",
        "`properties.containerRegistry` is no text",
        "the same, from resource management",
        shape_of_workspace,
        (
            Answer(
                ("azure workspace-registry",),
                "properties.containerRegistry must be a string",
                "is the address right, and no proxy in the way?",
                1,
            ),
        ),
    ),
)
