"""``registryauth copy``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, CaFile, Insecure, Misuse
from registryauth.cli.progress import JobsOption, ProgressOption


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="An image: myregistry.azurecr.io/myimage:v1")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Where it goes: otherregistry.azurecr.io/myimage:v1")],
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="Only this image of an index; by default all of it.")] = "",
    referrers: Annotated[bool, typer.Option("--referrers", help="With the signatures, SBOMs and the rest that refer to it.")] = False,
    jobs: JobsOption = 4,
    progress: ProgressOption = None,
    account: Account = "",
    insecure: Insecure = False,
    ca_file: CaFile = "",
) -> None:
    """Copy an image or artifact from registry to registry, to the byte, over no disk. Prints the digest."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching
    from registryauth.cli.progress import shown, size
    from registryauth.transfer import ALL
    from registryauth.transfer import copy as carry

    with (
        fetching(source, account=account, insecure=insecure, ca_file=ca_file) as (this, there),
        fetching(destination, account="", insecure=insecure, ca_file=ca_file) as (that, here),
        shown(progress) as callback,
    ):
        if that.digest:
            raise Misuse("an image is copied to a tag; its digest stays what it is")
        done = carry(there, this.target, here, that.tag, platform=platform or ALL, referrers=referrers, jobs=jobs, progress=callback)
    say(f"{done.moved} blobs ({size(done.size)}) sent, {done.mounted} mounted, {done.present} were there.")
    print(done.root.digest)


app = single(copy)
