"""``registryauth logout``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.cli.session import Session
    from registryauth.reference import Address


def logout(
    registry: Annotated[str, typer.Argument(metavar="[REGISTRY[/PATH]]", help="A registry, or a path in it; left out with --all.")] = "",
    account: Account = "",
    everything: Annotated[bool, typer.Option("--all", help="Remove whatever a login stored; what an admin registered stays.")] = False,
) -> None:
    """Remove what is stored for a registry, or for a path in it. Exit status 3 if there was nothing."""
    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.errors import CredentialNotFound
    from registryauth.principals import forget

    if bool(registry) == everything or (everything and account):
        raise Misuse("name a registry, or say --all alone")
    session = Session()
    if everything:
        _logout_everywhere(session)
        return
    address = session.address(registry, wildcard=True)
    try:
        with session.store() as store:
            for record in forget(store, address, account or None):
                say(f"Removing login credentials for {record.address}: {printable(record.account)}")
    except CredentialNotFound:
        # That is when a person wonders who it is that still has one.
        _warn_of_leftover(session, address)
        raise
    _warn_of_leftover(session, address)


def _logout_everywhere(session: Session) -> None:
    from registryauth._redact import printable
    from registryauth.cli.console import say

    with session.store() as store:
        records = store.list()
        for record in records:
            if record.made_by != "admin" and store.delete(record.key):
                say(f"Removing login credentials for {record.address}: {printable(record.account)}")
    kept = sum(record.made_by == "admin" for record in records)
    if kept == len(records):
        say("There was no login to remove.")
    if kept:
        say(f"{kept} that an admin registered stay{'s' if kept == 1 else ''}: 'registryauth principal remove' removes them.")


def _warn_of_leftover(session: Session, address: Address) -> None:
    """Say so where a credential for *address* is still to be had."""
    from registryauth.cli.console import say
    from registryauth.errors import Error
    from registryauth.reference import Repository
    from registryauth.resolver import Found

    if address.is_wildcard:
        return
    with session.resolver() as resolver:
        try:
            answers = resolver.answers(Repository(address.registry, address.path))
        except Error as error:
            say(f"warning: whether another source still has a credential for it cannot be told: {error}")
            return
    if answers and isinstance(answers[-1], Found) and answers[-1].source != "public registries":
        say(f"warning: {answers[-1].source} still has a credential for it: {answers[-1].detail}")


app = single(logout)
