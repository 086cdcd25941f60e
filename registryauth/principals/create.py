"""A new service principal for registries: made in Entra, kept in our store, given its roles, and seen to work.

In this order, so that nothing is lost: a secret is stored before anything is waited for, and whatever fails or is interrupted leaves
a `Made` that says what is there.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

from registryauth._value import Value
from registryauth.azure.patience import is_not_yet, is_unheard_of
from registryauth.azure.service_principals import give
from registryauth.credentials import Basic, Pinned
from registryauth.errors import AzureError, TokenRefused
from registryauth.principals.register import register
from registryauth.reference import Repository
from registryauth.stores.principal import Check
from registryauth.stores.revisions import revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from registryauth.azure.graph import DirectoryObject, Graph, NewSecret
    from registryauth.azure.patience import Patience
    from registryauth.azure.registry_places import Place
    from registryauth.azure.role_assignments import RoleAssignments
    from registryauth.azure.service_principals import Gift
    from registryauth.principals.verify import OpenClient
    from registryauth.stores import Store
    from registryauth.stores.principal import Key, Principal

#: Statuses after which nothing was made.
_REFUSED = range(400, 500)


class Order(Value):
    """What to make: an application called *name*, with *gifts*, and a secret for each registry until *expires_at*.

    *notes* are those of `register`.
    """

    name: str
    gifts: tuple[Gift, ...]
    expires_at: int
    notes: Mapping[str, str] = {}

    @property
    def places(self) -> tuple[Place, ...]:
        """The registries, each once."""
        return tuple(dict.fromkeys(gift.place for gift in self.gifts))

    def actions(self, place: Place) -> tuple[str, ...]:
        """What is to be allowed at *place*."""
        return tuple(dict.fromkeys(action for gift in self.gifts if gift.place == place for action in gift.role.actions))


class Made:
    """What there is by now: of *secrets* the first *kept* are stored or written, and *stored* are our records of them.

    *missing* is the step that failed; unless it was *refused* it may have happened all the same.
    """

    def __init__(self) -> None:
        self.application: DirectoryObject | None = None
        self.principal: DirectoryObject | None = None
        self.secrets: list[tuple[Place, NewSecret]] = []
        self.stored: list[Key] = []
        self.gifts: list[Gift] = []
        self.verified: dict[Place, tuple[str, ...]] = {}
        self.kept = 0
        self.missing = ""
        self.refused = False


class Creation:
    """Carries *order* out with *graph* and *roles*; *made* can be looked at at any time, after an error or an interruption too."""

    def __init__(self, graph: Graph, roles: RoleAssignments, order: Order, patience: Patience) -> None:
        self._graph, self._roles, self._order, self._patience = graph, roles, order, patience
        self.made = Made()

    def make(self, keep: Callable[[Place, NewSecret], Key | None], *, apart: bool = True) -> Made:
        """Make application, service principal and secrets, hand each secret to *keep* at once, and give the roles.

        *apart* makes a secret for each registry, so that each is rotated alone; otherwise the first one's is for all. Raise
        `AzureError` and what the transport and *keep* raise.
        """
        made, order = self.made, self._order
        with self._step("the application"):
            application = made.application = self._graph.create_application(order.name)
        with self._step("the service principal"):
            made.principal = self._patience.until(
                "Entra hears of the application", lambda: self._graph.create_principal(application.app_id), is_unheard_of
            )
        for place in order.places if apart else order.places[:1]:
            with self._step("a secret"):
                secret = self._secret(application, place)
            made.secrets.append((place, secret))
            key = keep(place, secret)
            made.stored += [key] if key else []
            made.kept += 1
        for gift in order.gifts:
            with self._step(f"the role {gift}"):
                self._give(gift, made.principal)
            made.gifts.append(gift)
        return made

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        self.made.missing = what
        try:
            yield
        except AzureError as error:
            self.made.refused = error.status in _REFUSED
            raise
        self.made.missing = ""

    def _secret(self, application: DirectoryObject, place: Place) -> NewSecret:
        name, until = f"registryauth {place.registry.login_server}", self._order.expires_at
        return self._patience.until(
            "Entra hears of the application", lambda: self._graph.add_secret(application, name, until), is_unheard_of
        )

    def _give(self, gift: Gift, principal: DirectoryObject) -> None:
        self._patience.until(
            "resource management hears of the service principal",
            lambda: give(self._roles, gift, principal.object_id, new=True),
            is_unheard_of,
        )

    def wait(self, sign_in: Callable[[str, str], object], open_client: Callable[[Place], OpenClient]) -> Made:
        """Wait until Entra takes each secret, by *sign_in* with client id and secret, and its registry's token grants what was asked for.

        Raise what any of them says that does not pass by waiting, and what `Patience.until` raises when time is over.
        """
        made = self.made
        for place in self._order.places:
            secret = next((secret for each, secret in made.secrets if each == place), made.secrets[0][1])
            self._patience.until("Entra takes the secret", lambda secret=secret: sign_in(self.app_id, secret.value), is_not_yet)  # type: ignore[misc]
            made.verified[place] = self._patience.until(
                f"{place.registry.login_server} grants the role",
                lambda place=place, secret=secret: self._granted(place, secret, open_client(place)),  # type: ignore[misc]
                is_not_yet,
            )
        return made

    def _granted(self, place: Place, secret: NewSecret, open_client: OpenClient) -> tuple[str, ...]:
        """The actions that the access token shows; raise `TokenRefused` while one that was asked for is not among them."""
        wanted = self._order.actions(place)
        pinned = (Pinned(Basic(self.app_id, secret.value), "the new secret"),)
        repository = Repository(place.registry.login_server, place.sample)
        with open_client(lambda _: pinned) as client:
            granted = client.ping(repository, *wanted)
        if granted is None:
            return ()
        if lacking := [action for action in wanted if action not in granted]:
            raise TokenRefused(
                f"its token for {repository.path} does not grant {', '.join(lacking)}",
                hint=f"the role may still be on its way: registryauth principal verify {place.address}",
            )
        return granted

    @property
    def app_id(self) -> str:
        """The client id; empty before there is one."""
        return self.made.application.app_id if self.made.application else ""


def keep_in(store: Store, order: Order, made: Made) -> Callable[[Place, NewSecret], Key]:
    """Puts each secret into *store*, as `register` does it for an admin, unverified for now."""

    def keep(place: Place, secret: NewSecret) -> Key:
        done = register(
            store,
            place.address,
            made.application.app_id if made.application else "",
            secret.value,
            None,
            made_by="admin",
            kind="service-principal",
            expires_at=secret.known.expires_at or order.expires_at,
            key_id=secret.known.key_id,
            notes=order.notes,
            needed=order.actions(place),
        )
        return done.principal.key

    return keep


def note_verified(store: Store, made: Made, now: float) -> list[Principal]:
    """Our records, with a word that their registries took the secrets, and what the tokens granted. Raise as `revise` does.

    A secret that somebody replaced while ours was waited for is left alone.
    """
    return [
        revise(store, key, partial(_verified, secret, _seen(place, made.verified.get(place, ()), int(now)), int(now)), now)
        for (place, secret), key in zip(made.secrets, made.stored, strict=True)
    ]


def _verified(secret: NewSecret, seen: tuple[Check, ...], now: int, record: Principal) -> Principal:
    return record.replace(verified_at=now, checks=seen or record.checks) if record.slots[0].secret == secret.value else record


def _seen(place: Place, granted: tuple[str, ...], now: int) -> tuple[Check, ...]:
    """What the token for *place* says, if it says something and not of a repository that was made up to ask for it."""
    where = place.repositories[0] if place.repositories else ""
    return (Check(where, granted, (), "the token says", now),) if granted and not where.endswith("*") else ()
