from __future__ import annotations

import pytest

from registryauth.testing import Features, RegistrySimulator

from .asking import ask, basic, bearer, code, document


@pytest.fixture
def simulator():
    simulator = RegistrySimulator(auth="none")
    for tag in ("a", "B", "c", "d"):
        simulator.add_image("team/model", tag)
    return simulator


@pytest.mark.parametrize(("query", "tags", "link"), [
    ("?n=0", [], ""), ("?n=9", ["B", "a", "c", "d"], ""), ("?last=a", ["c", "d"], ""), ("?n=1&last=a", ["c"], "n=1&last=c"),
    ("?last=between", ["c", "d"], ""), ("?n=4", ["B", "a", "c", "d"], ""), ("?last=z", [], ""),
])  # fmt: skip
def test_tags_are_asked_for_by_number_and_last(simulator, query, tags, link):
    answer = ask(simulator, "GET", f"/v2/team/model/tags/list{query}")
    assert document(answer)["tags"] == tags
    assert answer.headers.get("link") == (f'</v2/team/model/tags/list?{link}>; rel="next"' if link else "")


@pytest.mark.parametrize("number", ["-1", "x", "9" * 5000])
def test_a_number_of_results_that_is_none_is_refused(simulator, number):
    assert code(ask(simulator, "GET", f"/v2/team/model/tags/list?n={number}")) == (400, "PAGINATION_NUMBER_INVALID")


def test_a_registry_may_give_less_than_asked_and_links_on(simulator):
    simulator.features = Features(page_size=3)
    first = ask(simulator, "GET", "/v2/team/model/tags/list?n=100")
    assert document(first)["tags"] == ["B", "a", "c"]
    assert first.headers.get("link") == '</v2/team/model/tags/list?n=100&last=c>; rel="next"'
    assert "n=" not in ask(simulator, "GET", "/v2/team/model/tags/list").headers.get("link")


def test_the_catalog_comes_in_pages(simulator):
    simulator.add_image("a", None)
    first = ask(simulator, "GET", "/v2/_catalog?n=1")
    assert (document(first), first.headers.get("link")) == ({"repositories": ["a"]}, '</v2/_catalog?n=1&last=a>; rel="next"')
    assert document(ask(simulator, "GET", "/v2/_catalog?n=1&last=a")) == {"repositories": ["team/model"]}
    simulator.features = Features(catalog=False)
    assert ask(simulator, "GET", "/v2/_catalog").status == 404


RIGHTS = {"narrow": ["pull"], "lister": ["catalog"], "patterned": {"team/*": ["pull", "catalog"]}}


@pytest.mark.parametrize(("username", "status"), [("robot", 200), ("narrow", 401), ("lister", 200), ("patterned", 200)])
def test_the_catalog_has_a_scope_of_its_own(username, status):
    simulator = RegistrySimulator(accounts=dict.fromkeys(["robot", *RIGHTS], "secret"), rights=RIGHTS)
    challenge = ask(simulator, "GET", "/v2/_catalog").headers.get("www-authenticate")
    assert challenge.endswith(',scope="registry:catalog:*"')
    token = bearer(simulator, "registry:catalog:*", username=username)
    assert ask(simulator, "GET", "/v2/_catalog", authorization=token).status == status


def test_rights_go_by_repository():
    rights = {"robot": {"team/*": ["pull", "push"], "team/ro": [], "*": ["pull"]}}
    simulator = RegistrySimulator(accounts={"robot": "secret"}, rights=rights)
    for repository in ("team/model", "other"):
        simulator.add_image(repository, "v1")
    token = bearer(simulator, "repository:team/model:pull,push,delete", "repository:other:pull,push")
    assert ask(simulator, "POST", "/v2/team/model/blobs/uploads/", authorization=token).status == 202
    assert ask(simulator, "DELETE", "/v2/team/model/manifests/v1", authorization=token).status == 401
    assert ask(simulator, "GET", "/v2/other/manifests/v1", authorization=token).status == 200
    assert ask(simulator, "POST", "/v2/other/blobs/uploads/", authorization=token).status == 401


def test_rights_by_repository_hold_for_passwords_too():
    simulator = RegistrySimulator(auth="basic", accounts={"robot": "s"}, rights={"robot": {"team/*": ["pull", "push"]}})
    login = basic("robot", "s")
    assert ask(simulator, "POST", "/v2/team/model/blobs/uploads/", authorization=login).status == 202
    assert ask(simulator, "POST", "/v2/other/blobs/uploads/", authorization=login).status == 403


def test_warnings_come_with_every_answer_in_their_form(simulator):
    simulator.features = Features(warnings=("your token will expire", "read only tomorrow"))
    for path in ("/v2/", "/v2/nothing/tags/list"):
        answer = ask(simulator, "GET", path)
        assert answer.headers.all("warning") == ['299 - "your token will expire"', '299 - "read only tomorrow"']


def test_the_rate_limit_is_announced_counted_and_over_in_time():
    now = 1_000_000.0
    simulator = RegistrySimulator(auth="none", clock=lambda: now, features=Features(rate_limit=(2, 60)))
    simulator.add_image("a", "v1")

    def said(method="GET"):
        answer = ask(simulator, method, "/v2/a/manifests/v1")
        return answer.status, answer.headers.get("ratelimit-remaining"), answer.headers.get("retry-after")

    assert [said("HEAD"), said(), said()] == [(200, "2;w=60", ""), (200, "1;w=60", ""), (200, "0;w=60", "")]
    now += 20
    assert said() == (429, "0;w=60", "40")
    assert ask(simulator, "GET", "/v2/a/tags/list").status == 200
    now += 40
    assert said() == (200, "1;w=60", "")
