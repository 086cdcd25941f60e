"""Whoever ran ``az login``, asked through a program of the same name."""

from __future__ import annotations

import json
import os
import time

import pytest

from registryauth.azure.azure_cli import AzureCli
from registryauth.azure.clouds import REGISTRY_SCOPE
from registryauth.errors import AzureError, ConfigurationError, NoIdentity, SourceFailed

ANSWER = {
    "accessToken": "eyJ.canary",
    "expires_on": 1_800_003_600,
    "expiresOn": "2027-01-15 09:00:00.000000",
    "subscription": "s-1",
    "tenant": "t-1",
}


def said(**changes):
    return json.dumps({key: value for key, value in (ANSWER | changes).items() if value is not None})


def test_it_is_asked_for_a_token_of_the_scope_and_tenant(az, tmp_path):
    environ = {"PATH": az(f"printf '%s ' \"$@\" > {tmp_path}/argv; env > {tmp_path}/env; cat <<'E'\n{said()}\nE")}
    environ |= {"AZURE_CONFIG_DIR": "/c", "REGISTRYAUTH_PASSPHRASE": "canary-p", "REGISTRYAUTH_PASSWORD": "canary-w"}
    cli = AzureCli(environ, "t-1", "s-9")
    token = cli.token(REGISTRY_SCOPE)
    assert (token.value, token.expires_at, cli.subscription) == ("eyJ.canary", 1_800_003_600, "s-1")
    argv = (tmp_path / "argv").read_text()
    assert argv == "account get-access-token --output json --scope https://containerregistry.azure.net/.default --tenant t-1 "
    child = (tmp_path / "env").read_text()
    assert "AZURE_CONFIG_DIR=/c" in child
    assert "canary" not in child


def test_a_subscription_is_named_where_no_tenant_is(az, tmp_path):
    AzureCli({"PATH": az(f"printf '%s ' \"$@\" > {tmp_path}/argv; cat <<'E'\n{said()}\nE")}, subscription="s-9").token(REGISTRY_SCOPE)
    assert (tmp_path / "argv").read_text().endswith("--subscription s-9 ")


def test_the_local_time_of_older_versions_is_understood(az, monkeypatch):
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        path = az(f"cat <<'E'\n{said(expires_on=None)}\nE")
        assert AzureCli({"PATH": path}).token(REGISTRY_SCOPE).expires_at == 1_800_003_600 - 7200
    finally:
        monkeypatch.undo()
        time.tzset()


def test_without_the_program_there_is_no_identity(tmp_path):
    for path in ("", str(tmp_path), "bin:."):
        with pytest.raises(NoIdentity, match="no Azure CLI"):
            AzureCli({"PATH": path}).token(REGISTRY_SCOPE)


@pytest.mark.parametrize(
    "complaint",
    ["ERROR: Please run 'az login' to setup account.", "ERROR: No subscription found. Run 'az account set' to select a subscription."],
)
def test_nobody_signed_in_is_no_identity(az, complaint):
    with pytest.raises(NoIdentity, match="nobody is signed in to the Azure CLI"):
        AzureCli({"PATH": az(f'echo "{complaint}" >&2; exit 1')}).token(REGISTRY_SCOPE)


@pytest.mark.parametrize(
    ("code", "words"), [("AADSTS700082", "has expired"), ("AADSTS50076", "second factor"), ("AADSTS500011", "no such audience")]
)
def test_what_entra_says_through_it_is_told_apart_and_not_repeated(az, code, words):
    complaint = f"ERROR: {code}: The refresh token canary-secret has expired. Trace ID: 1"
    with pytest.raises(AzureError, match=words) as caught:
        AzureCli({"PATH": az(f'echo "{complaint}" >&2; exit 1')}).token(REGISTRY_SCOPE)
    assert caught.value.code == code
    assert "canary" not in f"{caught.value!r}{caught.value.hint}"
    assert "AZURE_CONFIG_DIR" in caught.value.hint


def test_any_other_complaint_is_not_repeated(az):
    with pytest.raises(SourceFailed, match="ended with status 3") as caught:
        AzureCli({"PATH": az("echo canary >&2; echo canary; exit 3")}).token(REGISTRY_SCOPE)
    assert "canary" not in f"{caught.value!r}{caught.value.hint}"


@pytest.mark.parametrize("answer", ["", "canary", "[]", said(accessToken=None), said(accessToken="a b"), said(accessToken=5)])
def test_an_answer_that_is_none_is_not_quoted(az, answer):
    with pytest.raises(SourceFailed) as caught:
        AzureCli({"PATH": az(f"cat <<'E'\n{answer}\nE")}).token(REGISTRY_SCOPE)
    assert "canary" not in f"{caught.value!r}"


def test_a_program_that_hangs_is_ended(az, tmp_path):
    start = time.monotonic()
    with pytest.raises(SourceFailed, match="did not answer in time"):
        AzureCli({"PATH": az(f"echo $$ > {tmp_path}/pid; exec sleep 30")}, timeout=0.3).token(REGISTRY_SCOPE)
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_flood_on_either_stream_is_refused(az):
    for where in ("", ">&2"):
        with pytest.raises(SourceFailed, match="answered more than"):
            AzureCli({"PATH": az(f"yes canary {where}")}).token(REGISTRY_SCOPE)


@pytest.mark.parametrize("value", ["--help", "a b", "x;y", "-s"])
def test_nothing_becomes_an_option_of_another_kind(value):
    with pytest.raises(ConfigurationError):
        AzureCli({}, tenant=value)
    with pytest.raises(ConfigurationError):
        AzureCli({}, subscription=value)
