"""Who was given a principal's secret, so that the one that was replaced is not taken away too early."""

from __future__ import annotations

import json

from registryauth._redact import printable
from registryauth.errors import CredentialNotFound
from registryauth.stores.principal import Consumer, Key, Principal, Slot
from registryauth.stores.revisions import revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores import Store

#: Consumers of one principal; beyond that the one written longest ago is let go.
MAX_CONSUMERS = 64
#: Characters of a target's JSON, so that all consumers together leave room in a record's metadata (64 KiB).
MAX_TARGET = 512


def note_consumer(store: Store, key: Key, target: str, format: str, serial: int, now: float) -> Principal:  # noqa: A002 - the record's own word
    """Note that *target* (a file, an object in a cluster) was given the secret with *serial*, in *format*.

    What was known of the same target is replaced; nothing is written where that says the same already. Of a longer target
    its end is kept. Raise `CredentialNotFound` where the principal is gone, and what the store raises.
    """
    consumer = Consumer(target_name(target), format, serial, int(now))

    def edit(record: Principal) -> Principal:
        before = next((known for known in record.consumers if known.target == consumer.target), None)
        if before is not None and before.replace(written_at=consumer.written_at) == consumer:
            return record
        others = sorted((known for known in record.consumers if known is not before), key=lambda known: known.written_at)
        return record.replace(consumers=(*others[1 - MAX_CONSUMERS :], consumer))

    return revise(store, key, edit, now)


def forget_consumer(store: Store, key: Key, target: str, now: float) -> Principal:
    """Strike *target* out: it is gone, or has no use for the secret any more. Raise `CredentialNotFound` if it was not noted."""
    name = target_name(target)

    def edit(record: Principal) -> Principal:
        left = tuple(known for known in record.consumers if known.target != name)
        if len(left) == len(record.consumers):
            raise CredentialNotFound(
                f"{printable(name, 120)} is no consumer of {printable(str(key))}",
                hint=f"'registryauth principal consumers {key.address}' shows who is",
            )
        return record.replace(consumers=left)

    return revise(store, key, edit, now)


def target_name(target: str) -> str:
    """*target* as it is noted: one printable line of bounded length, its end kept, for that is where names differ."""
    name = printable(target, 4 * MAX_TARGET)
    while len(json.dumps(name)) > MAX_TARGET:
        name = "…" + name[-min(MAX_TARGET, len(name) - 2) :]
    return name


def behind(record: Principal) -> tuple[Consumer, ...]:
    """The consumers that hold another secret than the current one."""
    return tuple(known for known in record.consumers if known.serial != record.slots[0].serial)


def on_replaced(record: Principal) -> tuple[Consumer, ...]:
    """The consumers that hold the secret that a rotation replaced and that still works; those with an older one have lost it already."""
    old = record.replaced
    return tuple(known for known in record.consumers if old is not None and known.serial == old.serial)


def held(record: Principal, consumer: Consumer) -> str:
    """Which of *record*'s secrets *consumer* has: ``current``, ``old``, or ``gone`` for one that was retired."""
    return next((role(record, slot) for slot in record.slots if slot.serial == consumer.serial), "gone")


def role(record: Principal, slot: Slot) -> str:
    """``current``, ``next`` (not verified yet, handed to nobody) or ``old`` (replaced, still valid)."""
    return "next" if slot == record.pending else "old" if slot == record.replaced else "current"
