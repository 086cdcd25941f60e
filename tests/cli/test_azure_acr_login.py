"""``azure acr login``, ``login --entra``, and what Entra says of a principal that a registry refuses."""

from __future__ import annotations

import json
import os

import pytest

from registryauth.azure import library, wire
from registryauth.stores.principal import ENTRA_LABEL
from registryauth.testing import answers
from registryauth.testing.azure import AzureSimulator

HOST = "myregistry.azurecr.io"
OTHER = "99999999-0000-4000-8000-000000000009"


@pytest.fixture
def azure(monkeypatch):
    """Azure, and nothing else, at the end of every wire."""
    made = AzureSimulator()
    for place in ("registryauth.client.client.open_transport",):
        monkeypatch.setattr(place, lambda *_, **__: made.transport())
    monkeypatch.setattr(wire, "open_transport", lambda *_, **__: made.transport())
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setenv("PATH", "")
    return made


@pytest.fixture
def app(azure, monkeypatch):
    """Who we are, by the environment."""
    made = azure.home.app("deploy")
    monkeypatch.setenv("AZURE_TENANT_ID", azure.home.id)
    monkeypatch.setenv("AZURE_CLIENT_ID", made.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", made.add_secret(value="canary~secret").value)
    return made


@pytest.fixture
def registry(azure, app):
    made = azure.registry("MyRegistry")
    made.images.add_image("team/app", "v1")
    azure.assign(app, "AcrPull", made)
    azure.assign(app, "Reader", made)
    return made


@pytest.fixture
def asked(azure):
    return lambda: [f"{request.method} {request.url.redacted}".replace(azure.subscription, "SUB") for request in azure.requests]


def test_a_name_is_looked_up_and_its_token_kept(cli, kept, azure, app, registry):
    done = cli("azure", "acr", "login", "myregistry")
    assert (done.status, done.out) == (0, ""), done.err
    assert f"Signed in to {HOST} as the service principal {app.app_id}." in done.err
    assert f"Stored <token> for {HOST}: verified" in done.err
    assert "It is renewed by itself, by signing in again (client-secret)" in done.err
    assert f"To let docker use it: registryauth setup docker {HOST}" in done.err
    (record,) = kept()
    assert (str(record.address), record.account, record.kind, record.made_by) == (HOST, "<token>", "identity-token", "login")
    assert (record.tenant, record.cloud, record.labels) == (azure.home.id, "azure", ((ENTRA_LABEL, "client-secret"),))
    assert record.slots[0].expires_at - record.slots[0].added_at in range(11_698, 11_702)
    assert registry.claims_of(record.slots[0].secret, "refresh_token")
    assert "notice" not in done.err
    for secret in ("canary~secret", record.slots[0].secret):
        assert secret not in done.err


def test_a_domain_name_label_is_read_and_not_guessed(cli, kept, azure, app):
    labelled = azure.registry("labelled", domain_label_hash="e7ggejfuhzhgedc8")
    azure.assign(app, "Reader", labelled)
    assert cli("azure", "acr", "login", "labelled").status == 0
    assert str(kept()[0].address) == "labelled-e7ggejfuhzhgedc8.azurecr.io"


def test_a_whole_login_server_is_not_looked_up(cli, azure, registry, asked):
    assert cli("azure", "acr", "login", HOST).status == 0
    assert not [line for line in asked() if "management" in line]


def test_without_rights_in_resource_management_the_name_is_taken_as_az_takes_it(cli, kept, azure, registry):
    azure.fault(
        lambda request: answers.document(request, 403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), "management.azure.com"
    )
    done = cli("azure", "acr", "login", "MyRegistry")
    assert done.status == 0, done.err
    assert f"its login server is taken to be {HOST}; one with a domain name label has another" in done.err
    assert str(kept()[0].address) == HOST


def test_a_name_that_no_subscription_knows_is_said_so(cli, azure, app):
    done = cli("azure", "acr", "login", "nosuchregistry")
    assert "no subscription that you may see has a registry of that name" in done.err
    assert done.status == 6, "there is no such host"


def test_a_subscription_that_is_named_is_the_only_one_looked_in(cli, azure, registry, asked):
    assert cli("azure", "acr", "login", "myregistry", "--subscription", azure.subscription).status == 0
    assert "GET https://management.azure.com/subscriptions" not in asked()
    assert cli("azure", "acr", "login", "myregistry", "--subscription", "Simulated subscription").status == 0
    done = cli("azure", "acr", "login", "myregistry", "--subscription", "Another one")
    assert (done.status, "there is no subscription 'Another one'" in done.err) == (2, True)


def test_a_subscription_of_the_environment_is_only_the_first_one(cli, azure, registry, asked, monkeypatch):
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", OTHER)
    done = cli("azure", "acr", "login", "myregistry")
    assert (done.status, "notice" in done.err) == (0, False)
    assert asked()[1].endswith(f"/subscriptions/{OTHER}/resources")
    azure.requests.clear()
    done = cli("azure", "acr", "login", "myregistry", "--subscription", OTHER)
    assert (done.status, "does not say" in done.err) == (0, True)
    assert [line for line in asked() if "management" in line] == [f"GET https://management.azure.com/subscriptions/{OTHER}/resources"]


def test_the_token_is_exposed_as_az_exposes_it_and_nothing_is_kept(cli, kept, registry):
    done = cli("azure", "acr", "login", "myregistry", "--expose-token")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    assert sorted(document) == ["accessToken", "loginServer", "refreshToken", "username"]
    assert (document["loginServer"], document["username"]) == (HOST, "00000000-0000-0000-0000-000000000000")
    assert document["accessToken"] == document["refreshToken"]
    assert registry.claims_of(document["refreshToken"], "refresh_token")
    assert document["refreshToken"] not in done.err
    assert kept() == []


def test_that_a_token_was_exposed_is_written_down_without_it(cli, kept, registry, home):
    token = json.loads(cli("azure", "acr", "login", "myregistry", "--expose-token").out)["refreshToken"]
    (event,) = json.loads(cli("audit", "show", "--event", "fetched", "--output", "json").out)["events"]
    assert (event["address"], event["account"], event["purpose"]) == (HOST, "<token>", "azure acr login")
    assert "--expose-token" in event["detail"]
    assert token not in (home / ".local/state/registryauth/audit.log").read_text()


def test_what_was_done_is_told_without_the_token(cli, kept, registry, azure):
    done = cli("azure", "acr", "login", "myregistry", "--output", "json")
    view = json.loads(done.out)
    assert (view["version"], view["loginServer"], view["credential"]) == (1, HOST, "client-secret")
    assert (view["audience"], view["tenant"]) == ("https://containerregistry.azure.net", azure.home.id)
    assert kept()[0].slots[0].secret not in done.out


def test_the_fallback_audience_is_told(cli, azure, registry):
    azure.entra.audiences.discard("https://containerregistry.azure.net")
    done = cli("azure", "acr", "login", HOST)
    assert done.status == 0, done.err
    assert "notice: signed in with a token for resource management" in done.err


def test_the_right_to_pull_is_checked_where_a_repository_is_named(cli, kept, azure, app, registry):
    assert "grants pull" in cli("azure", "acr", "login", HOST, "--repository", "team/app").err
    azure.roles.assignments.clear()
    done = cli("azure", "acr", "login", HOST, "--repository", "team/app")
    assert done.status == 4
    assert "gives it no right to pull" in done.err


def test_login_with_entra_is_the_same(cli, kept, registry):
    done = cli("login", HOST, "--entra")
    assert done.status == 0, done.err
    assert dict(kept()[0].labels) == {ENTRA_LABEL: "client-secret"}


@pytest.mark.parametrize(
    "more", [("--username", "u"), ("--password-stdin",), ("--no-verify",), ("--realm", "https://a.example"), ("--expires", "90d")]
)
def test_login_with_entra_takes_no_secret(cli, azure, registry, more):
    done = cli("login", HOST, "--entra", *more, stdin="canary")
    assert done.status == 2
    assert azure.requests == []


def test_login_without_it_still_wants_a_terminal(cli, azure, registry):
    assert cli("login", HOST).status == 2
    assert azure.requests == []


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (("x",), 2, "is no name of an Azure container registry"),
        (("my_registry",), 2, "is no name of an Azure container registry"),
        (("myregistry.azurecr.io.evil.example",), 4, "so no Entra token goes there"),
        (("registry.example",), 4, "so no Entra token goes there"),
        (("myregistry.azurecr.cn", "--cloud", "AzureCloud"), 2, "is in AzureChinaCloud"),
        (("myregistry", "--cloud", "Azur"), 2, "there is no Azure cloud"),
        (("myregistry", "--credential", "password"), 2, "--credential is one of"),
        (("myregistry", "--expose-token", "--repository", "a"), 2, "--repository"),
        (("myregistry", "--credential", "azure-cli"), 3, "no Azure CLI"),
        (("myregistry", "--credential", "device-code"), 3, "azure-identity"),
    ],
)
def test_bad_input_says_what_is_wrong(cli, kept, azure, registry, argv, status, words):
    done = cli("azure", "acr", "login", *argv)
    assert done.status == status, done.err
    assert words in done.err
    assert done.err.startswith("error:") or "Usage" in done.err
    assert kept() == []


def test_a_refusal_of_entras_is_explained_with_status_4(cli, kept, registry, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "6a1d5f3c-1111-2222-3333-444455556666")
    done = cli("azure", "acr", "login", "myregistry")
    assert (done.status, "is the Secret ID of its client secret" in done.err) == (4, True)
    assert "6a1d5f3c" not in done.err
    assert kept() == []


def test_nobody_signed_in_says_where_was_looked(cli, azure):
    done = cli("azure", "acr", "login", "myregistry")
    assert done.status == 3
    assert "azure-cli: absent: there is no Azure CLI (az) on PATH" in done.err


def test_registering_a_refused_principal_says_what_entra_says(cli, kept, azure, app, registry):
    done = cli("principal", "add", HOST, "--client-id", app.app_id, "--tenant", azure.home.id, "--secret-stdin", stdin="canary-wrong")
    assert done.status == 4
    assert "its client secret is wrong (AADSTS7000215)" in done.err
    assert "canary" not in done.err
    assert kept() == []


def test_verifying_a_principal_tells_an_expired_secret(cli, azure, app, registry):
    secret = app.add_secret(value="canary-old")
    argv = ("--client-id", app.app_id, "--tenant", azure.home.id, "--secret-stdin")
    assert cli("principal", "add", HOST, *argv, stdin="canary-old").status == 0
    secret.ends_at = azure.now() - 1
    done = cli("principal", "verify", HOST)
    assert done.status == 4
    assert "its client secret has expired (AADSTS7000222)" in done.out + done.err
    assert "canary" not in done.out + done.err


def test_no_secret_is_in_any_argument_of_a_program_that_is_run(cli, azure, registry, tmp_path, monkeypatch):
    program = tmp_path / "az"
    token = azure.token(azure.home.apps[0], "https://containerregistry.azure.net/.default")
    program.write_text(f"""#!/bin/sh
echo "$@" >> {tmp_path}/argv
echo '{json.dumps({"accessToken": token, "expires_on": azure.now() + 3000, "subscription": azure.subscription})}'
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), "/usr/bin", "/bin")))
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    done = cli("azure", "acr", "login", HOST)
    assert done.status == 0, done.err
    assert "renewed by itself, by signing in again (azure-cli)" in done.err
    argv = (tmp_path / "argv").read_text()
    assert "get-access-token" in argv
    assert token not in argv
