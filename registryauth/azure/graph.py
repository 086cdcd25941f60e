"""Applications and their secrets as Microsoft Graph keeps them.

Source: Microsoft Learn "Microsoft Graph REST API v1.0": application and servicePrincipal (list, get, create, delete, addPassword,
removePassword), passwordCredential. An application and its service principal are two objects, and either may hold secrets: the
portal shows the application's, ``az ad sp credential reset`` writes the service principal's. Both sign in.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.entra_errors import GUID
from registryauth.errors import AzureError, ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from registryauth._json import Node
    from registryauth.azure.rest import Rest
    from registryauth.stores.principal import Slot

#: The two collections, and what their objects are called.
APPLICATIONS, SERVICE_PRINCIPALS = "applications", "servicePrincipals"
_WORDS = {APPLICATIONS: "application", SERVICE_PRINCIPALS: "service principal"}
#: Characters of a hint that Graph shows of a secret (passwordCredential: "the first three characters of the password").
HINT = 3
#: Seconds by which Azure's clock may be ahead of ours: what is younger than ours has been stored is none of ours.
_SKEW = 300


class ClientSecret(Value):
    """What Graph says of a secret, which is all but the secret: *key_id* names it, *hint* is how it begins.

    *starts_at* and *expires_at* are in seconds since the epoch, 0 where Graph does not say.
    """

    key_id: str
    hint: str
    name: str
    starts_at: int
    expires_at: int

    def may_be(self, slot: Slot) -> bool:
        """Whether our *slot* can be this one: by its key id where it has one, else if it begins alike and is not the older one.

        Nothing is known of one without a hint: those of before 2018 have none.
        """
        if slot.key_id:
            return slot.key_id.lower() == self.key_id.lower()
        older = 0 < slot.added_at < self.starts_at - _SKEW
        return len(self.hint) == HINT and slot.secret.startswith(self.hint) and not older


class NewSecret(Value, hidden=("value",)):
    """A secret that was just made; its *value* is told this once."""

    value: str
    known: ClientSecret


class DirectoryObject(Value):
    """An application or its service principal: *collection* says which, *object_id* is the object's own id, *secrets* are its own."""

    collection: str
    object_id: str
    app_id: str
    name: str
    secrets: tuple[ClientSecret, ...] = ()

    @property
    def kind(self) -> str:
        """For people: ``application`` or ``service principal``."""
        return _WORDS[self.collection]

    @property
    def path(self) -> str:
        """Where Graph has it."""
        return f"/v1.0/{self.collection}/{quote(self.object_id, safe='')}"


class Graph:
    """Applications and service principals, at the Microsoft Graph that *rest* speaks to.

    Every method raises `AzureError`, whose hint names the permission that is lacking, and what the transport raises.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def find(self, collection: str, app_id: str) -> DirectoryObject | None:
        """The object with that client id, None where the tenant has none; raise `ConfigurationError` for what is no id."""
        app_id = app_id.strip().lower()
        if not re.fullmatch(GUID, app_id):
            raise ConfigurationError(
                f"{printable(app_id, 80)!a} is no client id of an application",
                hint="a service principal's username is its application (client) id, a GUID",
            )
        try:
            return _object(self._call("GET", f"/v1.0/{collection}(appId='{app_id}')"), collection)
        except AzureError as error:
            if error.status == 404:
                return None
            raise

    def holders(self, app_id: str) -> tuple[DirectoryObject, ...]:
        """The application and the service principal with that client id, as far as the tenant has them.

        The application of another organisation is not in the tenant; only its service principal is.
        """
        found = (self.find(collection, app_id) for collection in (APPLICATIONS, SERVICE_PRINCIPALS))
        return tuple(each for each in found if each is not None)

    def named(self, name: str) -> tuple[DirectoryObject, ...]:
        """The applications that are called *name*; a name is no key, there may be several."""
        condition = quote("displayName eq '{}'".format(name.replace("'", "''")), safe="")
        try:
            entries: Iterator[Node] = self._rest.pages(f"/v1.0/{APPLICATIONS}?$filter={condition}", link="@odata.nextLink")
            return tuple(_object(entry, APPLICATIONS) for entry in entries)
        except AzureError as error:
            raise _explained(error) from error

    def create_application(self, name: str) -> DirectoryObject:
        """A new application of that name, for this tenant alone, without a secret."""
        body = {"displayName": name, "signInAudience": "AzureADMyOrg"}
        return _object(self._call("POST", f"/v1.0/{APPLICATIONS}", body), APPLICATIONS)

    def create_principal(self, app_id: str) -> DirectoryObject:
        """The service principal of the application *app_id*, which a role can be given to."""
        return _object(self._call("POST", f"/v1.0/{SERVICE_PRINCIPALS}", {"appId": app_id}), SERVICE_PRINCIPALS)

    def add_secret(self, holder: DirectoryObject, name: str, expires_at: int) -> NewSecret:
        """One more secret of *holder*, beside those that it has, good from now until *expires_at* in seconds since the epoch."""
        answer = self._call("POST", f"{holder.path}/addPassword", _secret_wanted(name, expires_at))
        value = answer.field("secretText").text()
        if not value or not answer.field("keyId").text():
            raise AzureError(
                "Microsoft Graph made a secret and did not tell it",
                hint=f"remove the secret {printable(answer.field('keyId').text() or name, 120)} of {holder.app_id}, and try again",
            )
        return NewSecret(value, _secret(answer))

    def remove_secret(self, holder: DirectoryObject, key_id: str) -> bool:
        """Take the secret *key_id* from *holder*, and no other; False where it was gone already."""
        try:
            self._call("POST", f"{holder.path}/removePassword", {"keyId": key_id})
        except AzureError as error:
            # What Graph says of a key that is not there has no code of its own: the list tells.
            if error.status not in (400, 404) or self._has(holder, key_id):
                raise
            return False
        return True

    def delete(self, holder: DirectoryObject) -> None:
        """Delete *holder*; an application takes its service principal with it."""
        self._call("DELETE", holder.path)

    def _has(self, holder: DirectoryObject, key_id: str) -> bool:
        now = self.find(holder.collection, holder.app_id)
        return now is not None and key_id.lower() in (each.key_id.lower() for each in now.secrets)

    def _call(self, method: str, path: str, body: object = None) -> Node:
        try:
            return self._rest.call(method, path, body=body).document
        except AzureError as error:
            raise _explained(error) from error


def _secret_wanted(name: str, expires_at: int) -> dict[str, dict[str, str]]:
    """The body of the request that `Graph.add_secret` sends."""
    end = f"{datetime.fromtimestamp(expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {"passwordCredential": {"displayName": name, "endDateTime": end}}


def _object(document: Node, collection: str) -> DirectoryObject:
    object_id, app_id = document.field("id").text(), document.field("appId").text().lower()
    if not object_id or not re.fullmatch(GUID, app_id):
        raise AzureError(f"{document.what}: an object without id and appId", hint="is a proxy or portal in the way?")
    held = tuple(_secret(each) for each in document.field("passwordCredentials").items())
    return DirectoryObject(collection, object_id, app_id, document.field("displayName").text(), held)


def _secret(document: Node) -> ClientSecret:
    key_id, hint, name = (document.field(each).text() for each in ("keyId", "hint", "displayName"))
    return ClientSecret(key_id, hint, name, _seconds(document.field("startDateTime")), _seconds(document.field("endDateTime")))


def _seconds(moment: Node) -> int:
    """A moment of Graph's, which has seven digits of a second."""
    text = moment.text()
    if not text:
        return 0
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise AzureError(f"{moment.what}: {moment.path} must be a date and time", hint="report it") from None
    return int(read.replace(tzinfo=read.tzinfo or UTC).timestamp())


def _explained(error: AzureError) -> AzureError:
    """*error* with what Graph's own words leave out: which permission would do, or what gets past a policy."""
    message, code = error.message, error.code.lower()
    if code == "directory_quotaexceeded":
        hint = "remove applications or secrets that nobody needs; what was deleted counts for 30 days more"
    # CredentialInvalidLifetimeAsPerAppPolicy (azure-cli#28522), CredentialTypeNotAllowedAsPerAppPolicy, and whatever others there are.
    elif "policy" in code and "lifetime" in code:
        hint = "a policy of the tenant limits how long secrets live: a shorter --expires, 90d for example"
    elif "policy" in code:
        hint = "a policy of the tenant forbids secrets to applications: ask an administrator, or use a workload identity"
    elif error.status == 403:
        message = "Microsoft Graph refuses: whoever is signed in may not manage applications"
        hint = (
            "a person needs the directory role Application Developer or Application Administrator, or to own the application; a service"
            " principal Application.ReadWrite.OwnedBy for applications that it made, or Application.ReadWrite.All"
        )
    else:
        return error
    return AzureError(message, status=error.status, code=error.code, correlation_id=error.correlation_id, hint=hint)
