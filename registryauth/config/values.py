"""What a setting may be: checked, and complained about with the place where it stands."""

from __future__ import annotations

import re

from registryauth._origin import Url
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.config.keys import KEYS, PATHS, SOURCES, Takes
from registryauth.errors import ConfigurationError, InvalidReference, TransportError
from registryauth.reference import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Of a `helper_timeout`.
MAX_SECONDS = 600
#: Keys that hold a span of time.
_SPANS = ("cache", "expiry_warning")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def span(text: str) -> int:
    """Seconds of a span like ``90s``, ``30m``, ``12h``, ``14d`` or ``2w``; raise `ConfigurationError` for anything else."""
    if not (found := re.fullmatch(r"([0-9]{1,6})([smhdw])", text)):
        raise ConfigurationError(f"{printable(text, 40)!a} is not a span of time", hint="for example 12h, 14d or 2w")
    return int(found[1]) * _UNITS[found[2]]


class Place(Value):
    """Where a value stands, for a complaint about it."""

    file: str = ""
    key: str = ""
    line: int = 0
    whose: str = ""

    def error(self, complaint: str, hint: str = "") -> ConfigurationError:
        """The error to raise: what is wrong with the value that stands here."""
        where = f"{printable(self.file)}{f', line {self.line}' if self.line else ''}: " if self.file else ""
        return ConfigurationError(
            f"{where}{printable(self.whose or self.key)} {complaint}", file=self.file, key=self.key, line=self.line, hint=hint
        )


def _check_realm(value: str, place: Place) -> None:
    try:
        Url.parse(value)
    except TransportError:
        raise place.error("must be the URL of a token server", "for example https://auth.example.com/token") from None


def _mirror(entry: object, place: Place) -> str:
    """A mirror's address, canonical."""
    hint = 'for example ["mirror.example", "other.example:5000/prefix"]'
    if not isinstance(entry, str) or not entry:
        raise place.error("must name each mirror in double quotes", hint)
    if "://" in entry:
        # Whether it is asked in the clear is not this line's to say.
        raise place.error(
            "must name each mirror without https:// or http://", "plain http is allowed by insecure = true in the mirror's own table"
        )
    try:
        # Written down on purpose, as the registries themselves are.
        return str(Address.parse(entry, known=(re.split("[:/]", entry)[0].lower(),)))
    except InvalidReference:
        raise place.error("names a mirror that is no address", hint) from None


def from_text(text: str, key: str, variable: str, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - the type that the key has
    """What *variable* says for *key*: a list is written with commas."""
    place = Place(key=key, whose=variable)
    wanted: Takes = KEYS[key][0]
    value: object = text
    if wanted is bool:
        words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
        if text.lower() not in words:
            raise place.error("must be true or false")
        value = words[text.lower()]
    elif wanted is int:
        if not re.fullmatch("[0-9]{1,9}", text):
            raise place.error("must be a whole number")
        value = int(text)
    elif wanted is list:
        value = [word.strip() for word in text.split(",") if word.strip()]
    return expanded(setting(value, key, wanted, place), environ, key)


def setting(given: object, key: str, wanted: Takes, place: Place) -> Any:  # noqa: ANN401 - the type that the key has
    """*given* as what *key*, a dotted one or the last part of a registry's, holds; raise for anything that it does not take."""
    value = _checked(given, wanted, place)
    name = key.rpartition(".")[2]
    if name in _SPANS and value:
        try:
            span(str(value))
        except ConfigurationError:
            raise place.error("must be a span of time", "for example 12h, 14d or 2w") from None
    if name == "realm" and value:
        _check_realm(value, place)
    if name == "mirrors":
        return tuple(_mirror(entry, place) for entry in value)
    if name == "order":
        return tuple(_checked(entry, SOURCES, place) for entry in value)
    if wanted is int and not 0 < value <= MAX_SECONDS:
        raise place.error(f"must be a number from 1 to {MAX_SECONDS}")
    return value


_KIND_OF_VALUE: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text in double quotes",
    list: "a list in square brackets",
}


def _checked(value: object, wanted: Takes, place: Place) -> Any:  # noqa: ANN401 - the type that the key has
    if isinstance(wanted, tuple):
        if not isinstance(value, str) or value not in wanted:
            from difflib import get_close_matches

            near = get_close_matches(value, wanted, 1) if isinstance(value, str) else []
            raise place.error("must be one of " + ", ".join(filter(None, wanted)), f"did you mean {near[0]}?" if near else "")
    elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise place.error(f"must be {_KIND_OF_VALUE[wanted]}")
    elif isinstance(value, str) and "\0" in value:
        raise place.error("holds a NUL character")
    return value


def expanded(value: Any, environ: Mapping[str, str], key: str) -> Any:  # noqa: ANN401 - as it came
    """*value*, its ``~/`` replaced where *key* (or no key) says that it is a path."""
    if isinstance(value, str) and (not key or key in PATHS) and value.startswith("~/"):
        from registryauth._paths import home_dir

        return f"{home_dir(environ)}{value[1:]}"
    return value


def shown(value: object) -> str:
    """*value* as `config show` prints it."""
    if isinstance(value, tuple):
        return ", ".join(printable(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else printable(str(value))
