"""``registryauth blob``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Account, CaFile, Insecure, OutputFile

app = group("Fetch blobs.")


@app.callback()
def _group() -> None:
    """Fetch blobs."""


@app.command()
def get(
    blob: Annotated[str, typer.Argument(metavar="REPOSITORY@DIGEST", help="A blob: myregistry.azurecr.io/myimage@sha256:…")],
    output_file: OutputFile = "",
    account: Account = "",
    insecure: Insecure = False,
    ca_file: CaFile = "",
) -> None:
    """Fetch a blob and verify it; not a byte is handed over before all of it was verified."""
    import shutil
    import sys
    import tempfile
    from pathlib import Path

    from registryauth.cli.console import is_terminal
    from registryauth.cli.fetch import fetching

    if not output_file and is_terminal(sys.stdout):
        raise typer.BadParameter("a blob is not for a terminal: use --output-file or a pipe")
    with fetching(blob, account=account, insecure=insecure, ca_file=ca_file) as (parsed, repository):
        if parsed.digest is None:
            raise typer.BadParameter("a blob is named by its digest: REPOSITORY@sha256:…")
        if output_file:
            repository.download(parsed.digest, output_file)
            return
        with tempfile.TemporaryDirectory(prefix="registryauth-") as directory:
            verified = Path(directory, "blob")
            repository.download(parsed.digest, verified)
            with verified.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
