"""HTML, one element at a time; the only place where text becomes HTML, and so the only one that escapes it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from registryauth._redact import printable

#: Characters of one text on a page: a consumer's target is the longest that anybody wants to read to its end.
MAX_TEXT = 600

_VOID = frozenset({"meta", "col", "br", "hr", "rect", "line", "circle", "path"})


class Markup(str):
    """HTML already: what `element` makes, and what it takes without escaping it."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | None) -> Markup:
    """``<name attribute="value">children</name>``; every child that is no `Markup` is text, and is escaped like each value.

    ``class_`` is the attribute class, ``stroke_width`` stroke-width. An attribute that is None is left out. *name* and the
    attributes' names are written by us, never taken from data.
    """
    said = "".join(f' {key.strip("_").replace("_", "-")}="{_text(value)}"' for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Markup(f"<{name}{said}>") if name in ("meta", "col", "br", "hr") else Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Markup:
    """*children* one after the other, text escaped."""
    return Markup("".join([child if type(child) is Markup else _text(child) for child in children]))


def raw_style(css: str) -> Markup:
    """A style element with *css*, which is ours; raise `ValueError` for one that would end it."""
    if "<" in css:
        raise ValueError("a stylesheet has no use for '<', and could end its own element with it")
    return Markup(f"<style>{css}</style>")


def visible(text: str) -> str:
    """*text* as a page shows it: on one line, without controls or what turns the reading direction around, `MAX_TEXT` long at most."""
    return text if len(text) <= MAX_TEXT and text.isprintable() else printable(text, MAX_TEXT)


def _text(text: str) -> str:
    return escape(visible(text))
