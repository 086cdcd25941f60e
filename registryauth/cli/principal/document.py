"""A principal as the verbs print it: everything known, never a secret."""

from __future__ import annotations

from typing import Any

from registryauth.cli.console import moment
from registryauth.cli.principal.listing import plain
from registryauth.principals.consumers import held, role
from registryauth.stores.principal import Check, Consumer, Principal, Slot


def document(record: Principal, now: float, last_used: int = 0) -> dict[str, Any]:
    """*record* for programs: what `principal list` says of it, and more of its secrets and who has them."""
    said = plain(record, now, last_used)
    roles = [{"role": role(record, slot), "usable": slot != record.pending and slot.is_due(now)} for slot in record.slots]
    return said | {
        "default": record.preferred_at > 0,
        "secrets": [known | more for known, more in zip(said["secrets"], roles, strict=True)],
        "consumers": [consumer_document(record, consumer) for consumer in record.consumers],
    }


def consumer_document(record: Principal, consumer: Consumer) -> dict[str, Any]:
    """*consumer* of *record* for programs."""
    return {
        "target": consumer.target,
        "format": consumer.format,
        "serial": consumer.serial,
        "secret": held(record, consumer),
        "written_at": moment(consumer.written_at) or None,
    }


def described(record: Principal, now: float, last_used: int = 0) -> list[tuple[str, str]]:
    """*record* for people: what, and its value; what nobody said is left out."""
    default = " (the default there)" if record.preferred_at else ""
    rows = [
        ("account", f"{record.account}{default}"),
        ("registry", str(record.address)),
        ("kind", f"{record.kind}, made by {record.made_by}"),
        ("disabled", f"since {moment(record.disabled_at)}" if record.disabled_at else ""),
        ("tenant", record.tenant),
        ("cloud", record.cloud),
        ("owner", record.owner),
        ("purpose", record.purpose),
        ("labels", ", ".join(f"{name}={value}" for name, value in record.labels)),
        ("needs", ", ".join(record.needed)),
        ("token server", record.realm),
        ("plain http", "allowed" if record.insecure else ""),
        ("created", moment(record.created_at)),
        ("updated", moment(record.updated_at)),
        ("verified", moment(record.verified_at) or "never"),
        ("last used", moment(last_used)),
        *((f"secret {slot.serial}", _dates(record, slot, now)) for slot in record.slots),
        *((f"checked {check.repository or 'registry'}", _rights(check)) for check in record.checks),
        *(("consumer", consumer_line(record, consumer)) for consumer in record.consumers),
    ]
    return [(name, value) for name, value in rows if value]


def consumer_line(record: Principal, consumer: Consumer) -> str:
    """``/srv/config.json (docker-config), secret 1 (old), written 2027-05-01T…``."""
    which = f"secret {consumer.serial} ({held(record, consumer)})"
    return f"{consumer.target} ({consumer.format}), {which}, written {moment(consumer.written_at)}"


def _dates(record: Principal, slot: Slot, now: float) -> str:
    expired = slot.expires_at and slot.expires_at <= now
    said = [
        role(record, slot),
        f"since {moment(slot.added_at)}" if slot.added_at else "",
        f"not before {moment(slot.not_before)}" if slot.not_before else "",
        f"expire{'d' if expired else 's'} {moment(slot.expires_at)}" if slot.expires_at else "",
        f"may be removed from {moment(slot.remove_after)}" if slot.remove_after else "",
        f"key {slot.key_id}" if slot.key_id else "",
    ]
    return ", ".join(filter(None, said))


def _rights(check: Check) -> str:
    may = f"may {', '.join(check.granted)}" if check.granted else ""
    may_not = f"may not {', '.join(check.refused)}" if check.refused else ""
    return "; ".join(filter(None, (may, may_not, check.evidence, moment(check.checked_at))))
