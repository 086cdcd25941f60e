"""The protocol to the letter, in this process; what only a process shows is in test_docker_helper_process.py."""

from __future__ import annotations

import base64
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth import __version__
from registryauth.docker_helper import NAME, NOT_FOUND, run
from registryauth.reference import Address
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-5c1e"
NOW = 1_800_000_000.0
HUB = "https://index.docker.io/v1/"


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def ask(store):
    """One request to the helper: its exit status, stdout and stderr."""

    def ask(action, request=b"", *, now=NOW):
        out, err = io.StringIO(), io.StringIO()
        stdin = io.BytesIO(request if isinstance(request, bytes) else request.encode())
        status = run([action], stdin, out, err, {}, store=store, clock=lambda: now)
        return status, out.getvalue(), err.getvalue()

    return ask


@pytest.fixture
def login(ask):
    """What ``docker login`` sends."""

    def login(server, username="me", secret=CANARY, **other):
        return ask("store", json.dumps({"ServerURL": server, "Username": username, "Secret": secret, **other}) + "\n")

    return login


def keep(store, address, account="me", secret=CANARY, **said):
    return store.put(Principal(Address.parse(address), account, (Slot(secret, **said.pop("dates", {})),), **said))


# -- what is asked without a store --


@pytest.mark.parametrize("argv", [[], ["get", "list"], ["", "", ""]])
def test_another_number_of_arguments_than_one_gets_the_usage_and_status_1(argv, store):
    out, err = io.StringIO(), io.StringIO()
    assert run(argv, io.BytesIO(), out, err, {}, store=store) == 1
    assert out.getvalue() == f"Usage: {NAME} <store|get|erase|list|version>\n"


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_is_the_usage_and_status_0(ask, word):
    assert ask(word) == (0, f"Usage: {NAME} <store|get|erase|list|version>\n", "")


@pytest.mark.parametrize("word", ["version", "--version", "-v"])
def test_the_version_names_program_and_package(ask, word):
    assert ask(word) == (0, f"{NAME} (registryauth) {__version__}\n", "")


def test_an_unknown_action_is_named_in_the_reference_program_s_words(ask):
    assert ask("bogus") == (1, f"{NAME}: unknown action: bogus\n", "")


def test_an_unknown_action_moves_no_cursor_and_fills_no_screen(ask):
    _, out, _ = ask("\x1b[2J" + "x" * 500)
    assert "\x1b" not in out
    assert len(out) < 120


# -- get --


def test_what_was_stored_is_answered_on_one_line_with_the_name_as_it_was_asked(ask, login):
    assert login("https://host.example") == (0, "", "")
    status, out, err = ask("get", "host.example")
    assert (status, err) == (0, "")
    assert out.endswith("}\n")
    assert out.count("\n") == 1
    assert json.loads(out) == {"ServerURL": "host.example", "Username": "me", "Secret": CANARY}


@pytest.mark.parametrize(
    "asked", ["host.example", "https://host.example", "https://host.example/", "https://host.example/v1/", "HOST.example"]
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n"])
def test_every_spelling_of_a_host_finds_it(ask, login, asked, end):
    login("https://host.example/v2/")
    status, out, _ = ask("get", asked + end)
    assert status == 0
    assert json.loads(out) == {"ServerURL": asked, "Username": "me", "Secret": CANARY}


@pytest.mark.parametrize("stored", [HUB, "docker.io", "index.docker.io", "registry-1.docker.io"])
@pytest.mark.parametrize("asked", [HUB, "https://index.docker.io/v1", "docker.io", "index.docker.io", "docker.io\n"])
def test_docker_hub_is_one_registry_under_all_its_names(ask, login, stored, asked):
    login(stored)
    assert json.loads(ask("get", asked)[1])["Secret"] == CANARY


def test_nothing_stored_is_the_exact_text_on_stdout_and_a_reason_on_stderr(ask):
    status, out, err = ask("get", "host.example")
    assert (status, out) == (1, "credentials not found in native keychain\n")
    assert err == f"{NAME}: nothing is stored for host.example as a whole; log in with 'registryauth login host.example'\n"


def test_a_request_for_the_host_never_gets_a_secret_for_a_path_in_it(ask, store):
    keep(store, "host.example/team")
    status, out, err = ask("get", "host.example")
    assert (status, out.strip()) == (1, NOT_FOUND)
    assert "as a whole" in err
    assert CANARY not in err


def test_a_request_for_a_path_gets_the_nearest_entry_at_or_above_it(ask, store):
    keep(store, "host.example", secret="for all")
    keep(store, "host.example/team", secret="for the team")
    secrets = [json.loads(ask("get", f"host.example/{path}")[1])["Secret"] for path in ("other/x", "team", "team/x", "teams")]
    assert secrets == ["for all", "for the team", "for the team", "for all"]


@pytest.mark.parametrize(
    "asked",
    [
        "x.azurecr.io.evil.example", "evil.example/x.azurecr.io", "x.azurecr.io@evil.example", "https://x.azurecr.io@evil.example/",
        "xazurecr.io", "x.azurecr.io.", "x.azurecr.io:8443", "azurecr.io", "x.azurecr.io.:443", "evil.x.azurecr.io", "\uff58.azurecr.io",
        "x.azurecr.io\\@evil.example", "x.azurecr.io%2eevil.example", "x.azurecr.io?.evil.example", "x.azurecr.io#.evil.example",
        "ftp://x.azurecr.io", "//x.azurecr.io", "x.\u0430zurecr.io", "*.azurecr.io", "x.azurecr.io:",
    ],
)  # fmt: skip
def test_a_look_alike_gets_nothing(ask, store, asked):
    keep(store, "x.azurecr.io")
    status, out, err = ask("get", asked)
    assert (status, out) == (1, NOT_FOUND + "\n")
    assert CANARY not in err
    assert err


@given(st.text(min_size=1, max_size=40))
def test_whatever_is_asked_the_answer_is_one_line_and_a_secret_only_for_its_own_host(asked):
    store = MemoryStore()
    keep(store, "host.example")
    out, err = io.StringIO(), io.StringIO()
    status = run(["get"], io.BytesIO(asked.encode("utf-8", "surrogatepass")), out, err, {}, store=store)
    assert out.getvalue().count("\n") == 1
    assert status == 1
    assert CANARY not in out.getvalue() + err.getvalue()


def test_a_name_that_looks_mistyped_is_looked_up_because_docker_was_there_already(ask, login):
    assert ask("get", "x.azureecr.io")[1].strip() == NOT_FOUND
    assert login("x.azureecr.io:443")[0] == 0
    assert json.loads(ask("get", "https://x.azureecr.io:443/")[1])["Secret"] == CANARY


def test_an_expired_credential_is_answered_with_a_warning(ask, store):
    keep(store, "host.example", dates={"expires_at": int(NOW)})
    status, out, err = ask("get", "host.example")
    assert (status, json.loads(out)["Secret"]) == (0, CANARY)
    assert err == f"{NAME}: the credential of me for host.example has expired: log in again\n"
    assert ask("get", "host.example", now=NOW - 15 * 86400)[2] == ""


@pytest.mark.parametrize(
    ("before", "words"),
    [(5 * 86400, "5 days (2027-01-15)"), (3 * 3600, "3 hours (2027-01-15T08:00:00Z)"), (14 * 86400, "14 days (2027-01-15)")],
)
def test_a_credential_that_dies_soon_is_answered_with_one_line_of_warning(ask, store, before, words):
    keep(store, "host.example", dates={"expires_at": int(NOW)})
    status, out, err = ask("get", "host.example", now=NOW - before)
    assert (status, json.loads(out)["Secret"]) == (0, CANARY)
    assert err == f"{NAME}: warning: the secret of me for host.example expires in {words}\n"


def test_the_warning_goes_by_the_configuration_and_can_be_switched_off(store, tmp_path):
    keep(store, "host.example", dates={"expires_at": int(NOW)})
    config = tmp_path / "config.toml"
    for said, warned in (("30d", True), ("1d", False), ("", False)):
        config.write_text(f'[resolver]\nexpiry_warning = "{said}"\n')
        out, err = io.StringIO(), io.StringIO()
        environ = {"REGISTRYAUTH_CONFIG": str(config)}
        assert run(["get"], io.BytesIO(b"host.example"), out, err, environ, store=store, clock=lambda: NOW - 20 * 86400) == 0
        assert bool(err.getvalue()) == warned


def test_a_credential_before_its_first_day_is_answered_with_a_warning(ask, store):
    keep(store, "host.example", dates={"not_before": int(NOW) + 10 * 86400})
    status, out, err = ask("get", "host.example")
    assert (status, json.loads(out)["Secret"]) == (0, CANARY)
    assert err == f"{NAME}: warning: the secret of me for host.example is not valid for another 10 days (2027-01-25)\n"


def test_a_token_that_says_when_it_dies_is_kept_with_that_date(ask, store):
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_900_000_000}).encode()).decode().rstrip("=")
    given = {"ServerURL": "host.example", "Username": "<token>", "Secret": f"e30.{claims}.x"}
    assert ask("store", json.dumps(given))[0] == 0
    assert store.list()[0].slots[0].expires_at == 1_900_000_000


def test_what_is_stored_cannot_move_the_cursor_of_who_reads_the_reason(ask, store):
    keep(store, "host.example", "a\x1b[2J\u202eb", dates={"expires_at": 1})
    assert not set("\x1b\u202e") & set(ask("get", "host.example")[2])


def test_the_account_preferred_last_answers(ask, store):
    keep(store, "host.example", "a", preferred_at=2)
    keep(store, "host.example", "b", preferred_at=1)
    assert json.loads(ask("get", "host.example")[1])["Username"] == "a"


# -- store --


def test_an_identity_token_is_kept_and_answered_as_one(ask, login, store):
    assert login("host.example", "<token>") == (0, "", "")
    assert store.list()[0].kind == "identity-token"
    assert json.loads(ask("get", "host.example")[1]) == {"ServerURL": "host.example", "Username": "<token>", "Secret": CANARY}


def test_an_identity_token_that_we_logged_in_with_is_answered_under_the_name_that_docker_knows(ask, store):
    keep(store, "host.example", "ci", kind="identity-token")
    assert json.loads(ask("get", "host.example")[1])["Username"] == "<token>"


def test_a_second_login_of_docker_s_replaces_its_first_whoever_it_was(ask, login, store):
    login("host.example", "one")
    login("host.example", "two", "second")
    assert [(r.account, r.made_by) for r in store.list()] == [("two", "docker")]
    login("host.example", "two", "third")
    assert json.loads(ask("get", "host.example")[1])["Secret"] == "third"
    assert len(store.list()) == 1


def test_docker_s_login_takes_precedence_over_ours_and_leaves_it(ask, login, store):
    keep(store, "host.example", "ours", made_by="login", preferred_at=int((NOW - 60) * 1e6))
    login("host.example", "docker-s")
    assert json.loads(ask("get", "host.example")[1])["Username"] == "docker-s"
    assert [r.account for r in store.list()] == ["docker-s", "ours"]


def test_docker_s_login_to_the_account_of_ours_changes_its_secret_and_keeps_what_we_know_of_it(login, store):
    keep(store, "host.example", secret="old", realm="https://auth.example/token", verified_at=5, owner="me", dates={"expires_at": 9})
    login("host.example", secret="new")
    [record] = store.list()
    assert record.slots == (Slot("new", added_at=int(NOW), serial=1),)
    assert (record.realm, record.owner, record.made_by, record.verified_at) == ("https://auth.example/token", "me", "login", 0)


@pytest.mark.parametrize("username", ["me", "somebody-else"])
def test_what_an_admin_registered_is_not_overwritten_and_docker_hears_no_failure(ask, login, store, username):
    before = keep(store, "host.example", secret="the admin's", made_by="admin")
    status, out, err = login("host.example", username)
    assert (status, out) == (0, "")
    assert "registered by an admin" in err
    assert CANARY not in err
    assert store.list() == [before]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"", "the request is not JSON"),
        (b"{", "the request is not JSON"),
        (b"\xff\xfe", "the request is not JSON"),
        (b"[" * 100_000, "the request is not JSON"),
        (b'{"ServerURL": ' + b"9" * 10_000 + b"}", "the request is not JSON"),
        (b"[]", "the request is not a JSON object"),
        (b'"x"', "the request is not a JSON object"),
        (b"null", "the request is not a JSON object"),
        (b"{}", "no credentials server URL"),
        (b'{"ServerURL": ""}', "no credentials server URL"),
        (b'{"ServerURL": "h.example"}', "no credentials username"),
        (b'{"ServerURL": "h.example", "Username": "u"}', "no credentials secret"),
        (b'{"ServerURL": "h.example", "Username": "u", "Secret": ""}', "no credentials secret"),
        (b'{"ServerURL": 5, "Username": "u", "Secret": "s"}', "ServerURL is not a string"),
        (b'{"ServerURL": "h.example", "Username": null, "Secret": "s"}', "Username is not a string"),
        (b'{"ServerURL": "h.example", "Username": "u", "Secret": ["canary-5c1e"]}', "Secret is not a string"),
        (b'{"ServerURL": "h.example", "Username": "u", "Secret": true}', "Secret is not a string"),
        (b'{"ServerURL": "not a host", "Username": "u", "Secret": "canary-5c1e"}', "there is a space in the reference"),
        (b'{"ServerURL": "h.example/x:v1", "Username": "u", "Secret": "canary-5c1e"}', "a path names no tag and no digest here"),
        (b'{"ServerURL": "h.example", "Username": "u", "Secret": "\\ud800"}', "the secret of u at h.example is not valid Unicode text"),
        (b'{"ServerURL": "h.example", "Username": "\\udc80", "Secret": "canary-5c1e"}', "the account name is not valid Unicode text"),
    ],
)  # fmt: skip
def test_a_login_that_cannot_be_kept_is_refused_with_the_reason_and_without_the_secret(ask, store, request_, said):
    status, out, err = ask("store", request_)
    assert (status, out) == (1, said + "\n")
    assert CANARY not in err
    assert store.list() == []


def test_fields_that_we_do_not_know_are_no_fault(ask, login):
    assert login("host.example", Email="me@example", Nested={"a": [1]}) == (0, "", "")
    assert set(json.loads(ask("get", "host.example")[1])) == {"ServerURL", "Username", "Secret"}


@pytest.mark.parametrize("field", ["ServerURL", "Username", "Secret"])
@pytest.mark.parametrize("control", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\x9b", "\u202e", "\u2066", "\u200b", "\u2028", "\ufeff"])
def test_a_control_character_in_any_field_is_refused(ask, store, field, control):
    given = {"ServerURL": "h.example", "Username": "u", "Secret": "s"}
    given[field] = given[field][:1] + control + given[field][1:]
    assert ask("store", json.dumps(given)) == (1, f"{field} holds a control character\n", "")
    assert store.list() == []


@pytest.mark.parametrize("action", ["get", "erase"])
@pytest.mark.parametrize(
    "asked", ["good.example\nevil.example", "good.example\revil", "good\0.example", "a\x9bb.example", "a\u202eb.example"]
)
def test_a_control_character_in_a_name_is_refused_not_joined(ask, login, store, action, asked):
    login("good.example")
    login("good.exampleevil.example")
    assert ask(action, asked) == (1, "ServerURL holds a control character\n", "")
    assert len(store.list()) == 2


@pytest.mark.parametrize("action", ["get", "erase"])
def test_a_name_that_is_no_utf_8_or_nothing_is_refused(ask, action):
    assert ask(action, b"h\xff.example") == (1, "the server URL is not UTF-8\n", "")
    for nothing in (b"", b"\n", b" \t\r\n"):
        assert ask(action, nothing) == (1, "no credentials server URL\n", "")


def test_a_secret_of_64_kib_is_kept_and_a_longer_one_is_refused(ask, login):
    assert login("host.example", secret="s" * 65536)[0] == 0
    assert json.loads(ask("get", "host.example")[1])["Secret"] == "s" * 65536
    status, out, _ = login("other.example", secret="s" * 65537)
    assert (status, out) == (1, "the secret of me at other.example is longer than 65536 bytes\n")


# -- erase --


def test_what_docker_or_login_stored_is_erased_all_accounts_of_it(ask, login, store):
    keep(store, "host.example", "ours", made_by="login")
    login("host.example", "docker-s")
    keep(store, "host.example/team")
    assert ask("erase", "https://host.example/\n") == (0, "", "")
    assert [str(record.address) for record in store.list()] == ["host.example/team"]


@pytest.mark.parametrize("asked", ["host.example", HUB, "https://host.example", "http://host.example"])
def test_to_erase_nothing_is_no_failure(ask, asked):
    assert ask("erase", asked) == (0, "", "")


@pytest.mark.parametrize("asked", ["myhost", "a b", "host.example/x:tag", "a@b"])
def test_to_erase_what_can_never_have_been_stored_is_no_failure_either(ask, asked):
    status, out, err = ask("erase", asked)
    assert (status, out) == (0, "")
    assert err.startswith(NAME)
    assert ask("get", asked)[:2] == (1, NOT_FOUND + "\n")


def test_what_an_admin_registered_is_not_erased_and_docker_hears_no_failure(ask, store):
    before = keep(store, "host.example", made_by="admin")
    keep(store, "host.example", "other", made_by="docker")
    status, out, err = ask("erase", "host.example")
    assert (status, out) == (0, "")
    assert "me at host.example was registered by an admin and stays" in err
    assert store.list() == [before]


# -- docker hub's sub-keys --


def test_docker_hub_s_tokens_are_kept_apart_from_its_credential_and_from_each_other(ask, login, store):
    for key, secret in ((HUB, "hub"), (HUB + "access-token", "access"), (HUB + "refresh-token", "refresh")):
        login(key, secret=secret)
    answers = [json.loads(ask("get", key)[1])["Secret"] for key in (HUB, HUB + "access-token", HUB + "refresh-token")]
    assert answers == ["hub", "access", "refresh"]
    assert json.loads(ask("list")[1]) == {HUB: "me", HUB + "access-token": "me", HUB + "refresh-token": "me"}
    assert ask("erase", HUB + "access-token")[0] == 0
    assert set(json.loads(ask("list")[1])) == {HUB, HUB + "refresh-token"}
    assert ask("erase", HUB)[0] == 0
    assert set(json.loads(ask("list")[1])) == {HUB + "refresh-token"}
    assert ask("get", HUB)[1].strip() == NOT_FOUND


def test_docker_hub_s_credential_is_not_given_out_as_one_of_its_tokens(ask, login):
    login(HUB)
    for key in ("access-token", "refresh-token"):
        assert ask("get", HUB + key)[:2] == (1, NOT_FOUND + "\n")


# -- list --


def test_an_empty_store_lists_an_empty_object(ask):
    assert ask("list", "unused") == (0, "{}\n", "")


def test_the_list_is_one_sorted_line_of_names_without_secrets(ask, store):
    keep(store, "z.example", "zed")
    keep(store, "a.example:5000", "old", preferred_at=1)
    keep(store, "a.example:5000", "new", preferred_at=2)
    keep(store, "docker.io", "hub")
    keep(store, "p.example/team")
    status, out, err = ask("list", "unused")
    assert (status, err) == (0, "")
    assert out == '{"a.example:5000": "new", "https://index.docker.io/v1/": "hub", "z.example": "zed"}\n'
    assert CANARY not in out


def test_every_name_in_the_list_can_be_got_and_erased(ask, login):
    for server in ("host.example", "docker.io", HUB + "access-token", "[::1]:5000", "localhost"):
        login(server)
    names = json.loads(ask("list")[1])
    assert len(names) == 5
    for name in names:
        assert json.loads(ask("get", name)[1])["ServerURL"] == name
        assert ask("erase", name) == (0, "", "")
    assert ask("list")[1] == "{}\n"
