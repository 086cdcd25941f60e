"""``registryauth digest``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Access, ReferenceArgument


def digest(
    reference: ReferenceArgument,
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="Follow an index to this platform's image.")] = "",
    *,
    access: Access,
) -> None:
    """Print the digest of an image. The tag may move, the digest never does."""
    from registryauth.cli.fetch import fetching

    with fetching(reference, access) as (parsed, repository):
        found = repository.manifest(parsed.target, platform=platform) if platform else repository.head(parsed.target)
    print(found.digest)


app = single(digest)
