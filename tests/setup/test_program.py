from __future__ import annotations

import os

import pytest

from registryauth.setup.program import HELPER, about_path, installed


@pytest.fixture
def python(tmp_path):
    """The interpreter of an installation that has our helper; its directory may have a space in its name, as people's do."""
    program = tmp_path / "a venv/bin" / HELPER
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program.parent / "python")


def test_what_is_on_path_needs_no_word(python):
    assert about_path({"PATH": os.path.dirname(python)}, python) == ()


def test_what_is_not_on_path_is_linked_where_the_user_has_such_a_place(python):
    [said] = about_path({"PATH": "/usr/bin:/home/me/.local/bin", "HOME": "/home/me"}, python)
    assert f"{HELPER} is not on PATH" in said
    assert said.endswith(f"ln -s '{os.path.dirname(python)}/{HELPER}' /home/me/.local/bin/")


def test_else_where_every_user_has_one(python):
    [said] = about_path({"PATH": "/usr/bin", "HOME": "/home/me"}, python)
    assert f"ln -s '{os.path.dirname(python)}/{HELPER}' /usr/local/bin/" in said


def test_a_virtual_environment_is_active_in_one_shell_only(python):
    environ = {"PATH": os.path.dirname(python), "VIRTUAL_ENV": os.path.dirname(os.path.dirname(python))}
    [said] = about_path(environ, python)
    assert "only while the virtual environment" in said
    assert "ln -s" in said
    assert about_path(environ | {"VIRTUAL_ENV": "/elsewhere"}, python) == ()


def test_an_entry_of_path_that_is_relative_does_not_count(python, monkeypatch):
    monkeypatch.chdir(os.path.dirname(python))
    assert "is not on PATH" in about_path({"PATH": ".:"}, python)[0]


def test_an_installation_without_it_is_told_to_install_again(tmp_path):
    assert installed(HELPER, str(tmp_path / "python")) == ""
    assert "install registryauth again" in about_path({"PATH": ""}, str(tmp_path / "python"))[0]
