"""Credentials: the words of Docker's and Azure's conventions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.credentials import NOBODY, NULL_GUID, TOKEN_USERNAME, Anonymous, Basic, IdentityToken, RegistryToken, from_login, to_login


def test_an_ordinary_user_name_is_basic() -> None:
    assert from_login("user", "password") == Basic("user", "password")


@pytest.mark.parametrize("username", ["<token>", "00000000-0000-0000-0000-000000000000"])
def test_dockers_and_azures_token_names_mean_an_identity_token(username: str) -> None:
    assert from_login(username, "token") == IdentityToken("token")


@pytest.mark.parametrize("username", ["<TOKEN>", "token", "", "00000000-0000-0000-0000-000000000001", "$oauthtoken", "AWS"])
def test_what_is_near_a_token_name_is_an_ordinary_user_name(username: str) -> None:
    assert from_login(username, "secret") == Basic(username, "secret")


@given(st.text().filter(lambda name: name not in (TOKEN_USERNAME, NULL_GUID)), st.text())
def test_a_login_survives_the_round_trip(username: str, secret: str) -> None:
    assert to_login(from_login(username, secret)) == (username, secret)


@pytest.mark.parametrize(
    ("credential", "login"),
    [
        (Basic("user", "password"), ("user", "password")),
        (IdentityToken("token"), ("<token>", "token")),
        (RegistryToken("token"), ("<token>", "token")),
        (Anonymous(), ("", "")),
    ],
)
def test_what_a_helper_answers(credential, login: tuple[str, str]) -> None:
    assert to_login(credential) == login


def test_two_kinds_of_token_are_never_equal() -> None:
    assert IdentityToken("t") != RegistryToken("t")


def test_nobody_has_no_secret_and_no_realm() -> None:
    assert NOBODY.credential == Anonymous()
    assert NOBODY.realms == ()
