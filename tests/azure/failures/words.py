"""What several failures are answered with."""

from __future__ import annotations

SIGN_IN = ("login", "azure acr login")
ASKED = ("login", "azure acr login", "principal verify", "doctor")
ABAC_HINT = "it needs a role: Container Registry Repository Reader (it has repository permissions, where AcrPull counts for nothing)"
GIVES_NOTHING = "takes the credential and gives it no right to pull from myregistry.azurecr.io/team/model"
ENTRA_TAKES = "Entra takes the secret, and so does the registry's exchange"
REQUIRED = "`authentication required, visit https://aka.ms/acr/authorization`"
