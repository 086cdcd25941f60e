from __future__ import annotations

import threading
import time

import pytest

from registryauth.credentials import Basic
from registryauth.errors import SourceFailed
from registryauth.resolver.asked_helpers import KEEP, KEEP_ABSENT, KEEP_BROKEN, MAX_ANSWERS, AskedHelpers

CANARY = "canary-7f3a"


class Helper:
    """Answers each question with what it was made with, or raises it, and keeps the questions."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def __call__(self, name, server, environ, *, timeout):
        self.asked.append((name, server, timeout))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "keep"), [(Basic("me", CANARY), KEEP), (None, KEEP_ABSENT), (SourceFailed("it broke", hint="mend it"), KEEP_BROKEN)]
)
def test_each_answer_holds_for_its_time_and_no_longer(answer, keep):
    now, helper = [0.0], Helper(answer)
    asked = AskedHelpers(7, ask=helper, clock=lambda: now[0])

    def ask():
        try:
            return asked("team", "host.example", {})
        except SourceFailed as error:
            return error.message, error.hint

    said = ("it broke", "mend it") if isinstance(answer, Exception) else answer
    for moment, asked_so_far in ((0.0, 1), (keep - 1, 1), (keep, 2), (keep + 1, 2)):
        now[0] = moment
        assert ask() == said
        assert helper.asked == [("team", "host.example", 7)] * asked_so_far


def test_another_server_and_another_helper_are_other_questions():
    helper = Helper(None)
    asked = AskedHelpers(ask=helper)
    for name, server in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")):
        asked(name, server, {})
    assert [question[:2] for question in helper.asked] == [("a", "x"), ("a", "y"), ("b", "x")]


def test_an_error_is_a_new_one_each_time():
    asked = AskedHelpers(ask=Helper(SourceFailed("it broke")))
    raised = []
    for _ in range(2):
        with pytest.raises(SourceFailed) as caught:
            asked("a", "x", {})
        raised.append(caught.value)
    assert raised[0] is not raised[1]


def test_an_error_that_is_none_of_a_helpers_is_not_remembered_and_blocks_nobody():
    helper = Helper(KeyError("a defect"))
    asked = AskedHelpers(ask=helper)
    for _ in range(2):
        with pytest.raises(KeyError):
            asked("a", "x", {})
    assert len(helper.asked) == 2


def test_the_oldest_answer_goes_first_when_there_are_too_many():
    helper = Helper(None)
    asked = AskedHelpers(ask=helper)
    for number in range(MAX_ANSWERS + 1):
        asked("a", str(number), {})
    asked("a", "1", {})
    assert len(helper.asked) == MAX_ANSWERS + 1
    asked("a", "0", {})
    assert len(helper.asked) == MAX_ANSWERS + 2


def test_many_at_once_make_one_question_of_it_and_other_servers_do_not_wait():
    inside, go = threading.Event(), threading.Event()
    count = []

    def slow(name, server, environ, *, timeout):
        if server == "other":
            return None
        count.append(server)
        inside.set()
        assert go.wait(10)
        return Basic("me", CANARY)

    asked, answers = AskedHelpers(ask=slow), []
    threads = [threading.Thread(target=lambda: answers.append(asked("a", "slow", {}))) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert inside.wait(10)
    assert asked("a", "other", {}) is None
    go.set()
    for thread in threads:
        thread.join(10)
    assert (len(count), answers) == (1, [Basic("me", CANARY)] * 16)


def test_no_secret_is_in_the_repr_of_what_is_remembered():
    asked = AskedHelpers(ask=Helper(Basic("me", CANARY)))
    asked("a", "x", {})
    assert CANARY not in repr(vars(asked))


def test_the_timeout_ends_a_real_helper(helper, environ):
    helper("team", "time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(SourceFailed, match="did not answer in time"):
        AskedHelpers(0.3)("team", "host.example", environ)
    assert time.monotonic() - start < 10
