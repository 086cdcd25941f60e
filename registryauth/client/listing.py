"""Lists that come in pages: tags, repositories, referrers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from registryauth._http import Request, Response
from registryauth._json import load_json
from registryauth._origin import MAX_URL, Origin, Url, may_visit
from registryauth.errors import RegistryError
from registryauth.reference import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.auth import Scope
    from registryauth.client.client import Client

#: Bytes of one page; ACR caps a page at 1,000 names of at most 255 characters.
MAX_PAGE = 4 * 1024 * 1024
#: Pages of one list: ten million names.
_MAX_PAGES = 10_000
_LINK = (
    r'<(?P<url>[^<>]*)>(?:\s*;\s*[a-z*-]+\s*=\s*(?:"[^"]*"|[^\s,;"]+))*?'
    r'\s*;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s,;]))'
)
#: What may have been meant as one.
_NEXT = r'rel\s*=\s*"?[^",;]*\bnext\b'


def pages(
    client: Client, repository: Repository, build: Callable[[Origin], Request], *wanted: str | Scope
) -> Iterator[tuple[Response, dict[str, Any]]]:
    """Each page of a list with the head it came under, asked for when it is needed; ``Link`` leads on (distribution-spec, "Listing Tags").

    Raise `RegistryError` where the links lead in circles or to another origin, and for a page that is no JSON object. What a
    redirect led to has no say in where the list goes on: the next page is asked for with the registry's credential.
    """
    seen: set[Url] = set()
    here: Url | None = None
    for _ in range(_MAX_PAGES):
        step = build if here is None else lambda o, url=here: build(o).replace(url=url)
        response = client.send(repository, step, *wanted)
        with response:
            client.expect(response, f"{repository}", repository, 200)
            page = load_json(response.read(MAX_PAGE), "the registry's list", MAX_PAGE, error=RegistryError)
        if not isinstance(page, dict):
            raise RegistryError(f"{repository}: the registry's list is not a JSON object", hint="is this address a container registry?")
        yield response, page
        home = client.origin(repository.registry)
        seen.add(here or build(home).url)
        here = _next(response, repository)
        if here is None:
            return
        if here in seen:
            raise RegistryError(f"{repository}: the registry's list leads in circles")
        may_visit(home, here)
        if here.origin != home:
            raise RegistryError(f"{repository}: the registry's list goes on at {here.origin}, where we do not follow")
    raise RegistryError(f"{repository}: the registry's list has more than {_MAX_PAGES} pages")


def _next(response: Response, repository: Repository) -> Url | None:
    """Where the next page is (RFC 8288); None at the end. What cannot be read would cut the list short, so it raises."""
    for line in response.headers.all("link"):
        if match := re.search(_LINK, line[:MAX_URL], re.IGNORECASE):
            return response.url.join(match["url"])
        if re.search(_NEXT, line, re.IGNORECASE):
            raise RegistryError(f"{repository}: the registry's list goes on, and where cannot be read in its Link")
    return None


def names(page: dict[str, Any], field: str) -> list[str]:
    """The strings under *field*; null, which distribution sends for none, is an empty list."""
    listed = [] if page.get(field) is None else page[field]
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise RegistryError(f"the registry's list has no {field}", hint="is this address a container registry?")
    return listed
