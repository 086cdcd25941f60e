"""``registryauth tag``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Access, Output, OutputOption, ReferenceArgument, RepositoryArgument

app = group("List and delete tags.")


@app.command("list")
def list_(
    repository: RepositoryArgument,
    last: Annotated[str, typer.Option("--last", metavar="TAG", help="Begin after this tag.")] = "",
    output: OutputOption = Output.TABLE,
    *,
    access: Access,
) -> None:
    """List the tags of a repository, all pages of them."""
    from registryauth.cli.console import show
    from registryauth.cli.fetch import in_repository

    with in_repository(repository, access) as client:
        tags = list(client.tags(last=last))
    show(output, {"version": 1, "repository": str(client.repository), "tags": tags}, ("TAG",), [(tag,) for tag in tags])


@app.command()
def delete(reference: ReferenceArgument, *, access: Access) -> None:
    """Delete a tag; the manifest it names stays. Not every registry offers this."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching
    from registryauth.cli.options import Misuse

    with fetching(reference, access) as (parsed, repository):
        if parsed.digest or not parsed.tag or f":{parsed.tag}" not in reference:
            raise Misuse("a tag is deleted by its name, written out: REPOSITORY:TAG")
        repository.delete_manifest(parsed.tag)
    say(f"Deleted the tag {parsed}.")
