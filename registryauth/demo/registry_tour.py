"""The tour of one registry: log in, keep, resolve, fetch."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator

from registryauth.demo.stage import OURS, Stage, Step, staged
from registryauth.errors import Error
from registryauth.testing import RegistrySimulator

_ACCOUNT = "demo-reader"
_REPOSITORY = "team/model"


def tour() -> Iterator[Step]:
    """Each step when it is done; raise `Error` where one failed."""
    password = secrets.token_urlsafe(24)
    registry = RegistrySimulator(auth="token", accounts={_ACCOUNT: password})
    digest = registry.add_image(_REPOSITORY, "v1", layers=[secrets.token_bytes(1024)])
    with staged() as stage, registry.serve() as host:
        yield from _steps(stage, host, password, str(digest))


def _steps(stage: Stage, host: str, password: str, digest: str) -> Iterator[Step]:
    image = f"{host}/{_REPOSITORY}:v1"
    yield Step("A registry with token authentication runs on this machine", f"(embedded, at {host})", f"it holds {image}")

    add = ("principal", "add", host, "--client-id", _ACCOUNT, "--secret-stdin", "--owner", "demo")
    typed = " ".join(("registryauth", *add)) + " < secret"
    yield stage.show("An admin registers a service principal; the secret comes over stdin", *add, stdin=password.encode(), typed=typed)

    yield stage.show("A deploy tool resolves the pull secret", "resolve", image)
    yield stage.show("… and asks why it is that one", "resolve", "--explain", image)

    said = stage.run("manifest", "get", image)
    manifest = json.loads(said.data)
    _verify("manifest", said.data, digest)
    yield Step("The manifest is fetched and verified", said.typed, f"{len(said.data)} bytes, {digest}")

    layer = manifest["layers"][0]
    said = stage.run("blob", "get", f"{host}/{_REPOSITORY}@{layer['digest']}")
    _verify("blob", said.data, layer["digest"])
    yield Step("… and a layer of it", said.typed + " > layer", f"{len(said.data)} bytes, {layer['digest']}")

    said = stage.helper("get", stdin=host.encode())
    answer = json.loads(said.data)
    if answer["Secret"] != password:
        raise Error("the docker helper gave another secret than the one stored", hint=OURS)
    shown = json.dumps(answer | {"Secret": "(given to docker, not shown here)"})
    yield Step("docker asks our credential helper", f"printf %s {host} | docker-credential-registryauth get", shown)

    yield stage.show("… once it was told to", "setup", "docker", host)
    yield stage.show("Cleaning up: the credential is removed, the registry stops, the tour's home directory goes", "logout", host)


def _verify(what: str, content: bytes, digest: str) -> None:
    """Once more, from outside: the commands have verified it themselves."""
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise Error(f"the {what} is not what its digest says", hint=OURS)
