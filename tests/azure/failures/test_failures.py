"""Each failure of the table, provoked in the simulator, and what the command line answers."""

from __future__ import annotations

import pytest

from .bench import CANARY
from .table import COMMANDS, FAILURES, STORED

CASES = [
    pytest.param(failure, answer, command, id=f"{failure.name}-{command.replace(' ', '-')}")
    for failures in FAILURES.values()
    for failure in failures
    for answer in failure.answers
    for command in answer.commands
]


@pytest.mark.parametrize(("failure", "answer", "command"), CASES)
def test_what_is_said_and_what_to_do(bench, cli, failure, answer, command):
    failure.provoke(bench)
    if command in STORED and bench.stored:
        bench.keep()
    done = cli(*bench.words(COMMANDS[command]), stdin=bench.typed)
    assert answer.said in done.said
    assert answer.hint in done.said
    assert done.status == (7 if command == "doctor" else answer.status), done.said
    for secret in (CANARY, bench.typed):
        assert secret not in done.said


@pytest.mark.parametrize(
    "command", ["login", "azure acr login", "azure acr login NAME", "manifest get", "pull", "principal verify", "doctor"]
)
def test_with_nothing_wrong_nothing_is_said_of_it(bench, cli, command):
    """The bench itself is sound: what a failure shows is that failure's."""
    if command in STORED:
        bench.keep()
    done = cli(*bench.words(COMMANDS[command]), stdin=bench.typed)
    assert done.status == 0, done.said
    assert CANARY not in done.said


def test_every_failure_has_a_name_of_its_own():
    names = [failure.name for failures in FAILURES.values() for failure in failures]
    assert len(names) == len(set(names))
