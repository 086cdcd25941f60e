"""``registryauth status``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


def status(output: OutputOption = Output.TABLE) -> None:
    """Show where credentials are kept, what protects them, and who else is set up to use them."""
    from registryauth import __version__
    from registryauth.cli.console import show
    from registryauth.cli.session import Session
    from registryauth.config import user_file
    from registryauth.setup import containers, docker

    session = Session()
    with session.store() as store:
        kept = store.status()
        # A store that cannot be unlocked is worth an exit status of its own.
        store.list()
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
        ("records", str(kept["records"])),
        *(
            (f"{name} asks our helper for", "cannot be told" if hosts is None else ", ".join(hosts) or "nothing")
            for name, hosts in helped.items()
        ),
    ]
    show(output, data, ("WHAT", "VALUE"), rows)


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
