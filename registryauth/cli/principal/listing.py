"""``registryauth principal list``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Misuse, Output, OutputOption

SORTS = ("address", "expires")


def list_(
    expiring: Annotated[str, typer.Option("--expiring", metavar="SPAN", help="Only what expires within 30d, 12h or 2w, or has.")] = "",
    registry: Annotated[str, typer.Option("--registry", metavar="REGISTRY[/PATH]", help="Only what is for it, or a path in it.")] = "",
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Only this kind, as service-principal or robot.")] = "",
    owner: Annotated[str, typer.Option("--owner", metavar="OWNER", help="Only what this owner answers for.")] = "",
    label: Annotated[list[str] | None, typer.Option("--label", metavar="NAME[=VALUE]", help="Only what has this label.")] = None,
    sort: Annotated[str, typer.Option("--sort", metavar="ORDER", help="By address, or expires: what dies first is first.")] = "address",
    output: OutputOption = Output.TABLE,
) -> None:
    """List what is registered, with dates and owners. --output json has everything that is known of each.

    With --expiring, exit status 7 if there is one, so that cron can tell.
    """
    import time

    from registryauth.cli.console import said, say, show
    from registryauth.cli.session import Session
    from registryauth.config.values import span
    from registryauth.stores.last_used import LastUsed
    from registryauth.stores.principal import KINDS

    if sort not in SORTS:
        raise Misuse(f"--sort is one of {', '.join(SORTS)}")
    if kind and kind not in KINDS:
        raise Misuse(f"--kind is one of {', '.join(KINDS)}")
    session, now = Session(), time.time()
    within = span(expiring) if expiring else None
    place = session.address(registry, wildcard=True) if registry else None
    with session.store() as store:
        records = [record for record in store.list() if _is_wanted(record, place, kind, owner, label or ())]
    if within is not None:
        records = [record for record in records if _is_ending(record, now, within)]
    if sort == "expires":
        records.sort(key=lambda record: record.slot(now).expires_at or float("inf"))
    used, warned = LastUsed.at_home(session.environ), _warned(session.config)
    data = {"version": 1, "principals": [plain(record, now, used.when(record.key)) for record in records]}
    rows = [_row(record, now, warned if within is None else within) for record in records]
    if records or within is None or output is not Output.TABLE:
        show(output, data, *said(_COLUMNS, rows, optional=("OWNER", "STATE")))
    if within is not None and not records:
        say(f"nothing expires within {expiring}")
    raise typer.Exit(7 if within is not None and records else 0)


_COLUMNS = ("REGISTRY", "ACCOUNT", "OWNER", "EXPIRES", "VERIFIED", "STATE")


def _row(record: Any, now: float, within: int | None) -> tuple[str, ...]:  # noqa: ANN401 - Principal, imported when it is needed
    from registryauth.cli.console import moment
    from registryauth.stores.expiry import state

    slot = record.slot(now)
    said = "disabled" if record.disabled_at else state(slot, now, within)
    return (
        str(record.address),
        record.account,
        record.owner,
        moment(slot.expires_at)[:10],
        moment(record.verified_at)[:10] or "never",
        "" if said == "ok" else said,
    )


def plain(record: Any, now: float, used_at: int = 0) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Everything that is known of *record* but its secrets, as JSON shows it; the dates at the top are its current secret's."""
    from registryauth.cli.console import moment

    current = record.slot(now)
    return {
        "address": str(record.address),
        "account": record.account,
        "kind": record.kind,
        "made_by": record.made_by,
        "tenant": record.tenant,
        "cloud": record.cloud,
        "owner": record.owner,
        "purpose": record.purpose,
        "labels": dict(record.labels),
        "realm": record.realm,
        "insecure": record.insecure,
        "disabled": bool(record.disabled_at),
        "disabled_at": moment(record.disabled_at) or None,
        "created_at": moment(record.created_at) or None,
        "updated_at": moment(record.updated_at) or None,
        "verified_at": moment(record.verified_at) or None,
        "last_used_at": moment(used_at) or None,
        "expires_at": moment(current.expires_at) or None,
        "needed": list(record.needed),
        "rights": [
            {
                "repository": check.repository or None,
                "granted": list(check.granted),
                "refused": list(check.refused),
                "evidence": check.evidence,
                "checked_at": moment(check.checked_at) or None,
            }
            for check in record.checks
        ],
        "secrets": [
            {
                "current": slot == current,
                "serial": slot.serial,
                "key_id": slot.key_id or None,
                "added_at": moment(slot.added_at) or None,
                "not_before": moment(slot.not_before) or None,
                "expires_at": moment(slot.expires_at) or None,
                "remove_after": moment(slot.remove_after) or None,
            }
            for slot in record.slots
        ],
        "revision": record.revision,
    }


def _warned(config: Any) -> int | None:  # noqa: ANN401 - Config, as above
    from registryauth.stores.expiry import warning_span

    return warning_span(config)


def _is_wanted(record: Any, place: Any, kind: str, owner: str, labels: Any) -> bool:  # noqa: ANN401 - as above
    has = dict(record.labels)
    named = [label.partition("=") for label in labels]
    return (
        (place is None or _is_in(record.address, place))
        and kind in ("", record.kind)
        and owner in ("", record.owner)
        and all(name in has and (not equals or has[name] == value) for name, equals, value in named)
    )


def _is_in(address: Any, place: Any) -> bool:  # noqa: ANN401 - Address twice, as above
    """Whether *address* is *place* or a path of whole segments in it."""
    return address.registry == place.registry and (not place.path or f"{address.path}/".startswith(f"{place.path}/"))


def _is_ending(record: Any, now: float, within: int) -> bool:  # noqa: ANN401 - as above
    """Whether the current secret of one that is in use dies in time: nobody minds one that is disabled or renews itself."""
    from registryauth.stores.expiry import ends_within

    return not record.disabled_at and not record.renews_by and ends_within(record.slot(now).expires_at, now, within)


app = single(list_)
