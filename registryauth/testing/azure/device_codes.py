"""A person's sign-in on another device (RFC 8628, Microsoft Learn "OAuth 2.0 device authorization grant")."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registryauth.testing.azure.directory import User
from registryauth.testing.azure.refusals import EntraRefusal

#: Seconds.
LIFETIME = 900


@dataclass
class _Code:
    user_code: str
    scope: str
    ends_at: float
    person: User | None = None
    declined: bool = False


class DeviceCodes:
    """Codes that wait for a person: `approve` and `decline` are what the person does. *interval* is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.interval = 5
        self._codes: dict[str, _Code] = {}

    def begin(self, form: dict[str, str], url: str) -> dict[str, Any]:
        """A new code, which the person enters at *url*."""
        code = _Code("".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(9)), form.get("scope", ""), self.now() + LIFETIME)
        name = secrets.token_urlsafe(40)
        self._codes[name] = code
        return {
            "user_code": code.user_code,
            "device_code": name,
            "verification_uri": url,
            "expires_in": LIFETIME,
            "interval": self.interval,
            "message": f"To sign in, use a web browser to open the page {url} and enter the code {code.user_code} to authenticate.",
        }

    def approve(self, user_code: str, person: User) -> None:
        """Sign *person* in with the code that the client shows; raise `KeyError` if there is none."""
        self._shown(user_code).person = person

    def decline(self, user_code: str) -> None:
        """Say no."""
        self._shown(user_code).declined = True

    def scope(self, device_code: str) -> str:
        """What was asked for at the beginning, without OpenID's own."""
        return next((one for one in self._codes[device_code].scope.split() if one.endswith("/.default")), "")

    def redeem(self, device_code: str) -> User:
        """Who signed in; raise `EntraRefusal` while nobody has."""
        code = self._codes.get(device_code)
        if code is None or code.ends_at <= self.now():
            raise EntraRefusal(70020, "The provided value for the input parameter 'device_code' is not valid.", "expired_token")
        if code.declined:
            raise EntraRefusal(70018, "The user declined the authorization.", "authorization_declined")
        if code.person is None:
            message = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
            raise EntraRefusal(70016, message, "authorization_pending")
        return code.person

    def _shown(self, user_code: str) -> _Code:
        for code in self._codes.values():
            if code.user_code == user_code:
                return code
        raise KeyError(user_code)
