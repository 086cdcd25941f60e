"""Whether a local store can be written, by writing to it and taking that back."""

from __future__ import annotations

import os

from registryauth.errors import StoreUnavailable
from registryauth.reference import Address
from registryauth.stores import rows
from registryauth.stores.database import Transaction, size
from registryauth.stores.principal import Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.encrypted import EncryptedStore


def rehearse(store: EncryptedStore) -> bool:
    """Write, read and remove a record of nobody in a transaction that is never committed; whether there is a store to do that in.

    It takes the lock, and makes and removes the journal beside the file, as every change does; the file itself stays as it is.
    Raise the `StoreError` with which a change would fail.
    """
    if size(store.path) is None:
        return False
    store.unlock()
    with Transaction(store.path, write=True) as connection:
        unlocked = store.unlocked(connection) if connection else None
        if connection is None or unlocked is None:
            return False
        nobody = Principal(Address.parse("rehearsal.invalid"), os.urandom(8).hex(), (Slot(os.urandom(16).hex()),), revision=1)
        rows.write(connection, nobody, unlocked[0].store_id, unlocked[1])
        read = rows.records(store.path, connection.execute(rows.EXACT, rows.parts(nobody.key)), unlocked)
        removed = rows.erase(connection, nobody.key)
        connection.execute("ROLLBACK")
    if read != [nobody] or not removed:
        raise StoreUnavailable(f"the store {store.path} does not give back what is written to it", hint="registryauth store check")
    return True
