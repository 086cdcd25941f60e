"""Arguments that the verbs of ``setup`` share."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.session import Session
from registryauth.errors import CredentialNotFound
from registryauth.reference import Address

Registries = Annotated[
    list[str] | None, typer.Argument(metavar="[REGISTRY]...", help="Which registries; all that are stored if none is named.")
]
Undo = Annotated[bool, typer.Option("--undo", help="Take our entries back.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, secrets blotted out, and change nothing.")]
Prove = Annotated[
    bool | None,
    typer.Option(
        "--prove/--no-prove",
        help="Ask as the client will ask, and see that it gets the answer; done after each change.",
        show_default=False,
    ),
]


def nothing_stored() -> CredentialNotFound:
    """Neither a registry was named nor is one stored."""
    return CredentialNotFound("no registry is stored yet", hint="log in first, or name the registries")


def named(session: Session, registries: list[str] | None, *, wildcard: bool = False) -> list[Address]:
    """The addresses that were typed."""
    return [session.address(text, wildcard=wildcard) for text in registries or ()]
