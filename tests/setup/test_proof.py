from __future__ import annotations

import json

import pytest

from registryauth.errors import SourceFailed
from registryauth.reference import Address
from registryauth.setup.clients import CLIENTS
from registryauth.setup.program import HELPER, PROVIDER
from registryauth.setup.proof import prove, prove_provider
from registryauth.stores import Principal, Slot

CANARY = "canary-0b7e"
ANSWER = json.dumps({"ServerURL": "host.example", "Username": "me", "Secret": CANARY})


@pytest.fixture
def program(tmp_path):
    """``program(name, script)``: a program on PATH; gives its path."""
    (tmp_path / "bin").mkdir(exist_ok=True)

    def program(name, script):
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return program


@pytest.fixture
def environ(tmp_path):
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "OURS": "too"}


def test_our_helper_is_asked_as_the_client_asks_it(program, environ):
    program(HELPER, f"read server; [ \"$1$server$OURS\" = gethost.exampletoo ] && echo '{ANSWER}'")
    assert prove(CLIENTS["docker"], "host.example", "me", environ) == [f"{HELPER} answers for host.example as me."]


def test_of_an_identity_token_the_client_has_nobodys_name_to_tell(program, environ):
    program(HELPER, 'echo \'{"Username": "<token>", "Secret": "x"}\'')
    program("podman", "exit 125")
    assert prove(CLIENTS["podman"], "host.example", "sp", environ) == [f"{HELPER} answers for host.example as sp."]


def test_a_client_that_tells_whose_login_it_has_is_asked_too(program, environ):
    program(HELPER, f"echo '{ANSWER}'")
    program("podman", '[ "$*" = "login --get-login host.example" ] && echo me')
    said = prove(CLIENTS["podman"], "host.example", "me", environ)
    assert said[1:] == ["podman login --get-login host.example says me."]
    assert len(prove(CLIENTS["skopeo"], "host.example", "me", environ | {"PATH": environ["PATH"].partition(":")[0]})) == 1


def test_without_a_helper_there_is_nothing_to_prove():
    assert prove(CLIENTS["docker"], "host.example", "me", {"PATH": "/nowhere"}) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"echo '{HELPER}: the store is locked; unlock it' >&2; echo locked; exit 1", "the store is locked; unlock it"),
        ("exit 1", "it does not say why"),
        (f"echo '{ANSWER}' | sed s/me/other/", "answers for host.example as"),
        (f"echo 'no JSON {CANARY}'", "is not JSON"),
        ("head -c 300000 /dev/zero", "answered more than"),
    ],
)
def test_another_answer_is_a_failure_that_shows_no_secret(program, environ, script, said):
    program(HELPER, script)
    with pytest.raises(SourceFailed, match=said) as caught:
        prove(CLIENTS["docker"], "host.example", "me", environ)
    assert CANARY not in str(caught.value) + caught.value.hint
    assert caught.value.hint


@pytest.mark.parametrize(("script", "said"), [(f"echo {CANARY} >&2; exit 125", "finds no login"), ("echo you", "as you, and me is stored")])
def test_a_client_that_reads_another_file_is_noticed(program, environ, script, said):
    program(HELPER, f"echo '{ANSWER}'")
    program("podman", script)
    with pytest.raises(SourceFailed, match=said) as caught:
        prove(CLIENTS["podman"], "host.example", "me", environ)
    assert CANARY not in str(caught.value) + caught.value.hint


class TestProvider:
    RECORD = Principal(Address.parse("*.example.com/team", wildcard=True), "me", (Slot(CANARY),))

    def answer(self, auth):
        return json.dumps({"auth": auth})

    def test_it_is_asked_with_the_kubelets_environment_for_an_image_below_the_record(self, program):
        image = "any.example.com/team/any"
        auth = self.answer({image: {"username": "me", "password": CANARY}})
        path = program(PROVIDER, f'read line; case $line in *\'"{image}"\'*) [ -z "$HOME" ] && [ "$X" = y ] && echo \'{auth}\';; esac')
        assert prove_provider(path, self.RECORD, {"X": "y"}) == [f"{PROVIDER}, run as the kubelet will run it, answers for {image}."]

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            (f"echo '{PROVIDER}: the key file is gone; restore it' >&2; exit 1", "the key file is gone; restore it"),
            ("echo '{\"auth\": null}'; echo nothing is stored >&2", "nothing is stored"),
            (f"echo {CANARY}", "is not JSON"),
        ],
    )
    def test_no_answer_is_a_failure_with_the_reason(self, program, script, said):
        with pytest.raises(SourceFailed, match=said) as caught:
            prove_provider(program(PROVIDER, script), self.RECORD, {})
        assert CANARY not in str(caught.value)
