"""``registryauth referrers``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Access, Output, OutputOption, ReferenceArgument


def referrers(
    reference: ReferenceArgument,
    artifact_type: Annotated[str, typer.Option("--artifact-type", metavar="TYPE", help="Only what is of this type.")] = "",
    output: OutputOption = Output.TABLE,
    *,
    access: Access,
) -> None:
    """List what refers to an image: signatures, SBOMs, attestations."""
    from registryauth.cli.console import show
    from registryauth.cli.fetch import fetching

    with fetching(reference, access) as (parsed, repository):
        subject = parsed.digest or repository.head(parsed.target).digest
        found = list(repository.referrers(subject, artifact_type=artifact_type))
    rows = [(str(d.digest), str(d.size), d.artifact_type, d.media_type) for d in found]
    plain = [{"digest": str(d.digest), "size": d.size, "artifact_type": d.artifact_type, "media_type": d.media_type} for d in found]
    show(
        output,
        {"version": 1, "subject": str(subject), "referrers": plain},
        ("DIGEST", "SIZE", "ARTIFACT TYPE", "MEDIA TYPE"),
        rows,
    )


app = single(referrers)
