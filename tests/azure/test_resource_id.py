"""Resource ids, as Azure prints them in every case and people mistype them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.azure.resource_id import ResourceId
from registryauth.errors import ConfigurationError

REGISTRY = "Microsoft.ContainerRegistry/registries"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/my-group/providers/{REGISTRY}/myregistry"

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", fullmatch=True)
groups = st.from_regex(r"[\w().-]{0,88}[\w()-]", fullmatch=True)


def any_case(draw, text):
    flips = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(letter.swapcase() if flip and letter.isascii() else letter for letter, flip in zip(text, flips, strict=True))


@st.composite
def written(draw):
    """The parts of an id, and the id with its fixed words in any case."""
    group, name = draw(groups), draw(names)
    words = [any_case(draw, word) for word in ("subscriptions", "resourceGroups", "providers", *REGISTRY.split("/"))]
    text = f"/{words[0]}/{SUBSCRIPTION}/{words[1]}/{group}/{words[2]}/{words[3]}/{words[4]}/{name}"
    return group, name, text


@given(written())
def test_an_id_reads_the_same_in_any_case(parts):
    group, name, text = parts
    read = ResourceId.parse(text, REGISTRY)
    assert (read.subscription, read.group, read.type, read.name) == (SUBSCRIPTION, group, REGISTRY, name)
    assert read.is_same(ResourceId.parse(text.lower() if group.lower().isascii() else text, REGISTRY))


@given(written())
def test_what_is_printed_reads_back(parts):
    read = ResourceId.parse(parts[2], REGISTRY)
    assert ResourceId.parse(str(read), REGISTRY) == read


@given(written())
def test_a_path_is_plain_ascii_with_as_many_parts_as_the_id(parts):
    path = ResourceId.parse(parts[2], REGISTRY).path
    assert path.isascii()
    assert path.isprintable()
    assert not set(path) & set(" ?#&%\\") - {"%"}
    assert path.count("/") == 8


@given(written(), st.data())
def test_a_slip_in_a_fixed_word_is_refused_and_never_read_as_another_resource(parts, data):
    pieces = parts[2].split("/")
    where = data.draw(st.sampled_from([1, 3, 5, 6, 7]))
    word = pieces[where]
    cut = data.draw(st.integers(0, len(word) - 1))
    pieces[where] = word[:cut] + word[cut + 1 :] if data.draw(st.booleans()) else word[: cut + 1] + word[cut:]
    with pytest.raises(ConfigurationError):
        ResourceId.parse("/".join(pieces), REGISTRY)


@given(st.text(max_size=300))
def test_any_text_is_an_id_or_a_configuration_error(text):
    try:
        shown = ResourceId.parse(text, REGISTRY).path
    except ConfigurationError as error:
        shown = error.message
    assert shown.isprintable()


@pytest.mark.parametrize("text", [f" {ID}\n", ID.strip("/"), f"{ID}/"])
def test_space_around_an_id_and_slashes_at_its_ends_do_not_count(text):
    assert str(ResourceId.parse(text, REGISTRY)) == ID


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("myregistry", "is not the id of a registry: it has 1 parts, not 8"),
        (
            ID.replace("Microsoft.Container", "MicrosoftContainer"),
            "it says 'MicrosoftContainerRegistry' where microsoft.containerregistry belongs",
        ),
        (ID.replace("registries", "workspaces"), "it says 'workspaces' where registries belongs"),
        (f"{ID}/tokens/t", "it has 10 parts, not 8"),
        (ID.replace(SUBSCRIPTION, "my-subscription"), "'my-subscription' is not the id of a subscription"),
        (ID.replace("my-group", ".."), "'..' is no name that a resource group can have"),
        (ID.replace("my-group", "a%2Fb"), "'a%2Fb' is no name that a resource group can have"),
        (ID.replace("myregistry", "my registry"), "'my registry' is no name that a registry can have"),
        (ID.replace("myregistry", ""), "is not the id of a registry"),
    ],
)
def test_what_is_wrong_is_said_of_the_part_that_is(text, message):
    with pytest.raises(ConfigurationError) as caught:
        ResourceId.parse(text, REGISTRY)
    assert message in caught.value.message
    assert caught.value.hint


def test_a_workspace_is_called_one():
    with pytest.raises(ConfigurationError, match="is not the id of a workspace"):
        ResourceId.parse("w", "Microsoft.MachineLearningServices/workspaces")


@pytest.mark.parametrize("group", ["", "a/b", "a?b", "a#b", "ends.", "x" * 91, "new\nline"])
def test_parts_that_would_ask_for_something_else_make_no_id(group):
    with pytest.raises(ConfigurationError):
        ResourceId.of(SUBSCRIPTION, group, REGISTRY, "myregistry")


def test_letters_of_any_language_are_a_groups_and_travel_escaped():
    assert "/resourceGroups/gr%C3%BCn/" in ResourceId.of(SUBSCRIPTION, "grün", REGISTRY, "myregistry").path
