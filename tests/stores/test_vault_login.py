"""Signing in to a vault: what is presented, for how long, and what happens when it is not taken."""

from __future__ import annotations

import threading

import pytest

from registryauth._origin import Url
from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable, TransportError
from registryauth.stores.remote import Remote, Unreachable
from registryauth.stores.vault_login import AppRole, GivenToken, Grant, Kubernetes, Login
from registryauth.testing import VaultSimulator
from registryauth.testing.vault_simulator import Role


class Method:
    """Gives tokens t1, t2 and so on, as *lifetime* and *renewable* say; fails where told to."""

    label, remedy = "a method", "do something"

    def __init__(self, lifetime=0.0, *, renewable=False):
        self.lifetime, self.renewable = lifetime, renewable
        self.obtained, self.renewed = 0, 0
        self.failure = None

    def obtain(self):
        if self.failure:
            raise self.failure
        self.obtained += 1
        return Grant(f"t{self.obtained}", self.lifetime, self.renewable)

    def renew(self, token):
        self.renewed += 1
        return Grant(token, self.lifetime, True) if self.renewable else None


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_token_is_got_once_and_kept(clock) -> None:
    method = Method()
    login = Login(method, clock)
    assert method.obtained == 0, "nothing is asked before the first call"
    clock.now += 1e9
    assert [login(), login()] == ["t1", "t1"]


def test_a_refused_token_is_replaced_and_an_older_refusal_is_not_held_against_the_new_one(clock) -> None:
    login = Login(Method(), clock)
    first = login()
    assert login(first) == "t2"
    assert login(first) == "t2"


def test_many_threads_with_the_same_refusal_sign_in_once(clock) -> None:
    method = Method()
    login = Login(method, clock)
    refused = login()
    threads = [threading.Thread(target=login, args=(refused,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert method.obtained == 2


def test_after_half_of_its_life_a_token_is_renewed(clock) -> None:
    method = Method(100, renewable=True)
    login = Login(method, clock)
    login()
    clock.now += 49
    login()
    assert method.renewed == 0
    for _ in range(10):
        clock.now += 50
        assert login() == "t1"
    assert method.renewed == 10


def test_one_that_cannot_be_renewed_is_got_anew(clock) -> None:
    method = Method(100)
    login = Login(method, clock)
    login()
    clock.now += 51
    assert login() == "t2"


def test_where_neither_works_it_serves_to_its_end_and_no_longer(clock) -> None:
    method = Method(100)
    login = Login(method, clock)
    login()
    method.failure = StoreLocked("the secret id is used up", hint="h")
    for _ in range(4):
        clock.now += 20
        assert login() == "t1"
    clock.now += 21
    with pytest.raises(StoreLocked, match="used up"):
        login()


def test_no_token_shows() -> None:
    assert "canary" not in repr(Grant("canary"))


def home(tmp_path, text=None, mode=0o600):
    if text is not None:
        file = tmp_path / ".vault-token"
        file.write_text(text)
        file.chmod(mode)
    return {"HOME": str(tmp_path)}


def test_a_variable_comes_before_the_file(tmp_path) -> None:
    environ = home(tmp_path, "s.from-file\n")
    assert GivenToken(environ=environ).obtain() == Grant("s.from-file")
    assert GivenToken(environ=environ | {"VAULT_TOKEN": "s.vault"}).obtain() == Grant("s.vault")
    assert GivenToken(environ=environ | {"VAULT_TOKEN": "s.vault", "BAO_TOKEN": "s.bao"}).obtain() == Grant("s.bao")


def test_a_named_file_comes_before_the_one_at_home_and_is_read_each_time(tmp_path) -> None:
    named = tmp_path / "agent-token"
    method = GivenToken(str(named), home(tmp_path, "s.from-home"))
    for text in ("s.first", "s.second"):
        named.write_text(text)
        named.chmod(0o600)
        assert method.obtain().token == text
    assert str(named) in method.label


def test_no_token_anywhere_says_where_it_was_looked_for(tmp_path) -> None:
    with pytest.raises(StoreLocked, match=r"no VAULT_TOKEN and no file .*\.vault-token") as caught:
        GivenToken(environ=home(tmp_path)).obtain()
    assert "bao login" in caught.value.hint


def test_a_file_that_others_may_read_is_refused(tmp_path) -> None:
    with pytest.raises(StoreUnavailable, match="open to other users"):
        GivenToken(environ=home(tmp_path, "s.canary", 0o644)).obtain()


@pytest.mark.parametrize("text", ["", "\n", "two canary words", "canary\nmore", "canaryä", "canary\0", "x" * 17_000])
def test_what_is_no_token_is_not_sent_and_not_shown(tmp_path, text) -> None:
    for environ in (home(tmp_path, text), {"VAULT_TOKEN": text or " "}):
        with pytest.raises((StoreLocked, StoreUnavailable)) as caught:
            GivenToken(environ=environ).obtain()
        assert "canary" not in str(caught.value)


def a_remote(simulator):
    return Remote(Url.parse("https://vault.example").replace(target=""), simulator.transport().send, "the vault")


@pytest.fixture
def simulator():
    return VaultSimulator()


@pytest.fixture
def secret_id(tmp_path):
    file = tmp_path / "secret-id"
    file.write_text("canary-secret-id\n")
    file.chmod(0o600)
    return file


def test_an_app_role_sends_its_two_ids(simulator, secret_id) -> None:
    simulator.approles["the-role"] = Role({"canary-secret-id"}, lifetime=60)
    grant = AppRole(a_remote(simulator), "the-role", str(secret_id)).obtain()
    assert grant.token in simulator.tokens
    assert (grant.lifetime, grant.renewable) == (60, True)
    assert [request.url.target for request in simulator.requests] == ["/v1/auth/approle/login"]


def test_it_can_be_mounted_elsewhere_in_a_namespace(simulator, secret_id) -> None:
    simulator.mounts["team", "secret"] = 2
    with pytest.raises(StoreLocked, match="refused the AppRole the-role at auth/ci/robots"):
        AppRole(a_remote(simulator), "the-role", str(secret_id), "ci/robots", "team").obtain()
    (request,) = simulator.requests
    assert request.url.target == "/v1/auth/ci/robots/login"
    assert request.header("x-vault-namespace") == "team"


def test_a_refusal_says_why_in_one_attempt_without_the_secret_id(simulator, secret_id) -> None:
    method = AppRole(a_remote(simulator), "the-role", str(secret_id))
    with pytest.raises(
        StoreLocked, match=r"refused the AppRole the-role at auth/approle \(status 400: invalid role or secret ID\)"
    ) as caught:
        method.obtain()
    assert str(secret_id) in caught.value.hint
    assert "canary" not in str(caught.value) + caught.value.hint.replace(str(secret_id), "")
    assert len(simulator.requests) == 1


def test_a_server_that_repeats_the_secret_id_is_not_quoted(secret_id) -> None:
    simulator = VaultSimulator()
    from registryauth.testing import answers

    simulator.handle = lambda request: answers.document(request, 400, {"errors": ["bad canary-secret-id here"]})
    with pytest.raises(StoreLocked, match=r"bad \*\*\* here") as caught:
        AppRole(a_remote(simulator), "r", str(secret_id)).obtain()
    assert "canary" not in str(caught.value)


def test_a_secret_id_that_others_may_read_is_refused(simulator, secret_id) -> None:
    secret_id.chmod(0o640)
    with pytest.raises(StoreUnavailable, match="open to other users"):
        AppRole(a_remote(simulator), "r", str(secret_id)).obtain()
    secret_id.unlink()
    with pytest.raises(StoreLocked, match="is missing"):
        AppRole(a_remote(simulator), "r", str(secret_id)).obtain()
    assert simulator.requests == []


@pytest.mark.parametrize(("role", "file", "key"), [("", "f", "vault.role"), ("r", "", "vault.secret_id_file")])
def test_an_app_role_needs_both_settings(simulator, role, file, key) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AppRole(a_remote(simulator), role, file)
    assert caught.value.key == key


def test_a_pod_sends_the_token_that_kubernetes_keeps_fresh(simulator, tmp_path) -> None:
    """Through a link, readable for all: so Kubernetes puts it there."""
    (tmp_path / "data").write_text("first")
    (tmp_path / "token").symlink_to(tmp_path / "data")
    simulator.pods["fleet"] = Role({"second"}, lifetime=60)
    method = Kubernetes(a_remote(simulator), "fleet", jwt_file=str(tmp_path / "token"))
    with pytest.raises(StoreLocked, match="refused this pod as the role fleet"):
        method.obtain()
    (tmp_path / "data").write_text("second")
    assert method.obtain().token in simulator.tokens


def test_outside_of_a_pod_that_is_said(simulator, tmp_path) -> None:
    with pytest.raises(StoreLocked, match=r"the pod's token .* cannot be read") as caught:
        Kubernetes(a_remote(simulator), "fleet", jwt_file=str(tmp_path / "none")).obtain()
    assert "is this a pod" in caught.value.hint
    with pytest.raises(ConfigurationError, match=r"vault\.role is not set"):
        Kubernetes(a_remote(simulator), "")


def test_a_sign_in_is_renewed_by_the_server(simulator, secret_id, clock) -> None:
    simulator._clock = clock
    simulator.approles["r"] = Role({"canary-secret-id"}, lifetime=60)
    login = Login(AppRole(a_remote(simulator), "r", str(secret_id)), clock)
    first = login()
    for _ in range(5):
        clock.now += 40
        assert login() == first
    assert [request.url.target for request in simulator.requests].count("/v1/auth/approle/login") == 1


def test_a_vault_that_is_away_is_unreachable_not_a_refusal(secret_id) -> None:
    def away(_):
        raise TransportError("nobody there", hint="h")

    remote = Remote(Url.parse("https://vault.example").replace(target=""), away, "the vault")
    with pytest.raises(Unreachable):
        AppRole(remote, "r", str(secret_id)).obtain()


@pytest.mark.parametrize("body", [{}, {"auth": None}, {"auth": {"client_token": ""}}, {"auth": {"client_token": "a b"}}])
def test_an_answer_without_a_token_is_none(secret_id, body) -> None:
    from registryauth.testing import answers

    simulator = VaultSimulator()
    simulator.handle = lambda request: answers.document(request, 200, body)
    with pytest.raises(StoreLocked):
        AppRole(a_remote(simulator), "r", str(secret_id)).obtain()
