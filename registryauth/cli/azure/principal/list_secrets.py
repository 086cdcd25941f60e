"""``registryauth azure principal list-secrets``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.azure.principal.reach import Reach
from registryauth.cli.options import Account, Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.azure.graph import ClientSecret, DirectoryObject
    from registryauth.cli.session import Session
    from registryauth.principals.entra_secrets import Match
    from registryauth.stores import Principal, Store


def list_secrets(
    principal: Annotated[str, typer.Argument(metavar="APP_ID|REGISTRY", help="A client id, or where one is stored: myregistry.azurecr.io")],
    reach: Reach,
    account: Account = "",
    update: Annotated[bool, typer.Option("--update", help="Write expiry and key id into our records where it is certain.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --update: say what would be written, and write nothing.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List its secrets at Entra, and which of those are here.

    A stored secret is told by its key id, else by its first three characters; where several begin alike, nothing is guessed.
    """
    import time

    from registryauth.azure.clouds import cloud_of
    from registryauth.azure.entra_errors import GUID
    from registryauth.cli.azure.principal.reach import reached
    from registryauth.cli.console import show
    from registryauth.cli.session import Session
    from registryauth.principals.entra_secrets import match
    from registryauth.principals.entra_secrets import update as written

    if dry_run and not update:
        raise Misuse("--dry-run goes with --update: without that nothing is written")
    is_id = _matches(GUID, principal)
    if is_id and account:
        raise Misuse("--account is for a REGISTRY: a client id says which account")
    session = Session(ca_file=reach.ca_file)
    with session.store() as store:
        named = None if is_id else _stored(session, store, principal, account)
        app_id = named.account.lower() if named else principal.strip().lower()
        records = [record for record in store.list() if record.account.lower() == app_id] if store.enumerable else [named] if named else []
        known = named or next((record for record in records if record.tenant), None)
        # What is stored says where it is.
        cloud = cloud_of(known.address.registry) if known else None
        with reached(session, reach, dry_run=True, cloud=cloud.name if cloud else "", tenant=known.tenant if known else "") as azure:
            holders = azure.graph.holders(app_id)
        if not holders:
            raise _nobody(app_id)
        matches = match(records, holders)
        if update and not dry_run:
            written(store, matches, time.time())
    show(output, _document(app_id, holders, matches), _COLUMNS, _rows(holders, matches, time.time()))
    _tell(holders, matches, update=update, dry_run=dry_run)


_COLUMNS = ("KEY ID", "HINT", "NAME", "START", "END", "HELD BY", "STORED HERE")


def _matches(pattern: str, text: str) -> bool:
    import re

    return bool(re.fullmatch(pattern, text.strip()))


def _stored(session: Session, store: Store, text: str, account: str) -> Principal:
    from registryauth._redact import printable
    from registryauth.azure.entra_errors import GUID
    from registryauth.errors import ConfigurationError
    from registryauth.principals import find

    found = find(store, session.address(text, wildcard=True), account)
    if not _matches(GUID, found.account):
        raise ConfigurationError(
            f"{printable(found.account, 80)} at {found.address} is no service principal: its name is no client id",
            hint="only Entra's own secrets are listed; name the account with --account, or give a client id",
        )
    return found


def _nobody(app_id: str) -> Exception:
    from registryauth.errors import AzureError

    return AzureError(
        f"the tenant has no application {app_id}", status=404, hint="a client id, not an object id; of this tenant? (--tenant)"
    )


def _where(found: Match) -> str:
    return f"{found.key.address} secret {found.slot.serial or '?'}"


def _ours(known: ClientSecret, matches: Sequence[Match]) -> str:
    """Which stored secret that is, in words."""
    said = [f"{_where(each)} (by {each.by})" if each.only else f"{_where(each)}? (ambiguous)" for each in matches if known in each.found]
    return ", ".join(said)


def _rows(holders: Sequence[DirectoryObject], matches: Sequence[Match], now: float) -> list[tuple[str, ...]]:
    from registryauth.cli.console import moment

    return [
        (
            known.key_id,
            known.hint,
            known.name,
            moment(known.starts_at),
            moment(known.expires_at) + (" (over)" if 0 < known.expires_at <= now else ""),
            holder.kind,
            _ours(known, matches),
        )
        for holder in holders
        for known in holder.secrets
    ]


def _document(app_id: str, holders: Sequence[DirectoryObject], matches: Sequence[Match]) -> dict[str, Any]:
    from registryauth.cli.console import moment

    secrets = [
        {
            "key_id": known.key_id,
            "hint": known.hint or None,
            "name": known.name or None,
            "starts_at": moment(known.starts_at) or None,
            "expires_at": moment(known.expires_at) or None,
            "held_by": holder.kind,
            "stored": [
                {"address": str(each.key.address), "serial": each.slot.serial, "by": each.by, "certain": each.only is not None}
                for each in matches
                if known in each.found
            ],
        }
        for holder in holders
        for known in holder.secrets
    ]
    unknown = [{"address": str(each.key.address), "serial": each.slot.serial} for each in matches if not each.found]
    return {"version": 1, "app_id": app_id, "name": holders[0].name, "secrets": secrets, "stored_and_not_listed": unknown}


def _tell(holders: Sequence[DirectoryObject], matches: Sequence[Match], *, update: bool, dry_run: bool) -> None:
    """What the table does not say."""
    from registryauth.cli.console import moment, say

    if len(holders) == 1:
        say(f"note: the tenant has only its {holders[0].kind}; what the other object holds, if it is elsewhere, is not listed")
    for found in matches:
        if not found.found:
            say(f"warning: {_where(found)} is none of these: it was removed at Entra, or is not its secret")
        elif not found.only:
            say(f"warning: {_where(found)} may be any of {len(found.found)} that begin alike; nothing is written of it")
        elif found.news:
            what = ", ".join(
                f"{name.replace('_', ' ')} {value if isinstance(value, str) else moment(value)}" for name, value in found.news.items()
            )
            if not update:
                say(f"Entra knows more of {_where(found)}: {what}; --update writes it here.")
            else:
                say(f"{'Would write' if dry_run else 'Wrote'} of {_where(found)}: {what}.")
        elif update:
            say(f"Of {_where(found)} everything is known here already.")


app = single(list_secrets)
