"""One member more, or one less, in the text of a JSON object; every other byte stays what it is (RFC 8259 §4).

Only for text that a JSON parser took already: places are found here, faults are not.
"""

from __future__ import annotations

import json
import re

from registryauth._value import Value

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Member(Value):
    """A member of an object: its *key*, and where key and value begin and the value ends in the text."""

    key: str
    begin: int
    value: int
    end: int


def members(text: str, at: int = 0) -> tuple[int, list[Member], int]:
    """The object at *at* in *text*: the place after its ``{``, its members, and the place of its ``}``."""
    opened = at = _past(text, at) + 1
    found: list[Member] = []
    while True:
        at = _past(text, at)
        if text[at] == "}":
            return opened, found, at
        begin = at + 1 if text[at] == "," else at
        begin = _past(text, begin)
        key, colon = _DECODER.raw_decode(text, begin)
        value = _past(text, _past(text, colon) + 1)
        _, at = _DECODER.raw_decode(text, value)
        found.append(Member(key, begin, value, at))


def with_member(text: str, key: str, value: str, at: int = 0) -> str:
    """*text* with the member *key* behind all others of the object at *at*, written as they are; *value* is JSON."""
    opened, found, close = members(text, at)
    said = f"{json.dumps(key, ensure_ascii=False)}{_colon(text, found)}{value}"
    if not found:
        return f"{text[:opened]}{said}{text[close:]}"
    last = found[-1].end
    return f"{text[:last]},{_between(text, opened, found)}{said}{text[last:]}"


def without_member(text: str, member: Member, at: int = 0) -> str:
    """*text* without *member*, one of those of the object at *at*, and without the comma and the space that came with it."""
    opened, found, close = members(text, at)
    place = found.index(member)
    if len(found) == 1:
        return text[:opened] + text[close:]
    if place:
        return text[: found[place - 1].end] + text[member.end :]
    return text[: member.begin] + text[found[1].begin :]


def _between(text: str, opened: int, found: list[Member]) -> str:
    """The white space that stands before a member of this object."""
    if len(found) > 1:
        return _SPACE.search(text, text.index(",", found[0].end) + 1)[0]  # type: ignore[index]  # it matches the empty text, too
    before = text[opened : found[0].begin]
    return before if "\n" in before else " "


def _colon(text: str, found: list[Member]) -> str:
    """What stands between a key and its value."""
    if not found:
        return ": "
    one = found[-1]
    return text[text.rindex('"', one.begin, one.value) + 1 : one.value]


def _past(text: str, at: int) -> int:
    """Where the white space at *at* is over."""
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text, too
