"""Our facts are those of the naive way, for any stack of layers; and what is final before the last layer is what it is after it."""

from __future__ import annotations

import re
import tarfile

from hypothesis import example, given, settings
from hypothesis import strategies as st

from registryauth.errors import ContentError
from registryauth.inspection.fact import Fact
from registryauth.inspection.facts import fact
from registryauth.inspection.rule import FACTS
from registryauth.inspection.tar import entries
from registryauth.inspection.tree import Budget, Layer
from registryauth.inspection.view import View

from . import naive
from .images import image_with, member, tar

META = "opt/miniconda/conda-meta"
NAMES = [
    "etc", "etc/os-release", "usr", "usr/lib", "usr/lib/os-release", "x", "x/os-release", "bin", "bin/sh", "usr/bin",
    "usr/bin/sh", "usr/bin/dash", "opt", "opt/miniconda", "opt/miniconda/bin", "opt/miniconda/bin/python",
    "opt/miniconda/bin/python3.6", META, f"{META}/conda-4.5.12-py36_0.json", f"{META}/conda-4.3.1-py27_0.json",
    f"{META}/python-3.6.8-h0_0.json", f"{META}/python-2.7.1-h0_0.json", "usr/bin/python", "usr/bin/python3.5", "x/y",
]  # fmt: skip
TARGETS = [
    "/usr/bin",
    "../usr/lib/os-release",
    "usr/bin",
    "x",
    "../x",
    "/x/y",
    "dash",
    "python3.6",
    "../etc",
    "/",
    ".",
    "bin/../etc",
    "/opt/miniconda",
]

plain = st.sampled_from(NAMES)
members = st.one_of(
    st.tuples(plain, st.just(tarfile.REGTYPE), st.integers(0, 9).map(lambda n: f"ID=ubuntu\nVERSION_ID={n}\n".encode())),
    st.tuples(plain, st.just(tarfile.DIRTYPE), st.none()),
    st.tuples(plain, st.just(tarfile.SYMTYPE), st.sampled_from(TARGETS)),
    st.tuples(plain, st.just(tarfile.LNKTYPE), plain),
    st.tuples(
        plain.map(lambda name: "/".join([*name.split("/")[:-1], f".wh.{name.split('/')[-1]}"])), st.just(tarfile.REGTYPE), st.just(b"")
    ),
    st.tuples(plain.map(lambda name: f"{name}/.wh..wh..opq"), st.just(tarfile.REGTYPE), st.just(b"")),
)
stacks = st.lists(st.lists(members, max_size=8), min_size=1, max_size=4)


def packed(layer):
    return tar(
        *(
            member(name, kind, content=value if kind == tarfile.REGTYPE else b"", target=value if isinstance(value, str) else "")
            for name, kind, value in layer
        )
    )


def unfolding(stack):
    """All facts after each layer, from the topmost down."""
    image, view, budget = image_with(layers=len(stack)), View(), Budget()
    for number in reversed(range(len(stack))):
        layer = Layer(number, budget)
        for entry in entries([packed(stack[number])], lambda entry: True):
            layer.add(entry)
        view.lay_under(layer.finish())
        view.complete = number == 0
        yield {name: fact(name, image, view) for name in FACTS}


def tried(work):
    try:
        return work()
    except (ContentError, naive.Unpackable):
        return None


@settings(max_examples=600)
@given(stacks)
@example([[("usr/lib/os-release", tarfile.REGTYPE, b"VERSION_ID=1")], [("etc/os-release", tarfile.SYMTYPE, "../usr/lib/os-release")]])
@example(
    [[("x/os-release", tarfile.REGTYPE, b"VERSION_ID=1")], [("etc", tarfile.SYMTYPE, "/x/"), ("x/.wh.os-release", tarfile.REGTYPE, b"")]]
)
@example(
    [
        [
            ("usr/bin/python", tarfile.REGTYPE, b""),
            ("usr/bin/python3.5", tarfile.DIRTYPE, None),
            ("usr/lib", tarfile.SYMTYPE, "/usr/bin"),
        ]
    ]
)
def test_our_facts_are_those_of_all_layers_applied_from_the_bottom_up(stack):
    rounds = tried(lambda: list(unfolding(stack)))
    fs = tried(lambda: naive.applied(stack))
    assert (rounds is None) == (fs is None)
    if rounds is None:
        return
    ours = rounds[-1]
    compare_os(ours["os"], naive.os_of(fs))
    compare_shell(ours["shell"], naive.shell_of(fs))
    compare_conda(ours["conda"], fs)
    compare_python(ours["python"], fs)
    compare_pythons(ours["pythons"], fs)


def compare_os(ours: Fact, theirs):
    if theirs == "doubt":
        assert not ours.final
    elif theirs is None:
        assert (ours.seen, ours.final) == ((), True)
    else:
        (seen,) = ours.seen
        assert (seen.version, seen.path, seen.layer, ours.final) == (*theirs, True)


def compare_shell(ours: Fact, theirs):
    if theirs == "doubt":
        assert not ours.final
    elif theirs is None or not isinstance(theirs[1], int):
        assert (ours.seen, ours.final) == ((), True)
    else:
        (seen,) = ours.seen
        assert (seen.path, seen.layer, ours.final) == (*theirs, True)


def compare_conda(ours: Fact, fs):
    """PATH's first prefix goes before /usr and /; the naive way is asked where no other way is in doubt."""
    prefixes = [naive.resolved(fs, prefix) for prefix in ("/opt/miniconda", "/usr", "/", "/opt/conda")]
    if "doubt" in prefixes or not ours.final:
        assert not ours.final or ours.seen
        return
    for found in prefixes:
        rows = naive.records_of(fs, found[0], "conda") if found and found[1][0] == "dir" else []
        if rows and rows != "doubt":
            assert sorted(seen.version for seen in ours.seen) == naive.topmost(rows)
            return
    assert ours.seen == ()


def compare_python(ours: Fact, fs):
    """The first on PATH, else the first in a prefix: by conda's record that its name agrees with, else by its name, else its library's."""
    if not ours.final:
        return
    prefixes = [found[0] for prefix in ("/opt/miniconda", "/usr", "/", "/opt/conda") if (found := naive.resolved(fs, prefix))]
    for path in ("/opt/miniconda/bin/python", "/usr/bin/python", "/bin/python", *(f"{prefix}/bin/python" for prefix in prefixes)):
        found = naive.resolved(fs, path)
        if found and found[1][0] == "file":
            numbered = re.match(r"python([0-9]+\.[0-9]+)", found[0].rpartition("/")[2])
            prefix = found[0].rsplit("/", 2)[0]
            rows = naive.records_of(fs, prefix, "python")
            rows = [row for row in rows if not numbered or row[0].startswith(f"{numbered[1]}.")]
            expected = naive.topmost(rows) if rows else [numbered[1] if numbered else library(fs, prefix)]
            assert sorted(seen.version for seen in ours.seen) == expected
            return
    assert ours.seen == ()


def library(fs, prefix):
    """The number of the one library in the prefix."""
    lib = naive.resolved(fs, f"{prefix}/lib")
    below = (path.rpartition("/") for path in fs) if lib and lib[1][0] == "dir" else ()
    numbers = [name[6:] for parent, _, name in below if parent == lib[0].rstrip("/") and re.fullmatch(r"python[0-9]+\.[0-9]+", name)]
    return numbers[0] if len(numbers) == 1 else ""


def compare_pythons(ours: Fact, fs):
    """Every record and every program that bears a number, each once."""
    if not ours.final:
        return
    expected = set()
    prefixes = {
        found[0]
        for prefix in ("/opt/miniconda", "/usr", "/", "/opt/conda")
        if (found := naive.resolved(fs, prefix)) and found[1][0] == "dir"
    }
    recorded = set()
    for prefix in prefixes:
        for version, _ in naive.records_of(fs, prefix, "python"):
            expected.add(version)
            recorded.add((prefix.rstrip("/"), version.rpartition(".")[0]))
    for place in ("/opt/miniconda/bin", "/usr/bin", "/bin", "/usr/local/bin"):
        for number in ("3.5", "3.6"):
            found = naive.resolved(fs, f"{place}/python{number}")
            if found and found[1][0] == "file" and (found[0].rsplit("/", 2)[0], number) not in recorded:
                expected.add(number)
    assert {seen.version for seen in ours.seen} == expected


@settings(max_examples=400)
@given(stacks)
def test_what_is_final_after_some_layers_is_the_same_after_all_of_them(stack):
    rounds = tried(lambda: list(unfolding(stack)))
    if rounds is None:
        return
    for earlier in rounds:
        for name, found in earlier.items():
            if found.final:
                assert rounds[-1][name] == found


def test_the_stacks_are_not_so_wild_that_nothing_is_ever_found():
    """The comparison above compares something."""
    seen = dict.fromkeys(FACTS, 0)

    @settings(max_examples=300, database=None, derandomize=True)
    @given(stacks)
    def count(stack):
        rounds = tried(lambda: list(unfolding(stack)))
        for name, found in (rounds[-1] if rounds else {}).items():
            seen[name] += bool(found.seen and found.final)

    count()
    assert min(seen.values()) >= 5, seen
