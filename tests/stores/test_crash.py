"""The store under kill -9: what was acknowledged is there, and nobody ever reads what nobody wrote.

This proves recovery from the death of processes, not from the loss of power.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: `.ci/run` asks for a thousand.
KILLS = int(os.environ.get("REGISTRYAUTH_TEST_KILLS", "80"))


@pytest.mark.timeout(600)
def test_no_acknowledged_write_is_lost_and_no_read_is_wrong_under_kill_9(place):
    driver = [sys.executable, str(Path(__file__).with_name("crashing.py")), str(place / "data/store.db"), str(place / "config/store.key")]
    done = subprocess.run([*driver, str(KILLS), "1"], capture_output=True, env={"PATH": os.environ["PATH"]}, timeout=590)
    assert done.stderr == b""
    summary = json.loads(done.stdout)
    assert (done.returncode, summary["faults"]) == (0, [])
    assert summary["writes"] > KILLS / 8, "so few writes prove nothing"
    assert summary["reads"] > KILLS / 8, "so few reads prove nothing"
