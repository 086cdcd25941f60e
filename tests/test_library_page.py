"""docs/library.md: every block runs, in order, in one directory, and prints what is shown below it."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.testing import RegistrySimulator

PAGE = Path(__file__).parent.parent / "docs/library.md"
HOST, ACCOUNT, PASSWORD = "myregistry.azurecr.io", "0f5c2f6e-client-id", "canary: of the library's page"
#: Each python block, and the text block right below it.
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```$)?", PAGE.read_text(), re.MULTILINE | re.DOTALL)
SCRIPTS = [(code, shown) for code, shown in BLOCKS if "import pytest" not in code]
TESTS = [code for code, _ in BLOCKS if "import pytest" in code]
#: Keeps what it is given.
KUBECTL = '#!/bin/sh\n[ "$*" = "apply -f -" ] && cat > applied.yaml\n'


class Environment:
    """As azureml-core 1.61 makes one."""

    def __init__(self, name):
        self.name = name
        registry = SimpleNamespace(address=None, username=None, password=None)
        self.docker = SimpleNamespace(enabled=False, base_image="default", base_image_registry=registry)


@pytest.fixture
def host(home, tmp_path, monkeypatch):
    """The registry's address; its account is in the store, kubectl on PATH, azureml-core importable."""
    azureml, core = ModuleType("azureml"), ModuleType("azureml.core")
    azureml.core, core.Environment = core, Environment
    monkeypatch.setitem(sys.modules, "azureml", azureml)
    monkeypatch.setitem(sys.modules, "azureml.core", core)
    kubectl = home / "bin/kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{kubectl.parent}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    registry = RegistrySimulator(accounts={ACCOUNT: PASSWORD})
    registry.add_image("team/model", "v1", layers=[b"a layer"])
    with registry.serve() as host:
        store = open_store(key="file")
        store.put(Principal(Address.parse(host), ACCOUNT, (Slot(PASSWORD),)))
        store.close()
        yield host


def test_every_script_prints_what_is_shown(host, tmp_path, capsys):
    assert len(SCRIPTS) >= 8
    for number, (code, shown) in enumerate(SCRIPTS, 1):
        here = code.replace(f"https://{HOST}", f"http://{host}").replace(HOST, host)
        exec(compile(here, f"library.md block {number}", "exec"), {"__name__": "__main__"})
        said = capsys.readouterr().out.replace(host, HOST)
        assert said == shown, f"block {number} prints something else:\n{code}"
        assert PASSWORD not in said
    assert (tmp_path / "weights.bin").exists()

    applied = yaml.safe_load((tmp_path / "applied.yaml").read_text())
    assert [applied["kind"], *map(applied["metadata"].get, ("name", "namespace"))] == ["Secret", "registry-pull", "production"]
    auths = json.loads(base64.b64decode(applied["data"][".dockerconfigjson"]))["auths"]
    assert [base64.b64decode(entry["auth"]).decode() for entry in auths.values()] == [f"{ACCOUNT}:{PASSWORD}"]

    written = tmp_path / "azureml_environment.json"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert json.loads(written.read_text())["docker"]["baseImageRegistry"] == {"address": host, "username": ACCOUNT, "password": PASSWORD}


@pytest.mark.parametrize("code", TESTS, ids=["fixtures", "store"])
def test_every_test_shown_passes(code, tmp_path, monkeypatch):
    (tmp_path / "test_shown.py").write_text(code)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    monkeypatch.setenv("PYTHONPATH", str(PAGE.parent.parent))
    # By name, however this package was installed; tests/testing/test_plugin.py has the entry point.
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:registryauth", "-p", "registryauth.testing.plugin"]
    done = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[1-9][0-9]* passed in", done.stdout, re.MULTILINE), done.stdout
