"""The kubelet's own code runs our provider, with the configuration that `setup kubelet` wrote (scripts/go-peers builds it).

It decodes strictly, with the types of k8s.io/kubelet, what we wrote and what we answer, and matches images by its own rules.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.real

CANARY = "canary-2d90"
PROVIDER = "registryauth-credential-provider"


@pytest.fixture
def kubelet(go_program, user, tmp_path):
    """``kubelet(image…)``: the logins that it would try for each; *environ* is added to the little that its service has."""
    path = go_program("kubelet-credentials")
    config, bin_dir = tmp_path / "credential-provider.yaml", tmp_path / "bin"
    bin_dir.mkdir()

    def kubelet(*images, check=True, **environ):
        user.environ, before = {"PATH": "/usr/bin:/bin", "HOME": "", **environ}, user.environ
        try:
            done = user.run(path, config, bin_dir, *images, check=check)
        finally:
            user.environ = before
        assert CANARY not in done.stderr
        logins = [json.loads(line)["logins"] for line in done.stdout.splitlines()]
        kubelet.said = done.stderr
        return dict(zip(images, logins, strict=True)) if check else done

    kubelet.config, kubelet.bin_dir = config, bin_dir
    return kubelet


@pytest.fixture
def setup(user, kubelet):
    return lambda *argv: user.registryauth("setup", "kubelet", "--config", kubelet.config, "--bin-dir", kubelet.bin_dir, *argv)


@pytest.fixture
def add(user):
    def add(address, account, secret=CANARY, *options):
        argv = ["principal", "add", address, "--client-id", account, "--secret-stdin", "--no-verify", *options]
        user.registryauth(*argv, stdin=secret)

    return add


def test_it_takes_our_file_and_our_answers(kubelet, setup, add):
    add("registry.example", "whole")
    add("other.example:5000/team", "team")
    add("*.example.com", "any", CANARY, "--wildcard")
    add("docker.io", "hub")
    setup()
    assert kubelet(
        "registry.example/a/b",
        "registry.example/v2/app",
        "other.example:5000/team/model",
        "other.example:5000/team",
        "other.example:5000/teammate/model",
        "other.example/team/model",
        "a.example.com/x",
        "a.b.example.com/x",
        "docker.io/library/ubuntu",
        "nowhere.example/x",
    ) == {
        "registry.example/a/b": [["whole", CANARY]],
        "registry.example/v2/app": [["whole", CANARY]],
        "other.example:5000/team/model": [["team", CANARY]],
        "other.example:5000/team": [["team", CANARY]],
        "other.example:5000/teammate/model": [],
        "other.example/team/model": [],
        "a.example.com/x": [["any", CANARY]],
        "a.b.example.com/x": [],
        "docker.io/library/ubuntu": [["hub", CANARY]],
        "nowhere.example/x": [],
    }


def test_a_wider_answer_is_never_kept_for_an_image_with_an_entry_of_its_own(kubelet, setup, add):
    add("registry.example", "whole")
    add("registry.example/team", "team")
    setup()
    images = ("registry.example/x", "registry.example/team/model", "registry.example/teammate", "registry.example/x")
    assert list(kubelet(*images).items()) == [
        ("registry.example/x", [["whole", CANARY]]),
        ("registry.example/team/model", [["team", CANARY]]),
        ("registry.example/teammate", [["whole", CANARY]]),
    ]


def test_an_answer_is_kept_and_one_that_ends_soon_is_not(kubelet, setup, add, user):
    add("registry.example", "me")
    soon = datetime.now(UTC) + timedelta(seconds=50)
    add("soon.example", "me", CANARY, "--expires", soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
    setup("--no-prove")
    log = user.home / ".local/state/registryauth/audit.log"

    def reads(host):
        return len(re.findall(rf'"read".*{re.escape(host)}', log.read_text()))

    before = reads("registry.example"), reads("soon.example")
    kubelet(*["registry.example/x"] * 3, check=False)
    kubelet(*["soon.example/x"] * 3, check=False)
    assert (reads("registry.example") - before[0], reads("soon.example") - before[1]) == (1, 3)


def test_other_providers_stay_and_are_asked_too(kubelet, setup, add):
    add("registry.example", "me")
    answer = {
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Image",
        "auth": {"registry.example/x": {"username": "theirs", "password": "p"}},
    }
    theirs = kubelet.bin_dir / "theirs"
    theirs.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    theirs.chmod(0o755)
    kubelet.config.write_text(
        "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n- name: theirs # first\n"
        "  matchImages: [registry.example]\n  defaultCacheDuration: 0s\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
    )
    before = kubelet.config.read_text()
    setup()
    assert kubelet("registry.example/x") == {"registry.example/x": [["theirs", "p"], ["me", CANARY]]}
    setup("--undo")
    assert kubelet.config.read_text() == before
    assert kubelet("registry.example/x") == {"registry.example/x": [["theirs", "p"]]}


def test_a_locked_store_is_its_error_with_our_reason(kubelet, setup, add, user):
    add("registry.example", "me")
    setup()
    (user.home / ".config/registryauth/store.key").unlink()
    assert kubelet("registry.example/x") == {"registry.example/x": []}
    assert f"{PROVIDER}: the key file" in kubelet.said


def test_pods_with_an_account_send_its_token_and_annotations(kubelet, setup, add):
    add("registry.example", "of the node")
    setup("registry.example", "*.azurecr.io", "--service-accounts")
    annotations = {"kubernetes.azure.com/acr-client-id": "app", "kubernetes.azure.com/acr-tenant-id": "a/b"}
    pod = {"SERVICE_ACCOUNT_TOKEN": f"e30.e30.{CANARY}", "SERVICE_ACCOUNT_ANNOTATIONS": json.dumps(annotations)}
    images = ("registry.example/x", "myregistry.azurecr.io/x")
    assert kubelet(*images, **pod) == {"registry.example/x": [["of the node", CANARY]], "myregistry.azurecr.io/x": []}
    # What is no tenant is refused before anything is sent; that the word arrived shows that the annotation did.
    assert "annotation kubernetes.azure.com/acr-tenant-id 'a/b' is none" in kubelet.said


def test_what_it_refuses_at_its_start_is_what_undo_warns_of(kubelet, setup, add):
    add("registry.example", "me")
    setup()
    done = setup("--undo")
    assert "the kubelet refuses such a file" in done.stderr
    assert kubelet("registry.example/x", check=False).returncode == 1


def test_its_program_is_the_one_that_was_linked(kubelet, setup, add):
    add("registry.example", "me")
    setup()
    assert os.path.islink(kubelet.bin_dir / PROVIDER)
