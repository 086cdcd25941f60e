"""The report as one HTML page: no script, nothing fetched, readable on paper, in the dark and on a phone.

It is made of a `document` and of nothing else, so that whatever stands on it stands in ``--output json``, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from registryauth.report import tables
from registryauth.report.markup import Markup, element, joined, raw_style
from registryauth.report.style import CSS, policy
from registryauth.report.timeline import axis, months, scale, strip
from registryauth.report.words import DEFINITIONS, FIGURES, HEADINGS

#: How many of one kind a page shows before it refers to the data: a list that nobody reads to its end hides what comes after it.
MAX_ISSUES = 50
MAX_LINES = 40
MAX_PRINCIPALS = 500

_SECTIONS = {
    "attention": "Needs attention",
    "expiry": "Expiry",
    "rights": "Rights",
    "principals": "Principals",
    "words": "What the words mean",
}
_LOUD = {"expired": "bad", "over_privileged": "bad", "expiring": "warn", "never_used": "warn"}


def page(data: dict[str, Any]) -> str:
    """*data*, a `document`, as HTML."""
    shown = _shown(data)
    sections = [_attention(data), _expiry(data), _rights(data, shown), _principals(data, shown), _words()]
    body = element("body", _header(data), element("main", *sections), _footer(data))
    return f"<!DOCTYPE html>\n{element('html', _head(data), body, lang='en')}\n"


def _head(data: dict[str, Any]) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(CSS)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex, nofollow"),
        element("meta", name="generator", content=data["generator"]),
        element("title", f"Registry credentials, {data['generated_at'][:10]}"),
        raw_style(CSS),
    )


def _header(data: dict[str, Any]) -> Markup:
    asked = (
        "Every registry was asked for this page."
        if data["asked"]
        else "Rights are as they were last seen; no registry was asked for this page."
    )
    made = element("time", f"{data['generated_at'][:10]} {data['generated_at'][11:16]} UTC", datetime=data["generated_at"])
    links = [element("li", element("a", title, href=f"#{name}")) for name, title in _SECTIONS.items()]
    figures = [_figure(name, data) for name in FIGURES]
    return element(
        "header",
        element("h1", "Container registry credentials"),
        element("p", "As of ", made, ". ", asked, class_="quiet"),
        element("dl", *figures, class_="figures"),
        element("nav", element("ul", *links), aria_label="On this page"),
    )


def _figure(name: str, data: dict[str, Any]) -> Markup:
    count = data["figures"][name]
    title = FIGURES[name].format(span=data["expires_within"])
    loud = _LOUD.get(name) if count else "none" if name not in ("principals", "registries") else None
    return element("div", element("dt", title), element("dd", f"{count}"), class_=loud)


def _section(name: str, *children: str) -> Markup:
    return element("section", element("h2", _SECTIONS[name], id=name), *children, aria_labelledby=name)


def _attention(data: dict[str, Any]) -> Markup:
    groups = [(kind, list(some)) for kind, some in groupby(data["attention"], key=lambda issue: issue["what"])]
    if not groups:
        nothing = (
            "Nothing does."
            if data["figures"]["principals"]
            else "Nothing is registered yet; 'registryauth principal add' is where it begins."
        )
        return _section("attention", element("p", nothing))
    return _section("attention", *(_issues(kind, some) for kind, some in groups))


def _issues(kind: str, issues: Sequence[dict[str, Any]]) -> Markup:
    count = element("span", f"{len(issues)}", class_="count")
    items = [_issue(issue) for issue in issues[:MAX_ISSUES]]
    title = element("h3", HEADINGS[kind], " ", count)
    return element("div", title, element("ul", *items), _more(len(issues) - len(items)), class_="issues")


def _issue(issue: dict[str, Any]) -> Markup:
    owner = [element("span", "Owner: ", element("bdi", issue["owner"]), class_="sub")] if issue["owner"] else []
    mend = [element("p", _typed(issue["command"]), class_="mend")] if issue["command"] else []
    name = element("p", tables.who(issue), class_="who")
    left = element("div", name, *owner)
    right = element(
        "div", element("p", f"{_sentence(issue['detail'])}"), element("p", f"{_sentence(issue['next'])}", class_="quiet"), *mend
    )
    return element("li", left, right)


def _typed(command: str) -> Markup:
    """*command* as it is to be typed; a line ends between its words, and not at the hyphens of an option or an account."""
    spans = [element("span", word) for word in command.split(" ")]
    return element("code", spans[0], *(part for span in spans[1:] for part in (" ", span)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _more(count: int) -> Markup:
    """Where a list was cut short, how much is left."""
    if count <= 0:
        return joined([])
    return element("p", f"And {count} more; 'registryauth report --output json' has them all.", class_="quiet")


def _expiry(data: dict[str, Any]) -> Markup:
    everybody = [said for registry in data["registries"] for said in registry["principals"]]
    ending = [said for said in everybody if said["expires_at"] and not said["renews_itself"] and said["state"] != "disabled"]
    if not ending:
        return _section("expiry", element("p", "No date is known on which a secret ends."))
    ending.sort(key=lambda said: (said["expires_at"], said["address"], said["account"]))
    lines = ending[:MAX_LINES]
    return _section("expiry", _months(data), _timeline(data, lines), _more(len(ending) - len(lines)))


def _months(data: dict[str, Any]) -> Markup:
    expiries = data["expiries"]
    rest = [
        f"{expiries[name]} {words}"
        for name, words in (("expired", "expired already"), ("later", "end later"), ("not_said", "have no date"))
        if expiries[name]
    ]
    beside = f" Beside these, {', '.join(rest)}." if rest else ""
    return element("figure", months(expiries), element("figcaption", f"Secrets that end, by month.{beside}"), class_="months")


def _timeline(data: dict[str, Any], lines: Sequence[dict[str, Any]]) -> Markup:
    drawn = scale([said["expires_at"] for said in lines], data["generated_at"], data["expires_within_seconds"])
    heads = [element("th", name, scope="col", class_=class_) for name, class_ in (("Principal", "name"), ("Ends", "when"))]
    axis_head = element("th", element("span", "Timeline", class_="hidden"), axis(drawn), scope="col", class_="strip")
    rows = [_line(drawn, said) for said in lines]
    soon = data["expires_within"]
    caption = f"What ends first comes first. The shaded part is the next {soon}; a cross has expired, a diamond ends soon, a circle later."
    head = element("thead", element("tr", *heads, axis_head))
    return element("table", element("caption", caption), head, element("tbody", *rows), class_="timeline")


def _line(drawn: Any, said: dict[str, Any]) -> Markup:  # noqa: ANN401 - timeline.Scale
    when = [
        tables.date(said["expires_at"]),
        element("span", _left(said["outlook"]), class_=f"sub {tables.STATES.get(said['state'], '')}".strip()),
    ]
    name = element("th", tables.who(said), scope="row", class_="name")
    return element(
        "tr", name, element("td", *when, class_="when"), element("td", strip(drawn, said["expires_at"], said["state"]), class_="strip")
    )


def _left(outlook: str) -> str:
    """``in 5 days`` of ``expires in 5 days (2027-05-01)``: the date stands beside it."""
    return outlook.removeprefix("expires ").partition(" (")[0]


def _shown(data: dict[str, Any]) -> tables.Shown:
    """Registries with the principals that the tables show: all, or where they are too many, those that need attention before others."""
    found = [(registry, said) for registry in data["registries"] for said in registry["principals"]]
    if len(found) > MAX_PRINCIPALS:
        worst = sorted(range(len(found)), key=lambda at: (HEADINGS_RANK.get(next(iter(found[at][1]["attention"]), ""), len(HEADINGS)), at))
        found = [found[at] for at in sorted(worst[:MAX_PRINCIPALS])]
    return [
        (some[0][0], [said for _, said in some])
        for _, group in groupby(found, key=lambda each: each[0]["registry"])
        if (some := list(group))
    ]


HEADINGS_RANK = {kind: at for at, kind in enumerate(HEADINGS)}


def _left_out(data: dict[str, Any], shown: tables.Shown) -> Markup:
    return _more(data["figures"]["principals"] - sum(len(some) for _, some in shown))


def _rights(data: dict[str, Any], shown: tables.Shown) -> Markup:
    if not shown:
        return _section("rights", element("p", "There is nobody who could have any."))
    return _section("rights", tables.rights(shown), _left_out(data, shown))


def _principals(data: dict[str, Any], shown: tables.Shown) -> Markup:
    if not shown:
        return _section("principals", element("p", "None is registered."))
    return _section("principals", tables.principals(shown), _left_out(data, shown))


def _words() -> Markup:
    pairs = [part for name, words in DEFINITIONS.items() for part in (element("dt", name), element("dd", words))]
    return _section("words", element("dl", *pairs, class_="words"))


def _footer(data: dict[str, Any]) -> Markup:
    return element(
        "footer",
        element("p", f"Made by {data['generator']}. It holds no secret; it names accounts, registries and targets.", class_="quiet"),
    )
