"""``WWW-Authenticate``: what a registry asks for (RFC 9110 §11.6.1).

    WWW-Authenticate = #challenge
    challenge        = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
    auth-param       = token BWS "=" BWS ( token / quoted-string )

The header may come in several lines, a line may hold several challenges, and commas separate both challenges
and parameters, so only a reader of the whole grammar gets it right. Out there, values are also left unquoted
where they hold characters that a token may not (``realm=https://…``): those are read up to the next comma or space.
"""

from __future__ import annotations

import re

from registryauth._grammar import TOKEN
from registryauth._value import Value
from registryauth.errors import InvalidChallenge, UnsupportedScheme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: All header lines together; registries send about 200 bytes, and one that sends more than this means harm.
MAX_CHALLENGE = 16 * 1024

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PARAM = rf"[ \t]*(?P<name>{TOKEN})[ \t]*=[ \t]*(?P<value>{_QUOTED}|[^\s,\"]*)"
_SCHEME = rf"[ \t,]*(?P<scheme>{TOKEN})(?P<gap>[ \t]+|(?=,)|\Z)"
_TOKEN68 = r"[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|\Z)"


class Challenge(Value):
    """An auth-scheme, lower case, and its parameters, names lower case and sorted."""

    scheme: str
    params: tuple[tuple[str, str], ...] = ()

    def param(self, name: str) -> str:
        """The parameter *name*, empty if it was not sent."""
        return dict(self.params).get(name, "")


def parse(lines: Sequence[str]) -> list[Challenge]:
    """Every challenge of a response, in order; unknown schemes and parameters are kept.

    Raise `InvalidChallenge` where the header cannot be read.
    """
    if sum(map(len, lines)) > MAX_CHALLENGE:
        raise InvalidChallenge(f"the registry's WWW-Authenticate is longer than the {MAX_CHALLENGE} characters allowed")
    return [challenge for line in lines for challenge in _line(line)]


def _line(line: str) -> list[Challenge]:
    found: list[Challenge] = []
    at = 0
    while not re.compile(r"[ \t,]*\Z").match(line, at):
        scheme = re.compile(_SCHEME).match(line, at)
        if not scheme:
            raise InvalidChallenge(f"the registry's WWW-Authenticate cannot be read from character {at + 1} on")
        at = scheme.end()
        params: dict[str, str] = {}
        if token68 := re.compile(_TOKEN68).match(line, at):
            at = token68.end()
        else:
            params, at = _params(line, at)
        found.append(Challenge(scheme["scheme"].lower(), tuple(sorted(params.items()))))
    return found


def _params(line: str, at: int) -> tuple[dict[str, str], int]:
    """The parameters from *at* on, and where they end: at the end of the line or before the next scheme."""
    params: dict[str, str] = {}
    pattern, commas = re.compile(_PARAM), re.compile(r"[ \t]*(?:,[ \t]*)+")
    # A list may begin with empty elements (RFC 9110 §5.6.1.2).
    if comma := commas.match(line, at):
        at = comma.end()
    while match := pattern.match(line, at):
        # The first of a repeated parameter counts: a later one cannot take its place.
        params.setdefault(match["name"].lower(), _unquoted(match["value"]))
        comma = commas.match(line, match.end())
        if not comma:
            return params, match.end()
        at = comma.end()
    return params, at


def _unquoted(value: str) -> str:
    """A quoted-string's meaning (RFC 9110 §5.6.4)."""
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def choose(challenges: Sequence[Challenge]) -> Challenge:
    """The challenge to answer: Bearer before Basic, because a token tells less than a password.

    Raise `UnsupportedScheme` where neither is offered.
    """
    for scheme in ("bearer", "basic"):
        for challenge in challenges:
            if challenge.scheme == scheme and (scheme == "basic" or challenge.param("realm")):
                return challenge
    offered = ", ".join(sorted({c.scheme for c in challenges})) or "nothing"
    raise UnsupportedScheme(
        f"the registry offers {offered} for authentication; we speak Bearer and Basic", hint="is this address a container registry?"
    )
