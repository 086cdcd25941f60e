from __future__ import annotations

import json
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._json import Node, load_json
from registryauth.errors import ConfigurationError, SourceFailed

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is not JSON"),
        (b'{"auth": "' + CANARY.encode() + b'"', "is not JSON"),
        (b'{"a": ' + CANARY.encode() + b"}", "is not JSON"),
        (b'\xef\xbb\xbf{"a": "' + CANARY.encode() + b'"}', "byte order mark"),
        (b'{"a": "\xff' + CANARY.encode() + b'"}', "is not UTF-8"),
        (("{" + CANARY + "}").encode("utf-16"), "is not UTF-8"),
        (b'{"a": "x\x00' + CANARY.encode() + b'"}', "is not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"a": NaN, "b": "' + CANARY.encode() + b'"}', "number"),
        (b'{"a": -Infinity}', "number"),
        (b"1" * 10_000, "number"),
    ],
)
def test_hostile_documents_are_refused_without_a_word_of_their_content(data, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        load_json(data, "the file")
    assert caught.value.message.startswith("the file ")
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)


def test_a_document_larger_than_the_limit_is_not_parsed():
    assert load_json(b"[1]", "it", 3) == [1]
    with pytest.raises(ConfigurationError, match="3 bytes"):
        load_json(b"[1 ]", "it", 3)


def test_of_equal_keys_the_last_wins():
    assert load_json(b'{"a": 1, "a": 2}', "it") == {"a": 2}


def test_the_caller_chooses_the_error():
    with pytest.raises(SourceFailed):
        load_json(b"nope", "it", error=SourceFailed)
    with pytest.raises(SourceFailed):
        Node([], "it", error=SourceFailed).field("a")


def test_a_complaint_names_the_field():
    document = Node({"auths": {"host:5000/team": {"auth": 7}}}, "config.json")
    with pytest.raises(ConfigurationError, match=r"^config\.json: auths\.host:5000/team\.auth must be a string$"):
        document.field("auths").field("host:5000/team").field("auth").text()


def test_a_key_that_may_be_a_secret_is_not_named():
    document = Node({f"https://me:{CANARY}@host": 1}, "config.json")
    for _, node in document.fields():
        with pytest.raises(ConfigurationError) as caught:
            node.text()
        assert CANARY not in str(caught.value) + repr(node)


@pytest.mark.parametrize("value", [[], "x", 1, True, 1.5])
def test_only_an_object_has_fields(value):
    with pytest.raises(ConfigurationError, match="must be an object"):
        Node(value, "it").field("a")


@pytest.mark.parametrize("value", [{}, [], 1, True, 1.5, "\ud800"])
def test_only_encodable_text_is_text(value):
    with pytest.raises(ConfigurationError, match="must be a string"):
        Node(value, "it").text()


@pytest.mark.parametrize("value", [{}, [], "1", True, 1.5])
def test_only_a_whole_number_is_a_whole_number(value):
    with pytest.raises(ConfigurationError, match="must be a whole number"):
        Node(value, "it").whole()


def test_what_is_absent_or_null_is_empty():
    node = Node({"a": None}, "it")
    for key in "ab":
        field = node.field(key)
        assert not field
        assert (field.text(), field.whole(), list(field.items()), list(field.fields())) == ("", 0, [], [])


def test_elements_are_located_too():
    with pytest.raises(ConfigurationError, match=r"a\[1\] must be a string"):
        [element.text() for element in Node({"a": ["x", 2]}, "it").field("a").items()]
    with pytest.raises(ConfigurationError, match="must be an array"):
        list(Node("x", "it").items())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_json_reads_them_or_refused(data):
    try:
        value = load_json(data, "it")
    except ConfigurationError:
        return
    assert json.loads(data) == value
