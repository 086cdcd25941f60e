"""Who makes the secrets of a principal and can take them back, as a rotation and a prune see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.principals.verify import Verification
    from registryauth.stores.principal import Principal, Slot


class Issuer(Protocol):
    """The issuer of secrets that have a name of their own, `Slot.key_id`; `azure.rotation.EntraIssuer` is one."""

    #: Tells a person what is going on; never a secret.
    tell: Callable[[str], None]

    def handles(self, record: Principal) -> bool:
        """Whether *record*'s secrets come from here; nobody is asked."""
        ...

    def issue(self, record: Principal) -> Slot:
        """One more secret for *record*, or the one that a rotation which was cut off had made and that is waiting there."""
        ...

    def current(self, record: Principal) -> Slot:
        """*record*'s current slot with what `issue` learnt of it: its `key_id` and when it dies."""
        ...

    def prove(self, record: Principal, slot: Slot, ask: Callable[[], Verification | None]) -> Verification | None:
        """What *ask*, which asks the registry, says once *slot* is known everywhere; raise where that takes too long."""
        ...

    def revoke(self, record: Principal, slot: Slot) -> str:
        """Take back *slot*, which `issue` gave and nobody uses; what came of that, in words. Raises nothing but what interrupts."""
        ...

    def remove(self, record: Principal, slot: Slot) -> bool:
        """Take away *slot*, which was replaced; False where it was gone already. Raise `Error` where that cannot be done."""
        ...
