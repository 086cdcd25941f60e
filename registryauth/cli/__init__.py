"""The command line: one verb a file, no logic. Only here, in the docker helper and in the demo's printer is anything printed."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: As a shell reports a program that Ctrl-C ended.
_INTERRUPTED = 130


def run(argv: Sequence[str]) -> int:
    """Run the command in *argv*; the exit status is that of `errors`, and 130 where a person interrupted it."""
    if list(argv) == ["--version"]:
        # The one question that is asked by scripts in a loop; loading a command line for it would cost five times as much.
        from registryauth import __version__

        print(f"registryauth {__version__}")
        return 0

    import gc

    # Start-up allocates a great deal and lets go of none of it: sweeping it again and again costs a tenth of a short command.
    gc.set_threshold(100_000, 20, 20)
    import typer
    from typer.exceptions import TyperException

    from registryauth.cli.app import command
    from registryauth.errors import Error

    try:
        return int(command().main(list(argv), prog_name="registryauth", standalone_mode=False) or 0)
    except Error as error:
        return _complain(str(error), error.hint, error.exit_code)
    except TyperException as error:
        error.show()  # type: ignore[attr-defined]
        return int(getattr(error, "exit_code", 2))
    except (typer.Abort, KeyboardInterrupt):
        return _complain("interrupted", "", _INTERRUPTED)
    except BrokenPipeError:
        # The reader went away, as `head` does: no fault, and nothing more to write to it.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complain(f"{error.strerror or type(error).__name__}{f': {error.filename!a}' if error.filename else ''}", "", 1)


def _complain(message: str, hint: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    return status
