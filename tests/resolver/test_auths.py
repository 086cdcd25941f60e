from __future__ import annotations

import base64
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._json import Node
from registryauth.credentials import Basic, IdentityToken, RegistryToken
from registryauth.errors import AmbiguousCredential, SourceFailed
from registryauth.reference import Repository
from registryauth.resolver.auths import address_of, credential_of, entry_for

CANARY = "canary-7f3a"


def node(entry):
    return Node({"host": entry}, "config.json", "auths", error=SourceFailed).field("host")


def encoded(text: bytes | str) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("entry", "credential"),
    [
        ({"auth": encoded("user:p:w")}, Basic("user", "p:w")),
        ({"auth": encoded("user:")}, Basic("user", "")),
        ({"auth": encoded("user:pw\0\0")}, Basic("user", "pw")),
        ({"auth": encoded("user:pw1").rstrip("=")}, Basic("user", "pw1")),
        ({"auth": encoded("user:pw") + "\n"}, Basic("user", "pw")),
        ({"auth": encoded("üser:pä")}, Basic("üser", "pä")),
        ({"username": "user", "password": "pw"}, Basic("user", "pw")),
        ({"auth": encoded("<token>:t")}, IdentityToken("t")),
        ({"auth": encoded("00000000-0000-0000-0000-000000000000:"), "identitytoken": "t"}, IdentityToken("t")),
        ({"identitytoken": "t"}, IdentityToken("t")),
        ({"registrytoken": "r", "identitytoken": "t"}, RegistryToken("r")),
        ({"auth": "", "email": "x@example.com"}, None),
        ({}, None),
        (None, None),
        ({"auth": None}, None),
    ],
)
def test_an_entry_is_decoded_as_docker_decodes_it(entry, credential):
    assert credential_of(node(entry)) == credential


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": encoded(CANARY)},
        {"auth": encoded(f":{CANARY}")},
        {"auth": f"!{CANARY}!"},
        {"auth": CANARY + "x"},
        {"auth": encoded(b"user:\xff" + CANARY.encode())},
        {"auth": [CANARY]},
        {"auth": {"a": CANARY}},
        {"password": CANARY},
        {"identitytoken": 1},
        CANARY,
        [CANARY],
    ],
)
def test_an_entry_that_cannot_be_decoded_is_broken_and_not_quoted(entry):
    with pytest.raises(SourceFailed) as caught:
        credential_of(node(entry))
    assert caught.value.message.startswith("config.json: auths.host")
    assert caught.value.hint
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@given(
    st.text(st.characters(exclude_characters=":", exclude_categories=("Cs",)), min_size=1),
    st.text(st.characters(exclude_categories=("Cs",))),
)
def test_what_docker_encodes_is_what_is_decoded(username, password):
    got = credential_of(node({"auth": encoded(f"{username}:{password}")}))
    if isinstance(got, Basic):
        assert got == Basic(username, password.rstrip("\0"))
    else:
        assert username in ("<token>", "00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("host.example", "host.example"),
        ("HOST.example:5000", "host.example:5000"),
        ("https://host.example", "host.example"),
        ("https://host.example/v2/", "host.example"),
        ("http://host.example/v1", "host.example"),
        ("host.example/team/app", "host.example/team/app"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_every_spelling_of_a_key_names_its_registry(key, address):
    assert str(address_of(key)) == address


@pytest.mark.parametrize(
    "key",
    [
        "https://index.docker.io/v1/access-token",
        "https://index.docker.io/v1/refresh-token",
        "me@host.example",
        "",
        "a b",
        "https://",
        "host/UP",
    ],
)
def test_what_is_no_registry_names_none(key):
    assert address_of(key) is None


def covering(auths, repository="host.example/team/app"):
    return entry_for(Repository.parse(repository), Node(auths, "config.json", "auths", error=SourceFailed))


def user(name):
    return {"username": name, "password": "x"}


def test_the_longest_path_of_whole_segments_wins():
    auths = {
        "host.example": user("host"),
        "host.example/team": user("team"),
        "host.example/team/ap": user("no"),
        "host.example/te": user("no"),
    }
    assert covering(auths).credential == Basic("team", "x")
    assert covering({**auths, "host.example/team/app": user("app")}).credential == Basic("app", "x")
    assert covering(auths, "host.example/teams/app").credential == Basic("host", "x")


def test_the_plain_spelling_wins_over_others_and_a_secret_over_a_marker():
    assert covering({"https://host.example": user("url"), "host.example": user("plain")}).credential == Basic("plain", "x")
    assert covering({"https://host.example": user("url"), "host.example": {}}).credential == Basic("url", "x")
    assert covering({"docker.io": user("a"), "https://index.docker.io/v1/": user("b")}, "docker.io/library/x").credential == Basic("b", "x")


def test_another_port_or_host_is_another_registry():
    assert covering({"host.example:443": user("a"), "sub.host.example": user("b"), "host.example.evil.example": user("c")}) is None


def test_a_broken_entry_of_another_registry_spoils_nothing():
    assert covering({"other.example": 7, "host.example": user("me"), "zzz zzz": []}).credential == Basic("me", "x")
    with pytest.raises(SourceFailed, match=r"auths\.host\.example must be an object"):
        covering({"host.example": 7})


def test_two_spellings_of_one_address_with_different_credentials_are_an_error_that_names_both():
    auths = {"https://host.example": user("a"), "http://host.example/v1/": user("b"), "other.example": user("c")}
    with pytest.raises(AmbiguousCredential) as caught:
        covering(auths)
    assert caught.value.message == (
        "config.json has different credentials for host.example under https://host.example and http://host.example/v1/"
    )
    assert caught.value.hint
    with pytest.raises(AmbiguousCredential):
        covering({"HOST.example/team": user("a"), "host.example/team/": user("b")})


def test_two_spellings_with_the_same_credential_or_beside_the_plain_one_are_none():
    assert covering({"https://host.example": user("a"), "http://host.example/v1/": user("a")}).credential == Basic("a", "x")
    assert covering({"https://host.example": user("a"), "http://host.example": user("b"), "host.example": user("c")}).credential == (
        Basic("c", "x")
    )
    assert covering({"HOST.example/team": user("a"), "host.example/team": user("b")}).credential == Basic("b", "x")
    # A more specific entry leaves no doubt.
    assert covering({"https://host.example": user("a"), "http://host.example": user("b"), "host.example/team": user("c")}).credential == (
        Basic("c", "x")
    )
