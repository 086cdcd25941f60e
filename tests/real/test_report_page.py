"""The report's page in Chromium: in the light, in the dark, on a phone, on paper."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registryauth.report import document, page

from ..report.a_fleet import NOW, WITHIN, check, fleet, principal, slot
from .chromium import Page, chromium

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    # Chromium makes sockets in it, whose names must be short.
    with (
        tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as profile,
        chromium(program("chromium"), Path(profile)) as page,
    ):
        yield page


@pytest.fixture
def opened(browser: Page, tmp_path: Path) -> Callable[[str], Page]:
    """The browser, with a page of this HTML in it."""

    def opened(html: str) -> Page:
        browser.complaints.clear()
        browser.requested.clear()
        (tmp_path / "report.html").write_bytes(html.encode())
        browser.open(tmp_path / "report.html")
        return browser

    return opened


@pytest.fixture
def html() -> str:
    long = "m" * 300
    records = [*fleet(), principal("r.example/" + "p" * 120, long, slot(3), owner=long, purpose=long, checks=(check("p" * 120),))]
    return page(document(records, lambda key: 0 if "robot" in key.account else NOW, NOW, WITHIN))


def test_it_asks_for_nothing_but_itself_and_nothing_is_complained_of(opened: Callable[[str], Page], html: str) -> None:
    shown = opened(html)
    assert [url.rpartition("/")[2] for url in shown.requested] == ["report.html"]
    assert shown.complaints == []
    # Its own stylesheet is let through by the policy: without it a page has the browser's own margin.
    assert shown.evaluate("getComputedStyle(document.body).maxWidth") == "1152px"
    assert shown.evaluate("document.title").startswith("Registry credentials, 2026-11-22")


@pytest.mark.parametrize(
    "more",
    [
        "<img src='http://127.0.0.1:9/x.png'>",
        "<script>document.title = 'run'</script>",
        "<p style='color: red'>x</p>",
        "<style>p{color:red}</style>",
    ],
)
def test_the_policy_stops_what_might_ever_get_onto_it(opened: Callable[[str], Page], html: str, more: str) -> None:
    shown = opened(html.replace("<main>", f"<main>{more}"))
    assert any("Content Security Policy" in text for text in shown.complaints), shown.complaints
    assert shown.evaluate("document.title") != "run"


@pytest.mark.parametrize("width", [1180, 960, 760, 704, 400, 320])
def test_it_fits_its_window(opened: Callable[[str], Page], html: str, width: int) -> None:
    shown = opened(html)
    shown.show(width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= shown.evaluate("document.documentElement.clientWidth")
    # What sticks out of the page's own margin would be cut on paper.
    wide = "[...document.querySelectorAll('main *')].filter(e => !e.closest('svg') && !e.closest('.hidden')"
    inside = "e.getBoundingClientRect().right > document.documentElement.clientWidth"
    assert shown.evaluate(f"{wide} && {inside}).map(e => e.outerHTML.slice(0, 200))") == []


def test_light_dark_and_narrow_are_three_pictures(opened: Callable[[str], Page], html: str, tmp_path: Path) -> None:
    shown = opened(html)
    grounds, pictures = [], []
    for name, width, dark in (("light", 1180, False), ("dark", 1180, True), ("narrow", 400, False)):
        shown.show(width, dark=dark)
        pictures.append(shown.screenshot(tmp_path / f"{name}.png", whole=False))
        grounds.append(shown.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert all(picture.startswith(b"\x89PNG") and len(picture) > 10_000 for picture in pictures)
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 27)", "rgb(255, 255, 255)"]
    assert len(set(pictures)) == 3


def test_it_is_printed_in_black_on_white_a4_whatever_the_screen_likes(opened: Callable[[str], Page], tmp_path: Path) -> None:
    shown = opened(page(document(fleet(), lambda _: 0, NOW, WITHIN)))
    shown.show(1180, dark=True)
    printed = shown.print_to(tmp_path / "report.pdf")
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 5
    assert {tuple(round(float(n)) for n in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", printed)} == {(0, 0, 595, 842)}
    shown("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown("Emulation.setEmulatedMedia", media="")


def test_a_reader_of_screens_finds_headings_tables_and_names(opened: Callable[[str], Page], html: str) -> None:
    shown = opened(html)
    shown.show(400)
    nodes = shown("Accessibility.getFullAXTree")["nodes"]
    found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node]
    roles = [role for role, _ in found]
    # On a phone tables are laid out as blocks, and must stay tables.
    assert roles.count("table") == 3
    assert {"rowheader", "columnheader", "cell", "navigation", "main"} <= set(roles)
    assert {("heading", title) for title in ("Container registry credentials", "Needs attention", "Expiry", "Rights")} <= set(found)
    assert any(role in ("image", "img") and name.startswith("Secrets that end, by month: 2026-1") for role, name in found)


def test_ten_thousand_principals_open(opened: Callable[[str], Page]) -> None:
    records = [
        principal(f"r{at % 200}.example/t{at % 7}", f"account-{at}", slot(at % 700 - 50), checks=(check("a", "pull push"), check("b")))
        for at in range(10_000)
    ]
    html = page(document(records, lambda _: 0, NOW, WITHIN))
    assert len(html) < 3_000_000
    shown = opened(html)
    assert shown.complaints == []
    assert shown.evaluate("document.querySelector('.figures dd').textContent") == "10000"
