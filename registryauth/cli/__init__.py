"""The command line: one verb a file, no logic. Only here, in the docker helper and in the demo's printer is anything printed."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

#: As a shell reports a program that Ctrl-C ended.
_INTERRUPTED = 130


def run(argv: Sequence[str]) -> int:
    """Run the command in *argv*; the exit status is that of `errors`, and 130 where a person interrupted it.

    A reader that goes away is no fault, and mends none: what has failed or was cut short by then keeps its status.
    """
    _make_streams_usable()
    status = 0
    try:
        status = _run(argv)
        # What is left in a buffer would fail after us, where nobody could say why.
        sys.stdout.flush()
        sys.stderr.flush()
    except KeyboardInterrupt:
        return _say_interrupted()
    except BrokenPipeError:
        # The reader went away, as `head` does: no fault, and nothing more to write to it.
        _drop_output()
        return status
    except SystemExit as end:
        # typer ends the process itself where the reader went away.
        if not isinstance(end.__context__, BrokenPipeError):
            return end.code if isinstance(end.code, int) else 1
        _drop_output()
        return 0
    except OSError as error:
        _drop(sys.stdout)
        where = f": {error.filename!a}" if error.filename else ""
        return _complain(f"{error.strerror or type(error).__name__}{where}", "", 1)
    return status


def _run(argv: Sequence[str]) -> int:
    if list(argv) == ["--version"]:
        # The one question that is asked by scripts in a loop; loading a command line for it would cost five times as much.
        from registryauth import __version__

        print(f"registryauth {__version__}")
        return 0

    if argv and argv[0] == "__complete":
        # Asked at every TAB, so that it must not wait for the command line either.
        from registryauth.cli.complete import answer

        return answer(argv[1:])

    import gc

    # Start-up allocates a great deal and lets go of none of it: sweeping it again and again costs a tenth of a short command.
    gc.set_threshold(100_000, 20, 20)
    import typer
    from typer.exceptions import TyperException

    from registryauth.cli import verbosity
    from registryauth.cli.app import command
    from registryauth.errors import Error

    try:
        status = int(command().main(list(argv), prog_name="registryauth", standalone_mode=False) or 0)
        # typer makes a status of a Ctrl-C in the middle of a verb, and says nothing.
        return _say_interrupted() if status == _INTERRUPTED else status
    except Error as error:
        return _complain(str(error), error.hint, error.exit_code)
    except TyperException as error:
        error.message = _shown(error.message)
        unless_gone(error.show)  # type: ignore[attr-defined]
        return int(getattr(error, "exit_code", 2))
    except UnicodeEncodeError:
        # Only bytes from the command line or the environment that are no text come to this; what they are is not repeated.
        return _complain("an argument or environment variable is not text in UTF-8", "correct it, or the locale", 2)
    except typer.Abort:
        # The end of input where a person was asked.
        return _say_interrupted()
    finally:
        verbosity.end()


def _say_interrupted() -> int:
    if sys.stderr.isatty():
        # The cursor still stands behind a question, or behind ^C.
        print(file=sys.stderr)
    return _complain("interrupted", "", _INTERRUPTED)


def _make_streams_usable() -> None:
    """A stream that the caller closed, and a locale that cannot write what we say, stop no command."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It takes the lowest free number, the stream's own, which no file of ours must get.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    if isinstance(sys.stdout, io.TextIOWrapper):
        utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
        # A path that is no UTF-8 is printed as the bytes that it is.
        sys.stdout.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def _drop_output() -> None:
    _drop(sys.stdout)
    # With `2>&1` it has the same reader.
    _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Let nothing complain at the end of the process about what could not be written to *stream*."""
    from contextlib import suppress

    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(message: str, hint: str, status: int) -> int:
    unless_gone(lambda: print(f"error: {_shown(message)}", file=sys.stderr))
    if hint:
        unless_gone(lambda: print(f"hint: {_shown(hint)}", file=sys.stderr))
    return status


def unless_gone(tell: Callable[[], object]) -> None:
    """Have *tell* write to standard error; where nobody reads that, as behind ``2>&1 | head``, what is under way goes on unseen."""
    try:
        tell()
    except BrokenPipeError:
        _drop(sys.stderr)


def _shown(text: str) -> str:
    """*text*, its lines kept, with what could move a cursor blotted out: it may repeat an argument that a script was handed."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
