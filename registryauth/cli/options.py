"""Options that several verbs share, said once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from registryauth.cli.groups import Group


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
CheckedRepository = Annotated[
    str, typer.Option("--repository", metavar="PATH", help="Check the right to pull from here, too; for a wildcard HOST/PATH.")
]
Account = Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="Which account, where several are stored.")]
WorkspaceOption = Annotated[
    str, typer.Option("--workspace", metavar="NAME", help="The configured workspace that an image without a registry belongs to.")
]


class Reach(Group):
    """How the registry that a verb asks is to be reached, and as whom."""

    account: Account = ""
    insecure: Insecure = False
    ca_file: CaFile = ""


class Whose(Group):
    """Whose credentials count, where several would do."""

    account: Account = ""
    workspace: WorkspaceOption = ""
    allow_admin_user: Annotated[
        bool, typer.Option("--allow-admin-user", help="Let the admin user of a workspace's registry be used: it may push and delete.")
    ] = False

    def arguments(self) -> dict[str, Any]:
        """What `Session.resolver` is to be called with."""
        return {"account": self.account, "workspace": self.workspace, "allow_admin_user": self.allow_admin_user}


class Access(Whose):
    """The same of the registry of an image, which may be named without it where it is a workspace's."""

    insecure: Insecure = False
    ca_file: CaFile = ""


OutputFile = Annotated[str, typer.Option("--output-file", metavar="FILE", help="Write to FILE, all at once or not at all.")]
MoreTags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="A further tag; may be given several times.")]
AddressArgument = Annotated[str, typer.Argument(metavar="REGISTRY[/PATH]", help="A registry, or a path in it: myregistry.azurecr.io/team")]
ReferenceArgument = Annotated[str, typer.Argument(metavar="REFERENCE", help="An image: myregistry.azurecr.io/myimage:v1")]
RepositoryArgument = Annotated[str, typer.Argument(metavar="REPOSITORY", help="A repository: myregistry.azurecr.io/myimage")]
