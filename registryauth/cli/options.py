"""Options that several verbs share, said once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Misuse(typer.BadParameter):
    """The command line makes no sense: exit status 2, said in our own words alone."""

    def format_message(self) -> str:
        """The message."""
        return self.message


class Output(StrEnum):
    """How a reading verb prints."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print. Secrets are in none of these.")]
CaFile = Annotated[str, typer.Option("--ca-file", metavar="FILE", help="PEM file of authorities to trust beside the system's.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Allow plain http for this registry. Certificates are still checked.")]
Account = Annotated[str, typer.Option("--account", help="Which account, where several are stored.")]
OutputFile = Annotated[str, typer.Option("--output-file", metavar="FILE", help="Write to FILE, all at once or not at all.")]
AddressArgument = Annotated[str, typer.Argument(metavar="REGISTRY[/PATH]", help="A registry, or a path in it: myregistry.azurecr.io/team")]
ReferenceArgument = Annotated[str, typer.Argument(metavar="REFERENCE", help="An image: myregistry.azurecr.io/myimage:v1")]
RepositoryArgument = Annotated[str, typer.Argument(metavar="REPOSITORY", help="A repository: myregistry.azurecr.io/myimage")]
