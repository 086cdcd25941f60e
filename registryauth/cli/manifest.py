"""``registryauth manifest``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Account, CaFile, Insecure, Output, OutputFile, OutputOption, ReferenceArgument

app = group("Fetch manifests.")


@app.command()
def get(
    reference: ReferenceArgument,
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="Follow an index to this platform's image.")] = "",
    output_file: OutputFile = "",
    account: Account = "",
    insecure: Insecure = False,
    ca_file: CaFile = "",
) -> None:
    """Fetch a manifest or index, verify it, and write it byte for byte."""
    import sys

    from registryauth.cli.fetch import fetching

    with fetching(reference, account=account, insecure=insecure, ca_file=ca_file) as (parsed, repository):
        found = repository.manifest(parsed.target, platform=platform or None)
    if output_file:
        from registryauth.content.verify import write

        write(output_file, found.raw)
    else:
        sys.stdout.buffer.write(found.raw)
        sys.stdout.buffer.flush()


@app.command()
def head(
    reference: ReferenceArgument,
    output: OutputOption = Output.TABLE,
    account: Account = "",
    insecure: Insecure = False,
    ca_file: CaFile = "",
) -> None:
    """Ask for a manifest's media type, digest and size, without its content."""
    from registryauth.cli.console import show
    from registryauth.cli.fetch import fetching

    with fetching(reference, account=account, insecure=insecure, ca_file=ca_file) as (parsed, repository):
        found = repository.head(parsed.target)
    data = {
        "version": 1,
        "manifest": {"reference": str(parsed), "media_type": found.media_type, "digest": str(found.digest), "size": found.size},
    }
    show(output, data, ("DIGEST", "SIZE", "MEDIA TYPE"), [(str(found.digest), str(found.size), found.media_type)])
