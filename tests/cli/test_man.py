"""The manual page: every verb in it, nothing of roff left open, and the files that are shipped."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from registryauth.cli.app import command
from registryauth.cli.manual import page

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/man"


def _verbs(found, path=()):
    if not hasattr(found, "list_commands"):
        yield path, found
        return
    for name in found.list_commands(None):
        yield from _verbs(found.get_command(None, name), (*path, name))


@pytest.fixture(scope="module")
def manual():
    return page(command())


def _read(text):
    """*text* as a reader sees it."""
    text = re.sub(r"^\.(SS|SH|TP|PP|nf|fi|RS 4|RE|B|I|BR|RI|TH) ?", "", text, flags=re.MULTILINE)
    for written, shown in ((r"\-", "-"), (r"\(aq", "'"), (r"\(ga", "`"), (r"\(ti", "~"), (r"\(ha", "^"), (r"\&", ""), (r"\e", "\\")):
        text = text.replace(written, shown)
    return re.sub(r"\\f[BIR]", "", text)


def test_the_page_that_is_shipped_is_the_page_of_these_verbs(manual):
    assert (PAGES / "registryauth.1").read_text() == manual, "run: sh scripts/generated"


def test_every_verb_and_every_option_is_in_it(manual):
    sections = dict(re.findall(r"^\.SS (.*?)\n(.*?)(?=^\.S[SH] |\Z)", manual, re.MULTILINE | re.DOTALL))
    for path, verb in _verbs(command()):
        section = _read(sections[" ".join(path).replace("-", r"\-")])
        for parameter in verb.params:
            if parameter.param_type_name == "argument":
                assert parameter.metavar in section, path
            elif not {"-v", "-q"} & set(parameter.opts) and not parameter.hidden:
                assert all(name in section for name in parameter.opts), (path, parameter.opts)
                assert " ".join(parameter.help.split()).replace("…", "...") in section, (path, parameter.opts)


@pytest.mark.parametrize("section", ["NAME", "SYNOPSIS", "OPTIONS", "VERBS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"])
def test_it_has_the_sections_that_a_manual_has(manual, section):
    assert f"\n.SH {section}\n" in manual


@pytest.mark.parametrize("status", [*range(8), 130])
def test_every_exit_status_is_explained(manual, status):
    assert re.search(rf"^\.TP\n\.B {status}\n\w", manual, re.MULTILINE)


def test_the_refused_password_and_hidden_verbs_are_not_in_it(manual):
    assert r"\-\-password\fR" not in manual


@pytest.mark.parametrize("path", sorted(PAGES.iterdir()), ids=lambda path: path.name)
def test_no_line_of_a_page_is_a_request_by_accident(path):
    known = {"TH", "SH", "SS", "TP", "PP", "B", "I", "BR", "RI", "RS", "RE", "nf", "fi"}
    for line in path.read_text().splitlines():
        assert not line.startswith("'"), line
        assert not line.startswith(".") or line[1:].split(" ")[0] in known, line
        assert line.isascii(), line


def test_an_installation_puts_a_page_for_each_program_where_man_looks():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"] == {"docs/man": "share/man/man1"}
    assert {path.name for path in PAGES.iterdir()} == {f"{program}.1" for program in project["project"]["scripts"]}


def test_it_is_printed_with_nothing_around_it(cli, manual):
    done = cli("man")
    assert (done.status, done.out, done.err) == (0, manual, "")
