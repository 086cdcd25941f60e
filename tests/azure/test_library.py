"""The adapter over `azure-identity`, held against a stand-in of the same shape, and against itself where it is installed."""

from __future__ import annotations

import logging
import sys
from types import ModuleType, SimpleNamespace

import pytest

from registryauth.azure import library
from registryauth.azure.clouds import CHINA, REGISTRY_SCOPE
from registryauth.azure.library import Library
from registryauth.errors import AzureError, NoIdentity, TransportError


@pytest.fixture
def theirs(monkeypatch):
    """The library's names; what a credential does is `act`, and how it was made is in `made`."""
    made = []

    class TheirError(Exception):
        def __init__(self, message=""):
            super().__init__(message)
            self.message = message

    class ClientAuthenticationError(TheirError):
        pass

    class CredentialUnavailableError(ClientAuthenticationError):
        pass

    class ServiceRequestError(TheirError):
        pass

    class ServiceResponseError(TheirError):
        pass

    def credential(name):
        def make(**said):
            made.append((name, said))
            return SimpleNamespace(get_token=lambda scope: names.act(scope, said))

        return make

    names = SimpleNamespace(made=made, act=lambda scope, said: SimpleNamespace(token="from-the-library", expires_on=1_900_000_000))
    errors = {
        "AzureError": TheirError,
        "ClientAuthenticationError": ClientAuthenticationError,
        "ServiceRequestError": ServiceRequestError,
        "ServiceResponseError": ServiceResponseError,
    }
    names.__dict__.update(errors, CredentialUnavailableError=CredentialUnavailableError)
    identity = {name: credential(name) for name in ("DefaultAzureCredential", "DeviceCodeCredential")}
    modules = {"azure": {}, "azure.core": {}, "azure.core.exceptions": errors}
    modules["azure.identity"] = identity | {"CredentialUnavailableError": CredentialUnavailableError}
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(library, "is_installed", lambda: True)
    return names


def test_a_device_code_is_shown_to_the_person(theirs):
    told = []

    def act(scope, said):
        said["prompt_callback"]("https://microsoft.com/devicelogin", "AB\x1b[31mC", None)
        return SimpleNamespace(token="t", expires_on=1_900_000_000)

    theirs.act = act
    made = Library("device-code", CHINA, "t-1", "c-1", tell=told.append)
    token = made.token(REGISTRY_SCOPE)
    assert (token.value, token.expires_at) == ("t", 1_900_000_000.0)
    assert told == ["To sign in, open https://microsoft.com/devicelogin and enter the code AB [31mC"]
    ((name, said),) = theirs.made
    assert (name, said["authority"], said["tenant_id"], said["client_id"]) == (
        "DeviceCodeCredential", "https://login.chinacloudapi.cn", "t-1", "c-1",
    )  # fmt: skip


def test_its_own_chain_leaves_out_what_was_asked_before(theirs):
    made = Library("azure-identity", CHINA)
    made.token(REGISTRY_SCOPE)
    made.token(REGISTRY_SCOPE)
    ((name, said),) = theirs.made
    assert name == "DefaultAzureCredential"
    assert {key for key, value in said.items() if value is True} == {
        "exclude_environment_credential", "exclude_workload_identity_credential", "exclude_cli_credential",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ("CredentialUnavailableError", NoIdentity, "has nobody to sign in as"),
        ("ServiceRequestError", TransportError, "cannot reach https://login.chinacloudapi.cn"),
        ("ServiceResponseError", TransportError, "cannot reach"),
        ("ClientAuthenticationError", NoIdentity, "has nobody to sign in as"),
    ],
)
def test_its_errors_are_ours_and_repeat_nothing(theirs, error, kind, words):
    def act(scope, said):
        raise getattr(theirs, error)("the whole answer, canary included")

    theirs.act = act
    with pytest.raises(kind, match=words) as caught:
        Library("azure-identity", CHINA).token(REGISTRY_SCOPE)
    assert "canary" not in f"{caught.value!r}{caught.value.hint}"
    assert caught.value.__context__ is None


def test_a_device_code_that_came_to_nothing(theirs):
    def act(scope, said):
        raise theirs.ClientAuthenticationError("canary: timed out")

    theirs.act = act
    with pytest.raises(AzureError, match="gave no token for a person's sign-in") as caught:
        Library("device-code", CHINA).token(REGISTRY_SCOPE)
    assert (type(caught.value), caught.value.exit_code) == (AzureError, 4)


def test_its_warnings_are_not_printed_for_want_of_a_listener(theirs, capsys):
    Library("device-code", CHINA).token(REGISTRY_SCOPE)
    logging.getLogger("azure.identity").warning("all that Entra answered, canary")
    assert "canary" not in capsys.readouterr().err


def test_a_refusal_of_entras_is_told_apart(theirs):
    def act(scope, said):
        raise theirs.ClientAuthenticationError("Authentication failed: AADSTS700082: The refresh token canary. Trace ID: x")

    theirs.act = act
    with pytest.raises(AzureError, match="has expired, unused for too long") as caught:
        Library("device-code", CHINA).token(REGISTRY_SCOPE)
    assert caught.value.code == "AADSTS700082"
