"""Applications and secrets at Microsoft Graph, simulated; what a real one's client makes of the simulator is in tests/real."""

from __future__ import annotations

import pytest

from registryauth._json import Node
from registryauth.azure.graph import APPLICATIONS, SERVICE_PRINCIPALS, ClientSecret, Graph, _secret
from registryauth.azure.rest import Rest
from registryauth.errors import AzureError, ConfigurationError
from registryauth.stores import Slot
from registryauth.testing.azure.faults import wrong_shape

DAY = 86400


@pytest.fixture
def me(azure):
    """Who is signed in: may manage every application."""
    made = azure.home.app("admin", graph={"Application.ReadWrite.All"})
    made.add_secret(value="the admin's own")
    return made


@pytest.fixture
def graph(azure, me, wire, clock, tokens_of):
    tokens = tokens_of(me)
    rest = Rest(
        wire.far, azure.cloud.graph, lambda: tokens.get(azure.cloud.graph_scope), "Microsoft Graph", sleep=lambda _: None, clock=clock
    )
    return Graph(rest)


def test_both_objects_of_an_application_are_found_each_with_its_own_secrets(azure, graph):
    other = azure.home.app("robot")
    secret = other.add_secret("first", lifetime=DAY)

    application, principal = graph.holders(other.app_id.upper())

    assert (application.collection, application.object_id, application.name) == (APPLICATIONS, other.object_id, "robot")
    assert (principal.collection, principal.object_id) == (SERVICE_PRINCIPALS, other.principal_id)
    assert [each.key_id for each in application.secrets] == [secret.key_id]
    assert principal.secrets == ()
    assert application.secrets[0].expires_at == int(secret.ends_at)
    assert application.secrets[0].may_be(Slot(secret.value))


def test_an_application_that_is_not_there_is_none(graph):
    assert graph.holders("00000000-1111-4222-8333-444444444444") == ()


@pytest.mark.parametrize("name", ["", "my-app", "00000000-1111-4222-8333-44444444444", "')/x('"])
def test_what_is_no_client_id_is_asked_of_nobody(azure, graph, name):
    before = len(azure.requests)
    with pytest.raises(ConfigurationError, match="no client id"):
        graph.find(APPLICATIONS, name)
    assert len(azure.requests) == before


def test_a_name_with_a_quote_is_looked_up_as_it_is(azure, graph):
    azure.home.app("o'brien")
    azure.home.app("o")
    assert [each.name for each in graph.named("o'brien")] == ["o'brien"]


def test_every_page_of_a_name_is_read(azure, graph):
    azure.graph.page_size = 1
    for _ in range(3):
        azure.home.app("same")
    assert len(graph.named("same")) == 3


def test_a_new_application_gets_a_principal_and_a_secret_that_signs_in(azure, graph, clock):
    application = graph.create_application("fresh")
    principal = graph.create_principal(application.app_id)
    made = graph.add_secret(application, "by a test", int(clock()) + 90 * DAY)

    held = azure.home.app_of(application.app_id)
    assert (held.name, held.principal_id) == ("fresh", principal.object_id)
    assert held.secrets[0].value == made.value
    assert (made.known.key_id, made.known.name) == (held.secrets[0].key_id, "by a test")
    assert made.known.expires_at == int(clock()) + 90 * DAY


def test_a_new_secret_leaves_the_others_alone_and_is_not_shown(azure, graph, clock):
    other = azure.home.app("robot")
    kept = other.add_secret()
    made = graph.add_secret(graph.find(APPLICATIONS, other.app_id), "next", int(clock()) + DAY)

    assert [each.key_id for each in other.visible_secrets()] == [kept.key_id, made.known.key_id]
    assert made.value not in repr(made)


def test_the_secret_of_a_key_is_removed_and_no_other(azure, graph):
    other = azure.home.app("robot")
    first, second = other.add_secret(), other.add_secret()
    holder = graph.find(APPLICATIONS, other.app_id)

    assert graph.remove_secret(holder, first.key_id)
    assert [each.key_id for each in other.visible_secrets()] == [second.key_id]
    assert not graph.remove_secret(holder, first.key_id)


def test_a_removal_that_is_refused_for_another_reason_raises(azure, graph, me):
    other = azure.home.app("robot")
    secret = other.add_secret()
    holder = graph.find(APPLICATIONS, other.app_id)
    azure.inject(wrong_shape("/removePassword", {"error": {"code": "Request_BadRequest", "message": "no"}}, status=400))

    with pytest.raises(AzureError, match="Request_BadRequest"):
        graph.remove_secret(holder, secret.key_id)


def test_who_may_not_manage_applications_is_told_what_it_takes(graph, me, azure):
    me.graph.clear()
    with pytest.raises(AzureError, match="may not manage applications") as caught:
        graph.create_application("fresh")
    assert "Application Developer" in caught.value.hint
    assert "Application.ReadWrite.OwnedBy" in caught.value.hint


def test_a_deleted_application_is_gone_with_its_principal(azure, graph):
    other = azure.home.app("robot")
    graph.delete(graph.find(APPLICATIONS, other.app_id))
    assert graph.holders(other.app_id) == ()


def test_a_secret_without_a_hint_is_like_no_other():
    assert not ClientSecret("key", "", "", 0, 0).may_be(Slot("anything"))


@pytest.mark.parametrize(
    ("ours", "same"),
    [
        (Slot("abc~one"), True),
        (Slot("abd~one"), False),
        (Slot("abc~one", added_at=5_000), True),
        (Slot("abc~one", added_at=4_701), True),
        (Slot("abc~one", added_at=4_699), False),
        (Slot("xyz~gone", key_id="KEY"), True),
        (Slot("abc~one", key_id="another"), False),
    ],
)
def test_a_stored_secret_is_told_by_its_key_id_else_by_how_it_begins_and_never_for_a_younger_one(ours, same):
    assert ClientSecret("key", "abc", "", 5_000, 0).may_be(ours) is same


@pytest.mark.parametrize(
    ("said", "read"),
    [("2021-09-09T19:50:29.3086381Z", 1631217029), ("2021-09-09T19:50:29Z", 1631217029), ("2021-09-09T19:50:29", 1631217029), (None, 0)],
)
def test_times_are_read_with_seven_digits_of_a_second(said, read):
    assert _secret(Node({"keyId": "key", "endDateTime": said}, "it", error=AzureError)).expires_at == read


def test_a_time_that_is_none_names_its_field():
    with pytest.raises(AzureError, match="endDateTime must be a date"):
        _secret(Node({"endDateTime": "tomorrow"}, "it", error=AzureError))
