"""What a simulated registry offers beyond the least that a registry must do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from registryauth._value import Value


class Features(Value):
    """By default all that the OCI Distribution specification 1.1.1 describes; take away what a registry of yours lacks.

    *single_post* answers a POST that carries the blob and its digest with 201; otherwise the body is dropped and a
    session begins. *chunk_minimum* is announced as ``OCI-Chunk-Min-Length``, in bytes, and held to: once a shorter
    chunk came, nothing may follow it. With *upload_state* the upload's ``Location`` changes with every chunk, and an
    old one is answered with 416. *absolute_locations* writes them with scheme and host. With *upload_store* set to a URL uploads
    go there, to ``<upload_store><session>``: such a request needs no token, and is refused with 400 if it brings an
    ``Authorization``, as object stores do.

    *mount* works from the repository that the client names, from any where it may pull (``"any"``), or never. *delete*
    says what can be deleted; anything else is answered with 405. With *tag_parameters* a manifest put by digest gets
    the tags of ``?tag=`` (specification 1.2). With *sparse* a manifest may name content that is not in its repository.

    Without *referrers* the API is 404 and ``OCI-Subject`` is not sent, so that clients keep the fallback tag; without
    *filters* the artifact type asked for is ignored. Without *catalog* ``/v2/_catalog`` is 404. *page_size* is the
    most entries in one answer of tags, catalog and referrers; 0 is no limit.

    *etags* are sent with manifests and honour ``If-None-Match``; *if_match* makes a manifest's PUT conditional.
    *warnings* are sent as ``Warning`` with every answer. *rate_limit* is how many manifests may be fetched in how many
    seconds, announced as Docker Hub does; the next one is answered with 429.
    """

    single_post: bool = True
    chunk_minimum: int = 0
    upload_state: bool = False
    absolute_locations: bool = False
    upload_store: str = ""
    mount: Literal["any", "from", "never"] = "any"
    delete: Collection[Literal["tags", "manifests", "blobs"]] = ("tags", "manifests", "blobs")
    tag_parameters: bool = True
    sparse: bool = False
    referrers: bool = True
    filters: bool = True
    catalog: bool = True
    page_size: int = 0
    etags: bool = True
    if_match: bool = True
    warnings: tuple[str, ...] = ()
    rate_limit: tuple[int, int] | None = None
