"""Which of several records docker's helper answers with; the rule itself is tested in tests/stores/test_choice.py."""

from __future__ import annotations

import io
import json

import pytest

from registryauth.docker_helper import NAME, NOT_FOUND, run
from registryauth.reference import Address
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-5c1e"


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def keep(store):
    return lambda address, account, **said: store.put(Principal(Address.parse(address), account, (Slot(CANARY),), **said))


@pytest.fixture
def ask(store, tmp_path):
    """One request under the configuration *text*: status, standard output and error."""

    def ask(server, text="", action="get"):
        config = tmp_path / "config.toml"
        config.write_text(text)
        out, err = io.StringIO(), io.StringIO()
        environ = {"REGISTRYAUTH_CONFIG": str(config)}
        status = run([action], io.BytesIO(server.encode()), out, err, environ, store=store, clock=lambda: 1000.0)
        return status, out.getvalue().strip(), err.getvalue()

    return ask


def username(answer):
    return json.loads(answer[1])["Username"]


def test_several_accounts_without_a_default_are_an_error_and_not_absent(ask, keep):
    keep("host.example", "b")
    keep("host.example", "a")
    status, out, err = ask("host.example")
    assert status == 1
    assert out == "2 accounts are stored for host.example and none of them is the default: a, b"
    assert err.startswith(f"{NAME}: {out}; name one with --account, ")
    assert CANARY not in out + err


def test_the_account_that_the_configuration_names_is_the_one(ask, keep):
    keep("host.example", "b")
    keep("host.example", "a", preferred_at=1)
    rule = '[registries."host.example"]\naccount = "{}"\n'
    assert username(ask("host.example")) == "a"
    assert username(ask("https://host.example", rule.format("b"))) == "b"
    status, out, err = ask("host.example", rule.format("c"))
    assert (status, out) == (1, NOT_FOUND)
    assert "nothing of account c, which the configuration names for it, is stored for host.example" in err


def test_a_disabled_one_is_not_found_and_the_reason_is_told(ask, keep):
    keep("host.example", "me", disabled_at=1)
    status, out, err = ask("host.example")
    assert (status, out) == (1, NOT_FOUND)
    assert "me at host.example is disabled" in err
    assert ask("", action="list")[1] == "{}"


def test_beside_a_disabled_one_the_other_answers(ask, keep):
    keep("host.example", "off", disabled_at=1, preferred_at=9)
    keep("host.example", "on")
    assert username(ask("host.example")) == "on"
    assert json.loads(ask("", action="list")[1]) == {"host.example": "on"}
