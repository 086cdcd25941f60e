"""``registryauth manifest``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Access, Misuse, MoreTags, Output, OutputFile, OutputOption, ReferenceArgument

app = group("Fetch, put and delete manifests.")


@app.command()
def get(
    reference: ReferenceArgument,
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="Follow an index to this platform's image.")] = "",
    output_file: OutputFile = "",
    *,
    access: Access,
) -> None:
    """Fetch a manifest or index, verify it, and write it byte for byte."""
    import sys

    from registryauth.cli.fetch import fetching
    from registryauth.content.descriptor import Platform

    # Before anything is fetched: an image that is no index would never look at it.
    wanted = Platform.parse(platform) if platform else None
    with fetching(reference, access) as (parsed, repository):
        found = repository.manifest(parsed.target, platform=wanted)
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
    *,
    access: Access,
) -> None:
    """Ask for a manifest's media type, digest and size."""
    from registryauth.cli.console import show
    from registryauth.cli.fetch import fetching

    with fetching(reference, access) as (parsed, repository):
        found = repository.head(parsed.target)
    data = {
        "version": 1,
        "manifest": {"reference": str(parsed), "media_type": found.media_type, "digest": str(found.digest), "size": found.size},
    }
    show(output, data, ("DIGEST", "SIZE", "MEDIA TYPE"), [(str(found.digest), str(found.size), found.media_type)])


@app.command()
def put(
    reference: ReferenceArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The manifest, or - for standard input.")],
    tag: MoreTags = None,
    media_type: Annotated[str, typer.Option("--media-type", metavar="TYPE", help="Its type, where it does not say so itself.")] = "",
    *,
    access: Access,
) -> None:
    """Put a manifest or index, byte for byte, and print its digest. What it names must be there already."""
    import sys

    from registryauth.cli.fetch import fetching
    from registryauth.content.manifest import MAX_MANIFEST
    from registryauth.content.verify import read_bounded

    raw = sys.stdin.buffer.read(MAX_MANIFEST + 1) if file == "-" else read_bounded(file, MAX_MANIFEST)
    with fetching(reference, access) as (parsed, repository):
        if parsed.digest and not parsed.digest.matches(raw):
            raise Misuse(f"the content is not {parsed.digest}; nothing was put")
        put_there = repository.put_manifest(raw, tag=parsed.tag or parsed.target, more_tags=tag or (), media_type=media_type)
    print(put_there.digest)


@app.command()
def delete(reference: ReferenceArgument, *, access: Access) -> None:
    """Delete a manifest by its digest, and with it every tag of it. Not every registry offers this."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching

    with fetching(reference, access) as (parsed, repository):
        if parsed.digest is None:
            raise Misuse("a manifest is deleted by its digest: REPOSITORY@sha256:…; 'registryauth tag delete' takes a tag away")
        repository.delete_manifest(parsed.digest)
    say(f"Deleted {parsed}.")
