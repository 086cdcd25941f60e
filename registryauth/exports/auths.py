"""The ``auths`` object that docker, containers, Kubernetes and GitLab share.

Source: docker/cli ``cli/config/types/authconfig.go``, containers-auth.json(5); Kubernetes and GitLab read ``auth`` alone
(kubernetes ``pkg/credentialprovider/config.go``).
"""

from __future__ import annotations

import base64

from registryauth.credentials import Anonymous
from registryauth.errors import CredentialError
from registryauth.exports.logins import as_login, two_accounts
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.credentials import Credential
    from registryauth.reference import Address
    from registryauth.resolver import PullSecret


def by_registry(secrets: Sequence[PullSecret], target: str) -> dict[str, Credential]:
    """One credential for each registry under docker's key for it, in the keys' order.

    Raise `CredentialError` where a registry would need two.
    """
    chosen: dict[str, Credential] = {}
    for secret in _needed(secrets):
        host = secret.reference.registry.host
        if chosen.setdefault(DOCKER_HUB_KEY if host == DOCKER_HUB else host, secret.credential) != secret.credential:
            raise two_accounts(target, host)
    return dict(sorted(chosen.items()))


def by_path(secrets: Sequence[PullSecret], hub: str, target: str) -> dict[str, PullSecret]:
    """One pull secret for each registry or path that one was registered for, in the keys' order.

    Where a registry or path needs several, there is one for each repository. *hub* is *target*'s key for Docker Hub. Raise
    `CredentialError` where a repository would need two.
    """
    needed = _needed(secrets)
    accounts: dict[Address, set[Credential]] = {}
    for secret in needed:
        accounts.setdefault(secret.address, set()).add(secret.credential)
    found: dict[str, PullSecret] = {}
    for secret in needed:
        address = secret.address
        whole = hub if str(address) == DOCKER_HUB else str(address)
        key = whole if len(accounts[address]) == 1 else str(secret.reference.repository)
        if found.setdefault(key, secret).credential != secret.credential:
            raise two_accounts(target, key)
    return dict(sorted(found.items()))


def entries(found: dict[str, PullSecret], target: str) -> dict[str, dict[str, str]]:
    """An ``auths`` object of user names and passwords; raise `CredentialError` for what *target* cannot read from one."""
    return {key: {"auth": encoded(*as_login(secret.credential, secret.reference.registry, target), key)} for key, secret in found.items()}


def encoded(username: str, password: str, key: str) -> str:
    """The value of ``auth``; raise `CredentialError` for a user name with a colon, which would be read as its end."""
    if ":" in username:
        raise CredentialError(
            f"the user name for {key} has a colon in it, which docker's configuration cannot hold", hint="use another account"
        )
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def _needed(secrets: Sequence[PullSecret]) -> list[PullSecret]:
    return [secret for secret in secrets if not isinstance(secret.credential, Anonymous)]
