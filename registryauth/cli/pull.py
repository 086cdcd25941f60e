"""``registryauth pull``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Access, Misuse, ReferenceArgument
from registryauth.cli.progress import Pace


class Form(StrEnum):
    """What to make of an image on the disk."""

    OCI = "oci"
    OCI_ARCHIVE = "oci-archive"
    DOCKER_ARCHIVE = "docker-archive"
    FILES = "files"


def pull(
    reference: ReferenceArgument,
    to: Annotated[str, typer.Argument(metavar="TO", help="A directory, or for the archives a file.")],
    form: Annotated[
        Form, typer.Option("--as", help="An OCI layout, the same as a tar, a tar for docker load, or an artifact's files.")
    ] = Form.OCI,
    platform: Annotated[
        str, typer.Option("--platform", metavar="OS/ARCH", help="Which image of an index; by default this machine's.")
    ] = "",
    all_platforms: Annotated[bool, typer.Option("--all-platforms", help="The index with all that it names.")] = False,
    unpack: Annotated[bool, typer.Option("--unpack", help="With --as files: make directories of the layers that ask for it.")] = False,
    *,
    pace: Pace,
    access: Access,
) -> None:
    """Fetch an image or artifact whole, all of it verified. What an earlier try left is taken up."""
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching
    from registryauth.cli.progress import shown, summary
    from registryauth.transfer import ALL
    from registryauth.transfer import pull as fetch

    if platform and all_platforms:
        raise Misuse("--platform and --all-platforms exclude each other")
    chosen = ALL if all_platforms else platform or None
    with fetching(reference, access) as (parsed, repository), shown(pace.progress) as callback:
        done = fetch(repository, parsed.target, to, platform=chosen, form=form.value, unpack=unpack, jobs=pace.jobs, progress=callback)
    for layer in done.foreign:
        say(f"warning: {layer.digest} is kept elsewhere than in registries, and was left out")
    if form is Form.FILES and not done.files:
        say("warning: no layer names a file (org.opencontainers.image.title), so nothing was written; pull an image without --as")
    say(summary(done, "fetched"))
    print(done.root.digest)


app = single(pull)
