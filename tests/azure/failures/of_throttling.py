"""Somebody asks us for patience."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import entra_throttled, management_throttled, throttled, throttled_for_an_hour

TITLE = "Too often"
FAILURES = (
    Failure(
        "throttled",
        "429, `Retry-After: 30`",
        "the registry takes no more for half a minute",
        throttled,
        (
            Answer(("login", "manifest get"), "too many requests", "try again in 30 seconds", 1),
            Answer(("azure acr login",), "is throttling sign-ins", "wait 30 seconds, then try again", 1),
            Answer(("principal verify",), "too many requests", "try again in 30 seconds", 6),
            Answer(("doctor",), "too many requests", "try again in 30 seconds"),
        ),
    ),
    Failure(
        "throttled-for-an-hour",
        "429, `Retry-After: 3600`, from the token server",
        "for an hour: it is said, and nothing is repeated",
        throttled_for_an_hour,
        (
            Answer(("login", "manifest get"), "is throttling us", "try again in 3600 seconds", 1),
            Answer(("azure acr login",), "is throttling sign-ins", "wait 3600 seconds, then try again", 1),
            Answer(("principal verify",), "is throttling us", "try again in 3600 seconds", 6),
            Answer(("doctor",), "is throttling us", "try again in 3600 seconds"),
        ),
    ),
    Failure(
        "entra-throttled",
        "429 from Entra",
        "the same, of tokens",
        entra_throttled,
        (Answer(("azure acr login",), "Entra is throttling the service principal", "wait 3600 s, then try again", 1),),
    ),
    Failure(
        "management-throttled",
        "429 `TooManyRequests` from resource management",
        "the same, of a subscription",
        management_throttled,
        (Answer(("azure workspace-registry",), "TooManyRequests", "it is throttled; wait 3600 s and try again", 1),),
    ),
)
