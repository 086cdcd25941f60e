from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registryauth._redact import printable
from registryauth.report import document, page
from registryauth.report.markup import MAX_TEXT
from registryauth.report.page import MAX_ISSUES, MAX_LINES, MAX_PRINCIPALS
from registryauth.report.words import DEFINITIONS, FIGURES, HEADINGS

from ..principals.a_principal import PRINCIPALS
from .a_fleet import CANARY, NOW, WITHIN, check, consumer, fleet, principal, slot
from .conftest import Tree


@pytest.fixture
def made(report, tree):
    return tree(page(report()))


def test_it_runs_nothing_and_fetches_nothing(made):
    known = (
        "html head meta title style body header h1 h2 h3 p time dl dt dd div nav ul li a main section code span bdi footer "
        "figure figcaption svg rect text line circle path table caption thead tbody tr th td"
    )
    assert {element.tag for element in made.elements} <= set(known.split())
    names = {name for element in made.elements for name in element.attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "srcset", "style", "action", "formaction", "xlink:href"}
    assert {element.attributes["href"][0] for element in made["a"]} == {"#"}


def test_the_policy_allows_its_own_stylesheet_and_nothing_else(report):
    text = page(report())
    (css,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy in [element.attributes.get("content") for element in Tree(text)["meta"]]
    assert "url(" not in css
    assert "@import" not in css
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_every_figure_at_its_head_is_the_documents(report, tree):
    data = report()
    made = tree(page(data))
    shown = [element.text for element in made["dd"] if "header" in element.within]
    assert shown == [str(data["figures"][name]) for name in FIGURES]


def test_every_number_on_it_is_in_the_document(report, tree):
    """But for the numbers of lists that everybody can count, and the years and days along the timeline's edge."""
    data = report(used=lambda _: 0)
    made = tree(page(data))
    ticks = [element.text for element in made["text"] if "thead" in element.within]
    known = json.dumps([data, list(DEFINITIONS.values()), ticks])
    counts = {str([issue["what"] for issue in data["attention"]].count(kind)) for kind in HEADINGS}
    numbers = {number for tag, text in made.texts if tag != "style" for number in re.findall(r"\d+", text)}
    assert len(numbers) > 40
    assert numbers - counts <= set(re.findall(r"\d+", known))


def test_everything_that_needs_attention_is_on_it_with_its_command(report, tree):
    data = report(used=lambda _: 0)
    made = tree(page(data))
    assert [element.text for element in made["code"]] == [issue["command"] for issue in data["attention"]]
    kinds = list(dict.fromkeys(issue["what"] for issue in data["attention"]))
    assert [element.text.rpartition(" ")[0] for element in made["h3"]] == [HEADINGS[kind] for kind in kinds]


def test_the_matrix_says_in_words_what_is_granted_refused_and_not_known(report, tree):
    rights = (check("x", "pull push", "catalog"), check("y", "", "pull"))
    made = tree(page(report([principal("r.example", "me", checks=rights), principal("s.example", "you")])))
    cells = [(element.attributes["data-name"], element.text) for element in made["td"] if element.attributes.get("class") == "right"]
    names = ["Pull", "Push", "Delete", "Metadata", "Catalog"]
    unknown = "\N{EN DASH}not known"
    assert [text for _, text in cells] == ["yes", "too much", unknown, unknown, "no", "missing", *[unknown] * 4]
    assert [name for name, _ in cells] == names * 2
    assert [element.text for element in made["td"] if "never asked" in element.text] == ["not known: its rights were never asked for"]


def test_tables_and_drawings_say_what_they_are(made):
    tables = len(made["table"])
    assert tables == len(made["caption"]) == 3
    assert {element.attributes.get("scope") for element in made["th"]} <= {"col", "row", "rowgroup"}
    drawings = [element for element in made["svg"] if "svg" not in element.within]
    assert all(element.attributes.get("aria-hidden") == "true" or element.attributes.get("aria-label") for element in drawings)
    (root,) = made["html"]
    assert root.attributes == {"lang": "en"}
    assert [element.text for element in made["h1"]] == ["Container registry credentials"]
    identifiers = [element.attributes["id"] for element in made.elements if "id" in element.attributes]
    assert {f"#{name}" for name in identifiers} == {element.attributes["href"] for element in made["a"]}
    assert len(identifiers) == len(set(identifiers))


def test_each_line_of_the_timeline_has_its_date_beside_it(report, tree):
    data = report()
    ending = sorted(p["expires_at"] for r in data["registries"] for p in r["principals"] if p["expires_at"] and p["state"] != "disabled")
    made = tree(page(data))
    marks = [element for element in made.elements if element.attributes.get("class", "").startswith("mark")]
    dated = [e.attributes["datetime"] for e in made["time"] if "tbody" in e.within and "td" in e.within][: len(marks)]
    assert dated == ending
    assert {element.attributes["class"] for element in marks} == {"mark expired", "mark expiring", "mark ok"}


@pytest.mark.parametrize(
    ("records", "words"), [([], "Nothing is registered yet"), ([principal("r.example", "me", slot(None), verified_at=5)], "Nothing does")]
)
def test_where_there_is_nothing_to_say_it_says_so(report, records, words):
    text = page(report(records))
    assert words in text
    assert "No date is known on which a secret ends." in text


def test_a_page_of_very_many_stays_a_page(report, tree):
    records = [principal(f"r{at % 50}.example", f"a{at}", slot(at % 400 - 60)) for at in range(MAX_PRINCIPALS + 200)]
    data = report(records)
    text = page(data)
    made = tree(text)
    assert len(text) < 2_000_000
    assert len([element for element in made.elements if element.attributes.get("class", "").startswith("mark")]) == MAX_LINES
    expired = data["figures"]["expired"]
    assert len([e for e in made["li"] if "main" in e.within]) == sum(
        min(MAX_ISSUES, data["figures"][name]) for name in ("expired", "expiring", "never_verified")
    )
    said = [element.text for element in made["p"] if element.text.startswith("And ")]
    assert f"And {expired - MAX_ISSUES} more; 'registryauth report --output json' has them all." in said
    assert sum("And 200 more;" in text for text in said) == 2
    # Whoever needs attention most is among those that are shown.
    assert all(f">{p['account']}<" in text for r in data["registries"] for p in r["principals"] if "expired" in p["attention"])


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["</style><script>alert(1)</script>", "<!--", "-->", "\"'><img src=x onerror=y>", "&lt;&amp;&#0;", "]]>", "\u202eevil\u202c", "\u2066x",
     "\x00\x1b[31m\x7f\x85", "a\r\nb\tc", "\ud800", "<![CDATA[", "\u0627\u0644\u0645\u0627\u0644\u0643", "x" * 700, "</bdi></td></table>"]
)  # fmt: skip


def hostile(text):
    """A principal of which everything that is free text says *text*, after a letter, so that nothing is empty."""
    return principal(
        "r.example", f"b{text}", slot(5), owner=f"c{text}", purpose=f"d{text}", labels=((f"e{text}", f"f{text}"),), tenant=f"g{text}",
        checks=(check("x", evidence=f"h{text}"),), consumers=(consumer(f"i{text}", shape=f"j{text}"),),
    )  # fmt: skip


@settings(max_examples=150)
@given(TEXTS)
def test_no_text_from_the_store_becomes_anything_but_text(text):
    harmless, made = (Tree(page(document([hostile(each)], lambda _: 0, NOW, WITHIN))) for each in ("x", text))
    assert [(e.tag, list(e.attributes)) for e in made.elements] == [(e.tag, list(e.attributes)) for e in harmless.elements]
    texts = {e.text for e in made.elements}
    for letter in "bcdij":
        assert squeezed(printable(letter + text, MAX_TEXT)) in {squeezed(each) for each in texts}
    assert all(c.isprintable() for e in made.elements if e.tag not in ("html", "head", "style") for c in e.text)


def squeezed(text):
    return " ".join(text.split())


@settings(max_examples=60)
@given(st.lists(PRINCIPALS, max_size=4, unique_by=lambda record: record.key), st.integers(1, 2**40))
def test_whatever_is_stored_gives_a_page(records, within):
    made = Tree(page(document(records, lambda _: 0, NOW, within)))
    assert all(
        "%" not in value or -1 <= float(value.rstrip("%")) <= 101
        for e in made.elements
        for name, value in e.attributes.items()
        if name in ("x", "x1", "x2", "width")
    )


def test_the_same_document_gives_the_same_page(report):
    assert page(report()) == page(report())


def test_no_secret_is_on_it(report):
    assert CANARY not in page(report(used=lambda _: 0))
    assert CANARY in fleet()[0].slots[0].secret
