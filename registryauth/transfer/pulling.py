"""From a repository to the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.layout import Layout
from registryauth.content.manifest import Index, Manifest
from registryauth.digest import Digest
from registryauth.errors import ContentError, UnsupportedMediaType
from registryauth.reference import Reference
from registryauth.transfer.crew import Crew
from registryauth.transfer.fetching import fetch_all
from registryauth.transfer.graph import ALL, Graph, walk, wanted_platform
from registryauth.transfer.progress import Ledger, Progress, Transferred

Form = Literal["oci", "oci-archive", "docker-archive", "files"]


def pull(
    repository: RepositoryClient,
    target: str | Digest,
    to: str | os.PathLike[str],
    *,
    platform: str | Platform | None = None,
    form: Form = "oci",
    unpack: bool = False,
    jobs: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Transferred:
    """Fetch the image or artifact with tag or digest *target* to *to*, all of it verified.

    *platform* chooses from an index: ``os/arch``, None for this machine's, `ALL` for the index with all that it names. *form* is

    - ``oci``: an OCI layout in the directory *to*, made if need be; blobs that are there are checked and not fetched again;
    - ``oci-archive``: the same as a tar file;
    - ``docker-archive``: a tar for ``docker load``, of one platform, its layers compressed as the registry has them;
    - ``files``: the files of an artifact, in the directory *to* by their titles (``org.opencontainers.image.title``); layers without
      a title are left out. With *unpack*, those that ask for it (``io.deis.oras.content.unpack``) become directories.

    At most *jobs* requests are under way at once. *progress* is called from several threads, one call at a time; what it raises ends
    the transfer. A fetch that ended early, be it by kill -9, is taken up where it stopped if it is asked for again; any number of
    them may work at one place. Layers that registries do not hold are left out and named in the result.

    Raise `NotFound`, `ContentError` and its kinds with nothing wrong under a final name, and the errors of access and transport.
    """
    crew = Crew(jobs)
    ledger = Ledger(progress, crew.stop)
    root = repository.manifest(target, platform=wanted_platform(platform))
    graph = walk(root, repository.manifest, crew.each)
    name = "" if isinstance(target, Digest) or ":" in target else target
    place = os.path.abspath(os.fspath(to))
    if form == "oci":
        layout = Layout.create(place)
        fetch_all(repository, graph, layout, crew, ledger)
        layout.name(graph.root, name)
        return ledger.result(graph.root)
    # What a form needs is imported with it: most pulls make a layout.
    if form == "files":
        from registryauth.transfer.files import place_files

        files = place_files(repository, _image(root, platform), place, crew, ledger, unpack=unpack)
        return ledger.result(graph.root, files)
    if form not in ("oci-archive", "docker-archive"):
        raise ContentError(f"{form!a} is no form of an image", hint="use oci, oci-archive, docker-archive or files")
    image = _image(root, platform) if form == "docker-archive" else None
    _refuse_foreign(graph, form)
    if os.path.isdir(place):
        raise ContentError(f"{place} is a directory", hint="name a file, which may be in it")
    from registryauth.transfer import archives
    from registryauth.transfer.staging import staging

    with staging(f"{place}.partial", crew.pause) as layout:
        fetch_all(repository, graph, layout, crew, ledger)
        if image:
            tags = [Reference(repository.repository, name).familiar] if name else []
            archives.write_docker(layout, image, tags, place)
        else:
            archives.write_oci(layout, graph, name, place)
    return ledger.result(graph.root)


def _image(root: Manifest | Index, platform: str | Platform | None) -> Manifest:
    if isinstance(root, Index):
        raise ContentError(
            "this form holds one platform, and all were asked for" if platform == ALL else "this is an index", hint="name one platform"
        )
    return root


def _refuse_foreign(graph: Graph, form: str) -> None:
    if form == "docker-archive" and graph.foreign:
        layer: Descriptor = graph.foreign[0]
        raise UnsupportedMediaType(
            f"the image has layers that registries do not hold ({layer.digest}), so it cannot be loaded from a file", hint="pull it as oci"
        )
