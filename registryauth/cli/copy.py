"""``registryauth copy``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Access, Misuse
from registryauth.cli.progress import Pace


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="An image: myregistry.azurecr.io/myimage:v1")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Where it goes: otherregistry.azurecr.io/myimage:v1")],
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="Only this image of an index; by default all of it.")] = "",
    referrers: Annotated[bool, typer.Option("--referrers", help="With the signatures, SBOMs and the rest that refer to it.")] = False,
    *,
    pace: Pace,
    access: Access,
) -> None:
    """Copy an image or artifact from registry to registry. To the byte, over no disk. Prints the digest.

    --account is for the registry that is read, and within one registry for both.
    """
    from registryauth.cli.console import say
    from registryauth.cli.fetch import between
    from registryauth.cli.progress import shown, summary
    from registryauth.transfer import ALL
    from registryauth.transfer import copy as carry

    with between(source, destination, access) as ((this, there), (that, here)), shown(pace.progress) as callback:
        if that.digest:
            raise Misuse("an image is copied to a tag; its digest stays what it is")
        done = carry(there, this.target, here, that.tag, platform=platform or ALL, referrers=referrers, jobs=pace.jobs, progress=callback)
    say(summary(done, "sent", mounts=True))
    print(done.root.digest)


app = single(copy)
