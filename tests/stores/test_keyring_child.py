from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from keyring.backends import SecretService
from keyring.errors import InitError, KeyringLocked

from registryauth.stores.keyring_child import answer
from registryauth.stores.keyring_key import BACKENDS

SECRET_SERVICE = BACKENDS["linux"][0]


def question(verb: str, secret: str = "") -> dict[str, str]:
    return {"verb": verb, "backend": SECRET_SERVICE, "service": "registryauth", "user": "u", "secret": secret}


@pytest.fixture
def kept(monkeypatch) -> dict[tuple[str, str], str]:
    """The content of the keyring that stands in the Secret Service's place."""
    content: dict[tuple[str, str], str] = {}

    class Keyring:
        def get_password(self, service, user):
            return content.get((service, user))

        def set_password(self, service, user, secret):
            content[service, user] = secret

        def delete_password(self, service, user):
            del content[service, user]

    monkeypatch.setattr(SecretService, "Keyring", Keyring)
    return content


def test_what_is_set_is_got(kept):
    assert answer(question("get")) == {"secret": None}
    assert answer(question("set", "s")) == {"secret": None}
    assert answer(question("get")) == {"secret": "s"}


def test_a_probe_leaves_nothing(kept):
    assert answer(question("probe", "s")) == {"secret": None}
    assert kept == {}


def test_a_keyring_that_forgets_is_no_keyring(kept, monkeypatch):
    monkeypatch.setattr(SecretService.Keyring, "set_password", lambda *_: None)
    assert answer(question("set", "s")) == {"error": "unavailable", "detail": "it does not give back what was written"}


@pytest.mark.parametrize(("error", "kind"), [
    (KeyringLocked("Failed to unlock the collection!"), "locked"),
    (InitError("Failed to create the collection: Prompt dismissed.."), "locked"),
    (InitError("Failed to create the collection: no service"), "unavailable"),
    (RuntimeError("anything"), "unavailable"),
    (EOFError(), "unavailable"),
])  # fmt: skip
def test_failures_are_told_apart(kept, monkeypatch, error, kind):
    def failing(*_):
        raise error

    monkeypatch.setattr(SecretService.Keyring, "get_password", failing)
    found = answer(question("get"))
    assert found["error"] == kind
    assert type(error).__name__ in found["detail"]


def test_the_key_is_cut_out_of_a_failure(kept, monkeypatch):
    def failing(_self, _service, _user, secret):
        raise RuntimeError(f"cannot write {secret}")

    monkeypatch.setattr(SecretService.Keyring, "set_password", failing)
    assert answer(question("set", "hush")) == {"error": "unavailable", "detail": "RuntimeError: cannot write …"}


def test_the_child_itself_refuses_what_is_not_allowed():
    assert "refused" in answer(question("get") | {"backend": "keyring.backends.null.Keyring"})["detail"]


def test_as_a_process_it_answers_in_json():
    done = subprocess.run(
        [sys.executable, "-P", "-m", "registryauth.stores.keyring_child"],
        input=json.dumps(question("get")), capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"},
    )  # fmt: skip
    assert json.loads(done.stdout)["error"] == "unavailable"
