"""A credential answers for what it was registered for, and for nothing that only looks like it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registryauth._json import Node
from registryauth.credentials import Basic
from registryauth.errors import InvalidReference, SourceFailed
from registryauth.reference import Address, Repository
from registryauth.resolver.auths import entry_for
from registryauth.resolver.environment import Environment
from registryauth.resolver.explicit import Explicit
from registryauth.resolver.stored import Stored
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

_LABEL = st.sampled_from(["a", "b", "ab", "x", "a-b", "azurecr", "registry", "example", "docker"])
_PORT = st.sampled_from(["", ":443", ":5000", ":80"])
HOSTS = st.builds(lambda labels, port: ".".join(labels) + port, st.lists(_LABEL, min_size=2, max_size=4), _PORT)
PATHS = st.lists(st.sampled_from(["a", "ab", "a-b", "b", "team", "teams", "v1", "v2"]), max_size=3).map("/".join)
#: A registered host, as it is, in another one, or any.
OTHERS = st.sampled_from(["{}", "{}", "a.{}", "{}.example", "a{}", "*"])


def is_registered_for(registered, host, path):
    """Whether *registered* covers a repository; said again, by the words of the design alone."""
    wanted, _, inside = registered.partition("/")
    if wanted.startswith("*."):
        label, _, rest = host.partition(".")
        same = bool(label) and rest == wanted[2:]
    else:
        same = host == wanted
    return same and (not inside or path == inside or path.startswith(inside + "/"))


def parsed(text, **how):
    try:
        return Address.parse(text, **how)
    except InvalidReference:
        assume(False)


@given(HOSTS, PATHS, st.booleans(), OTHERS, HOSTS, st.one_of(PATHS, st.none()))
def test_a_record_answers_for_its_own_repositories_and_no_others(host, path, wild, form, any_host, inside):
    other = any_host if form == "*" else form.format(host)
    inside = f"{path}/b".strip("/") if inside is None else inside
    written = f"{'*.' if wild else ''}{host}{'/' if path else ''}{path}"
    registered = parsed(written, wildcard=True)
    where = parsed(f"{other}/{inside}" if inside else other)
    store = MemoryStore()
    store.put(Principal(registered, "me", (Slot("secret"),)))
    repository = Repository(where.registry, where.path)
    answered = hasattr(Stored(lambda: store, clock=lambda: 0.0).ask(repository), "fetch")
    assert answered == is_registered_for(str(registered), str(where.registry), where.path)


@given(HOSTS, PATHS, OTHERS, HOSTS, st.one_of(PATHS, st.none()))
def test_no_other_source_matches_more(host, path, form, any_host, inside):
    other = any_host if form == "*" else form.format(host)
    inside = f"{path}/b".strip("/") if inside is None else inside
    written = f"{host}{'/' if path else ''}{path}"
    registered, where = parsed(written), parsed(f"{other}/{inside}" if inside else other)
    repository = Repository(where.registry, where.path)
    expected = is_registered_for(str(registered), str(where.registry), where.path)
    variables = {"REGISTRYAUTH_REGISTRY": written, "REGISTRYAUTH_USERNAME": "u", "REGISTRYAUTH_PASSWORD": "p"}
    entry = {"auth": base64.b64encode(b"u:p").decode()}
    found = (
        hasattr(Environment(variables).ask(repository), "fetch"),
        hasattr(Explicit({written: Basic("u", "p")}).ask(repository), "fetch"),
        entry_for(repository, Node({written: entry}, "f", "auths", error=SourceFailed)) is not None,
    )
    assert found == (expected,) * 3


@pytest.mark.parametrize(
    "other",
    [
        "x.azurecr.io.evil.example/a", "xx.azurecr.io/a", "evil.example/x.azurecr.io", "x.azurecr.io:443/a", "y.x.azurecr.io/a",
        "azurecr.io/a", "x-azurecr.io/a", "x.azurecr.io.:443/a", "x.azurecr.i/a",
    ],
)  # fmt: skip
def test_hosts_that_contain_a_registered_one_or_lie_in_it_get_nothing(resolver, other):
    store = MemoryStore()
    store.put(Principal(Address.parse("x.azurecr.io"), "me", (Slot("secret"),)))
    known = (other.partition("/")[0].partition(":")[0],)
    try:
        repository = Repository.parse(other, known=known)
    except InvalidReference:
        return
    assert resolver(store).candidates(repository) == ()
    assert resolver(store).candidates(Repository.parse("x.azurecr.io/a")) != ()
