"""A program that another program runs for one answer: its streams, how it ends, and what it says of a failure."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO, TextIO

    from registryauth.errors import Error

    #: From arguments, standard input, output and error, and environment to the exit status.
    Run = Callable[[list[str], BinaryIO, TextIO, TextIO, Mapping[str, str]], int]


def serve(run: Run) -> int:
    """What *run* makes of this process's arguments, streams and environment; the exit status, 1 where nobody took the answer."""
    import gc
    import io

    # The process ends before the first collection would pay.
    gc.disable()
    # Python has None for a stream that the caller closed.
    stdin, stderr = sys.stdin.buffer if sys.stdin else io.BytesIO(), sys.stderr or io.StringIO()
    answer = io.StringIO()
    try:
        status = run(sys.argv[1:], stdin, answer, stderr, os.environ)
        # UTF-8 whatever the locale: JSON that programs exchange has no other encoding (RFC 8259 §8.1).
        return status if sys.stdout and _written_to(sys.stdout.fileno(), answer.getvalue().encode()) else 1
    except KeyboardInterrupt:
        return 130
    finally:
        # The interpreter sweeps at its end, whatever was disabled; what is frozen it leaves alone, a tenth of the run.
        gc.freeze()


def _written_to(descriptor: int, text: bytes) -> bool:
    """Write all of *text*; whether somebody took it."""
    try:
        while text:
            text = text[os.write(descriptor, text) :]
    except OSError:
        return False
    return True


def brief(error: Error) -> str:
    """What went wrong and what to do, without the lines that underline a place: the caller shows ours in the middle of its own."""
    message = str(error).partition("\n")[0]
    return f"{message}; {error.hint}" if error.hint else message
