"""What a registry's answers mean. Pure."""

from __future__ import annotations

import time

from registryauth._http.retrying import retry_after
from registryauth._json import load_json
from registryauth._redact import printable
from registryauth.digest import Digest
from registryauth.errors import (
    Denied,
    Error,
    InvalidDigest,
    NotFound,
    RegistryError,
    TooManyRequests,
    TransportError,
    Unauthorized,
    Unsupported,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth._http import Headers

#: At most this many of a registry's errors are passed on.
_MAX_DIAGNOSTICS = 5
#: Seconds; eleven days.
_LONGEST_WAIT = 1_000_000.0
#: Error codes of the specification that say more than the status (distribution-spec, "Error Codes").
_BY_CODE: Mapping[str, type[RegistryError]] = {
    "TOOMANYREQUESTS": TooManyRequests,
    "UNSUPPORTED": Unsupported,
    "NAME_UNKNOWN": NotFound,
    "MANIFEST_UNKNOWN": NotFound,
    "BLOB_UNKNOWN": NotFound,
}
_BY_STATUS: Mapping[int, type[RegistryError]] = {401: Unauthorized, 403: Denied, 404: NotFound, 405: Unsupported, 429: TooManyRequests}


def refusal(what: str, status: int, headers: Headers, body: bytes, *, presented: str, registry: str) -> Error:
    """The error for an answer that is none of those hoped for.

    *what* was asked for at *registry*, *presented* says with which credential ("" for none). The registry's own words are cleaned
    for a terminal and quoted.
    """
    rows = _diagnostics(body)
    words = tuple(f"{code}: {message}" if message else code for code, message in rows)
    kind = next((_BY_CODE[code] for code, _ in rows if code in _BY_CODE), None) if status < 500 and status not in (401, 403) else None
    kind = kind or _BY_STATUS.get(status)
    said = f": {'; '.join(words)}" if words else ""
    if status >= 500:
        return RegistryError(f"{what}: the registry failed ({status}){said}", status=status, diagnostics=words, hint="try again later")
    if kind is TooManyRequests:
        wished = retry_after(headers.get("retry-after"), time.time())
        # A longer wait than that is no date to keep, but a mistake.
        seconds = wished if wished is not None and wished < _LONGEST_WAIT else None
        hint = (
            f"try again in {seconds:.0f} seconds"
            if seconds is not None
            else "try again later, or log in: accounts get more than anonymous visitors"
        )
        return TooManyRequests(f"{what}: too many requests{said}", status=status, diagnostics=words, retry_after=seconds, hint=hint)
    plain = "the registry wants a credential" if status == 401 and not presented else _PLAIN.get(status, f"the registry answered {status}")
    return (kind or RegistryError)(f"{what}: {plain}{said}", status=status, diagnostics=words, hint=_hint(status, presented, registry))


_PLAIN = {
    401: "the registry refused the credential",
    403: "the registry does not allow it",
    404: "not found",
    405: "the registry does not offer this",
}


def _hint(status: int, presented: str, registry: str) -> str:
    as_whom = f"it was asked with {presented}" if presented else "it was asked without a credential"
    if status == 401:
        return f"{as_whom}: is the secret right, and still valid?" if presented else f"log in with 'registryauth login {registry}'"
    if status == 403:
        return f"{as_whom}: the account may lack the right, or a firewall may refuse this machine's address"
    if status == 404:
        return f"{as_whom}: a registry may hide what an account may not see"
    return ""


def _diagnostics(body: bytes) -> list[tuple[str, str]]:
    """The code and message of each error in a body, if it is one of the specification's (``{"errors": [{"code", "message"}]}``)."""
    try:
        answer = load_json(body, "the error", error=TransportError)
    except TransportError:
        return []
    errors = answer.get("errors") if isinstance(answer, dict) else None
    rows = [row for row in errors if isinstance(row, dict)][:_MAX_DIAGNOSTICS] if isinstance(errors, list) else []
    return [(printable(str(row.get("code", "UNKNOWN")), 40), printable(str(row.get("message") or ""))) for row in rows]


def claimed_digest(headers: Headers) -> Digest | None:
    """``Docker-Content-Digest``: what the registry says the content is. A claim, of use only once it is checked."""
    claimed = headers.get("docker-content-digest")
    try:
        return Digest.parse(claimed) if claimed else None
    except InvalidDigest as error:
        raise RegistryError(
            "the registry sent a Docker-Content-Digest that is none", hint="is this address a container registry?"
        ) from error
