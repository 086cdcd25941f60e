from __future__ import annotations

import json
import subprocess
import sys

import pytest

from registryauth import demo
from registryauth.cli import run
from registryauth.errors import Error


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


def test_a_tour_that_is_left_early_leaves_nothing_either(temporary):
    tour = demo.tour()
    next(tour)
    next(tour)
    tour.close()
    assert list(temporary.iterdir()) == []


def test_modules_that_lie_about_in_the_current_directory_are_not_run(tmp_path, monkeypatch, capsys, temporary):
    (tmp_path / "json.py").write_text("raise SystemExit('planted')")
    (tmp_path / "registryauth.py").write_text("raise SystemExit('planted')")
    monkeypatch.chdir(tmp_path)
    tour = demo.tour()
    next(tour)
    assert "verified" in next(tour).output
    tour.close()


def test_settings_of_the_person_s_own_have_no_part_in_it(monkeypatch, temporary):
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", "/dev/null/x")
    monkeypatch.setenv("REGISTRYAUTH_PASSWORD", "half a login is an error")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "not json")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    tour = demo.tour()
    next(tour)
    assert "Stored demo-reader" in next(tour).output
    assert "demo-reader" in next(tour).output
    tour.close()


def test_a_command_that_fails_or_hangs_is_an_error_that_names_it(tmp_path, monkeypatch):
    shell = demo._Shell(str(tmp_path))
    with pytest.raises(Error, match=r"(?s)'registryauth bogus' ended with 2: .*No such command") as failure:
        shell.run("bogus")
    assert failure.value.hint
    monkeypatch.setattr(demo, "_TIMEOUT", 0.001)
    with pytest.raises(Error, match="'registryauth list' did not end within"):
        shell.run("list")


def test_content_that_is_not_what_its_digest_says_ends_the_tour():
    with pytest.raises(Error, match="manifest"):
        demo._verify("manifest", b"x", "sha256:" + "0" * 64)


def test_it_runs_as_a_program_with_an_empty_environment(home):
    done = subprocess.run([sys.executable, "-m", "registryauth", "demo"], env={"HOME": str(home)}, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"All of it was verified." in done.stdout
    assert json.loads(next(line for line in done.stdout.splitlines() if b"ServerURL" in line))["Username"] == "demo-reader"
    assert list(home.iterdir()) == []
