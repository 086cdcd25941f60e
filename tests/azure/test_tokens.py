"""Entra's tokens, kept until shortly before they die."""

from __future__ import annotations

import threading

import pytest

from registryauth.azure.tokens import MARGIN, AccessToken, Tokens
from registryauth.errors import AzureError


class Source:
    label = "the service principal deploy"

    def __init__(self, lifetime=3600.0):
        self.now, self.lifetime, self.asked = 1000.0, lifetime, []

    def token(self, scope):
        self.asked.append(scope)
        return AccessToken(f"canary-{len(self.asked)}", self.now + self.lifetime)


def test_a_token_is_asked_for_once_for_each_scope():
    source = Source()
    tokens = Tokens(source, lambda: source.now)
    assert [tokens.get("a"), tokens.get("a"), tokens.get("b")] == ["canary-1", "canary-1", "canary-2"]
    assert source.asked == ["a", "b"]


@pytest.mark.parametrize(("later", "asked"), [(3600 - MARGIN - 1, 1), (3600 - MARGIN, 2), (4000, 2)])
def test_a_token_is_renewed_shortly_before_its_end(later, asked):
    source = Source()
    tokens = Tokens(source, lambda: source.now)
    tokens.get("a")
    source.now += later
    tokens.get("a")
    assert len(source.asked) == asked


def test_what_was_dropped_is_asked_for_again():
    source = Source()
    tokens = Tokens(source, lambda: source.now)
    tokens.get("a")
    tokens.drop()
    assert tokens.get("a") == "canary-2"


def test_a_source_that_fails_is_asked_again_the_next_time():
    class Broken(Source):
        def token(self, scope):
            if not self.asked:
                self.asked.append(scope)
                raise AzureError("no")
            return super().token(scope)

    source = Broken()
    tokens = Tokens(source, lambda: source.now)
    with pytest.raises(AzureError):
        tokens.get("a")
    assert tokens.get("a") == "canary-2"


def test_threads_that_need_the_same_token_ask_once():
    source, ready = Source(), threading.Barrier(4)
    tokens = Tokens(source, lambda: source.now)

    def ask():
        ready.wait()
        tokens.get("a")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.asked == ["a"]


def test_a_token_is_never_shown():
    assert "canary" not in repr(AccessToken("canary", 1.0))
