"""Which entry of an index suits a machine."""

from __future__ import annotations

import pytest

from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import OCI_INDEX, OCI_MANIFEST, Index, select
from registryauth.digest import Digest
from registryauth.errors import NotFound


def index(*platforms: str | Platform | None) -> Index:
    parsed = [Platform.parse(p) if isinstance(p, str) else p for p in platforms]
    entries = tuple(Descriptor(OCI_MANIFEST, Digest.of(b"%d" % n), n, platform) for n, platform in enumerate(parsed))
    return Index(OCI_INDEX, Digest.of(b"index"), b"index", entries)


def chosen(wanted: str | Platform, *platforms: str | Platform | None) -> str:
    entry = select(index(*platforms), Platform.parse(wanted) if isinstance(wanted, str) else wanted)
    return str(entry.platform)


def test_the_same_platform_is_chosen_wherever_it_stands() -> None:
    assert chosen("linux/amd64", "linux/arm64", "windows/amd64", "linux/amd64") == "linux/amd64"


def test_the_first_of_equals_is_chosen() -> None:
    assert select(index("linux/amd64", "linux/amd64"), Platform("linux", "amd64")).size == 0


@pytest.mark.parametrize(
    ("wanted", "there", "best"),
    [
        ("linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"),
        ("linux/arm64/v8", ["linux/arm64"], "linux/arm64"),
        ("linux/arm", ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm/v7", ["linux/arm/v6", "linux/arm/v5"], "linux/arm/v6"),
        ("linux/arm/v7", ["linux/arm/v6", "linux/arm"], "linux/arm"),
        ("linux/arm/v6", ["linux/arm/v7", "linux/arm/v5"], "linux/arm/v5"),
        ("linux/arm", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm/v7", ["linux/arm/a", "linux/arm/v7"], "linux/arm/v7"),
        ("linux/arm/v7", ["linux/arm/A", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm", ["linux/arm/zzz", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/amd64", ["linux/amd64/v3", "linux/amd64"], "linux/amd64"),
    ],
)
def test_an_older_core_will_do_and_the_newest_of_those_comes_first(wanted: str, there: list[str], best: str) -> None:
    platforms = [Platform(*text.split("/")) for text in there]
    assert chosen(wanted, *platforms) == best


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("linux/amd64", ["linux/arm64"]),
        ("linux/arm/v6", ["linux/arm/v7"]),
        ("linux/arm/v6", ["linux/arm"]),
        ("linux/arm64", ["linux/arm/v7"]),
        ("windows/amd64", ["linux/amd64"]),
        ("linux/amd64", []),
    ],
)
def test_what_does_not_run_is_not_chosen(wanted: str, there: list[str]) -> None:
    with pytest.raises(NotFound, match=f"nothing for {wanted}") as caught:
        chosen(wanted, *there)
    assert caught.value.exit_code == 3


def test_what_there_is_is_listed_once_and_fit_for_a_terminal() -> None:
    there = [Platform("linux", "arm64", "v8"), Platform("evil\x1b[2J", "x"), None, Platform("linux", "arm64", "v8")]
    with pytest.raises(NotFound) as caught:
        chosen("linux/amd64", *there)
    assert caught.value.hint.count("linux/arm64/v8") == 1
    assert "\x1b" not in caught.value.hint


def test_entries_without_a_platform_are_passed_over() -> None:
    """buildx puts attestations into the index; some have no platform, some say unknown/unknown."""
    assert chosen("linux/amd64", None, "unknown/unknown", "linux/amd64", None) == "linux/amd64"
    with pytest.raises(NotFound, match="nothing for") as caught:
        chosen("linux/amd64", None)
    assert "none that names its platform" in caught.value.hint


def test_the_windows_version_counts_where_both_say_it() -> None:
    old, new = Platform("windows", "amd64", "", "10.0.17763.1"), Platform("windows", "amd64", "", "10.0.20348.1")
    assert select(index(old, new), new).size == 1
    assert select(index(old, new), Platform("windows", "amd64")).size == 0
    assert select(index(Platform("windows", "amd64")), new).size == 0
    with pytest.raises(NotFound):
        select(index(old), new)
