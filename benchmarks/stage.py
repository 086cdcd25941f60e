"""What is timed against: registries with one image, a home in which somebody is logged in to them, and the peers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.real.certificates import Authority
from tests.real.images import make_image
from tests.real.servers import Server, docker_registry
from tests.real.token_server import ISSUER, SERVICE, Signer, TokenServer

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
USERNAME, PASSWORD = "svc-pull", "s3cret:with:colon"
REPOSITORY, TAG = "team/model", "v1"


class Home:
    """An empty home with our programs first on PATH; nothing of this process's Python settings is passed on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(mode=0o700)
        self.environ = {"HOME": str(directory), "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}

    def registryauth(self, *argv: str, stdin: str = "") -> None:
        """Run our command, which must succeed."""
        self.run(str(SCRIPTS / "registryauth"), *argv, stdin=stdin)

    def run(self, *argv: str, stdin: str = "", **more: str) -> None:
        """Run *argv* with *more* in its environment."""
        done = subprocess.run(argv, env={**self.environ, **more}, input=stdin.encode(), capture_output=True, check=False, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")

    def login(self, server: Server) -> None:
        """Log in to *server*, and be ready to use it without further options."""
        options = ["--ca-file", str(server.ca_file)] if server.ca_file else []
        options += ["--realm", server.realm] if server.realm else []
        self.registryauth("login", server.host, "--username", USERNAME, "--password-stdin", *options, stdin=PASSWORD)


@contextmanager
def registries(directory: Path) -> Iterator[dict[str, Server]]:
    """Registries with the same image: ``no auth`` over plain http, ``Basic`` and ``token`` over TLS."""
    program = shutil.which("docker-registry")
    if not program:
        raise RuntimeError("docker-registry is not installed")
    authority = Authority(_made(directory / "authority"))
    with ExitStack() as stack:
        servers = {"no auth": stack.enter_context(docker_registry(program, _made(directory / "plain"), {}))}
        if shutil.which("htpasswd"):
            servers["Basic"] = stack.enter_context(_basic(program, _made(directory / "basic"), authority))
        servers["token"] = stack.enter_context(_token(program, _made(directory / "token"), authority))
        image = make_image(_made(directory / "image"))
        for server in servers.values():
            login = ["--dest-creds", f"{USERNAME}:{PASSWORD}"] if server.username else []
            target = f"docker://{server.host}/{REPOSITORY}:{TAG}"
            argv = ["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", *login, image.layout, target]
            subprocess.run(argv, check=True, capture_output=True, timeout=60)
        yield servers


@contextmanager
def _basic(program: str, directory: Path, authority: Authority) -> Iterator[Server]:
    entry = subprocess.run(["htpasswd", "-inB", USERNAME], input=PASSWORD.encode(), capture_output=True, check=True, timeout=60)
    (directory / "htpasswd").write_bytes(entry.stdout)
    settings = {"auth": {"htpasswd": {"realm": "a realm", "path": str(directory / "htpasswd")}}, **_tls(authority, "basic")}
    described = {"username": USERNAME, "password": PASSWORD, "ca_file": authority.ca_file}
    with docker_registry(program, directory, settings, **described) as server:
        yield server


@contextmanager
def _token(program: str, directory: Path, authority: Authority) -> Iterator[Server]:
    tokens = TokenServer(Signer(authority), {USERNAME: PASSWORD})
    with tokens.serve(*authority.issue("tokens")):
        trust = {"realm": tokens.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(authority.ca_file)}
        described = {"ca_file": authority.ca_file, "realm": tokens.realm, "token_server": tokens}
        settings = {"auth": {"token": trust}, **_tls(authority, "token")}
        with docker_registry(program, directory, settings, username=USERNAME, password=PASSWORD, **described) as server:
            yield server


def _tls(authority: Authority, name: str) -> dict[str, object]:
    certificate, key = authority.issue(name)
    return {"http": {"tls": {"certificate": str(certificate), "key": str(key), "minimumtls": "tls1.2"}}}


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@contextmanager
def password_store(home: Home, directory: Path, server: str) -> Iterator[bool]:
    """``docker-credential-pass`` with a key of its own and *server*'s secret in it; false where it is not installed.

    *directory* has to be a short path: gpg-agent's socket is in it.
    """
    if not all(map(shutil.which, ("docker-credential-pass", "pass", "gpg", "gpgconf"))):
        yield False
        return
    directory.mkdir(mode=0o700)
    home.environ |= {"GNUPGHOME": str(directory), "PASSWORD_STORE_DIR": str(directory / "store")}
    name = "benchmark@example.invalid"
    try:
        home.run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", name, "default", "default", "never")
        home.run("pass", "init", name)
        secret = f'{{"ServerURL":"{server}","Username":"{USERNAME}","Secret":"{PASSWORD}"}}'
        home.run("docker-credential-pass", "store", stdin=secret)
        yield True
    finally:
        home.run("gpgconf", "--kill", "gpg-agent")


def environment(directory: Path, *packages: str) -> str:
    """The interpreter of a new virtual environment in *directory* with *packages* in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True, timeout=60)
    python = str(directory / "bin" / "python")
    base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    pip = [base if base.exists() else sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True, timeout=600)
    return python
