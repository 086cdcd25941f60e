"""One manifest through each peer, as its documentation says; credentials in the program, where ours come from the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from benchmarks.stage import PASSWORD, REPOSITORY, TAG, USERNAME, Home
from benchmarks.timing import Command
from tests.real.servers import Server

PACKAGES = ("python-dxf", "oras")
DXF, ORAS, SKOPEO = "python-dxf", "oras-py", "skopeo"

_DXF = """
import sys
from dxf import DXF
host, repository, tag, username, password, ca_file, times = sys.argv[1:]
def auth(dxf, response):
    dxf.authenticate(username, password, response=response)
registry = DXF(host, repository, auth if username else None, insecure=not ca_file, tlsverify=ca_file or True)
for _ in range(int(times)):
    assert registry.get_manifest(tag)
"""
_ORAS = """
import sys
import oras.client
host, repository, tag, username, password, ca_file, times, backend = sys.argv[1:]
client = oras.client.OrasClient(hostname=host, insecure=not ca_file, auth_backend=backend)
if username:
    client.auth.set_basic_auth(username, password)
for _ in range(int(times)):
    assert client.get_manifest(f"{host}/{repository}:{tag}")
"""


def manifest_commands(server: Server, home: Home, python: str, times: int = 1) -> Iterator[Command]:
    """A command for each peer that is there; *python* has `PACKAGES`, or is empty."""
    login = (USERNAME, PASSWORD) if server.username else ("", "")
    arguments = [server.host, REPOSITORY, TAG, *login, str(server.ca_file or ""), str(times)]
    if python:
        trust = {"REQUESTS_CA_BUNDLE": str(server.ca_file)} if server.ca_file else {}
        yield Command(DXF, [python, "-c", _DXF, *arguments], {**home.environ, **trust})
        yield Command(ORAS, [python, "-c", _ORAS, *arguments, "token" if server.realm else "basic"], {**home.environ, **trust})
    if times == 1 and shutil.which("skopeo"):
        trust_options = ["--cert-dir", str(server.ca_file.parent)] if server.ca_file else ["--tls-verify=false"]
        creds = ["--creds", ":".join(login)] if server.username else []
        reference = f"docker://{server.host}/{REPOSITORY}:{TAG}"
        yield Command(f"{SKOPEO} inspect --raw (Go)", ["skopeo", "inspect", "--raw", *trust_options, *creds, reference], home.environ)
