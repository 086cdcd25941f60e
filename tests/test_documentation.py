"""What README and docs show is what happens: every command in them is run here or, with skopeo and docker, in tests/real."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from registryauth.cli import app
from registryauth.testing import RegistrySimulator, VaultSimulator
from registryauth.testing.file_systems import add_base_image

from .azure_cloud import SECRET as AZURE_SECRET
from .azure_cloud import signed_in

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
ACCOUNT, PASSWORD, NEXT = "0f5c2f6e-client-id", "a secret: with colons and spaces", "the next secret, from the issuer"
HOST = "myregistry.azurecr.io"
VAULT, VAULT_TOKEN = "https://vault.example.com:8200", "s.token-of-the-documentation"
#: Programs of others; their lines run in tests/real/test_documentation.py.
FOREIGN = ("skopeo ", "docker ")


def sessions(page: Path) -> list[tuple[str, str]]:
    """Each line behind a prompt in the page's console blocks, and what is shown below it, up to the next."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert all(block.startswith("$ ") for block in blocks), f"{page} shows output of no command"
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(line, shown.rstrip()) for line, _, shown in (part.partition("\n") for part in parts)]


def commands(page: Path) -> list[str]:
    """The lines behind a prompt in the page's console blocks."""
    return [line for line, _ in sessions(page)]


class Either(str):
    """The secret, and the next one, which the registry takes as well, as it does while one is rotated."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return other in (str(self), NEXT)


def a_registry(page: Path | None = None) -> RegistrySimulator:
    """The registry that the documentation speaks of, with a base image where *page* has one."""
    registry = RegistrySimulator(auth="token", accounts={ACCOUNT: Either(PASSWORD)})
    registry.add_image("team/model", "v1", layers=[b"a layer"])
    if page and "team/base" in page.read_text():
        add_base_image(registry, "team/base", "v1")
    return registry


def environment() -> dict[str, str]:
    """This test's environment with our programs on PATH, their streams in the order in which a terminal shows them."""
    return os.environ | {"PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"])), "PYTHONUNBUFFERED": "1"}


def run_lines(lines: list[str], host: str, directory: Path, env: dict[str, str]) -> list[str]:
    """Run each line in one directory, as a person would, one after the other; what each shows on a terminal."""
    (directory / "secret.txt").write_text(PASSWORD + "\n")
    (directory / "next.txt").write_text(NEXT + "\n")
    said = []
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line.replace(HOST, host)], cwd=directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
        )
        said.append(done.stdout.decode())
        assert done.returncode == 0, f"{line}\n{said[-1]}"
    return said


def as_documented(said: str, host: str, env: dict[str, str]) -> str:
    """What was *said* here as it is said to the person that the documentation speaks of."""
    theirs = {host: HOST, env["HOME"]: "/home/me", env["XDG_RUNTIME_DIR"]: "/run/user/1000"}
    for ours, name in theirs.items():
        said = said.replace(ours, name)
    return comparable(said)


def comparable(text: str) -> str:
    """*text* without the day, and without the width of a table's columns, which goes by the length of the names in it."""
    text = re.sub(r"\b20\d\d-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", "DATE", text)
    return re.sub(r" {2,}", "  ", text).rstrip()


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_shown_works_and_prints_what_is_shown(page: Path, tmp_path: Path, home: Path) -> None:
    """Where a page shows any output, it shows all of it. Pages on Azure are read by somebody who is signed in there."""
    ours = [(line, shown) for line, shown in sessions(page) if not line.startswith(FOREIGN)]
    env = environment()
    azure = page.name.startswith("azure")
    with (
        signed_in(page, home) if azure else nullcontext({}) as more,
        a_registry(page).serve() as served,
        VaultSimulator(token=VAULT_TOKEN).serve() as vault,
    ):
        # Azure's registries are reached under their own names.
        env, host = env | more, HOST if azure else served
        lines = [line.replace(VAULT, f"http://{vault}") for line, _ in ours]
        said = [text.replace(f"http://{vault}", VAULT) for text in run_lines(lines, host, tmp_path, env | {"VAULT_TOKEN": VAULT_TOKEN})]
    if not any(shown for _, shown in ours):
        return
    for (line, shown), real in zip(ours, said, strict=True):
        assert as_documented(real, host, env) == comparable(shown), f"{page.name} shows something else below: {line}"


def test_the_comparison_notices_every_other_difference() -> None:
    env = {"HOME": "/tmp/h", "XDG_RUNTIME_DIR": "/tmp/r"}
    said = "REGISTRY        VERIFIED\n127.0.0.1:4711  2026-11-22T10:00:00Z\n/tmp/h/x /tmp/r/y\n"
    shown = f"REGISTRY               VERIFIED\n{HOST}  2027-01-01T00:00:00Z\n/home/me/x /run/user/1000/y"
    assert as_documented(said, "127.0.0.1:4711", env) == comparable(shown)
    for other in (shown + "\nmore", shown.replace("x", "z"), shown.replace("VERIFIED", "Verified"), shown.partition("\n")[0], ""):
        assert as_documented(said, "127.0.0.1:4711", env) != comparable(other)


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command that does something, as it is typed."""
    if not hasattr(command, "list_commands"):
        yield " ".join(path)
        return
    for name in command.list_commands(None):
        yield from verbs(command.get_command(None, name), (*path, name))


def test_every_verb_is_shown_with_what_it_prints() -> None:
    lines = [line for page in PAGES for line in commands(page)]
    known = set(verbs(app.command()))
    assert {"login", "principal add", "manifest get", "artifact push"} <= known
    missing = {verb for verb in known if not any(re.search(rf"(?:^|[ ;|(])registryauth {verb}(?: |$|;)", line) for line in lines)}
    assert missing == set()
    assert any("docker-credential-registryauth get" in line for line in lines)


def test_no_page_shows_the_secret() -> None:
    login = base64.b64encode(f"{ACCOUNT}:{PASSWORD}".encode()).decode()
    for page in PAGES:
        assert PASSWORD not in page.read_text(), page
        assert NEXT not in page.read_text(), page
        assert AZURE_SECRET not in page.read_text(), page
        assert login not in page.read_text(), page


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
        assert not [place for place in (str(ROOT), os.path.expanduser("~root") + "/") if place in page.read_text()], page
