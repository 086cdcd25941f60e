"""``registryauth artifact``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Access, Misuse, ReferenceArgument
from registryauth.cli.progress import Pace

app = group("Push files as artifacts. 'registryauth pull --as files' fetches them.")

#: What a file is where nobody said.
_ANY = "application/octet-stream"


@app.callback()
def _group() -> None:
    """Push files as artifacts. 'registryauth pull --as files' fetches them."""


@app.command()
def push(
    reference: ReferenceArgument,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE[:TYPE]...", help="Files, each with its media type: sbom.json:application/json")
    ],
    artifact_type: Annotated[str, typer.Option("--artifact-type", metavar="TYPE", help="What the artifact is.")] = "",
    subject: Annotated[
        str, typer.Option("--subject", metavar="REFERENCE", help="The image that it is about, in the same repository.")
    ] = "",
    annotation: Annotated[list[str] | None, typer.Option("--annotation", metavar="KEY=VALUE", help="May be given several times.")] = None,
    *,
    pace: Pace,
    access: Access,
) -> None:
    """Push files as one artifact. Prints its digest.

    Where REFERENCE names no tag, it is latest; with --subject it has none.
    """
    from registryauth.cli.console import say
    from registryauth.cli.fetch import fetching
    from registryauth.cli.progress import shown, summary
    from registryauth.reference import Reference
    from registryauth.registries import in_registry, is_workspace_image
    from registryauth.transfer import push_files

    typed = [_typed(file) for file in files]
    annotations = dict(_pair(text) for text in annotation or ())
    with fetching(reference, access) as (parsed, repository), shown(pace.progress) as callback:
        if parsed.digest:
            raise Misuse("an artifact is pushed under a tag; its digest is what it is")
        about = None
        if subject:
            named = Reference.parse(subject, known=(parsed.registry.hostname,))
            if is_workspace_image(named):
                named = in_registry(named, parsed.registry.host)
            if named.repository != parsed.repository:
                raise Misuse(f"the subject must be in {parsed.repository}")
            about = repository.head(named.target)
        tag = parsed.tag if not subject or _has_tag(reference) else None
        done = push_files(
            repository,
            typed,
            artifact_type=artifact_type,
            annotations=annotations,
            subject=about,
            tag=tag,
            jobs=pace.jobs,
            progress=callback,
        )
    say(summary(done, "sent"))
    print(done.root.digest)


def _has_tag(reference: str) -> bool:
    return ":" in reference.rpartition("/")[2]


def _typed(file: str) -> tuple[str, str]:
    """``path:type``, where the type has a slash and the path may have a colon."""
    path, colon, media_type = file.rpartition(":")
    return (path, media_type) if colon and "/" in media_type and path else (file, _ANY)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Misuse(f"an annotation is KEY=VALUE, not {text[:40]!a}")
    return key, value
