from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registryauth.exports.yaml_text import yaml_text

from .conftest import AWKWARD


@pytest.mark.parametrize(
    "text",
    # What PyYAML would leave plain and a reader of YAML 1.2, or Go's of 1.1, takes for a number or a truth value.
    [
        "1e3",
        "12e5",
        "1E3",
        "y",
        "N",
        "0o17",
        "1_000",
        "0b1",
        "+1",
        "5",
        "12:30:45",
        "2027-01-01",
        "null",
        "~",
        ".inf",
        "-.Inf",
        ".NaN",
        "On",
        "",
        "0xfe",
        "1e3e3",
        "2027-01-01T00:00:00Z",
        "12_345.6e-7",
        "0b01",
        "-x",
        "77aa",
    ],
)
def test_what_some_reader_takes_for_something_else_is_quoted(text):
    assert yaml_text({"password": text}) == f'password: "{text}"\n'


@pytest.mark.parametrize(
    "text",
    [
        "me",
        "registryauth",
        "my.azurecr.io/team/model:v1",
        "https://x.example",
        "kubernetes.io/dockerconfigjson",
        "v1",
        "/s.db",
        "10m0s",
        "127.0.0.1:5000/team/model:v1",
        "0f5c2f6e-client-id",
    ],
)
def test_plain_words_stand_alone(text):
    assert yaml_text({"$schema": text}) == f"$schema: {text}\n"


@given(st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=("Cs",)))))
def test_any_text_is_read_back_as_it_was(text):
    written = yaml_text({"a": [{"b": text, "c": None, "d": True}]})
    assert written.isascii()
    assert yaml.safe_load(written) == {"a": [{"b": text, "c": None, "d": True}]}


def test_the_order_of_the_fields_stays_and_no_line_is_folded():
    long = " ".join(["word"] * 2000)
    assert yaml_text({"b": long, "a": "x"}) == f'b: "{long}"\na: x\n'
