"""Every way of installing that the README names ends with two programs that run; from a copy of this work tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from registryauth import __version__

from .user import User

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
# Read here, because a test's environment no longer has it: how this machine reaches a package index.
_NETWORK = {name: value for name, value in os.environ.items() if name.upper().endswith("_PROXY") or name.startswith("SSL_CERT_")}


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that this one's environment was made from, with its pip."""
    for path in (Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"), Path(sys.base_prefix, "bin", "python3")):
        if path.exists() and subprocess.run([path, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return str(path)
    pytest.skip(f"{sys.base_prefix} has no pip")


@pytest.fixture(scope="session")
def _index(python, tmp_path_factory) -> None:
    """Skips the test where pip cannot fetch a package."""
    argv = [python, "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "-d", tmp_path_factory.mktemp("index"), "hatchling"]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=60, env={**os.environ, **_NETWORK})
    except subprocess.TimeoutExpired:
        pytest.skip("pip reaches no package index within a minute")
    if done.returncode:
        pytest.skip("pip reaches no package index")


@pytest.fixture(scope="session")
def files() -> list[str]:
    """What a clone of this work tree would hold, changes not committed included."""
    try:
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git does not know this work tree")
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture
def checkout(files, tmp_path) -> Path:
    """A copy of the work tree, with a space in its path."""
    top = tmp_path / "a clean checkout"
    for name in files:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, top / name)
    return top


@pytest.fixture
def newcomer(home, python, _index) -> User:
    """Somebody with an empty home, the way to the package index, and nothing of ours on PATH."""
    user = User(home, {**_NETWORK, "PYTHON": python, "PIPX_DEFAULT_PYTHON": python, "UV_PYTHON": python})
    user.environ["PATH"] = os.environ["PATH"]
    return user


def check_installed(newcomer: User, programs: Path, checkout: Path) -> None:
    """Both programs in *programs* run without the checkout, and the package brought the file that `config init` writes."""
    example = (checkout / "config.example.toml").read_bytes()
    checkout.rename(checkout.with_name("moved away"))
    assert newcomer.run(programs / "registryauth", "--version").stdout == f"registryauth {__version__}\n"
    assert __version__ in newcomer.run(programs / "docker-credential-registryauth", "version").stdout
    assert newcomer.run(programs / "docker-credential-registryauth", "list").stdout == "{}\n"
    written = newcomer.run(programs / "registryauth", "config", "path").stdout.strip()
    newcomer.run(programs / "registryauth", "config", "init")
    assert Path(written).read_bytes() == example
    demo = newcomer.run(programs / "registryauth", "demo")
    assert "Traceback" not in demo.stdout + demo.stderr


def test_pip_installs_it(newcomer, python, checkout, tmp_path):
    environment = tmp_path / "venv"
    newcomer.run(python, "-m", "venv", "--without-pip", environment)
    pip = [python, "-m", "pip", "--python", environment / "bin" / "python", "install", "--disable-pip-version-check", "-q"]
    newcomer.run(*pip, checkout, timeout=300)
    check_installed(newcomer, environment / "bin", checkout)
    leaves = newcomer.run(environment / "bin" / "python", "-c", "import registryauth, sys; print(len(sys.modules))")
    assert int(leaves.stdout) < 100


def test_the_wheel_holds_the_package_and_nothing_else(newcomer, python, checkout, tmp_path):
    pip = [python, "-m", "pip", "wheel", "--disable-pip-version-check", "-q", "--no-deps", "-w", tmp_path / "wheel"]
    newcomer.run(*pip, checkout, timeout=300)
    (wheel,) = (tmp_path / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    made = {"registryauth", *(f"registryauth-{__version__}.{kind}" for kind in ("dist-info", "data"))}
    assert {name.partition("/")[0] for name in names} == made
    manuals = {name.rpartition("/")[2] for name in names if ".data/" in name}
    assert manuals == {"registryauth.1", "docker-credential-registryauth.1", "registryauth-credential-provider.1"}
    assert all("/data/share/man/man1/" in name for name in names if ".data/" in name)
    assert {f"registryauth/cli/complete/{name}" for name in ("verbs.json", "registryauth.bash", "registryauth.zsh")} <= set(names)
    assert {"registryauth/config.example.toml", "registryauth/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_uv_installs_it(newcomer, checkout, program, tmp_path):
    uv = program("uv")
    newcomer.environ |= {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    newcomer.run(uv, "tool", "install", checkout, timeout=300)
    check_installed(newcomer, tmp_path / "bin", checkout)


def test_pipx_installs_it(newcomer, checkout, program, tmp_path):
    pipx = program("pipx")
    newcomer.environ |= {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    newcomer.run(pipx, "install", checkout, timeout=300)
    check_installed(newcomer, tmp_path / "bin", checkout)


def test_quickstart_runs_the_main_job_from_nothing(newcomer, checkout):
    done = newcomer.run("sh", checkout / "scripts" / "quickstart", timeout=300)
    assert "registryauth principal add" in done.stdout
    assert "docker-credential-registryauth get" in done.stdout
    assert (checkout / ".venv" / "bin" / "registryauth").exists()
    # The tour keeps nothing.
    assert json.loads(newcomer.run(checkout / ".venv" / "bin" / "registryauth", "list", "-o", "json").stdout)["registries"] == []

    # The second time nothing is installed, so that no index is needed.
    newcomer.environ["PIP_NO_INDEX"] = "1"
    again = newcomer.run("sh", checkout / "scripts" / "quickstart", timeout=300)
    assert "installing" not in again.stderr
    assert "registryauth principal add" in again.stdout


def test_scripts_test_runs_the_tests_of_a_clean_checkout(newcomer, checkout):
    done = newcomer.run("sh", checkout / "scripts" / "test", "-q", "tests/test_digest.py", "tests/test_reference.py", timeout=300)
    assert " passed" in done.stdout


def test_an_old_python_is_told_so(newcomer, checkout, tmp_path):
    old = tmp_path / "python3.10"
    old.write_text('#!/bin/sh\nexec "$REAL" -c "import sys; sys.version_info = (3, 10, 0); exec(sys.stdin.read())"\n')
    old.chmod(0o755)
    newcomer.environ |= {"REAL": newcomer.environ["PYTHON"], "PYTHON": str(old)}
    done = newcomer.run("sh", checkout / "scripts" / "quickstart", check=False)
    assert done.returncode == 1
    assert "registryauth needs Python 3.11 or newer" in done.stderr
    assert not (checkout / ".venv").exists()
