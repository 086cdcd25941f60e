"""``azure acr build`` and ``azure acr run``."""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time

import pytest

from registryauth.azure import library, wire
from registryauth.cli import console
from registryauth.testing import answers
from registryauth.testing.azure import AzureSimulator, Build
from registryauth.testing.azure.blobs import xml_error
from registryauth.testing.faults import no_answer, server_error

HOST, STORE, ARM = "myregistry.azurecr.io", ".blob.core.windows.net", "management.azure.com"
CANARY = "canary-of-a-build"
ENTRA = "canary~secret"


@pytest.fixture
def clock(monkeypatch):
    """A clock that sleeping alone moves."""

    class Clock:
        now = time.time()

        def __call__(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    made = Clock()
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


@pytest.fixture
def azure(monkeypatch, clock):
    made = AzureSimulator(clock=clock)
    monkeypatch.setattr(wire, "open_transport", lambda *_, **__: made.transport())
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda *_, **__: made.transport())
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setenv("PATH", "")
    return made


@pytest.fixture
def app(azure, monkeypatch):
    made = azure.home.app("builder")
    monkeypatch.setenv("AZURE_TENANT_ID", azure.home.id)
    monkeypatch.setenv("AZURE_CLIENT_ID", made.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", made.add_secret(value=ENTRA).value)
    return made


@pytest.fixture
def registry(azure, app):
    made = azure.registry("MyRegistry")
    azure.assign(app, "Container Registry Tasks Contributor", made)
    azure.assign(app, "Reader", made)
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current directory, with a Dockerfile in it."""
    made = tmp_path / "context"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM mcr.microsoft.com/azureml/base\nRUN true\n")
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def build(cli, registry, folder):
    """Run the verb in a folder."""

    def build(*more, **said):
        return cli("azure", "acr", "build", "--registry", "myregistry", *more, **said)

    return build


@pytest.fixture
def scheduled(azure):
    """The last body that asked for a run."""
    return lambda: json.loads(next(one.body for one in reversed(azure.requests) if "scheduleRun" in one.url.target))


@pytest.fixture(autouse=True)
def _no_secret_anywhere(azure, capsysbinary, tmp_path):
    """Whatever a test does, no link of storage and no secret of ours was ever shown."""
    shown = []
    real = capsysbinary.readouterr

    def keeping():
        found = real()
        shown.append(found.out + found.err)
        return found

    capsysbinary.readouterr = keeping
    yield
    everything = b"".join(shown) + b"".join(real())
    for secret in (CANARY, ENTRA, "sig="):
        assert secret.encode() not in everything.replace(b"sig=[secret]", b""), secret
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes() or path.name == "secret"


def archived(azure, name="Dockerfile"):
    """The names in the context that was sent."""
    (put,) = [one for one in azure.requests if one.method == "PUT"]
    with tarfile.open(fileobj=io.BytesIO(put.body)) as tar:
        return [re.sub("^[0-9a-f]{32}_", "HEX_", one) for one in tar.getnames()]


def test_the_how_tos_line_builds_an_image(build, azure, registry):
    done = build("--image", "myimage:v1", "--file", "Dockerfile", ".")
    digest = registry.images.shelf.tags["myimage"]["v1"]
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "Downloading source code..."
    assert "Step 2/2 : RUN true" in lines
    assert lines[-1] == "Run ID: ca1 was successful after 0s"
    assert done.err.splitlines() == [
        "Sending the context (2 entries, 1 KiB) to MyRegistry.",
        "The run ca1 is scheduled.",
        f"Built {HOST}/myimage:v1@{digest}",
    ]
    assert archived(azure) == ["Dockerfile", "HEX_Dockerfile"]


@pytest.mark.parametrize("name", ["MyRegistry", HOST, "MyRegistry.azurecr.io", "id"])
def test_a_registry_may_be_named_in_every_way(cli, registry, folder, name):
    done = cli("azure", "acr", "build", "-r", registry.id if name == "id" else name, "-t", "a:1", ".")
    assert done.status == 0, done.err


def test_a_domain_name_label_is_part_of_a_login_server(cli, azure, app, folder):
    azure.assign(app, "Contributor")
    azure.registry("labelled", domain_label_hash="e7ggejfuhzhgedc8")
    assert cli("azure", "acr", "build", "-r", "labelled-e7ggejfuhzhgedc8.azurecr.io", "-t", "a:1", ".").status == 0
    other = cli("azure", "acr", "build", "-r", "labelled-other.azurecr.io", "-t", "a:1", ".")
    assert (other.status, "there is no registry labelled-other.azurecr.io" in other.err) == (3, True)


def test_as_json_the_log_is_on_the_side_and_one_document_tells_the_end(build, registry):
    done = build("-t", "myimage:v1", "-t", "team/other:2", "-o", "json", ".")
    view = json.loads(done.out)
    assert sorted(view) == ["created", "error", "finished", "images", "registry", "run_id", "started", "status", "version"]
    assert (view["version"], view["run_id"], view["status"], view["registry"], view["error"]) == (1, "ca1", "Succeeded", HOST, None)
    assert [(one["name"], one["tag"]) for one in view["images"]] == [("myimage", "v1"), ("team/other", "2")]
    assert view["images"][0]["digest"] == str(registry.images.shelf.tags["myimage"]["v1"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", view["finished"])
    assert "Step 1/2" in done.err


def test_everything_that_is_asked_for_arrives(build, scheduled, monkeypatch, folder):
    monkeypatch.setenv("TOKEN", CANARY)
    monkeypatch.setenv("VERSION", "3")
    (folder.parent / "secret").write_text(f"{CANARY}\n")
    done = build(
        "-t", "a:1", "--platform", "linux/arm64", "--target", "final", "--timeout", "600", "--agent-pool", "fast", "--no-cache",
        "--no-push", "--build-arg", "A=b=c", "--build-arg", "VERSION", "--secret-build-arg", "TOKEN",
        "--secret-build-arg", f"KEY=@{folder.parent}/secret", "--source-auth", "none", ".",
    )  # fmt: skip
    said = scheduled()
    assert done.status == 0, done.err
    assert said["platform"] == {"os": "Linux", "architecture": "arm64"}
    assert (said["target"], said["timeout"], said["agentPoolName"], said["noCache"], said["isPushEnabled"]) == (
        "final",
        600,
        "fast",
        True,
        False,
    )
    assert [(one["name"], one["value"], one["isSecret"]) for one in said["arguments"]] == [
        ("A", "b=c", False), ("VERSION", "3", False), ("TOKEN", CANARY, True), ("KEY", CANARY, True),
    ]  # fmt: skip
    assert said["credentials"] == {"sourceRegistry": {"loginMode": "None"}}
    assert "Built; nothing was pushed." in done.err


def test_a_secret_argument_may_be_typed_at_a_terminal(build, scheduled, monkeypatch):
    monkeypatch.setattr(getpass, "getpass", lambda *_, **__: CANARY)
    monkeypatch.setattr("registryauth.cli.azure.build_arguments.is_terminal", lambda _: True)
    assert build("-t", "a:1", "--secret-build-arg", "TOKEN", ".").status == 0
    assert scheduled()["arguments"] == [{"name": "TOKEN", "value": CANARY, "isSecret": True}]


def test_a_secret_that_the_log_repeats_is_blotted_out(build, registry, monkeypatch):
    monkeypatch.setenv("TOKEN", CANARY)
    registry.build = Build(log=(f"echo {CANARY}", "https://s/x?sig=abc", "\x1b[2J\x1b[31mred"), status="Failed", error=f"bad {CANARY}")
    done = build("-t", "a:1", "--secret-build-arg", "TOKEN", ".")
    assert done.status == 1
    assert done.out.splitlines()[:3] == ["echo [secret]", "https://s/x?sig=[secret]", "red"]
    assert "error: the run ca1 ended as Failed: bad [secret]" in done.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["."], "--image says"),
        (["-t", "a:1", "--secret-build-arg", f"TOKEN={CANARY}", "."], "no place for a secret"),
        (["-t", "a:1", "--secret-build-arg", "NOSUCH", "."], "set the environment variable NOSUCH"),
        (["-t", "a:1", "--secret-build-arg", f"{CANARY}!", "."], "takes a name"),
        (["-t", "a:1", "--secret-build-arg", "A=@nosuch", "."], "cannot read the value of A"),
        (["-t", "a:1", "--build-arg", "NOSUCH", "."], "give it a value"),
        (["-t", "a:1", "--platform", "beos", "."], "no platform"),
        (["-t", "a:1", "--timeout", "10", "."], "300"),
        (["-t", "a:1", "--source-auth", "mine", "."], "none, default or caller"),
        (["-t", "a:1", "nosuch"], "no directory or archive 'nosuch'"),
        (["-t", "a:1", "http://h/x.tar.gz"], "https://"),
        (["-t", "a:1", "-f", "x", "-"], "leave out --file"),
        (["-t", "A:1", "."], "has no capitals"),
        (["-t", "other.azurecr.io/a:1", "."], "is an image of other"),
        (["-t", "a:1", "-f", "nosuch", "."], "there is no Dockerfile"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_sent(build, azure, more, said):
    done = build(*more)
    assert (done.status, said in done.err) == (2, True), done.err
    assert not [one for one in azure.requests if one.method == "PUT" or "scheduleRun" in one.url.target]


def test_an_argument_that_looks_secret_is_asked_after(build):
    assert "--secret-build-arg API_TOKEN would not be" in build("-t", "a:1", "--build-arg", "API_TOKEN=x", ".").err
    assert "warning" not in build("-t", "a:1", "--build-arg", "VERSION=x", ".").err


def test_the_dockerfile_is_looked_for_here_then_in_the_context(build, azure, folder, tmp_path):
    (folder / "sub").mkdir()
    (folder / "sub" / "My.Dockerfile").write_text("FROM scratch\n")
    (folder / "Here").write_text("FROM scratch\n")
    done = build("-t", "a:1", "-f", "My.Dockerfile", "sub")
    assert (done.status, "there is no 'My.Dockerfile' here" in done.err) == (0, True)
    assert archived(azure) == ["My.Dockerfile", "HEX_My.Dockerfile"]
    azure.requests.clear()
    assert build("-t", "a:1", "-f", "Here", "sub").status == 0
    assert archived(azure) == ["My.Dockerfile", "HEX_Here"]


def test_a_dockerfile_on_stdin_is_a_whole_context(build, azure):
    done = build("-t", "a:1", "-", stdin="FROM scratch\nRUN echo from-stdin\n")
    assert (done.status, "RUN echo from-stdin" in done.out) == (0, True), done.err
    assert archived(azure) == ["HEX_Dockerfile"]


def test_a_url_is_fetched_by_the_service(build, azure, scheduled):
    done = build("-t", "a:1", f"https://me:{CANARY}@github.com/o/r.git#main:sub")
    assert (done.status, scheduled()["sourceLocation"].endswith("@github.com/o/r.git#main:sub")) == (0, True)
    assert "fetches https://github.com/o/r.git#main:sub itself" in done.err
    assert (scheduled()["dockerFilePath"], [one for one in azure.requests if one.method == "PUT"]) == ("Dockerfile", [])


def test_an_archive_is_sent_as_it_is(build, azure, folder, tmp_path):
    path = tmp_path / "c.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add("Dockerfile", "sub/Dockerfile")
    done = build("-t", "a:1", "-f", "sub/Dockerfile", path)
    assert done.status == 0, done.err
    assert archived(azure) == ["sub/Dockerfile"]


def test_what_is_left_out_and_what_is_large_is_told(build, folder, monkeypatch):
    (folder / ".gitignore").write_text("x")
    (folder / "data").write_bytes(b"x" * 1000)
    monkeypatch.setattr("registryauth.azure.build_context.LARGE", 10)
    done = build("-t", "a:1", ".")
    assert "note: .gitignore is never sent" in done.err
    assert "warning: a large context; most of it: data (1 KiB)" in done.err


def test_a_build_that_fails_says_why_and_what_to_do(build, registry, folder):
    (folder / "Dockerfile").write_text("FROM base.azurecr.io/os:1\n")
    other = registry.azure.registry("base")
    assert other
    done = build("-t", "a:1", ".")
    assert done.status == 1
    assert "error: the run ca1 ended as Failed: failed to pull base.azurecr.io/os:1: unauthorized: authentication required" in done.err
    assert "--with-credential base.azurecr.io" in done.err


def test_a_build_that_fails_has_its_document_too(build, registry):
    registry.build = Build(status="Timeout", error="too long")
    done = build("-t", "a:1", "-o", "json", ".")
    assert (done.status, json.loads(done.out)["status"], json.loads(done.out)["error"]) == (1, "Timeout", "too long")


def test_without_its_log_only_the_end_is_shown(build, azure, registry):
    registry.build = Build(duration=50)
    done = build("-t", "a:1", "--no-logs", ".")
    assert re.fullmatch(rf"WHAT +VALUE\nrun +ca1\nstatus +Succeeded\nimage +{HOST}/a:1@sha256:[0-9a-f]{{64}}\n(?:.+\n)+", done.out)
    assert not [one for one in azure.requests if "listLogSasUrl" in one.url.target]


def test_without_waiting_the_run_is_left_to_itself(build, azure, registry):
    registry.build = Build(queued=50)
    done = build("-t", "a:1", "--no-wait", "-o", "json", ".")
    assert (done.status, json.loads(done.out)["status"]) == (0, "Queued")
    assert "azure acr run logs ca1 --registry MyRegistry" in done.err
    assert not [one for one in azure.requests if one.method == "GET" and "/runs/" in one.url.target]


def test_a_log_that_cannot_be_had_stops_no_build(build, azure, registry):
    registry.build = Build(duration=50)
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    azure.fault(lambda request: answers.document(request, 403, body) if "listLogSasUrl" in request.url.target else None, ARM)
    done = build("-t", "a:1", ".")
    assert (done.status, done.out) == (0, "")
    assert "warning: the log cannot be read any further" in done.err
    assert f"Built {HOST}/a:1@" in done.err


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (lambda azure: azure.fault(server_error("^PUT", status=503), STORE), 1),
        (lambda azure: azure.fault(no_answer("^PUT"), STORE), 6),
        (
            lambda azure: azure.fault(
                lambda one: xml_error(one, 403, "AuthenticationFailed", str(one.url)) if one.method == "PUT" else None, STORE
            ),
            4,
        ),
        (lambda azure: azure.fault(no_answer("scheduleRun"), ARM), 6),
        (lambda azure: azure.fault(server_error("scheduleRun", status=500), ARM), 1),
        (lambda azure: azure.fault(server_error("listBuildSourceUploadUrl", status=502), ARM), 1),
    ],
)
def test_every_step_on_the_network_may_fail(build, azure, fault, status):
    fault(azure)
    done = build("-t", "a:1", ".")
    assert (done.status, done.out, "hint: " in done.err) == (status, "", True), done.err


def test_who_may_not_build_is_told_what_is_missing(build, azure, app, registry):
    azure.roles.assignments.clear()
    azure.assign(app, "Reader", registry)
    done = build("-t", "a:1", ".")
    assert (done.status, "Container Registry Tasks Contributor" in done.err) == (4, True)


def test_a_registry_of_repository_rights_gets_the_callers_identity_by_itself(build, azure, app, registry, scheduled):
    registry.mode = "abac"
    azure.assign(app, "Container Registry Repository Writer", registry)
    done = build("-t", "a:1", ".")
    assert done.status == 0, done.err
    assert "by repository (ABAC), so the build gets yours there (--source-auth caller)" in done.err
    assert scheduled()["credentials"] == {"sourceRegistry": {"loginMode": "Default", "identity": "[caller]"}}
    done = build("-t", "a:1", "--source-auth", "default", ".")
    assert (done.status, "leave --source-auth out" in done.err) == (1, True)


def test_a_firewall_is_told_of_before_and_after(build, registry):
    registry.firewall = ("192.0.2.1",)
    done = build("-t", "a:1", ".")
    assert "note: MyRegistry is open to 192.0.2.1" in done.err
    assert (done.status, "keeps the build's machine out" in done.err) == (1, True)
    assert build("-t", "a:1", "--agent-pool", "inside", ".").status == 0


@pytest.fixture
def base(azure):
    """A second private registry with a base image, that the Dockerfile needs."""
    made = azure.registry("base", admin=True)
    made.images.add_image("os", "1")
    made.admin_passwords["password"] = CANARY
    return made


def credentials(scheduled):
    return scheduled().get("credentials", {}).get("customRegistries")


def test_a_credential_goes_along_for_a_host_that_was_named(build, base, keep, folder, scheduled):
    (folder / "Dockerfile").write_text("FROM base.azurecr.io/os:1\n")
    keep("base.azurecr.io", "base", CANARY)
    done = build("-t", "a:1", "--with-credential", "base.azurecr.io", ".")
    assert done.status == 0, done.err
    assert "warning: the credential for base.azurecr.io (account base, from store) leaves this machine" in done.err
    assert credentials(scheduled) == {
        "base.azurecr.io": {"userName": {"type": "Opaque", "value": "base"}, "password": {"type": "Opaque", "value": CANARY}}
    }


def test_no_credential_goes_along_for_a_host_that_was_not_named(build, base, keep, folder, azure, scheduled):
    (folder / "Dockerfile").write_text("FROM base.azurecr.io/os:1\n")
    keep("base.azurecr.io", "base", CANARY)
    keep("other.azurecr.io", "base", CANARY)
    assert build("-t", "a:1", ".").status == 1
    assert not [one for one in azure.requests if CANARY.encode() in one.body or CANARY in str(one.headers)]
    build("-t", "a:1", "--with-credential", "other.azurecr.io", ".")
    assert set(credentials(scheduled)) == {"other.azurecr.io"}


def test_an_identity_token_goes_along_as_azure_takes_it_and_its_end_is_told(build, base, keep, scheduled):
    keep("base.azurecr.io", "<token>", CANARY, kind="identity-token", dates={"expires_at": int(time.time()) + 60})
    done = build("-t", "a:1", "--with-credential", "base.azurecr.io", ".")
    found = credentials(scheduled)["base.azurecr.io"]
    assert (found["userName"]["value"], found["password"]["value"]) == ("00000000-0000-0000-0000-000000000000", CANARY)
    assert "warning: it ends at" in done.err


def test_an_identity_token_of_another_registry_is_none_that_a_build_can_use(build, keep, azure):
    keep("quay.io", "<token>", CANARY, kind="identity-token")
    done = build("-t", "a:1", "--with-credential", "quay.io", ".")
    assert (done.status, "which a build cannot use" in done.err) == (2, True)
    assert not [one for one in azure.requests if one.method == "PUT"]


def test_a_path_says_whose_credential_is_meant(build, keep, scheduled):
    keep("base.azurecr.io/team", "base", CANARY)
    assert build("-t", "a:1", "--with-credential", "base.azurecr.io", ".").status == 3
    assert build("-t", "a:1", "--with-credential", "base.azurecr.io/team/os", ".").status == 0
    assert set(credentials(scheduled)) == {"base.azurecr.io"}


def test_a_public_registry_gets_none(build, scheduled):
    done = build("-t", "a:1", "--with-credential", "mcr.microsoft.com", ".")
    assert (done.status, "asks nobody for a credential" in done.err, credentials(scheduled)) == (0, True, None)


def interrupting(azure):
    """Ctrl-C comes while the run is watched."""
    left = [True]

    def fault(request):
        if "listLogSasUrl" in request.url.target and left:
            left.clear()
            raise KeyboardInterrupt

    azure.fault(fault, ARM)


def test_ctrl_c_while_it_is_scheduled_leaves_no_doubt_about_what_to_look_at(build, azure):
    def fault(request):
        if "scheduleRun" in request.url.target:
            raise KeyboardInterrupt

    azure.fault(fault, ARM)
    done = build("-t", "a:1", ".", "-q")
    assert done.status == 130
    assert "may have been scheduled all the same: registryauth azure acr run list --registry MyRegistry" in done.err


def test_a_run_that_can_be_watched_no_longer_is_said_to_go_on(build, azure, registry):
    registry.build = Build(duration=10_000)
    azure.fault(no_answer("GET .*/runs/"), ARM)
    done = build("-t", "a:1", ".", "--no-logs", "-q")
    assert (done.status, registry.runs[0].status) == (6, "Running")
    assert "The run ca1 goes on. Watch it:  registryauth azure acr run logs ca1 --registry MyRegistry" in done.err


def test_a_reader_of_the_log_that_goes_away_is_told_that_the_run_goes_on(build, registry, monkeypatch):
    def gone(*_, **__):
        raise BrokenPipeError

    registry.build = Build(duration=100)
    monkeypatch.setattr("registryauth.cli.azure.watching.Watch._write", gone)
    done = build("-t", "a:1", ".")
    assert "The run ca1 goes on." in done.err
    assert done.status == 141


@pytest.mark.parametrize(("status", "expected"), [("Succeeded", 0), ("Failed", 1), ("Canceled", 1)])
def test_a_reader_of_the_log_that_goes_away_changes_nothing_about_how_a_run_ended(build, cli, registry, status, expected, monkeypatch):
    def gone(*_, **__):
        raise BrokenPipeError

    registry.build = Build(status=status)
    build("-t", "a:1", ".")
    monkeypatch.setattr("registryauth.cli.azure.watching.Watch._write", gone)
    assert cli("azure", "acr", "run", "logs", "ca1", "-r", "myregistry").status == expected
    assert build("-t", "a:1", ".").status == expected


@pytest.mark.parametrize(("status", "expected"), [("Succeeded", 0), ("Failed", 1)])
def test_a_reader_of_the_result_that_goes_away_changes_nothing_about_it_either(build, registry, status, expected, monkeypatch):
    def gone(*_, **__):
        raise BrokenPipeError

    registry.build = Build(status=status)
    monkeypatch.setattr("registryauth.cli.console.show", gone)
    assert build("-t", "a:1", ".", "--no-logs").status == expected


def test_who_does_not_read_that_the_context_is_sent_builds_nothing_and_is_not_told_0(build, azure, registry, monkeypatch):
    def gone(text):
        raise BrokenPipeError

    monkeypatch.setattr("registryauth.cli.console.say", gone)
    assert (build("-t", "a:1", ".").status, registry.runs) == (141, [])


@pytest.mark.parametrize("end", [KeyboardInterrupt, BrokenPipeError])
def test_a_log_of_a_run_that_is_over_is_left_without_a_word(build, cli, person, monkeypatch, end):
    def ends(*_, **__):
        raise end

    build("-t", "a:1", "--no-logs", ".")
    person()
    monkeypatch.setattr("registryauth.cli.azure.watching.Watch._write", ends)
    done = cli("azure", "acr", "run", "logs", "ca1", "-r", "myregistry")
    assert "goes on" not in done.err
    assert "Cancel" not in done.err


def test_quiet_keeps_the_code_to_sign_in_with(build, monkeypatch):
    told = []
    monkeypatch.setattr("registryauth.azure.access.sign_in", lambda *_, tell, **__: told.append(tell) or pytest.fail("signed in"))
    with pytest.raises(pytest.fail.Exception):
        build("-t", "a:1", "-q", ".")
    assert told == [console.insist]


# -- a reader that goes away, as only a process has it --


class TestThroughAPipe:
    @pytest.fixture
    def azure(self):
        """One that is reached as the program reaches the real one, and whose clock is everybody's."""
        return AzureSimulator()

    @pytest.fixture
    def clock(self):
        """Nothing is waited for."""

    @pytest.fixture
    def piped(self, azure, registry, folder, tmp_path):
        """The exit status of a command after $R, of whose output the first line is read, and what it says."""

        def piped(line, reader="head -n 1"):
            with azure.environment() as reached:
                signed_in = {name: os.environ[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")}
                surroundings = {"HOME": str(tmp_path), "R": f"{sys.executable} -m registryauth azure acr", "PATH": os.defpath}
                words = ["sh", "-c", f"($R {line}; echo $? > {tmp_path}/status) 2> {tmp_path}/err | {reader}"]
                subprocess.run(words, env=surroundings | signed_in | reached, stdin=subprocess.DEVNULL, timeout=60, check=True)
            err = (tmp_path / "err").read_text()
            assert "Traceback" not in err
            assert "Exception ignored" not in err
            return int((tmp_path / "status").read_text()), err

        return piped

    @pytest.mark.parametrize("merged", ["", "2>&1"])
    def test_a_run_that_is_left_under_way_is_141(self, piped, registry, merged):
        registry.build = Build(duration=600, log=tuple(map(str, range(20_000))))
        status, err = piped(f"build -r MyRegistry -t a:1 . {merged}")
        assert (status, registry.runs[0].status) == (141, "Running")
        assert merged or "The run ca1 goes on." in err

    @pytest.mark.parametrize("merged", ["", "2>&1"])
    @pytest.mark.parametrize(("how", "expected"), [("Failed", 1), ("Succeeded", 0)])
    def test_of_one_that_is_over_it_is_how_it_ended(self, piped, registry, how, expected, merged):
        registry.build = Build(status=how, log=tuple(map(str, range(20_000))))
        assert piped("build -r MyRegistry -t a:1 . -q --no-wait")[0] == 0
        assert piped(f"run logs ca1 -r MyRegistry {merged}")[0] == expected

    def test_nor_does_what_is_printed_at_the_end_change_that(self, piped, registry):
        registry.build = Build(status="Failed")
        assert piped("build -r MyRegistry -t a:1 . -q --no-logs -o json", reader="true")[0] == 1


@pytest.fixture
def person(monkeypatch):
    """Somebody sits there; *again* presses Ctrl-C once more when asked."""

    def person(*, again=False):
        monkeypatch.setattr("registryauth.cli.console.is_terminal", lambda stream: stream is not sys.stdout)
        if again:
            monkeypatch.setattr("registryauth.cli.azure.watching._answer", interrupted)

    def interrupted():
        raise KeyboardInterrupt

    return person


@pytest.mark.parametrize(
    ("said", "ended", "told"),
    [
        ("y\n", "Canceled", "The run ca1 is being canceled."),
        ("n\n", "Running", "The run ca1 goes on."),
        ("\n", "Running", "The run ca1 goes on."),
        ("", "Running", "The run ca1 goes on."),
        ("^C", "Running", "The run ca1 goes on."),
    ],
)
def test_ctrl_c_at_a_terminal_asks_whether_to_cancel(build, azure, registry, person, said, ended, told):
    registry.build = Build(duration=100)
    interrupting(azure)
    person(again=said == "^C")
    done = build("-t", "a:1", ".", stdin=said)
    assert (done.status, registry.runs[0].status) == (130, ended)
    assert "Cancel the run ca1? [y/N]" in done.err
    assert told in done.err
    assert ("azure acr run cancel ca1 --registry MyRegistry" in done.err) is (ended == "Running")


def test_ctrl_c_elsewhere_leaves_the_run_and_says_so(build, azure, registry):
    registry.build = Build(duration=100)
    interrupting(azure)
    done = build("-t", "a:1", ".")
    assert (done.status, registry.runs[0].status, "[y/N]" in done.err) == (130, "Running", False)
    assert "The run ca1 goes on." in done.err


def test_a_run_that_cannot_be_canceled_is_told_of(build, azure, registry, person):
    registry.build = Build(duration=100)
    interrupting(azure)
    azure.fault(server_error("/cancel", status=500), ARM)
    person()
    done = build("-t", "a:1", ".", stdin="y\n")
    assert (done.status, "warning: it could not be canceled" in done.err, "goes on" in done.err) == (130, True, True)


def test_runs_are_listed_shown_followed_and_canceled(build, cli, load, registry, clock):
    assert build("-t", "a:1", "--no-logs", ".").status == 0
    registry.build = Build(duration=100)
    build("-t", "b:1", "--no-wait", ".")
    listed = load("azure", "acr", "run", "list", "-r", "myregistry")
    assert [(one["run_id"], one["status"]) for one in listed["runs"]] == [("ca2", "Running"), ("ca1", "Succeeded")]
    assert [line.split()[:2] for line in cli("azure", "acr", "run", "list", "-r", "myregistry", "--top", "1").out.splitlines()] == [
        ["RUN", "STATUS"], ["ca2", "Running"],
    ]  # fmt: skip
    assert load("azure", "acr", "run", "show", "ca1", "-r", "myregistry")["images"][0]["name"] == "a"
    logs = cli("azure", "acr", "run", "logs", "ca2", "-r", "myregistry")
    assert (logs.status, logs.out.splitlines()[-1]) == (0, "Run ID: ca2 was successful after 1m40s")
    build("-t", "c:1", "--no-wait", ".")
    assert "ca3 is being canceled" in cli("azure", "acr", "run", "cancel", "ca3", "-r", "myregistry").err
    again = cli("azure", "acr", "run", "cancel", "ca3", "-r", "myregistry")
    assert (again.status, again.err) == (0, "The run ca3 is over: Canceled.\n")
    assert cli("azure", "acr", "run", "show", "ca3", "-r", "myregistry").status == 0
    assert cli("azure", "acr", "run", "logs", "ca3", "-r", "myregistry").status == 1
    assert cli("azure", "acr", "run", "show", "none", "-r", "myregistry").status == 3
