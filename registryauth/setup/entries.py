"""The ``credHelpers`` entries of a configuration, added and taken back; everything else stays as it is.

Source: docker/cli ``cli/config/configfile/file.go``; containers-auth.json(5).
"""

from __future__ import annotations

import json
import os
import re

from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.errors import ConfigurationError
from registryauth.resolver.auths import address_of
from registryauth.resolver.documents import read_file
from registryauth.resolver.helper import OURS, PREFIX, find_program
from registryauth.setup.change import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from registryauth.reference import Address, Registry

HELPERS = "credHelpers"


def added(path: str, addresses: Sequence[Address], key_of: Callable[[Registry], str], environ: Mapping[str, str]) -> Change:
    """The change that names our helper for each registry of *addresses*; a path is dropped, for helpers are named by host.

    Raise `ConfigurationError` for a file that is not what it should be, and for a registry that another
    helper serves: taking its place could not be undone.
    """
    path = os.path.realpath(path)
    before = read_file(path, error=ConfigurationError)
    document = _parsed(before, path)
    helpers = _helpers(document, path)
    keys = list(dict.fromkeys(key_of(address.registry) for address in addresses))
    for key in keys:
        if helpers.get(key, OURS) != OURS:
            raise ConfigurationError(
                f"{printable(path)}: {HELPERS} already names {printable(str(helpers[key]), 80)} for {key}",
                file=path,
                key=f"{HELPERS}.{key}",
                hint="remove that entry first, if registryauth is to take its place",
            )
    new = [key for key in keys if key not in helpers]
    warnings = (*_missing_program(environ), *_shadowed(document, addresses, path))
    if not new:
        return Change(path, before, before, tuple(keys), warnings)
    after = {**document, HELPERS: helpers | dict.fromkeys(new, OURS)}
    return Change(path, before, _rendered(after, before), tuple(keys), warnings)


def removed(path: str, addresses: Sequence[Address], key_of: Callable[[Registry], str]) -> Change:
    """The change that takes our entries back: those of *addresses*, or all where none is given. Others' entries stay."""
    path = os.path.realpath(path)
    before = read_file(path, error=ConfigurationError)
    document = _parsed(before, path)
    helpers = _helpers(document, path)
    wanted = {key_of(address.registry) for address in addresses} or helpers.keys()
    gone = [key for key, helper in helpers.items() if helper == OURS and key in wanted]
    if not gone:
        return Change(path, before, before, ())
    kept = {key: helper for key, helper in helpers.items() if key not in gone}
    after = {key: kept if key == HELPERS else value for key, value in document.items() if key != HELPERS or kept}
    return Change(path, before, _rendered(after, before), tuple(gone))


def _parsed(before: bytes | None, path: str) -> dict[str, Any]:
    """The document; empty where there is none. A file that docker could not read is refused, never written over."""
    document = load_json(before, printable(path)) if before and before.strip() else {}
    if not isinstance(document, dict):
        raise ConfigurationError(f"{printable(path)} must be an object", file=path, hint="it was left as it is; correct or remove it")
    return document


def _helpers(document: dict[str, Any], path: str) -> dict[str, str]:
    return {key: node.text() for key, node in Node(document, printable(path)).field(HELPERS).fields()}


def _missing_program(environ: Mapping[str, str]) -> tuple[str, ...]:
    if find_program(OURS, environ):
        return ()
    return (f"{PREFIX}{OURS} is not on PATH, so nothing else can call it: add the directory that registryauth is installed in",)


def _shadowed(document: dict[str, Any], addresses: Sequence[Address], path: str) -> tuple[str, ...]:
    """A word on each entry under ``auths`` that is not asked any more."""
    hosts = {address.registry for address in addresses}
    entries = Node(document, printable(path)).field("auths").fields()
    stale = [a for key, node in entries if (a := address_of(key)) and a.registry in hosts and next(node.fields(), None)]
    return tuple(
        f"{printable(path)} still holds a credential for {address}, which is not asked any more: log out there to remove it"
        for address in stale
    )


def _rendered(document: dict[str, Any], before: bytes | None) -> bytes:
    """*document* as docker writes it, with a tab, or with what the file was indented with."""
    indent = re.search(rb"\A\s*\{\r?\n([ \t]+)\"", before or b"")
    # Half of a surrogate pair, which JSON can spell and UTF-8 cannot, has to stay spelled out.
    spelled = bool(re.search(rb"\\u[dD][89a-fA-F]", before or b""))
    text = json.dumps(document, indent=indent[1].decode() if indent else "\t", ensure_ascii=spelled)
    rendered = (text + ("\n" if before is None or before.endswith(b"\n") else "")).encode()
    # A number such as 1e999 reads as one thing and would be written as another.
    if load_json(rendered, "the new file") != document:
        raise ConfigurationError("the file cannot be written again without a loss", hint="add the entry by hand")
    return rendered
