from __future__ import annotations

import sqlite3

import pytest

from registryauth.credentials import NULL_GUID
from registryauth.errors import ConfigurationError, Conflict, CredentialNotFound, Denied, StoreCorrupt, StoreLocked, TokenRefused
from registryauth.principals import forget, register
from registryauth.reference import Address, Repository
from registryauth.stores import Key, Principal, Slot, open_store
from registryauth.stores.memory import MemoryStore

from .conftest import CANARY

HOST = Address.parse("registry.example")
TEAM = Address.parse("registry.example/team")
MODEL = Repository.parse("registry.example/team/model")
NOW = 1_800_000_000.25


def clock():
    return NOW


def test_what_was_verified_is_stored_with_when_and_how(store, opened):
    done = register(store, HOST, "me", CANARY, opened, made_by="login", expires_at=1_900_000_000, clock=clock)
    assert (done.replaced, done.verification.verified) == (False, True)
    assert store.list() == [done.principal]
    assert done.principal.slots == (Slot(CANARY, added_at=1_800_000_000, expires_at=1_900_000_000, serial=1),)
    dates = (done.principal.created_at, done.principal.verified_at, done.principal.preferred_at)
    assert dates == (1_800_000_000, 1_800_000_000, 1_800_000_000_250_000)
    assert (done.principal.made_by, done.principal.kind, done.principal.insecure) == ("login", "user", False)
    assert CANARY not in repr(done)


def test_what_is_refused_is_not_stored_and_the_good_one_that_was_there_stays(store, opened):
    register(store, HOST, "me", CANARY, opened, made_by="login")
    before = store.list()
    with pytest.raises(TokenRefused):
        register(store, HOST, "me", "wrong", opened, made_by="login")
    with pytest.raises(Denied):
        register(store, HOST, "reader", CANARY, opened, made_by="login", repository=MODEL)
    assert store.list() == before


def test_an_unverified_credential_is_stored_as_such(store, simulator, opened):
    simulator.auth = "none"
    done = register(store, HOST, "me", "anything", opened, made_by="login", realm="https://auth.example/token")
    assert not done.verification.verified
    assert (done.principal.verified_at, done.principal.realm) == (0, "https://auth.example/token")
    skipped = register(store, HOST, "other", "anything", None, made_by="login")
    assert (skipped.verification, skipped.principal.verified_at) == (None, 0)


@pytest.mark.parametrize("account", ["<token>", NULL_GUID])
def test_the_names_that_mean_a_token_make_it_one(store, simulator, opened, account):
    done = register(store, HOST, account, simulator.identity_token("me"), opened, made_by="login")
    assert done.principal.kind == "identity-token"


def test_a_realm_that_was_confirmed_is_pinned(store, simulator, opened):
    simulator.realm = "https://auth.other.example/token"
    done = register(store, HOST, "me", CANARY, opened, made_by="login", confirm=lambda _: True)
    assert [str(origin) for origin in done.principal.pinned(NOW).realms] == ["https://auth.other.example"]


def test_without_a_verification_the_pinned_realm_stays_and_with_one_it_is_what_the_registry_says(store, simulator, opened):
    simulator.realm = "https://auth.other.example/token"
    register(store, HOST, "me", CANARY, opened, made_by="login", confirm=lambda _: True)
    assert register(store, HOST, "me", CANARY, None, made_by="login").principal.realm == simulator.realm
    simulator.realm = None
    assert register(store, HOST, "me", CANARY, opened, made_by="login").principal.realm == ""


# -- replacing --


def test_a_new_secret_keeps_what_was_said_of_the_account(store, opened):
    notes = {"tenant": "t", "owner": "o", "purpose": "p"}
    admin = {"made_by": "admin", "kind": "service-principal"}
    first = register(store, HOST, "me", "old", None, **admin, notes=notes, expires_at=5, clock=lambda: 1.0)
    done = register(store, HOST, "me", CANARY, opened, **admin, notes={"owner": "new", "purpose": ""}, clock=clock)
    assert done.replaced
    assert (done.principal.tenant, done.principal.owner, done.principal.purpose) == ("t", "new", "p")
    assert (done.principal.created_at, done.principal.slots) == (1, (Slot(CANARY, added_at=int(NOW), serial=2),))
    assert done.principal.revision > first.principal.revision


def test_a_login_to_an_admin_s_record_leaves_it_an_admin_s_and_of_its_kind(store, opened):
    register(store, HOST, "me", "old", None, made_by="admin", kind="service-principal")
    done = register(store, HOST, "me", CANARY, opened, made_by="login")
    assert (done.principal.made_by, done.principal.kind) == ("admin", "service-principal")


def test_an_admin_takes_over_what_a_login_or_docker_made(store):
    store.put(Principal(HOST, "me", (Slot("old"),), made_by="docker"))
    done = register(store, HOST, "me", CANARY, None, made_by="admin", kind="robot")
    assert (done.principal.made_by, done.principal.kind) == ("admin", "robot")


def test_a_password_in_place_of_a_token_makes_it_a_password(store):
    register(store, HOST, "ci", "token", None, made_by="login", kind="identity-token")
    assert register(store, HOST, "ci", "password", None, made_by="login").principal.kind == "user"


def test_another_account_or_path_is_another_record(store):
    for address, account in ((HOST, "a"), (HOST, "b"), (TEAM, "a")):
        assert not register(store, address, account, CANARY, None, made_by="login").replaced
    assert len(store.list()) == 3


def test_a_write_that_comes_between_is_not_lost(store):
    class Overtaken(MemoryStore):
        """Somebody notes an owner right after our first look."""

        overtaken = 0

        def exact(self, key):
            found = super().exact(key)
            if found and not found.owner:
                self.overtaken += 1
                self.put(found.replace(owner="them"))
            return found

    store = Overtaken()
    store.put(Principal(HOST, "me", (Slot("old"),)))
    record = register(store, HOST, "me", CANARY, None, made_by="login").principal
    assert (record.owner, record.slots[0].secret, store.overtaken) == ("them", CANARY, 1)


def test_a_record_that_is_removed_between_is_made_anew(store):
    class Overtaken(MemoryStore):
        looks = 0

        def exact(self, key):
            found = super().exact(key)
            self.looks += 1
            if self.looks == 2:
                self.delete(key)
            return found

    store = Overtaken()
    store.put(Principal(HOST, "me", (Slot("old"),), made_by="admin"))
    assert register(store, HOST, "me", CANARY, None, made_by="login").principal.made_by == "login"


def test_one_who_is_overtaken_every_time_gives_up(store):
    class Busy(MemoryStore):
        puts = 0

        def put(self, principal, if_revision=None):
            self.puts += 1
            raise Conflict("changed meanwhile")

    busy = Busy()
    with pytest.raises(Conflict, match=r"me at registry\.example is being written by others all the time; nothing was stored"):
        register(busy, HOST, "me", CANARY, None, made_by="login")
    assert busy.puts < 20


# -- what is refused before anything is sent --


@pytest.mark.parametrize(
    ("account", "secret", "said"),
    [
        ("", CANARY, "the user name is empty"),
        ("me", "", "the secret is empty"),
        ("a:b", CANARY, "no colon"),
        (":", CANARY, "no colon"),
        ("a\nb", CANARY, "no control character"),
        ("a\x1b[2J", CANARY, "no control character"),
        ("a\u202eb", CANARY, "no control character"),
        ("a\udcff", CANARY, "no control character"),
        ("me", CANARY + "\n", "control character"),
        ("me", "\r" + CANARY, "control character"),
        ("me", CANARY + "\0", "control character"),
        ("me", CANARY + "\x7f", "control character"),
        ("me", CANARY + "\udcff", "not text in UTF-8"),
        ("<token>", CANARY + "\ud800", "not text in UTF-8"),
    ],
)
def test_what_no_protocol_can_carry_is_refused_before_it_is_sent(store, simulator, opened, account, secret, said):
    with pytest.raises(ConfigurationError, match=said) as failure:
        register(store, HOST, account, secret, opened, made_by="login")
    assert (simulator.requests, store.list()) == ([], [])
    assert failure.value.hint
    assert CANARY not in str(failure.value) + failure.value.hint


@pytest.mark.parametrize("secret", [" ", " a b ", "a:b", "ä€😀", "a\u00a0", "%41", '"', "\\", "x" * 65536])
def test_any_other_secret_arrives_as_it_is(store, accounts, opened, secret):
    accounts["me"] = secret
    assert register(store, HOST, "me", secret, opened, made_by="login").verification.verified
    assert store.list()[0].slots[0].secret == secret


def test_a_repository_outside_is_refused_before_anything_is_sent(store, simulator, opened):
    for outside in ("registry.example/teams/x", "other.example/team/x"):
        with pytest.raises(ConfigurationError, match=r"is not in registry\.example/team"):
            register(store, TEAM, "me", CANARY, opened, made_by="login", repository=Repository.parse(outside))
    assert simulator.requests == []


@pytest.mark.parametrize("realm", ["auth.example", "auth.example/token", "ftp://x.example/", "https://", "\x1b[2J"])
def test_a_realm_that_is_no_url_is_refused_before_anything_is_sent(store, simulator, opened, realm):
    with pytest.raises(ConfigurationError, match="is not the URL of a token server") as failure:
        register(store, HOST, "me", CANARY, opened, made_by="login", realm=realm)
    assert (failure.value.exit_code, simulator.requests) == (2, [])
    assert "\x1b" not in str(failure.value)


def test_a_locked_store_is_heard_of_before_the_secret_has_travelled(simulator, opened, home):
    environ = {"HOME": str(home)}
    store = open_store(key="file", environ=environ)
    register(store, HOST, "me", CANARY, None, made_by="login")
    store.close()
    (home / ".config/registryauth/store.key").unlink()
    with pytest.raises(StoreLocked):
        register(open_store(key="file", environ=environ), HOST, "me", CANARY, opened, made_by="login")
    assert simulator.requests == []


# -- forgetting --


def test_to_forget_removes_every_account_at_the_address_and_no_other(store):
    for address, account in ((HOST, "a"), (HOST, "b"), (TEAM, "a")):
        register(store, address, account, CANARY, None, made_by="admin")
    assert [record.account for record in forget(store, HOST)] == ["a", "b"]
    assert [record.key for record in store.list()] == [Key(TEAM, "a")]


def test_to_forget_one_account_leaves_the_others(store):
    for account in ("a", "b"):
        register(store, HOST, account, CANARY, None, made_by="login")
    assert [record.account for record in forget(store, HOST, "a")] == ["a"]
    assert [record.account for record in store.list()] == ["b"]


@pytest.mark.parametrize(("account", "said"), [(None, "no credential is stored for"), ("x", "no credential of x is stored for")])
def test_to_forget_nothing_is_not_found(store, account, said):
    register(store, TEAM, "a", CANARY, None, made_by="login")
    with pytest.raises(CredentialNotFound, match=f"{said} registry.example") as failure:
        forget(store, HOST, account)
    assert failure.value.exit_code == 3
    assert len(store.list()) == 1


# -- a damaged record --


@pytest.fixture
def damaged(home):
    """A store on disk with two records, of which *bad* was tampered with."""
    store = open_store(key="file", environ={"HOME": str(home)})
    for account in ("bad", "good"):
        register(store, HOST, account, CANARY, None, made_by="login")
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE secrets SET sealed = zeroblob(60) WHERE account = 'bad'")
    connection.close()
    with pytest.raises(StoreCorrupt):
        store.list()
    return store


def test_a_damaged_record_is_written_anew_by_a_login_as_its_message_says(damaged):
    done = register(damaged, HOST, "bad", "new", None, made_by="login")
    assert done.replaced
    assert [record.slots[0].secret for record in damaged.list()] == ["new", CANARY]


def test_a_damaged_record_can_be_forgotten_by_its_account(damaged):
    with pytest.raises(StoreCorrupt) as failure:
        forget(damaged, HOST)
    assert "--account" in failure.value.hint
    assert [record.account for record in forget(damaged, HOST, "bad")] == ["bad"]
    assert [record.account for record in damaged.list()] == ["good"]


def test_where_more_than_a_record_is_damaged_nothing_is_written(damaged, home):
    (home / ".local/share/registryauth/store.db").write_bytes(b"foreign" * 1000)
    with pytest.raises(StoreCorrupt):
        register(open_store(key="file", environ={"HOME": str(home)}), HOST, "bad", "new", None, made_by="login")
    assert (home / ".local/share/registryauth/store.db").read_bytes() == b"foreign" * 1000


# -- what an admin says of a principal --


def test_everything_that_is_said_is_kept(store, opened):
    said = {
        "notes": {"tenant": "t", "cloud": "azure", "owner": "o", "purpose": "p"},
        "labels": {"team": "ml", "env": "prod"},
        "needed": ["pull", "push"],
        "not_before": 5,
        "expires_at": 1_900_000_000,
    }
    record = register(store, HOST, "me", CANARY, opened, made_by="admin", clock=clock, **said).principal
    assert record == store.exact(record.key)
    assert (record.tenant, record.cloud, record.owner, record.purpose) == ("t", "azure", "o", "p")
    assert (record.labels, record.needed) == ((("env", "prod"), ("team", "ml")), ("pull", "push"))
    assert (record.slots[0].not_before, record.slots[0].serial, record.updated_at) == (5, 1, int(NOW))


def test_an_admin_s_principal_needs_to_pull_unless_said_and_a_login_needs_nothing_in_particular(store):
    assert register(store, HOST, "a", "s", None, made_by="admin").principal.needed == ("pull",)
    assert register(store, HOST, "b", "s", None, made_by="login").principal.needed == ()
    register(store, HOST, "c", "s", None, made_by="admin", needed=["push"])
    assert register(store, HOST, "c", "s", None, made_by="admin").principal.needed == ("push",)


def test_labels_are_added_to_those_that_are_there(store):
    register(store, HOST, "a", "s", None, made_by="admin", labels={"x": "1", "y": "2"})
    assert register(store, HOST, "a", "s", None, made_by="admin", labels={"y": "3"}).principal.labels == (("x", "1"), ("y", "3"))


def test_the_same_secret_again_stays_verified_and_the_one_that_consumers_have(store, opened):
    first = register(store, HOST, "me", CANARY, opened, made_by="admin", clock=lambda: 5.0).principal
    again = register(store, HOST, "me", CANARY, None, made_by="admin", notes={"owner": "ml"}, clock=lambda: 9.0).principal
    assert (again.slots, again.verified_at, again.updated_at, again.owner) == (first.slots, 5, 9, "ml")
    other = register(store, HOST, "me", "another", None, made_by="admin").principal
    assert (other.slots[0].serial, other.verified_at) == (2, 0)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"needed": ["pull", "fetch"]}, "'fetch' is no action"),
        ({"needed": [""]}, "'' is no action"),
        ({"labels": {"a b": "x"}}, "'a b' is no name of a label"),
        ({"labels": {"": "x"}}, "is no name of a label"),
        ({"labels": {"-a": "x"}}, "is no name of a label"),
        ({"labels": {"a" * 64: "x"}}, "is no name of a label"),
        ({"labels": {"a": "two\nlines"}}, "more than a line"),
        ({"labels": {"a": "x" * 256}}, "more than a line"),
        ({"not_before": 10, "expires_at": 10}, "expire before it may be used"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(store, simulator, opened, said, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as raised:
        register(store, HOST, "me", CANARY, opened, made_by="admin", **said)
    assert raised.value.hint
    assert (store.list(), simulator.requests) == ([], [])


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "example.com/team", "a" * 63])
def test_a_label_s_name_is_one_as_kubernetes_has_them(store, name):
    assert register(store, HOST, "me", "s", None, made_by="admin", labels={name: ""}).principal.labels == ((name, ""),)


# -- wildcards --

WILD = Address.parse("*.example.com", wildcard=True)


def test_a_wildcard_is_verified_at_the_host_that_is_named_and_nowhere_else(store, opened, sent):
    place = Repository.parse("eu.example.com/team/model")
    done = register(store, WILD, "me", CANARY, opened, made_by="admin", repository=place)
    assert (done.verification.verified, str(done.principal.address)) == (True, "*.example.com")
    assert {place.split("/")[2] for place in sent()} == {"eu.example.com"}


def test_a_wildcard_without_a_host_to_ask_is_refused_or_unverified(store, opened, simulator):
    with pytest.raises(ConfigurationError, match=r"\*\.example\.com names no host that could be asked"):
        register(store, WILD, "me", CANARY, opened, made_by="admin")
    for elsewhere in ("eu.example.org/x", "a.eu.example.com/x", "example.com/x"):
        with pytest.raises(ConfigurationError, match="is not in"):
            register(store, WILD, "me", CANARY, opened, made_by="admin", repository=Repository.parse(elsewhere))
    assert simulator.requests == []
    assert register(store, WILD, "me", CANARY, None, made_by="admin").verification is None


def test_a_wildcard_over_the_hosts_of_others_is_refused(store, opened, simulator):
    shared = Address.parse("*.azurecr.io", wildcard=True)
    with pytest.raises(ConfigurationError, match=r"everybody can have one under azurecr\.io"):
        register(store, shared, "me", CANARY, None, made_by="admin")
    assert store.list() == []


def test_a_wildcard_never_allows_plain_http(store):
    with pytest.raises(ConfigurationError, match="plain http"):
        register(store, WILD, "me", CANARY, None, made_by="admin", insecure=True)
    assert store.list() == []
