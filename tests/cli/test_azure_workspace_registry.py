from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from registryauth.azure.wire import Wire
from registryauth.docker_helper import NOT_FOUND, run
from registryauth.testing.azure import AzureSimulator

from .conftest import CANARY


@pytest.fixture
def azure(monkeypatch):
    """Azure, which every way to the wire leads to; the environment has the secret of somebody who may read and pull."""
    azure = AzureSimulator()
    app = azure.tenant().app("me")
    app.add_secret(value=CANARY)
    azure.assign(app, "Reader")
    azure.assign(app, "AcrPull")
    monkeypatch.setattr("registryauth.azure.access.open_wire", lambda *_: Wire(azure.transport(), azure.transport()))
    for name, value in (("TENANT_ID", azure.home.id), ("CLIENT_ID", app.app_id), ("CLIENT_SECRET", CANARY)):
        monkeypatch.setenv(f"AZURE_{name}", value)
    return azure


@pytest.fixture
def prod(azure):
    """The workspace ``prod``, its registry in another resource group, with a domain name label."""
    registry = azure.registry("contosoacr", group="shared", domain_label_hash="e7ggejfuhzhgedc8", admin=True, sku="Premium")
    return azure.workspace("prod", group="ml", registry=registry)


@pytest.fixture
def configure(home):
    def configure(*workspaces, more=""):
        tables = [f'[workspaces.{one.name}]\nid = "{one.id}"\n' for one in workspaces]
        (home / ".config/registryauth").mkdir(parents=True, exist_ok=True)
        (home / ".config/registryauth/config.toml").write_text("\n".join((*tables, more)))

    return configure


def arm(azure):
    return sum(request.url.origin == azure.cloud.management for request in azure.requests)


HOST = "contosoacr-e7ggejfuhzhgedc8.azurecr.io"


def test_it_shows_what_azure_says_of_the_registry(cli, azure, prod):
    done = cli("azure", "workspace-registry", "prod", "--subscription", azure.subscription, "--resource-group", "ml")
    assert (done.status, done.err) == (0, "")
    rows = dict(line.split(maxsplit=1) if line[:5] != "login" else ("login server", line.split()[-1]) for line in done.out.splitlines())
    assert rows["WHAT"] == "VALUE"
    assert rows["workspace"] == prod.id
    assert rows["registry"] == prod.registry.id
    assert rows["login server"] == HOST
    assert rows["admin"] == "user      on: its password may push and delete"
    assert rows["anonymous"] == "pull  off"
    assert rows["roles"] == "classic: AcrPull pulls"
    assert rows["network"] == "open to every address"
    assert CANARY not in done.out


@pytest.mark.parametrize(
    "words",
    [
        lambda azure, prod, folder: (prod.id,),
        lambda azure, prod, folder: (prod.id.upper().replace(azure.subscription.upper(), azure.subscription),),
        lambda azure, prod, folder: ("PROD", "--subscription", azure.subscription, "-g", "ML"),
        lambda azure, prod, folder: ("prod", "--subscription", azure.subscription),
        lambda azure, prod, folder: ("--folder", folder),
    ],
)
def test_every_way_of_naming_it_leads_to_the_same_one(cli, azure, prod, tmp_path, words):
    (tmp_path / ".azureml").mkdir()
    said = {"subscription_id": azure.subscription, "resource_group": "ml", "workspace_name": "prod"}
    (tmp_path / ".azureml/config.json").write_text(json.dumps(said))
    given = words(azure, prod, str(tmp_path))
    assert cli("azure", "workspace-registry", *given, "--login-server").out == f"{HOST}\n"
    assert cli("azure", "workspace-registry", *given, "--id").out == f"{prod.registry.id}\n"


def test_the_id_is_the_workspaces_own_word_even_where_the_registry_is_closed_to_us_or_gone(cli, azure, prod):
    """As ``az ml workspace show --query containerRegistry`` prints it, which asks nobody else."""
    azure.roles.assignments.clear()
    azure.assign(azure.home.apps[0], "Reader", prod)
    assert cli("azure", "workspace-registry", prod.id, "--login-server").status == 4
    asked = arm(azure)
    assert cli("azure", "workspace-registry", prod.id, "--id").out == f"{prod.registry.id}\n"
    assert arm(azure) == asked + 1
    azure.registries.remove(prod.registry)
    assert cli("azure", "workspace-registry", prod.id, "--id").out == f"{prod.registry.id}\n"


def test_the_subscription_may_stand_in_the_environment(cli, azure, prod, monkeypatch):
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", azure.subscription)
    assert cli("azure", "workspace-registry", "prod", "--login-server").out == f"{HOST}\n"


def test_blanks_around_a_pasted_name_are_left_out_and_said(cli, azure, prod, configure):
    configure(prod)
    done = cli("azure", "workspace-registry", "prod ", "--login-server")
    assert (done.status, done.out) == (0, f"{HOST}\n")
    assert done.err == "note: there are blanks around 'prod '; they were left out\n"


def test_the_json_is_one_object(load, azure, prod):
    shown = load("azure", "workspace-registry", prod.id)
    assert shown["version"] == 1
    assert shown["workspace"]["resource_group"] == "ml"
    assert shown["registry"] == {
        "id": prod.registry.id,
        "name": "contosoacr",
        "resource_group": "shared",
        "subscription": azure.subscription,
        "login_server": HOST,
        "sku": "Premium",
        "location": "westeurope",
        "state": "Succeeded",
        "admin_user_enabled": True,
        "anonymous_pull_enabled": False,
        "role_mode": "classic",
        "roles": "classic: AcrPull pulls",
        "arm_audience_accepted": True,
        "network": "open to every address",
        "data_endpoints": shown["registry"]["data_endpoints"],
    }


def test_no_registry_yet_is_status_3_and_says_when_there_is_one(cli, azure):
    done = cli("azure", "workspace-registry", azure.workspace("young").id)
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith("error: the workspace young has no container registry yet\nhint: Azure makes one when a model is first")


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        ((), 2, "which workspace? none is configured"),
        (("--login-server",), 2, "which workspace?"),
        (("prod",), 2, "the subscription is not known"),
        (("p", "--subscription", "S", "-g", "ml"), 2, "no name that a workspace can have"),
        (("prod", "--subscription", "mine", "-g", "ml"), 2, "not the id of a subscription"),
        (("prd", "--subscription", "S", "-g", "ml"), 3, "there is no workspace prd"),
        (("prd", "--subscription", "S"), 3, "did you mean prod?"),
        (("prod", "--subscription", "S", "-g", "lm"), 3, "there is no resource group lm"),
        (("prod", "--folder", "."), 2, "--folder says which workspace it is"),
        (("--folder", "/nonexistent"), 2, "there is no folder /nonexistent"),
        (("prod", "--refresh"), 2, "--refresh is for all configured workspaces"),
        (("prod", "--id", "--login-server"), 2, "choose one"),
        (("prod", "--subscription", "S", "-g", "ml", "--cloud", "AzureClod"), 2, "there is no Azure cloud"),
        (
            ("/subscriptions/S/resourceGroups/ml/providers/Microsoft.MachineLearning/workspaces/prod",),
            2,
            "says 'Microsoft.MachineLearning' where",
        ),
    ],
)
def test_a_mistake_has_its_own_words_and_status(cli, azure, prod, argv, status, words):
    done = cli("azure", "workspace-registry", *(word.replace("S", azure.subscription) if "S" in word[:16] else word for word in argv))
    assert (done.status, done.out) == (status, "")
    assert words in done.err


def test_whoever_may_not_look_is_status_4_and_told_what_it_takes(cli, azure, prod):
    azure.roles.assignments.clear()
    done = cli("azure", "workspace-registry", prod.id)
    assert done.status == 4
    assert "you may not look at workspace prod" in done.err
    assert "Reader on the workspace" in done.err


def test_a_refused_sign_in_is_said_without_the_secret(cli, azure, prod, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "another-canary")
    done = cli("azure", "workspace-registry", prod.id)
    assert done.status == 4
    assert "another-canary" not in done.err
    assert "secret" in done.err


# -- the configured ones --


def test_without_a_name_the_configured_ones_are_listed_from_memory(cli, azure, prod, configure):
    young = azure.workspace("young")
    configure(prod, young)
    done = cli("azure", "workspace-registry")
    assert [line.split()[:2] for line in done.out.splitlines()] == [["WORKSPACE", "LOGIN"], ["prod", HOST], ["young", "(none"]]
    asked = arm(azure)
    assert cli("azure", "workspace-registry").out == done.out
    assert arm(azure) == asked


def test_refresh_asks_anew(cli, azure, prod, configure, load):
    configure(prod)
    load("azure", "workspace-registry")
    prod.registry = azure.registry("another")
    assert load("azure", "workspace-registry")["workspaces"][0]["login_server"] == HOST
    assert load("azure", "workspace-registry", "--refresh")["workspaces"][0]["login_server"] == "another.azurecr.io"


def test_to_look_at_one_refreshes_what_is_known_of_it(cli, azure, prod, configure, load):
    configure(prod)
    load("azure", "workspace-registry")
    prod.registry = azure.registry("another")
    assert cli("azure", "workspace-registry", "prod", "--login-server").out == "another.azurecr.io\n"
    assert load("azure", "workspace-registry")["workspaces"][0]["login_server"] == "another.azurecr.io"


# -- resolve --


def test_resolve_finds_the_workspaces_credential_and_names_the_workspace(load, cli, azure, prod, configure):
    configure(prod)
    (shown,) = load("resolve", f"{HOST}/azureml/base:v1")["pull_secrets"]
    assert (shown["kind"], shown["source"]) == ("workspace", "workspace")
    assert shown["credential"] == {"type": "IdentityToken", "username": "<token>"}
    assert shown["expires_at"].startswith("20")
    assert shown["why"] == f"{HOST} is the registry of workspace prod"
    done = cli("resolve", "--explain", f"{HOST}/azureml/base:v1")
    assert f"workspace: found: {HOST} is the registry of workspace prod" in done.out
    assert CANARY not in done.out + done.err


def test_an_image_without_a_registry_goes_where_the_flag_says(cli, azure, prod, configure):
    configure(prod, azure.workspace("dev", registry=azure.registry("devacr")))
    done = cli("resolve", "azureml/azureml_" + "0" * 32)
    assert done.status == 2
    assert "--workspace NAME" in done.err
    done = cli("resolve", "azureml/azureml_" + "0" * 32, "--workspace", "dev")
    assert "devacr.azurecr.io/azureml/azureml_" in done.out
    done = cli("resolve", "azureml/azureml_" + "0" * 32, "--workspace", "dve")
    assert (done.status, "known there: prod, dev" in done.err) == (2, True)


def test_the_admin_user_takes_a_flag_and_is_labelled(load, cli, azure, prod, configure):
    azure.assign(azure.home.apps[0], "Contributor")
    configure(prod)
    done = cli("resolve", f"{HOST}/x", "--allow-admin-user", "--output", "json")
    (shown,) = json.loads(done.out)["pull_secrets"]
    assert shown["credential"] == {"type": "Basic", "username": "contosoacr"}
    assert "the registry's admin user: may push and delete" in shown["detail"]
    assert prod.registry.admin_passwords["password"] not in done.out + done.err


def test_a_workspace_image_asks_no_registry_where_the_target_needs_the_name_alone(cli, azure, prod, configure):
    configure(prod)
    done = cli("resolve", f"{HOST}/azureml/base:v1", "--format", "azureml-environment")
    assert done.status == 0, done.err
    assert not [request for request in azure.requests if request.url.origin.host == HOST]


# -- the audit log --


@pytest.fixture
def events(cli):
    def events(*names):
        shown = json.loads(cli("audit", "show", "--event", "fetched", "--output", "json").out)
        return [tuple(each[name] for name in names) for each in shown["events"]]

    return events


def test_each_sign_in_for_a_workspace_is_written_down_and_what_is_used_again_is_not(cli, azure, prod, configure, events):
    configure(prod)
    assert cli("resolve", f"{HOST}/a", f"{HOST}/b", f"{HOST}/c").status == 0
    how = "workspace prod: a token of hours, by signing in to Entra (client-secret)"
    assert events("address", "account", "detail", "purpose") == [(HOST, "<token>", how, "resolve")]
    assert not os.path.exists(os.path.join(os.environ["HOME"], ".local/share/registryauth/store.db")), "nothing is made for that"


def test_that_the_admin_users_passwords_were_listed_is_written_down_without_them(cli, azure, prod, configure, events, home):
    azure.assign(azure.home.apps[0], "Contributor")
    configure(prod)
    assert cli("resolve", f"{HOST}/a", "--allow-admin-user").status == 0
    how = "workspace prod: the admin user's lasting passwords, by listKeys"
    assert events("address", "account", "detail") == [(HOST, "contosoacr", how)]
    log = (home / ".local/state/registryauth/audit.log").read_text()
    assert not [each for each in prod.registry.admin_passwords.values() if each in log]


def test_dockers_sign_in_is_written_down_as_its_own_and_under_the_stores_key(cli, azure, prod, configure, keep, events):
    configure(prod)
    keep("other.azurecr.io", "deploy", "stored-secret")
    assert ask(HOST)[0] == 0
    assert events("address", "purpose") == [(HOST, "docker helper get")]
    assert cli("audit", "verify").status == 0


def test_where_the_log_is_required_and_cannot_be_written_no_token_is_handed_out(cli, azure, prod, configure, monkeypatch):
    configure(prod)
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_MODE", "required")
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_FILE", "/dev/null/audit.log")
    done = cli("resolve", f"{HOST}/a", "--format", "docker-config", "--allow-short-lived")
    assert (done.status, done.out) == (5, "")
    assert "audit.mode is required" in done.err
    status, out, _ = ask(HOST)
    assert (status, "Secret" in out) == (1, False)


# -- docker's helper --


def ask(server, environ=os.environ):
    out, err = io.StringIO(), io.StringIO()
    status = run(["get"], io.BytesIO(server.encode()), out, err, environ)
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("server", [HOST, f"https://{HOST}", f"https://{HOST}/v2/"])
def test_dockers_helper_answers_for_the_workspaces_registry(azure, prod, configure, server):
    configure(prod)
    status, out, err = ask(server)
    assert (status, err) == (0, "")
    answer = json.loads(out)
    assert (answer["ServerURL"], answer["Username"]) == (server, "<token>")
    assert prod.registry.claims_of(answer["Secret"], "refresh_token")


def test_it_finds_nothing_for_others_and_asks_azure_nothing_about_those_of_others(azure, prod, configure):
    configure(prod)
    assert ask("other.azurecr.io")[:2] == (1, f"{NOT_FOUND}\n")
    asked = len(azure.requests)
    for server in ("other.azurecr.io", "ghcr.io", "https://index.docker.io/v1/", "viennaglobal.azurecr.io"):
        assert ask(server)[:2] == (1, f"{NOT_FOUND}\n")
    assert len(azure.requests) == asked


def test_what_is_stored_comes_first_there_too(azure, prod, configure, keep):
    configure(prod)
    keep(HOST, "deploy", "stored-secret")
    assert json.loads(ask(HOST)[1])["Secret"] == "stored-secret"
    assert azure.requests == []


def test_an_account_that_an_admin_switched_off_is_not_gone_around(cli, azure, prod, configure, keep):
    configure(prod)
    keep(HOST, "deploy", "stored-secret", disabled_at=1)
    status, out, err = ask(HOST)
    assert (status, out) == (1, f"{NOT_FOUND}\n")
    assert "is disabled" in err
    assert azure.requests == []


@pytest.mark.parametrize(
    "rule", ['[resolver]\norder = ["store"]', f'[registries."{HOST}"]\norder = ["store"]', f'[registries."{HOST}"]\naccount = "x"']
)
def test_a_rule_that_leaves_workspaces_out_holds_there_too(azure, prod, configure, rule):
    configure(prod, more=rule)
    assert ask(HOST)[:2] == (1, f"{NOT_FOUND}\n")
    assert azure.requests == []


def test_what_it_cannot_get_is_a_failure_with_its_reason_and_not_nothing(azure, prod, configure):
    configure(prod)
    azure.home.apps[0].secrets.clear()
    status, out, err = ask(HOST)
    assert status == 1
    assert NOT_FOUND not in out
    assert out.startswith("which registry the configured workspaces have cannot be told")
    assert CANARY not in out + err


def test_workspaces_cost_the_helper_no_import_where_the_store_answers_or_the_host_is_nobodys(azure, prod, configure, keep, home):
    configure(prod)
    keep(HOST, "deploy", "stored-secret")
    script = (
        "import io, os, sys\nfrom registryauth.docker_helper import run\n"
        "run(['get'], io.BytesIO(sys.argv[1].encode()), io.StringIO(), io.StringIO(), os.environ)\n"
        "heavy = ('registryauth.azure.', 'registryauth._http', 'ssl', 'dataclasses')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )

    def imported(server):
        environ = {"HOME": str(home)}
        return subprocess.run([sys.executable, "-c", script, server], capture_output=True, text=True, env=environ, timeout=60).stdout

    assert imported(HOST) == imported("ghcr.io") == "[]\n"
    assert "registryauth.azure.bindings" in imported("other.azurecr.io"), "the measure works"


# -- as people write it, and many at once --


@pytest.mark.parametrize("written", [HOST.upper(), HOST.title()])
def test_a_login_server_in_capitals_is_the_same_one(load, cli, azure, prod, configure, written):
    configure(prod)
    (shown,) = load("resolve", f"{written}/azureml/base:v1")["pull_secrets"]
    assert (shown["registry"], shown["kind"], shown["source"]) == (HOST, "workspace", "workspace")
    assert {request.url.origin.host for request in azure.requests if "azurecr" in request.url.origin.host} == {HOST}
    assert json.loads(ask(written)[1])["Username"] == "<token>"


def test_a_thousand_references_on_one_line_cost_one_round(load, azure, prod, configure):
    configure(prod)
    shown = load("resolve", *(f"{HOST}/team/app{at}:v1" for at in range(1000)))["pull_secrets"]
    assert len(shown) == 1000
    # Workspace, registry, a token for either service, and one exchange.
    assert (arm(azure), len(azure.requests)) == (2, 5)


def test_a_wait_of_an_hour_is_said_at_once_and_nothing_is_repeated(cli, azure, prod, configure):
    from registryauth.testing.azure import faults

    configure(prod)
    azure.fault(faults.throttled("workspaces", 3600, lambda: 0.0), azure.cloud.management.host)
    done = cli("resolve", f"{HOST}/azureml/base:v1")
    assert done.status != 0
    assert "3600" in done.err
    assert arm(azure) == 1
