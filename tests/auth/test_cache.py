"""Tokens are found again by who asked whom for what, and by nobody else."""

from __future__ import annotations

import threading

import pytest

from registryauth.auth import cache as module
from registryauth.auth.cache import MARGIN, TokenCache, TokenKey
from registryauth.auth.exchange import Token
from registryauth.auth.scope import Scope

KEY = TokenKey("https://a.example/token", "a.example", "store:1")
PULL = (Scope.parse("repository:app:pull"),)
PUSH = (Scope.parse("repository:app:pull,push"),)
OTHER = (Scope.parse("repository:other:pull"),)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> TokenCache:
    return TokenCache(clock)


def test_a_token_is_given_for_what_it_was_got_for(cache: TokenCache) -> None:
    token = Token("t", 2000.0)
    cache.put(KEY, PULL, token)
    assert cache.get(KEY, PULL) is token
    assert cache.get(KEY, OTHER) is None


def test_a_wider_token_serves_and_a_narrower_one_does_not(cache: TokenCache) -> None:
    cache.put(KEY, PUSH, Token("wide", 2000.0))
    found = cache.get(KEY, PULL)
    assert found is not None
    assert found.value == "wide"
    cache.clear()
    cache.put(KEY, PULL, Token("narrow", 2000.0))
    assert cache.get(KEY, PUSH) is None


def test_the_order_of_scopes_does_not_matter(cache: TokenCache) -> None:
    cache.put(KEY, (*PULL, *OTHER), Token("t", 2000.0))
    assert cache.get(KEY, (*OTHER, *PULL)) is not None


def test_a_token_is_not_given_when_it_is_about_to_die(cache: TokenCache, clock: Clock) -> None:
    cache.put(KEY, PULL, Token("t", 2000.0))
    clock.now = 2000.0 - MARGIN - 0.001
    assert cache.get(KEY, PULL) is not None
    clock.now = 2000.0 - MARGIN
    assert cache.get(KEY, PULL) is None


def test_a_dying_wider_token_is_not_given_either(cache: TokenCache, clock: Clock) -> None:
    cache.put(KEY, PUSH, Token("t", 2000.0))
    clock.now = 2000.0
    assert cache.get(KEY, PULL) is None


@pytest.mark.parametrize(
    "other",
    [
        KEY.replace(identity="store:2"),
        KEY.replace(identity="anonymous"),
        KEY.replace(realm="https://b.example/token"),
        KEY.replace(service="b"),
    ],
)
def test_another_account_realm_or_service_gets_nothing(cache: TokenCache, other: TokenKey) -> None:
    cache.put(KEY, PUSH, Token("t", 2000.0))
    assert cache.get(other, PUSH) is None
    assert cache.get(other, PULL) is None
    assert cache.get(other, ()) is None


def test_a_refused_token_is_forgotten_wherever_it_was_kept(cache: TokenCache) -> None:
    refused, good = Token("refused", 2000.0), Token("good", 2000.0)
    cache.put(KEY, PULL, refused)
    cache.put(KEY, PUSH, refused)
    cache.put(KEY, OTHER, good)
    cache.drop(refused)
    assert cache.get(KEY, PULL) is None
    assert cache.get(KEY, OTHER) is good


def test_dropping_a_token_leaves_the_newer_one_that_took_its_place(cache: TokenCache) -> None:
    old, new = Token("old", 2000.0), Token("new", 2000.0)
    cache.put(KEY, PULL, old)
    cache.put(KEY, PULL, new)
    cache.drop(old)
    assert cache.get(KEY, PULL) is new


def test_after_a_logout_nothing_is_left(cache: TokenCache) -> None:
    cache.put(KEY, PULL, Token("t", 2000.0))
    cache.clear()
    assert cache.get(KEY, PULL) is None


def test_dead_tokens_make_room_first_and_then_the_oldest(cache: TokenCache, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_TOKENS", 3)
    scopes = [(Scope.parse(f"repository:app{n}:pull"),) for n in range(5)]
    cache.put(KEY, scopes[0], Token("lasting", 9000.0))
    cache.put(KEY, scopes[1], Token("short", 1100.0))
    cache.put(KEY, scopes[2], Token("lasting", 9000.0))
    clock.now = 1095.0
    cache.put(KEY, scopes[3], Token("lasting", 9000.0))
    assert [cache.get(KEY, scope) is not None for scope in scopes] == [True, False, True, True, False]
    cache.put(KEY, scopes[4], Token("lasting", 9000.0))
    assert [cache.get(KEY, scope) is not None for scope in scopes] == [False, False, True, True, True]


def test_renewing_a_kept_token_drops_no_other(cache: TokenCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_TOKENS", 2)
    cache.put(KEY, PULL, Token("a", 2000.0))
    cache.put(KEY, OTHER, Token("b", 2000.0))
    cache.put(KEY, OTHER, Token("b again", 2000.0))
    assert cache.get(KEY, PULL) is not None


def test_the_cache_stands_many_threads(cache: TokenCache) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(150):
                scopes = (Scope.parse(f"repository:app{(number + turn) % 40}:pull"),)
                token = Token(f"{number}-{turn}", 9000.0)
                cache.put(KEY, scopes, token)
                cache.get(KEY, (Scope.parse("repository:absent:pull"),))
                cache.drop(token)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_neither_a_key_nor_a_token_shows_a_secret() -> None:
    assert "canary" not in repr((KEY, Token("canary", 2000.0), {KEY: Token("canary", 1.0)}))
