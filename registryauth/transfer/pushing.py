"""From the disk to a repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout, LayoutReader, Region
from registryauth.transfer.crew import Crew
from registryauth.transfer.graph import Graph, walk
from registryauth.transfer.progress import Ledger, Progress, Transferred
from registryauth.transfer.sending import check_tag, put_all, send_region


def push(
    repository: RepositoryClient,
    source: str | os.PathLike[str],
    *,
    tag: str | None,
    more_tags: Sequence[str] = (),
    image: str = "",
    compress: bool = True,
    jobs: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Transferred:
    """Push an image to *repository* under *tag* and *more_tags*, or by its digest alone.

    *source* is an OCI layout, a directory or a tar file, whose manifests and indexes are pushed byte for byte with all that they
    name; or what ``docker save`` wrote, of which an OCI image is made: its layers, plain tars there, are gzipped on the way in a
    temporary directory unless *compress* is false, and one that is compressed already stays as it is. Either may be gzipped as a
    whole. *image* names one of several: a tag or digest of a layout, ``name:tag`` of ``docker save``; without it there must be only
    one, or one that is called *tag*.

    A blob that the repository has costs one HEAD. Its content is not hashed here: the registry checks it against its digest.
    *jobs* and *progress* are as for `pull`. Layers that registries do not hold are left out and named in the result.

    Raise `ContentError` for a source that is damaged or none, `NotFound` for an *image* that it has not, and the errors of access
    and transport.
    """
    for name in (tag, *more_tags):
        check_tag(name)
    crew = Crew(jobs)
    ledger = Ledger(progress, crew.stop)
    path = os.path.abspath(os.fspath(source))
    if os.path.isdir(path):
        graph = _push_layout(repository, Layout.open(path), image, tag, crew, ledger)
    else:
        graph = _push_file(repository, path, image, tag, crew, ledger, compress=compress)
    put_all(repository, graph.manifests, tag, crew, ledger, more_tags=more_tags)
    return ledger.result(graph.root)


def _push_layout(repository: RepositoryClient, layout: LayoutReader, image: str, tag: str | None, crew: Crew, ledger: Ledger) -> Graph:
    graph = walk(layout.manifest(layout.find(image, tag or "")), layout.manifest, crew.each)
    push_blobs(repository, graph, layout.blob, crew, ledger)
    return graph


def _push_file(
    repository: RepositoryClient, path: str, image: str, tag: str | None, crew: Crew, ledger: Ledger, *, compress: bool
) -> Graph:
    # Imported where it is a file after all: what reads tars takes as long as the rest.
    import tempfile

    from registryauth.transfer.docker_archive import convert
    from registryauth.transfer.sources import open_source

    with tempfile.TemporaryDirectory(prefix="registryauth-") as scratch:
        opened = open_source(path, scratch)
        if isinstance(opened, LayoutReader):
            return _push_layout(repository, opened, image, tag, crew, ledger)
        made = convert(opened, image, tag or "", scratch, crew, compress=compress)
        graph = walk(made.manifest, repository.manifest, crew.each)
        push_blobs(repository, graph, lambda blob: made.regions[blob.digest], crew, ledger)
        return graph


def push_blobs(repository: RepositoryClient, graph: Graph, regions: Callable[[Descriptor], Region], crew: Crew, ledger: Ledger) -> None:
    """Put the blobs of *graph*, found by *regions*, into *repository*."""
    ledger.left_out(graph.foreign)
    # All found before the first is sent: a source that lacks one is refused at once.
    found = [(blob, regions(blob)) for blob in graph.blobs]
    crew.each(lambda pair: send_region(repository, *pair, ledger), found)
