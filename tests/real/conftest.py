"""Real registries and images for the tests in this directory; each fixture skips by name what is not installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .certificates import Authority
from .go_programs import find_go_program, go_peers_directory
from .images import Image, make_image
from .programs import find_program
from .programs import run as run_program
from .servers import Server
from .servers import docker_registry as start
from .token_server import ISSUER, SERVICE, Signer, TokenServer
from .user import User

# Read here, because a test's environment no longer has it.
_REQUIRED = frozenset(os.environ.get("REGISTRYAUTH_REQUIRE", "").split())


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """``program(name)``: its path; skips the test without it, fails it where REGISTRYAUTH_REQUIRE names it."""
    return lambda name: find_program(name, _REQUIRED)


@pytest.fixture(scope="session")
def run() -> Callable[..., Any]:
    """``run(argv, env=…, stdin=…, timeout=…, check=…)``: a CompletedProcess of bytes; failure shows all that was printed."""
    return run_program


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority of this session."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def signer(authority: Authority) -> Signer:
    """The key of the token server; one for the session, because RSA keys take long to make."""
    return Signer(authority)


@pytest.fixture
def user(home: Path) -> User:
    """Somebody with an empty home, who has registryauth installed."""
    return User(home)


@pytest.fixture
def docker_registry(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Plain http, no login."""
    with start(program("docker-registry"), tmp_path_factory.mktemp("registry"), {}) as server:
        yield server


@pytest.fixture
def htpasswd_registry(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Plain http, Basic, one account whose password has colons in it."""
    username, password = "svc-pull", "s3cret:with:colon"
    directory = tmp_path_factory.mktemp("registry")
    # Only bcrypt entries work; a missing file would be made up by the registry.
    entry = run_program([program("htpasswd"), "-inB", username], stdin=password.encode()).stdout
    (directory / "htpasswd").write_bytes(entry)
    settings = {"auth": {"htpasswd": {"realm": "a realm", "path": str(directory / "htpasswd")}}}
    with start(program("docker-registry"), directory, settings, username=username, password=password) as server:
        yield server


@pytest.fixture
def token_registry(
    program: Callable[[str], str], authority: Authority, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Https, token auth; the token server is at another origin (another port), in ``token_server`` with its ``requests``."""
    registry = program("docker-registry")
    username, password = "svc-pull", "s3cret:with:colon"
    tokens = TokenServer(signer, {username: password})
    certificate, key = authority.issue("server")
    with tokens.serve(certificate, key):
        trust = {"realm": tokens.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(authority.ca_file)}
        tls = {"certificate": str(certificate), "key": str(key), "minimumtls": "tls1.2"}
        described = {"ca_file": authority.ca_file, "realm": tokens.realm, "token_server": tokens}
        settings = {"http": {"tls": tls}, "auth": {"token": trust}}
        with start(registry, tmp_path_factory.mktemp("registry"), settings, username=username, password=password, **described) as server:
            yield server


@pytest.fixture
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A two-layer image in an OCI layout of its own."""
    return make_image(tmp_path_factory.mktemp("layout"))


@pytest.fixture
def push(program: Callable[[str], str], image: Image) -> Callable[..., str]:
    """``push(server, repository="team/model", tag="v1")``: skopeo puts `image` there; gives the reference."""
    skopeo = program("skopeo")

    def push(server: Server, repository: str = "team/model", tag: str = "v1") -> str:
        reference = f"{server.host}/{repository}:{tag}"
        login = ["--dest-creds", f"{server.username}:{server.password}"] if server.username else []
        argv = [skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false", *login, image.layout, f"docker://{reference}"]
        try:
            run_program(argv)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{server.log.read_text(errors='replace')}") from None
        return reference

    return push


# Current Go peers and servers, where scripts/go-peers has built them. Read here for the same reason as _REQUIRED.
_GO_PEERS = go_peers_directory(os.environ)


@pytest.fixture(scope="session")
def go_program() -> Callable[[str], str]:
    """``go_program(name)``: what scripts/go-peers builds, as `program` gives one; what was built comes first."""
    return lambda name: find_go_program(name, _GO_PEERS, _REQUIRED)


#: Unlike the defaults, a manifest and a blob can be deleted.
_V3_STORAGE = {"inmemory": {}, "delete": {"enabled": True}}


@pytest.fixture
def distribution_v3(go_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Distribution v3: plain http, no login, deletes allowed."""
    with start(go_program("registry-v3"), tmp_path_factory.mktemp("registry"), {"storage": _V3_STORAGE}) as server:
        yield server


@pytest.fixture
def go_containerregistry(go_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The registry of crane's makers: plain http, no login, the referrers API, blobs by a single POST; its log is of its own kind."""
    with start(go_program("registry-ggcr"), tmp_path_factory.mktemp("registry"), {}) as server:
        yield server


@pytest.fixture
def cue_registry(go_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The registry of CUE's makers: plain http, no login, the referrers API with its filter; it logs no requests."""
    with start(go_program("registry-cue"), tmp_path_factory.mktemp("registry"), {}) as server:
        yield server


@pytest.fixture
def htpasswd_distribution_v3(
    go_program: Callable[[str], str], program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Distribution v3: plain http, Basic, deletes allowed; the account is htpasswd_registry's."""
    registry = go_program("registry-v3")
    username, password = "svc-pull", "s3cret:with:colon"
    directory = tmp_path_factory.mktemp("registry")
    entry = run_program([program("htpasswd"), "-inB", username], stdin=password.encode()).stdout
    (directory / "htpasswd").write_bytes(entry)
    auth = {"htpasswd": {"realm": "a realm", "path": str(directory / "htpasswd")}}
    with start(registry, directory, {"storage": _V3_STORAGE, "auth": auth}, username=username, password=password) as server:
        yield server


@pytest.fixture
def token_distribution_v3(
    go_program: Callable[[str], str], authority: Authority, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Distribution v3: https, token auth, deletes allowed; the account and the kind of token server are token_registry's."""
    registry = go_program("registry-v3")
    username, password = "svc-pull", "s3cret:with:colon"
    tokens = TokenServer(signer, {username: password})
    certificate, key = authority.issue("server")
    with tokens.serve(certificate, key):
        trust = {"realm": tokens.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(authority.ca_file)}
        tls = {"certificate": str(certificate), "key": str(key), "minimumtls": "tls1.2"}
        described = {"ca_file": authority.ca_file, "realm": tokens.realm, "token_server": tokens}
        settings = {"storage": _V3_STORAGE, "http": {"tls": tls}, "auth": {"token": trust}}
        with start(registry, tmp_path_factory.mktemp("registry"), settings, username=username, password=password, **described) as server:
            yield server
