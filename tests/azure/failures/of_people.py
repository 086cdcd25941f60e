"""Nobody is signed in, or somebody may not be."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import az_says, no_az, no_machine, nobody_in_az

TITLE = "People and machines"
FAILURES = (
    Failure(
        "nobody-in-az",
        "`Please run 'az login' to setup account.`",
        "nobody is signed in to the Azure CLI",
        nobody_in_az,
        (Answer(("azure acr login",), "nobody here is signed in to Azure", "azure-cli: absent: nobody is signed in to the Azure CLI", 3),),
    ),
    Failure(
        "no-az",
        "nothing: there is no `az`",
        "the configuration asks for the Azure CLI, and it is not on PATH",
        no_az,
        (
            Answer(
                ("azure acr login",),
                "there is no Azure CLI (az) on PATH",
                "install it and run az login, or choose another azure.credential",
                3,
            ),
        ),
    ),
    Failure(
        "second-factor",
        "`AADSTS50076: … you must use multi-factor authentication`",
        "the person must show a second factor",
        az_says(50076, "Due to a configuration change made by your administrator, you must use multi-factor authentication to access."),
        (Answer(("azure acr login",), "the person must show a second factor (AADSTS50076)", "sign in again: az login --tenant TENANT"),),
    ),
    Failure(
        "sign-in-expired",
        "`AADSTS700082: The refresh token has expired due to inactivity`",
        "nobody used that sign-in for too long",
        az_says(700082, "The refresh token has expired due to inactivity."),
        (
            Answer(
                ("azure acr login",),
                "the person's sign-in has expired, unused for too long (AADSTS700082)",
                "sudo az, and another AZURE_CONFIG_DIR, have sign-ins of their own",
            ),
        ),
    ),
    Failure(
        "sign-in-revoked",
        "`AADSTS50173: The provided grant has expired due to it being revoked`",
        "the password changed, or an administrator ended the sign-in",
        az_says(50173, "The provided grant has expired due to it being revoked."),
        (
            Answer(
                ("azure acr login",),
                "the person's sign-in was revoked, or the password changed (AADSTS50173)",
                "sign in again: az login",
            ),
        ),
    ),
    Failure(
        "conditional-access",
        "`AADSTS53003: Access has been blocked by Conditional Access policies`",
        "a rule of the tenant does not let that device, network or person",
        az_says(53003, "Access has been blocked by Conditional Access policies."),
        (
            Answer(
                ("azure acr login",),
                "a policy of the tenant (conditional access) does not let it (AADSTS53003)",
                "from a device and network that may",
            ),
        ),
    ),
    Failure(
        "no-managed-identity",
        "400 `invalid_request: Identity not found`",
        "the machine has no identity, or not that one",
        no_machine,
        (Answer(("azure acr login",), "of this machine is not there: Identity not found", "is the identity assigned to this machine?", 3),),
    ),
)
