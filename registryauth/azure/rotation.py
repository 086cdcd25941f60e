"""Secrets of service principals, made and taken back at Entra, one by one: whatever else an application has is never touched.

Source: Microsoft Learn "Microsoft Graph REST API v1.0", application and servicePrincipal: addPassword, removePassword. What is
made is known everywhere some time later ("eventual consistency"); until then Entra says AADSTS7000215, as of a wrong secret.
"""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.acr_errors import is_azures, restate
from registryauth.azure.clouds import cloud_of
from registryauth.azure.entra import ClientSecret as SignIn
from registryauth.azure.entra import Entra
from registryauth.azure.entra_errors import AUDIENCE_CODES, GUID
from registryauth.azure.graph import SERVICE_PRINCIPALS, ClientSecret, DirectoryObject, Graph
from registryauth.azure.patience import Patience
from registryauth.errors import AzureError, ConfigurationError, Error, TokenRefused, TransportError, Unauthorized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from registryauth.azure.access import Access, Way
    from registryauth.azure.rehearsal import Planned
    from registryauth.stores.principal import Principal, Slot

    Answer = TypeVar("Answer")

#: Seconds that a new secret lives where nothing says how long the one before it was meant to.
LIFETIME = 180 * 86400
#: Seconds that Entra has for learning of a new secret, and from then on the registry.
PATIENCE, REGISTRY_PATIENCE = 120.0, 30.0
#: Seconds until Graph lists what it has made, and those that are spent on finding out whether it has made anything.
_LISTED, _FOUND_OUT = 15.0, 5.0
#: Seconds that a secret which waits must still live to be worth taking up.
_WORTH_IT = 86400
#: Wrong secret, which is what one that is not known yet reads as.
_NOT_YET = ("AADSTS7000215",)
#: Characters of the address in a secret's name.
_MAX_NAMED = 80
_CLIENT_ERROR = range(400, 500)
_THROTTLED = 429


def random_word() -> str:
    """What tells the secrets that are made for one address apart."""
    return secrets.token_hex(4)


class Plan(Value):
    """What a rotation of a principal is going to do: one more secret of *holder*, called *name*, which dies at *expires_at*.

    *current* is the slot that it is to follow, with its `key_id` and its end where Graph knows them.
    """

    holder: DirectoryObject
    name: str
    expires_at: int
    current: Slot


class EntraIssuer:
    """The `principals.issuer.Issuer` of service principals at Azure's registries, as whoever *access* signs in.

    *expires_at* or else *lifetime*, in seconds, is a new secret's; 0 is "as long as the one before it". *new_word* ends its name.
    Where *access* is one for a dry run, `make` and `remove` send nothing that changes anything: `planned` has it. Every method but
    `handles`, `current` and `revoke` raises `AzureError`, `TransportError` and what signing in raises.
    """

    def __init__(
        self,
        access: Access,
        *,
        lifetime: int = 0,
        expires_at: int = 0,
        patience: float = PATIENCE,
        new_word: Callable[[], str] = random_word,
        tell: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tell = tell
        self._access, self._lifetime, self._expires_at, self._patience, self._sleep = access, lifetime, expires_at, patience, sleep
        self._new_word = new_word
        self._clock = access.clock
        self._current: Slot | None = None
        #: Where the last secret was made or found waiting.
        self._holder: DirectoryObject | None = None
        #: Why whoever is asked next need not be asked: nobody is signed in, or there is no network.
        self._closed: dict[tuple[str, str], Error] = {}

    def handles(self, record: Principal) -> bool:
        """Whether *record* is a service principal of Entra's at a registry of Azure's."""
        return complaint(record) is None

    def plan(self, record: Principal) -> Plan:
        """What `issue` would do for *record*; only reads. Raise `ConfigurationError` where Entra has no secret of its account."""
        if wrong := complaint(record):
            raise wrong
        holders = self._holders(record)
        current, holder, known = _recognised(record.slots[0], holders)
        now = int(self._clock())
        lived = known.expires_at - known.starts_at if known and known.starts_at and known.expires_at else 0
        lifetime = self._lifetime or (lived if lived > 0 else LIFETIME)
        name = f"registryauth {printable(str(record.address), _MAX_NAMED)} {self._new_word()}"
        # The application's comes first: its secrets are those that the portal shows.
        return Plan(holder or holders[0], name, self._expires_at or now + lifetime, current)

    def issue(self, record: Principal) -> Slot:
        """One more secret of *record*'s application, or the one that a rotation which was cut off had made there."""
        plan = self.plan(record)
        self._current, self._holder = plan.current, plan.holder
        if taken := self._taken_up(record):
            return taken
        self._mention_strangers(record, plan.holder)
        return self.make(record, plan)

    def make(self, record: Principal, plan: Plan) -> Slot:
        """The secret of *plan*; where it is not known whether there is one by now, it is looked for and removed, and that is told."""
        try:
            made = self._asked(record, lambda graph: graph.add_secret(plan.holder, plan.name, plan.expires_at))
        except AzureError as error:
            if error.status not in _CLIENT_ERROR:
                self._undo(record, plan, error)
            raise
        except BaseException as error:
            self._undo(record, plan, error)
            raise
        from registryauth.stores.principal import Slot

        return Slot(made.value, expires_at=made.known.expires_at or plan.expires_at, key_id=made.known.key_id)

    def current(self, record: Principal) -> Slot:
        """*record*'s current slot as `issue` found it at Graph."""
        now = record.slots[0]
        return self._current if self._current and self._current.secret == now.secret else now

    def prove(self, record: Principal, slot: Slot, ask: Callable[[], Answer]) -> Answer:
        """What *ask*, which asks the registry, answers once Entra takes *slot*; the registry, too, is given some time."""
        known = self._wait_for_entra(record, slot)
        patience = self._patience_of(REGISTRY_PATIENCE if known else self._patience)
        return patience.last_of("the registry takes the new secret", ask, _is_wrong_password)

    def revoke(self, record: Principal, slot: Slot) -> str:
        """Take back *slot*, which nobody was given; what came of that."""
        what = f"the secret that was made, key {printable(slot.key_id, 60)},"
        holder = self._holder
        try:
            # What was made a moment ago is not yet known wherever one asks.
            for _ in self._patience_of(_LISTED).tries("Graph lists the secret"):
                if holder is None:
                    break
                if Graph(self._way(record).graph).remove_secret(holder, slot.key_id):
                    return f"{what} was removed at Entra again"
        except Error as error:
            return f"{what} is left at Entra ({error.message}); {_by_hand(record, holder, slot.key_id)} removes it"
        except BaseException:
            self.tell(f"notice: {what} may be left at Entra; {_by_hand(record, holder, slot.key_id)} removes it")
            raise
        return f"{what} is not to be found at Entra now; should it show up there, {_by_hand(record, holder, slot.key_id)} removes it"

    def remove(self, record: Principal, slot: Slot) -> bool:
        """Take *slot* away from whichever of the application's two objects holds it; False where neither does any more.

        Raise `AzureError` where the tenant has no such application, too: it may be another tenant than the secret's.
        """
        holders = self._holders(record)
        holder = next((each for each in holders if _has(each, slot.key_id)), None)
        return holder is not None and self._asked(record, lambda graph: graph.remove_secret(holder, slot.key_id))

    # -- making --

    def _taken_up(self, record: Principal) -> Slot | None:
        """The secret that waits in *record* since a rotation was cut off, if Entra still has it and it is worth using."""
        waiting = record.pending
        if waiting is None or not waiting.key_id:
            return None
        held = next(((each, known) for each in self._holders(record) for known in each.secrets if _same(known, waiting.key_id)), None)
        now, key = self._clock(), printable(waiting.key_id, 60)
        if held is None:
            if not waiting.remove_after and now - waiting.added_at < self._patience:
                # Too young to be listed everywhere; whether Entra takes it will be seen.
                return waiting
            self.tell(f"The secret of the rotation that was cut off, key {key}, is gone at Entra; another one is made.")
            return None
        self._holder, known = held
        if waiting.remove_after or now + _WORTH_IT >= known.expires_at > 0:
            self._asked(record, lambda graph: graph.remove_secret(held[0], waiting.key_id))
            self.tell(f"The secret of the rotation that was cut off, key {key}, was removed at Entra; another one is made.")
            return None
        self.tell(f"Took up the secret that the rotation before had made, key {key}, which expires {_day(known.expires_at)}.")
        return waiting.replace(expires_at=known.expires_at or waiting.expires_at)

    def _undo(self, record: Principal, plan: Plan, error: BaseException) -> None:
        """Nobody told us of a secret, which may have been made all the same: remove it by its name, which is its alone."""
        came = self._undone(record, plan, patient=isinstance(error, Error))
        if isinstance(error, Error):
            error.hint = f"{came}; {error.hint}" if error.hint else came
        else:
            self.tell(f"notice: {came}")

    def _undone(self, record: Principal, plan: Plan, *, patient: bool) -> str:
        holder, look = plan.holder, f"look for {plan.name!a} among those of {plan.holder.app_id}"
        try:
            graph = Graph(self._way(record).graph)
            for _ in self._patience_of(_FOUND_OUT if patient else 0.0).tries("Graph lists the secret"):
                now = graph.find(holder.collection, holder.app_id)
                left = [each.key_id for each in now.secrets if each.name == plan.name] if now else []
                for key_id in left:
                    graph.remove_secret(holder, key_id)
                if left:
                    return f"Graph had made the secret all the same, key {printable(', '.join(left), 120)}; it was removed again"
        except Error as failed:
            return f"whether Graph made the secret could not be seen ({failed.message}): {look}"
        except BaseException:
            self.tell(f"notice: whether Graph made the secret was not seen any more: {look}")
            raise
        return f"Graph does not list it; should one called {plan.name!a} show up at {holder.app_id}, it is nobody's and can go"

    def _mention_strangers(self, record: Principal, holder: DirectoryObject) -> None:
        """Name the secrets that were made for *record*'s address and that it does not have: nobody may know them any more."""
        begin = f"registryauth {printable(str(record.address), _MAX_NAMED)} "
        own = {slot.key_id.lower() for slot in record.slots}
        for each in holder.secrets:
            if (
                each.name.startswith(begin)
                and each.key_id.lower() not in own
                and each.key_id.lower() != self.current(record).key_id.lower()
            ):
                self.tell(
                    f"note: {holder.app_id} has a secret that was made for {record.address}, key {printable(each.key_id, 60)} of"
                    f" {_day(each.starts_at)}, and this record does not: another store's, or left by a rotation that was cut off;"
                    f" {_by_hand(record, holder, each.key_id)} would remove it"
                )

    # -- asking --

    def _wait_for_entra(self, record: Principal, slot: Slot) -> bool:
        """Wait until Entra takes *slot*; False where no tenant is known that could be asked."""
        entra = self._entra(record)
        if entra is None:
            return False
        source, scope, waits = SignIn(entra, record.account, slot.secret), self._way(record).cloud.management_scope, False

        def sign_in() -> None:
            try:
                source.token(scope)
            except AzureError as error:
                if error.code not in AUDIENCE_CODES:
                    raise

        def tell(_what: str, _seconds: float) -> None:
            nonlocal waits
            if not waits:
                self.tell(f"Entra does not know the new secret yet; waiting for up to {self._patience:.0f} s.")
            waits = True

        try:
            self._patience_of(self._patience, tell).last_of("Entra takes the new secret", sign_in, _is_too_early)
        except AzureError as error:
            if _is_too_early(error):
                restate(error, f"after {self._patience:.0f} s Entra does not know the new secret: {error.message}", "try again later")
            raise
        return True

    def _patience_of(self, seconds: float, tell: Callable[[str, float], None] = lambda _what, _seconds: None) -> Patience:
        return Patience(seconds, tell=tell, clock=self._clock, sleep=self._sleep)

    @property
    def planned(self) -> Sequence[Planned]:
        """What was not sent, where *access* is one for a dry run."""
        return self._access.planned

    def tenant(self, record: Principal) -> str:
        """The tenant that *record* is in: its own word, or else what is configured; empty where nobody says."""
        return record.tenant or self._access.config.azure_tenant or self._access.environ.get("AZURE_TENANT_ID", "")

    def token_url(self, record: Principal) -> str:
        """Where Entra is asked for a token with *record*'s secrets; empty where nobody says which tenant it is in."""
        entra = self._entra(record)
        return str(entra.url) if entra else ""

    def _entra(self, record: Principal) -> Entra | None:
        tenant, way = self.tenant(record), self._way(record)
        return Entra(way.far, way.cloud.authority, tenant, clock=self._clock, sleep=self._sleep) if tenant else None

    def _way(self, record: Principal) -> Way:
        cloud = cloud_of(record.address.registry)
        return self._access.way(cloud.name if cloud else "", record.tenant)

    def _holders(self, record: Principal) -> tuple[DirectoryObject, ...]:
        app_id = printable(record.account.lower(), 60)
        found = self._asked(record, lambda graph: graph.holders(record.account))
        if not found:
            where = f"the tenant {printable(record.tenant, 60)}" if record.tenant else "the tenant that you are signed in to"
            raise AzureError(
                f"{where} has no application or service principal {app_id}",
                status=404,
                hint="is it the right tenant? 'registryauth principal add --tenant' records which one it is; was it deleted?",
            )
        return found

    def _asked(self, record: Principal, ask: Callable[[Graph], Answer]) -> Answer:
        """What *ask* learns; where signing in or the network failed once, whoever comes next is told so at once."""
        door = (str(cloud_of(record.address.registry)), record.tenant)
        if door in self._closed:
            raise self._closed[door]
        try:
            way = self._way(record)
            way.tokens.get(way.cloud.graph_scope)
        except Error as error:
            self._closed[door] = error
            raise
        try:
            return ask(Graph(way.graph))
        except (TransportError, AzureError) as error:
            if isinstance(error, TransportError) or error.status == _THROTTLED:
                self._closed[door] = error
            raise


def complaint(record: Principal) -> ConfigurationError | None:
    """What speaks against asking Entra for a secret of *record*, None for a service principal at a registry of Azure's."""
    address, host = record.address, record.address.registry.host
    bring = f"'registryauth principal rotate {address} --secret-stdin' takes the next one from whoever issues it"
    if not is_azures(address.registry) or cloud_of(address.registry) is None:
        return ConfigurationError(f"{address} is at no registry of Azure's, so Entra does not issue its secrets", hint=bring)
    name, account = host.partition(".")[0], printable(record.account, 60)
    if record.kind == "identity-token":
        return ConfigurationError(
            f"{address} has a token of Entra's, which is no secret to be rotated",
            hint=f"'registryauth azure acr login {host}' gives the next one",
        )
    if record.kind == "admin-user" or record.account.lower() == name:
        hint = f"az acr credential renew --name {name} --password-name password2, and give that: --secret-stdin"
        return ConfigurationError(f"{account} is the admin user of {address}, whose passwords the registry itself issues", hint=hint)
    if record.kind == "acr-token" or not re.fullmatch(GUID, record.account):
        return ConfigurationError(
            f"{account} is no client id, so it is no service principal of Entra's",
            hint=f"for a repository token: az acr token credential generate --registry {name} --name {account} --password2, and give that:"
            " --secret-stdin",
        )
    return None


def _recognised(slot: Slot, holders: Iterable[DirectoryObject]) -> tuple[Slot, DirectoryObject | None, ClientSecret | None]:
    """*slot* with what Graph knows of it, and who holds it; by its `key_id`, or else if exactly one secret can be it."""
    found = [(holder, known) for holder in holders for known in holder.secrets if known.may_be(slot)]
    if len(found) != 1:
        return slot, None, None
    [(holder, known)] = found
    return slot.replace(key_id=known.key_id, expires_at=slot.expires_at or known.expires_at), holder, known


def _same(known: ClientSecret, key_id: str) -> bool:
    return known.key_id.lower() == key_id.lower()


def _has(holder: DirectoryObject, key_id: str) -> bool:
    return any(_same(known, key_id) for known in holder.secrets)


def _by_hand(record: Principal, holder: DirectoryObject | None, key_id: str) -> str:
    what = "sp" if holder and holder.collection == SERVICE_PRINCIPALS else "app"
    return f"'az ad {what} credential delete --id {printable(record.account, 60)} --key-id {printable(key_id, 60)}'"


def _is_too_early(error: Error) -> bool:
    """Whether it may be that Entra has not heard of the secret. It knows the application: another code says that this is another tenant."""
    if isinstance(error, AzureError):
        return error.code in _NOT_YET or error.status == _THROTTLED
    return isinstance(error, TransportError) and error.transient


def _is_wrong_password(error: Error) -> bool:
    return isinstance(error, TokenRefused | Unauthorized) and error.status == 401


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}" if seconds else "an unknown day"
