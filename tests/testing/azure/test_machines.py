"""A machine's managed identities, by each of the endpoints that machines have."""

from __future__ import annotations

import pytest

from .asking import claims

IMDS = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com"


def test_the_metadata_service_gives_the_machines_own_token(azure, ask, app, clock):
    azure.machines.identity = app
    answer = ask("GET", IMDS, metadata="true")
    assert answer.status == 200
    said = answer.json
    assert (said["expires_in"], said["expires_on"], said["token_type"]) == ("3599", str(int(clock.now) + 3599), "Bearer")
    assert (said["resource"], claims(said["access_token"])["oid"]) == ("https://management.azure.com", app.principal_id)


def test_without_its_header_the_metadata_service_gives_nothing(azure, ask, app):
    azure.machines.identity = app
    assert ask("GET", IMDS).json["error"] == "bad_request_102"


def test_a_machine_without_an_identity_says_so(ask):
    answer = ask("GET", IMDS, metadata="true")
    assert (answer.status, answer.json) == (400, {"error": "invalid_request", "error_description": "Identity not found"})


@pytest.mark.parametrize("parameter", ["client_id", "object_id"])
def test_one_of_several_identities_is_named(azure, ask, tenant, app, parameter):
    azure.machines.others = [tenant.app("other"), app]
    name = app.app_id if parameter == "client_id" else app.principal_id
    assert ask("GET", IMDS, metadata="true").status == 400
    assert claims(ask("GET", f"{IMDS}&{parameter}={name}", metadata="true").json["access_token"])["oid"] == app.principal_id
    assert ask("GET", f"{IMDS}&{parameter}=nobody", metadata="true").status == 400


def test_an_audience_that_does_not_exist_is_refused(azure, ask, app):
    azure.machines.identity = app
    answer = ask("GET", IMDS.replace("management.azure.com", "myregistry.azurecr.io"), metadata="true")
    assert "AADSTS500011" in answer.json["error_description"]


@pytest.mark.parametrize(("kind", "field"), [("app service", "x-identity-header"), ("azure ml", "secret")])
def test_an_endpoint_of_its_own_wants_its_secret(azure, ask, app, kind, field):
    azure.machines.identity = app
    url, secret = azure.machines.environment("http://127.0.0.1:1", kind).values()
    url += "?resource=https://management.azure.com"
    assert ask("GET", url).status == 401
    azure.machines.style = "date"
    said = ask("GET", url, **{field: secret}).json
    assert said["expires_on"] == "11/14/2023 23:13:19 +00:00"
    assert claims(said["access_token"])["oid"] == app.principal_id
