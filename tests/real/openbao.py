"""A real OpenBao in its development mode, on a free port, stopped by its own process id; nothing of it touches the disk."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: It is ready in half a second; a machine under load gets this many.
_PATIENCE = 30
ROOT_TOKEN = "root-of-this-test"


@dataclass
class OpenBao:
    """A running server; *log* is where it writes, the unseal key among it."""

    host: str
    log: Path
    ca_file: str = ""

    @property
    def url(self) -> str:
        return f"{'https' if self.ca_file else 'http'}://{self.host}"

    def call(self, method: str, path: str, body: object = None, *, token: str = ROOT_TOKEN, namespace: str = "") -> tuple[int, Any]:
        """The status and document that the server answers to a request made without our code."""
        headers = {"X-Vault-Token": token, **({"X-Vault-Namespace": namespace} if namespace else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, content = error.code, error.read()
        return status, json.loads(content) if content else None

    def must(self, method: str, path: str, body: object = None, **more: str) -> Any:
        """As `call`, where nothing but success will do."""
        status, answer = self.call(method, path, body, **more)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    @property
    def unseal_key(self) -> str:
        (line,) = [line for line in self.log.read_text().splitlines() if line.startswith("Unseal Key:")]
        return line.partition(": ")[2].strip()


@contextmanager
def openbao(program: str, directory: Path, *, tls: bool = False) -> Iterator[OpenBao]:
    """Run *program* in *directory*."""
    port, log = _free_port(), directory / "openbao.log"
    argv = [program, "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address=127.0.0.1:{port}"]
    if tls:
        argv += ["-dev-tls", f"-dev-tls-cert-dir={directory}"]
    with log.open("wb") as sink:
        # Its own home: a development server would write a token there, and its launcher looks for nothing else.
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
        process = subprocess.Popen(argv, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=environment)
    server = OpenBao(f"127.0.0.1:{port}", log, str(directory / "vault-ca.pem") if tls else "")
    try:
        _await(process, server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], server: OpenBao) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if "Development mode should NOT be used" in server.log.read_text(errors="replace"):
            return
        if process.poll() is not None:
            raise AssertionError(f"openbao ended with {process.returncode}\n{server.log.read_text(errors='replace')}")
        time.sleep(0.02)
    raise AssertionError(f"openbao was not ready after {_PATIENCE} s\n{server.log.read_text(errors='replace')}")


def _free_port() -> int:
    """A port whose successor is free, too: the server takes that one for its cluster."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two ports in a row are free")
