"""Which principals leave the store, and in what."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.errors import CredentialNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.reference import Address
    from registryauth.stores import Store
    from registryauth.stores.principal import Principal


def select(store: Store, addresses: Sequence[Address] = (), account: str = "") -> list[Principal]:
    """The records at *addresses* and at the paths below them, all where none is named; of *account* only, if one is.

    Raise `CredentialNotFound` where an address, or the whole store, has none, and what the store raises.
    """
    records = [record for record in store.list() if account in ("", record.account)]
    whose = f" of {printable(account, 80)}" if account else ""
    for address in addresses:
        if not any(_within(record.address, address) for record in records):
            raise CredentialNotFound(f"no credential{whose} is stored for {address}", hint="'registryauth principal list' shows what is")
    found = [record for record in records if not addresses or any(_within(record.address, address) for address in addresses)]
    if not found:
        raise CredentialNotFound(f"no credential{whose} is stored", hint="there is nothing to export")
    return found


def _within(address: Address, above: Address) -> bool:
    return address.registry == above.registry and (not above.path or f"{address.path}/".startswith(f"{above.path}/"))
