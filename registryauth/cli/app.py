"""The tree of commands; a verb's module is imported when the verb is typed, or when help lists it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from registryauth.cli import verbosity
from registryauth.cli.groups import spread

#: Verb to module; a group's module has an `app`, a single verb's a function named like the module's last part.
_VERBS = {
    "login": "login",
    "logout": "logout",
    "list": "listing",
    "whoami": "whoami",
    "status": "status",
    "unlock": "unlock",
    "lock": "lock",
    "store": "store",
    "principal": "principal",
    "audit": "audit",
    "resolve": "resolve",
    "azureml": "azureml",
    "azure": "azure",
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
    "image": "image",
    "doctor": "doctor",
    "report": "report",
    "config": "config",
    "completion": "completion",
    "man": "man",
    "demo": "demo",
}


class _Typer(typer.Typer):
    """A typer whose commands may take options by the group."""

    def command(self, *names: Any, **settings: Any) -> Any:  # noqa: ANN401 - typer's signature
        register = super().command(*names, **settings)

        def keep(function: Any) -> Any:  # noqa: ANN401 - any verb
            register(spread(function))
            return function

        return keep


def group(text: str, verbs: Mapping[str, str] | None = None) -> typer.Typer:
    """A group of verbs that shares the looks of all others; *verbs*, if given, are in modules of their own, see `lazy`."""
    if verbs is None:
        return _Typer(help=text, add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    found = typer.Typer(cls=lazy(verbs), help=text, add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    # typer makes a group of what has a callback.
    found.callback()(lambda: None)
    return found


def lazy(verbs: Mapping[str, str]) -> type[TyperGroup]:
    """A group class for *verbs*, verb to module below `registryauth.cli`, each imported when it is needed."""

    class Verbs(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's signature
            return list(verbs)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - typer's signature
            if cmd_name not in verbs:
                return None
            module = import_module(f"registryauth.cli.{verbs[cmd_name]}")
            found = typer.main.get_command(module.app)
            found.name = cmd_name
            verbosity.add_to(found)
            return found

    return Verbs


_app = typer.Typer(
    cls=lazy(_VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from registryauth import __version__

        print(f"registryauth {__version__}")
        raise typer.Exit


@_app.callback(
    epilog="Exit status: 0 ok, 1 error, 2 usage, 3 not found, 4 refused, 5 store locked or broken, 6 network, 7 answer no, 130 interrupted."
)
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    """Log in to container registries, keep the credentials, resolve pull secrets, fetch."""


def command() -> Any:  # noqa: ANN401 - typer's own class, which it does not export
    """The root command."""
    root = typer.main.get_command(_app)
    verbosity.add_to(root)
    return root


def single(function: Any) -> typer.Typer:  # noqa: ANN401 - any verb
    """*function* as a verb of its own."""
    app = _Typer(add_completion=False, rich_markup_mode=None)
    app.command()(function)
    return app
