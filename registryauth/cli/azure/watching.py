"""A run as a person watches it: its log, its end, and what Ctrl-C does to it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer

from registryauth.azure.build_advice import advice
from registryauth.azure.build_log import BuildLog, Lines
from registryauth.azure.build_request import BuildRequest
from registryauth.azure.builds import PATIENCE, SUCCEEDED, Builds, Run
from registryauth.cli import console
from registryauth.errors import AzureError, BuildFailed, Error, RealmRefused, TransportError

#: As a shell reports a program that went with the reader of its output: 128 + SIGPIPE.
_UNREAD = 141
#: The lines of a log's end that advice is read from.
_REMEMBERED = 60


@contextmanager
def until_the_end() -> Iterator[None]:
    """What has to come to its end for status 0: where the reader of what is printed goes away before, end with 141.

    Elsewhere such a reader had all that it wanted, and that is no fault; here it is the run that counts.
    """
    try:
        yield
    except BrokenPipeError:
        raise typer.Exit(_UNREAD) from None


class Watch:
    """Watches runs of *builds*. *stream* is where the log goes, None for nowhere; *request* is what was asked for, if it is known."""

    def __init__(self, builds: Builds, stream: TextIO | None, timeout: float, request: BuildRequest | None = None) -> None:
        self._builds, self._stream, self._timeout, self._request = builds, stream, timeout, request
        self._secrets = request.secrets if request else ()
        self._last: deque[str] = deque(maxlen=_REMEMBERED)

    def scheduled(self, request: BuildRequest) -> Run:
        """The run of *request*, which is told of, also where Ctrl-C leaves open whether there is one. Raise as `Builds.schedule` does."""
        try:
            run = self._builds.schedule(request)
            console.say(f"The run {run.id} is scheduled.")
        except KeyboardInterrupt:
            name = self._builds.registry.id.name
            console.insist(f"The build may have been scheduled all the same: registryauth azure acr run list --registry {name}")
            raise
        return run

    def follow(self, run: Run) -> Run:
        """*run* when it is over; the log is shown meanwhile. Ctrl-C may cancel it, see `_interrupted`.

        Where it can be watched no longer, that it goes on is said, and what stopped us raised: `Error`, `OSError`. A reader of the
        log that goes away stops us only while the run is under way.
        """
        try:
            self._show(run)
            return self._builds.wait(run, self._timeout, self._secrets)
        except KeyboardInterrupt:
            if not run.is_over:
                self._interrupted(run)
            raise
        except (Error, OSError):
            # The network, or a reader of the log that went away.
            if not run.is_over:
                self._say_it_goes_on(run)
            raise

    def check(self, run: Run) -> None:
        """Raise `BuildFailed` unless *run* came to a good end."""
        if run.status == SUCCEEDED:
            return
        why = f": {run.error}" if run.error else ""
        hint = advice(run, self._last, self._builds.registry, self._request)
        raise BuildFailed(f"the run {run.id} ended as {run.status}{why}", run=run.id, ended=run.status, hint=hint)

    def _show(self, run: Run) -> None:
        if self._stream is None:
            return
        try:
            self._print(run, self._stream)
        except BrokenPipeError:
            if not (run.is_over or self._builds.run(run.id).is_over):
                raise

    def _print(self, run: Run, stream: TextIO) -> None:
        lines = Lines(secrets=self._secrets, colours=console.is_terminal(stream))
        until = self._builds.clock() + self._timeout + PATIENCE
        log = BuildLog(self._builds, run.id, lambda: self._builds.run(run.id).is_over, until)
        try:
            for piece in log.pieces():
                self._write(lines.feed(piece), stream)
            self._write(lines.feed(b"", last=True), stream)
        except (AzureError, TransportError, RealmRefused) as error:
            console.say(f"warning: the log cannot be read any further: {error.message}")
        if log.is_cut:
            console.say("warning: the log is too long to be shown whole")

    def _write(self, lines: Any, stream: TextIO) -> None:  # noqa: ANN401 - an iterator of text
        for line in lines:
            self._last.append(line)
            print(line, file=stream, flush=True)

    def _interrupted(self, run: Run) -> None:
        """Ask whether to cancel *run*, where there is somebody to ask; otherwise it goes on, and how to get at it is said."""
        if console.is_terminal(sys.stdin) and console.is_terminal(sys.stderr):
            try:
                print(f"\nCancel the run {run.id}? [y/N] ", end="", file=sys.stderr, flush=True)
                if _answer() in ("y", "yes"):
                    self._builds.cancel(run.id)
                    console.say(f"The run {run.id} is being canceled.")
                    return
            except KeyboardInterrupt:
                console.say("")
            except Error as error:
                console.say(f"warning: it could not be canceled: {error.message}")
        self._say_it_goes_on(run)

    def _say_it_goes_on(self, run: Run) -> None:
        name = self._builds.registry.id.name
        console.insist(f"The run {run.id} goes on. Watch it:  registryauth azure acr run logs {run.id} --registry {name}")
        console.insist(f"Cancel it: registryauth azure acr run cancel {run.id} --registry {name}")


def _answer() -> str:
    return sys.stdin.readline().strip().lower()


def document(run: Run, registry: str) -> dict[str, Any]:
    """*run* as JSON; where its log is, is a secret."""
    return {
        "version": 1,
        "run_id": run.id,
        "status": run.status,
        "registry": registry,
        "images": [{"name": one.repository, "tag": one.tag, "digest": one.digest} for one in run.images],
        "created": _moment(run.created),
        "started": _moment(run.started),
        "finished": _moment(run.finished),
        "error": run.error or None,
    }


def rows(run: Run, registry: str) -> list[tuple[str, str]]:
    """*run* as a table of ``WHAT`` and ``VALUE``."""
    return [
        ("run", run.id),
        ("status", run.status),
        *(("image", f"{one.registry or registry}/{one.repository}:{one.tag}@{one.digest}") for one in run.images),
        *((what, _moment(at) or "") for what, at in (("created", run.created), ("started", run.started), ("finished", run.finished)) if at),
        *((what, value) for what, value in (("kind", run.kind), ("platform", run.platform), ("agent pool", run.agent_pool)) if value),
        *([("error", run.error)] if run.error else []),
    ]


def _moment(text: str) -> str | None:
    """Azure's ``2026-11-22T10:00:00.1234567+00:00`` as we write dates; as it is where it is written otherwise."""
    from datetime import datetime

    try:
        return console.moment(int(datetime.fromisoformat(text).timestamp())) if text else None
    except ValueError:
        return text
