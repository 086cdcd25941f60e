"""The tables of the page: what each principal may do, and who it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from registryauth.principals.rights import spoken
from registryauth.report.markup import Markup, element, joined

Principal: TypeAlias = dict[str, Any]
#: A registry as the document has it, and those of its principals that are shown.
Shown: TypeAlias = Sequence[tuple[dict[str, Any], Sequence[Principal]]]

_ACTIONS = {"pull": "Pull", "push": "Push", "delete": "Delete", "metadata_read": "Metadata", "catalog": "Catalog"}


def date(stamp: str | None, otherwise: str = "") -> Markup:
    """The day of *stamp*, with its second for machines."""
    return element("time", stamp[:10], datetime=stamp) if stamp else joined([otherwise])


def who(said: Principal) -> Markup:
    """The account, and below it where it is valid."""
    return joined([element("bdi", said["account"]), element("span", said["address"], class_="sub")])


def rights(shown: Shown) -> Markup:
    """Every registry's principals and their rights: one line for each repository that was looked at."""
    heads = ["Principal", "Where", *_ACTIONS.values(), "Whose word, and when"]
    return _table("cells rights", _caption_of_rights(), heads, ((registry, map(_right_rows, some)) for registry, some in shown))


def _caption_of_rights() -> str:
    return "For each repository that was looked at, what the registry lets each principal do. Nothing is ever tried by writing."


def _right_rows(said: Principal) -> Markup:
    checks = said["rights"]
    if not checks:
        word = element("span", "not known: its rights were never asked for", class_="quiet")
        return element("tr", _name(said, 1), element("td", word, colspan=str(len(_ACTIONS) + 2)))
    rows = []
    for at, check in enumerate(checks):
        first = [_name(said, len(checks))] if at == 0 else []
        cells = [element("td", _verdict(action, check, said), class_="right", data_name=name) for action, name in _ACTIONS.items()]
        where = element("td", check["repository"] or element("span", "the registry as a whole", class_="quiet"))
        rows.append(element("tr", *first, where, *cells, element("td", *_word(check), class_="word"), class_=None if first else "more"))
    return joined(rows)


def _name(said: Principal, rows: int) -> Markup:
    off = element("span", "disabled", class_="sub") if said["state"] == "disabled" else ""
    needs = element("span", f"needs to {spoken(said['needed'])}", class_="sub")
    spans = str(rows) if rows > 1 else None
    path = element("span", f"/{said['path']}", class_="sub") if said["path"] else ""
    return element("th", element("bdi", said["account"]), path, off, needs, scope="rowgroup" if spans else "row", rowspan=spans)


def _verdict(action: str, check: dict[str, Any], said: Principal) -> Markup:
    if action in check["not_needed"]:
        return element("span", "too much", class_="much")
    if action in check["granted"]:
        return element("span", "yes", class_="yes" if action in said["needed"] else "quiet")
    if action in check["lacking"]:
        return element("span", "missing", class_="missing")
    return element("span", "no", class_="no") if action in check["refused"] else _dash("not known")


def _dash(meaning: str) -> Markup:
    return element("span", element("span", "\u2013", aria_hidden="true"), element("span", meaning, class_="hidden"), class_="unknown")


def _word(check: dict[str, Any]) -> Iterable[str]:
    yield check["evidence"] or "nobody said"
    yield element("span", date(check["checked_at"]), class_="sub")
    others = [action for action in check["granted"] if action not in _ACTIONS]
    if others:
        yield element("span", "also granted: ", ", ".join(others), class_="much")


def principals(shown: Shown) -> Markup:
    """Who answers for each principal, what it is for, its dates, and what was given its secret."""
    heads = ["Principal", "Owner and purpose", "Secret ends", "Verified", "Last used here", "Given to"]
    return _table("cells", "Every account, with who answers for it and which targets hold its secret.", heads, (
        (registry, map(_principal_row, some)) for registry, some in shown
    ))  # fmt: skip


def _principal_row(said: Principal) -> Markup:
    kind = f"{said['kind'].replace('-', ' ')}, made by {said['made_by']}"
    path = element("span", f"/{said['path']}", class_="sub") if said["path"] else ""
    off = [element("span", "disabled ", date(said["disabled_at"]), class_="sub")] if said["state"] == "disabled" else []
    return element(
        "tr",
        element("th", element("bdi", said["account"]), path, element("span", kind, class_="sub"), *off, scope="row"),
        element("td", *_owner(said), data_name="Owner"),
        element("td", *_end(said), data_name="Ends", class_="ends"),
        element("td", date(said["verified_at"]) if said["verified_at"] else _never(), data_name="Verified"),
        element("td", date(said["last_used_at"]) if said["last_used_at"] else _never(), data_name="Last used here"),
        element("td", _consumers(said), data_name="Given to"),
    )


def _never() -> Markup:
    return element("span", "never", class_="quiet")


def _owner(said: Principal) -> Iterable[str]:
    yield element("bdi", said["owner"]) if said["owner"] else element("span", "nobody named", class_="quiet")
    for text in (said["purpose"], ", ".join(f"{name}={value}" for name, value in said["labels"].items())):
        if text:
            yield element("span", element("bdi", text), class_="sub")


def _end(said: Principal) -> Iterable[str]:
    if said["renews_itself"]:
        yield element("span", "renews itself", class_="quiet")
        return
    yield date(said["expires_at"]) if said["expires_at"] else element("span", "not said", class_="quiet")
    if said["state"] in STATES:
        yield element("span", said["state"], class_=f"sub {STATES[said['state']]}")
    for secret in said["secrets"]:
        if secret["role"] == "old":
            until = [" until ", date(secret["remove_after"])] if secret["remove_after"] else []
            yield element("span", f"secret {secret['serial']} kept", *until, class_="sub")


#: What is said of a date, and how loud.
STATES = {"expired": "bad", "expiring": "warn", "early": "warn"}


def _consumers(said: Principal) -> Markup:
    if not said["consumers"]:
        return element("span", "no target noted", class_="quiet")
    items = []
    for consumer in said["consumers"]:
        late = element("span", f"holds secret {consumer['serial']}, which is {consumer['secret']}", class_="sub warn")
        items.append(
            element(
                "li",
                element("bdi", consumer["target"]),
                element("span", consumer["format"], class_="sub"),
                late if consumer["secret"] != "current" else "",  # noqa: S105 - which one, not the secret
            )
        )
    return element("ul", *items, class_="plain")


def _table(class_: str, caption: str, heads: Sequence[str], groups: Iterable[tuple[dict[str, Any], Iterable[str]]]) -> Markup:
    """A table with a body for each registry, its name as the body's heading."""
    bodies = []
    for registry, rows in groups:
        provider = element("span", f" \u00b7 {registry['provider']}", class_="quiet") if registry["provider"] else ""
        title = [registry["registry"], provider]
        group = element("tr", element("th", *title, scope="rowgroup", colspan=str(len(heads))), class_="group")
        bodies.append(element("tbody", group, *rows))
    head = element(
        "thead",
        element("tr", *(element("th", name, scope="col", class_="action" if name in _ACTIONS.values() else None) for name in heads)),
    )
    return element("table", element("caption", caption), head, *bodies, class_=class_)
