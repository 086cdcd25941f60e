"""Application settings of an Azure App Service that runs one container: ``az webapp config appsettings set --settings @FILE``.

Source: Microsoft Learn "Configure a custom container for Azure App Service" (DOCKER_REGISTRY_SERVER_URL, _USERNAME, _PASSWORD).
"""

from __future__ import annotations

import json

from registryauth.exports.document import Document
from registryauth.exports.logins import one_login
from registryauth.exports.options import PLAIN, Options
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The array of settings for one registry: all three, or none where no secret is needed."""
    login = one_login(secrets, "App Service")
    values: dict[str, str] = {}
    if login:
        values["DOCKER_REGISTRY_SERVER_URL"] = DOCKER_HUB_KEY if login.host == DOCKER_HUB else f"https://{login.host}"
        values["DOCKER_REGISTRY_SERVER_USERNAME"] = login.username
        values["DOCKER_REGISTRY_SERVER_PASSWORD"] = login.password
    settings = [{"name": name, "value": value, "slotSetting": False} for name, value in values.items()]
    return Document("application/json", json.dumps(settings, indent=2) + "\n", secret=login is not None)
