"""A record read from OpenBao beside a bare HTTP read of the same entry."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from registryauth import Address
from registryauth.config import load
from registryauth.stores.configured import open_remote
from registryauth.stores.principal import Key, Principal, Slot
from tests.real.openbao import ROOT_TOKEN, OpenBao, openbao

HOST = "registry.example"
_ENTRY = f"/v1/secret/data/registryauth/{HOST}/svc-pull@"
_FOLDER = f"/v1/secret/metadata/registryauth/{HOST}?list=true"


@contextmanager
def filled_vault(directory: Path, environ: dict[str, str]) -> Iterator[tuple[OpenBao, dict[str, str]] | None]:
    """A server with one record, and the environment in which our programs use it; None where no server is installed."""
    program = shutil.which("bao")
    if not program:
        yield None
        return
    directory.mkdir(mode=0o700)
    with openbao(program, directory) as server:
        own = {"REGISTRYAUTH_STORE_BACKEND": "vault", "VAULT_ADDR": server.url, "VAULT_TOKEN": ROOT_TOKEN}
        with closing(open_remote(load(environ | own), environ | own)) as store:
            store.put(Principal(Address.parse(HOST), "svc-pull", (Slot("a secret", added_at=1),)))
        yield server, environ | own


@contextmanager
def readers(server: OpenBao, environ: dict[str, str]) -> Iterator[dict[str, Callable[[], object]]]:
    """What is timed, in one process and over one connection each, by name; a bare read of the entry comes first."""
    host, _, port = server.host.partition(":")
    wanted = Address.parse(HOST)
    with (
        closing(http.client.HTTPConnection(host, int(port), timeout=20)) as connection,
        closing(open_remote(load(environ), environ)) as store,
    ):

        def bare(*targets: str) -> None:
            for target in targets:
                connection.request("GET", target, headers={"X-Vault-Token": ROOT_TOKEN})
                json.loads(connection.getresponse().read())["data"]

        yield {
            "http.client: the entry": lambda: bare(_ENTRY),
            "http.client: the names in the folder, and the entry": lambda: bare(_FOLDER, _ENTRY),
            "**store.exact**": lambda: store.exact(Key(wanted, "svc-pull")),
            "**store.get**": lambda: store.get(wanted),
        }
