"""``registryauth blob``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Access, Misuse, OutputFile, RepositoryArgument
from registryauth.digest import Digest
from registryauth.reference import Reference

app = group("Fetch, push and delete blobs.")


_Blob = Annotated[str, typer.Argument(metavar="REPOSITORY@DIGEST", help="A blob: myregistry.azurecr.io/myimage@sha256:…")]


@app.command()
def get(
    blob: _Blob,
    output_file: OutputFile = "",
    *,
    access: Access,
) -> None:
    """Fetch a blob and verify it. Not a byte is handed over before all of it was verified."""
    import shutil
    import sys
    import tempfile
    from pathlib import Path

    from registryauth.cli.console import is_terminal
    from registryauth.cli.fetch import fetching

    if not output_file and is_terminal(sys.stdout):
        raise Misuse("a blob is not for a terminal: use --output-file or a pipe")
    with fetching(blob, access) as (parsed, repository):
        digest = _digest(parsed)
        if output_file:
            repository.download(digest, output_file)
            return
        with tempfile.TemporaryDirectory(prefix="registryauth-") as directory:
            verified = Path(directory, "blob")
            repository.download(digest, verified)
            with verified.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()


@app.command()
def head(blob: _Blob, *, access: Access) -> None:
    """Say whether a blob is there: exit status 0 if it is, 3 if not."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching
    from registryauth.errors import NotFound

    with fetching(blob, access) as (parsed, repository):
        if not repository.has(_digest(parsed)):
            raise NotFound(f"{parsed.repository} does not hold {parsed.digest}", status=404)
    say(f"{parsed.repository} holds {parsed.digest}.")


@app.command()
def put(
    repository: RepositoryArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to push.")],
    *,
    access: Access,
) -> None:
    """Push a file as a blob, unless it is there, and print its digest."""
    from registryauth.cli.fetch import in_repository

    with in_repository(repository, access) as client:
        print(client.upload(file))


@app.command()
def delete(blob: _Blob, *, access: Access) -> None:
    """Delete a blob. Not every registry offers this, and manifests that name it break."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching

    with fetching(blob, access) as (parsed, repository):
        repository.delete_blob(_digest(parsed))
    say(f"Deleted {parsed.digest} from {parsed.repository}.")


def _digest(parsed: Reference) -> Digest:
    if parsed.digest is None:
        raise Misuse("a blob is named by its digest: REPOSITORY@sha256:…")
    return parsed.digest
