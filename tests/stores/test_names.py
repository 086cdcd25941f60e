from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registryauth.stores.names import entry_of, folder_of, read_entry, read_folder
from registryauth.stores.principal import Key

paths = st.from_regex(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*){0,3})?", fullmatch=True)


@pytest.mark.parametrize(
    ("host", "path", "account", "folder", "entry"),
    [
        ("myregistry.azurecr.io", "", "0f5c-id", "myregistry.azurecr.io", "0f5c-id@"),
        ("registry.example:5000", "team/app", "me@example.com", "registry.example=3A5000", "me=40example.com@team~app"),
        ("*.example.com", "", "", "=2A.example.com", "@"),
        ("[::1]:5000", "a", "<token>", "=5B=3A=3A1=5D=3A5000", "=3Ctoken=3E@a"),
        ("r.example", "", "../../x", "r.example", ".=2E=2F.=2E=2Fx@"),
        ("r.example", "", "a~b=c%2F\u00e4", "r.example", "a=7Eb=3Dc=252F=C3=A4@"),
    ],
)
def test_names_are_these(host, path, account, folder, entry) -> None:
    key = Key.of(host, path, account)
    assert (folder_of(host), entry_of(key)) == (folder, entry)
    assert (read_folder(folder), read_entry(entry)) == (host, (path, account))


@given(paths, st.text())
@example("a", "...")
@example("", "a..b/../\0")
def test_every_name_reads_back_and_cannot_leave_its_folder(path, account) -> None:
    name = entry_of(Key.of("r.example", path, account))
    assert read_entry(name) == (path, account)
    assert re.fullmatch(r"[A-Za-z0-9._=@~-]+", name)
    assert ".." not in name


@given(st.tuples(paths, st.text()), st.tuples(paths, st.text()))
@example(("a", "b"), ("", "b@a"))
@example(("a/b", ""), ("a", "~b"))
def test_two_records_never_share_a_name(one, other) -> None:
    assert (entry_of(Key.of("r.example", *one)) == entry_of(Key.of("r.example", *other))) == (one == other)


@pytest.mark.parametrize("name", ["", "no-at", "a@b@c", "=41@", "=2a@", "a..b@", "=FF@", "a=@", "ä@", "a b@", "x@a/b", "=2@"])
def test_what_we_would_not_have_named_so_is_not_ours(name) -> None:
    assert read_entry(name) is None
    assert read_folder(name) is None or "@" not in name


def test_half_a_surrogate_pair_has_a_name_that_nothing_has() -> None:
    assert entry_of(Key.of("r.example", "", "\ud800")) == "=ED=A0=80@"
    assert read_entry("=ED=A0=80@") is None
