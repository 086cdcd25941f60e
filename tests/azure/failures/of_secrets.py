"""What is wrong with a secret, or with the account that it is of."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import a_name, china, entra_says, expired, no_tenant, object_id, other_application, secret_id, tenant_of_somebody, wrong
from .words import ASKED, REQUIRED

TITLE = "The secret"
FAILURES = (
    Failure(
        "expired",
        "`AADSTS7000222: The provided client secret keys for app '…' are expired`; the registry itself: "
        "`Invalid clientid or client secret`",
        "the client secret's day is over",
        expired,
        (
            Answer(
                ASKED,
                "its client secret has expired (AADSTS7000222)",
                "make a new one (registryauth principal rotate REGISTRY --source entra",
            ),
            Answer(
                ("manifest get",),
                "is wrong or has expired, which the registry does not tell apart",
                "principal verify asks Entra which of the two it is",
            ),
        ),
    ),
    Failure(
        "wrong",
        "`AADSTS7000215: Invalid client secret provided`; the registry itself: `Invalid clientid or client secret`",
        "it is another secret, or one that was removed a moment ago",
        wrong,
        (Answer(ASKED, "its client secret is wrong (AADSTS7000215)", "give the secret's value, shown once when it was made"),),
    ),
    Failure(
        "secret-id",
        "the same",
        "the portal's column *Secret ID* was pasted in place of *Value*: it is written as a GUID",
        secret_id,
        (
            Answer(
                ASKED,
                "what it presents is the Secret ID of its client secret",
                "the value is shown once, when the secret is made, beside its ID",
            ),
        ),
    ),
    Failure(
        "unknown-application",
        "`AADSTS700016: Application with identifier '…' was not found in the directory '…'`; the registry itself: "
        "`Application not registered with AAD`",
        "client ID and tenant do not belong together: either may be wrong",
        other_application,
        (
            Answer(ASKED, "the tenant has no such application (AADSTS700016)", "check client ID and tenant: they belong together"),
            Answer(("manifest get",), "the registry's tenant knows no application", "give the application's client ID (not an object ID)"),
        ),
    ),
    Failure(
        "object-id",
        "the same",
        "an object ID was given for a client ID",
        object_id,
        (Answer(ASKED, "the tenant has no such application (AADSTS700016)", "an object ID is no client ID"),),
    ),
    Failure(
        "no-tenant",
        "`AADSTS90002: Tenant '…' not found`",
        "no such tenant, or one of another cloud",
        no_tenant,
        (Answer(ASKED, "there is no such tenant in this cloud (AADSTS90002)", "China and US Government have tenants of their own"),),
    ),
    Failure(
        "tenant-of-somebody",
        f"{REQUIRED}, at `/oauth2/exchange`",
        "Entra takes the secret, in another tenant than the registry's",
        tenant_of_somebody,
        (Answer(("azure acr login",), "refused the sign-in (401)", "the identity may be of another tenant than the registry"),),
    ),
    Failure(
        "another-cloud",
        "nothing: nobody is asked",
        "the registry's name says another cloud than the configuration",
        china,
        (Answer(("azure acr login",), "is in AzureCloud, and AzureChinaCloud is configured", "a registry's name says where it is", 2),),
    ),
    Failure(
        "switched-off",
        "`AADSTS7000112: Application '…' is disabled`",
        "an administrator switched the application off",
        entra_says(7000112, "Application is disabled."),
        (Answer(("azure acr login",), "the application is switched off (AADSTS7000112)", "an administrator of the tenant can enable it"),),
    ),
    Failure(
        "unknown-to-us",
        "`AADSTS…` with a number that is not in this table",
        "Entra's codes are more than any table has",
        entra_says(135010, "KeyVault is on holiday. Come again."),
        (Answer(("azure acr login",), "KeyVault is on holiday (AADSTS135010)", "check tenant, client ID and cloud"),),
    ),
    Failure(
        "no-guid",
        "`aad access token with sp failed client id must be guid`",
        "the user name is neither a client ID nor a token of that registry",
        a_name,
        (
            Answer(
                ("login", "manifest get"),
                "deploy is neither a client ID nor a token of this registry",
                "az acr token list --registry myregistry",
            ),
        ),
    ),
)
