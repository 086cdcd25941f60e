"""A registry as Azure keeps it: its settings, its images, who may come in and with what."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from registryauth.testing.accounts import Access
from registryauth.testing.azure.directory import App, User, new_id
from registryauth.testing.azure.roles import registry_actions
from registryauth.testing.azure.signed import Signer
from registryauth.testing.features import Features
from registryauth.testing.registry_simulator import RegistrySimulator

if TYPE_CHECKING:
    from registryauth.testing.azure.builds import Build, Run
    from registryauth.testing.azure.simulator import AzureSimulator

#: Seconds that a refresh token lives: measured, 3 h 15 min (MicrosoftDocs/azure-docs#96828).
REFRESH_LIFETIME = 11_700
#: Seconds that an access token lives (Azure/acr docs/AAD-OAuth.md).
ACCESS_LIFETIME = 4_500
#: Everything that a repository's token can name (azure-cli ``acr`` module, ``RepoAccessTokenPermission``).
REPOSITORY_ACTIONS = ("pull", "push", "delete", "metadata_read", "metadata_write", "deleted_read", "deleted_restore")


def random_password() -> str:
    """As an admin user's: 52 letters and digits (azure-cli recordings)."""
    return secrets.token_hex(26)


@dataclass
class TokenPassword:
    """One of the two passwords of a scope-map token; *ends_at* None is for ever."""

    value: str
    created_at: float
    ends_at: float | None = None


@dataclass
class RepositoryToken:
    """A token made of a scope map; its *actions* are ``repositories/team/*/content/read`` and the like."""

    name: str
    scope_map: str
    enabled: bool = True
    passwords: dict[str, TokenPassword] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """Who asks a registry: an Entra principal, the admin user, a repository token, or nobody."""

    kind: Literal["entra", "admin", "token", "anonymous"]
    name: str = ""


class AzureRegistry:
    """One container registry. Everything is live: change it and the next answer shows it.

    *images* is what is in it. *mode* is ``classic`` or ``abac``. *firewall* are the addresses that may come in, all if it is
    empty; *public* False lets nobody in. *arm_audience* False has it accept tokens for registries only
    (``azureADAuthenticationAsArmPolicy`` disabled). *refuse_without_role* has the exchange refuse whoever has no role at all;
    otherwise it gives a token that grants nothing. *data_endpoint* sends blobs to hosts of its own instead of a storage account's.
    *claims* is how the refresh token spells the keys of ``permissions``: both were seen.
    """

    type = "Microsoft.ContainerRegistry/registries"

    def __init__(self, azure: AzureSimulator, name: str, group: str, **settings: Any) -> None:  # noqa: ANN401 - see `AzureSimulator.registry`
        from registryauth.testing.azure.acr import Gatekeeper

        self.azure = azure
        self.name = name
        self.group = group
        self.sku: str = settings["sku"]
        self.mode: Literal["classic", "abac"] = settings["mode"]
        self.admin_enabled: bool = settings["admin"]
        self.anonymous_pull: bool = settings["anonymous_pull"]
        self.label_hash: str = settings["domain_label_hash"]
        self.firewall: Sequence[str] = settings["firewall"]
        self.public: bool = settings["public"]
        self.arm_audience: bool = settings["arm_audience"]
        self.data_endpoint: bool = settings["data_endpoint"]
        self.location: str = settings["location"]
        self.refuse_without_role = False
        self.claims: Literal["lower", "capital"] = "lower"
        self.created_at = azure.now()
        self.admin_passwords = {"password": random_password(), "password2": random_password()}
        self.scope_maps: dict[str, list[str]] = {
            "_repositories_admin": [
                f"repositories/*/{what}" for what in ("content/delete", "content/read", "content/write", "metadata/read")
            ],
            "_repositories_pull": ["repositories/*/content/read"],
            "_repositories_push": ["repositories/*/content/read", "repositories/*/content/write"],
        }
        self.tokens: dict[str, RepositoryToken] = {}
        self.build: Build | None = None
        self.runs: list[Run] = []
        self.signer = Signer()
        self.storage = f"simulatedstorage{secrets.token_hex(4)}"
        self.images = RegistrySimulator(clock=azure.now, doorkeeper=Gatekeeper(self), features=Features(page_size=0))
        self.images.blob_redirect = f"https://{self.blob_host}/registry/"
        self._callers: dict[str, Caller] = {}

    @property
    def label(self) -> str:
        """The first part of its host name, with the hash of a domain name label."""
        return self.name.lower() + (f"-{self.label_hash}" if self.label_hash else "")

    @property
    def login_server(self) -> str:
        """Its host name, always in lower case."""
        return f"{self.label}{self.azure.cloud.registry_suffix}"

    @property
    def hosts(self) -> set[str]:
        """Where it answers: the login server, and its regional endpoint (Premium)."""
        regional = {f"{self.label}.{self.location}.geo{self.azure.cloud.registry_suffix}"} if self.sku == "Premium" else set()
        return {self.login_server, *regional}

    @property
    def blob_host(self) -> str:
        """Where its blobs come from."""
        if self.data_endpoint:
            return f"{self.label}.{self.location}.data{self.azure.cloud.registry_suffix}"
        return f"{self.storage}.{self.azure.blobs.suffix}"

    @property
    def id(self) -> str:
        """Its resource id."""
        return f"/subscriptions/{self.azure.subscription}/resourceGroups/{self.group}/providers/{self.type}/{self.name}"

    def token(self, name: str, *actions: str) -> RepositoryToken:
        """A repository token that may do *actions*, such as ``repositories/team/app/content/read``, with a password."""
        self.scope_maps[f"{name}-scope-map"] = list(actions)
        made = self.tokens[name] = RepositoryToken(name, f"{name}-scope-map")
        made.passwords["password1"] = TokenPassword(random_password(), self.azure.now())
        return made

    def closed_to(self, address: str) -> bool:
        """Whether a client at *address* is kept out."""
        return not self.public or (bool(self.firewall) and address not in self.firewall)

    def by_password(self, username: str, password: str) -> Caller | None:
        """The admin user or a repository token with that password."""
        if username.lower() == self.name.lower():
            return Caller("admin", self.name) if self.admin_enabled and password in self.admin_passwords.values() else None
        token = self.tokens.get(username)
        now = self.azure.now()
        good = token and token.enabled and any(_is(one, password, now) for one in token.passwords.values())
        return Caller("token", username) if good else None

    def narrow(self, caller: Caller, access: Access) -> Access:
        """As much of *access* as *caller* may have."""
        if access.type == "registry":
            may_list = access.name == "catalog" and "catalog" in self.actions(caller, "")
            return access.replace(actions=tuple(action for action in access.actions if action == "*" and may_list))
        if access.type != "repository" or (access.name == "*" and self.mode == "abac"):
            return access.replace(actions=())
        allowed = self.actions(caller, access.name)
        wanted = REPOSITORY_ACTIONS if "*" in access.actions else access.actions
        return access.replace(actions=tuple(action for action in wanted if action in allowed))

    def actions(self, caller: Caller, repository: str) -> set[str]:
        """What *caller* may do in *repository*; with an empty one, whether there is ``catalog``."""
        if caller.kind == "anonymous":
            return {"pull", "metadata_read"} if self.anonymous_pull else set()
        if caller.kind == "admin":
            return {*REPOSITORY_ACTIONS, "catalog"}
        if caller.kind == "token":
            return _mapped(self.scope_maps[self.tokens[caller.name].scope_map], repository)
        held = self.azure.roles.at_registry(caller.name, self.id)
        return {action for one in held for action in registry_actions(one, repository, abac=self.mode == "abac")}

    def has_role(self, principal: User) -> bool:
        """Whether any role of *principal* means anything here."""
        held = self.azure.roles.at_registry(principal.principal_id, self.id)
        return any(registry_actions(replace(one, condition=""), "", abac=self.mode == "abac") for one in held)

    def refresh_token(self, caller: Caller, principal: User | None = None) -> str:
        """A new refresh token of *caller* (claims: Azure/acr docs/AAD-OAuth.md, MicrosoftDocs/azure-docs#96828)."""
        actions, unactions = ("Actions", "NotActions") if self.claims == "capital" else ("actions", "notActions")
        extra: dict[str, Any] = {}
        if principal:
            extra = {"appid": principal.app_id if isinstance(principal, App) else new_id(), "tenant": principal.tenant.id}
            # acr-cli tells a registry in ABAC mode by this claim's being there; what is in it is not documented.
            extra |= {"aad_identity": principal.principal_id} if self.mode == "abac" else {}
        permissions = {actions: ["read", "write", "delete"], unactions: None}
        return self._minted(
            caller, REFRESH_LIFETIME, {"grant_type": "refresh_token", "rid": new_id(), "permissions": permissions, "roles": [], **extra}
        )

    def access_token(self, caller: Caller, scopes: Sequence[str]) -> str:
        """A token for as much of *scopes* as *caller* may have: what it may not is named without its actions."""
        narrowed = [self.narrow(caller, Access.parse(scope)) for scope in scopes]
        access = [{"type": one.type, "name": one.name, "actions": list(one.actions)} for one in narrowed]
        return self._minted(caller, ACCESS_LIFETIME, {"access": access, "roles": [], "grant_type": "access_token"})

    def claims_of(self, token: str, grant_type: str) -> dict[str, Any] | None:
        """The claims of a token of that kind, if it is one of ours and still good."""
        claims = self.signer.read(token)
        good = claims and claims["grant_type"] == grant_type and claims["nbf"] <= self.azure.now() < claims["exp"]
        return claims if good else None

    def caller_of(self, claims: dict[str, Any]) -> Caller:
        """Who was given the token of *claims*."""
        return self._callers[claims["jti"]]

    def _minted(self, caller: Caller, lifetime: int, claims: dict[str, Any]) -> str:
        now, token_id = int(self.azure.now()), new_id()
        self._callers[token_id] = caller
        common = {"jti": token_id, "sub": caller.name, "nbf": now, "exp": now + lifetime, "iat": now}
        return self.signer.sign({**common, "iss": "Azure Container Registry", "aud": self.login_server, "version": "1.0", **claims})


def _is(held: TokenPassword, password: str, now: float) -> bool:
    return held.value == password and (held.ends_at is None or now < held.ends_at)


#: A scope map's words for what a token names.
_WORDS = {
    "content/read": "pull", "content/write": "push", "content/delete": "delete",
    "metadata/read": "metadata_read", "metadata/write": "metadata_write",
}  # fmt: skip


def _mapped(actions: Sequence[str], repository: str) -> set[str]:
    """What a scope map allows in *repository*; only a whole last part may be a wildcard (Microsoft Learn "Repository permissions")."""
    found = set()
    for action in actions:
        where, kind = action.removeprefix("repositories/").rsplit("/", 2)[0], "/".join(action.rsplit("/", 2)[1:])
        matches = where in ("*", repository) or (where.endswith("/*") and repository.startswith(where[:-1]))
        if matches and kind in _WORDS and repository:
            found.add(_WORDS[kind])
    return found
