"""What the givers of Entra's tokens answer: the token, and when it dies, in each of the ways in which they write a date.

Sources: Microsoft Learn "OAuth 2.0 client credentials flow" (``expires_in``, a number of seconds), "How to use managed identities to
acquire an access token" (``expires_on``, seconds since 1970 as text); App Service and Azure ML compute write a date instead
(azure-identity ``_internal/managed_identity_client.py`` and ``app_service.py``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from registryauth.azure.tokens import AccessToken
from registryauth.errors import AzureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._json import Node

#: What a token may be made of: visible ASCII, so that it can stand in a header and end none. Bytes: Entra's are below 16 KiB.
SENDABLE = r"[!-~]{1,65536}"
#: ``06/20/2019 02:57:58 +00:00`` of Linux, and of Windows ``6/20/2019 2:57:58 AM +00:00``.
_DATE = r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?: ([AaPp])[Mm])?(?: ?\+00:00)?"
#: Seconds that a token is taken to live where nobody said; it is then asked for again soon.
_UNSAID = 300.0


def read_token(body: Node, who: str, now: float) -> AccessToken:
    """The token in *body*, which *who* was given at *now*; raise `AzureError` where there is none (its text is never quoted)."""
    value = body.field("access_token").text()
    if not re.fullmatch(SENDABLE, value):
        raise AzureError(f"{who} got an answer without a token", hint="does a proxy or a captive portal answer in Azure's place?")
    return AccessToken(value, expiry(body.field("expires_in").value, body.field("expires_on").value, now))


def expiry(lifetime: object, date: object, now: float) -> float:
    """When a token dies, by its *lifetime* in seconds or, where that is not said, by its *date*; both may be numbers or text.

    A lifetime goes first: it holds whatever this machine's clock says.
    """
    if (seconds := _number(lifetime)) is not None:
        return now + seconds
    if (moment := _number(date)) is not None:
        return moment
    return _written(date) or now + _UNSAID


def _number(said: object) -> float | None:
    text = str(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else ""
    return float(text) if re.fullmatch(r"[0-9]{1,11}(?:\.[0-9]{1,9})?", text) else None


def _written(said: object) -> float:
    match = re.fullmatch(_DATE, said.strip()) if isinstance(said, str) else None
    if not match:
        return 0.0
    month, day, year, hour, minute, second = (int(match[at]) for at in range(1, 7))
    if match[7] and hour <= 12:
        # An hour of 13 to 23 with AM behind it is one that somebody wrote in both ways.
        hour = hour % 12 + (12 if match[7] in "Pp" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
