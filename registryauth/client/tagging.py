"""One manifest under several tags: with one request where a registry takes that (end-7b), with one for each where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registryauth._value import Value
from registryauth.client.shortcuts import TAGS
from registryauth.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth._http import Headers
    from registryauth.client.repository import RepositoryClient
    from registryauth.content.manifest import Index, Manifest

#: Tags in one request: as many as the specification asks a registry to take.
_AT_ONCE = 10
#: What a registry may say to a query that it does not know, or that is too long for it.
_NOT_SO = (400, 405, 414, 431, 501)


class Kept(Value):
    """What a registry says that it did with a manifest: listed it under *subject*, empty if not, and set *tags*."""

    subject: str = ""
    tags: frozenset[str] = frozenset()


def kept(headers: Headers) -> Kept:
    """The ``OCI-Subject`` and ``OCI-Tag`` of the answer to a PUT."""
    tags = (tag.strip() for line in headers.all("oci-tag") for tag in line.split(","))
    return Kept(headers.get("oci-subject"), frozenset(filter(None, tags)))


def put(repository: RepositoryClient, found: Manifest | Index, name: str, tags: Sequence[str]) -> Kept:
    """Put *found* under *name*, its digest or a tag, and under *tags*; give what the registry said last."""
    is_digest = ":" in name
    left = list(dict.fromkeys((*(() if is_digest else (name,)), *tags)))
    digest = name if is_digest else str(found.digest)
    said = _at_once(repository, found, digest, left)
    if said is None and is_digest:
        said = repository.put_as(found, digest)
    for tag in left:
        said = repository.put_as(found, tag)
    return said or Kept()


def _at_once(repository: RepositoryClient, found: Manifest | Index, digest: str, left: list[str]) -> Kept | None:
    """What the registry said to *found* with many tags; those that it took are taken out of *left*. None if it did not take it so."""
    client, said = repository.client, None
    origin = client.origin(repository.repository.registry)
    while left and client.shortcuts.may_try(TAGS, origin):
        try:
            said = repository.put_as(found, digest, tags=left[:_AT_ONCE])
        except RegistryError as error:
            if error.status not in _NOT_SO:
                raise
            return said
        if not said.tags & {*left}:
            return said
        client.shortcuts.took(TAGS, origin)
        left[:] = [tag for tag in left if tag not in said.tags]
    return said
