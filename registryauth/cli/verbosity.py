"""``--verbose`` and ``--quiet``, which every verb takes, before it or after it."""

from __future__ import annotations

from typing import Any

from typer.core import TyperOption

from registryauth.cli import console
from registryauth.cli.options import Misuse


def options() -> list[TyperOption]:
    """Both, for one command."""
    return [
        _switch("--verbose", "-v", "Say on standard error what is asked of whom, without secrets.", _verbose),
        _switch("--quiet", "-q", "Say nothing on standard error but warnings and errors.", _quiet),
    ]


def add_to(command: Any) -> None:  # noqa: ANN401 - typer's own class, which it does not export
    """Have *command* take both, and the verbs that are in it already."""
    command.params += options()
    for verb in getattr(command, "commands", {}).values():
        add_to(verb)


def _switch(long: str, short: str, text: str, callback: Any) -> TyperOption:  # noqa: ANN401 - typer's own signature
    # A name of its own: no parameter of a verb may be taken for it.
    name = f"_{long.removeprefix('--')}"
    return TyperOption(param_decls=[name, long, short], is_flag=True, default=False, expose_value=False, help=text, callback=callback)


def _verbose(_context: object, _: object, wanted: bool) -> None:
    if wanted and console.level() != console.Level.VERBOSE:
        _set(console.Level.VERBOSE)
        from registryauth import _child, _http
        from registryauth._http.telling import Telling

        _http.put_around(lambda transport: Telling(transport, console.tell))
        _child.tell(console.tell)


def _quiet(_context: object, _: object, wanted: bool) -> None:
    if wanted:
        _set(console.Level.QUIET)


def _set(level: console.Level) -> None:
    if console.level() not in (console.Level.USUAL, level):
        raise Misuse("--verbose and --quiet exclude each other")
    console.set_level(level)


def end() -> None:
    """Say as much as usual again: one process may run several commands, as tests do."""
    if console.level() is console.Level.VERBOSE:
        from registryauth import _child, _http

        _http.put_around(None)
        _child.tell(None)
    console.set_level(console.Level.USUAL)
