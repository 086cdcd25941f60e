"""``registryauth push``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Access, Misuse, MoreTags, ReferenceArgument
from registryauth.cli.progress import Pace


def push(
    source: Annotated[str, typer.Argument(metavar="FROM", help="An OCI layout, a directory or a tar; or what 'docker save' wrote.")],
    reference: ReferenceArgument,
    image: Annotated[str, typer.Option("--image", metavar="NAME", help="Which one, where there are several.")] = "",
    tag: MoreTags = None,
    no_compress: Annotated[bool, typer.Option("--no-compress", help="Push the layers of 'docker save' as they are.")] = False,
    *,
    pace: Pace,
    access: Access,
) -> None:
    """Push an image, manifests byte for byte. What the registry has is not sent again. Prints the digest."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching
    from registryauth.cli.progress import shown, summary
    from registryauth.transfer import push as send

    with fetching(reference, access) as (parsed, repository), shown(pace.progress) as callback:
        if parsed.digest:
            raise Misuse("an image is pushed under a tag; its digest is what it is")
        done = send(
            repository,
            source,
            tag=parsed.tag,
            more_tags=tag or (),
            image=image,
            compress=not no_compress,
            jobs=pace.jobs,
            progress=callback,
        )
    say(summary(done, "sent"))
    print(done.root.digest)


app = single(push)
