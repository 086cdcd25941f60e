"""The official OCI distribution conformance suite against the simulator (docs/conformance.md has the results).

REGISTRYAUTH_OCI_CONFORMANCE names the suite's binary, of version 1.1.1 or later; without it, Go builds the latest
that is pinned here.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registryauth.testing import Features, RegistrySimulator

from .programs import run

# Building it from nothing takes two minutes on two cores.
pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

SUITE = "github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111"

# Read here, because a test's environment no longer has it.
NAMED = os.environ.get("REGISTRYAUTH_OCI_CONFORMANCE", "")
HOME = os.environ.get("HOME", "")

USERNAME, PASSWORD = "conformance", "s3cret:with:colon"


@pytest.fixture(scope="module")
def suite(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The suite's binary; skips without one."""
    if NAMED:
        yield Path(NAMED)
        return
    directory = tmp_path_factory.mktemp("go")
    built = run([program("go"), "install", SUITE], env={"GOBIN": str(directory), "HOME": HOME}, timeout=550, check=False)
    if built.returncode:
        said = (built.stderr.decode(errors="replace").strip().splitlines() or ["nothing"])[-1]
        pytest.skip(f"go could not build the conformance suite: {said}")
    yield directory / "conformance"


def conform(suite: Path, simulator: RegistrySimulator, results: Path, **settings: str) -> tuple[dict[str, int], str]:
    """Run *suite*: how many of its tests ended how, and what it printed."""
    with simulator.serve() as host:
        # The first block is of the suite after 1.1.1, the second of 1.1.1; neither minds the other's.
        settings = {
            "OCI_REGISTRY": host,
            "OCI_TLS": "disabled",
            "OCI_RESULTS_DIR": str(results),
            "OCI_ROOT_URL": f"http://{host}",
            "OCI_NAMESPACE": "conformance/one",
            "OCI_CROSSMOUNT_NAMESPACE": "conformance/two",
            "OCI_AUTOMATIC_CROSSMOUNT": "1",
            "OCI_TEST_PULL": "1",
            "OCI_TEST_PUSH": "1",
            "OCI_TEST_CONTENT_DISCOVERY": "1",
            "OCI_TEST_CONTENT_MANAGEMENT": "1",
            "OCI_REPORT_DIR": str(results),
            "OCI_USERNAME": USERNAME,
            "OCI_PASSWORD": PASSWORD,
        } | settings
        done = run([suite], env=settings, timeout=300, check=False)
    ended = Counter(test.get("status", "") for test in ElementTree.parse(results / "junit.xml").iter("testcase"))
    assert set(ended) <= {"passed", "skipped", "failed", "failure", "error"}, ended
    counts = {"passed": ended["passed"], "skipped": ended["skipped"], "failed": ended["failed"] + ended["failure"] + ended["error"]}
    assert (done.returncode == 0) == (counts["failed"] == 0), done
    return counts, (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.parametrize("auth", ["none", "basic", "token"])
def test_the_simulator_conforms(suite, auth, tmp_path):
    simulator = RegistrySimulator(auth=auth, accounts={USERNAME: PASSWORD})
    ended, said = conform(suite, simulator, tmp_path)
    assert ended["failed"] == 0, said
    assert ended["passed"] >= 75
    assert ended["skipped"] <= 4
    assert any(request.header("authorization") for request in simulator.requests) == (auth != "none")


def test_the_simulator_conforms_to_what_comes_after_1_1(suite, tmp_path):
    simulator = RegistrySimulator(auth="token", accounts={USERNAME: PASSWORD}, features=Features(sparse=True))
    ended, said = conform(suite, simulator, tmp_path, OCI_VERSION="dev", OCI_DATA_SPARSE="true")
    assert ended["failed"] == 0, said


def test_the_simulator_conforms_with_every_strictness(suite, tmp_path):
    strict = Features(chunk_minimum=1024, upload_state=True, absolute_locations=True, warnings=("be warned",), rate_limit=(100_000, 3600))
    ended, said = conform(suite, RegistrySimulator(auth="none", features=strict), tmp_path)
    assert ended["failed"] == 0, said


def test_the_suite_notices_a_registry_without_referrers(suite, tmp_path):
    ended, _ = conform(suite, RegistrySimulator(auth="none", features=Features(referrers=False)), tmp_path)
    assert ended["failed"] > 0
