"""A registry's front: challenge, exchange, tokens, and the refusals that users meet."""

from __future__ import annotations

import pytest

from .asking import ACR, ACR_SCOPE, ARM_SCOPE, basic, claims, granted

PULL = "repository:team/app:pull"
MANIFEST = f"{ACR}/v2/team/app/manifests/v1"
NULL_ID = "00000000-0000-0000-0000-000000000000"
WORDS = "authentication required, visit https://aka.ms/acr/authorization for more information."


@pytest.fixture
def puller(azure, app, registry):
    azure.assign(app, "AcrPull", registry)
    return app


@pytest.mark.parametrize(
    ("method", "path", "scope", "detail"),
    [
        ("GET", "/v2/", None, None),
        ("GET", "/v2/_catalog", "registry:catalog:*", [("registry", "catalog", "*")]),
        ("GET", "/acr/v1/_catalog", "registry:catalog:*", [("registry", "catalog", "*")]),
        ("GET", "/v2/team/app/manifests/v1", PULL, [("repository", "team/app", "pull")]),
        ("HEAD", "/v2/team/app/blobs/sha256:00", PULL, None),
        ("PUT", "/v2/team/app/manifests/v1", f"{PULL},push", [("repository", "team/app", "pull"), ("repository", "team/app", "push")]),
        ("DELETE", "/v2/team/app/manifests/v1", "repository:team/app:delete", [("repository", "team/app", "delete")]),
        (
            "GET",
            "/acr/v1/team/app/_manifests/sha256:00",
            "repository:team/app:metadata_read",
            [("repository", "team/app", "metadata_read")],
        ),
        ("PATCH", "/acr/v1/team/app", "repository:team/app:metadata_write", [("repository", "team/app", "metadata_write")]),
    ],
)
def test_a_challenge_names_realm_service_and_scope_as_recorded(ask, registry, method, path, scope, detail):
    answer = ask(method, f"{ACR}{path}")
    wanted = f'Bearer realm="{ACR}/oauth2/token",service="myregistry.azurecr.io"' + (f',scope="{scope}"' if scope else "")
    assert (answer.status, answer.headers.get("www-authenticate")) == (401, wanted)
    assert answer.headers.get("server") == "openresty"
    if method != "HEAD":
        (error,) = answer.json["errors"]
        assert error["code"] == "UNAUTHORIZED"
        assert error["message"].startswith(f"{WORDS} CorrelationId: ")
        said = [(one["Type"], one["Name"], one["Action"]) for one in error["detail"]] if "detail" in error else None
        assert said == detail


def test_a_token_for_something_else_is_called_invalid(ask, puller):
    answer = ask("GET", f"{ACR}/acr/v1/_catalog", authorization=ask.bearer(puller, PULL))
    assert answer.headers.get("www-authenticate").endswith(',scope="registry:catalog:*",error="invalid_token"')


def test_the_whole_way_from_entra_to_a_manifest(ask, registry, puller, clock):
    exchanged = ask.exchange(puller)
    assert (exchanged.status, list(exchanged.json)) == (200, ["refresh_token"])
    assert exchanged.headers.get("x-ms-ratelimit-remaining-calls-per-second") == "166.65"
    refresh = claims(exchanged.json["refresh_token"])
    assert (refresh["iss"], refresh["aud"], refresh["version"]) == ("Azure Container Registry", "myregistry.azurecr.io", "1.0")
    assert (refresh["exp"] - refresh["iat"], refresh["grant_type"]) == (11_700, "refresh_token")
    assert (refresh["appid"], refresh["tenant"], set(refresh["permissions"])) == (
        puller.app_id,
        puller.tenant.id,
        {"actions", "notActions"},
    )
    answer = ask.access(exchanged.json["refresh_token"], PULL)
    assert (answer.status, list(answer.json)) == (200, ["access_token"])
    access = claims(answer.json["access_token"])
    assert (access["exp"] - access["iat"], access["grant_type"]) == (4_500, "access_token")
    assert access["access"] == [{"type": "repository", "name": "team/app", "actions": ["pull"]}]
    got = ask("GET", MANIFEST, authorization=f"Bearer {answer.json['access_token']}")
    assert got.headers.get("docker-content-digest") == str(registry.images.shelf.tags["team/app"]["v1"])
    clock.now += 4_500
    assert ask("GET", MANIFEST, authorization=f"Bearer {answer.json['access_token']}").status == 401
    assert ask.access(exchanged.json["refresh_token"], PULL).status == 200
    clock.now += 7_200
    assert ask.access(exchanged.json["refresh_token"], PULL).status == 401


def test_permissions_are_spelled_in_either_way(ask, registry, puller):
    registry.claims = "capital"
    assert set(claims(ask.exchange(puller).json["refresh_token"])["permissions"]) == {"Actions", "NotActions"}


def test_only_an_abac_registrys_refresh_token_names_the_identity(ask, registry, puller):
    assert "aad_identity" not in claims(ask.exchange(puller).json["refresh_token"])
    registry.mode = "abac"
    assert "aad_identity" in claims(ask.exchange(puller).json["refresh_token"])


def test_the_kubelets_old_form_and_a_version_in_the_query_are_taken(azure, ask, puller):
    token = azure.token(puller, ACR_SCOPE)
    form = {"service": "myregistry.azurecr.io", "access_token": token, "refresh_token": token, "tenant": puller.tenant.id}
    assert ask.form(f"{ACR}/oauth2/exchange?api-version=2021-07-01", grant_type="access_token_refresh_token", **form).status == 200


def test_a_refresh_token_can_be_exchanged_for_another(ask, puller):
    token = ask.exchange(puller).json["refresh_token"]
    assert ask.form(f"{ACR}/oauth2/exchange", grant_type="refresh_token", service=ACR[8:], refresh_token=token).status == 200


def test_several_scopes_come_in_one_value_or_in_several(ask, puller):
    refresh = ask.exchange(puller).json["refresh_token"]
    assert granted(ask.access(refresh, PULL, "repository:other:pull,push")) == {"team/app": ["pull"], "other": ["pull"]}
    query = f"service=myregistry.azurecr.io&scope={PULL}&scope=repository:other:pull"
    answer = ask("GET", f"{ACR}/oauth2/token?{query}", authorization=basic(NULL_ID, refresh))
    assert granted(answer) == {"team/app": ["pull"], "other": ["pull"]}


@pytest.mark.parametrize("change", [{"service": "other.azurecr.io"}, {"grant_type": "none"}, {"access_token": ""}])
def test_an_exchange_that_makes_no_sense_is_a_bad_request(azure, ask, puller, change):
    form = {"grant_type": "access_token", "service": ACR[8:], "access_token": azure.token(puller, ACR_SCOPE)}
    assert ask.form(f"{ACR}/oauth2/exchange", **(form | change)).code == (400, "UNSUPPORTED")


def test_a_token_is_asked_for_by_the_registrys_own_name(ask, puller):
    form = {"grant_type": "refresh_token", "service": "other.azurecr.io", "scope": PULL}
    answer = ask.form(f"{ACR}/oauth2/token", refresh_token=ask.exchange(puller).json["refresh_token"], **form)
    assert answer.code == (400, "UNSUPPORTED")


def test_either_audience_is_taken_unless_the_registry_wants_its_own(ask, registry, puller):
    assert {ask.exchange(puller, scope).status for scope in (ACR_SCOPE, ARM_SCOPE)} == {200}
    registry.arm_audience = False
    refused = ask.exchange(puller, ARM_SCOPE)
    assert refused.code == (401, "UNAUTHORIZED")
    assert refused.message.startswith("token validation failed")
    assert ask.exchange(puller, ACR_SCOPE).status == 200
    assert ask.exchange(puller, "https://graph.microsoft.com/.default").status == 401


def test_an_entra_token_that_ended_or_is_another_tenants_is_refused(azure, ask, registry, puller, clock):
    old = azure.entra.token(puller, ACR_SCOPE, lifetime=-1)
    stranger = azure.token(azure.tenant("fabrikam").app("theirs"), ACR_SCOPE)
    for token in (old, stranger, "nothing", puller.tenant.id):
        answer = ask.form(f"{ACR}/oauth2/exchange", grant_type="access_token", service=ACR[8:], access_token=token)
        assert answer.code == (401, "UNAUTHORIZED")


def test_a_token_of_another_registry_opens_nothing(azure, ask, puller):
    azure.assign(puller, "AcrPull", azure.registry("another"))
    refresh = ask.exchange(puller, base="https://another.azurecr.io").json["refresh_token"]
    assert ask.access(refresh, PULL).status == 401


def test_who_has_no_role_gets_a_token_that_grants_nothing(ask, registry, app):
    answer = ask.access(ask.exchange(app).json["refresh_token"], PULL)
    assert (answer.status, granted(answer)) == (200, {"team/app": []})
    assert ask("GET", MANIFEST, authorization=f"Bearer {answer.json['access_token']}").status == 401


def test_who_has_no_role_may_be_refused_at_the_exchange(azure, ask, registry, app):
    registry.refuse_without_role = True
    assert ask.exchange(app).code == (401, "UNAUTHORIZED")
    azure.assign(app, "AcrPull", registry)
    assert ask.exchange(app).status == 200


@pytest.mark.parametrize(
    ("role", "mode", "actions"),
    [
        ("AcrPull", "classic", ["pull", "metadata_read"]),
        ("AcrPush", "classic", ["pull", "push", "metadata_read", "metadata_write"]),
        ("AcrDelete", "classic", ["delete"]),
        ("Reader", "classic", ["pull", "metadata_read"]),
        ("Contributor", "classic", ["pull", "push", "delete", "metadata_read", "metadata_write"]),
        ("Container Registry Repository Reader", "classic", []),
        ("AcrPull", "abac", []),
        ("Owner", "abac", []),
        ("Container Registry Repository Reader", "abac", ["pull", "metadata_read"]),
        ("Container Registry Repository Writer", "abac", ["pull", "push", "metadata_read", "metadata_write"]),
        ("Container Registry Repository Contributor", "abac", ["pull", "push", "delete", "metadata_read", "metadata_write"]),
        ("Container Registry Repository Catalog Lister", "abac", []),
    ],
)
def test_each_role_grants_what_it_is_for_in_its_mode(azure, ask, registry, app, role, mode, actions):
    registry.mode = mode
    azure.assign(app, role, registry)
    refresh = ask.exchange(app).json["refresh_token"]
    assert granted(ask.access(refresh, "repository:team/app:pull,push,delete,metadata_read,metadata_write")) == {"team/app": actions}
    assert granted(ask.access(refresh, "repository:team/app:*"))["team/app"] == actions


@pytest.mark.parametrize(
    ("role", "mode", "lists"),
    [
        ("AcrPull", "classic", True),
        ("AcrDelete", "classic", False),
        ("Container Registry Repository Reader", "abac", False),
        ("Container Registry Repository Catalog Lister", "abac", True),
    ],
)
def test_the_catalog_comes_with_pull_in_classic_mode_and_has_a_role_of_its_own_in_the_other(azure, ask, registry, app, role, mode, lists):
    registry.mode = mode
    azure.assign(app, role, registry)
    authorization = ask.bearer(app, "registry:catalog:*")
    assert ask("GET", f"{ACR}/v2/_catalog", authorization=authorization).status == (200 if lists else 401)


@pytest.mark.parametrize(
    ("condition", "repositories"),
    [("team/app", {"team/app"}), ("TEAM/APP", {"team/app"}), ("team/*", {"team/app", "team/other"}), ("team", set())],
)
def test_a_condition_narrows_a_role_to_repositories(azure, ask, registry, app, condition, repositories):
    registry.mode = "abac"
    azure.assign(app, "Container Registry Repository Reader", registry, repository=condition)
    scopes = [f"repository:{name}:pull" for name in ("team/app", "team/other", "other")]
    given = granted(ask.access(ask.exchange(app).json["refresh_token"], *scopes))
    assert {name for name, actions in given.items() if actions} == repositories


def test_a_wildcard_works_in_classic_mode_only(ask, azure, registry, puller):
    refresh = ask.exchange(puller).json["refresh_token"]
    authorization = f"Bearer {ask.access(refresh, 'repository:*:*').json['access_token']}"
    assert ask("GET", MANIFEST, authorization=authorization).status == 200
    registry.mode = "abac"
    azure.assign(puller, "Container Registry Repository Reader", registry)
    assert granted(ask.access(refresh, "repository:*:*")) == {"*": []}


def test_a_role_that_is_new_or_gone_is_heard_of_later(azure, ask, registry, app, clock):
    def may_pull():
        return bool(granted(ask.access(ask.exchange(app).json["refresh_token"], PULL))["team/app"])

    azure.roles.propagation = 60
    assignment = azure.assign(app, "AcrPull", registry, delay=60)
    assert not may_pull()
    clock.now += 60
    assert may_pull()
    azure.roles.end(assignment)
    assert may_pull()
    clock.now += 60
    assert not may_pull()


@pytest.mark.parametrize("path", ["/v2/", "/oauth2/exchange", "/oauth2/token"])
def test_a_firewall_says_whom_it_keeps_out(ask, registry, path):
    registry.firewall = ("192.0.2.1",)
    answer = ask("POST" if "exchange" in path else "GET", f"{ACR}{path}")
    assert answer.code == (403, "DENIED")
    assert answer.message.startswith(
        "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
    )


def test_a_firewall_lets_in_whom_it_names_and_a_closed_registry_nobody(azure, ask, registry):
    registry.firewall = ("203.0.113.7",)
    assert ask("GET", f"{ACR}/v2/").status == 401
    registry.public = False
    assert ask("GET", f"{ACR}/v2/").status == 403


def by_get(ask, username, password, scope=PULL):
    return ask("GET", f"{ACR}/oauth2/token?service=myregistry.azurecr.io&scope={scope}", authorization=basic(username, password))


def by_post(ask, username, password, scope=PULL):
    form = {"grant_type": "password", "service": ACR[8:], "username": username, "password": password, "scope": scope}
    return ask.form(f"{ACR}/oauth2/token", **form)


@pytest.mark.parametrize("way", [by_get, by_post])
def test_a_service_principal_gets_a_token_by_its_secret(ask, puller, way):
    assert granted(way(ask, puller.app_id, puller.add_secret().value)) == {"team/app": ["pull"]}


@pytest.mark.parametrize("way", [by_get, by_post])
def test_a_service_principals_refusals_are_the_registrys_own_words(ask, puller, way):
    for secret in ("wrong", puller.add_secret(lifetime=-1).value):
        answer = way(ask, puller.app_id, secret)
        assert answer.code == (401, "UNAUTHORIZED")
        assert answer.message.startswith("Invalid clientid or client secret.")
    assert way(ask, "00000000-1111-2222-3333-444444444444", "s").message.startswith("Application not registered with AAD.")
    assert way(ask, "somebody", "s").message.startswith("aad access token with sp failed client id must be guid")


@pytest.mark.parametrize("way", [by_get, by_post])
def test_the_admin_user_may_all_while_it_is_enabled(ask, registry, way):
    for password in registry.admin_passwords.values():
        assert way(ask, "myregistry", password).status == 401
        registry.admin_enabled = True
        assert granted(way(ask, "myregistry", password, "repository:x:pull,push,delete"))["x"] == ["pull", "push", "delete"]
        registry.admin_enabled = False


@pytest.mark.parametrize("way", [by_get, by_post])
def test_the_null_id_says_that_the_password_is_a_token(azure, ask, puller, way):
    refresh = ask.exchange(puller).json["refresh_token"]
    access = ask.access(refresh, PULL).json["access_token"]
    for token in (refresh, access, azure.token(puller, ACR_SCOPE)):
        assert granted(way(ask, NULL_ID, token)) == {"team/app": ["pull"]}
    assert way(ask, NULL_ID, "nothing").code == (401, "UNAUTHORIZED")


def test_docker_gets_an_identity_token_to_keep(ask, puller):
    form = {"grant_type": "password", "service": ACR[8:], "username": puller.app_id, "password": puller.add_secret().value}
    answer = ask.form(f"{ACR}/oauth2/token", access_type="offline", client_id="docker", scope=PULL, **form).json
    assert granted(ask.access(answer["refresh_token"], PULL)) == {"team/app": ["pull"]}


def test_a_repository_token_may_what_its_map_says_and_never_list(ask, registry):
    token = registry.token("ci", "repositories/team/*/content/read", "repositories/other/content/write")
    password = token.passwords["password1"].value
    scope = "repository:team/app:pull,push repository:other:pull,push registry:catalog:*"
    assert granted(by_post(ask, "ci", password, scope)) == {"team/app": ["pull"], "other": ["push"], "catalog": []}
    token.enabled = False
    assert by_post(ask, "ci", password).message.startswith(WORDS)


def test_a_repository_tokens_password_ends(ask, registry, clock):
    token = registry.token("ci", "repositories/*/content/read")
    token.passwords["password1"].ends_at = clock.now + 60
    assert by_get(ask, "ci", token.passwords["password1"].value).status == 200
    clock.now += 60
    assert by_get(ask, "ci", token.passwords["password1"].value).status == 401


def test_basic_goes_straight_in_for_admin_and_service_principal_but_not_for_a_repository_token(ask, registry, puller):
    registry.admin_enabled = True
    token = registry.token("ci", "repositories/*/content/read").passwords["password1"].value
    logins = {"myregistry": registry.admin_passwords["password2"], puller.app_id: puller.add_secret().value, "ci": token}
    assert [ask("GET", MANIFEST, authorization=basic(*login)).status for login in logins.items()] == [200, 200, 401]
    assert ask("DELETE", MANIFEST, authorization=basic(puller.app_id, puller.add_secret().value)).code == (403, "DENIED")


def test_anybody_gets_a_token_for_pulling_where_that_is_on(ask, registry):
    def ways():
        yield ask("GET", f"{ACR}/oauth2/token?service=myregistry.azurecr.io&scope={PULL},push")
        yield ask.form(f"{ACR}/oauth2/token", grant_type="password", service=ACR[8:], refresh_token="", scope=f"{PULL},push")

    assert [answer.code for answer in ways()] == [(401, "UNAUTHORIZED")] * 2
    registry.anonymous_pull = True
    for answer in ways():
        assert granted(answer) == {"team/app": ["pull"]}
        assert ask("GET", MANIFEST, authorization=f"Bearer {answer.json['access_token']}").status == 200


def test_a_password_as_long_as_some_entra_tokens_is_too_large_for_a_header(azure, ask, puller):
    puller.claims = {"groups": ["x" * 4600]}
    token = azure.token(puller, ACR_SCOPE)
    answer = by_get(ask, NULL_ID, token)
    assert answer.status == 400
    assert b"Request Header Or Cookie Too Large" in answer.body
    assert ask.exchange(puller).status == 200


def blob(ask, registry, puller, **headers):
    digest = next(str(one) for one, held in registry.images.shelf.blobs.items() if held == b"a layer")
    return ask("GET", f"{ACR}/v2/team/app/blobs/{digest}", authorization=ask.bearer(puller, PULL), **headers)


def test_a_blob_is_somewhere_else_for_twenty_minutes(ask, registry, puller, clock):
    moved = blob(ask, registry, puller)
    where = moved.headers.get("location")
    assert moved.status == 307
    assert where.startswith(f"https://{registry.storage}.blob.core.windows.net/")
    assert ask("GET", where).body == b"a layer"
    assert ask("GET", where, range="bytes=2-6").body == b"layer"
    forwarded = ask("GET", where, authorization="Bearer x")
    assert (forwarded.status, b"<Code>InvalidAuthenticationInfo</Code>" in forwarded.body) == (400, True)
    assert ask("GET", where.replace("sp=r", "sp=rw")).status == 403
    clock.now += 1_200
    assert b"<Code>AuthenticationFailed</Code>" in ask("GET", where).body


def test_a_premium_registry_may_have_data_endpoints_of_its_own(azure, ask, app):
    registry = azure.registry("another", data_endpoint=True, location="eastus")
    digest = registry.images.add_blob(b"bytes")
    azure.assign(app, "AcrPull", registry)
    base = "https://another.azurecr.io"
    token = ask.access(ask.exchange(app, base=base).json["refresh_token"], "repository:x:pull", base=base).json["access_token"]
    where = ask("GET", f"{base}/v2/x/blobs/{digest}", authorization=f"Bearer {token}").headers.get("location")
    assert where.startswith("https://another.eastus.data.azurecr.io/")
    assert ask("GET", where).body == b"bytes"


def test_a_domain_name_label_and_a_region_are_part_of_the_name(azure, ask):
    registry = azure.registry("labelled", domain_label_hash="e7ggejfuhzhgedc8", location="eastus2")
    assert registry.login_server == "labelled-e7ggejfuhzhgedc8.azurecr.io"
    regional = ask("GET", "https://labelled-e7ggejfuhzhgedc8.eastus2.geo.azurecr.io/v2/")
    assert 'realm="https://labelled-e7ggejfuhzhgedc8.eastus2.geo.azurecr.io/oauth2/token"' in regional.headers.get("www-authenticate")
    assert 'service="labelled-e7ggejfuhzhgedc8.azurecr.io"' in regional.headers.get("www-authenticate")


def test_mounting_needs_the_right_to_pull_where_the_blob_is(azure, ask, registry, app):
    registry.mode = "abac"
    azure.assign(app, "Container Registry Repository Writer", registry, repository="team/*")
    digest = registry.images.shelf.add_blob(b"theirs", repository="other")
    scopes = ("repository:team/app:pull,push", "repository:other:pull")
    mount = f"{ACR}/v2/team/app/blobs/uploads/?mount={digest}&from=other"
    assert ask("POST", mount, authorization=ask.bearer(app, *scopes)).status == 202
    azure.assign(app, "Container Registry Repository Reader", registry, repository="other")
    assert ask("POST", mount, authorization=ask.bearer(app, *scopes)).status == 201
