"""The ``credHelpers`` entries of a configuration, added and taken back; everything else stays as it is, byte for byte.

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
from registryauth.resolver.helper import OURS
from registryauth.setup.change import Change
from registryauth.setup.program import about_path
from registryauth.setup.splice import Member, members, with_member, without_member

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
    warnings = (*about_path(environ), *_shadowed(document, addresses, path))
    if not new:
        return Change(path, before, before, tuple(keys), warnings)
    after = {**document, HELPERS: helpers | dict.fromkeys(new, OURS)}
    return Change(path, before, _written(before, document, after), tuple(keys), warnings)


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
    return Change(path, before, _written(before, document, after), tuple(gone))


def _parsed(before: bytes | None, path: str) -> dict[str, Any]:
    """The document; empty where there is none. A file that docker could not read is refused, never written over."""
    document = load_json(before, printable(path)) if before and before.strip() else {}
    if not isinstance(document, dict):
        raise ConfigurationError(f"{printable(path)} must be an object", file=path, hint="it was left as it is; correct or remove it")
    return document


def _helpers(document: dict[str, Any], path: str) -> dict[str, str]:
    return {key: node.text() for key, node in Node(document, printable(path)).field(HELPERS).fields()}


def _shadowed(document: dict[str, Any], addresses: Sequence[Address], path: str) -> tuple[str, ...]:
    """A word on each entry under ``auths`` that is not asked any more."""
    hosts = {address.registry for address in addresses}
    entries = Node(document, printable(path)).field("auths").fields()
    stale = [a for key, node in entries if (a := address_of(key)) and a.registry in hosts and next(node.fields(), None)]
    return tuple(
        f"{printable(path)} still holds a credential for {address}, which is not asked any more: log out there to remove it"
        for address in stale
    )


def _written(before: bytes | None, document: dict[str, Any], after: dict[str, Any]) -> bytes:
    """The text of *before* with the entries put in or cut out; written anew where there is nothing else in it."""
    if before is None or not document:
        ends = "\n" if before is None or before.endswith(b"\n") else ""
        return (json.dumps(after, indent="\t", ensure_ascii=False) + ends).encode()
    text = _spliced(before.decode(), document, after).encode()
    if load_json(text, "the new file") != after:
        # A key that stands there twice is one way to this.
        raise ConfigurationError("the entries cannot be changed without a change of others", hint="change the file by hand")
    return text


def _spliced(text: str, document: dict[str, Any], after: dict[str, Any]) -> str:
    if HELPERS not in after:
        return without_member(text, _member(text, HELPERS))
    wanted, was = after[HELPERS], document.get(HELPERS) or {}
    if HELPERS not in document:
        return with_member(text, HELPERS, _rendered(wanted, text))
    if not was:
        there = _member(text, HELPERS)
        return text[: there.value] + _rendered(wanted, text) + text[there.end :]
    for key in was.keys() - wanted.keys():
        inside = _member(text, HELPERS).value
        text = without_member(text, _member(text, key, inside), inside)
    for key in [key for key in wanted if key not in was]:
        text = with_member(text, key, json.dumps(wanted[key]), _member(text, HELPERS).value)
    return text


def _member(text: str, key: str, at: int = 0) -> Member:
    """The member *key* of the object at *at*; of several the last, which is the one that counts."""
    return [member for member in members(text, at)[1] if member.key == key][-1]


def _rendered(wanted: dict[str, str], text: str) -> str:
    """*wanted* as a member of the object *text*, indented as that is."""
    indented = re.match(r'\s*\{(\r?\n)([ \t]+)"', text)
    if not indented:
        return json.dumps(wanted, ensure_ascii=False)
    newline, unit = indented[1], indented[2]
    return json.dumps(wanted, indent=unit, ensure_ascii=False).replace("\n", newline + unit)
