"""What a registry says beside its answer: warnings, and how much of its patience is left. Pure."""

from __future__ import annotations

import re

from registryauth._redact import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._http import Headers

#: distribution-spec, "Warnings": 299, an agent, and the text in quotes; at most 4096 bytes of them in an answer.
_WARNING = r'299\s+\S+\s+"((?:[^"\\]|\\.)*)"'
_MAX_WARNINGS = 4096
#: A limit is worth a word when this part of it is left.
_LOW = 0.1


def notices_of(headers: Headers) -> list[str]:
    """What a person should hear, cleaned for a terminal; nothing of it may change what is done."""
    texts = [re.sub(r"\\(.)", r"\1", text) for line in headers.all("warning") for text in re.findall(_WARNING, line[:_MAX_WARNINGS])]
    return [*filter(None, map(printable, texts)), *_patience(headers)]


def _patience(headers: Headers) -> list[str]:
    """That a rate limit is nearly used up (Docker Hub: ``ratelimit-limit: 100;w=21600``, ``ratelimit-remaining: 7;w=21600``)."""
    limit, window = _count(headers.get("ratelimit-limit"))
    left, _ = _count(headers.get("ratelimit-remaining"))
    if limit is None or left is None or left > limit * _LOW:
        return []
    within = f" in {window // 3600} h" if window and window % 3600 == 0 else f" in {window} s" if window else ""
    # No exact count: the same words are said once, not for every request.
    return [
        f"the rate limit of {limit} requests{within} is nearly used up"
        if left
        else f"the rate limit of {limit} requests{within} is used up"
    ]


def _count(text: str) -> tuple[int | None, int]:
    # Next to no registry says anything of it.
    match = text and re.fullmatch(r"([0-9]{1,12})(?:\s*;\s*w=([0-9]{1,9}))?(?:\s*;.*)?", text, re.ASCII)
    return (int(match[1]), int(match[2] or 0)) if match else (None, 0)
