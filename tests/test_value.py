"""Values: frozen, compared by type and content, their secrets never shown."""

from __future__ import annotations

import copy
import pickle

import pytest

from registryauth._value import Value
from registryauth.credentials import Basic, IdentityToken, Pinned, RegistryToken

CANARY = "c4n4ry-s3cr3t"


class Point(Value):
    x: int
    y: int = 0


class Other(Value):
    x: int
    y: int = 0


class Sealed(Value, hidden=("secret",)):
    name: str
    secret: str


class Labelled(Sealed):
    label: str = ""


class Even(Value):
    number: int

    def _check(self) -> None:
        if self.number % 2:
            raise ValueError("odd")


def test_fields_come_by_position_by_name_and_by_default() -> None:
    assert Point(1, 2) == Point(x=1, y=2) == Point(1, y=2)
    assert Point(1).y == 0


def test_equality_is_by_type_and_content() -> None:
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert Sealed("a", "b") != Labelled("a", "b")
    assert Point(1) != (1, 0)


def test_equal_values_have_equal_hashes_and_serve_as_keys() -> None:
    assert {Point(1): "a"}[Point(1)] == "a"
    assert len({Point(1), Point(1), Point(2), Other(1)}) == 3


@pytest.mark.parametrize("name", ["x", "z"])
def test_a_value_does_not_change(name: str) -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="does not change"):
        setattr(point, name, 2)
    with pytest.raises(AttributeError, match="does not change"):
        delattr(point, name)
    assert point == Point(1)
    assert not hasattr(point, "__dict__")


def test_replace_gives_another_value() -> None:
    point = Point(1, 2)
    assert point.replace(y=3) == Point(1, 3)
    assert point == Point(1, 2)
    assert type(Labelled("a", "b").replace(label="c")) is Labelled


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "needs x"),
        ((1, 2, 3), {}, "takes 2 arguments, not 3"),
        ((1,), {"x": 1}, "got x twice"),
        ((1,), {"z": 1}, "has no z"),
    ],
)
def test_wrong_arguments_are_a_type_error(args, kwargs, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        Point(*args, **kwargs)


def test_replace_of_an_unknown_field_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="has no z"):
        Point(1).replace(z=1)


def test_a_type_error_does_not_quote_what_it_was_given() -> None:
    with pytest.raises(TypeError) as caught:
        Sealed("a", CANARY, CANARY)
    assert CANARY not in str(caught.value)


def test_the_check_runs_on_every_way_to_a_value() -> None:
    assert Even(2).number == 2
    with pytest.raises(ValueError, match="odd"):
        Even(1)
    with pytest.raises(ValueError, match="odd"):
        Even(2).replace(number=3)


@pytest.mark.parametrize(
    "value",
    [
        Sealed("shown", CANARY),
        Labelled("shown", CANARY, "label"),
        Basic("shown", CANARY),
        IdentityToken(CANARY),
        RegistryToken(CANARY),
        Pinned(Basic("shown", CANARY), "store:x"),
    ],
)
def test_a_hidden_field_is_in_no_form_of_the_value(value: Value) -> None:
    for form in (repr(value), str(value), f"{value}", f"{value!r}", repr([value]), repr({"k": value}), "%s" % value):  # noqa: UP031
        assert CANARY not in form


def test_a_repr_shows_what_is_not_hidden() -> None:
    assert repr(Point(1)) == "Point(x=1, y=0)"
    assert repr(Labelled("a", "b", "c")) == "Labelled(name='a', label='c')"


def test_a_match_statement_takes_a_value_apart() -> None:
    match Point(1, 2):
        case Other(_, _):
            pytest.fail("matched another type")
        case Point(x, y=y):
            assert (x, y) == (1, 2)


@pytest.mark.parametrize("value", [Point(1, 2), Labelled("a", "b", "c"), Basic("u", "p")])
def test_values_survive_copying_and_pickling(value: Value) -> None:
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert again == value
        assert type(again) is type(value)


def test_a_value_with_a_list_inside_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point([1]))
