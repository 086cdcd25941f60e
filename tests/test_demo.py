from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import threading

import pytest

from registryauth.cli import run
from registryauth.demo import azure_tour, registry_tour, stage
from registryauth.errors import Error
from registryauth.testing.azure import AzureSimulator, Build


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files go in this test; the tour's home is made there."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def test_the_tour_shows_every_step_with_the_command_that_it_ran_and_no_secret(capsys, home, temporary, monkeypatch):
    monkeypatch.setattr("secrets.token_urlsafe", lambda *_: "canary-of-the-tour")
    assert run(["demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "canary" not in out
    commands = [line.strip() for line in out.splitlines() if line.strip().startswith("$")]
    for expected in (
        "registryauth principal add 127.0.0.1:",
        "--secret-stdin",
        "registryauth resolve 127.0.0.1:",
        "registryauth resolve --explain",
        "registryauth manifest get",
        "registryauth blob get",
        "docker-credential-registryauth get",
        "registryauth setup docker",
        "registryauth logout",
    ):
        assert any(expected in command for command in commands), expected
    assert [line.partition(".")[0] for line in out.splitlines() if line[:1].isdigit()] == [str(n) for n in range(1, 10)]
    # Nothing is left: not in the tour's home, not in the person's.
    assert list(temporary.iterdir()) == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("story", [registry_tour, azure_tour])
def test_a_tour_that_is_left_early_leaves_nothing_either(story, temporary):
    threads = threading.active_count()
    tour = story.tour()
    next(tour)
    next(tour)
    assert list(temporary.iterdir())
    tour.close()
    assert list(temporary.iterdir()) == []
    assert threading.active_count() == threads


def test_modules_that_lie_about_in_the_current_directory_are_not_run(tmp_path, monkeypatch, capsys, temporary):
    (tmp_path / "json.py").write_text("raise SystemExit('planted')")
    (tmp_path / "registryauth.py").write_text("raise SystemExit('planted')")
    monkeypatch.chdir(tmp_path)
    tour = registry_tour.tour()
    next(tour)
    assert "verified" in next(tour).output
    tour.close()


def test_settings_of_the_person_s_own_have_no_part_in_it(monkeypatch, temporary):
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", "/dev/null/x")
    monkeypatch.setenv("REGISTRYAUTH_PASSWORD", "half a login is an error")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "not json")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    tour = registry_tour.tour()
    next(tour)
    assert "Stored demo-reader" in next(tour).output
    assert "demo-reader" in next(tour).output
    tour.close()


def test_a_command_that_fails_or_hangs_is_an_error_that_names_it(monkeypatch):
    with stage.staged() as played:
        with pytest.raises(Error, match=r"(?s)'registryauth bogus' ended with 2: .*No such command") as failure:
            played.run("bogus")
        assert failure.value.hint
        with pytest.raises(Error, match=r"(?s)'registryauth bogus' ended with 2: .*No such command"):
            played.show("It fails", "bogus")
        monkeypatch.setattr(stage, "_TIMEOUT", 0.001)
        with pytest.raises(Error, match="'registryauth list' did not end within"):
            played.run("list")


def test_a_command_that_has_to_fail_shows_how_it_does_and_may_not_end_well():
    with stage.staged() as played:
        step = played.show("Nothing is stored", "resolve", "registry.example/image", status=3)
        assert step.output.startswith("error: ")
        assert step.output.endswith("(exit status 3)")
        with pytest.raises(Error, match="'registryauth list' ended with 0"):
            played.show("Nothing is stored", "list", status=3)


def test_content_that_is_not_what_its_digest_says_ends_the_tour():
    with pytest.raises(Error, match="manifest"):
        registry_tour._verify("manifest", b"x", "sha256:" + "0" * 64)


def test_it_runs_as_a_program_with_an_empty_environment(home):
    done = subprocess.run([sys.executable, "-m", "registryauth", "demo"], env={"HOME": str(home)}, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"All of it was verified." in done.stdout
    assert json.loads(next(line for line in done.stdout.splitlines() if b"ServerURL" in line))["Username"] == "demo-reader"
    assert list(home.iterdir()) == []


class Recorded(AzureSimulator):
    """The last one that was made, for a look at what it held."""

    last: Recorded

    def __init__(self):
        super().__init__()
        Recorded.last = self

    def secrets(self):
        """Every secret and every token that there was, whoever had it."""
        apps = self.home.apps
        yield from (secret.value for app in apps for secret in (*app.secrets, *app.principal_secrets))
        yield from (password for registry in self.registries for password in registry.admin_passwords.values())
        for request in self.requests:
            said = " ".join([*(value for _, value in request.headers), str(request.url), request.body.decode(errors="replace")])
            yield from re.findall(r"[\w+/=-]{20,}\.[\w+/=-]{20,}\.[\w+/=-]+", said)
            yield from re.findall(r"(?<=sig=)[^&\s]+|(?<=client_secret=)[^&\s]+|(?<=Basic )\S+", said)


@pytest.fixture(scope="module")
def azure_story(tmp_path_factory):
    """What `registryauth demo --azure` did, run once: its exit status, what it wrote, what is left, and the Azure that it was in."""
    place, home = tmp_path_factory.mktemp("tmp"), tmp_path_factory.mktemp("home")
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        patch.setattr("tempfile.tempdir", str(place))
        patch.setattr(azure_tour, "AzureSimulator", Recorded)
        patch.setenv("HOME", str(home))
        # Whose own settings have no part in it.
        patch.setenv("AZURE_CLIENT_SECRET", "canary-of-the-person")
        patch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        patch.setenv("NO_PROXY", "*")
        status = run(["demo", "--azure"])
    return status, out.getvalue(), err.getvalue(), [*place.iterdir(), *home.iterdir()], Recorded.last


def test_the_azure_tour_follows_the_how_to_step_by_step(azure_story):
    status, out, err, _, _ = azure_story
    assert (status, err) == (0, "")
    commands = [line.strip() for line in out.splitlines() if line.startswith("   $ ")]
    expected = [
        "(embedded: Entra",
        "cat ~/.config/registryauth/config.toml",
        "registryauth azure workspace-registry my-workspace",
        "registryauth azure workspace-registry my-workspace",
        "registryauth resolve azureml/azureml_",
        "registryauth digest azureml/azureml_",
        "cat Dockerfile",
        "registryauth azure acr build --image base:v1 --registry cr",
        "registryauth image check cr",
        "registryauth azure principal create deploy-tool --registry demoregistry",
        "registryauth principal verify demoregistry.azurecr.io/team/base",
        "registryauth resolve demoregistry.azurecr.io/team/base:v1",
        "registryauth resolve mcr.microsoft.com/",
        "registryauth resolve demoregistry.azurecr.io/team/base:v1 --format azureml-environment",
        "registryauth resolve cr",
        "registryauth azureml check --ic inferenceconfig.json",
        "registryauth principal list --expiring",
        "registryauth principal rotate demoregistry.azurecr.io --source entra",
        "registryauth resolve demoregistry.azurecr.io/team/base:v1 --format azureml-environment",
        "registryauth principal prune --all",
    ]
    assert len(commands) == len(expected)
    for command, beginning in zip(commands, expected, strict=True):
        assert command.startswith(f"$ {beginning}")
    assert [line.partition(".")[0] for line in out.splitlines() if line[:1].isdigit()] == [str(n) for n in range(1, 21)]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("A new workspace has none", "has no container registry yet"),
        ("A new workspace has none", "(exit status 3)"),
        ("with that Azure ML makes a registry", "login server    cr"),
        ("The image of a run", "  workspace  workspace  <token>"),
        ("is built in the workspace's registry", "Run ID: ca1 was successful"),
        ("is built in the workspace's registry", "/base:v1@sha256:"),
        ("Does it have what Azure ML asks for?", "conda       4.5.#+          4.5.12        pass"),
        ("a service principal: it is made", "AcrPull at demoregistry.azurecr.io"),
        ("Can it pull", "ok: can pull"),
        ("A deploy tool resolves", "standalone  store"),
        ("A public image", "(none needed)"),
        ("the environment has all three", '"password": "(in the file, not shown here)"'),
        ("no secret", '"password": null'),
        ("Who pulls", "can          yes"),
        ("within 90 days", "expiring"),
        ("the next one", "secret 2 is current, verified"),
        ("The old one is removed", "at Entra"),
    ],
)
def test_each_step_shows_what_came_of_it(azure_story, title, shown):
    _, out, _, _, _ = azure_story
    (part,) = [part for part in re.split(r"^(?=\d+\. )", out, flags=re.MULTILINE) if title in part.partition("\n")[0]]
    assert shown in part


def test_it_says_that_azure_is_simulated_and_so_does_its_help(azure_story, capsys):
    assert "it is simulated, and nothing reaches the real one" in azure_story[1].splitlines()[0]
    assert "Azure was simulated" in azure_story[1].splitlines()[-1]
    assert run(["demo", "--help"]) == 0
    assert "nothing reaches the real one" in " ".join(capsys.readouterr().out.split())


def test_no_secret_of_anybody_is_in_what_it_shows_and_nothing_is_left(azure_story):
    _, out, _, left, azure = azure_story
    secrets = {*azure.secrets(), "canary-of-the-person"}
    # Client secrets, admin passwords, tokens, signatures of links, logins: the canaries are there.
    for kind in (r"..._?8Q~", r"[0-9a-f]{52}$", r"eyJ", r"[\w%+/=-]{40,}$", r"[A-Za-z0-9+/]{60,}=*$"):
        assert any(re.match(kind, secret) for secret in secrets), kind
    assert [secret for secret in secrets if secret in out] == []
    assert left == []


def test_the_secret_that_was_replaced_is_gone_from_its_application_and_no_other_is(azure_story):
    azure = azure_story[-1]
    left = {app.name: [secret.removed_at is None for secret in app.secrets] for app in azure.home.apps}
    assert left == {"me": [True], "deploy-tool": [False, True]}


def test_a_build_that_fails_ends_the_tour_with_what_it_said(monkeypatch):
    monkeypatch.setattr(azure_tour, "_DOCKERFILE", "FROM nobodys.azurecr.io/os:1\n")
    monkeypatch.setattr(azure_tour, "_workspace_registry", lambda *_: iter(()))
    monkeypatch.setattr(azure_tour, "Build", lambda image: Build(status="Failed", error="out of disk"))
    tour = azure_tour.tour()
    assert next(tour).command == "cat Dockerfile"
    with pytest.raises(Error, match=r"(?s)azure acr build .* ended with 1: .*out of disk"):
        next(tour)
