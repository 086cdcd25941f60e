"""A secret that is good, of an account that may not pull."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import abac, classic, condition, fresh_role, no_role, nobody, refused_at_the_door
from .words import ABAC_HINT, ENTRA_TAKES, GIVES_NOTHING, REQUIRED, SIGN_IN

TITLE = "Roles"
FAILURES = (
    Failure(
        "no-role",
        f"a token without any action in it, then {REQUIRED}",
        "the account has no role at the registry",
        no_role,
        (
            Answer(SIGN_IN, GIVES_NOTHING, "it needs a role: AcrPull; a new one takes up to 10 minutes"),
            Answer(("principal verify", "doctor"), ENTRA_TAKES, "it needs a role: AcrPull; a new one takes up to 10 minutes"),
            Answer(
                ("manifest get",),
                "the account has no role that allows this",
                "it needs AcrPull, or in a registry with repository permissions (ABAC)",
            ),
        ),
    ),
    Failure(
        "no-role-at-the-door",
        f"{REQUIRED}, at `/oauth2/exchange`",
        "the same, where the registry says so at once; or the token is none that it takes",
        refused_at_the_door,
        (Answer(("azure acr login",), "refused the sign-in (401)", "or have no role there: it needs AcrPull"),),
    ),
    Failure(
        "abac-and-acrpull",
        "as without a role",
        "the registry has repository permissions (ABAC), where AcrPull, Owner and Contributor count for nothing",
        abac,
        (
            Answer(("principal verify",), ENTRA_TAKES, ABAC_HINT),
            Answer(
                ("doctor",),
                "AcrPull, Owner and Contributor count for nothing; the account has only AcrPull",
                "az role assignment create --role 'Container Registry Repository Reader'",
            ),
        ),
    ),
    Failure(
        "classic-and-repository-reader",
        "as without a role",
        "the registry is classic, where the roles for repositories count for nothing",
        classic,
        (
            Answer(("principal verify",), ENTRA_TAKES, "it needs a role: AcrPull"),
            Answer(
                ("doctor",),
                "classic: AcrPull pulls; the account has only Container Registry Repository Reader",
                "az role assignment create --role 'AcrPull'",
            ),
        ),
    ),
    Failure(
        "fresh-role",
        "as without a role",
        "the role was given minutes ago, and the registry's token server has not heard of it",
        fresh_role,
        (
            Answer(
                ("doctor",),
                "the account has AcrPull, since 1 minute",
                "a registry may take 10 minutes to hear of a role: try again in 10 minutes",
            ),
        ),
    ),
    Failure(
        "condition",
        "as without a role",
        "the role holds under a condition that leaves this repository out",
        condition,
        (
            Answer(
                ("doctor",),
                "the account has Container Registry Repository Reader, under the condition",
                "does the condition let team/model in?",
            ),
        ),
    ),
    Failure(
        "anonymous",
        "`401` without a token",
        "nobody logged in, and anonymous pull is off",
        nobody,
        (
            Answer(("manifest get",), "gave no token (401)", "log in with 'registryauth login myregistry.azurecr.io'"),
            Answer(("doctor",), "gave no token (401)", "registryauth login myregistry.azurecr.io --username CLIENT_ID"),
        ),
    ),
)
