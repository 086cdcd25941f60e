"""Image builds: the context goes up, a run comes and goes by the clock, its log grows."""

from __future__ import annotations

import io
import tarfile

import pytest

from registryauth.testing.azure import AzureSimulator, Build
from registryauth.testing.file_systems import add_base_image

from .asking import basic

TASKS, PREVIEW = "2019-04-01", "2025-03-01-preview"


@pytest.fixture
def builder(azure, app, registry):
    azure.assign(app, "Contributor", registry)
    return app


def archive(**files):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, content in files.items():
            described = tarfile.TarInfo(name)
            described.size = len(content)
            tar.addfile(described, io.BytesIO(content))
    return held.getvalue()


def upload(ask, builder, registry, context):
    """The context in its place; what ``scheduleRun`` calls it."""
    place = ask.arm(builder, "POST", f"{registry.id}/listBuildSourceUploadUrl", TASKS).json
    assert ask("PUT", place["uploadUrl"], context, x_ms_blob_type="BlockBlob").status == 201
    return place["relativePath"]


def schedule(ask, builder, registry, dockerfile=b"FROM mcr.microsoft.com/azureml/base\nRUN true\n", version=TASKS, **changes):
    source = upload(ask, builder, registry, archive(Dockerfile=dockerfile))
    wanted = {
        "type": "DockerBuildRequest", "imageNames": ["myimage:v1"], "isPushEnabled": True, "dockerFilePath": "Dockerfile",
        "sourceLocation": source, "platform": {"os": "Linux", "architecture": "amd64"},
    }  # fmt: skip
    return ask.arm(builder, "POST", f"{registry.id}/scheduleRun", version, wanted | changes)


def status(ask, builder, run):
    return ask.arm(builder, "GET", run["id"], TASKS).json["properties"]


def log(ask, builder, run):
    return ask.arm(builder, "POST", f"{run['id']}/listLogSasUrl", TASKS).json["logLink"]


def test_a_build_pushes_its_image_and_says_its_digest(ask, registry, builder):
    answer = schedule(ask, builder, registry)
    run = answer.json
    assert (answer.status, run["type"], run["name"]) == (200, "Microsoft.ContainerRegistry/registries/runs", run["properties"]["runId"])
    properties = status(ask, builder, run)
    (image,) = properties["outputImages"]
    assert (properties["status"], properties["provisioningState"], properties["runErrorMessage"]) == ("Succeeded", "Succeeded", None)
    assert image == {
        "registry": "myregistry.azurecr.io", "repository": "myimage", "tag": "v1",
        "digest": str(registry.images.shelf.tags["myimage"]["v1"]),
    }  # fmt: skip
    text = ask("GET", log(ask, builder, run)).body.decode()
    assert "Step 1/2 : FROM mcr.microsoft.com/azureml/base" in text
    assert text.endswith(f"Run ID: {run['name']} was successful after 0s\r\n")


def test_a_run_waits_works_and_ends_by_the_clock(ask, registry, builder, clock):
    registry.build = Build(queued=10, duration=30)
    run = schedule(ask, builder, registry).json
    seen = []
    for _ in range(5):
        properties = status(ask, builder, run)
        seen.append((properties["status"], "finishTime" in properties, bool(properties["outputImages"])))
        clock.now += 10
    assert seen == [("Queued", False, False), *[("Running", False, False)] * 3, ("Succeeded", True, True)]


def test_a_log_grows_and_its_metadata_says_when_it_is_complete(ask, registry, builder, clock):
    registry.build = Build(duration=40, log=("one", "two", "three", "four"))
    run = schedule(ask, builder, registry).json
    link = log(ask, builder, run)
    assert ask("GET", link).body == b""
    assert ask("GET", link, range="bytes=0-").status == 416
    clock.now += 20
    first = ask("GET", link, x_ms_range="bytes=0-1023")
    assert (first.status, first.body, first.headers.get("content-range")) == (206, b"one\r\ntwo\r\n", "bytes 0-9/10")
    assert ask("GET", link, range="bytes=10-").status == 416
    head = ask("HEAD", link)
    assert (head.status, head.headers.get("content-length"), "x-ms-meta-complete" in head.headers) == (200, "10", False)
    clock.now += 20
    rest = ask("GET", link, range="bytes=10-")
    assert rest.body.startswith(b"three\r\nfour\r\nRun ID:")
    assert rest.headers.get("x-ms-meta-complete") == "succeeded"
    assert rest.headers.get("x-ms-blob-type") == "AppendBlob"


@pytest.mark.parametrize(
    ("ended", "word"), [("Failed", "failed"), ("Error", "internalerror"), ("Timeout", "timedout"), ("Succeeded", "succeeded")]
)
def test_a_run_ends_as_it_was_told_to(ask, registry, builder, ended, word):
    registry.build = Build(status=ended, error="" if ended == "Succeeded" else "it broke")
    run = schedule(ask, builder, registry).json
    assert (status(ask, builder, run)["status"], status(ask, builder, run)["runErrorMessage"]) == (ended, registry.build.error or None)
    assert ask("HEAD", log(ask, builder, run)).headers.get("x-ms-meta-complete") == word
    assert ("myimage" in registry.images.shelf.tags) is (ended == "Succeeded")


def test_a_log_may_never_be_complete(ask, registry, builder):
    registry.build = Build(complete=False)
    assert "x-ms-meta-complete" not in ask("HEAD", log(ask, builder, schedule(ask, builder, registry).json)).headers


def test_a_run_can_be_canceled(ask, registry, builder, clock):
    registry.build = Build(duration=100)
    run = schedule(ask, builder, registry).json
    clock.now += 10
    assert ask.arm(builder, "POST", f"{run['id']}/cancel", TASKS).status == 200
    clock.now += 200
    assert status(ask, builder, run)["status"] == "Canceled"
    assert ask("HEAD", log(ask, builder, run)).headers.get("x-ms-meta-complete") == "canceled"
    assert "myimage" not in registry.images.shelf.tags


def test_nothing_is_pushed_that_is_not_to_be(ask, registry, builder):
    run = schedule(ask, builder, registry, isPushEnabled=False).json
    assert (status(ask, builder, run)["status"], status(ask, builder, run)["outputImages"]) == ("Succeeded", None)
    assert "myimage" not in registry.images.shelf.tags


def test_a_build_may_push_an_image_that_has_files_in_it(ask, registry, builder):
    registry.build = Build(image=add_base_image)
    run = schedule(ask, builder, registry, imageNames=["team/base:v1"]).json
    (image,) = status(ask, builder, run)["outputImages"]
    expected = AzureSimulator().registry("other").images
    assert image["digest"] == str(add_base_image(expected, "team/base", "v1"))
    assert [*registry.images.shelf.tags["team/base"]] == ["v1"]


def test_an_image_is_there_for_pulling_as_soon_as_the_run_is_over(ask, registry, builder, clock):
    registry.build = Build(duration=5)
    schedule(ask, builder, registry)
    clock.now += 5
    login = basic(builder.app_id, builder.add_secret().value)
    assert ask("GET", "https://myregistry.azurecr.io/v2/myimage/manifests/v1", authorization=login).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dockerFilePath": "Other"}, "lstat Other: no such file"),
        ({"sourceLocation": "source/none.tar.gz"}, "source/none.tar.gz does not exist"),
    ],
)
def test_what_is_not_in_the_context_fails_the_run(ask, registry, builder, changes, error):
    run = schedule(ask, builder, registry, **changes).json
    properties = status(ask, builder, run)
    assert properties["status"] == "Failed"
    assert error in properties["runErrorMessage"]
    assert error in ask("GET", log(ask, builder, run)).body.decode()


@pytest.mark.parametrize("context", [b"no tar", b"", b"\x1f\x8b\x08broken"])
def test_a_context_that_is_no_gzipped_tar_fails_the_run(ask, registry, builder, context):
    source = upload(ask, builder, registry, context)
    run = schedule(ask, builder, registry, sourceLocation=source).json
    assert "no gzipped tar" in status(ask, builder, run)["runErrorMessage"]


def test_a_base_image_in_another_registry_needs_a_credential_for_it(azure, ask, registry, builder):
    other = azure.registry("base", admin=True)
    dockerfile = b"FROM --platform=linux/amd64 base.azurecr.io/os:1\n"
    refused = status(ask, builder, schedule(ask, builder, registry, dockerfile).json)
    assert refused["runErrorMessage"] == "failed to pull base.azurecr.io/os:1: unauthorized: authentication required"
    given = {
        "userName": {"type": "Opaque", "value": "base"}, "password": {"type": "Opaque", "value": other.admin_passwords["password"]}
    }  # fmt: skip
    credentials = {"customRegistries": {"base.azurecr.io": given}}
    assert status(ask, builder, schedule(ask, builder, registry, dockerfile, credentials=credentials).json)["status"] == "Succeeded"
    other.anonymous_pull = True
    assert status(ask, builder, schedule(ask, builder, registry, dockerfile).json)["status"] == "Succeeded"


def test_a_build_in_an_abac_registry_needs_its_callers_identity_and_rights(azure, ask, registry, builder):
    registry.mode = "abac"
    assert "denied" in status(ask, builder, schedule(ask, builder, registry).json)["runErrorMessage"]
    caller = {"sourceRegistry": {"loginMode": "Default", "identity": "[caller]"}}
    asked = [({"version": PREVIEW}, "Failed"), ({"version": PREVIEW}, "Succeeded"), ({}, "Failed")]
    for said, ended in asked:
        run = schedule(ask, builder, registry, credentials=caller, **said).json
        assert status(ask, builder, run)["status"] == ended
        azure.assign(builder, "Container Registry Repository Writer", registry)


def test_a_firewall_keeps_the_builds_agent_out_but_not_that_of_a_pool(ask, registry, builder):
    registry.firewall = ("192.0.2.1",)
    assert "is not allowed access" in status(ask, builder, schedule(ask, builder, registry).json)["runErrorMessage"]
    ended = [status(ask, builder, schedule(ask, builder, registry, version=one, agentPoolName="pool").json) for one in (TASKS, PREVIEW)]
    assert [one["status"] for one in ended] == ["Failed", "Succeeded"], "the stable version knows no pools"
    assert [one["agentPoolName"] for one in ended] == [None, "pool"]


def test_a_source_elsewhere_is_taken_on_trust(ask, registry, builder):
    run = schedule(ask, builder, registry, sourceLocation="https://github.com/o/r.git#main:folder").json
    assert status(ask, builder, run)["status"] == "Succeeded"


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "FileTaskRunRequest"},
        {"platform": None},
        {"sourceLocation": ""},
        {"dockerFilePath": ""},
        {"timeout": 299},
        {"imageNames": ["MyImage:v1"]},
    ],
)
def test_a_request_that_lacks_something_is_refused(ask, registry, builder, changes):
    assert schedule(ask, builder, registry, **changes).code == (400, "InvalidRequest")


def test_runs_are_listed_the_last_one_first(ask, registry, builder):
    names = [schedule(ask, builder, registry).json["name"] for _ in range(3)]
    assert [one["name"] for one in ask.arm(builder, "GET", f"{registry.id}/runs", TASKS).json["value"]] == names[::-1]
    assert names == ["ca1", "ca2", "ca3"]
    assert [one["name"] for one in ask.arm(builder, "GET", f"{registry.id}/runs?$top=2", TASKS).json["value"]] == ["ca3", "ca2"]
    assert ask.arm(builder, "GET", f"{registry.id}/runs/none", TASKS).code == (404, "ResourceNotFound")


def test_an_upload_link_is_for_one_place_for_writing_and_for_an_hour(azure, ask, registry, builder, clock):
    url = ask.arm(builder, "POST", f"{registry.id}/listBuildSourceUploadUrl", TASKS).json["uploadUrl"]
    assert ask("GET", url).status == 403
    assert ask("PUT", url.replace(".tar.gz", ".zip"), b"x", x_ms_blob_type="BlockBlob").status == 403
    without = ask("PUT", url, b"x")
    assert (without.status, without.headers.get("x-ms-error-code")) == (400, "MissingRequiredHeader")
    assert (
        ask("PUT", url, b"x", x_ms_blob_type="BlockBlob", authorization="Bearer x").headers.get("x-ms-error-code")
        == "InvalidAuthenticationInfo"
    )
    clock.now += 3600
    assert ask("PUT", url, b"x", x_ms_blob_type="BlockBlob").status == 403


def test_a_large_context_comes_in_blocks(azure, ask, registry, builder):
    url = ask.arm(builder, "POST", f"{registry.id}/listBuildSourceUploadUrl", TASKS).json["uploadUrl"]
    for name, content in (("MDE%3D", b"first "), ("MDI%3D", b"second")):
        assert ask("PUT", f"{url}&comp=block&blockid={name}", content).status == 201
    blocks = b"<?xml version='1.0'?><BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>"
    assert ask("PUT", f"{url}&comp=blocklist", blocks).status == 201
    assert azure.blobs.find(url).bytes == b"first second"
    assert ask("PUT", f"{url}&comp=blocklist", blocks.replace(b"MDE=", b"MDM=")).status == 400
