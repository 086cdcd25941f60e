"""Secrets made and taken back at Entra, wherever it is cut off, against Azure simulated."""

from __future__ import annotations

import json
import re

import pytest

from registryauth._http.messages import Response
from registryauth.azure.access import Access
from registryauth.azure.rotation import LIFETIME, EntraIssuer
from registryauth.client import Client
from registryauth.errors import (
    AzureError,
    Conflict,
    CredentialError,
    Denied,
    NoIdentity,
    StoreUnavailable,
    TokenRefused,
    TransportError,
    Unauthorized,
)
from registryauth.principals import prune, rotate
from registryauth.reference import Address
from registryauth.stores import Key, Principal, Slot
from registryauth.stores.memory import MemoryStore
from registryauth.testing.azure.faults import throttled, wrong_shape
from registryauth.testing.faults import no_answer, server_error

DAY = 86400
OLD = "old8Q~canary-of-the-current-secret"
HOST = Address.parse("myregistry.azurecr.io")


@pytest.fixture
def robot(azure, app):
    """The application whose secret is rotated, by ``app``, which owns it; a second one is the portal's."""
    robot = azure.home.app("robot")
    azure.registry("myregistry")
    azure.assign(robot, "AcrPull")
    robot.owners.add(app.principal_id)
    app.graph.add("Application.ReadWrite.OwnedBy")
    robot.add_secret("the portal's", lifetime=30 * DAY)
    robot.add_secret("current", value=OLD, lifetime=90 * DAY)
    return robot


@pytest.fixture
def store(robot, clock):
    store = MemoryStore()
    store.put(record_of(robot, clock))
    return store


def record_of(robot, clock, address=HOST, **said):
    said = {"kind": "service-principal", "tenant": robot.tenant.id} | said
    return Principal(address, robot.app_id, (Slot(OLD, added_at=int(clock()), serial=1),), **said)


@pytest.fixture
def said():
    """What a person is told."""
    return []


@pytest.fixture
def issuer(environ, config, wire, clock, said):
    """Makes issuers that signed in as ``app``; whoever sleeps lets the clock go on."""

    def sleep(seconds):
        clock.now += seconds

    def issuer(**options):
        access = Access(config(environ), environ, open_=lambda: wire, clock=clock, sleep=sleep)
        return EntraIssuer(access, tell=said.append, sleep=sleep, **options)

    return issuer


@pytest.fixture
def turn(store, robot, issuer, azure, clock):
    """Rotate; with *opened* None the registry is not asked."""

    def turn(store=store, address=HOST, made=None, **options):
        made = made or issuer()
        opened = options.pop("opened", lambda credentials: Client(credentials, transport=azure.transport(), environ={}))
        return rotate(store, Key(address, robot.app_id), made.issue, opened, clock=clock, issuer=made, **options)

    return turn


@pytest.fixture
def held(store, robot):
    return lambda: store.exact(Key(HOST, robot.app_id))


def keys(app):
    return [one.key_id for one in app.visible_secrets()]


def graph_calls(azure, method=""):
    return [one for one in azure.requests if one.url.origin == azure.cloud.graph and method in ("", one.method)]


def writes(azure):
    return [one.url.target.rpartition("/")[2] for one in graph_calls(azure, "POST")]


# -- which object, how long, under which name --


def test_the_new_secret_is_the_applications_and_named_after_us(turn, azure, robot, held):
    done = turn()
    assert done.verification.verified
    made = robot.secrets[-1]
    assert re.fullmatch(r"registryauth myregistry\.azurecr\.io [0-9a-f]{8}", made.name)
    assert [(slot.secret, slot.key_id) for slot in held().slots] == [(made.value, made.key_id), (OLD, robot.secrets[1].key_id)]
    # What Graph knows of the old one is noted, too.
    assert held().slots[1].expires_at == int(robot.secrets[1].ends_at)
    assert int(made.ends_at - made.starts_at) == 90 * DAY
    assert robot.principal_secrets == []


def test_where_the_current_one_is_the_service_principals_so_is_the_next(turn, robot, held):
    robot.principal_secrets.append(robot.secrets.pop())
    turn()
    assert [one.value for one in robot.principal_secrets] == [OLD, held().slots[0].secret]


def test_another_organisations_application_gets_it_at_its_service_principal(turn, azure, robot, held):
    robot.principal_secrets.append(robot.secrets.pop())
    robot.principal_secrets[0].value = "xyz, so that its hint says nothing"
    azure.fault(wrong_shape(r"GET /v1.0/applications\(", {"error": {"code": "Request_ResourceNotFound", "message": "no"}}, status=404))
    turn()
    assert robot.principal_secrets[-1].value == held().slots[0].secret


def test_an_unknown_lifetime_is_half_a_year(turn, robot):
    robot.secrets[1].value = "xyz, so that its hint says nothing"
    turn()
    made = robot.secrets[-1]
    assert int(made.ends_at - made.starts_at) == LIFETIME


def test_of_two_that_begin_alike_none_is_taken_for_the_current_one(turn, robot, held):
    robot.add_secret(value="old but another one")
    turn()
    assert held().slots[1].key_id == ""


def test_one_that_is_younger_than_our_record_is_not_it(turn, robot, held, clock, store):
    robot.secrets.pop()
    clock.now += 3600
    robot.add_secret(value="old, and begins alike")
    turn(opened=None)
    assert held().slots[1].key_id == ""


def test_an_application_that_the_tenant_does_not_have_is_named(turn, robot, azure):
    azure.home.apps.remove(robot)
    with pytest.raises(AzureError, match=f"has no application or service principal {robot.app_id}") as raised:
        turn()
    assert "--tenant" in raised.value.hint


# -- what goes wrong --


def test_while_graph_is_throttled_it_is_asked_again(turn, azure, clock, robot):
    azure.fault(throttled("addPassword", 7, clock, service="graph"), "graph.microsoft.com")
    assert turn().verification.verified
    assert len(robot.secrets) == 3


def test_a_long_throttling_ends_it_and_says_for_how_long(turn, azure, clock, robot, held):
    azure.fault(throttled("addPassword", 3600, clock, service="graph"), "graph.microsoft.com")
    with pytest.raises(AzureError, match="429") as raised:
        turn()
    assert "wait 3600 s" in raised.value.hint
    assert (len(robot.secrets), len(held().slots)) == (2, 1)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_secret_made_behind_a_bad_gateway_is_found_by_its_name_and_removed(turn, azure, robot, held, status):
    azure.altered(lambda request, answer: broken(request, answer, status), "graph.microsoft.com")
    before = keys(robot)
    with pytest.raises(AzureError) as raised:
        turn()
    assert f"Graph had made the secret all the same, key {robot.secrets[-1].key_id}; it was removed again" in raised.value.hint
    assert (keys(robot), len(held().slots)) == (before, 1)
    assert robot.secrets[-1].value not in str(raised.value) + raised.value.hint


def broken(request, answer, status):
    """A gateway that fails after the service has done what it was asked to."""
    return Response.of(status, [("content-length", "0")], request.url, b"") if "addPassword" in request.url.target else answer


def test_where_the_bad_gateway_made_nothing_that_is_said(turn, azure, robot):
    azure.fault(server_error("addPassword", status=502), "graph.microsoft.com")
    with pytest.raises(AzureError) as raised:
        turn()
    assert "Graph does not list it" in raised.value.hint
    assert writes(azure) == ["addPassword"]


def test_an_answer_that_is_cut_off_is_cleaned_up_after(turn, azure, robot, held):
    def cut(request, answer):
        if "addPassword" in request.url.target:
            raise TransportError("the connection was cut", hint="look at the network")
        return answer

    azure.altered(cut, "graph.microsoft.com")
    before = keys(robot)
    with pytest.raises(TransportError) as raised:
        turn()
    assert raised.value.hint.startswith("Graph had made the secret all the same")
    assert (len(robot.secrets), keys(robot)) == (3, before)


def test_a_secret_that_is_not_told_is_removed(turn, azure, robot):
    def silent(request, answer):
        if "addPassword" not in request.url.target:
            return answer
        said = json.loads(answer.read(10_000)) | {"secretText": None}
        body = json.dumps(said).encode()
        return Response.of(200, [("content-type", "application/json"), ("content-length", str(len(body)))], request.url, body)

    azure.altered(silent, "graph.microsoft.com")
    before = keys(robot)
    with pytest.raises(AzureError, match="did not tell it"):
        turn()
    assert keys(robot) == before


def test_ctrl_c_while_the_secret_is_made_leaves_none_and_says_so(turn, azure, robot, said):
    def interrupted(request, answer):
        if "addPassword" in request.url.target:
            raise KeyboardInterrupt
        return answer

    azure.altered(interrupted, "graph.microsoft.com")
    before = keys(robot)
    with pytest.raises(KeyboardInterrupt):
        turn()
    assert keys(robot) == before
    assert any("it was removed again" in line for line in said)


def test_after_ctrl_c_a_secret_that_is_not_listed_is_not_waited_for(turn, azure, robot, clock, said):
    def interrupt(request):
        if "addPassword" in request.url.target:
            raise KeyboardInterrupt

    azure.fault(interrupt, "graph.microsoft.com")
    began = clock()
    with pytest.raises(KeyboardInterrupt):
        turn()
    assert clock() == began
    assert "Graph does not list it" in said[-1]


def test_without_an_answer_a_secret_is_looked_for_until_it_may_be_listed(turn, azure, robot, clock):
    azure.fault(no_answer("addPassword"), "graph.microsoft.com")
    began = clock()
    with pytest.raises(TransportError) as raised:
        turn()
    assert clock() - began == 3
    assert raised.value.hint.startswith("Graph does not list it")


def test_a_second_ctrl_c_while_it_is_looked_for_says_what_may_be_there(turn, azure, robot, said):
    interrupted = []

    def interrupt(request, answer):
        if "addPassword" in request.url.target or interrupted:
            interrupted.append(request.method)
            raise KeyboardInterrupt
        return answer

    azure.altered(interrupt, "graph.microsoft.com")
    with pytest.raises(KeyboardInterrupt):
        turn()
    made = robot.secrets[-1].name
    assert interrupted == ["POST", "GET"]
    # With --quiet a notice is said, too.
    assert said[-1] == f"notice: whether Graph made the secret was not seen any more: look for {made!r} among those of {robot.app_id}"


def test_ctrl_c_while_the_registry_is_asked_takes_it_back_and_says_so(turn, azure, robot, held, said):
    before = keys(robot)

    def opened(credentials):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn(opened=opened)
    assert (keys(robot), [slot.secret for slot in held().slots]) == (before, [OLD])
    assert any("was removed at Entra again" in line for line in said)


def test_slow_replication_is_waited_for(turn, azure, clock, robot, said):
    azure.home.replication = 60
    began = clock()
    assert turn().verification.verified
    assert 60 <= clock() - began < 75
    assert said == ["Entra does not know the new secret yet; waiting for up to 120 s."]


def test_without_a_tenant_the_registry_alone_is_asked_until_it_takes_it(store, turn, azure, environ, config, clock, robot, issuer, held):
    store.put(held().replace(tenant=""))
    environ |= {"AZURE_TENANT_ID": ""}
    made = EntraIssuer(AnyTenant(issuer()._access, azure.home.id), sleep=issuer()._sleep)
    azure.home.replication = 60
    assert turn(made=made).verification.verified


class AnyTenant:
    """A sign-in that knows its tenant by itself, as the Azure CLI does."""

    def __init__(self, access, tenant):
        self._access, self._tenant = access, tenant
        self.config, self.environ, self.clock = access.config, access.environ, access.clock

    def way(self, cloud, tenant):
        return self._access.way(cloud, tenant or self._tenant)


def test_one_that_entra_never_learns_of_is_removed_again(turn, azure, robot, held, clock):
    azure.home.replication = 100_000
    before, began = keys(robot), clock()
    with pytest.raises(AzureError, match="after 120 s Entra does not know the new secret") as raised:
        turn()
    assert raised.value.exit_code == 4
    assert clock() - began < 150
    assert "was removed at Entra again; nothing was changed" in raised.value.hint
    assert (keys(robot), len(held().slots)) == (before, 1)


def test_one_that_is_to_be_taken_back_is_waited_for_until_it_is_listed(turn, azure, robot, clock, said):
    before, began, listed = keys(robot), clock(), robot.visible_secrets
    robot.visible_secrets = lambda **said: [one for one in listed(**said) if one.key_id in before or clock() >= began + 8]

    def interrupt(request):
        if "/oauth2/v2.0/token" in request.url.target and robot.app_id.encode() in request.body:
            raise KeyboardInterrupt

    azure.fault(interrupt, "login.microsoftonline.com")
    with pytest.raises(KeyboardInterrupt):
        turn()
    assert 8 <= clock() - began <= 15
    assert keys(robot) == before
    assert any("was removed at Entra again" in line for line in said)


def test_what_a_registry_refuses_for_another_reason_than_the_secret_is_not_asked_again(turn, azure, robot, clock):
    azure.fault(wrong_shape("/oauth2/token", {"errors": [{"code": "DENIED", "message": "no"}]}, status=403), ".azurecr.io")
    began = clock()
    with pytest.raises((TokenRefused, Denied)):
        turn()
    assert clock() == began


def test_what_cannot_be_taken_back_is_named_with_the_command_that_removes_it(turn, azure, robot, held):
    azure.fault(wrong_shape("removePassword", {"error": {"code": "Authorization_RequestDenied", "message": "no"}}, status=403))
    azure.registries[0].firewall = ("198.51.100.0/24",)
    with pytest.raises((TokenRefused, Denied)) as raised:
        turn()
    left = robot.secrets[-1].key_id
    assert f"'az ad app credential delete --id {robot.app_id} --key-id {left}' removes it" in raised.value.hint
    assert left in keys(robot)
    assert robot.secrets[-1].value not in str(raised.value) + raised.value.hint
    assert [slot.secret for slot in held().slots] == [OLD]


def test_a_registry_that_refuses_what_entra_takes_is_asked_for_half_a_minute(turn, azure, robot, clock):
    refusal = {"errors": [{"code": "UNAUTHORIZED", "message": "Invalid clientid or client secret."}]}
    azure.fault(wrong_shape("/oauth2/token", refusal, status=401), ".azurecr.io")
    before, began = keys(robot), clock()
    with pytest.raises((TokenRefused, Unauthorized)) as raised:
        turn()
    assert 20 <= clock() - began <= 30
    assert "was removed at Entra again; nothing was changed; the registry has not heard of the new secret yet" in raised.value.hint
    assert keys(robot) == before


def test_our_sign_in_may_end_in_the_middle(turn, azure, clock, robot):
    azure.home.replication = 100
    azure.entra.lifetime = 150
    assert turn().verification.verified


def test_a_policy_of_the_tenant_is_explained(turn, azure, robot):
    code = "CredentialLifetimeExceedsMaxValueAsPerAppMgmtPolicy"
    azure.fault(wrong_shape("addPassword", {"error": {"code": code, "message": "too long"}}, status=400))
    with pytest.raises(AzureError, match=code) as raised:
        turn()
    assert "a policy of the tenant limits how long secrets live: a shorter --expires" in raised.value.hint
    assert writes(azure) == ["addPassword"]


def test_the_old_one_keeps_its_place_until_there_is_room(turn, azure, robot, clock):
    turn()
    asked = len(azure.requests)
    with pytest.raises(CredentialError, match="still keeps"):
        turn()
    assert len(azure.requests) == asked


# -- the store says no, or nothing --


class Meddled(MemoryStore):
    """A store in which something happens around the *at*-th write."""

    def __init__(self, at, before=lambda: None, after=lambda: None):
        super().__init__()
        self._at, self._before, self._after = at, before, after

    def put(self, principal, if_revision=None):
        self._at -= 1
        if self._at == 0:
            self._before()
        written = super().put(principal, if_revision)
        if self._at == 0:
            self._after()
        return written


def fail():
    raise StoreUnavailable("no answer", hint="")


def test_who_was_overtaken_takes_the_secret_back(turn, issuer, robot, store, held):
    made = issuer()

    def issue(record):
        slot = EntraIssuer.issue(made, record)
        store.put(record.replace(slots=(record.slots[0], Slot("somebody else's", serial=2))))
        return slot

    made.issue = issue
    before = keys(robot)
    with pytest.raises(Conflict) as raised:
        turn(made=made)
    assert "was removed at Entra again" in raised.value.hint
    assert keys(robot) == before
    assert held().pending.secret == "somebody else's"


def test_where_the_first_write_fails_the_secret_is_taken_back(turn, robot, clock):
    store = Meddled(2, before=fail)
    store.put(record_of(robot, clock))
    before = keys(robot)
    with pytest.raises(StoreUnavailable) as raised:
        turn(store)
    assert "was removed at Entra again" in raised.value.hint
    assert keys(robot) == before


def test_a_first_write_whose_answer_is_lost_is_taken_back_in_both_places(turn, robot, clock):
    store = Meddled(2, after=fail)
    store.put(record_of(robot, clock))
    before = keys(robot)
    with pytest.raises(StoreUnavailable):
        turn(store)
    assert keys(robot) == before


def test_a_last_write_whose_answer_is_lost_keeps_the_secret_that_is_current_by_then(turn, robot, clock):
    store = Meddled(3, after=fail)
    store.put(record_of(robot, clock))
    with pytest.raises(StoreUnavailable) as raised:
        turn(store)
    assert "the secret that was made is current by now" in raised.value.hint
    current = store.list()[0].slots[0]
    assert (current.secret, current.key_id in keys(robot)) == (robot.secrets[-1].value, True)


def test_where_the_store_does_not_say_the_secret_is_left_and_named(turn, robot, clock):
    store = Meddled(2)

    def gone():
        store.exact = lambda _: fail()
        fail()

    store._before = gone
    store.put(record_of(robot, clock))
    with pytest.raises(StoreUnavailable) as raised:
        turn(store)
    left = robot.secrets[-1].key_id
    assert f"key {left}, is left at its issuer" in raised.value.hint
    assert left in keys(robot)


# -- taking up what was cut off --


class Killed(BaseException):
    """The process is gone: nothing that it had still to do is done."""


class Mortal(MemoryStore):
    """A store whose process dies right after the *fuse*-th write; nothing works until it is *revived*."""

    fuse, dead = 0, False

    def put(self, principal, if_revision=None):
        self.live()
        written = super().put(principal, if_revision)
        self.fuse -= 1
        self.dead = self.fuse == 0
        self.live()
        return written

    def exact(self, key):
        self.live()
        return super().exact(key)

    def live(self):
        if self.dead:
            raise Killed


@pytest.fixture
def killed(turn, robot, clock, issuer):
    """A store in which a rotation was killed after its secret was made and held."""
    store = Mortal()
    store.put(record_of(robot, clock))
    store.fuse = 1
    made = issuer()
    # Whoever is killed takes nothing back.
    made.revoke = lambda *_: pytest.fail("a dead process asked")
    with pytest.raises(Killed):
        turn(store, made=made)
    store.dead = False
    return store


def test_the_secret_of_a_killed_rotation_is_taken_up_and_no_other_made(killed, turn, robot, azure, clock):
    clock.now += 3600
    waiting = killed.list()[0].pending
    done = turn(killed)
    assert (done.resumed, done.verification.verified) == (True, True)
    assert (done.principal.slots[0].secret, done.principal.slots[0].key_id) == (waiting.secret, waiting.key_id)
    assert (writes(azure), len(robot.secrets)) == (["addPassword"], 3)
    assert done.given_up == ""


def test_one_that_entra_has_no_more_is_made_anew(killed, turn, robot, clock, said):
    clock.now += 3600
    robot.remove_secret(robot.secrets[-1].key_id)
    done = turn(killed)
    assert (done.principal.slots[0].secret, done.given_up) == (robot.secrets[-1].value, "")
    assert any("is gone at Entra; another one is made" in line for line in said)


def test_one_that_is_dying_is_removed_before_the_next_is_made(killed, turn, robot, clock):
    clock.now += 89.5 * DAY
    dying = robot.secrets[-1].key_id
    turn(killed, opened=None)
    assert dying not in keys(robot)
    assert len(robot.secrets) == 4


def test_one_that_is_younger_than_graphs_lists_is_taken_up_all_the_same(killed, turn, robot, azure):
    made = robot.secrets[-1]

    def unlisted(request, answer):
        if request.method != "GET":
            return answer
        said = json.loads(answer.read(100_000))
        said["passwordCredentials"] = [one for one in said["passwordCredentials"] if one["keyId"] != made.key_id]
        body = json.dumps(said).encode()
        return Response.of(answer.status, [("content-type", "application/json"), ("content-length", str(len(body)))], request.url, body)

    azure.altered(unlisted, "graph.microsoft.com")
    assert turn(killed).principal.slots[0].key_id == made.key_id
    assert writes(azure) == ["addPassword"]


def test_one_that_was_condemned_and_not_removed_is_removed_by_the_next_rotation(turn, robot, clock, issuer, azure):
    store = Mortal()
    store.put(record_of(robot, clock))
    # Held, then condemned, then dead.
    store.fuse = 2
    azure.registries[0].firewall = ("198.51.100.0/24",)
    made = issuer()
    made.revoke = lambda *_: pytest.fail("a dead process asked")
    with pytest.raises(Killed):
        turn(store, made=made)
    store.dead = False
    azure.registries[0].firewall = ()
    condemned = store.list()[0].pending
    assert (condemned.remove_after > 0, condemned.key_id in keys(robot)) == (True, True)
    done = turn(store)
    assert condemned.key_id not in keys(robot)
    assert done.principal.slots[0].secret == robot.secrets[-1].value


def test_one_that_nobody_knows_any_more_is_named_and_left_alone(turn, robot, clock, said):
    """Killed between Entra's answer and the first write."""
    robot.add_secret("registryauth myregistry.azurecr.io 0123abcd")
    robot.add_secret("registryauth other.azurecr.io 0123abcd")
    lost, others = (one.key_id for one in robot.secrets[2:])
    turn()
    [note] = said
    assert f"key {lost}" in note
    assert others not in note
    assert {lost, others} <= set(keys(robot))


def test_those_that_the_record_has_are_no_strangers(turn, said):
    turn()
    turn(force=True)
    turn(force=True)
    assert said == []


def test_a_waiting_one_that_makes_room_for_a_secret_from_elsewhere_is_named(killed, robot, clock):
    waiting = killed.list()[0].pending
    done = rotate(killed, Key(HOST, robot.app_id), lambda _: Slot("from elsewhere"), None, clock=clock)
    assert done.given_up == waiting.key_id


def test_two_that_take_up_the_same_one_do_not_take_it_from_each_other(killed, turn, robot, issuer, azure):
    made = issuer()
    asked = EntraIssuer.prove

    def prove(record, slot, ask):
        # The other one is done before our registry gives no answer.
        turn(killed)
        azure.fault(no_answer("/v2/"), ".azurecr.io")
        return asked(made, record, slot, ask)

    made.prove = prove
    with pytest.raises(TransportError) as raised:
        turn(killed, made=made)
    assert "is current by now" in raised.value.hint
    assert killed.list()[0].slots[0].key_id in keys(robot)


# -- pruning --


def many(store, robot, clock, due, count=1000):
    """*count* records of one application, of which *due* have a secret that is due."""
    for number in range(count):
        new, old = (Slot(f"new-{number}", serial=2), Slot(f"gone-{number}", serial=1, key_id=f"key-{number}"))
        old = old.replace(remove_after=int(clock()) + (-1 if number < due else 1000))
        address = Address.parse(f"registry{number}.azurecr.io")
        store.put(Principal(address, robot.app_id, (new, old), kind="service-principal", tenant=robot.tenant.id))


def test_of_a_thousand_only_those_due_are_asked_about(azure, robot, clock, issuer):
    store = MemoryStore()
    many(store, robot, clock, due=2)
    verdicts = list(prune(store, store.list(), clock(), issuer=issuer()))
    assert [one.at_issuer for one in verdicts if one.state == "removed"] == ["gone", "gone"]
    # Two objects each, and one sign-in for all.
    assert (len(graph_calls(azure)), len(azure.requests)) == (4, 5)


def test_where_nobody_is_signed_in_that_is_found_out_once(azure, robot, clock, issuer, environ):
    store = MemoryStore()
    many(store, robot, clock, due=20, count=20)
    del environ["AZURE_CLIENT_SECRET"]
    azure.fault(no_answer("."), "169.254.169.254")
    verdicts = list(prune(store, store.list(), clock(), issuer=issuer()))
    assert {one.state for one in verdicts} == {"stuck"}
    assert isinstance(verdicts[0].error, NoIdentity)
    assert len(azure.requests) < 5
    assert all(len(record.slots) == 2 for record in store.list())


def test_where_graph_is_not_reached_it_is_asked_once(azure, robot, clock, issuer):
    store = MemoryStore()
    many(store, robot, clock, due=20, count=20)
    azure.fault(no_answer("."), "graph.microsoft.com")
    verdicts = list(prune(store, store.list(), clock(), issuer=issuer()))
    assert {one.state for one in verdicts} == {"stuck"}
    assert len(graph_calls(azure)) == 1


def test_one_that_is_refused_does_not_keep_the_others(azure, robot, clock, issuer, app):
    others = azure.home.app("nobody's")
    store, due = MemoryStore(), int(clock()) - 1
    for owner, host in ((others, "a.azurecr.io"), (robot, "b.azurecr.io")):
        old = owner.add_secret()
        slots = (Slot("new", serial=2), Slot(old.value, serial=1, key_id=old.key_id, remove_after=due))
        store.put(Principal(Address.parse(host), owner.app_id, slots, kind="service-principal", tenant=robot.tenant.id))
    app.graph.add("Application.Read.All")
    first, second = prune(store, store.list(), clock(), issuer=issuer())
    assert (first.state, first.error.status, second.state, second.at_issuer) == ("stuck", 403, "removed", "removed")
    assert others.secrets[0].key_id in keys(others)


def test_the_wrong_tenant_is_not_taken_for_gone(azure, robot, clock, issuer):
    store = MemoryStore()
    many(store, robot, clock, due=1, count=1)
    azure.home.apps.remove(robot)
    [verdict] = prune(store, store.list(), clock(), issuer=issuer())
    assert (verdict.state, verdict.error.status) == ("stuck", 404)
    assert len(store.list()[0].slots) == 2


def due_record(robot, clock, old, address=HOST):
    slots = (Slot("new", serial=2), Slot(old.value, serial=1, key_id=old.key_id, remove_after=int(clock()) - 1))
    return record_of(robot, clock, address).replace(slots=slots)


@pytest.mark.parametrize("by_key", [True, False])
@pytest.mark.parametrize("waits", [True, False])
def test_a_key_that_any_record_has_in_use_stays_even_by_force(azure, robot, clock, issuer, by_key, waits):
    store, old = MemoryStore(), robot.secrets[1]
    store.put(due_record(robot, clock, old))
    same = Slot("another text" if by_key else old.value, serial=2 if waits else 1, key_id=old.key_id.upper() if by_key else "")
    slots = (Slot("its own", serial=1), same) if waits else (same,)
    store.put(record_of(robot, clock, Address.parse("other.azurecr.io")).replace(slots=slots, account=robot.app_id.upper()))
    for dry_run in (True, False):
        [verdict] = prune(store, [store.exact(Key(HOST, robot.app_id))], clock(), issuer=issuer(), force=True, dry_run=dry_run)
        assert (verdict.state, [str(one.address) for one in verdict.others]) == ("shared", ["other.azurecr.io"])
    assert old.key_id in keys(robot)
    assert azure.requests == []


def test_a_key_that_a_consumer_elsewhere_still_has_stays(azure, robot, clock, issuer):
    from registryauth.principals import note_consumer

    store, old = MemoryStore(), robot.secrets[1]
    other = Address.parse("other.azurecr.io")
    for address in (HOST, other):
        store.put(due_record(robot, clock, old, address))
    note_consumer(store, Key(other, robot.app_id), "/srv/config.json", "docker-config", 1, clock())
    [verdict] = prune(store, [store.exact(Key(HOST, robot.app_id))], clock(), issuer=issuer())
    assert verdict.state == "shared"
    [verdict] = prune(store, [store.exact(Key(HOST, robot.app_id))], clock(), issuer=issuer(), force=True)
    assert (verdict.state, old.key_id in keys(robot)) == ("removed", False)


def test_killed_between_entra_and_the_store_it_is_done_by_the_next_prune(azure, robot, clock, issuer):
    store, old = Meddled(2, before=fail), robot.secrets[1]
    store.put(due_record(robot, clock, old))
    with pytest.raises(StoreUnavailable):
        list(prune(store, store.list(), clock(), issuer=issuer()))
    assert (old.key_id in keys(robot), len(store.list()[0].slots)) == (False, 2)
    [verdict] = prune(store, store.list(), clock(), issuer=issuer())
    assert (verdict.at_issuer, len(store.list()[0].slots)) == ("gone", 1)


def test_a_secret_without_a_key_and_one_of_another_issuer_are_removed_here_alone(azure, robot, clock, issuer):
    store, due = MemoryStore(), int(clock()) - 1
    for host, key_id in (("a.azurecr.io", ""), ("registry.example", "a key")):
        slots = (Slot("new", serial=2), Slot("old", serial=1, key_id=key_id, remove_after=due))
        store.put(Principal(Address.parse(host), robot.app_id, slots))
    verdicts = list(prune(store, store.list(), clock(), issuer=issuer()))
    assert [(one.state, one.at_issuer) for one in verdicts] == [("removed", "")] * 2
    assert azure.requests == []


def test_nothing_shows_a_secret(turn, robot, issuer, said, azure):
    made = issuer()
    done = turn(made=made)
    shown = f"{done!r} {made.__dict__!r} {made.plan(done.principal)!r} {said}"
    for secret in (OLD, robot.secrets[-1].value, "canary~secret"):
        assert secret not in shown
