"""The guided tour: log in, keep, resolve, fetch, against a registry that it starts itself on loopback.

Every step runs the very command that it shows, in a home directory of its own that is gone afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from registryauth._value import Value
from registryauth.errors import Error
from registryauth.testing import RegistrySimulator

_ACCOUNT = "demo-reader"
_REPOSITORY = "team/model"
#: Seconds; a step takes less than one.
_TIMEOUT = 60
_OURS = "this is a fault of ours: please report it"


class Step(Value):
    """What was done: a *title*, the *command* as a user types it, and its *output* with secrets left out."""

    title: str
    command: str
    output: str


def tour() -> Iterator[Step]:
    """Each step when it is done; raise `Error` where one failed."""
    password = secrets.token_urlsafe(24)
    registry = RegistrySimulator(auth="token", accounts={_ACCOUNT: password})
    digest = registry.add_image(_REPOSITORY, "v1", layers=[secrets.token_bytes(1024)])
    with tempfile.TemporaryDirectory(prefix="registryauth-demo-") as home, registry.serve() as host:
        yield from _steps(_Shell(home), host, password, str(digest))


def _steps(shell: _Shell, host: str, password: str, digest: str) -> Iterator[Step]:
    image = f"{host}/{_REPOSITORY}:v1"
    yield Step("A registry with token authentication runs on this machine", f"(embedded, at {host})", f"it holds {image}")

    said = shell.run("principal", "add", host, "--client-id", _ACCOUNT, "--secret-stdin", "--owner", "demo", stdin=password.encode())
    yield Step("An admin registers a service principal; the secret comes over stdin", _typed(said) + " < secret", said.talk)

    said = shell.run("resolve", image)
    yield Step("A deploy tool resolves the pull secret", _typed(said), said.text)

    said = shell.run("resolve", "--explain", image)
    yield Step("… and asks why it is that one", _typed(said), said.text)

    said = shell.run("manifest", "get", image)
    manifest = json.loads(said.data)
    _verify("manifest", said.data, digest)
    yield Step("The manifest is fetched and verified", _typed(said), f"{len(said.data)} bytes, {digest}")

    layer = manifest["layers"][0]
    said = shell.run("blob", "get", f"{host}/{_REPOSITORY}@{layer['digest']}")
    _verify("blob", said.data, layer["digest"])
    yield Step("… and a layer of it", _typed(said) + " > layer", f"{len(said.data)} bytes, {layer['digest']}")

    said = shell.helper("get", stdin=host.encode())
    answer = json.loads(said.data)
    if answer["Secret"] != password:
        raise Error("the docker helper gave another secret than the one stored", hint=_OURS)
    shown = json.dumps(answer | {"Secret": "(given to docker, not shown here)"})
    yield Step("docker asks our credential helper", f"printf %s {host} | docker-credential-registryauth get", shown)

    said = shell.run("setup", "docker", host)
    yield Step("… once it was told to", _typed(said), said.talk)

    said = shell.run("logout", host)
    yield Step("Cleaning up: the credential is removed, the registry stops, the tour's home directory goes", _typed(said), said.talk)


def _verify(what: str, content: bytes, digest: str) -> None:
    """Once more, from outside: the commands have verified it themselves."""
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise Error(f"the {what} is not what its digest says", hint=_OURS)


class _Said(Value):
    argv: tuple[str, ...]
    data: bytes
    talk: str

    @property
    def text(self) -> str:
        return self.data.decode().rstrip()


class _Shell:
    """Runs our own programs in a home directory of their own."""

    def __init__(self, home: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH")}
        # Where our commands are installed; a person who types them has it on PATH.
        kept["PATH"] = os.pathsep.join(filter(None, (os.path.dirname(sys.executable), kept.get("PATH", ""))))
        # A key file, so that the tour never touches the person's own keyring.
        self._environ = kept | {"HOME": home, "REGISTRYAUTH_STORE_KEY": "file"}

    def run(self, *argv: str, stdin: bytes = b"") -> _Said:
        return self._run("registryauth", argv, stdin)

    def helper(self, *argv: str, stdin: bytes) -> _Said:
        return self._run("registryauth.docker_helper", argv, stdin)

    def _run(self, module: str, argv: tuple[str, ...], stdin: bytes) -> _Said:
        # In the tour's own directory: of the one that a person happens to be in, python -m would import what lies there.
        command, here = [sys.executable, "-m", module, *argv], self._environ["HOME"]
        try:
            done = subprocess.run(command, input=stdin, env=self._environ, cwd=here, capture_output=True, timeout=_TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            raise Error(f"'{' '.join((module, *argv))}' did not end within {_TIMEOUT} seconds", hint="is this machine very busy?") from None
        talk = done.stderr.decode(errors="replace").rstrip()
        if done.returncode:
            raise Error(f"'{' '.join((module, *argv))}' ended with {done.returncode}: {talk}", hint=_OURS)
        return _Said(argv, done.stdout, talk)


def _typed(said: _Said) -> str:
    return " ".join(("registryauth", *said.argv))
