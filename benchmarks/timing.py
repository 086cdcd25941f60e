"""Times whole processes and functions, one candidate after the other in each round, so that noise falls on all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """A process to time: what it is called in a table, how it is started, and what it reads."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    stdin: bytes = b""


def time_commands(commands: Sequence[Command], rounds: int) -> dict[str, float]:
    """The median seconds from start to end of each command, by name; raise `RuntimeError` for one that fails."""
    with tempfile.TemporaryDirectory() as directory:
        starters = {command.name: _starter(command, directory, number) for number, command in enumerate(commands)}
        for command in commands:
            _check(command)
        return time_functions(starters, rounds)


def time_functions(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each function, by name."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _check(command: Command) -> None:
    """Run it once: a command that fails fast must not look fast; what Python compiles is on disk afterwards."""
    done = subprocess.run(command.argv, env=command.environ, input=command.stdin, capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{command.name} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")


def _starter(command: Command, directory: str, number: int) -> Callable[[], None]:
    request = os.path.join(directory, str(number))
    with open(request, "wb") as file:
        file.write(command.stdin)
    redirections = [
        (os.POSIX_SPAWN_OPEN, 0, request, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]

    def run() -> None:
        # Cheaper, and steadier, than subprocess: nothing is read and no pipe is waited for.
        process = os.posix_spawnp(command.argv[0], list(command.argv), dict(command.environ), file_actions=redirections)
        _, status = os.waitpid(process, 0)
        if status:
            raise RuntimeError(f"{command.name} ended with {os.waitstatus_to_exitcode(status)}")

    return run
