from __future__ import annotations

from registryauth.credentials import Anonymous, Basic
from registryauth.exports import export


def test_the_value_is_one_line_without_a_space_as_a_masked_variable_has_to_be(secret):
    given = [secret("b.example/a", Basic("me", "a b")), secret("a.example/a", Basic("me", "x"))]
    text = export(given, "gitlab-ci").text
    assert text.count("\n") == 1
    assert " " not in text


def test_a_public_image_leaves_it_empty(secret):
    assert export([secret("mcr.microsoft.com/a", Anonymous())], "gitlab-ci").text == '{"auths":{}}\n'
