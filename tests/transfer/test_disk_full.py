"""A disk that takes no more: a clear error, and no file under its final name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# The limit on file sizes stands in for the disk: the kernel takes part of a write and refuses the next.
CODE = """
import os, resource, signal, sys
from registryauth import Client
from registryauth.errors import ContentError
from registryauth.testing import RegistrySimulator
from registryauth.transfer import pull

simulator = RegistrySimulator(auth="none")
simulator.add_image("team/model", "v1", [os.urandom(300_000), os.urandom(900_000)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Client(transport=simulator.transport()) as client:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    try:
        pull(client.repository("registry.example/team/model"), "v1", sys.argv[1], form=sys.argv[2])
    except ContentError as error:
        print(error.hint)
"""


def full(to, form: str, limit: int) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", CODE, to, form, str(limit)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_blob_that_does_not_fit_is_removed(tmp_path):
    assert full(tmp_path / "out", "oci", 500_000) == "is the disk full?"
    # The blob that fits may have been stopped on its way, and is kept for the next time; of the other one nothing is.
    sizes = [os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(tmp_path / "out/blobs") for name in names]
    assert all(size <= 300_000 for size in sizes), sizes
    assert not (tmp_path / "out/index.json").exists()


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive"])
def test_an_archive_that_does_not_fit_is_not_there(tmp_path, form):
    assert full(tmp_path / "x.tar", form, 1_000_000) == "is the disk full?"
    assert os.listdir(tmp_path) == ["x.tar.partial"]
