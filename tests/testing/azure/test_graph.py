"""Graph's applications: made, found, given and taken secrets."""

from __future__ import annotations

import re

import pytest

from .asking import GRAPH


@pytest.fixture
def admin(tenant):
    return tenant.user("ada@contoso.example")


@pytest.fixture
def owner(tenant):
    """An application that may manage its own."""
    return tenant.app("pipeline", graph=["Application.ReadWrite.OwnedBy"])


def add(ask, who, path, **wanted):
    return ask.graph(who, "POST", f"{path}/addPassword", {"passwordCredential": wanted})


@pytest.mark.parametrize("by", ["object id", "client id"])
def test_a_new_secret_comes_in_the_documented_shape_and_signs_in(ask, admin, app, by):
    path = f"/applications/{app.object_id}" if by == "object id" else f"/applications(appId='{app.app_id}')"
    answer = add(ask, admin, path, displayName="ci", endDateTime="2023-12-01T00:00:00Z")
    said = answer.json
    assert answer.status == 200
    assert set(said) == {"customKeyIdentifier", "displayName", "endDateTime", "hint", "keyId", "secretText", "startDateTime"}
    assert (said["displayName"], said["endDateTime"], said["hint"]) == ("ci", "2023-12-01T00:00:00.0000001Z", said["secretText"][:3])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", said["startDateTime"])
    assert 16 <= len(said["secretText"]) <= 64
    assert ask.login(app, said["secretText"]).status == 200


def test_a_secrets_text_is_said_once_and_its_hint_always(ask, admin, app):
    given = add(ask, admin, f"/applications/{app.object_id}").json
    (listed,) = ask.graph(admin, "GET", f"/applications/{app.object_id}").json["passwordCredentials"]
    assert listed == given | {"secretText": None}


def test_a_secret_without_an_end_lives_two_years(ask, admin, app, clock):
    given = add(ask, admin, f"/applications/{app.object_id}").json
    assert (given["startDateTime"][:10], given["endDateTime"][:10]) == ("2023-11-14", "2025-11-13")


def test_a_removed_secret_is_gone_and_the_others_stay(ask, admin, app):
    first, second = (add(ask, admin, f"/applications/{app.object_id}").json for _ in range(2))
    removed = ask.graph(admin, "POST", f"/applications/{app.object_id}/removePassword", {"keyId": first["keyId"]})
    assert (removed.status, removed.body) == (204, b"")
    assert [one["keyId"] for one in ask.graph(admin, "GET", f"/applications/{app.object_id}").json["passwordCredentials"]] == [
        second["keyId"]
    ]
    assert ask.login(app, first["secretText"]).code == (401, 7000215)
    assert ask.login(app, second["secretText"]).status == 200


def test_a_secret_that_is_not_there_cannot_be_removed(ask, admin, app):
    answer = ask.graph(admin, "POST", f"/applications/{app.object_id}/removePassword", {"keyId": "none"})
    assert answer.code == (400, "Request_BadRequest")
    assert "No password credential found with keyId none" in answer.message


def test_a_secret_of_the_service_principal_is_not_one_of_the_application(ask, admin, app):
    given = add(ask, admin, f"/servicePrincipals/{app.principal_id}").json
    assert ask.login(app, given["secretText"]).status == 200
    assert ask.graph(admin, "GET", f"/applications/{app.object_id}").json["passwordCredentials"] == []
    assert len(ask.graph(admin, "GET", f"/servicePrincipals/{app.principal_id}").json["passwordCredentials"]) == 1
    removal = {"keyId": given["keyId"]}
    assert ask.graph(admin, "POST", f"/applications/{app.object_id}/removePassword", removal).status == 400
    assert ask.graph(admin, "POST", f"/servicePrincipals/{app.principal_id}/removePassword", removal).status == 204


def test_a_new_application_needs_a_service_principal_before_it_signs_in(ask, admin, tenant):
    made = ask.graph(admin, "POST", "/applications", {"displayName": "new"})
    assert made.status == 201
    app = tenant.app_of(made.json["appId"])
    assert (made.json["id"], made.json["displayName"], app.has_principal) == (app.object_id, "new", False)
    secret = add(ask, admin, f"/applications/{app.object_id}").json["secretText"]
    assert ask.login(app, secret).code == (401, 7000229)
    principal = ask.graph(admin, "POST", "/servicePrincipals", {"appId": app.app_id})
    assert (principal.status, principal.json["id"], principal.json["servicePrincipalType"]) == (201, app.principal_id, "Application")
    assert ask.login(app, secret).status == 200
    assert ask.graph(admin, "POST", "/servicePrincipals", {"appId": app.app_id}).code == (409, "Request_MultipleObjectsWithSameKeyValue")


def test_what_is_new_is_unknown_to_entra_for_a_while(ask, admin, tenant, clock):
    tenant.replication = 20
    app = tenant.app_of(ask.graph(admin, "POST", "/applications", {"displayName": "new"}).json["appId"])
    ask.graph(admin, "POST", "/servicePrincipals", {"appId": app.app_id})
    secret = add(ask, admin, f"/applications/{app.object_id}").json["secretText"]
    assert ask.login(app, secret).code == (400, 700016)
    clock.now += 20
    assert ask.login(app, secret).status == 200
    later = add(ask, admin, f"/applications/{app.object_id}").json["secretText"]
    assert ask.login(app, later).code == (401, 7000215)


def test_applications_are_found_by_name_or_client_id(ask, admin, tenant):
    one, two = tenant.app("it's one"), tenant.app("two")
    for text, found in ((f"appId eq '{two.app_id}'", [two]), ("displayName eq 'it''s one'", [one]), ("displayName eq 'none'", [])):
        listed = ask.graph(admin, "GET", f"/applications?$filter={text.replace(' ', '%20')}").json["value"]
        assert [each["appId"] for each in listed] == [app.app_id for app in found]
    assert ask.graph(admin, "GET", "/applications?$filter=startswith(displayName,'x')").code == (400, "Request_UnsupportedQuery")


def test_lists_come_in_pages(azure, ask, admin, tenant):
    azure.graph.page_size = 2
    apps = [tenant.app(f"app {number}") for number in range(5)]
    seen, path = [], "/applications"
    while path:
        said = ask.graph(admin, "GET", path).json
        seen += [one["appId"] for one in said["value"]]
        path = said.get("@odata.nextLink", "").removeprefix(GRAPH)
    assert seen == [app.app_id for app in apps]


def test_a_deleted_application_is_gone_everywhere(ask, admin, app):
    secret = app.add_secret()
    assert ask.graph(admin, "DELETE", f"/applications/{app.object_id}").status == 204
    assert ask.login(app, secret.value).code == (400, 700016)
    absent = ask.graph(admin, "GET", f"/applications/{app.object_id}")
    assert absent.code == (404, "Request_ResourceNotFound")
    assert set(absent.json["error"]["innerError"]) == {"date", "request-id", "client-request-id"}


def test_who_may_manage_its_own_may_not_touch_another(ask, owner, app):
    assert add(ask, owner, f"/applications/{app.object_id}").code == (403, "Authorization_RequestDenied")
    app.owners.add(owner.principal_id)
    assert add(ask, owner, f"/applications/{app.object_id}").status == 200
    made = ask.graph(owner, "POST", "/applications", {"displayName": "its own"}).json
    assert add(ask, owner, f"/applications/{made['id']}").status == 200


def test_an_application_without_permissions_may_nothing(ask, app):
    assert ask.graph(app, "GET", "/applications").code == (403, "Authorization_RequestDenied")
    assert add(ask, app, f"/applications/{app.object_id}").code == (403, "Authorization_RequestDenied")


def test_a_token_that_is_missing_ended_or_for_another_service_is_refused(azure, ask, admin):
    ended = azure.entra.token(admin, "https://graph.microsoft.com/.default", lifetime=-1)
    for authorization in ("", f"Bearer {ended}", f"Bearer {azure.token(admin)}", "Bearer nothing"):
        assert ask("GET", f"{GRAPH}/applications", authorization=authorization).code == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("body", [b"[]", b"not json", b'"text"'])
def test_a_body_that_is_no_object_is_refused(ask, admin, body):
    assert ask.graph(admin, "POST", "/applications", body).code == (400, "BadRequest")


@pytest.mark.parametrize("path", ["/groups", "/applications/x/owners", ""])
def test_what_is_not_simulated_is_not_found(ask, admin, app, path):
    assert ask.graph(admin, "GET", path.replace("/x/", f"/{app.object_id}/") or "/").code == (400, "BadRequest")
