"""The report as data, ``--output json``: everything that the page shows, and never a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from registryauth import __version__
from registryauth.principals import Finding, Rights
from registryauth.principals.consumers import held, role
from registryauth.reference import Registry
from registryauth.registries.providers import GENERIC, provider_of
from registryauth.report.attention import Circumstances, Issue, excess, is_never_used, issues, lacking, needed, ordered
from registryauth.report.calendar import calendar
from registryauth.report.moments import stamp
from registryauth.report.words import span_in_words
from registryauth.stores.expiry import outlook, state
from registryauth.stores.principal import Check, Key, Principal

#: Figures that count principals with an issue of a kind.
_COUNTED = {
    "expired": "expired",
    "expiring": "expiring",
    "over_privileged": "over-privileged",
    "never_used": "never-used",
}


def document(
    records: Iterable[Principal],
    used: Callable[[Key], int],
    now: float,
    within: int,
    asked: Mapping[Key, Sequence[Finding]] | None = None,
) -> dict[str, Any]:
    """The report on *records* at *now*; *within* seconds count as soon.

    *used* tells when a record was last used, 0 for never. *asked* holds what registries said just now, None where nobody was
    asked. Figures count principals that are in use; one that is disabled is counted as that alone, and among all.
    """
    records = sorted(records, key=lambda record: (record.address.registry.host, record.address.path, record.account))
    places = Counter(record.address for record in records)
    circumstances = {
        record.key: Circumstances(now, within, used(record.key), (asked or {}).get(record.key, ()), places[record.address] > 1)
        for record in records
    }
    found = ordered(issue for record in records for issue in issues(record, circumstances[record.key]))
    by_key: dict[Key, list[Issue]] = {}
    for issue in found:
        by_key.setdefault(issue.principal.key, []).append(issue)
    return {
        "version": 1,
        "generated_at": stamp(now),
        "generator": f"registryauth {__version__}",
        "asked": asked is not None,
        "expires_within": span_in_words(within),
        "expires_within_seconds": within,
        "figures": _figures(records, found),
        "attention": [_issue(issue) for issue in found],
        "expiries": calendar((r.slot(now).expires_at for r in records if not r.disabled_at and not r.renews_by), now),
        "registries": _registries(records, circumstances, by_key),
    }


def _figures(records: Sequence[Principal], found: Sequence[Issue]) -> dict[str, int]:
    kinds = Counter((issue.kind, issue.principal.key) for issue in found)
    counts = Counter(kind for kind, _ in kinds)
    return {
        "principals": len(records),
        "registries": len({record.address.registry for record in records}),
        **{name: counts[kind] for name, kind in _COUNTED.items()},
        "never_verified": sum(not record.verified_at for record in records if not record.disabled_at),
        "disabled": sum(bool(record.disabled_at) for record in records),
        "kept_secrets": sum(record.replaced is not None for record in records),
    }


def _issue(issue: Issue) -> dict[str, Any]:
    return {
        "what": issue.kind,
        "address": str(issue.principal.address),
        "account": issue.principal.account,
        "owner": issue.principal.owner,
        "detail": issue.detail,
        "next": issue.next,
        "command": issue.command or None,
    }


def _registries(
    records: Sequence[Principal], circumstances: Mapping[Key, Circumstances], by_key: Mapping[Key, Sequence[Issue]]
) -> list[dict[str, Any]]:
    grouped: dict[str, dict[str, Any]] = {}
    for record in records:
        registry = record.address.registry
        entry = grouped.setdefault(registry.host, {"registry": registry.host, "provider": _provider(registry), "principals": []})
        kinds = list(dict.fromkeys(issue.kind for issue in by_key.get(record.key, ())))
        entry["principals"].append(_principal(record, circumstances[record.key]) | {"attention": kinds})
    return list(grouped.values())


def _provider(registry: Registry) -> str | None:
    """Who runs it, None where that is not known."""
    provider = provider_of(registry)
    return None if provider == GENERIC else provider.title


def _principal(record: Principal, known: Circumstances) -> dict[str, Any]:
    """Named one by one, so that nothing that a record comes to hold later is shown unless somebody says so."""
    now, slot = known.now, record.slot(known.now)
    return {
        "address": str(record.address),
        "path": record.address.path or None,
        "account": record.account,
        "kind": record.kind,
        "made_by": record.made_by,
        "tenant": record.tenant,
        "cloud": record.cloud,
        "owner": record.owner,
        "purpose": record.purpose,
        "labels": dict(record.labels),
        "default": record.preferred_at > 0,
        "state": "disabled" if record.disabled_at else state(slot, now, known.within),
        "renews_itself": bool(record.renews_by),
        "expires_at": stamp(slot.expires_at),
        "outlook": outlook(slot.expires_at, now) if slot.expires_at else None,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
        "verified_at": stamp(record.verified_at),
        "last_used_at": stamp(known.used_at),
        "never_used": is_never_used(record, known.used_at, now),
        "disabled_at": stamp(record.disabled_at),
        "needed": list(needed(record)),
        "rights": [_check(record, check) for check in record.checks],
        "secrets": [
            {
                "serial": each.serial,
                "role": role(record, each),
                "added_at": stamp(each.added_at),
                "not_before": stamp(each.not_before),
                "expires_at": stamp(each.expires_at),
                "remove_after": stamp(each.remove_after),
            }
            for each in record.slots
        ],
        "consumers": [
            {
                "target": each.target,
                "format": each.format,
                "serial": each.serial,
                "secret": held(record, each),
                "written_at": stamp(each.written_at),
            }
            for each in record.consumers
        ],
        "answers": [_answer(found) for found in known.findings],
    }


def _check(record: Principal, check: Check) -> dict[str, Any]:
    return {
        "repository": check.repository or None,
        "granted": list(check.granted),
        "refused": list(check.refused),
        "unknown": list(Rights(check.granted, check.refused).unknown),
        "not_needed": list(excess(record, check)),
        "lacking": list(lacking(record, check)),
        "evidence": check.evidence,
        "checked_at": stamp(check.checked_at),
    }


def _answer(found: Finding) -> dict[str, Any]:
    return {
        "repository": found.repository or None,
        "verdict": found.verdict,
        "accepted": found.accepted,
        "detail": found.detail,
        "hint": found.hint,
        "notes": list(found.notes),
        "checked_at": stamp(found.checked_at),
    }
