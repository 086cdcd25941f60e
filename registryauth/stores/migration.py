"""Every record from one store to another."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import Conflict, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores import Store
    from registryauth.stores.principal import Principal

#: Names in a message about records that are in the way.
_SHOWN = 5


class Migrated(Value):
    """How many records were *copied*, and how many were there already, just the same."""

    copied: int
    there: int


def migrate(source: Store, target: Store, *, force: bool = False) -> Migrated:
    """Copy every record of *source* to *target*, and read each one back; *source* stays as it is.

    A record that *target* has already, just the same, is passed over, so that what was interrupted can be done again.
    Raise `Conflict`, having written nothing, where it has another one with the same key, unless *force*; `StoreError`
    where a record does not come back as it was written.
    """
    records = source.list()
    found = [(record, target.exact(record.key)) for record in records]
    wanted = [(record, there) for record, there in found if there is None or not _same(record, there)]
    in_the_way = [record for record, there in wanted if there is not None]
    if in_the_way and not force:
        names = ", ".join(printable(str(record.key)) for record in in_the_way[:_SHOWN])
        more = f" and {len(in_the_way) - _SHOWN} more" if len(in_the_way) > _SHOWN else ""
        raise Conflict(f"the target has other records of {names}{more}", hint="nothing was copied; replace them with --force")
    for record, there in wanted:
        target.put(record, (there.revision if there else 0) if target.conditional else None)
    for record, _ in wanted:
        back = target.exact(record.key)
        if back is None or not _same(record, back):
            raise StoreError(
                f"{printable(str(record.key))} does not come back from the target as it was written",
                hint="nothing was removed from the source; try again",
            )
    return Migrated(len(wanted), len(found) - len(wanted))


def _same(one: Principal, other: Principal) -> bool:
    return one.replace(revision=0) == other.replace(revision=0)
