"""``registryauth setup kubelet``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from registryauth._redact import printable
from registryauth.cli.console import say
from registryauth.cli.session import Session
from registryauth.cli.setup.options import DryRun, Prove, Registries, Undo, named, nothing_stored
from registryauth.setup.kubelet import FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.reference import Address
    from registryauth.setup.change import Change

_ConfigFile = Annotated[str, typer.Option("--config", metavar="FILE", help="The kubelet's CredentialProviderConfig.")]
_BinDir = Annotated[
    str, typer.Option("--bin-dir", metavar="DIR", help="The directory of the kubelet's providers; our program is linked there.")
]
_ServiceAccounts = Annotated[
    bool,
    typer.Option("--service-accounts", help="Let pods whose service account is annotated for Azure pull as an application of their own."),
]


def kubelet(
    registries: Registries = None,
    config: _ConfigFile = FILE,
    bin_dir: _BinDir = "",
    service_accounts: _ServiceAccounts = False,
    undo: Undo = False,
    dry_run: DryRun = False,
    prove: Prove = None,
) -> None:
    """Set up the kubelet's image credential provider. Which images it asks us for, and where our store is."""
    from registryauth.setup import kubelet as target

    session = Session()
    addresses = named(session, registries, wildcard=True)
    if undo:
        # As they were typed: what the kubelet cannot match is not there, and must not stand for all that is.
        taken = target.undo([str(each) for each in addresses], config)
        _write(taken, dry_run=dry_run, done="Took registries out of" if taken.left else "Removed")
        if taken.gone:
            say(f"The kubelet {'would ask' if dry_run else 'asks'} it no more for {', '.join(map(printable, taken.gone))}.")
        if not (dry_run or taken.left) and (path := target.unlink(bin_dir)):
            say(f"Removed {path}.")
        return
    patterns, lost = target.match_images(addresses or _stored(session))
    variables = _variables(session)
    path, leads_to = target.place(bin_dir)
    change = target.plan(patterns, variables, config, service_accounts=service_accounts)
    trusted = [os.path.realpath(path), os.path.dirname(path), *([change.path] if os.path.exists(change.path) else [])]
    for warning in (*lost, *target.permissions(trusted)):
        say(f"warning: {warning}")
    _write(change, dry_run=dry_run, done="Set up")
    if leads_to:
        say(f"{'Would link' if dry_run else 'Linked'} {path} to {leads_to}.")
        if not dry_run:
            target.link(path, leads_to)
    if dry_run:
        return
    say("The kubelet takes it with these flags, and after a restart:")
    say(f"  --image-credential-provider-config={change.path}")
    say(f"  --image-credential-provider-bin-dir={os.path.dirname(path)}")
    say("It runs as root: root must own that file, the program and the store, and nobody else may write to them.")
    if change.needed if prove is None else prove:
        _prove(session, path, variables, addresses)


def _stored(session: Session) -> list[Address]:
    with session.store() as store:
        addresses = [record.address for record in store.list()]
    if not addresses:
        raise nothing_stored()
    return addresses


def _variables(session: Session) -> dict[str, str]:
    from registryauth.config import user_file
    from registryauth.setup.kubelet import variables

    return variables(session.config, session.environ, user_file(session.environ))


def _write(change: Change, *, dry_run: bool, done: str) -> None:
    from registryauth.setup import apply

    for warning in change.warnings:
        say(f"warning: {warning}")
    if dry_run:
        print(change.diff(), end="")
    else:
        apply(change)
    if not change.needed:
        say(f"Nothing to change in {change.path}.")
    elif not dry_run:
        say(f"{done} {', '.join(change.keys)} in {change.path}.")


def _prove(session: Session, program: str, variables: dict[str, str], addresses: list[Address]) -> None:
    """Ask our provider as the kubelet will, for something that is stored; for what the pod's account decides there is no proof here."""
    from registryauth.setup.proof import prove_provider

    with session.store() as store:
        held = [record for record in store.list() if not record.disabled_at and (not addresses or record.address in addresses)]
    if not held:
        say("Nothing is stored for any of them yet: registryauth principal add")
        return
    for line in prove_provider(program, held[0], variables):
        say(line)
