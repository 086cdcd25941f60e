"""Azure's side of a registry: clouds, Entra, resource management, Graph, and the registry's own sign-in.

Everything goes over one small client (`rest`); wire formats are those of Microsoft's documentation and of its own clients, cited
where they are used. Nothing here was run against real Azure; what only a live service could confirm is listed in docs/azure.md.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth._origin import Url
    from registryauth.azure.key_vault import VaultToken
    from registryauth.config import Config


def vault_token(config: Config, environ: Mapping[str, str], vault: Url) -> VaultToken:
    """What a store in the key vault *vault* is to present (`key_vault.vault_token`); imported when there is such a store."""
    from registryauth.azure.key_vault import vault_token

    return vault_token(config, environ, vault)
