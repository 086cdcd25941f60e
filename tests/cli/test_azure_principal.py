"""``azure principal``: made, given roles, taken from, looked at; and what is left where something goes wrong."""

from __future__ import annotations

import json

import pytest

from registryauth.azure import library, wire
from registryauth.testing.azure import AzureSimulator
from registryauth.testing.azure.faults import captive_portal, throttled, wrong_shape

HOST = "myregistry.azurecr.io"
DAY = 86400
READER = "Container Registry Repository Reader"


@pytest.fixture
def azure(monkeypatch):
    """Azure, and nothing else, at the end of every wire; nobody waits for long."""
    made = AzureSimulator()
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda *_, **__: made.transport())
    monkeypatch.setattr(wire, "open_transport", lambda *_, **__: made.transport())
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setattr("registryauth.azure.patience._PAUSES", (0.01,))
    monkeypatch.setenv("PATH", "")
    return made


@pytest.fixture
def me(azure, monkeypatch):
    """Who we are, by the environment: may make applications, and owns the subscription."""
    made = azure.home.app("me", graph={"Application.ReadWrite.All"})
    azure.assign(made, "Owner")
    monkeypatch.setenv("AZURE_TENANT_ID", azure.home.id)
    monkeypatch.setenv("AZURE_CLIENT_ID", made.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", made.add_secret(value="my own canary").value)
    return made


@pytest.fixture
def registry(azure, me):
    return azure.registry("MyRegistry")


@pytest.fixture
def abac(azure, registry):
    registry.mode = "abac"
    return registry


@pytest.fixture
def robot(azure):
    return azure.home.app("robot")


def of(azure, name):
    """The application called *name*."""
    (found,) = (app for app in azure.home.apps if app.name == name)
    return found


def roles_of(azure, app):
    return [(one.role, one.scope, one.condition) for one in azure.roles.current() if one.principal_id == app.principal_id]


def written(azure):
    """Each request so far that could change something in Graph or resource management."""
    services = (azure.cloud.graph, azure.cloud.management)
    return [request for request in azure.requests if request.method != "GET" and request.url.origin in services]


def test_a_principal_is_made_given_its_role_kept_and_seen_to_work(cli, kept, azure, registry):
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry", "--owner", "ml", "--purpose", "pulls", "-o", "json")
    assert done.status == 0, done.err
    app = of(azure, "deploy")
    (secret,) = app.secrets
    assert roles_of(azure, app) == [("AcrPull", registry.id, "")]
    (record,) = kept()
    assert (str(record.address), record.account, record.kind, record.made_by) == (HOST, app.app_id, "service-principal", "admin")
    assert (record.tenant, record.cloud, record.owner, record.purpose) == (azure.home.id, "azure", "ml", "pulls")
    assert (record.slots[0].secret, record.slots[0].key_id, record.slots[0].expires_at) == (
        secret.value,
        secret.key_id,
        int(secret.ends_at),
    )
    assert (record.needed, record.slots[0].serial) == (("pull",), 1)
    assert record.verified_at
    assert [(check.repository, check.granted, check.evidence) for check in record.checks] == [("", ("pull",), "the token says")]
    view = json.loads(done.out)
    assert (view["app_id"], view["object_id"], view["stored"]) == (app.app_id, app.principal_id, [HOST])
    assert view["roles"] == [{"registry": HOST, "registry_id": registry.id, "repositories": [], "role": "AcrPull"}]
    assert secret.ends_at - secret.starts_at == pytest.approx(180 * DAY, abs=5)
    assert "my own canary" not in done.err + done.out
    assert secret.value not in done.err + done.out


def test_the_new_secret_goes_to_entra_and_to_the_registry_and_is_to_be_read_nowhere(cli, azure, registry, home, sent_to):
    done = cli("azure", "principal", "create", "deploy", "--registry", HOST)
    assert done.status == 0, done.err
    value = of(azure, "deploy").secrets[0].value
    assert sent_to(value) == {f"https://{azure.cloud.authority.host}", f"https://{HOST}"}
    assert value not in done.out + done.err
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files, "the store is there"
    assert not [path for path in files if value.encode() in path.read_bytes()]


@pytest.fixture
def sent_to(azure):
    """The origins that a secret was sent to, in whichever form."""
    import base64
    from urllib.parse import quote_plus

    def holds(request, secret):
        _, _, value = request.header("authorization").partition(" ")
        plain = base64.b64decode(value + "===").decode("latin-1") if request.header("authorization").lower().startswith("basic") else ""
        text = f"{request.url} {request.headers} {request.body.decode('latin-1')} {plain}"
        return secret in text or quote_plus(secret) in text

    return lambda secret: {str(request.url.origin) for request in azure.requests if holds(request, secret)}


def test_a_role_is_waited_for_and_the_wait_is_told(cli, kept, azure, registry, monkeypatch):
    azure.home.replication = 0.2
    azure.roles.propagation = 0.5
    monkeypatch.setattr("registryauth.azure.patience._PAUSES", (0.1,))
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 0, done.err
    assert done.err.count("Waiting: Entra takes the secret.") == 1
    assert done.err.count(f"Waiting: {HOST} grants the role.") == 1
    assert kept()[0].verified_at


def test_the_progress_is_one_line_at_a_terminal(cli, azure, registry, monkeypatch):
    azure.roles.propagation = 0.3
    monkeypatch.setattr("registryauth.azure.patience._PAUSES", (0.1,))
    monkeypatch.setattr("registryauth.cli.azure.principal.waiting.is_terminal", lambda _: True)
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert f"\rwaiting: {HOST} grants the role (0 s)" in done.err
    assert "Waiting:" not in done.err


def test_what_is_said_after_the_progress_begins_on_a_line_of_its_own(cli, azure, registry, monkeypatch):
    def interrupt(request):
        if azure.roles.current() and request.url.origin.host == HOST and "/oauth2/token" in request.url.target:
            interrupt.seen += 1
            if interrupt.seen == 2:
                raise KeyboardInterrupt

    interrupt.seen = 0
    azure.roles.propagation = 1e9
    azure.fault(interrupt, HOST)
    monkeypatch.setattr("registryauth.cli.azure.principal.waiting.is_terminal", lambda _: True)
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 130
    assert f"\rwaiting: {HOST} grants the role (0 s)\nThere is by now:\n" in done.err


def test_the_progress_is_no_longer_than_a_line(cli, azure, registry, monkeypatch):
    azure.registry("a" * 50)
    azure.roles.propagation = 0.3
    monkeypatch.setattr("registryauth.azure.patience._PAUSES", (0.1,))
    monkeypatch.setattr("registryauth.cli.azure.principal.waiting.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "60")
    done = cli("azure", "principal", "create", "deploy", "--registry", "a" * 50)
    rewritten = [part for line in done.err.split("\n") if "\r" in line for part in line.split("\r")]
    assert f"waiting: {'a' * 30}" in done.err
    assert max(map(len, rewritten)) < 60


def test_what_somebody_replaced_meanwhile_is_left_alone(cli, kept, keep, azure, registry):
    def replace(request):
        app = of(azure, "deploy")
        if kept()[0].slots[0].secret != "theirs":
            keep(HOST, app.app_id, "theirs", kind="service-principal", made_by="admin")

    azure.fault(replace, HOST)
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 0, done.err
    (record,) = kept()
    assert (record.slots[0].secret, record.verified_at, record.checks) == ("theirs", 0, ())


def test_the_store_is_opened_once(cli, azure, registry, monkeypatch):
    from registryauth.cli.session import Session

    opened, store = [], Session.store
    monkeypatch.setattr(Session, "store", lambda self: opened.append(1) or store(self))
    assert cli("azure", "principal", "create", "deploy", "--registry", "myregistry").status == 0
    assert len(opened) == 1, "who types a passphrase types it once"


def test_in_abac_mode_the_check_names_the_repository_and_no_made_up_one(cli, kept, azure, abac):
    for name, place in (("one", "myregistry/team/app"), ("two", "myregistry/team/*")):
        assert cli("azure", "principal", "create", name, "--registry", place).status == 0
    assert {str(record.address): [check.repository for check in record.checks] for record in kept()} == {
        f"{HOST}/team/app": ["team/app"],
        f"{HOST}/team": [],
    }


def test_an_interruption_while_waiting_loses_nothing_and_says_how_to_go_on(cli, kept, azure, registry):
    def interrupt(request):
        if request.url.origin.host == HOST:
            raise KeyboardInterrupt

    azure.fault(interrupt, HOST)
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 130
    app = of(azure, "deploy")
    (record,) = kept()
    assert (record.slots[0].secret, record.verified_at) == (app.secrets[0].value, 0)
    assert f"  the application deploy, client id {app.app_id}" in done.err
    assert f"(key id {app.secrets[0].key_id}), stored for {HOST}" in done.err
    assert f"  the role AcrPull at {HOST}" in done.err
    assert f"To see that it works: registryauth principal verify {HOST} --account {app.app_id}" in done.err
    assert f"To undo it: az ad app delete --id {app.app_id}" in done.err
    assert app.secrets[0].value not in done.err
    azure.behave()
    assert cli("principal", "verify", HOST, "--account", app.app_id).status == 0


def test_an_application_of_that_name_is_never_touched(cli, kept, azure, registry, robot):
    secret = robot.add_secret()
    before = (list(robot.secrets), roles_of(azure, robot))
    done = cli("azure", "principal", "create", "robot", "--registry", "myregistry")
    assert done.status == 2
    assert f"there is an application called robot already ({robot.app_id}); it was not touched" in done.err
    assert f"registryauth azure principal grant {robot.app_id}" in done.err
    assert "principal rotate REGISTRY --source entra" in done.err
    assert (list(robot.secrets), roles_of(azure, robot)) == before
    assert secret.value not in done.err
    assert (written(azure), kept()) == ([], [])


def test_in_abac_mode_a_repository_becomes_the_condition(cli, kept, azure, abac):
    done = cli("azure", "principal", "create", "deploy", "--registry", f"{HOST}/team/app")
    assert done.status == 0, done.err
    name = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"
    actions = " AND ".join(
        f"!(ActionMatches{{'Microsoft.ContainerRegistry/registries/repositories/{what}/read'}})" for what in ("content", "metadata")
    )
    condition = f"(({actions}) OR ({name} StringEqualsIgnoreCase 'team/app'))"
    assert roles_of(azure, of(azure, "deploy")) == [(READER, abac.id, condition)]
    (record,) = kept()
    assert str(record.address) == f"{HOST}/team/app"
    assert "granted      pull, by the token for team/app" in done.out


def test_several_repositories_are_one_role_and_one_secret_for_the_registry(cli, kept, azure, abac):
    done = cli(
        "azure", "principal", "create", "deploy", "--registry", "myregistry/team/*", "--registry", "myregistry/base", "--role", "push"
    )
    assert done.status == 0, done.err
    ((role, _, condition),) = roles_of(azure, of(azure, "deploy"))
    assert role == "Container Registry Repository Writer"
    assert condition.endswith(
        "OR (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'base'"
        " OR @Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWithIgnoreCase 'team/'))"
    )
    assert "content/write" in condition
    (record,) = kept()
    assert (str(record.address), record.needed, len(of(azure, "deploy").secrets)) == (HOST, ("pull", "push"), 1)


def test_each_registry_gets_a_secret_of_its_own(cli, kept, azure, registry):
    azure.registry("another")
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry", "--registry", "another")
    assert done.status == 0, done.err
    app = of(azure, "deploy")
    assert {str(record.address): record.slots[0].key_id for record in kept()} == {
        f"{one}.azurecr.io": next(secret.key_id for secret in app.secrets if one in secret.name) for one in ("myregistry", "another")
    }
    assert len(roles_of(azure, app)) == 2


@pytest.mark.parametrize("place", ["myregistry/team/app", "myregistry/team/*", f"{HOST}/team/app"])
@pytest.mark.parametrize("verb", ["create", "grant", "revoke"])
def test_a_classic_registry_has_no_roles_for_repositories(cli, azure, registry, robot, verb, place):
    who = "fresh" if verb == "create" else robot.app_id
    done = cli("azure", "principal", verb, who, "--registry", place, "--role", "pull")
    assert done.status == 2
    assert "its roles are for the whole registry" in done.err
    assert "az acr token create" in done.err
    assert "--role-assignment-mode rbac-abac" in done.err
    assert written(azure) == []


def test_who_may_make_no_application_is_told_what_it_takes(cli, kept, azure, me, registry):
    me.graph.clear()
    me.graph.add("Application.Read.All")
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 4
    assert "may not manage applications" in done.err
    assert "Application Developer" in done.err
    assert kept() == []


def test_who_may_give_no_role_keeps_the_secret_and_hears_who_may(cli, kept, azure, me, registry):
    azure.roles.assignments.clear()
    azure.assign(me, "Contributor")
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    app = of(azure, "deploy")
    assert done.status == 4
    assert "you may not give roles at the registry MyRegistry" in done.err
    for role in ("Owner", "User Access Administrator", "Role Based Access Control Administrator"):
        assert role in done.err
    assert kept()[0].slots[0].secret == app.secrets[0].value
    finish = f"registryauth azure principal grant {app.app_id} --registry MyRegistry --role pull"
    assert f"To finish it: {finish}" in done.err
    assert f"Not made: the role AcrPull at {HOST}." in done.err
    # An owner does it, and then it works.
    azure.assign(me, "Owner")
    assert cli(*finish.split()[1:]).status == 0
    assert cli("principal", "verify", HOST, "--account", app.app_id).status == 0


@pytest.mark.parametrize("code", ["CredentialInvalidLifetimeAsPerAppPolicy", "CredentialLifetimeExceedsMaxValueAsPerAppMgmtPolicy"])
def test_a_policy_on_lifetimes_says_so_and_what_there_is(cli, kept, azure, registry, code):
    azure.inject(wrong_shape("/addPassword", {"error": {"code": code, "message": "Credential lifetime exceeds the max value"}}, status=400))
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 1
    assert "a policy of the tenant limits how long secrets live: a shorter --expires" in done.err
    assert f"To undo it: az ad app delete --id {of(azure, 'deploy').app_id}" in done.err
    assert "To finish it" not in done.err
    assert kept() == []


def test_a_shorter_life_gets_past_the_policy(cli, azure, registry):
    azure.home.longest_secret = 91 * DAY
    assert cli("azure", "principal", "create", "one", "--registry", "myregistry").status == 1
    assert cli("azure", "principal", "create", "two", "--registry", "myregistry", "--expires", "90d").status == 0


def test_a_full_directory_says_what_makes_room(cli, azure, registry):
    error = {
        "error": {"code": "Directory_QuotaExceeded", "message": "The directory object quota limit for the Principal has been exceeded."}
    }
    azure.inject(wrong_shape("POST /v1.0/applications$", error, status=403))
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 4
    assert "quota limit" in done.err
    assert "remove applications or secrets that nobody needs" in done.err
    assert done.err.startswith("error:"), "nothing was made, and nothing is in doubt"


def test_a_captive_portal_is_recognised_and_leaves_nothing_half_made(cli, kept, azure, registry):
    azure.inject(captive_portal("POST /v1.0/applications$"))
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert (done.status, kept()) == (1, [])
    assert "a captive portal or a proxy answers in its place" in done.err
    assert "No answer says that anything was made. If in doubt: az ad app list --display-name deploy" in done.err


def test_a_name_in_a_hint_can_be_typed_into_a_shell(cli, azure, registry):
    import shlex

    azure.inject(captive_portal("POST /v1.0/applications$"))
    name = "it's $(id) `id` \u00e9"
    done = cli("azure", "principal", "create", name, "--registry", "myregistry")
    (line,) = (line for line in done.err.splitlines() if "If in doubt: " in line)
    assert shlex.split(line.partition("If in doubt: ")[2]) == ["az", "ad", "app", "list", "--display-name", name]


def test_throttling_for_long_stops_and_says_how_long(cli, azure, registry):
    azure.inject(throttled("PUT .*roleAssignments", 3600, azure.clock))
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 1
    assert "throttled; wait 3600 s" in done.err
    assert "To finish it: registryauth azure principal grant" in done.err


def test_a_secret_that_the_store_does_not_take_is_named_with_what_removes_it(cli, azure, registry, monkeypatch):
    from registryauth.errors import StoreUnavailable
    from registryauth.stores.encrypted import EncryptedStore

    def refuse(*_, **__):
        raise StoreUnavailable("the disk is full", hint="make room")

    monkeypatch.setattr(EncryptedStore, "put", refuse)
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    app = of(azure, "deploy")
    assert done.status == 5
    assert f"kept nowhere; it can go: az ad app credential delete --id {app.app_id} --key-id {app.secrets[0].key_id}" in done.err
    assert roles_of(azure, app) == []


def test_a_store_that_is_locked_is_heard_of_before_anything_is_made(cli, keep, azure, registry, home):
    keep("another.example")
    (home / ".config/registryauth/store.key").unlink()
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert (done.status, written(azure)) == (5, []), done.err


def test_a_firewall_stops_the_check_and_not_what_was_made(cli, kept, azure, registry):
    registry.firewall = ["198.51.100.1"]
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry")
    assert done.status == 4
    assert azure.client_address in done.err
    assert kept()[0].slots[0].secret == of(azure, "deploy").secrets[0].value
    assert "To see that it works: registryauth principal verify" in done.err


def test_without_our_store_the_secret_goes_to_a_new_file_and_nowhere_else(cli, kept, azure, registry, tmp_path):
    file = tmp_path / "secret.json"
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry", "--no-store", "--output-file", file)
    assert done.status == 0, done.err
    app = of(azure, "deploy")
    document = {"appId": app.app_id, "displayName": "deploy", "password": app.secrets[0].value, "tenant": azure.home.id}
    assert json.loads(file.read_text()) == document
    assert file.stat().st_mode & 0o777 == 0o600
    assert kept() == []
    assert app.secrets[0].value not in done.out + done.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--no-store",), "--no-store and --output-file go together"),
        (("--output-file", "new.json"), "--no-store and --output-file go together"),
        (("--no-store", "--output-file", "/nowhere/at/all"), "cannot be written to"),
        (("--no-store", "--output-file", "/"), "is there already"),
        (("--role", "read"), "'read' is no role here"),
        (("--expires", ""), "--expires says when"),
        (("--expires", "2001-01-01"), "over already"),
        (("--registry", "my_registry"), "is no name of an Azure container registry"),
        (("--registry", "myregistry.azurecr.cn"), "--cloud AzureChinaCloud"),
        (("--registry", "registry.example"), "is no registry of AzureCloud"),
        (("--registry", "myregistry/TEAM"), "has no capitals"),
        (("--registry", "myregistry/te*m"), "neither a repository nor a prefix"),
        (("--registry", "myregistry//*"), "neither a repository nor a prefix"),
    ],
)
def test_bad_input_makes_nothing(cli, kept, azure, registry, more, words):
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry", *more)
    assert (done.status, words in done.err) == (2, True), done.err
    assert (written(azure), kept()) == ([], [])


def test_a_registry_that_nobody_has_is_not_found(cli, azure, registry):
    done = cli("azure", "principal", "create", "deploy", "--registry", "nosuchregistry")
    assert done.status == 3
    assert "no subscription that you may see has a registry nosuchregistry" in done.err


def test_a_login_server_that_is_not_the_registrys_is_refused(cli, azure, me):
    azure.registry("labelled", domain_label_hash="e7ggejfuhzhgedc8")
    done = cli("azure", "principal", "create", "deploy", "--registry", "labelled.azurecr.io")
    assert (done.status, "answers at labelled-e7ggejfuhzhgedc8.azurecr.io, not at labelled.azurecr.io" in done.err) == (2, True)
    assert cli("azure", "principal", "create", "deploy", "--registry", "labelled-e7ggejfuhzhgedc8.azurecr.io").status == 0


def test_a_dry_run_shows_what_is_sent_otherwise_and_sends_none_of_it(cli, kept, azure, abac):
    argv = ("azure", "principal", "create", "deploy", "--registry", "myregistry/team/app", "--expires", "2099-01-01")
    done = cli(*argv, "--dry-run", "-o", "json")
    assert done.status == 0, done.err
    assert (written(azure), kept(), [app.name for app in azure.home.apps]) == ([], [], ["me"])
    planned = json.loads(done.out)["requests"]

    assert cli(*argv).status == 0
    app = of(azure, "deploy")
    real = {
        "{id of the new application}": app.object_id,
        "{client id of the new application}": app.app_id,
        "{id of the new service principal}": app.principal_id,
        "{a new GUID}": next(one.name for one in azure.roles.current() if one.principal_id == app.principal_id),
    }
    text = json.dumps(planned)
    for placeholder, value in real.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    sent = [{"method": one.method, "url": str(one.url), "body": json.loads(one.body) if one.body else None} for one in written(azure)]
    assert json.loads(text) == sent


def test_a_dry_run_reads_as_requests(cli, azure, registry):
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry", "--dry-run")
    assert "POST https://graph.microsoft.com/v1.0/applications\n{\n" in done.out
    assert "POST https://graph.microsoft.com/v1.0/applications/{id of the new application}/addPassword" in done.out
    assert "Nothing was changed: this is what would be sent." in done.err


def test_a_role_is_granted_once(cli, azure, registry, robot):
    first = cli("azure", "principal", "grant", robot.app_id, "--registry", registry.id, "--role", "push")
    assert (first.status, f"Gave {robot.app_id} the role AcrPush at {HOST}." in first.err) == (0, True), first.err
    second = cli("azure", "principal", "grant", robot.app_id.upper(), "--registry", "myregistry", "--role", "push")
    assert (second.status, "has the role AcrPush at" in second.err) == (0, True)
    assert roles_of(azure, robot) == [("AcrPush", registry.id, "")]


def test_a_further_repository_is_added_to_the_condition(cli, azure, abac, robot):
    for repository in ("team/app", "team/app", "base", "team/*"):
        done = cli("azure", "principal", "grant", robot.app_id, "--registry", f"myregistry/{repository}", "-o", "json")
        assert done.status == 0, done.err
    assert json.loads(done.out)["grants"][0]["state"] == "widened"
    ((_, _, condition),) = roles_of(azure, robot)
    assert "StringEqualsIgnoreCase 'base'" in condition
    assert "StringStartsWithIgnoreCase 'team/'" in condition
    assert "'team/app'" not in condition


def test_a_role_for_the_whole_registry_stays_one(cli, azure, abac, robot):
    assert cli("azure", "principal", "grant", robot.app_id, "--registry", "myregistry").status == 0
    done = cli("azure", "principal", "grant", robot.app_id, "--registry", "myregistry/team/app")
    assert f"at the whole of {HOST} already; nothing was changed" in done.err, "more than what was asked for"
    assert roles_of(azure, robot) == [(READER, abac.id, "")]


def test_a_condition_that_somebody_else_wrote_is_left_alone(cli, azure, abac, robot):
    azure.assign(robot, READER, abac, repository="base")
    before = roles_of(azure, robot)
    for argv in (("grant", robot.app_id, "--registry", "myregistry/team/app"), ("revoke", robot.app_id, "--registry", "myregistry/base")):
        done = cli("azure", "principal", *argv, "--role", "pull")
        assert (done.status, "has a condition that is not ours to change" in done.err) == (1, True), done.err
    assert roles_of(azure, robot) == before
    assert cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry", "--role", "pull").status == 0
    assert roles_of(azure, robot) == []


def test_a_repository_is_taken_out_of_the_condition_and_with_the_last_one_the_role(cli, azure, abac, robot):
    argv = (robot.app_id, "--registry", "myregistry/team/app", "--registry", "myregistry/base")
    assert cli("azure", "principal", "grant", *argv).status == 0
    done = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry/base", "--role", "pull")
    assert (done.status, "it stays for other repositories" in done.err) == (0, True), done.err
    assert "warning" not in done.err, "that it stays for the others was said"
    assert "'base'" not in roles_of(azure, robot)[0][2]
    assert cli("azure", "principal", "revoke", *argv, "--role", "pull").status == 0
    assert roles_of(azure, robot) == []


def test_a_role_that_remains_for_other_repositories_is_no_warning_and_one_for_the_same_is(cli, azure, abac, robot):
    for role, place in (("push", "team/app"), ("pull", "base"), ("pull", "team/*")):
        assert cli("azure", "principal", "grant", robot.app_id, "--registry", f"myregistry/{place}", "--role", role).status == 0
    none = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry/other", "--role", "delete")
    assert "warning" not in none.err
    done = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry/team/app", "--role", "push", "-o", "json")
    assert f"warning: it still gets into {HOST}: {READER}, there, for base, team/* alone" in done.err
    (left,) = json.loads(done.out)["remaining"]
    assert (left["role"], left["repositories"], left["condition"].count("StringStartsWith")) == (READER, ["base", "team/*"], 1)


def test_less_than_what_a_role_is_for_cannot_be_taken(cli, azure, abac, robot):
    assert cli("azure", "principal", "grant", robot.app_id, "--registry", "myregistry/team/*").status == 0
    before = roles_of(azure, robot)
    done = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry/team/app", "--role", "pull")
    assert (done.status, "cannot be taken away for" in done.err, "it is for team/*" in done.err) == (1, True, True), done.err
    assert roles_of(azure, robot) == before


def test_only_known_roles_at_that_very_registry_are_taken_and_what_remains_is_named(cli, azure, registry, robot):
    other = azure.registry("another")
    for role, scope in (("AcrPull", registry), ("AcrPush", registry), ("AcrPull", other), ("Reader", registry), ("AcrPull", "")):
        azure.assign(robot, role, scope)
    done = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry", "--all", "-o", "json")
    assert done.status == 0, done.err
    subscription = f"/subscriptions/{azure.subscription}"
    left = {(role, scope) for role, scope, _ in roles_of(azure, robot)}
    assert left == {("AcrPull", other.id), ("Reader", registry.id), ("AcrPull", subscription)}
    assert f"warning: it still gets into {HOST}: AcrPull, inherited from {subscription}" in done.err
    assert f"warning: it still gets into {HOST}: Reader, there" in done.err, "a reader pulls from a classic registry"
    view = json.loads(done.out)
    assert sorted((one["role"], one["state"]) for one in view["revocations"]) == [("AcrPull", "revoked"), ("AcrPush", "revoked")]
    assert {(one["role"], one["scope"]) for one in view["remaining"]} == {("AcrPull", subscription), ("Reader", registry.id)}


def test_a_role_for_the_whole_registry_is_not_taken_for_a_repository(cli, azure, abac, robot):
    azure.assign(robot, READER, abac)
    done = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry/team/app", "--role", "pull")
    assert (done.status, "it is for the whole registry" in done.err) == (1, True), done.err
    assert roles_of(azure, robot) == [(READER, abac.id, "")]


def test_a_role_that_is_inherited_is_not_one_at_the_registry(cli, azure, registry, robot):
    azure.assign(robot, "AcrPull")
    done = cli("azure", "principal", "grant", robot.app_id, "--registry", "myregistry")
    assert f"Gave {robot.app_id} the role AcrPull at {HOST}." in done.err
    assert ("AcrPull", registry.id, "") in roles_of(azure, robot)


def test_what_is_left_behind_is_said_to_the_quiet_too(cli, azure, registry):
    azure.inject(throttled("PUT .*roleAssignments", 3600, azure.clock))
    done = cli("azure", "principal", "create", "deploy", "--registry", "myregistry", "--quiet")
    assert "To finish it: registryauth azure principal grant" in done.err
    assert "The secret is in place" not in done.err


def test_a_role_from_before_the_mode_was_changed_is_taken_too(cli, azure, registry, robot):
    azure.assign(robot, "AcrPull", registry)
    registry.mode = "abac"
    assert cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry", "--role", "pull").status == 0
    assert roles_of(azure, robot) == []


def test_what_is_not_there_is_taken_without_complaint(cli, azure, registry, robot):
    done = cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry", "--role", "pull")
    assert (done.status, "has no such role at" in done.err) == (0, True)
    assert written(azure) == []


def test_a_revocation_says_which_role(cli, azure, registry, robot):
    assert cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry").status == 2
    assert cli("azure", "principal", "revoke", robot.app_id, "--registry", "myregistry", "--all", "--role", "pull").status == 2
    assert azure.requests == []


@pytest.mark.parametrize("verb", ["grant", "revoke"])
def test_dry_runs_of_grant_and_revoke_send_nothing(cli, azure, registry, robot, verb):
    if verb == "revoke":
        azure.assign(robot, "AcrPull", registry)
    before = roles_of(azure, robot)
    done = cli("azure", "principal", verb, robot.app_id, "--registry", "myregistry", "--role", "pull", "--dry-run")
    assert done.status == 0, done.err
    assert done.out.startswith(f"{'PUT' if verb == 'grant' else 'DELETE'} https://management.azure.com{registry.id}/providers/")
    assert (written(azure), roles_of(azure, robot)) == ([], before)


@pytest.mark.parametrize(
    ("app_id", "status", "words"),
    [
        ("robot", 2, "is no client id"),
        ("00000000-1111-4222-8333-444444444444", 3, "the tenant has no application"),
    ],
)
def test_a_principal_that_is_none_is_said_so(cli, azure, registry, app_id, status, words):
    done = cli("azure", "principal", "grant", app_id, "--registry", "myregistry")
    assert (done.status, words in done.err) == (status, True), done.err


def test_an_application_without_a_principal_says_how_it_gets_one(cli, azure, registry, robot):
    robot.has_principal = False
    done = cli("azure", "principal", "grant", robot.app_id, "--registry", "myregistry")
    assert (done.status, f"az ad sp create --id {robot.app_id}" in done.err) == (3, True)


def listed(done):
    return json.loads(done.out)["secrets"]


def test_secrets_are_listed_with_what_holds_them_and_which_is_ours(cli, keep, azure, me, robot):
    ours, other = robot.add_secret("ours"), robot.add_secret("another")
    robot.principal_secrets.append(robot.secrets.pop())
    keep(HOST, robot.app_id, ours.value, kind="service-principal", tenant=azure.home.id)
    done = cli("azure", "principal", "list-secrets", robot.app_id, "-o", "json")
    assert done.status == 0, done.err
    first, second = listed(done)
    assert (first["key_id"], first["hint"], first["name"], first["held_by"]) == (ours.key_id, ours.value[:3], "ours", "application")
    assert first["stored"] == [{"address": HOST, "serial": 0, "by": "hint", "certain": True}]
    assert (second["key_id"], second["held_by"], second["stored"]) == (other.key_id, "service principal", [])
    assert "--update writes it here" in done.err
    for secret in (ours.value, other.value):
        assert secret not in done.out + done.err


def test_a_record_of_another_clouds_registry_is_asked_about_in_that_cloud(cli, keep, azure, me, robot):
    keep("myregistry.azurecr.cn", robot.app_id, "abc~one", kind="service-principal", tenant=azure.home.id)
    done = cli("azure", "principal", "list-secrets", "myregistry.azurecr.cn")
    assert (done.status, {str(request.url.origin) for request in azure.requests}) == (6, {"https://login.chinacloudapi.cn"})


def test_what_entra_knows_is_written_where_it_is_certain(cli, keep, kept, azure, me, robot):
    ours = robot.add_secret(lifetime=90 * DAY)
    keep(HOST, robot.app_id, ours.value, kind="service-principal", tenant=azure.home.id)
    dry = cli("azure", "principal", "list-secrets", HOST, "--update", "--dry-run")
    assert (dry.status, "Would write of" in dry.err) == (0, True), dry.err
    assert kept()[0].slots[0].key_id == ""
    done = cli("azure", "principal", "list-secrets", HOST, "--update")
    assert (done.status, f"Wrote of {HOST} secret ?: key id {ours.key_id}, expires at" in done.err) == (0, True), done.err
    slot = kept()[0].slots[0]
    assert (slot.key_id, slot.expires_at, slot.secret) == (ours.key_id, int(ours.ends_at), ours.value)
    again = cli("azure", "principal", "list-secrets", HOST, "--update", "-o", "json")
    assert listed(again)[0]["stored"][0]["by"] == "key id"
    assert "everything is known here already" in again.err
    assert kept()[0].revision == 2


def test_secrets_that_begin_alike_are_not_guessed_at(cli, keep, kept, azure, me, robot):
    robot.add_secret(value="abc~one")
    robot.add_secret(value="abc~two")
    keep(HOST, robot.app_id, "abc~one", kind="service-principal", tenant=azure.home.id)
    done = cli("azure", "principal", "list-secrets", robot.app_id, "--update")
    assert (done.status, "may be any of 2 that begin alike; nothing is written of it" in done.err) == (0, True), done.err
    assert "secret ?? (ambiguous)" in done.out
    assert kept()[0].slots[0].key_id == ""


def test_a_stored_secret_that_entra_does_not_have_is_told(cli, keep, azure, me, robot):
    robot.add_secret(value="abc~one")
    keep(HOST, robot.app_id, "xyz~gone", kind="service-principal", tenant=azure.home.id)
    done = cli("azure", "principal", "list-secrets", robot.app_id)
    assert f"warning: {HOST} secret ? is none of these" in done.err
    assert "xyz" not in done.out + done.err


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (("00000000-1111-4222-8333-444444444444",), 3, "the tenant has no application"),
        (("unknown.azurecr.io",), 3, "no credential is stored"),
        (("00000000-1111-4222-8333-444444444444", "--account", "x"), 2, "--account"),
        (("myregistry.azurecr.io", "--dry-run"), 2, "--dry-run goes with --update"),
        (("plain.azurecr.io",), 2, "is no service principal"),
    ],
)
def test_bad_questions_about_secrets_are_answered_clearly(cli, keep, azure, me, argv, status, words):
    keep("plain.azurecr.io", "somebody")
    done = cli("azure", "principal", "list-secrets", *argv)
    assert (done.status, words in done.err) == (status, True), done.err
