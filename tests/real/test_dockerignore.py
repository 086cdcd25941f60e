"""``.dockerignore`` beside docker's own code: what it ignores we ignore, and what it refuses we refuse."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from registryauth.azure.dockerignore import DockerIgnore
from registryauth.errors import ConfigurationError

pytestmark = pytest.mark.real

#: What lines are made of: names, wildcards, classes, escapes, slips of the pen, and marks that moby's own code slips on.
ATOMS = [
    "a", "b", "foo", "bar", ".", "..", "*", "**", "?", "!", "#", " ", "/", "/", "/", "[ab]", "[^a]", "[a-c]", "[", "]", "\\", "\\*", "\\a",
    "^", "-", ".go", "x.y", "é", "(", "|", "$", "+", "{", "}", "{2}", "[*]", "[?]", "[[]", "[a", "\\!", "[&&]", "[~~]", "[+--]", "[\\]]",
    "[\\-a]", "[c-a]", "\t", "\u00a0",
]  # fmt: skip
NAMES = [
    "a",
    "b",
    "foo",
    "bar",
    "ab",
    "aa",
    "x.y",
    "m.go",
    ".git",
    "*",
    "!",
    "#",
    "a b",
    "é",
    "^",
    "a^b",
    "[",
    "-",
    "]",
    "c",
    "\\",
    "foo.go",
]


def a_question(source):
    lines = ["".join(source.choice(ATOMS) for _ in range(source.randint(1, 5))) for _ in range(source.randint(1, 4))]
    paths = ["/".join(source.choice(NAMES) for _ in range(source.randint(1, 4))) for _ in range(12)]
    return {"ignore": "\n".join(lines), "paths": paths}


def ours(question):
    """Our answer to each path, asked as a walk asks; None where the file is refused."""
    try:
        rules = DockerIgnore.parse(question["ignore"].encode())
    except ConfigurationError:
        return None
    return [ignored(rules, path) for path in question["paths"]]


def ignored(rules, path):
    verdict, parts = None, path.split("/")
    for end in range(1, len(parts) + 1):
        above, verdict = verdict, rules.ask("/".join(parts[:end]), verdict)
        if above and above.ignored and not verdict.ignored:
            assert rules.may_keep_below("/".join(parts[: end - 1])), "a walk would not have come here"
    return verdict.ignored


@pytest.mark.parametrize("seed", range(4))
def test_we_ignore_what_docker_ignores(go_program, seed):
    source = random.Random(seed)
    questions = [a_question(source) for _ in range(4000)]
    given = "\n".join(map(json.dumps, questions))
    done = subprocess.run([go_program("docker-ignore")], input=given.encode(), capture_output=True, check=True, timeout=120)
    compared = 0
    for question, line in zip(questions, done.stdout.splitlines(), strict=True):
        theirs, mine = json.loads(line), ours(question)
        # docker finds some patterns wrong only when a path comes that far; we always do.
        assert "error" not in theirs or mine is None, question
        if mine is not None:
            compared += 1
            assert mine == theirs["ignored"], question
    assert compared > 1000
