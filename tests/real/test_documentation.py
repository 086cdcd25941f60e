"""The README's first screen with the real skopeo and docker, over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from .. import test_documentation as documentation
from .certificates import Authority

pytestmark = pytest.mark.real


@pytest.mark.parametrize("foreign", ["skopeo", "docker"])
def test_the_first_screen_ends_in_a_pull(foreign: str, program: Callable[[str], str], authority: Authority, tmp_path: Path) -> None:
    program(foreign)
    lines = documentation.commands(documentation.ROOT / "README.md")
    pulls = [at for at, line in enumerate(lines) if line.startswith(foreign)]
    assert pulls, f"README shows no {foreign} command"
    wanted = [line for line in lines[: pulls[0] + 1] if line.startswith(("registryauth", foreign))]
    certificate, key = authority.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    env = documentation.environment() | {"SSL_CERT_FILE": str(authority.ca_file)}
    with documentation.a_registry().serve(context) as host:
        documentation.run_lines(wanted, host, tmp_path, env)
