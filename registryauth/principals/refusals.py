"""What no record can be made of, refused before anything is sent or stored."""

from __future__ import annotations

import re

from registryauth._origin import Url
from registryauth._redact import printable
from registryauth.credentials import TOKEN_USERNAME
from registryauth.errors import ConfigurationError, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from registryauth.reference import Address

#: What a principal can be registered for (`Check` has the same words).
ACTIONS = ("pull", "push", "delete", "metadata_read", "catalog")
#: As Kubernetes has them, so that a label can be written there as it is (kubernetes.io, "Labels and Selectors").
_LABEL = r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
#: Characters of a label's value.
_MAX_LABEL_VALUE = 255


def refuse_unusable(account: str, secret: str) -> None:
    """A user name ends at the first colon in Basic (RFC 7617 §2), and no protocol carries a line break; raise `ConfigurationError`."""
    if not account or not secret:
        raise ConfigurationError(
            f"the {'user name' if not account else 'secret'} is empty", hint="nothing was sent, nothing stored; check where it comes from"
        )
    if account != TOKEN_USERNAME and (":" in account or not account.isprintable()):
        raise ConfigurationError(
            "a user name holds no colon and no control character",
            hint="at a colon HTTP would end the name (RFC 7617)",
        )
    if any(0xD800 <= ord(c) < 0xE000 for c in secret):
        raise ConfigurationError("the secret is not text in UTF-8", hint="is the terminal's encoding, or the file, the right one?")
    if any(ord(c) < 32 or ord(c) == 127 for c in secret):
        raise ConfigurationError(
            "the secret holds a control character, which no registry can be sent", hint="is there a line break too many in the file?"
        )


def refuse_no_url(realm: str) -> None:
    """Raise `ConfigurationError` unless *realm* is a URL."""
    try:
        Url.parse(realm)
    except TransportError:
        raise ConfigurationError(
            f"{printable(realm, 100)} is not the URL of a token server", hint="for example https://auth.example.com/token"
        ) from None


def refuse_shared_wildcard(address: Address, *, insecure: bool) -> None:
    """Raise `ConfigurationError` for a wildcard under a domain where others have hosts, too (DESIGN §4.4), or over plain http."""
    from registryauth.registries.tenancy import shared_domain

    if not address.is_wildcard:
        return
    if domain := shared_domain(address):
        raise ConfigurationError(
            f"{address} would cover hosts of others: everybody can have one under {domain}",
            hint="register each registry by its own name; a wildcard is for a domain that is all yours",
        )
    if insecure:
        raise ConfigurationError(
            f"{address} cannot be registered for plain http: that is allowed to one host, never to every host of a domain",
            hint="register the one host that needs it by its own name",
        )


def refuse_unknown_actions(actions: Iterable[str]) -> None:
    """Raise `ConfigurationError` for an action that no registry knows."""
    if unknown := [action for action in actions if action not in ACTIONS]:
        raise ConfigurationError(f"{printable(unknown[0], 40)!a} is no action", hint=f"one of {', '.join(ACTIONS)}")


def refuse_odd_labels(labels: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` for a label whose name is none or whose value is not one line of at most 255 characters."""
    for name, value in labels.items():
        if not re.fullmatch(_LABEL, name):
            raise ConfigurationError(
                f"{printable(name, 80)!a} is no name of a label", hint="letters and digits with . _ - between them, at most 63"
            )
        if len(value) > _MAX_LABEL_VALUE or not (value.isprintable() or not value):
            raise ConfigurationError(
                f"the label {name} holds more than a line of {_MAX_LABEL_VALUE} characters", hint="say it in --purpose, or shorter"
            )


def refuse_dates(not_before: int, expires_at: int) -> None:
    """Raise `ConfigurationError` where a secret would end before it begins."""
    if not_before and expires_at and expires_at <= not_before:
        raise ConfigurationError("the secret would expire before it may be used", hint="are the two dates exchanged?")
