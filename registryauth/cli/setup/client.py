"""``registryauth setup docker``, and so on for each client that has a configuration file of its own."""

from __future__ import annotations

from collections.abc import Callable

from registryauth.cli.console import say
from registryauth.cli.session import Session
from registryauth.cli.setup.options import DryRun, Prove, Registries, Undo, named, nothing_stored
from registryauth.reference import Address
from registryauth.setup.clients import Client


def verb(client: Client) -> Callable[..., None]:
    """The verb that sets *client* up."""

    def set_up(registries: Registries = None, undo: Undo = False, dry_run: DryRun = False, prove: Prove = None) -> None:
        _set_up(client, registries, undo=undo, dry_run=dry_run, prove=prove)

    set_up.__doc__ = (
        f"Let {_titled(client)} ask registryauth.\n\nAn entry under credHelpers for each registry, everything else in {client.file} kept."
    )
    return set_up


def _titled(client: Client) -> str:
    return "podman, buildah and skopeo" if client.name == "containers" else client.name


def _set_up(client: Client, registries: list[str] | None, *, undo: bool, dry_run: bool, prove: bool | None) -> None:
    from registryauth.setup import apply

    session = Session()
    addresses = named(session, registries)
    if not addresses and not undo:
        addresses = _stored(session)
    change = (client.undo if undo else client.plan)(addresses, session.environ)
    for warning in change.warnings:
        say(f"warning: {warning}")
    if dry_run:
        print(change.diff(), end="")
        if not change.needed:
            say(f"Nothing to change in {change.path}.")
        return
    apply(change)
    done = "Removed" if undo else "Set up"
    say(f"{done} {', '.join(change.keys)} in {change.path}." if change.needed else f"Nothing to change in {change.path}.")
    if not undo and (change.needed if prove is None else prove):
        _prove(client, session, dict(zip(change.keys, _distinct(addresses), strict=True)))


def _stored(session: Session) -> list[Address]:
    """Every registry that is stored as a whole; a helper is named by host, so that a wildcard stands for none."""
    with session.store() as store:
        addresses = [record.address for record in store.list() if not record.address.path and not record.address.is_wildcard]
    if not addresses:
        raise nothing_stored()
    return addresses


def _distinct(addresses: list[Address]) -> list[Address]:
    """The registry of each, once, in their order: what a change has a key for."""
    return [Address(registry) for registry in dict.fromkeys(address.registry for address in addresses)]


def _prove(client: Client, session: Session, servers: dict[str, Address]) -> None:
    """Say what works for each of *servers*; raise for the first for which something does not, that ought to."""
    from registryauth.setup.proof import prove
    from registryauth.stores.choice import choose

    with session.store() as store:
        accounts = {
            server: choose(store, address, session.config.registry(address.registry.host).account or None).record
            for server, address in servers.items()
        }
    for server, record in accounts.items():
        if record is None:
            say(f"Nothing is stored for {server} as a whole yet: registryauth login {servers[server]}")
            continue
        for line in prove(client, server, record.account, session.environ):
            say(line)
