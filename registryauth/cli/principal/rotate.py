"""``registryauth principal rotate``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.groups import Group
from registryauth.cli.options import Account, AddressArgument, CaFile, CheckedRepository, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.principals import Rotation

#: Where a next secret can come from.
SOURCES = ("stdin", "prompt", "entra")

#: Seconds that a secret may live which is made here.
_SHORTEST, _LONGEST = 86400, 3660 * 86400


class _Dates(Group):
    """Until when each of the two secrets is good."""

    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="When the next secret dies: 2027-05-01, or 90d from now.")] = ""
    lifetime: Annotated[
        str, typer.Option("--lifetime", metavar="SPAN", help="For entra: how long the next secret lives; unless said as long as the last.")
    ] = ""
    keep_old: Annotated[str, typer.Option("--keep-old", metavar="SPAN", help="For how long the old secret stays valid here.")] = "7d"


def rotate(
    registry: AddressArgument,
    account: Account = "",
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the next secret from standard input.")] = False,
    source: Annotated[
        str, typer.Option("--source", metavar="SOURCE", help="Where the next one is from: stdin, prompt, or entra, which makes it.")
    ] = "",
    dates: _Dates = _Dates(),
    repository: CheckedRepository = "",
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not ask the registry whether it takes the next secret.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Give up the secret that is still kept from the rotation before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="For entra: show what would be sent, and change nothing.")] = False,
    ca_file: CaFile = "",
) -> None:
    """Make a new secret the current one, once the registry took it. The old one stays valid for a while.

    Nothing changes unless the registry takes the new one. What is cut off half way leaves the old one in use, and is given again.
    With --source entra the secret is made at Microsoft Entra by whoever is signed in there, beside those that the application has.
    """
    import time
    from contextlib import nullcontext

    from registryauth.cli.enroll import asked_host, confirm_realm, inside
    from registryauth.cli.principal.entra import entra_issuer, say_what_is_left, show_plan
    from registryauth.cli.secrets import next_secret
    from registryauth.cli.session import Session
    from registryauth.config.values import span
    from registryauth.principals import find
    from registryauth.principals import rotate as rotated
    from registryauth.principals.dates import parse_moment
    from registryauth.principals.rotate import refuse_crowded
    from registryauth.stores.principal import Slot

    origin = _origin(source, secret_stdin=secret_stdin, lifetime=dates.lifetime, expires=dates.expires, dry_run=dry_run)
    keep, lived, expires_at = span(dates.keep_old), _lifetime(dates.lifetime), parse_moment(dates.expires, time.time())
    session = Session(ca_file=ca_file)
    address = session.address(registry, wildcard=True)
    place = inside(session, address, repository) if repository else None
    made = entra_issuer(session, lifetime=lived, expires_at=expires_at, dry_run=dry_run) if origin == "entra" else nullcontext()
    with session.store() as store, made as issuer:
        before = find(store, address, account)
        if origin != "stdin":
            # Before a person types one in vain; a script that repeats itself is told that it was done.
            refuse_crowded(before, time.time(), force=force)
        if issuer and dry_run:
            show_plan(issuer, before, keep, verify=not no_verify)
            return
        host = asked_host(address, place)
        done = rotated(
            store,
            before.key,
            issuer.issue if issuer else lambda _: Slot(next_secret(origin), expires_at=expires_at),
            None if no_verify else lambda credentials: session.client(credentials, host),
            keep_old=keep,
            repository=place,
            force=force,
            confirm=confirm_realm,
            issuer=issuer,
        )
        _tell(done)
        say_what_is_left(session, store, done, made_here=issuer is not None)


def _origin(source: str, *, secret_stdin: bool, lifetime: str, expires: str, dry_run: bool) -> str:
    """Where the next secret comes from; raise a usage error for options that do not go together."""
    if source not in ("", *SOURCES) or (secret_stdin and source not in ("", "stdin")):
        raise Misuse(f"--source is {', '.join(SOURCES[:-1])} or {SOURCES[-1]}, and --secret-stdin is the first of them")
    if source != "entra" and (lifetime or dry_run):
        raise Misuse(f"{'--lifetime' if lifetime else '--dry-run'} is for a secret that is made here: --source entra")
    if lifetime and expires:
        raise Misuse("--lifetime and --expires both say when the next secret dies: choose one")
    return "stdin" if secret_stdin else source or "prompt"


def _lifetime(text: str) -> int:
    """Seconds; 0 where nothing was said. Entra takes what is far off, and a secret of minutes would be dead before it is used."""
    from registryauth.config.values import span

    seconds = span(text) if text else 0
    if text and not _SHORTEST <= seconds <= _LONGEST:
        raise Misuse("--lifetime is a day at least and ten years at most: 90d, 26w")
    return seconds


def _tell(done: Rotation) -> None:
    from registryauth._redact import printable
    from registryauth.cli.console import moment, say
    from registryauth.cli.principal.document import consumer_line

    record, old = done.principal, done.principal.replaced
    name, current = printable(str(record.key)), record.slots[0]
    if done.resumed:
        say("An earlier rotation had been cut off before its end; its secret was never used.")
    if done.already:
        say(f"That secret is current for {name} already, since {moment(current.added_at)}; nothing was changed.")
    else:
        how = "verified" if done.verification and done.verification.verified else "unverified"
        why = done.verification.detail if done.verification else "the registry was not asked (--no-verify)"
        say(f"Rotated {name}: secret {current.serial} is current, {how}; {why}.")
    if record.disabled_at:
        say(f"It is disabled and handed to nobody, until 'registryauth principal enable {record.address}'.")
    if old:
        command = f"registryauth principal prune {record.address}"
        say(f"Secret {old.serial} stays valid here until it is removed, from {moment(old.remove_after)} on: {command}")
    if done.behind:
        consumers = "1 consumer still has" if len(done.behind) == 1 else f"{len(done.behind)} consumers still have"
        say(f"{consumers} an older secret:")
    for consumer in done.behind:
        say(f"  {printable(consumer_line(record, consumer), 700)}")


app = single(rotate)
