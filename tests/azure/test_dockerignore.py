"""``.dockerignore``: docker's rules; tests/real compares them with docker's own code."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.azure.dockerignore import DockerIgnore
from registryauth.errors import ConfigurationError


def ignored(lines, path):
    """Whether *path* is, asked from the root down as a walk asks."""
    rules = DockerIgnore.parse(lines.encode() if isinstance(lines, str) else lines)
    verdict = None
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        verdict = rules.ask("/".join(parts[:end]), verdict)
    return verdict.ignored


@pytest.mark.parametrize(
    ("lines", "kept", "gone"),
    [
        ("", ["a", "a/b"], []),
        ("a", ["b", "ab", "b/a"], ["a", "a/b", "a/b/c"]),
        ("/a", ["b/a"], ["a", "a/b"]),
        ("a/", ["b"], ["a", "a/b"]),
        ("./a/../b//c", ["a", "b"], ["b/c"]),
        ("*.md", ["docs/README.md", "md"], ["README.md", ".md"]),
        ("*/*.md", ["README.md", "a/b/c.md"], ["docs/README.md"]),
        ("**/*.md", ["a.txt"], ["README.md", "docs/README.md", "a/b/c.md"]),
        ("**/node_modules", ["node_modules_", "a/my_node_modules"], ["node_modules", "a/b/node_modules", "node_modules/x/y"]),
        ("docs/**", ["docs", "docs2/a"], ["docs/a", "docs/a/b"]),
        ("a/**/z", ["z", "b/z"], ["a/z", "a/b/z", "a/b/c/z"]),
        ("**", [], ["a", "a/b"]),
        ("temp?", ["temp", "temp12", "temp/"[:-1]], ["temp1", "tempa/b"]),
        ("[a-c]x", ["dx"], ["ax", "cx/y"]),
        ("[^a]x", ["ax"], ["bx"]),
        ("A", ["a"], ["A"]),
        ("*.log\n!keep.log", ["keep.log"], ["a.log"]),
        ("*\n!src", ["src", "src/a/b"], ["a", "a/src"]),
        ("*\n!src/keep", ["src/keep", "src/keep/x"], ["src", "src/other"]),
        ("!keep\n*", [], ["keep"]),
        ("docs\n!docs/a\ndocs/a/b", ["docs/a", "docs/a/c"], ["docs", "docs/b", "docs/a/b", "docs/a/b/x"]),
        ("# a\n#b\n \n\n", ["# a", "#b", "a", "b"], []),
        (" # a", ["# b"], ["# a"]),
        ("  a  \r\n\tb\t", ["c"], ["a", "b"]),
        ("\\!a\n\\#b", ["a", "b"], ["!a", "#b"]),
        ("! a\n", ["a"], []),
        ("a b", ["a", "b"], ["a b"]),
        ("a.b", ["axb"], ["a.b"]),
        ("a(b)+", ["ab", "abb"], ["a(b)+"]),
        (".", ["a", "a/b"], []),
        ("..", ["a"], []),
        ("../a", ["a"], []),
        ("/", ["a"], []),
        ("é*", ["e"], ["été", "é"]),
        ("[*]", ["a"], []),
        ("a\nb\n!a", ["a"], ["b"]),
    ],
)
def test_what_a_file_says_is_ignored(lines, kept, gone):
    assert [path for path in kept if ignored(lines, path)] == []
    assert [path for path in gone if not ignored(lines, path)] == []


def test_a_byte_order_mark_means_nothing():
    assert ignored(b"\xef\xbb\xbfa", "a")
    assert ignored(b"\xef\xbb\xbf# comment\nb", "b")


def test_a_name_that_is_no_text_is_matched_as_the_bytes_that_it_is():
    assert ignored(b"caf\xe9*", b"caf\xe9.txt".decode("utf-8", "surrogateescape"))


def test_an_exception_for_a_directory_that_nothing_ignored_brings_nothing_back():
    # BuildKit's walk; the other reading of docker's documentation is that of its older builder's matcher without parents.
    assert ignored("*/x\n!dir", "dir/x")


@pytest.mark.parametrize(
    "line",
    ["[", "[a", "[]", "[^]", "a[]b]", "\\", "a\\", "[a-", "[-a]", "!", "! ", "!/", "/!", "[b-a]", "\\é", "\\z", "[[:alpha:]]", "[\\b]"],
)
def test_what_is_no_pattern_is_refused_with_its_line(line):
    with pytest.raises(ConfigurationError, match="line 3") as caught:
        DockerIgnore.parse(f"a\n# b\n{line}\n".encode(), "my.dockerignore")
    assert (caught.value.file, caught.value.line, bool(caught.value.hint)) == ("my.dockerignore", 3, True)


def test_no_file_is_read_without_end():
    for content in (b"a\n" * 600_000, b"a" * 70_000, b"a\n" * 20_000):
        with pytest.raises(ConfigurationError):
            DockerIgnore.parse(content)


@pytest.mark.parametrize(
    ("lines", "below", "nothing"),
    [
        ("*", [], ["a"]),
        ("*\n!a/b/c", ["a", "a/b", "a/b/c", "a/b/c/d"], ["b", "a/c", "a/bb"]),
        ("*\n!a/*/c", ["a", "a/b", "a/x/y"], ["b"]),
        ("*\n!**/c", ["a", "b/c"], []),
    ],
)
def test_only_where_something_may_be_kept_is_looked_for_it(lines, below, nothing):
    rules = DockerIgnore.parse(lines.encode())
    assert [path for path in below if not rules.may_keep_below(path)] == []
    assert [path for path in nothing if rules.may_keep_below(path)] == []


NAMES = st.text("ab.-", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.one_of(NAMES, st.sampled_from(["*", "**", "?", "a*", "*b", "[ab]"]))
LINES = st.lists(st.tuples(st.booleans(), st.lists(PARTS, min_size=1, max_size=3)), max_size=5).map(
    lambda lines: "\n".join(("!" if exception else "") + "/".join(parts) for exception, parts in lines)
)


@given(LINES, PATHS, NAMES)
def test_nothing_is_kept_below_where_nothing_may_be(lines, directory, name):
    rules = DockerIgnore.parse(lines.encode())
    if ignored(lines, directory) and not rules.may_keep_below(directory):
        assert ignored(lines, f"{directory}/{name}")


@given(LINES, PATHS)
def test_what_the_last_line_names_is_decided_by_it(lines, path):
    literal = re.sub(r"([*?\[\]\\!])", r"\\\1", path)
    assert ignored(f"{lines}\n{literal}", path)
    assert not ignored(f"{lines}\n{literal}\n!{literal}", path)


@given(PATHS, PATHS)
def test_a_plain_name_is_itself_and_what_is_in_it(pattern, path):
    assert ignored(pattern, path) is f"{path}/".startswith(f"{pattern}/")


@given(st.binary(max_size=60), PATHS)
def test_any_file_is_read_or_refused(content, path):
    try:
        rules = DockerIgnore.parse(content)
    except ConfigurationError:
        return
    assert rules.ask(path).ignored in (True, False)
