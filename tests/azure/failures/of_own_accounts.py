"""The admin user, and tokens of the registry's own."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import admin_off, admin_renewed, catalog, token_elsewhere, token_gone, token_off, token_password
from .words import GIVES_NOTHING, REQUIRED

TITLE = "The admin user, and tokens of the registry's own"
FAILURES = (
    Failure(
        "admin-off",
        "`aad access token with sp failed client id must be guid`",
        "no admin user is enabled, so its name is taken for a client ID",
        admin_off,
        (
            Answer(
                ("login", "manifest get", "principal verify"),
                "so its admin user is disabled",
                "az acr update --name myregistry --admin-enabled true",
            ),
            Answer(("doctor",), "the admin user is off", "better than an admin user is a service principal with AcrPull"),
        ),
    ),
    Failure(
        "admin-renewed",
        REQUIRED,
        "the password is another since `az acr credential renew`, or was the one of the other name",
        admin_renewed,
        (
            Answer(
                ("login", "manifest get", "principal verify"),
                "the admin user's password is wrong or was regenerated, or the admin user is disabled",
                "its two are called password and password2 (a token's password1 and password2)",
            ),
            Answer(
                ("doctor",),
                "the admin user is on, so it is its password that is wrong",
                "az acr credential show --name myregistry has its two",
            ),
        ),
    ),
    Failure(
        "token-disabled",
        REQUIRED,
        "the token is disabled",
        token_off,
        (
            Answer(
                ("login", "manifest get", "principal verify"),
                "the token is disabled, has expired, or its password is wrong",
                "az acr token show --registry myregistry --name ci",
            ),
            Answer(("doctor",), "the token ci is disabled", "az acr token update --registry myregistry --name ci --status enabled"),
        ),
    ),
    Failure(
        "token-password",
        "the same",
        "its password is wrong, was regenerated or has ended",
        token_password,
        (
            Answer(
                ("login", "principal verify"),
                "the token is disabled, has expired, or its password is wrong",
                "new passwords take a minute to be known",
            ),
            Answer(
                ("doctor",),
                "the token ci is enabled; its passwords: one without an end",
                "az acr token credential generate --registry myregistry --name ci",
            ),
        ),
    ),
    Failure(
        "token-gone",
        "`aad access token with sp failed client id must be guid`",
        "the registry has no token of that name: it was deleted, or is spelled otherwise",
        token_gone,
        (
            Answer(
                ("login", "principal verify"),
                "ci is neither a client ID nor a token of this registry",
                "az acr token list --registry myregistry",
            ),
            Answer(("doctor",), "the registry has no token ci", "az acr token list --registry myregistry"),
        ),
    ),
    Failure(
        "token-elsewhere",
        "a token without any action in it, then `requested access to the resource is denied` or " + REQUIRED,
        "the scope map does not hold the repository, or not the action",
        token_elsewhere,
        (
            Answer(("login",), GIVES_NOTHING, "az acr token show --registry myregistry --name ci shows its scope map"),
            Answer(("principal verify",), "cannot pull", "it must hold the repository, with content/read"),
            Answer(("manifest get",), "the token's scope map does not hold this repository, or this action", "shows its scope map"),
            Answer(("doctor",), "its scope map holds repositories/team/other/content/read", "--add-repository team/model content/read"),
        ),
    ),
    Failure(
        "token-and-catalog",
        "`requested access to the resource is denied`, or " + REQUIRED,
        "no token of a registry's own lists its repositories, whatever its scope map says",
        catalog,
        (Answer(("repository list",), "no token of a registry's own lists its repositories", "ask for each repository by its name"),),
    ),
)
