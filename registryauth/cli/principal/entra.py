"""What `principal rotate` and `principal prune` do at Entra, and say of it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from registryauth.azure.rehearsal import Planned
    from registryauth.azure.rotation import EntraIssuer
    from registryauth.cli.session import Session
    from registryauth.principals import Rotation
    from registryauth.stores import Principal, Store


@contextmanager
def entra_issuer(session: Session, *, lifetime: int = 0, expires_at: int = 0, dry_run: bool = False) -> Iterator[EntraIssuer]:
    """Who makes and removes secrets at Entra, as whoever is signed in; nobody is asked before the first use."""
    from registryauth.azure.access import Access
    from registryauth.azure.rotation import EntraIssuer, random_word
    from registryauth.azure.wire import open_wire
    from registryauth.cli.console import insist, say

    open_ = partial(open_wire, session.environ, session.ca_files())
    access = Access(session.config, session.environ, tell=insist, open_=open_, dry_run=dry_run)
    new_word = (lambda: "{random}") if dry_run else random_word
    try:
        yield EntraIssuer(access, lifetime=lifetime, expires_at=expires_at, new_word=new_word, tell=say)
    finally:
        access.close()


def show_plan(issuer: EntraIssuer, record: Principal, keep: int, *, verify: bool) -> None:
    """Print what a rotation of *record* would send, in its order; *issuer* is one for a dry run."""
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import moment, say

    plan = issuer.plan(record)
    waiting = record.pending if record.pending and record.pending.key_id else None
    if waiting:
        say(f"A rotation was cut off: its secret, key {printable(waiting.key_id, 60)}, would be taken up if it is still good; else:")
    issuer.make(record, plan)
    _print(issuer.planned)
    if url := issuer.token_url(record):
        print(f"POST {url}")
        print("  the new secret, until Entra takes it")
    if verify:
        print(f"GET https://{record.address.registry.host}/v2/")
        print("  the new secret, at the token server that it names")
    if plan.current.key_id:
        before = len(issuer.planned)
        issuer.remove(record, plan.current)
        _print(issuer.planned[before:], f", by 'principal prune' from {moment(int(time.time()) + keep)} on")
    say(f"Nothing was changed: a secret would be added to the {plan.holder.kind} {printable(plan.holder.name, 80)}.")
    if not plan.current.key_id:
        say(_UNKNOWN)


def _print(planned: Sequence[Planned], when: str = "") -> None:
    import json

    for each in planned:
        print(f"{each.method} {each.url}")
        print(f"  {json.dumps(each.body)}{when}")


_UNKNOWN = (
    "Which of the application's secrets is the one that is replaced cannot be told, so 'principal prune' will not remove it at Entra."
)


def say_what_is_left(session: Session, store: Store, done: Rotation, *, made_here: bool) -> None:
    """Tell of what a rotation does not see to: a key at Entra that nobody will remove, other holders of the secret that it replaced."""
    from registryauth._redact import printable
    from registryauth.cli.console import moment, say

    record, old = done.principal, done.principal.replaced
    if done.given_up:
        say(f"The secret that made room for it stays good at its issuer: key {printable(done.given_up, 60)}.")
    if not made_here or old is None:
        return
    if expires_at := record.slots[0].expires_at:
        say(f"Secret {record.slots[0].serial} expires {moment(expires_at)}.")
    if not old.key_id:
        say(_UNKNOWN)
    if session.environ.get("AZURE_CLIENT_SECRET") == old.secret:
        say("warning: AZURE_CLIENT_SECRET is the secret that was replaced; whoever sets it needs the new one")
    others = [
        other
        for other in (store.list() if store.enumerable else ())
        if other.key != record.key and other.slots and other.slots[0].secret == old.secret
    ]
    if others:
        say("The secret that was replaced is still in use in other records, and stays good at Entra until they are rotated, too:")
    for other in others:
        say(f"  registryauth principal rotate {other.address} --source entra --account {printable(other.account, 80)}")
