"""Other programs, run for their answer: told nothing of our secrets, given little time, read within bounds."""

from __future__ import annotations

import os
import time

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    #: The error for a complaint and a hint; it names the program and quotes nothing of what that said.
    Failed: TypeAlias = Callable[[str, str], Exception]

#: Set in every child, so that a helper that calls us does not make us call a helper again.
ACTIVE = "REGISTRYAUTH_ACTIVE"

# What a child may know of our own settings: where they are, never what they protect.
_PASSED_ON = ("REGISTRYAUTH_CONFIG", "REGISTRYAUTH_STORE_PATH")
_KEPT_BACK = ("DOCKER_AUTH_CONFIG",)


#: Told of each program that is run, and of how it ended; nobody, unless the command line was asked to tell.
_told: Callable[[str], None] | None = None


def tell(to: Callable[[str], None] | None) -> None:
    """Have *to* told, one line each, of every program that is run from now on in this process; None ends it."""
    global _told  # noqa: PLW0603 - whoever runs one knows nothing of the command line
    _told = to


class Done(Value, hidden=("output", "complaints")):
    """How a program ended, and what it wrote to its standard output and, where that was wanted, to its standard error."""

    status: int
    output: bytes
    complaints: bytes = b""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """*environ* without our key, our passphrase and our passwords."""
    kept = {k: v for k, v in environ.items() if k not in _KEPT_BACK and (not k.startswith("REGISTRYAUTH_") or k in _PASSED_ON)}
    return kept | {ACTIVE: "1"}


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """The absolute path of the program *name* on PATH; None if it is not there.

    An empty or relative entry of PATH, which would let the current directory plant a program, does not count.
    """
    import shutil

    directories = [entry for entry in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(entry)]
    found = shutil.which(name, path=os.pathsep.join(directories)) if directories else None
    return found if found and os.path.isabs(found) else None


def run(
    command: list[str], environ: Mapping[str, str], failed: Failed, *, timeout: float, limit: int, line: str = "", complaints: bool = False
) -> Done:
    """Run *command* in *environ*, with *line* on its standard input; at most *timeout* seconds, at most *limit* bytes of each stream.

    Its standard error is dropped unless *complaints* are wanted. Raise what *failed* makes where it cannot be run, is too slow
    or says too much; it is then no longer running.
    """
    if _told is None:
        return _run(command, environ, failed, timeout=timeout, limit=limit, line=line, complaints=complaints)
    from registryauth._redact import printable

    # What a program is to keep to itself comes over its standard input; its arguments every process can see.
    name, begun = printable(" ".join(command), 200), time.monotonic()
    try:
        done = _run(command, environ, failed, timeout=timeout, limit=limit, line=line, complaints=complaints)
    except BaseException:
        _told(f"ran {name}: no answer after {(time.monotonic() - begun) * 1000:.0f} ms")
        raise
    _told(f"ran {name}: exit status {done.status}, {(time.monotonic() - begun) * 1000:.0f} ms, {len(done.output)} bytes")
    return done


def _run(
    command: list[str], environ: Mapping[str, str], failed: Failed, *, timeout: float, limit: int, line: str, complaints: bool
) -> Done:
    import subprocess

    deadline = time.monotonic() + timeout
    aside = subprocess.PIPE if complaints else subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=aside, env=environ, bufsize=0, cwd="/")
    except OSError as error:
        raise failed(f"cannot be run: {os.strerror(error.errno or 0)}", "check that it is a program for this machine") from None
    with process:
        try:
            _say(process, line)
            said = _listen(process, deadline, limit, failed)
            return Done(process.wait(max(0.0, deadline - time.monotonic())), *said)
        except subprocess.TimeoutExpired:
            raise _too_slow(failed) from None
        finally:
            if process.poll() is None:
                process.kill()


def _say(process: subprocess.Popen[bytes], line: str) -> None:
    """No newline, and short enough for a pipe to take it at once."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(line.encode("ascii"))
        process.stdin.close()
    except BrokenPipeError:
        # It did not want to know; its answer and status say more.
        pass


def _listen(process: subprocess.Popen[bytes], deadline: float, limit: int, failed: Failed) -> tuple[bytes, bytes]:
    import selectors

    said = {stream: bytearray() for stream in (process.stdout, process.stderr) if stream is not None}
    with selectors.DefaultSelector() as selector:
        for stream in said:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise _too_slow(failed)
            for key, _ in ready:
                part = os.read(key.fd, limit)
                if not part:
                    selector.unregister(key.fileobj)
                said[key.fileobj] += part  # type: ignore[index]  # a stream of ours
                if len(said[key.fileobj]) > limit:  # type: ignore[index]  # as above
                    raise failed(f"answered more than {limit} bytes", "report it to its maker")
    output, complaints = (bytes(said.get(stream, b"")) if stream else b"" for stream in (process.stdout, process.stderr))
    return output, complaints


def _too_slow(failed: Failed) -> Exception:
    return failed("did not answer in time", "it may wait for a locked keychain or a person; unlock it and try again")
