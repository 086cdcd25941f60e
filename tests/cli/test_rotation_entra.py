"""Rotating at Entra as it is typed, against Azure simulated."""

from __future__ import annotations

import json
import os
import re
import time

import pytest

from registryauth.azure.wire import Wire
from registryauth.reference import Address
from registryauth.stores import Key, open_store
from registryauth.testing.azure import AzureSimulator
from registryauth.testing.azure.faults import wrong_shape
from registryauth.testing.faults import no_answer

from .conftest import CANARY

HOST, OTHER = "myregistry.azurecr.io", "other.azurecr.io"
OLD = "old8Q~the-secret-that-is-current"
DAY = 86400


@pytest.fixture
def azure(monkeypatch):
    """Azure, which every way to the wire leads to; whoever is signed in may manage applications."""
    azure = AzureSimulator()
    admin = azure.tenant().app("admin", graph={"Application.ReadWrite.All"})
    admin.add_secret(value=CANARY)
    for name in ("myregistry", "other"):
        azure.registry(name).images.add_image("team/model", "v1", layers=[b"a layer"])
    monkeypatch.setattr("registryauth.azure.wire.open_wire", lambda *_: Wire(azure.transport(), azure.transport()))
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda *_, **__: azure.transport())
    for name, value in (("TENANT_ID", azure.home.id), ("CLIENT_ID", admin.app_id), ("CLIENT_SECRET", CANARY)):
        monkeypatch.setenv(f"AZURE_{name}", value)
    return azure


@pytest.fixture
def robot(azure):
    """The application whose secret is rotated; it has another secret beside."""
    app = azure.home.app("robot")
    azure.assign(app, "AcrPull")
    app.add_secret("of the portal", lifetime=30 * DAY)
    app.add_secret("the current one", value=OLD, lifetime=90 * DAY)
    return app


@pytest.fixture
def add(cli, robot):
    def add(host=HOST, secret=OLD):
        done = cli("principal", "add", host, "--client-id", robot.app_id, "--tenant", robot.tenant.id, "--secret-stdin", stdin=secret)
        assert done.status == 0, done.err

    return add


@pytest.fixture
def rotate(cli):
    return lambda *options, host=HOST: cli("principal", "rotate", host, "--source", "entra", *options)


@pytest.fixture
def prune(cli):
    return lambda *options: cli("principal", "prune", *options)


@pytest.fixture
def record(kept):
    return lambda host=HOST: next(one for one in kept() if str(one.address) == host)


@pytest.fixture
def writes(azure):
    return lambda: [
        request.url.target.rpartition("/")[2]
        for request in azure.requests
        if request.url.origin == azure.cloud.graph and request.method != "GET"
    ]


def keys(app):
    return [one.key_id for one in app.visible_secrets()]


def test_a_new_secret_is_made_proved_stored_and_the_old_one_kept_for_a_while(add, rotate, record, robot, writes):
    add()
    portal, old = robot.secrets
    done = rotate("--keep-old", "2d")
    assert (done.status, done.out) == (0, ""), done.err
    assert f"Rotated {robot.app_id} at {HOST}: secret 2 is current, verified" in done.err
    new, was = record().slots
    made = robot.secrets[-1]
    assert (new.secret, new.key_id, new.expires_at) == (made.value, made.key_id, int(made.ends_at))
    assert (was.secret, was.key_id) == (OLD, old.key_id)
    assert 0 <= time.time() + 2 * DAY - was.remove_after < 60
    # It is to live as long as the one before it did.
    assert abs(made.ends_at - made.starts_at - 90 * DAY) < 60
    assert keys(robot) == [portal.key_id, old.key_id, made.key_id]
    assert writes() == ["addPassword"]
    assert made.value not in done.err


@pytest.mark.parametrize(("option", "days"), [("--lifetime", 30), ("--expires", 400)])
def test_how_long_it_lives_can_be_said(add, rotate, robot, option, days):
    add()
    assert rotate(option, f"{days}d").status == 0
    made = robot.secrets[-1]
    assert abs(made.ends_at - made.starts_at - days * DAY) < 60


def test_pruning_removes_the_old_key_at_entra_and_no_other(add, rotate, prune, record, robot):
    add()
    portal, old = robot.secrets
    rotate("--keep-old", "0d")
    shown = prune(HOST, "--dry-run")
    assert (
        f"Would remove secret 1 of {robot.app_id} at {HOST}, and its key {old.key_id} of the application {robot.app_id} at Entra."
        in shown.err
    )
    assert old.key_id in keys(robot)
    done = prune("--all")
    assert (done.status, done.err) == (0, f"Removed secret 1 of {robot.app_id} at {HOST}, and its key {old.key_id} at Entra.\n")
    assert keys(robot) == [portal.key_id, robot.secrets[-1].key_id]
    assert len(record().slots) == 1
    assert prune("--all").err == "Nothing is due.\n"


def test_what_somebody_removed_at_entra_already_is_removed_here(add, rotate, prune, record, robot):
    add()
    old = robot.secrets[1]
    rotate("--keep-old", "0d")
    robot.remove_secret(old.key_id)
    done = prune(HOST)
    assert (done.status, done.err) == (
        0,
        f"Removed secret 1 of {robot.app_id} at {HOST}; its key {old.key_id} was gone at Entra already.\n",
    )
    assert len(record().slots) == 1


def test_before_its_day_nobody_is_asked(add, rotate, prune, azure):
    add()
    rotate()
    asked = len(azure.requests)
    assert prune("--all").status == 0
    assert len(azure.requests) == asked


def test_where_entra_cannot_be_asked_the_secret_stays_and_the_status_says_why(add, rotate, prune, record, robot, monkeypatch):
    add()
    rotate("--keep-old", "0d")
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("REGISTRYAUTH_AZURE_CREDENTIAL", "client-secret")
    done = prune("--all")
    assert done.status == 2
    assert f"Kept secret 1 of {robot.app_id} at {HOST}: it is due, but its key {record().slots[1].key_id} could not be removed" in done.err
    assert "--keep-at-issuer" in done.err
    assert len(record().slots) == 2


def test_one_that_is_due_and_refused_is_the_status_of_the_refusal_and_of_several_it_is_7(add, rotate, prune, robot, azure, cli):
    add()
    second = azure.home.app("second")
    azure.assign(second, "AcrPull")
    second.add_secret(value="sec8Q~of-the-second")
    rotate("--keep-old", "0d")
    admin = azure.home.apps[0]
    admin.graph = {"Application.ReadWrite.OwnedBy", "Application.Read.All"}
    done = prune("--all")
    assert done.status == 4
    assert "may not manage applications" in done.err

    admin.graph = {"Application.ReadWrite.All"}
    words = ("principal", "add", OTHER, "--client-id", second.app_id, "--tenant", azure.home.id, "--secret-stdin")
    assert cli(*words, stdin=second.secrets[0].value).status == 0
    assert rotate("--keep-old", "0d", host=OTHER).status == 0
    admin.graph = {"Application.ReadWrite.OwnedBy", "Application.Read.All"}
    second.owners.add(admin.principal_id)
    done = prune("--all")
    assert done.status == 7
    assert f"and its key {second.secrets[0].key_id} at Entra." in done.err
    assert second.secrets[0].key_id not in keys(second)


def test_only_here_where_that_is_wished(add, rotate, prune, record, robot, azure):
    add()
    old = robot.secrets[1]
    rotate("--keep-old", "0d")
    asked = len(azure.requests)
    done = prune(HOST, "--keep-at-issuer")
    assert (done.status, len(azure.requests)) == (0, asked)
    assert f"its key {old.key_id} stays at its issuer" in done.err
    assert (len(record().slots), old.key_id in keys(robot)) == (1, True)


def test_a_secret_that_several_records_have_stays_at_entra_until_all_are_rotated(add, rotate, prune, record, robot):
    add()
    add(OTHER)
    old = robot.secrets[1]
    done = rotate("--keep-old", "0d")
    assert f"  registryauth principal rotate {OTHER} --source entra --account {robot.app_id}" in done.err
    done = prune("--all", "--force")
    assert done.status == 7
    assert f"the same secret is in use as {robot.app_id} at {OTHER}, so its key {old.key_id} has to stay" in done.err
    assert (len(record().slots), old.key_id in keys(robot)) == (2, True)

    assert "registryauth principal rotate" not in rotate("--keep-old", "3d", host=OTHER).err.replace("registryauth principal prune", "")
    done = prune("--all")
    # The other one still hands it to its consumers for three days.
    assert (done.status, old.key_id in keys(robot)) == (0, True)
    assert f"Kept secret 1 of {robot.app_id} at {HOST}, until" in done.err
    store = open_store(environ=os.environ)
    held = store.exact(Key(Address.parse(OTHER), robot.app_id))
    store.put(held.replace(slots=(held.slots[0], held.slots[1].replace(remove_after=1))))
    store.close()
    assert prune("--all").status == 0
    assert old.key_id not in keys(robot)
    assert [len(record(host).slots) for host in (HOST, OTHER)] == [1, 1]


def test_a_dry_run_shows_each_request_and_sends_none_that_writes(add, rotate, record, robot, azure, writes):
    add()
    before = record()
    done = rotate("--dry-run", "--lifetime", "30d")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == f"POST https://graph.microsoft.com/v1.0/applications/{robot.object_id}/addPassword"
    assert lines[1].startswith('  {"passwordCredential": {"displayName": "registryauth myregistry.azurecr.io {random}", "endDateTime": "20')
    assert lines[2] == f"POST https://login.microsoftonline.com/{azure.home.id}/oauth2/v2.0/token"
    assert lines[6] == f"POST https://graph.microsoft.com/v1.0/applications/{robot.object_id}/removePassword"
    assert robot.secrets[1].key_id in lines[7]
    assert (writes(), record()) == ([], before)


def test_what_a_dry_run_shows_is_what_is_sent(add, rotate, prune, azure):
    def sent():
        bodies = [json.loads(one.body) for one in azure.requests if one.url.origin == azure.cloud.graph and one.method != "GET"]
        return [json.dumps(body) for body in bodies]

    add()
    shown = [line for line in rotate("--dry-run", "--expires", "2031-05-01").out.splitlines() if line.startswith("  {")]
    assert rotate("--expires", "2031-05-01", "--keep-old", "0d").status == 0
    assert prune("--all").status == 0
    made, removed = sent()
    assert shown[0] == "  " + re.sub(r"[0-9a-f]{8}(?=\", \"end)", "{random}", made)
    assert shown[1].startswith(f"  {removed}, by 'principal prune' from 20")


def test_a_dry_run_removes_nothing_that_is_gone_at_entra_already(add, rotate, record, robot):
    add()
    rotate("--keep-old", "0d")
    store = open_store(environ=os.environ)
    held = record()
    store.put(held.replace(slots=held.slots[:1]))
    store.close()
    robot.remove_secret(held.slots[0].key_id)
    done = rotate("--dry-run")
    assert done.status == 0, done.err
    assert "addPassword" in done.out
    assert "removePassword" not in done.out


def test_where_the_registry_refuses_the_new_secret_is_removed_again(add, rotate, record, robot, azure, monkeypatch):
    monkeypatch.setattr("registryauth.azure.rotation.REGISTRY_PATIENCE", 0.0)
    add()
    before = keys(robot)
    azure.fault(wrong_shape(r"/oauth2/token|/v2/", {"errors": [{"code": "DENIED", "message": "no"}]}, status=403), ".azurecr.io")
    done = rotate()
    assert done.status == 4
    assert "the secret that was made, key " in done.err
    assert "was removed at Entra again; nothing was changed" in done.err
    assert keys(robot) == before
    assert [slot.secret for slot in record().slots] == [OLD]
    assert robot.secrets[-1].value not in done.err


def test_it_waits_until_entra_knows_the_new_secret(add, rotate, azure):
    add()
    azure.home.replication = 1.5
    done = rotate()
    assert done.status == 0, done.err
    assert "Entra does not know the new secret yet; waiting for up to 120 s." in done.err


def test_who_may_not_manage_the_application_is_told_what_it_takes(add, rotate, record, azure, robot):
    add()
    azure.home.apps[0].graph.clear()
    azure.home.apps[0].graph.add("Application.Read.All")
    done = rotate()
    assert done.status == 4
    assert "Application.ReadWrite.OwnedBy" in done.err
    assert len(record().slots) == 1


def test_a_secret_that_graph_does_not_know_is_replaced_and_said_to_stay(add, rotate, record, robot, azure):
    add(secret=OLD)
    robot.secrets[1].value = "another beginning"
    azure.registries[0].images.auth = "none"
    done = rotate("--no-verify")
    assert done.status == 0, done.err
    assert "'principal prune' will not remove it at Entra" in done.err
    assert record().slots[1].key_id == ""


def test_the_identity_that_rotates_itself_is_warned(add, rotate, robot, monkeypatch):
    add()
    robot.graph.add("Application.ReadWrite.All")
    monkeypatch.setenv("AZURE_CLIENT_ID", robot.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", OLD)
    done = rotate()
    assert done.status == 0, done.err
    assert "warning: AZURE_CLIENT_SECRET is the secret that was replaced" in done.err
    assert OLD not in done.err


def test_the_key_of_a_secret_that_is_given_up_is_named(add, rotate, robot, prune):
    add()
    old = robot.secrets[1]
    rotate()
    done = rotate()
    assert (done.status, len(robot.secrets)) == (1, 3)
    done = rotate("--force")
    assert done.status == 0, done.err
    assert f"stays good at its issuer: key {old.key_id}" in done.err


def test_one_that_is_due_is_pruned_before_the_next_rotation(add, rotate, robot, prune):
    add()
    rotate("--keep-old", "0d")
    done = rotate()
    assert done.status == 1
    assert f"'registryauth principal prune {HOST}' removes it in both places" in done.err
    assert prune("--all").status == 0
    assert rotate().status == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--source", "entra", "--lifetime", "30d", "--expires", "30d"], "choose one"),
        (["--source", "entra", "--lifetime", "1h"], "--lifetime is a day at least"),
        (["--source", "entra", "--lifetime", "999999w"], "--lifetime is a day at least"),
        (["--source", "entra", "--secret-stdin"], "--source is stdin, prompt or entra"),
        (["--secret-stdin", "--lifetime", "30d"], "--lifetime is for a secret that is made here"),
        (["--secret-stdin", "--dry-run"], "--dry-run is for a secret that is made here"),
    ],
)
def test_what_makes_no_sense_is_status_2(cli, add, azure, options, complaint):
    add()
    asked = len(azure.requests)
    done = cli("principal", "rotate", HOST, *options, stdin="x")
    assert done.status == 2
    assert complaint in done.err
    assert len(azure.requests) == asked


@pytest.mark.parametrize(
    ("host", "account", "kind", "hint"),
    [
        ("registry.example", "0f5c2f6e-0000-4000-8000-000000000002", "service-principal", "--secret-stdin"),
        (HOST, "myregistry", "admin-user", "az acr credential renew --name myregistry"),
        (HOST, "my-token", "acr-token", "az acr token credential generate --registry myregistry --name my-token"),
        (HOST, "somebody", "user", "az acr token credential generate"),
        (HOST, "<token>", "identity-token", "registryauth azure acr login"),
    ],
)
def test_what_entra_does_not_issue_is_refused_with_what_to_do_instead(keep, azure, rotate, host, account, kind, hint):
    keep(host, account, kind=kind)
    done = rotate(host=host)
    assert done.status == 2
    assert hint in done.err
    assert azure.requests == []


def test_a_rotation_without_a_network_changes_nothing(add, rotate, record, azure, robot):
    add()
    azure.fault(no_answer("."), "graph.microsoft.com")
    done = rotate()
    assert done.status == 6
    assert (len(record().slots), len(robot.secrets)) == (1, 2)


def test_ctrl_c_says_what_became_of_the_secret(add, rotate, record, azure, robot):
    add()
    before = keys(robot)

    def interrupt(request):
        if "/oauth2/v2.0/token" in request.url.target and robot.app_id.encode() in request.body:
            raise KeyboardInterrupt

    azure.fault(interrupt, "login.microsoftonline.com")
    done = rotate()
    assert done.status == 130
    assert f"the secret that was made, key {robot.secrets[-1].key_id}, was removed at Entra again" in done.err
    assert (keys(robot), len(record().slots)) == (before, 1)


def test_a_next_secret_from_elsewhere_names_the_one_at_entra_that_it_gives_up(cli, add, rotate, robot):
    add()
    old = robot.secrets[1]
    rotate()
    brought = robot.add_secret(value="brought by hand")
    done = cli("principal", "rotate", HOST, "--secret-stdin", "--force", stdin=brought.value)
    assert done.status == 0, done.err
    assert f"stays good at its issuer: key {old.key_id}" in done.err
