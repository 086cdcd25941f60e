"""What `resolve` says of secrets that die soon."""

from __future__ import annotations

import base64
import json
import time

import pytest

from .conftest import CANARY

DAY = 86400


@pytest.fixture
def expiring(keep):
    """A record whose secret has this many seconds left."""

    def expiring(left, address="registry.example", account="me"):
        at = int(time.time() + left)
        keep(address, account, dates={"expires_at": at})
        return time.strftime("%Y-%m-%d", time.gmtime(at))

    return expiring


def test_a_secret_that_dies_soon_is_warned_about_on_stderr_alone(cli, expiring):
    date = expiring(5 * DAY)
    done = cli("resolve", "registry.example/team/model:v1", "--format", "env")
    assert done.status == 0
    assert f"warning: the secret of me for registry.example expires in 5 days ({date})\n" in done.err
    assert "warning" not in done.out
    assert CANARY not in done.err


def test_several_images_of_one_registry_are_one_warning(cli, expiring):
    expiring(5 * DAY)
    done = cli("resolve", "registry.example/a", "registry.example/b")
    assert done.err.count("warning: ") == 1


def test_what_has_time_left_is_not_mentioned_and_the_span_is_configured(cli, expiring, monkeypatch):
    expiring(20 * DAY)
    assert "warning" not in cli("resolve", "registry.example/a").err
    monkeypatch.setenv("REGISTRYAUTH_RESOLVER_EXPIRY_WARNING", "30d")
    assert "expires in 20 days" in cli("resolve", "registry.example/a").err


def test_an_empty_span_warns_never(cli, expiring, home):
    expiring(-DAY)
    config = home / ".config" / "registryauth" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[resolver]\nexpiry_warning = ""\n')
    assert "warning" not in cli("resolve", "registry.example/a").err


@pytest.mark.parametrize("option", [(), ("--explain",), ("--output", "json")])
def test_an_expired_one_is_given_with_a_warning_and_refused_with_status_7_where_that_is_wished(cli, expiring, option):
    date = expiring(-3 * DAY)
    done = cli("resolve", "registry.example/a", *option)
    assert done.status == 0
    assert f"the secret of me for registry.example expired 3 days ago ({date})" in done.err
    done = cli("resolve", "registry.example/a", "--fail-if-expired", *option)
    assert done.status == 7
    assert f"error: the secret of me for registry.example expired 3 days ago ({date})" in done.err
    assert "hint: register a new one: registryauth principal rotate registry.example --account me, or " in done.err


def test_an_expired_secret_is_not_exported_where_that_is_not_wished(cli, expiring, tmp_path):
    expiring(-DAY)
    target = tmp_path / "config.json"
    done = cli("resolve", "registry.example/a", "--fail-if-expired", "--format", "docker-config", "--output-file", target)
    assert (done.status, done.out, target.exists()) == (7, "", False)


def test_one_that_is_good_passes(cli, expiring):
    expiring(5 * DAY)
    assert cli("resolve", "registry.example/a", "--fail-if-expired").status == 0


# -- tokens that say when they die --


def _token(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


@pytest.mark.parametrize(
    ("claims", "expires_at"),
    [
        ({"exp": 4_000_000_000}, 4_000_000_000),
        ({"exp": 4_000_000_000.5}, 4_000_000_000),
        ({"exp": 0}, 0),
        ({"exp": -5}, 0),
        ({"exp": 253_402_300_800}, 0),
        ({"exp": 1e300}, 0),
        ({"exp": "4000000000"}, 0),
        ({"exp": True}, 0),
        ({}, 0),
    ],
)
def test_a_token_s_own_date_is_kept_where_nobody_said_one(cli, kept, claims, expires_at):
    token = _token(**claims)
    done = cli("login", "registry.example", "--identity-token-stdin", "--no-verify", stdin=token)
    assert done.status == 0, done.err
    assert kept()[0].slots[0].expires_at == expires_at
    assert cli("principal", "list").status == 0
    assert token not in done.out + done.err


def test_a_date_that_was_said_is_believed_before_the_token_s(cli, kept):
    stdin = _token(exp=4_000_000_000)
    done = cli("login", "registry.example", "--identity-token-stdin", "--no-verify", "--expires", "2099-01-01", stdin=stdin)
    assert done.status == 0, done.err
    assert kept()[0].slots[0].expires_at == 4070908800


@pytest.mark.parametrize("secret", ["a.b.c", "no dots", "..", "eyJ.eyJ.eyJ", "a.bnVsbA.c", "a.W10.c", "ä.ö.ü"])
def test_a_password_that_only_looks_like_one_has_no_date(cli, kept, secret):
    assert cli("login", "registry.example", "-u", "me", "--password-stdin", "--no-verify", stdin=secret).status == 0
    assert kept()[0].slots[0].expires_at == 0
