"""The tree of commands; a verb's module is imported when the verb is typed, or when help lists it."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

#: Verb to module; a group's module has an `app`, a single verb's a function named like the module's last part.
_VERBS = {
    "login": "login",
    "logout": "logout",
    "list": "listing",
    "status": "status",
    "principal": "principal",
    "resolve": "resolve",
    "setup": "setup",
    "pull": "pull",
    "push": "push",
    "copy": "copy",
    "artifact": "artifact",
    "manifest": "manifest",
    "blob": "blob",
    "tag": "tag",
    "repository": "repository",
    "referrers": "referrers",
    "digest": "digest",
    "config": "config",
    "demo": "demo",
}


def group(text: str) -> typer.Typer:
    """A group of verbs that shares the looks of all others."""
    return typer.Typer(help=text, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


class _Verbs(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's signature
        return list(_VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - typer's signature
        if cmd_name not in _VERBS:
            return None
        module = import_module(f"registryauth.cli.{_VERBS[cmd_name]}")
        found = typer.main.get_command(module.app)
        found.name = cmd_name
        return found


_app = typer.Typer(
    cls=_Verbs,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from registryauth import __version__

        print(f"registryauth {__version__}")
        raise typer.Exit


@_app.callback(epilog="Exit status: 0 ok, 1 error, 2 usage, 3 not found, 4 refused, 5 store locked or broken, 6 network, 130 interrupted.")
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    """Log in to container registries, keep the credentials, resolve pull secrets, fetch."""


def command() -> Any:  # noqa: ANN401 - typer's own class, which it does not export
    """The root command."""
    return typer.main.get_command(_app)


def single(function: Any) -> typer.Typer:  # noqa: ANN401 - any verb
    """*function* as a verb of its own."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(function)
    return app
