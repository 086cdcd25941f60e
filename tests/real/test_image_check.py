"""Images that buildah builds and really runs, pushed to docker-registry: we find in the layers what a shell in the container finds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

#: What the image's own RUN lines need of this machine.
PROGRAMS = ("sh", "rm", "ln", "cat", "mkdir", "mv")
OS_RELEASE = 'ID=ubuntu\nVERSION_ID="18.04"\n'

DOCKERFILE = """\
FROM scratch
COPY root /
ENV PATH=/opt/miniconda/bin:/usr/local/bin:/usr/bin:/bin
RUN rm /opt/miniconda/bin/python /opt/miniconda/bin/python3.7 /opt/miniconda/conda-meta/python-3.7.1-h0371630_3.json
RUN rm /opt/miniconda/conda-meta/conda-4.5.11-py37_0.json && rm -r /opt/old && mkdir /opt/old && rm /usr/bin/python2.7
COPY chosen /
RUN ln -s python3.6 /opt/miniconda/bin/python && mv /etc/os-release /etc/os-release.orig && ln -s ../usr/lib/os-release /etc/os-release
RUN ln /opt/miniconda/bin/python3.6 /opt/miniconda/bin/python3.6m
"""


def script(path: Path, version: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho Python {version}\n")
    path.chmod(0o755)


def with_libraries(root: Path, name: str) -> None:
    """The program *name* of this machine, and what its loader looks for, in *root*."""
    program = shutil.which(name, path="/usr/bin:/bin")
    if program is None:
        pytest.skip(f"{name} is not installed")
    target = root / "usr/bin" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath(program), target)
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for word in listed.split():
        if word.startswith("/"):
            (root / word[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, root / word[1:])


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> Path:
    """What the Dockerfile copies: a system of this machine's shell, and conda prefixes of scripts that say which Python they are."""
    directory = tmp_path_factory.mktemp("context")
    root, meta = directory / "root", directory / "root/opt/miniconda/conda-meta"
    for name in PROGRAMS:
        with_libraries(root, name)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/lib").mkdir(parents=True, exist_ok=True)
    (root / "usr/lib/os-release").write_text(OS_RELEASE)
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text("ID=debian\nVERSION_ID=9\n")
    meta.mkdir(parents=True)
    for record in ("python-3.7.1-h0371630_3", "conda-4.5.11-py37_0"):
        (meta / f"{record}.json").write_text("{}")
    script(root / "opt/miniconda/bin/python3.7", "3.7.1")
    (root / "opt/miniconda/bin/python").symlink_to("python3.7")
    script(root / "usr/bin/python2.7", "2.7.18")
    script(root / "opt/old/bin/python3.4", "3.4.0")
    chosen = directory / "chosen/opt/miniconda"
    (chosen / "conda-meta").mkdir(parents=True)
    for record in ("python-3.6.8-h0371630_0", "conda-4.5.12-py36_0"):
        (chosen / f"conda-meta/{record}.json").write_text("{}")
    script(chosen / "bin/python3.6", "3.6.8")
    script(directory / "chosen/usr/bin/python3.8", "3.8.10")
    (directory / "Dockerfile").write_text(DOCKERFILE)
    return directory


@pytest.fixture(scope="module")
def buildah(program, run, tmp_path_factory):
    """``buildah(verb, …)`` with a storage of its own; what it printed."""
    path = program("buildah")
    home = tmp_path_factory.mktemp("buildah")
    policy = home / ".config/containers/policy.json"
    policy.parent.mkdir(parents=True)
    policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    # A run root of more than 50 characters is refused.
    with tempfile.TemporaryDirectory(prefix="buildah-") as directory:
        storage = ["--root", f"{directory}/s", "--runroot", f"{directory}/r", "--storage-driver", "vfs"]
        yield lambda *argv: run([path, *storage, *argv], env={"HOME": str(home), "TMPDIR": directory}, timeout=300).stdout.decode()


@pytest.fixture(scope="module")
def built(buildah, context):
    """The image's name, each line of the Dockerfile a layer."""
    try:
        buildah("bud", "--isolation", "chroot", "--layers", "-t", "base", str(context))
    except AssertionError as error:
        if "Operation not permitted" in str(error):
            pytest.skip("buildah may not build here")
        raise
    return "localhost/base"


@pytest.fixture(scope="module")
def inside(buildah, built):
    """``inside(line)``: what a shell in the running container prints."""
    container = buildah("from", built).strip()
    yield lambda line: buildah("run", "--isolation", "chroot", container, "--", "/bin/sh", "-c", line).strip()
    buildah("rm", container)


@pytest.mark.parametrize(("form", "packing"), [("oci", "gzip"), ("docker", "gzip"), ("oci", "zstd")])
def test_we_find_what_a_shell_in_the_container_finds(docker_registry, buildah, built, inside, user, form, packing):
    reference = f"{docker_registry.host}/team/base:v1"
    how = ["--format", "v2s2" if form == "docker" else form, "--compression-format", packing]
    buildah("push", "--tls-verify=false", *how, built, f"docker://{reference}")
    manifest = json.loads(user.raw("manifest", "get", reference))
    assert {layer["mediaType"].rpartition("tar")[2].strip("+.") for layer in manifest["layers"]} == {packing}

    document = json.loads(user.registryauth("image", "facts", reference, "--output", "json").stdout)
    found = {row["fact"]: row["found"] for row in document["facts"]}
    assert found["image_type"] == form
    assert found["os"] == inside('. /etc/os-release; echo "$ID $VERSION_ID"') == "ubuntu 18.04"
    assert f"Python {found['python']}" == inside("python --version") == "Python 3.6.8"
    assert found["conda"] == "4.5.12"
    assert inside("echo /opt/miniconda/conda-meta/*.json").count("json") == 2
    assert found["shell"] == "/bin/sh -> /usr/bin/sh"
    # Every Python, and none that a layer took away.
    assert found["pythons"] == "3.6.8, 3.8"
    there = inside("for each in /opt/miniconda/bin/python?.? /usr/bin/python?.? /opt/old/bin/*; do test -e $each && echo $each; done; true")
    assert there.split() == ["/opt/miniconda/bin/python3.6", "/usr/bin/python3.8"]
    assert {layer["state"] for layer in document["layers"]} == {"verified"}
    assert document["layers"][-1]["created_by"]

    met = user.registryauth("image", "check", reference, "--profile", "azureml-2019")
    assert met.returncode == 0
    unmet = user.registryauth("image", "check", reference, "--profile", "azureml-2021", check=False)
    assert unmet.returncode == 7
    assert "conda: 4.7.#+ is required, 4.5.12 was found" in unmet.stderr
    assert "os: " not in unmet.stderr


def test_what_is_read_of_it_is_what_tar_unpacks(docker_registry, buildah, built, inside, user):
    """A squashed image, one layer: the same facts as from many."""
    reference = f"{docker_registry.host}/team/base:squashed"
    container = buildah("from", built).strip()
    buildah("commit", "--squash", container, "squashed")
    buildah("rm", container)
    buildah("push", "--tls-verify=false", "squashed", f"docker://{reference}")
    document = json.loads(user.registryauth("image", "facts", reference, "--output", "json").stdout)
    assert len(document["layers"]) == 1
    assert {row["fact"]: row["found"] for row in document["facts"]}["pythons"] == "3.6.8, 3.8"
