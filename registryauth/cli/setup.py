"""``registryauth setup``."""

from __future__ import annotations

from types import ModuleType
from typing import Annotated

import typer

from registryauth.cli.app import group

app = group("Let docker, or podman, buildah and skopeo, ask registryauth for credentials.")

_Registries = Annotated[
    list[str] | None, typer.Argument(metavar="[REGISTRY]...", help="Which registries; all that are stored if none is named.")
]
_Undo = Annotated[bool, typer.Option("--undo", help="Take our entries back.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, secrets blotted out, and change nothing.")]


@app.command()
def docker(registries: _Registries = None, undo: _Undo = False, dry_run: _DryRun = False) -> None:
    """Set up docker: an entry under credHelpers for each registry, everything else in the file kept."""
    from registryauth.setup import docker as target

    _change(target, registries, undo=undo, dry_run=dry_run)


@app.command()
def containers(registries: _Registries = None, undo: _Undo = False, dry_run: _DryRun = False) -> None:
    """Set up podman, buildah and skopeo: an entry under credHelpers for each registry, everything else in the file kept."""
    from registryauth.setup import containers as target

    _change(target, registries, undo=undo, dry_run=dry_run)


def _change(target: ModuleType, registries: list[str] | None, *, undo: bool, dry_run: bool) -> None:
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.errors import CredentialNotFound
    from registryauth.setup import apply

    session = Session()
    addresses = [session.address(text) for text in registries or ()]
    if not addresses and not undo:
        with session.store() as store:
            addresses = [record.address for record in store.list() if not record.address.path]
        if not addresses:
            raise CredentialNotFound("no registry is stored yet", hint="log in first, or name the registries")
    change = (target.undo if undo else target.plan)(addresses, session.environ)
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
