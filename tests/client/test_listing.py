"""Tags and repositories come page by page, from the registry and from nowhere else."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from registryauth._http import Request
from registryauth.client import Client, RepositoryClient
from registryauth.credentials import Basic
from registryauth.errors import Error, NotFound, RealmRefused, RegistryError, SizeMismatch, TransportError
from registryauth.reference import Registry
from registryauth.testing import Features, RegistrySimulator

from .clients import CANARY, HOST, REPOSITORY, Answer, Wire, anonymous, app, at_once, client_of, robot

LIST = f"/v2/{REPOSITORY}/tags/list"


@pytest.fixture
def tagged() -> RegistrySimulator:
    """Seven tags, two to a page."""
    simulator = RegistrySimulator(auth="none", features=Features(page_size=2))
    for number in range(7):
        simulator.add_image(REPOSITORY, f"v{number}", [b"%d" % number])
    return simulator


def targets(simulator: RegistrySimulator) -> list[str]:
    return [request.url.target for request in simulator.requests]


def pages(*answers: tuple[str, object]) -> tuple[RepositoryClient, Wire]:
    """A registry whose pages are *answers*, each a Link and a document, the last of them again and again."""
    left = iter(answers[:-1])

    def answer(_: Request) -> Answer:
        link, page = next(left, answers[-1])
        return 200, {"link": link} if link else {}, page if isinstance(page, bytes) else json.dumps(page).encode()

    return anonymous(answer)


def test_all_pages_are_followed_in_order(tagged: RegistrySimulator) -> None:
    assert list(app(tagged).tags()) == [f"v{number}" for number in range(7)]
    assert len(tagged.requests) == 4


def test_a_page_is_asked_for_when_it_is_needed(tagged: RegistrySimulator) -> None:
    tags = app(tagged).tags()
    assert tagged.requests == []
    assert [next(tags), next(tags)] == ["v0", "v1"]
    assert len(tagged.requests) == 1
    next(tags)
    assert len(tagged.requests) == 2


def test_n_and_last_are_sent_and_not_lost_on_the_way(tagged: RegistrySimulator) -> None:
    tagged.features = Features()
    assert list(app(tagged).tags(last="v2", n=3)) == ["v3", "v4", "v5", "v6"]
    assert [parse_qs(urlsplit(target).query) for target in targets(tagged)] == [
        {"n": ["3"], "last": ["v2"]},
        {"n": ["3"], "last": ["v5"]},
    ]


def test_without_either_nothing_is_sent(tagged: RegistrySimulator) -> None:
    next(app(tagged).tags())
    assert targets(tagged) == [LIST]


def test_n_0_is_asked_for_and_is_nothing(tagged: RegistrySimulator) -> None:
    assert list(app(tagged).tags(n=0)) == []
    assert targets(tagged) == [f"{LIST}?n=0"]


def test_what_last_holds_is_escaped(tagged: RegistrySimulator) -> None:
    list(app(tagged).tags(last="a&n=1#x y"))
    assert parse_qs(urlsplit(targets(tagged)[0]).query) == {"last": ["a&n=1#x y"]}


@pytest.mark.parametrize("page", [{"tags": None}, {"tags": []}, {"name": REPOSITORY}], ids=str)
def test_no_tags_are_an_empty_list(page: object) -> None:
    repository, _ = pages(("", page))
    assert list(repository.tags()) == []


@pytest.mark.parametrize(
    "page",
    [
        {"tags": {}},
        {"tags": "v1"},
        {"tags": ""},
        {"tags": False},
        {"tags": 0},
        {"tags": [1]},
        {"tags": ["a", None]},
        {"tags": [["a"]]},
        [],
        None,
        "v1",
        b"",
        b"{",
        b"<html>",
        b"\xff",
        b"[" * 5000,
        b'{"tags":[NaN]}',
    ],
    ids=repr,
)
def test_what_is_no_list_of_tags_is_an_error(page: object) -> None:
    repository, _ = pages(("", page))
    with pytest.raises(RegistryError):
        list(repository.tags())


def test_a_huge_page_is_not_read() -> None:
    repository, _ = pages(("", b'{"tags":["' + b"x" * (4 * 1024 * 1024) + b'"]}'))
    with pytest.raises(SizeMismatch):
        list(repository.tags())


def test_a_page_in_the_middle_that_is_broken_ends_the_list_with_an_error() -> None:
    repository, _ = pages((f'<{LIST}?last=a>; rel="next"', {"tags": ["a"]}), ("", b"<html>"))
    tags = repository.tags()
    assert next(tags) == "a"
    with pytest.raises(RegistryError):
        next(tags)


def test_a_repository_that_is_not_there_is_not_found(tagged: RegistrySimulator) -> None:
    with pytest.raises(NotFound):
        list(client_of(tagged).repository(f"{HOST}/no/such").tags())


# Links.


@pytest.mark.parametrize(
    ("link", "onward"),
    [
        (f'<{LIST}?last=a>; rel="next"', f"https://{HOST}{LIST}?last=a"),
        (f"<{LIST}?last=a>; rel=next", f"https://{HOST}{LIST}?last=a"),
        ('<?last=a>; rel="next"', f"https://{HOST}{LIST}?last=a"),
        ('<list?last=a>; rel="next"', f"https://{HOST}{LIST}?last=a"),
        (f'<https://{HOST}/x?y=z>; rel="next"', f"https://{HOST}/x?y=z"),
        (f'<https://{HOST}:443/x>;rel="next"', f"https://{HOST}/x"),
        ('</a,b;c>; title="a, <b>; rel=no"; rel="next"', f"https://{HOST}/a,b;c"),
        ('</p>; rel="prev", </n>; rel="next"', f"https://{HOST}/n"),
        ('</n>; REL="NEXT"', f"https://{HOST}/n"),
        ('</n>; rel="prev next"', f"https://{HOST}/n"),
        ("</n>; title*=UTF-8''x; rel=next", f"https://{HOST}/n"),
    ],
)
def test_a_link_is_read_as_it_may_be_written(link: str, onward: str) -> None:
    repository, wire = pages((link, {"tags": ["a"]}), ("", {"tags": ["b"]}))
    assert list(repository.tags()) == ["a", "b"]
    assert wire.urls == [f"https://{HOST}{LIST}", onward]


@pytest.mark.parametrize("link", ['</p>; rel="prev"', "</n>; rel=nextest", "nonsense", "<>", '</n>; title="next"', "\u00e9", "<" * 8000])
def test_what_does_not_lead_on_is_the_end(link: str) -> None:
    repository, wire = pages((link, {"tags": ["a"]}))
    assert list(repository.tags()) == ["a"]
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    "link",
    [
        f'{LIST}?last=a; rel="next"',
        '<</x>; rel="next',
        f'<{LIST}?last={"a" * 9000}>; rel="next"',
        '<ftp://x.example/>; rel="next"',
        '</a b>; rel="next"',
        '<https://user:pw@r.example/>; rel="next"',
        '<https://>; rel="next"',
    ],
    ids=lambda link: link[:20],
)
def test_a_link_that_cannot_be_followed_does_not_cut_the_list_short_in_silence(link: str) -> None:
    repository, wire = pages((link, {"tags": ["a"]}))
    tags = repository.tags()
    assert next(tags) == "a"
    with pytest.raises((RegistryError, TransportError)) as caught:
        next(tags)
    assert "pw" not in str(caught.value)
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    "link",
    ["<" * 60_000, "<x>" + "; a=b" * 12_000, "<x>; a" + " " * 60_000, '<x>;rel="' + " next" * 12_000, ("; " * 30_000) + "next"],
    ids=lambda link: link[:8],
)
def test_no_link_takes_long_to_read(link: str) -> None:
    repository, _ = pages((link, {"tags": ["a"]}))
    start = time.process_time()
    with contextlib.suppress(RegistryError):
        list(repository.tags())
    assert time.process_time() - start < 2


@pytest.mark.parametrize("path", [LIST, f"https://{HOST}{LIST}", "", "?"])
def test_a_link_to_itself_is_a_circle(path: str) -> None:
    repository, wire = pages((f'<{path}>; rel="next"', {"tags": ["a"]}))
    with pytest.raises(RegistryError, match="circles"):
        list(repository.tags())
    assert len(wire.sent) <= 2


def test_a_longer_circle_ends_too() -> None:
    repository, wire = pages(
        ('</a>; rel="next"', {"tags": ["a"]}), ('</b>; rel="next"', {"tags": ["b"]}), ('</a>; rel="next"', {"tags": ["c"]})
    )
    with pytest.raises(RegistryError, match="circles"):
        list(repository.tags())
    assert len(wire.sent) == 3


def test_pages_without_end_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registryauth.client.listing._MAX_PAGES", 20)
    count = iter(range(10**6))
    repository, wire = anonymous(lambda _: (200, {"link": f'</{next(count)}>; rel="next"'}, b'{"tags":[]}'))
    with pytest.raises(RegistryError, match="more than 20 pages"):
        list(repository.tags())
    assert len(wire.sent) == 20


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "//evil.example/x",
        f"https://{HOST}:444/x",
        f"http://{HOST}/x",
        "https://169.254.169.254/",
        "https://127.0.0.1/",
    ],
)
def test_a_list_does_not_go_on_elsewhere(url: str) -> None:
    wire = Wire(lambda _: (200, {"link": f'<{url}>; rel="next"'}, b'{"tags":["a"]}'))
    repository = Client(robot(Basic("robot", CANARY)), transport=wire, sleep=at_once).repository(f"{HOST}/{REPOSITORY}")
    with pytest.raises((RealmRefused, RegistryError)):
        list(repository.tags())
    assert wire.urls == [f"https://{HOST}{LIST}"]


@pytest.mark.parametrize("link", ["/more", "https://evil.example/more"])
def test_where_a_redirect_led_has_no_say_in_where_the_list_goes_on(link: str) -> None:
    """Else the next page would be asked for there with the registry's credential."""

    def answer(request: Request) -> Answer:
        if request.url.origin.host == HOST:
            return 307, {"location": "https://evil.example/list"}, b""
        if request.url.target == "/list":
            return 200, {"link": f'<{link}>; rel="next"'}, b'{"tags":["a"]}'
        return 401, {"www-authenticate": "Basic realm=give"}, b""

    wire = Wire(answer)
    repository = Client(robot(Basic("robot", CANARY)), transport=wire, sleep=at_once).repository(f"{HOST}/{REPOSITORY}")
    with pytest.raises(Error, match=r"goes on at https://evil\.example"):
        list(repository.tags())
    assert not any(request.header("authorization") for request in wire.sent)
    assert wire.urls[1:] == ["https://evil.example/list"]


def test_a_circle_through_a_redirect_ends() -> None:
    def answer(request: Request) -> Answer:
        if request.url.target == "/shadow":
            return 200, {"link": f'<https://{HOST}{LIST}>; rel="next"'}, b'{"tags":["a"]}'
        return 307, {"location": "/shadow"}, b""

    repository, wire = anonymous(answer)
    with pytest.raises(RegistryError, match="circles"):
        list(repository.tags())
    assert len(wire.sent) <= 4


def test_every_page_is_asked_for_with_the_credential(simulator: RegistrySimulator) -> None:
    simulator.features = Features(page_size=1)
    assert list(app(simulator).tags()) == ["both", "v1", "v1-arm"]
    assert len(simulator.requests) == 5
    assert all(request.header("authorization") for request in simulator.requests[2:])


# Repositories.


def test_repositories_take_a_token_for_the_catalog() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, features=Features(page_size=2))
    for name in "abcde":
        simulator.add_image(f"team/{name}", "v1")
    found = client_of(simulator).repositories(HOST, last="team/a")
    assert simulator.requests == []
    assert list(found) == ["team/b", "team/c", "team/d", "team/e"]
    asked = next(request for request in simulator.requests if request.url.target.startswith("/token"))
    assert parse_qs(urlsplit(asked.url.target).query)["scope"] == ["registry:catalog:*"]
    assert [t.partition("?")[0] for t in targets(simulator)].count("/token") == 1


def test_a_registry_may_be_a_value_too() -> None:
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("team/a", "v1")
    assert list(client_of(simulator).repositories(Registry.parse(HOST), n=1)) == ["team/a"]
    assert targets(simulator)[0] == "/v2/_catalog?n=1"


def test_a_registry_without_a_catalog_says_so() -> None:
    simulator = RegistrySimulator(auth="none", features=Features(catalog=False))
    with pytest.raises(RegistryError):
        list(client_of(simulator).repositories(HOST))


def test_an_account_that_may_not_list_is_refused() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, rights={"robot": ["pull"]})
    with pytest.raises(Error) as caught:
        list(client_of(simulator).repositories(HOST))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("wrong", ["", "a b", "http://r.example", "r.example/team"])
def test_what_is_no_registry_is_refused(wrong: str) -> None:
    repository, wire = pages(("", {"repositories": []}))
    with pytest.raises(Error):
        list(repository.client.repositories(wrong))
    assert wire.sent == []


def test_a_list_can_be_left_in_the_middle(tagged: RegistrySimulator) -> None:
    tags = app(tagged).tags()
    assert isinstance(tags, Iterator)
    next(tags)
    tags.close()  # type: ignore[attr-defined]
    assert len(tagged.requests) == 1
