"""What a registry says beside its answer reaches the person, once, and cannot do more than that."""

from __future__ import annotations

import pytest

from registryauth._http import Headers, Request
from registryauth.client import Client
from registryauth.client.notices import notices_of
from registryauth.testing import Features, RegistrySimulator

from .clients import HOST, REPOSITORY, at_once


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['299 - "this image is deprecated"'], ["this image is deprecated"]),
        (['299 - "one", 299 registry.example "two"'], ["one", "two"]),
        (['299 - "one"', '299 - "two"'], ["one", "two"]),
        (['299 - "a \\"quoted\\" word"'], ['a "quoted" word']),
        (['299 - "esc\x1b[31m and \u202e"'], ["esc [31m and"]),
        (['199 - "not for persistence"', "299 nonsense", '299 -"x"', ""], []),
        (['299 - ""'], []),
        (["299 - " + '"' * 5000], []),
    ],
)
def test_a_warning_is_read_as_the_specification_has_it(lines, said):
    assert notices_of(Headers([("Warning", line) for line in lines])) == said


def test_a_long_warning_is_cut():
    (said,) = notices_of(Headers([("warning", '299 - "' + "x" * 3000 + '"')]))
    assert len(said) <= 300


@pytest.mark.parametrize(
    ("limit", "left", "said"),
    [
        ("100;w=21600", "10;w=21600", ["the rate limit of 100 requests in 6 h is nearly used up"]),
        ("100;w=90", "0;w=90", ["the rate limit of 100 requests in 90 s is used up"]),
        ("100", "9", ["the rate limit of 100 requests is nearly used up"]),
        ("100;w=21600", "11;w=21600", []),
        ("100", "", []),
        ("", "0", []),
        ("many", "few", []),
        ("9" * 400, "0", []),
        ("\u0661\u0660\u0660", "\u0660", []),
    ],
)
def test_a_rate_limit_is_worth_a_word_when_little_of_it_is_left(limit, left, said):
    assert notices_of(Headers([("ratelimit-limit", limit), ("ratelimit-remaining", left)])) == said


def test_a_client_passes_each_warning_on_once():
    simulator = RegistrySimulator(auth="none", features=Features(warnings=("retired soon",)))
    simulator.add_image(REPOSITORY, "v1")
    heard: list[str] = []
    with Client(transport=simulator.transport(), sleep=at_once, notice=heard.append) as client:
        repository = client.repository(f"{HOST}/{REPOSITORY}")
        for _ in range(3):
            repository.manifest("v1")
    assert heard == [f"{HOST}: retired soon"]


def test_a_warning_of_where_a_redirect_led_is_not_the_registrys():
    simulator = RegistrySimulator(auth="none", blob_redirect="https://storage.example/")
    digest = simulator.add_blob(b"x")

    def warn(request: Request, response):
        if request.url.origin.host == "storage.example":
            response.headers = Headers([*response.headers, ("warning", '299 - "buy now"')])
        return response

    simulator.alter(warn)
    heard: list[str] = []
    client = Client(transport=simulator.transport(), sleep=at_once, notice=heard.append)
    with client, client.repository(f"{HOST}/{REPOSITORY}").open(digest) as answer:
        assert answer.read(10) == b"x"
    assert heard == []


def test_a_registry_that_never_stops_warning_is_not_listened_to_for_ever():
    simulator = RegistrySimulator(auth="none")
    simulator.add_image(REPOSITORY, "v1")
    count = iter(range(1000))

    def warn(_: Request, response):
        response.headers = Headers([*response.headers, ("warning", f'299 - "warning {next(count)}"')])
        return response

    simulator.alter(warn)
    heard: list[str] = []
    with Client(transport=simulator.transport(), sleep=at_once, notice=heard.append) as client:
        for _ in range(50):
            client.repository(f"{HOST}/{REPOSITORY}").manifest("v1")
    assert len(heard) == 20
