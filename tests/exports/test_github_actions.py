from __future__ import annotations

import base64
import re
import subprocess

import pytest

from registryauth.credentials import Anonymous, Basic
from registryauth.exports import export

from .conftest import AWKWARD


@pytest.fixture
def step(tmp_path):
    """Run a document as the step does: what it printed, and the outputs that the runner then reads."""

    def step(document, environ=()):
        output = tmp_path / "output"
        output.write_text("earlier=1\n")
        environ = {"PATH": "/usr/bin:/bin", "GITHUB_OUTPUT": str(output)} | dict(environ)
        done = subprocess.run(["sh", "-euc", 'eval "$(cat)"'], input=document.text.encode(), env=environ, capture_output=True)
        outputs = dict(line.split("=", 1) for line in output.read_text().split("\n")[:-1])
        return done.returncode, done.stdout.decode(), done.stderr.decode(), outputs

    return step


def masked(printed):
    """What the runner blots out from here on: it undoes the escapes of a command's value."""
    found = re.findall(r"^::add-mask::(.*)$", printed, re.MULTILINE)
    return [text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%") for text in found]


@pytest.mark.parametrize("password", AWKWARD)
def test_the_outputs_are_those_of_the_secret_and_the_password_is_masked_in_both_its_forms(secret, step, password):
    status, printed, said, outputs = step(export([secret("host.example/a", Basic("me", password))], "github-actions"))
    assert (status, said) == (0, "")
    assert outputs == {"earlier": "1", "registry": "host.example", "username": "me", "password": password}
    assert masked(printed) == [password, base64.b64encode(f"me:{password}".encode()).decode()]


def test_the_mask_comes_before_anything_else(secret):
    lines = export([secret("host.example/a", Basic("me", "x"))], "github-actions").text.splitlines()
    assert ["add-mask" in line for line in lines] == [True, True, False]


def test_outside_of_a_step_it_fails_and_writes_nothing(secret, step):
    status, _, said, _ = step(export([secret("host.example/a", Basic("me", "canary"))], "github-actions"), {"GITHUB_OUTPUT": ""})
    assert status != 0
    assert "is set by GitHub Actions" in said
    assert "canary" not in said


def test_a_public_image_sets_no_output_and_says_so(secret, step):
    status, printed, _, outputs = step(export([secret("mcr.microsoft.com/a", Anonymous())], "github-actions"))
    assert (status, printed, outputs) == (0, "no pull secret is needed for mcr.microsoft.com\n", {"earlier": "1"})
