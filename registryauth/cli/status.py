"""``registryauth status``."""

from __future__ import annotations

from contextlib import closing

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from registryauth.errors import StoreError
    from registryauth.stores import Store


def status(output: OutputOption = Output.TABLE) -> None:
    """Show where credentials are kept, and what protects them.

    And which other programs are set up to use them.
    """
    from registryauth import __version__
    from registryauth.azure import vault_token
    from registryauth.cli.console import moment, show
    from registryauth.cli.session import Session
    from registryauth.config import user_file
    from registryauth.setup import containers, docker
    from registryauth.stores import from_config

    session = Session()
    # Nobody is asked for a passphrase only to be told that there is one.
    with closing(from_config(session.config, session.environ, purpose="status", azure_token=vault_token)) as store:
        kept = store.status()
        failure = _failure(store, kept)
        kept["state"] = type(failure).__name__ if failure else "open"
        kept["unlocked_until"] = moment(_unlocked_until(store)) or None
    helped = {name: _helped(target, session.environ) for name, target in (("docker", docker), ("containers", containers))}
    kept["key"] = kept["key"] or f"{session.config.store_key} (chosen at the first login)"
    file = user_file(session.environ)
    data = {
        "version": 1,
        "program": __version__,
        "config": file,
        "store": kept,
        "helper_set_up_for": helped,
    }
    rows = [
        ("version", __version__),
        ("configuration", file),
        ("store", str(kept["path"]) + ("" if kept["exists"] else " (none yet)")),
        ("key", str(kept["key"])),
        *([("state", f"unlocked until {kept['unlocked_until']}")] if kept["unlocked_until"] else []),
        *([("state", failure.message)] if failure else []),
        ("records", "unknown" if kept["records"] is None else str(kept["records"])),
        *(
            (f"{name} asks our helper for", "cannot be told" if hosts is None else ", ".join(hosts) or "nothing")
            for name, hosts in helped.items()
        ),
    ]
    show(output, data, ("WHAT", "VALUE"), rows)
    if failure:
        # A store that cannot be opened is worth an exit status of its own.
        raise failure


def _failure(store: Store, kept: dict[str, Any]) -> StoreError | None:
    """Why the store cannot be read; None if it can. What it *kept* is counted here where its status does not say."""
    from registryauth.errors import StoreError

    try:
        kept.setdefault("records", len(store.list()))
    except StoreError as error:
        kept.setdefault("records", None)
        return error
    return None


def _unlocked_until(store: Store) -> int:
    from registryauth.stores.audited import behind
    from registryauth.stores.encrypted import EncryptedStore

    inner = behind(store)
    return inner.unlocked_until() if isinstance(inner, EncryptedStore) else 0


def _helped(target: ModuleType, environ: Mapping[str, str]) -> list[str] | None:
    """The registries for which *target* names our helper; None, and a warning, if its file cannot be read."""
    from registryauth.cli.console import say
    from registryauth.errors import ConfigurationError

    try:
        return list(target.undo((), environ).keys)
    except ConfigurationError as error:
        say(f"warning: {error}")
        return None


app = single(status)
