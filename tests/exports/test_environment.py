from __future__ import annotations

import subprocess
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registryauth.credentials import Anonymous, Basic, IdentityToken, RegistryToken
from registryauth.errors import CredentialError
from registryauth.exports import FORMATS
from registryauth.exports.environment import export
from registryauth.reference import Repository
from registryauth.resolver.environment import Environment

CANARY = "canary-7f3a"
_PRINT = 'eval "$(cat)"; printf "%s\\0" "$REGISTRYAUTH_REGISTRY" "$REGISTRYAUTH_USERNAME" "$REGISTRYAUTH_PASSWORD"'


def evaluated(document, **environ):
    """What a shell has in the three variables after it evaluated *document*."""
    environ = {"PATH": "/usr/bin:/bin", **environ}
    result = subprocess.run(
        ["sh", "-uc" if document.secret else "-c", _PRINT], input=document.text.encode(), env=environ, capture_output=True
    )
    assert result.stderr == b""
    names = ("REGISTRYAUTH_REGISTRY", "REGISTRYAUTH_USERNAME", "REGISTRYAUTH_PASSWORD")
    return dict(zip(names, result.stdout.decode().split("\0"), strict=False))


def test_it_is_what_env_names():
    assert FORMATS["env"].export is export


def test_the_lines_are_quoted_for_a_shell(secret):
    document = export([secret("host.example:5000/a", Basic("robot$me", "p'w $(id)"))])
    assert document.text.splitlines()[:2] == ["export REGISTRYAUTH_REGISTRY=host.example:5000", "export REGISTRYAUTH_USERNAME='robot$me'"]
    assert document.secret
    assert "p'w" not in repr(document)


visible = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=("Cs",)), min_size=1, max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.one_of(st.builds(Basic, visible, visible), st.builds(IdentityToken, visible)))
def test_what_a_shell_evaluates_is_what_our_own_source_reads(secret, credential):
    environ = evaluated(export([secret("host.example/a", credential)]))
    assert Environment(environ).ask(Repository.parse("host.example/a")).fetch().credential == credential


def test_where_no_credential_is_needed_an_earlier_one_is_unset(secret):
    document = export([secret("mcr.microsoft.com/a", Anonymous())])
    assert not document.secret
    assert set(evaluated(document, REGISTRYAUTH_PASSWORD=CANARY).values()) == {""}


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        (Basic("me", f"{CANARY}\n"), "REGISTRYAUTH_PASSWORD has a line break"),
        (Basic("me", f"{CANARY}\r"), "REGISTRYAUTH_PASSWORD has a line break"),
        (Basic("me", f"{CANARY}\0"), "or NUL"),
        (Basic(f"me\n{CANARY}", "x"), "REGISTRYAUTH_USERNAME has a line break"),
        (Basic("me", ""), "REGISTRYAUTH_PASSWORD has nothing in it"),
        (RegistryToken(CANARY), "registry token"),
    ],
)
def test_what_the_variables_cannot_hold_is_refused_and_not_shown(secret, credential, words):
    with pytest.raises(CredentialError, match=words) as caught:
        export([secret("host.example/a", credential)])
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_environment_holds_one_secret(secret):
    one = secret("host.example/a", Basic("me", "x"))
    for several in ([], [one, one]):
        with pytest.raises(CredentialError, match="one pull secret"):
            export(several)
