"""What a shell is told when a person presses TAB.

It is the shell's script (`scripts`) that asks: ``registryauth __complete SHELL WORD… =CURRENT``, once for every TAB. The answer's
first line says what to complete with, ``values``, ``files`` or ``directories``; after ``values`` comes one candidate a line,
what it is after a tab. Nothing heavy is imported here: the verbs are in ``verbs.json``, which `generate` writes.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHELLS = ("bash", "zsh", "fish", "powershell")
#: What `argv` begins with where a shell asks.
ASKED = "__complete"

#: Seconds. Whoever pressed a key is not kept longer, whatever the disk, the network behind it or a pipe in a file's place does.
_PATIENCE = 2.0


def answer(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Answer the shell's question *argv*, what followed `ASKED`; always 0, and nothing where nothing can be told without asking."""
    _give_up_after(_PATIENCE)
    try:
        text = _answer(argv, environ)
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - a person in the middle of a line is told of nothing
        _silence()
    return 0


def _answer(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    shell, *words = argv
    if shell not in SHELLS or not words:
        return ""
    from registryauth.cli.complete import quoting
    from registryauth.cli.complete.line import Line, suggestions

    typed = words.pop().removeprefix("=")
    current, quote = quoting.plain(shell, typed)
    line = Line(tuple(quoting.plain(shell, word)[0] for word in words), current)
    kind, found = suggestions(line, environ)
    lines = [f"{quoting.quoted(shell, value, quote)}\t{text}".rstrip("\t") for value, text in found]
    return "".join(f"{text}\n" for text in (kind, *lines))


def _give_up_after(seconds: float) -> None:
    import signal

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _silence() -> None:
    """Let nothing be said at the end of the process either."""
    empty = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(empty, stream)
