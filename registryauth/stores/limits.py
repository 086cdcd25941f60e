"""What a store takes: checked before anything is written, by every store alike."""

from __future__ import annotations

import json

from registryauth._redact import printable
from registryauth.errors import Conflict, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from registryauth.stores.principal import Key, Principal

#: Bytes of UTF-8. The longest real ones, Google's JSON keys and JWTs, stay below 16 KiB.
MAX_SECRET = 64 * 1024
#: Bytes of a record's metadata as JSON: free texts like the purpose, and some dates.
MAX_METADATA = 64 * 1024
#: Characters of an account name.
MAX_ACCOUNT = 1024


def canonical(metadata: dict[str, object]) -> bytes:
    """*metadata* as JSON with sorted keys, no white space and nothing but ASCII: one text for one content."""
    return json.dumps(metadata, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def refuse_unstorable(principal: Principal) -> None:
    """Raise `StoreError` unless *principal* has at least one secret, none is empty, and all is text within the limits."""
    key = printable(str(principal.key))
    if not principal.slots:
        raise StoreError(f"{key} has no secret", hint="give it one")
    for slot in principal.slots:
        if not slot.secret:
            raise StoreError(f"the secret of {key} is empty", hint="nothing was stored; check where it was read from")
        if _size(slot.secret, f"the secret of {key}") > MAX_SECRET:
            raise StoreError(f"the secret of {key} is longer than {MAX_SECRET} bytes", hint="is that the secret, or a whole file?")
    if _size(principal.account, "the account name") > MAX_ACCOUNT:
        raise StoreError(f"an account name of more than {MAX_ACCOUNT} bytes is refused", hint="is that the account, or a secret?")
    if len(canonical(principal.metadata())) > MAX_METADATA:
        raise StoreError(f"what is said about {key} exceeds {MAX_METADATA} bytes", hint="shorten its purpose")


def _size(text: str, what: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        # A lone surrogate: bytes that were no UTF-8, or half of a pair from JSON.
        raise StoreError(f"{what} is not valid Unicode text", hint="it must be UTF-8") from None


def refuse_conflict(key: Key, stored: int, wanted: int | None) -> None:
    """Raise `Conflict` unless *stored*, 0 for an absent record, is the *wanted* revision or none is wanted."""
    if wanted is None or stored == wanted:
        return
    name = printable(str(key))
    if wanted == 0:
        raise Conflict(f"there is already a record of {name}", hint="look at it first, or replace it in so many words")
    what = f"was written again (revision {stored}, not {wanted})" if stored else "was removed"
    raise Conflict(f"{name} {what} by somebody else in the meantime", hint="read it again and repeat the change")


def preferred(candidates: Iterable[Principal]) -> Principal | None:
    """Which account of one address is the default: the one preferred last, and of equals the one written last."""
    return max(candidates, key=lambda found: (found.preferred_at, found.revision), default=None)
