"""An identity token that a sign-in to Entra gave, replaced by the next one before it ends, in the same way and without asking anybody."""

from __future__ import annotations

import os
import time

from registryauth._redact import printable
from registryauth.errors import Conflict, Error, StoreError
from registryauth.stores.principal import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.azure.acr import AcrLogin
    from registryauth.config import Config
    from registryauth.stores import Store
    from registryauth.stores.principal import Principal

#: Seconds that a token must live on to be of use to whoever asks for it now.
_OF_USE = 60


class Renewal:
    """Renews records by what *config* and *environ* say of who we are; *warn* is told what went wrong where that stops nobody."""

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str] = os.environ,
        *,
        warn: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._environ, self._warn, self._clock = config, environ, warn, clock

    def renewed(self, store: Store, record: Principal) -> Principal:
        """*record* with the next secret, which is kept in *store*; as it is where nothing is due.

        Where the sign-in fails, the present secret is handed out as long as it is good, and then the failure is raised.
        """
        now = self._clock()
        way = record.renewed_by(now)
        if not way:
            return record
        try:
            login = self._sign_in(record, way)
        except Error as error:
            if record.slot(now).expires_at <= now + _OF_USE:
                error.hint = f"{error.hint}\nor sign in anew: registryauth azure acr login {record.address.registry}".strip()
                raise
            self._warn(f"the identity token for {record.address} could not be renewed: {error.message}")
            return record
        for notice in login.notices:
            self._warn(notice)
        return self._kept(store, record, login, now)

    def _kept(self, store: Store, record: Principal, login: AcrLogin, now: float) -> Principal:
        slot = Slot(login.refresh.value, added_at=int(now), expires_at=login.refresh.expires_at)
        fresh = record.replace(slots=record.renewed(slot, now), verified_at=int(now), updated_at=int(now))
        try:
            return store.put(fresh, record.revision)
        except Conflict:
            # Somebody renewed it at the same moment, or replaced it: ours is good, and theirs stays.
            return fresh
        except StoreError as error:
            self._warn(f"the renewed token for {record.address} is not kept: {printable(error.message)}")
            return fresh

    def _sign_in(self, record: Principal, way: str) -> AcrLogin:
        from registryauth.azure.acr import Acr
        from registryauth.azure.settings import settings_of
        from registryauth.azure.sign_in import sign_in
        from registryauth.azure.tokens import Tokens
        from registryauth.azure.wire import open_wire

        registry = record.address.registry
        said = self._config.registry(registry.host)
        with open_wire(self._environ, {registry.origin().netloc: said.ca_file} if said.ca_file else None) as wire:
            settings = settings_of(self._config, self._environ, wire.far, registry=registry, tenant=record.tenant)
            who = sign_in(settings.replace(credential=way), wire, self._environ, clock=self._clock)
            acr = Acr(Tokens(who, self._clock), wire.far, settings.cloud, clock=self._clock)
            return acr.sign_in(registry, tenant=record.tenant, look=False)
