"""``registryauth principal rotate``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument, CaFile, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.principals import Rotation

#: Where a next secret can come from.
_SOURCES = ("stdin", "prompt")


def rotate(
    registry: AddressArgument,
    account: Account = "",
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the next secret from standard input.")] = False,
    source: Annotated[str, typer.Option("--source", help="Where the next secret comes from: stdin or prompt.")] = "",
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="When the next secret dies: 2027-05-01, or 90d from now.")] = "",
    keep_old: Annotated[str, typer.Option("--keep-old", metavar="SPAN", help="For how long the old secret stays valid here.")] = "7d",
    repository: Annotated[
        str,
        typer.Option("--repository", metavar="PATH", help="Check the right to pull from here, too; for a wildcard HOST/PATH."),
    ] = "",
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not ask the registry whether it takes the next secret.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Give up the secret that is still kept from the rotation before.")] = False,
    ca_file: CaFile = "",
) -> None:
    """Make a new secret the current one, once the registry took it; the old one stays valid for a while.

    Nothing changes unless the registry takes the new one. What is cut off half way leaves the old one in use, and is given again.
    """
    import time

    from registryauth.cli.enroll import asked_host, confirm_realm, inside
    from registryauth.cli.secrets import next_secret
    from registryauth.cli.session import Session
    from registryauth.config.values import span
    from registryauth.principals import find
    from registryauth.principals import rotate as rotated
    from registryauth.principals.dates import parse_moment
    from registryauth.principals.rotate import refuse_crowded
    from registryauth.stores.principal import Slot

    if source not in ("", *_SOURCES) or (secret_stdin and source == "prompt"):
        raise Misuse(f"--source is {' or '.join(_SOURCES)}, and --secret-stdin is the first of them")
    keep, expires_at = span(keep_old), parse_moment(expires, time.time())
    session = Session(ca_file=ca_file)
    address = session.address(registry, wildcard=True)
    place = inside(session, address, repository) if repository else None
    origin = "stdin" if secret_stdin else source or "prompt"
    with session.store() as store:
        record = find(store, address, account)
        if origin == "prompt":
            # Before a person types one in vain; a script that repeats itself is told that it was done.
            refuse_crowded(record, time.time(), force=force)
        host = asked_host(address, place)
        done = rotated(
            store,
            record.key,
            lambda _: Slot(next_secret(origin), expires_at=expires_at),
            None if no_verify else lambda credentials: session.client(credentials, host),
            keep_old=keep,
            repository=place,
            force=force,
            confirm=confirm_realm,
        )
    _tell(done)


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
