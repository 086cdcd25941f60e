"""The steps that make a service principal and give it roles, and the waiting between them."""

from __future__ import annotations

import pytest

from registryauth._json import Node
from registryauth.azure.access import Access
from registryauth.azure.graph import Graph
from registryauth.azure.patience import PATIENCE, Patience, is_not_yet, is_unheard_of
from registryauth.azure.registry_names import RegistryNames
from registryauth.azure.registry_places import find_places
from registryauth.azure.role_assignments import RoleAssignment, RoleAssignments, RoleDefinition
from registryauth.azure.service_principals import gifts_held, give, plan, refuse_taken, remaining, take
from registryauth.errors import AzureError, ConfigurationError, Denied, TokenRefused, TooManyRequests, TransportError, Unauthorized
from registryauth.testing.azure.faults import wrong_shape


@pytest.fixture
def way(azure, app, environ, config, wire, clock):
    azure.assign(app, "Owner")
    app.graph.add("Application.ReadWrite.All")
    access = Access(config(environ), environ, open_=lambda: wire, clock=clock, sleep=lambda _: None)
    return access.way()


@pytest.fixture
def places(way):
    names = RegistryNames(way.management, "", lambda: "")
    return lambda *texts: find_places(way, names, texts)


@pytest.fixture
def roles(way):
    return RoleAssignments(way.management)


class Told(list):
    def __call__(self, what, seconds):
        self.append((what, seconds))


def patience(clock, limit=PATIENCE, told=None):
    def sleep(seconds):
        clock.now += seconds

    return Patience(limit, tell=told if told is not None else Told(), clock=clock, sleep=sleep)


def after(clock, moment, error):
    """An attempt that fails with *error* until *moment*."""

    def attempt():
        if clock.now < moment:
            raise error
        return "done"

    return attempt


def test_a_role_that_takes_ten_minutes_is_waited_for_and_told(clock):
    began, told = clock.now, Told()
    assert patience(clock, told=told).until("it works", after(clock, began + 600, TokenRefused("not yet")), is_not_yet) == "done"
    assert 600 <= clock.now - began < 615
    assert [what for what, _ in told] == ["it works"] * len(told)
    assert told[-1][1] < 600


def test_the_wait_is_bounded_over_all_that_is_waited_for_and_says_the_last_answer(clock):
    began, waiting = clock.now, patience(clock)
    waiting.until("first", after(clock, began + 700, TokenRefused("not yet")), is_not_yet)
    with pytest.raises(AzureError, match="second: not within 12 minutes; the last answer was: never") as caught:
        waiting.until("second", after(clock, began + 10**6, TokenRefused("never", hint="give up")), is_not_yet)
    assert clock.now - began <= PATIENCE
    assert (caught.value.exit_code, caught.value.hint) == (4, "give up")


def test_that_no_answer_came_in_all_that_time_is_no_refusal(clock):
    lost = TransportError("cannot reach it", hint="is the network up?", transient=True)
    with pytest.raises(TransportError, match="not within 12 minutes; the last answer was: cannot reach it") as caught:
        patience(clock).until("it works", after(clock, clock.now + 10**6, lost), is_not_yet)
    assert (caught.value.exit_code, caught.value.hint) == (6, "is the network up?")


def test_the_last_answer_itself_is_raised_where_that_is_wished(clock):
    began, last = clock.now, TokenRefused("not yet", status=401)
    with pytest.raises(TokenRefused) as caught:
        patience(clock, 30.0).last_of("it works", after(clock, began + 10**6, last), is_not_yet)
    assert caught.value is last
    assert 20 <= clock.now - began <= 30


def test_tries_are_counted_by_time_and_there_is_always_one(clock):
    began = clock.now
    assert [clock.now - began for _ in patience(clock, 15.0).tries("it is listed")] == [0, 1, 3, 6, 11]
    assert len(list(patience(clock, 0.0).tries("it is listed"))) == 1


def test_each_pause_is_told_before_it_and_the_end_is_not(clock):
    told = Told()
    list(patience(clock, 5.0, told).tries("it is listed"))
    assert told == [("it is listed", 0), ("it is listed", 1)]


def test_what_does_not_pass_is_raised_at_once(clock):
    began = clock.now
    with pytest.raises(Denied):
        patience(clock).until("it works", after(clock, began + 1, Denied("firewall", status=403)), is_not_yet)
    assert clock.now == began


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (AzureError("", code="AADSTS7000215"), True),
        (AzureError("", code="AADSTS700016"), True),
        (AzureError("", code="AADSTS7000222"), False),
        (AzureError("", code="AADSTS53003"), False),
        (AzureError("", status=429), False),
        (Unauthorized("", status=401), True),
        (TokenRefused("throttled", status=429), False),
        (TransportError("", transient=True), True),
        (TransportError("no such host"), False),
        (TooManyRequests("", retry_after=5), True),
        (TooManyRequests("", retry_after=3600), False),
        (Denied("", status=403), False),
    ],
)
def test_what_passes_by_waiting(error, passes):
    assert is_not_yet(error) is passes


def test_what_graph_has_not_heard_of_yet_passes():
    said = "The appId 'x' of the service principal does not reference a valid application object."
    assert is_unheard_of(AzureError(said, status=400, code="Request_BadRequest"))
    assert is_unheard_of(AzureError("", code="PrincipalNotFound"))
    assert not is_unheard_of(AzureError("", status=403))
    assert not is_unheard_of(TransportError("", transient=True)), "a POST may have been heard"


def test_places_are_named_in_every_way_and_put_together(azure, places):
    registry = azure.registry("MyRegistry", mode="abac")
    other = azure.registry("labelled", domain_label_hash="e7ggejfuhzhgedc8")
    found = places(
        "myregistry/team/app", f"{registry.id}/team/*", "https://MYREGISTRY.azurecr.io/base/", "labelled-e7ggejfuhzhgedc8.azurecr.io"
    )
    assert [(str(each.registry.login_server), each.repositories) for each in found] == [
        ("myregistry.azurecr.io", ("base", "team/*", "team/app")),
        (other.login_server, ()),
    ]


def test_the_whole_registry_and_a_repository_of_it_are_the_whole(azure, places):
    azure.registry("myregistry", mode="abac")
    for texts in (("myregistry", "myregistry/a"), ("myregistry/a", "myregistry")):
        assert [each.repositories for each in places(*texts)] == [()]


@pytest.mark.parametrize(
    ("repositories", "address", "sample"),
    [
        ((), "myregistry.azurecr.io", "registryauth-probe"),
        (("team/app",), "myregistry.azurecr.io/team/app", "team/app"),
        (("team/*",), "myregistry.azurecr.io/team", "team/registryauth-probe"),
        (("base", "team/*"), "myregistry.azurecr.io", "base"),
    ],
)
def test_what_a_place_is_registered_for_and_where_it_is_tried(azure, places, repositories, address, sample):
    azure.registry("myregistry", mode="abac")
    (place,) = places(*(f"myregistry/{each}" for each in repositories)) if repositories else places("myregistry")
    assert (str(place.address), place.sample) == (address, sample)


def test_a_role_that_another_includes_is_not_given(azure, places, roles):
    azure.registry("classic1")
    azure.registry("modern1", mode="abac")
    (place,) = places("classic1")
    assert [gift.role.name for gift in plan(roles, [place], ["pull", "push", "delete"])] == ["AcrPush", "AcrDelete"]
    (place,) = places("modern1")
    assert [gift.role.name for gift in plan(roles, [place], ["delete", "pull"])] == ["Container Registry Repository Contributor"]


def test_a_role_that_is_there_after_all_is_no_error(azure, places, roles, app):
    """Somebody else gave it between our look and our request; or our first request's answer was lost."""
    azure.registry("myregistry")
    (gift,) = plan(roles, places("myregistry"), ["pull"])
    robot = azure.home.app("robot")
    assert give(roles, gift, robot.principal_id, new=True).state == "given"
    assert give(roles, gift, robot.principal_id, new=True).state == "already"
    assert give(roles, gift, robot.principal_id).state == "already"
    assert len([one for one in azure.roles.current() if one.principal_id == robot.principal_id]) == 1


def test_a_name_is_free_or_refused(azure, way):
    azure.home.app("taken")
    refuse_taken(Graph(way.graph), "free")
    for name, words in (("taken", "already"), ("", "one line"), ("a\nb", "one line"), ("x" * 121, "one line")):
        with pytest.raises(ConfigurationError, match=words):
            refuse_taken(Graph(way.graph), name)


def test_a_principal_that_resource_management_has_not_heard_of_is_tried_again(azure, places, roles, clock):
    azure.registry("myregistry")
    (gift,) = plan(roles, places("myregistry"), ["pull"])
    robot, until = azure.home.app("robot"), clock.now + 20
    unheard = wrong_shape("PUT", {"error": {"code": "PrincipalNotFound", "message": "does not exist in the directory"}}, status=400)
    azure.inject(lambda request: unheard(request) if clock.now < until else None)
    done = patience(clock).until("it is known", lambda: give(roles, gift, robot.principal_id, new=True), is_unheard_of)
    assert done.state == "given"


def test_narrowing_keeps_what_was_not_named(azure, places, roles):
    azure.registry("myregistry", mode="abac")
    robot = azure.home.app("robot")
    (gift,) = plan(roles, places("myregistry/a", "myregistry/b/*", "myregistry/b/c"), ["pull"])
    give(roles, gift, robot.principal_id)
    (less,) = plan(roles, places("myregistry/b/*"), ["pull"])
    assert take(roles, less, robot.principal_id).state == "narrowed"
    (held,) = roles.of(gift.place.registry.id, robot.principal_id)
    assert held.condition.count("IgnoreCase") == 1
    assert "'a'" in held.condition
    assert take(roles, less, robot.principal_id).state == "absent"


FIRST, SECOND = (f"00000000-0000-4000-8000-00000000000{count}" for count in (1, 2))


class Listed:
    """Resource management that lists two subscriptions, the second of which has the registry."""

    def __init__(self):
        self.asked = []

    def pages(self, path, _version=""):
        self.asked.append(path.partition("?")[0])
        found = [{"subscriptionId": FIRST}, {"subscriptionId": SECOND}] if path == "/subscriptions" else []
        if path.startswith(f"/subscriptions/{SECOND}/resources"):
            found = [{"id": f"/subscriptions/{SECOND}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/theirs"}]
        return [Node(each, "a list", error=AzureError) for each in found]


def test_a_registry_in_another_subscription_is_found_there():
    assert RegistryNames(Listed(), FIRST, lambda: "").find("theirs").subscription == SECOND


def test_with_a_subscription_that_was_said_no_other_one_is_looked_into():
    listed = Listed()
    assert RegistryNames(listed, FIRST, lambda: SECOND, only=True).find("theirs") is None
    assert listed.asked == [f"/subscriptions/{FIRST}/resources"]


class Held:
    """Roles of which the principal has one itself and one through a group, both at that very registry."""

    def of(self, at, _principal_id):
        return tuple(RoleAssignment(name, str(at), f"roles/{name}", name) for name in ("me", "a-group"))

    def definition_of(self, assignment):
        return RoleDefinition(assignment.role_id, "AcrPull", ("Microsoft.ContainerRegistry/registries/pull/read",))


def test_a_role_through_a_group_remains_and_is_not_ours_to_take(azure, places):
    azure.registry("myregistry")
    (place,) = places("myregistry")
    assert [gift.definition.id for gift in gifts_held(Held(), place, ("pull",), "ME")] == ["roles/me"]
    assert [(each.role, each.through) for each in remaining(Held(), place.registry, "ME")] == [("AcrPull", ""), ("AcrPull", "a-group")]
