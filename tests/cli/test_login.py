from __future__ import annotations

import pytest

from registryauth._http.tls import NotTls
from registryauth.errors import TransportError
from registryauth.reference import Registry
from registryauth.testing import answers

from .conftest import CANARY

ELSEWHERE = "https://auth.other.example/token"


@pytest.fixture
def login(cli, online):
    """Log in as *me* with the right password unless told otherwise."""

    def login(*options, address="registry.example", stdin=CANARY + "\n", username="me"):
        user = ["--username", username] if username else []
        secret = [] if "--identity-token-stdin" in options else ["--password-stdin"]
        return cli("login", address, *user, *secret, *options, stdin=stdin)

    return login


def test_a_login_is_verified_stored_and_says_what_to_do_next(login, kept, sent):
    done = login()
    assert (done.status, done.out) == (0, "")
    assert "Stored me for registry.example: verified; the token server took the credential" in done.err
    assert "store.key" in done.err
    assert "To let docker use it: registryauth setup docker registry.example" in done.err
    assert "To let podman and skopeo use it: registryauth setup containers registry.example" in done.err
    [record] = kept()
    assert (str(record.address), record.account, record.made_by) == ("registry.example", "me", "login")
    assert record.verified_at
    assert sent() == ["GET https://registry.example/token"]


@pytest.mark.parametrize("auth", ["token", "basic"])
def test_a_wrong_password_is_asked_about_once_and_stores_nothing(login, online, kept, sent, auth):
    online.auth = auth
    done = login(stdin="wrong-3f")
    assert (done.status, done.out) == (4, "")
    assert "refused the credential" in done.err
    assert "hint: " in done.err
    assert "wrong-3f" not in done.err
    assert len(sent("wrong-3f")) == 1
    assert kept() == []


def test_a_wrong_password_leaves_the_good_one_that_was_there(login, kept):
    login()
    before = kept()
    assert login(stdin="wrong").status == 4
    assert kept() == before


def test_a_second_login_replaces_the_secret_and_says_so(login, accounts, kept):
    login()
    accounts["me"] = "renewed"
    done = login(stdin="renewed")
    assert "in place of the earlier secret" in done.err
    assert [record.slots[0].secret for record in kept()] == ["renewed"]


def test_basic_authentication(login, online, kept, sent):
    online.auth = "basic"
    assert "verified; the registry took the user name and password" in login().err
    assert sent() == ["GET https://registry.example/v2/"]
    assert len(kept()) == 1


# -- the right to pull --


@pytest.mark.parametrize("named", ["team/model", "registry.example/team/model", "team/model:v1"])
def test_the_right_to_pull_is_checked_where_a_repository_is_named(login, kept, named):
    done = login("--repository", named)
    assert done.status == 0
    assert "the token for team/model grants pull" in done.err
    assert len(kept()) == 1


def test_a_token_that_grants_less_is_refused_and_nothing_stored(login, kept):
    done = login("--repository", "team/model", username="reader")
    assert done.status == 4
    assert "no right to pull from registry.example/team/model" in done.err
    assert "AcrPull" in done.err
    assert kept() == []


def test_a_path_is_a_credential_of_its_own(login, kept):
    done = login(address="registry.example/team")
    assert done.status == 0
    assert [str(record.address) for record in kept()] == ["registry.example/team"]
    assert "docker asks for whole registries only; for this path: registryauth resolve registry.example/team/IMAGE --format" in done.err


def test_a_repository_outside_the_path_is_refused_before_anything_is_sent(login, online, kept):
    done = login("--repository", "teams/x", address="registry.example/team")
    assert (done.status, online.requests, kept()) == (2, [], [])
    assert "registry.example/teams/x is not in registry.example/team" in done.err


# -- unverified --


def test_a_registry_that_asks_nobody_is_stored_as_unverified_and_says_so(login, online, kept, sent):
    online.auth = "none"
    done = login(stdin="anything")
    assert done.status == 0
    assert "Stored me for registry.example: unverified; registry.example answers without a credential" in done.err
    assert kept()[0].verified_at == 0
    assert sent("anything") == []


def test_without_verification_nothing_is_sent(login, online, kept):
    done = login("--no-verify", stdin="anything")
    assert "unverified; the registry was not asked (--no-verify)" in done.err
    assert (done.status, online.requests) == (0, [])
    assert kept()[0].verified_at == 0


# -- what is no registry --


@pytest.mark.parametrize(("status", "media_type"), [(200, "text/html"), (404, "text/html"), (404, "application/json"), (301, "text/html")])
def test_an_address_that_is_no_registry_is_called_that(login, online, kept, sent, status, media_type):
    online.inject(lambda request: answers.content(request, status, media_type, b"<html>", [("location", "https://www.example/")]))
    done = login()
    assert done.status == 1
    assert "error: registry.example does not speak the registry API" in done.err
    assert "is the address right?" in done.err
    assert (kept(), sent()) == ([], [])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TransportError("cannot reach https://registry.example: Name or service not known", hint="is the address right?"), "cannot reach"),
        (TransportError("https://registry.example shows a certificate that is not trusted", hint="--ca-file"), "not trusted"),
        (NotTls(Registry("registry.example").origin()), "does not speak TLS"),
    ],
)
def test_no_answer_is_status_6_and_nothing_is_stored(login, online, kept, error, said):
    def fail(request):
        raise error

    online.inject(fail)
    done = login()
    assert done.status == 6
    assert said in done.err
    assert "hint: " in done.err
    assert kept() == []


def test_a_port_where_nobody_listens_is_status_6(cli, kept):
    done = cli("login", "127.0.0.1:1", "-u", "me", "--password-stdin", stdin="x")
    assert (done.status, kept()) == (6, [])
    assert "Connection refused" in done.err


# -- a token server on another origin --


def test_a_foreign_token_server_is_refused_where_nobody_can_be_asked(login, online, kept, sent):
    online.realm = ELSEWHERE
    done = login()
    assert (done.status, kept(), sent()) == (4, [], [])
    assert "registry.example asked for its credential to be sent to https://auth.other.example" in done.err
    assert f"--realm {ELSEWHERE}" in done.err


def test_one_that_was_named_is_pinned_and_honoured_later(login, cli, online, kept, sent):
    online.realm = ELSEWHERE
    online.add_image("team/model", "v1")
    done = login("--realm", ELSEWHERE)
    assert done.status == 0
    assert f"Its secret may also go to the token server {ELSEWHERE}." in done.err
    assert kept()[0].realm == ELSEWHERE
    assert cli("manifest", "get", "registry.example/team/model:v1").status == 0
    assert set(sent()) == {f"GET {ELSEWHERE}"}


def test_a_token_server_that_moves_after_the_login_gets_nothing(login, cli, online, sent):
    login()
    online.requests.clear()
    online.realm = "https://auth.evil.example/token"
    done = cli("manifest", "get", "registry.example/team/model:v1")
    assert done.status == 4
    assert "auth.evil.example" in done.err
    assert sent() == []


def test_one_that_the_configuration_names_is_taken_without_a_question(login, online, kept, home):
    (home / ".config/registryauth").mkdir(parents=True)
    (home / ".config/registryauth/config.toml").write_text(f'[registries."registry.example"]\nrealm = "{ELSEWHERE}"\n')
    online.realm = ELSEWHERE
    assert login().status == 0
    assert kept()[0].realm == ELSEWHERE


@pytest.mark.parametrize("realm", ["auth.other.example", "not a url", "ftp://x.example/"])
def test_a_realm_that_is_no_url_is_a_mistake_in_the_command(login, online, realm):
    done = login("--realm", realm)
    assert (done.status, online.requests) == (2, [])
    assert "is not the URL of a token server" in done.err


# -- plain http --


@pytest.fixture
def plain(online, monkeypatch):
    """The registry speaks no TLS."""

    def refuse(request):
        if request.url.origin.scheme == "https":
            raise NotTls(request.url.origin)

    online.inject(refuse)
    return online


def test_plain_http_needs_to_be_asked_for_in_so_many_words(login, plain, kept, sent):
    assert (login().status, sent(), kept()) == (6, [], [])


def test_insecure_is_remembered_for_later(login, cli, plain, kept, sent):
    plain.add_image("team/model", "v1")
    done = login("--insecure")
    assert done.status == 0, done.err
    assert kept()[0].insecure
    assert cli("manifest", "get", "registry.example/team/model:v1").status == 0
    assert set(sent()) == {"GET http://registry.example/token"}


def test_a_registry_that_the_configuration_calls_insecure_needs_no_flag(login, plain, kept, home):
    (home / ".config/registryauth").mkdir(parents=True)
    (home / ".config/registryauth/config.toml").write_text('[registries."registry.example"]\ninsecure = true\n')
    assert login().status == 0
    assert kept()[0].insecure


def test_insecure_for_one_registry_is_not_for_another(login, cli, plain, sent):
    login("--insecure")
    done = cli("login", "other.example", "-u", "me", "--password-stdin", stdin=CANARY)
    assert done.status == 6
    assert set(sent()) == {"GET http://registry.example/token"}


# -- the address --


@pytest.mark.parametrize(
    "address", ["https://registry.example", "https://registry.example/v2/", "REGISTRY.example/", "http://registry.example"]
)
def test_an_address_copied_from_elsewhere_is_understood(login, kept, address):
    assert login(address=address).status == 0
    assert str(kept()[0].address) == "registry.example"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("registry.example/team:v1", "a path names no tag and no digest here"),
        ("registry.example/team@sha256:" + "a" * 64, "a path names no tag and no digest here"),
        ("x.azureecr.io", "did you mean azurecr.io?"),
        ("x.azurecr.io.", "a trailing dot"),
        ("myregistry", "myregistry.azurecr.io"),
        ("me:pw@registry.example", "pass it with --username"),
        ("registry.example/Team", "write team"),
        (" registry.example", "white space"),
        ("", "the reference is empty"),
        ("\x1b[2J.example", "a control character"),
    ],
)
def test_an_address_that_is_none_is_refused_with_a_guess(login, online, kept, address, said):
    done = login(address=address)
    assert (done.status, online.requests, kept()) == (2, [], [])
    assert said in done.err
    assert "\x1b" not in done.err
    assert "me:pw" not in done.err


def test_a_near_miss_that_the_configuration_knows_is_no_miss(login, home, kept):
    (home / ".config/registryauth").mkdir(parents=True)
    (home / ".config/registryauth/config.toml").write_text('[registries."x.azureecr.io"]\nkind = "standalone"\n')
    assert login(address="x.azureecr.io").status == 0
    assert str(kept()[0].address) == "x.azureecr.io"


# -- dates --


def test_the_day_that_the_secret_dies_is_kept(login, load):
    assert login("--expires", "2099-05-01").status == 0
    assert load("principal", "list")["principals"][0]["expires_at"] == "2099-05-01T00:00:00Z"


@pytest.mark.parametrize("date", ["soon", "2020-01-01", "0d"])
def test_a_date_that_is_none_or_over_is_refused_before_anything_is_sent(login, online, date):
    done = login("--expires", date)
    assert (done.status, online.requests) == (2, [])
    assert "hint: " in done.err


# -- who else has one --


@pytest.mark.parametrize(
    "environ",
    [
        {"REGISTRYAUTH_REGISTRY": "registry.example", "REGISTRYAUTH_USERNAME": "ci", "REGISTRYAUTH_PASSWORD": "canary-env"},
        {"DOCKER_AUTH_CONFIG": '{"auths":{"registry.example":{"auth":"Y2k6Y2FuYXJ5LWVudg=="}}}'},
    ],
)
def test_a_variable_that_is_asked_before_the_store_is_warned_of(login, monkeypatch, environ):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    done = login()
    assert done.status == 0
    assert "warning: environment is asked before the store and has a credential for this registry" in done.err
    assert "canary-env" not in done.err
    assert "is asked before" not in login(address="other.example").err


def test_variables_that_make_no_sense_are_warned_of_and_stop_no_login(login, monkeypatch, kept):
    monkeypatch.setenv("REGISTRYAUTH_PASSWORD", "alone")
    done = login()
    assert done.status == 0
    assert "warning: REGISTRYAUTH_REGISTRY and REGISTRYAUTH_USERNAME are not set" in done.err
    assert len(kept()) == 1


def test_where_docker_asks_us_already_no_step_is_left(login, cli, monkeypatch):
    login()
    assert cli("setup", "docker").status == 0
    done = login()
    assert "docker will use it." in done.err
    assert "registryauth setup docker" not in done.err
    assert "registryauth setup containers" in done.err


def test_a_docker_configuration_that_cannot_be_read_stops_no_login(login, home, kept):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{not json")
    done = login()
    assert (done.status, len(kept())) == (0, 1)
    assert "warning: " in done.err
    assert (home / ".docker/config.json").read_text() == "{not json"


# -- as docker's users know it --


def test_docker_s_own_words_are_said_only_where_the_registry_took_it(login, online):
    assert "\nLogin Succeeded\n" in login().err
    assert "Login Succeeded" not in login(stdin="wrong").err
    assert "Login Succeeded" not in login("--no-verify").err
    online.auth = "none"
    assert "Login Succeeded" not in login(address="open.example").err


def test_it_is_said_until_when_the_secret_lives_or_that_nobody_knows(login):
    assert "It is good until 2099-05-01T00:00:00Z.\n" in login("--expires", "2099-05-01").err
    assert "Until when it is good is not known; --expires would note it.\n" in login(address="other.example").err


def test_without_a_registry_docker_hub_is_named_and_not_meant(cli, online, kept):
    done = cli("login", "-u", "me", "--password-stdin", stdin=CANARY)
    assert (done.status, done.out, online.requests, kept()) == (2, "", [], [])
    assert "docker login without one means Docker Hub, which is: registryauth login docker.io" in done.err
