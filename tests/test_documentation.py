"""What README and docs show is what happens: every command in them is run here or, with skopeo and docker, in tests/real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from registryauth.cli import app
from registryauth.testing import RegistrySimulator

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
ACCOUNT, PASSWORD = "0f5c2f6e-client-id", "a secret: with colons and spaces"
HOST = "myregistry.azurecr.io"
#: Programs of others; their lines run in tests/real/test_documentation.py.
FOREIGN = ("skopeo", "docker")


def commands(page: Path) -> list[str]:
    """The lines behind a prompt in the page's console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def a_registry() -> RegistrySimulator:
    """The registry that the documentation speaks of."""
    registry = RegistrySimulator(auth="token", accounts={ACCOUNT: PASSWORD})
    registry.add_image("team/model", "v1", layers=[b"a layer"])
    return registry


def environment() -> dict[str, str]:
    """This test's environment with our programs on PATH."""
    return os.environ | {"PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))}


def run_lines(lines: list[str], host: str, directory: Path, env: dict[str, str]) -> None:
    """Run each line in one directory, as a person would, one after the other."""
    (directory / "secret.txt").write_text(PASSWORD + "\n")
    for line in lines:
        done = subprocess.run(["sh", "-c", line.replace(HOST, host)], cwd=directory, env=env, capture_output=True, timeout=60)
        assert done.returncode == 0, f"{line}\n{done.stdout.decode()}\n{done.stderr.decode()}"


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_shown_works(page: Path, tmp_path: Path) -> None:
    with a_registry().serve() as host:
        run_lines([line for line in commands(page) if not line.startswith(FOREIGN)], host, tmp_path, environment())


def test_the_python_shown_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with a_registry().serve() as host:
        for name, value in (("REGISTRY", host), ("USERNAME", ACCOUNT), ("PASSWORD", PASSWORD)):
            monkeypatch.setenv(f"REGISTRYAUTH_{name}", value)
        exec(compile(block.replace(HOST, host), "README.md", "exec"), {})
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"a layer"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_named_exists(page: Path) -> None:
    named = set(re.findall(r"[`']registryauth ([a-z]+)(?! id)\b", page.read_text()))
    assert named <= set(app._VERBS), named - set(app._VERBS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_no_page_names_the_machine_it_was_written_on() -> None:
    for page in PAGES:
        assert not re.search(r"/work/|/tmp/(?!registryauth)|/root/", page.read_text()), page
