"""Image builds over resource management: the upload, the request, the run, and what goes wrong with each."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from registryauth._http.messages import Response
from registryauth.azure.build_advice import advice
from registryauth.azure.build_context import pack_dockerfile
from registryauth.azure.build_request import Argument, BuildRequest, Login, Platform, image_name, remote, shown_source
from registryauth.azure.builds import Builds, Run, without
from registryauth.azure.clouds import PUBLIC
from registryauth.azure.container_registries import read_registry
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.rest import Rest
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, ConfigurationError, InvalidReference, RealmRefused, TransportError
from registryauth.reference import Registry
from registryauth.testing import answers
from registryauth.testing.azure import Build
from registryauth.testing.azure.blobs import xml_error
from registryauth.testing.faults import cut_upload, no_answer, server_error, too_many_requests

CANARY = "canary~build~secret"
STORE = ".blob.core.windows.net"
ARM = "management.azure.com"


@pytest.fixture
def registry(azure, app):
    made = azure.registry("MyRegistry")
    azure.assign(app, "Contributor", made)
    return made


@pytest.fixture
def builds(azure, app, registry, tokens, clock):
    """The builds of the registry, for an application that may."""

    def sleep(seconds):
        clock.now += seconds

    rest = Rest(azure.transport(), PUBLIC.management, lambda: tokens.get(PUBLIC.management_scope), "Azure", sleep=sleep, clock=clock)
    found = read_registry(rest, ResourceId.parse(registry.id, REGISTRIES), PUBLIC)
    azure.requests.clear()
    return Builds(rest, azure.transport(), found, clock=clock, sleep=sleep)


@pytest.fixture
def context():
    with pack_dockerfile(b"FROM scratch\nRUN true\n") as made:
        yield made


@pytest.fixture
def schedule(builds, context):
    def schedule(**said):
        return builds.schedule(BuildRequest(builds.upload(context), context.dockerfile, **{"images": ("myimage:v1",)} | said))

    return schedule


def body_of(azure, what):
    return json.loads(next(one.body for one in reversed(azure.requests) if what in one.url.target))


def test_a_build_from_the_upload_to_the_digest_takes_three_requests(azure, builds, schedule, registry, asked):
    run = builds.wait(schedule(), 3600)
    (image,) = run.images
    assert (run.status, run.is_over, run.id) == ("Succeeded", True, "ca1")
    assert (image.registry, image.repository, image.tag) == ("myregistry.azurecr.io", "myimage", "v1")
    assert image.digest == str(registry.images.shelf.tags["myimage"]["v1"])
    below = f"https://{ARM}{registry.id}"
    assert [asked()[0], asked()[1].partition(" ")[0], *asked()[2:]] == [
        f"POST {below}/listBuildSourceUploadUrl", "PUT", f"POST {below}/scheduleRun",
    ]  # fmt: skip
    assert all(one.url.target.endswith("api-version=2019-04-01") for one in azure.requests if "/registries/" in one.url.target)


def test_the_context_goes_up_as_a_block_blob_of_known_length_without_any_token(azure, builds, context):
    place = builds.upload(context)
    (put,) = [one for one in azure.requests if one.method == "PUT"]
    assert (put.header("x-ms-blob-type"), put.header("authorization"), len(put.body)) == ("BlockBlob", "", context.size)
    with tarfile.open(fileobj=io.BytesIO(put.body)) as tar:
        assert tar.getnames() == [context.dockerfile]
    assert place.startswith("source/")


def test_everything_asked_for_is_in_the_request_as_azure_spells_it(azure, schedule):
    schedule(
        images=("a:1", "b:2"), platform=Platform.parse("linux/arm/v7"), target="final", timeout=600, no_cache=True, push=False,
        arguments=(Argument("A", "1"), Argument("B", CANARY, secret=True)), logins=(Login("base.azurecr.io", "me", CANARY),),
        source_auth="none",
    )  # fmt: skip
    said = body_of(azure, "scheduleRun")
    assert said.pop("sourceLocation").startswith("source/")
    assert said.pop("dockerFilePath").endswith("_Dockerfile")
    assert said == {
        "type": "DockerBuildRequest", "imageNames": ["a:1", "b:2"], "isPushEnabled": False, "noCache": True, "target": "final",
        "platform": {"os": "Linux", "architecture": "arm", "variant": "v7"}, "timeout": 600, "isArchiveEnabled": False,
        "agentConfiguration": {"cpu": 2},
        "arguments": [{"name": "A", "value": "1", "isSecret": False}, {"name": "B", "value": CANARY, "isSecret": True}],
        "credentials": {
            "sourceRegistry": {"loginMode": "None"},
            "customRegistries": {
                "base.azurecr.io": {"userName": {"type": "Opaque", "value": "me"}, "password": {"type": "Opaque", "value": CANARY}}
            },
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ({}, "2019-04-01"),
        ({"source_auth": "default"}, "2019-04-01"),
        ({"source_auth": "caller"}, "2025-03-01-preview"),
        ({"agent_pool": "p"}, "2025-03-01-preview"),
    ],
)
def test_the_preview_is_asked_only_for_what_needs_it(azure, schedule, said, version):
    schedule(**said)
    assert azure.requests[-1].url.target.endswith(f"scheduleRun?api-version={version}")


def test_nothing_that_holds_a_secret_shows_it():
    request = BuildRequest("https://u:p@h/x", "D", arguments=(Argument("A", CANARY, secret=True),), logins=(Login("h", "u", CANARY),))
    assert CANARY not in repr(request)
    assert "u:p@h" not in repr(request)
    assert request.secrets == (CANARY, "p")


@pytest.mark.parametrize(
    ("source", "secrets"),
    [
        ("https://github.com/me/model.git#main:src", ()),
        ("https://me:pa@ss-word@h.example/x.git", ("pa@ss-word",)),
        ("https://ghp_token@h.example/x.git", ("ghp_token",)),
        ("https://s.example/x.tar.gz?sv=2024-11-04&sig=abcdefghijklmnop%3D", ("abcdefghijklmnop%3D",)),
        ("git@github.com:me/model.git", ()),
    ],
)
def test_what_is_secret_in_a_source_is_a_secret_of_the_request(source, secrets):
    assert BuildRequest(source, "D").secrets == secrets
    assert not [one for one in secrets if one in shown_source(source)]


def test_an_error_about_an_open_source_keeps_its_words(azure, builds):
    words = "The source https://github.com/me/model.git is not valid."
    body = {"error": {"code": "InvalidSource", "message": words}}
    azure.fault(lambda request: answers.document(request, 400, body) if "scheduleRun" in request.url.target else None, ARM)
    with pytest.raises(AzureError, match="is not valid"):
        builds.schedule(BuildRequest("https://github.com/me/model.git", "Dockerfile", ("a:1",)))


@pytest.mark.parametrize(
    "fault",
    [
        lambda azure: azure.fault(server_error("^PUT", status=503, times=2), STORE),
        lambda azure: azure.fault(too_many_requests("^PUT", times=1), STORE),
        lambda azure: azure.fault(_transient("^PUT", 2), STORE),
    ],
)
def test_an_upload_that_breaks_off_or_meets_a_busy_store_is_sent_again_whole(azure, builds, context, fault):
    fault(azure)
    place = builds.upload(context)
    (held,) = [blob for url, blob in azure.blobs.held.items() if url.endswith(place)]
    assert len(held.bytes) == context.size


def _transient(where, times):
    import re

    left = [times]

    def fault(request):
        if re.search(where, f"{request.method} {request.url.target}") and left[0]:
            left[0] -= 1
            raise TransportError("cut", transient=True)

    return fault


def test_an_upload_that_always_breaks_off_is_given_up(azure, builds, context):
    azure.fault(_transient("^PUT", 99), STORE)
    with pytest.raises(TransportError):
        builds.upload(context)
    assert len([one for one in azure.requests if one.method == "PUT"]) == 4
    azure.behave()
    azure.interfered(cut_upload("^PUT", 10, times=1), STORE)
    azure.fault(no_answer("^PUT", times=1), STORE)
    with pytest.raises(TransportError):
        builds.upload(context)


def test_a_link_that_ended_is_asked_for_anew_once(azure, builds, context):
    refused = []

    def expired(request):
        if request.method == "PUT" and not refused:
            refused.append(request.url.target)
            return xml_error(request, 403, "AuthenticationFailed", f"Signature did not match {request.url}")
        return None

    azure.fault(expired, STORE)
    place = builds.upload(context)
    assert place not in refused[0]
    azure.fault(
        lambda request: xml_error(request, 403, "AuthenticationFailed", str(request.url)) if request.method == "PUT" else None, STORE
    )
    with pytest.raises(AzureError, match=r"refused by \S+ \(403, AuthenticationFailed\)") as caught:
        builds.upload(context)
    assert "clock" in caught.value.hint
    assert "sig=" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__} {caught.value.__context__}"


@pytest.mark.parametrize("link", ["http://evil.example/x?sig=1", "https://169.254.169.254/x", "https://127.0.0.1/x"])
def test_the_context_goes_nowhere_in_the_clear_or_inside_a_network(azure, builds, context, link):
    document = {"relativePath": "source/x", "uploadUrl": link}
    azure.fault(lambda request: answers.document(request, 200, document) if "UploadUrl" in request.url.target else None, ARM)
    with pytest.raises(RealmRefused):
        builds.upload(context)
    assert not [one for one in azure.requests if one.method == "PUT"]


@pytest.mark.parametrize("document", [{}, {"relativePath": "x"}, {"uploadUrl": "https://h/x"}, {"relativePath": 1, "uploadUrl": []}, []])
def test_an_upload_link_of_another_shape_is_an_error(azure, builds, context, document):
    azure.fault(lambda request: answers.document(request, 200, document) if "UploadUrl" in request.url.target else None, ARM)
    with pytest.raises(AzureError):
        builds.upload(context)


def refusing(azure, status, code, message, where="scheduleRun", **fields):
    body = {"error": {"code": code, "message": message}}
    azure.fault(lambda request: answers.document(request, status, body, fields.items()) if where in request.url.target else None, ARM)


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (400, "TasksOperationsNotAllowed", "ACR Tasks requests for the registry x and y are not permitted.", "free trial"),
        (400, "BadRequest", "The image name is bad.", "image names"),
        (403, "AuthorizationFailed", "The client may not.", "Container Registry Tasks Contributor"),
        (409, "Conflict", "Somebody else.", "try again"),
        (429, "TooManyRequests", "Slower.", "throttled"),
    ],
)
def test_a_refused_build_is_explained(azure, schedule, status, code, message, hint):
    refusing(azure, status, code, message)
    with pytest.raises(AzureError, match=message) as caught:
        schedule()
    assert (caught.value.status, caught.value.code, hint in caught.value.hint) == (status, code, True)
    assert len([one for one in azure.requests if "scheduleRun" in one.url.target]) == (4 if status == 429 else 1)


def test_who_may_not_build_is_told_which_role_does_it_before_anything_is_sent(azure, builds, context):
    azure.roles.assignments.clear()
    with pytest.raises(AzureError, match="AuthorizationFailed") as caught:
        builds.upload(context)
    assert ("Container Registry Tasks Contributor" in caught.value.hint, caught.value.exit_code) == (True, 4)


def test_a_missing_agent_pool_is_named(azure, schedule):
    refusing(azure, 404, "AgentPoolNotFound", "none")
    with pytest.raises(AzureError) as caught:
        schedule(agent_pool="fast")
    assert "fast" in caught.value.hint


@pytest.mark.parametrize("quoted", [CANARY, json.dumps({"value": CANARY + '"x'}), "x" * 290 + CANARY, CANARY[:9]])
def test_an_error_that_repeats_a_secret_is_not_repeated(azure, schedule, quoted):
    refusing(azure, 400, "BadRequest", f"Cannot read {quoted}")
    with pytest.raises(AzureError) as caught:
        schedule(arguments=(Argument("A", CANARY, secret=True),))
    error = caught.value
    assert CANARY[:6] not in f"{error}{error.hint}{error.__cause__}"
    assert error.__suppress_context__


def test_a_lost_answer_says_that_the_run_may_be_there(azure, schedule):
    azure.fault(no_answer("scheduleRun"), ARM)
    with pytest.raises(TransportError) as caught:
        schedule()
    assert "azure acr run list --registry MyRegistry" in caught.value.hint


def test_a_run_is_looked_at_until_it_is_over_and_less_and_less_often(azure, builds, schedule, registry, clock):
    registry.build = Build(queued=20, duration=300)
    start = clock.now
    run = schedule()
    assert (run.status, run.is_over) == ("Queued", False)
    run = builds.wait(run, 3600)
    assert run.status == "Succeeded"
    assert 320 <= clock.now - start < 345
    assert len([one for one in azure.requests if one.method == "GET" and "/runs/" in one.url.target]) < 40


def test_a_disturbance_of_minutes_does_not_end_the_watch(azure, builds, schedule, registry):
    registry.build = Build(duration=60)
    run = schedule()
    azure.fault(server_error("GET .*/runs/", status=503, times=14), ARM)
    assert builds.wait(run, 3600).status == "Succeeded"
    registry.build = Build(duration=6000)
    azure.fault(server_error("GET .*/runs/", status=500), ARM)
    with pytest.raises(AzureError, match="answered 500"):
        builds.wait(schedule(), 3600)


def test_a_run_that_never_ends_is_left_after_its_time(builds, schedule, registry):
    registry.build = Build(queued=1e9)
    with pytest.raises(AzureError, match="Queued still") as caught:
        builds.wait(schedule(), 600)
    assert "azure acr run show ca1 --registry MyRegistry" in caught.value.hint


@pytest.mark.parametrize("ended", ["Failed", "Canceled", "Error", "Timeout"])
def test_a_run_may_end_in_every_way(builds, schedule, registry, ended):
    registry.build = Build(status=ended, error="it \x1b[31mbroke\u202e")
    run = builds.wait(schedule(), 600)
    assert (run.status, run.error) == (ended, "" if ended == "Canceled" else "it [31mbroke")


def test_a_runs_own_reason_is_shown_without_secrets(builds, context, registry):
    registry.build = Build(status="Failed", error=f"fetch https://me:pw@h/x?sv=1&sig=abc%2F&x=1 with {CANARY}")
    request = BuildRequest(builds.upload(context), context.dockerfile, ("a:1",), arguments=(Argument("A", CANARY, secret=True),))
    assert builds.wait(builds.schedule(request), 600, request.secrets).error == (
        "fetch https://[secret]@h/x?sv=1&sig=[secret]&x=1 with [secret]"
    )


def test_a_run_is_canceled(builds, schedule, registry):
    registry.build = Build(duration=100)
    run = schedule()
    builds.cancel(run.id)
    assert builds.run(run.id).status == "Canceled"


def test_runs_are_listed_no_more_than_were_asked_for(azure, builds, schedule):
    azure.management.page_size = 2
    for _ in range(5):
        schedule()
    assert [run.id for run in builds.runs(3)] == ["ca5", "ca4", "ca3"]


@pytest.mark.parametrize("id_", ["", "../x", "a b", "a" * 50, "x?y"])
def test_what_is_no_id_is_not_asked_for(azure, builds, id_):
    for ask in (builds.run, builds.cancel, builds.log_url):
        with pytest.raises(ConfigurationError):
            ask(id_)
    assert azure.requests == []


def test_a_run_that_is_not_there_is_status_404(builds):
    with pytest.raises(AzureError) as caught:
        builds.run("none")
    assert (caught.value.status, caught.value.exit_code) == (404, 3)


@pytest.mark.parametrize("document", [{}, {"properties": {"runId": "../x"}}, {"properties": {"runId": 1}}, {"properties": []}])
def test_a_run_of_another_shape_is_an_error(azure, builds, document):
    azure.fault(lambda request: answers.document(request, 200, document) if "/runs/" in request.url.target else None, ARM)
    with pytest.raises(AzureError):
        builds.run("ca1")


def test_the_answer_of_storage_is_read_within_bounds(azure, builds, context):
    def endless(request):
        return Response.of(400, (), request.url, b"x" * 10_000_000) if request.method == "PUT" else None

    azure.fault(endless, STORE)
    with pytest.raises(AzureError, match=r"\(400\)"):
        builds.upload(context)


HOST = Registry("myregistry.azurecr.io")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("myimage:v1", "myimage:v1"), ("team/myimage", "team/myimage"), ("myregistry.azurecr.io/team/a:1", "team/a:1"),
        ("a:{{.Run.ID}}", "a:{{.Run.ID}}"), ("a/{{.Run.ID}}:x", "a/{{.Run.ID}}:x"),
    ],
)  # fmt: skip
def test_an_image_is_named_in_the_registry_itself(text, name):
    assert image_name(text, HOST) == name


@pytest.mark.parametrize("text", ["", "MyImage:v1", "a:b:c", "a b", "a:", "a@sha256:" + "0" * 64, "a:{{bad", ":v1"])
def test_what_is_no_image_name_is_refused_before_anything_is_sent(text):
    with pytest.raises(InvalidReference):
        image_name(text, HOST)


def test_an_image_of_another_registry_is_refused():
    with pytest.raises(ConfigurationError, match="is an image of other"):
        image_name("other.azurecr.io/a:1", HOST)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("linux", ("Linux", "", "")),
        ("linux/amd64", ("Linux", "amd64", "")),
        ("Windows/AMD64", ("Windows", "amd64", "")),
        ("linux/arm64/v8", ("Linux", "arm64", "v8")),
    ],
)
def test_a_platform_is_spelled_as_azure_spells_it(text, parts):
    found = Platform.parse(text)
    assert (found.system, found.architecture, found.variant) == parts


@pytest.mark.parametrize("text", ["", "linux/", "darwin/arm64", "linux/s390x", "linux/arm/v9", "linux//v8", "linux/arm/v7/x", "linux/arm/"])
def test_what_is_no_platform_is_refused(text):
    with pytest.raises(ConfigurationError):
        Platform.parse(text)


def test_a_source_elsewhere_is_known_and_never_shown_with_its_secrets():
    for source in (
        "https://h/x.tar.gz",
        "https://github.com/o/r.git#main:dir",
        "git@github.com:o/r.git",
        "github.com/o/r",
        "oci://r.azurecr.io/a:1",
    ):
        assert remote(source)
    assert not remote("./dir")
    for source in ("http://h/x.tar.gz", "git://h/x"):
        with pytest.raises(ConfigurationError):
            remote(source)
    assert shown_source(f"https://me:{CANARY}@h/x.git#main:d") == "https://h/x.git#main:d"
    assert shown_source(f"https://h/x.tar.gz?sig={CANARY}") == "https://h/x.tar.gz"


def test_without_leaves_what_is_no_secret():
    assert without("a://b https://x/y?z=1 me@h 1 abc", ("1", "abc")) == "a://b https://x/y?z=1 me@h 1 abc"


REFUSED = "failed to pull base.azurecr.io/os:1: unauthorized: authentication required, visit https://aka.ms/acr/authorization"


@pytest.mark.parametrize(
    ("run", "log", "request_", "hint"),
    [
        (Run("ca1", "Failed", error=REFUSED), (), {}, "--with-credential base.azurecr.io"),
        (Run("ca1", "Failed"), (REFUSED,), {"logins": (Login("base.azurecr.io", "u", "p"),)}, "principal verify base.azurecr.io"),
        (Run("ca1", "Failed", error="denied: client with IP '1.2.3.4' is not allowed access."), (), {}, "--agent-pool"),
        (Run("ca1", "Failed"), ("toomanyrequests: You have reached your pull rate limit",), {}, "--with-credential docker.io"),
        (Run("ca1", "Failed", error="exit status 1"), ("cc: not found",), {}, "run logs ca1 --registry MyRegistry"),
        (Run("ca1", "Timeout"), (), {}, "28800"),
        (Run("ca1", "Timeout"), (), {"timeout": 28_800}, "no longer"),
        (Run("ca1", "Canceled"), (), {}, "again"),
    ],
)
def test_what_to_do_about_a_run_that_failed(builds, run, log, request_, hint):
    assert hint in advice(run, log, builds.registry, BuildRequest("s", "D", **request_))


@pytest.mark.parametrize(
    ("said", "hint"), [("", "Repository Writer"), ("caller", "Repository Writer"), ("default", "--source-auth caller")]
)
def test_a_registry_of_repository_rights_gets_its_own_advice(builds, said, hint):
    run = Run("ca1", "Failed", error="denied: requested access to the resource is denied")
    registry = builds.registry.replace(mode="abac")
    assert hint in advice(run, (), registry, BuildRequest("s", "D", source_auth=said))
