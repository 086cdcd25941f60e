"""Other people's credential helpers, each asked once for the same thing."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from registryauth._value import Value
from registryauth.errors import SourceFailed
from registryauth.resolver.helper import TIMEOUT, ask_helper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.credentials import Credential

    #: Helper's name and server key.
    Question = tuple[str, str]

#: Seconds for which an answer holds. Helpers hand out tokens that live from an hour (Google) to twelve (Amazon) and renew them
#: some minutes before their end; docker buildx keeps them for as long as this (util/dockerutil, configprovider.go).
KEEP = 290.0
#: Seconds for which "I have none" holds: somebody may log in meanwhile.
KEEP_ABSENT = 60.0
#: Seconds for which a failure holds: many at once must not start a helper each, and who mended it should not wait.
KEEP_BROKEN = 5.0
#: Answers kept, the oldest goes first; each has at most 64 KiB.
MAX_ANSWERS = 256


class _Answer(Value, hidden=("credential",)):
    until: float
    credential: Credential | None
    broken: SourceFailed | None = None


class AskedHelpers:
    """Asks helpers within *timeout* seconds, at most once at a time for the same key, and remembers what they said for a while.

    Called like `ask_helper`, whose errors it raises. Safe for threads. One environment is meant to ask through one of these.
    """

    def __init__(
        self,
        timeout: float = TIMEOUT,
        *,
        ask: Callable[..., Credential | None] = ask_helper,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout = timeout
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Question, _Answer] = OrderedDict()
        self._asking: dict[Question, threading.Lock] = {}

    def __call__(self, name: str, server: str, environ: Mapping[str, str]) -> Credential | None:
        """What the helper *name* holds for *server*; None if it has nothing."""
        question = (name, server)
        with self._lock:
            if known := self._known(question):
                return _said(known)
            turn = self._asking.setdefault(question, threading.Lock())
        with turn:
            with self._lock:
                # Whoever had the turn before may have the answer.
                if known := self._known(question):
                    return _said(known)
            try:
                answer = self._keep(question, self._fresh(name, server, environ))
            finally:
                with self._lock:
                    self._asking.pop(question, None)
        return _said(answer)

    def _keep(self, question: Question, answer: _Answer) -> _Answer:
        with self._lock:
            self._answers[question] = answer
            self._answers.move_to_end(question)
            if len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def _known(self, question: Question) -> _Answer | None:
        answer = self._answers.get(question)
        return answer if answer and self._clock() < answer.until else None

    def _fresh(self, name: str, server: str, environ: Mapping[str, str]) -> _Answer:
        try:
            credential = self._ask(name, server, environ, timeout=self._timeout)
        except SourceFailed as error:
            return _Answer(self._clock() + KEEP_BROKEN, None, error)
        return _Answer(self._clock() + (KEEP if credential else KEEP_ABSENT), credential)


def _said(answer: _Answer) -> Credential | None:
    if answer.broken is not None:
        # A new one each time: an error that is raised twice collects the traces of both.
        raise SourceFailed(answer.broken.message, hint=answer.broken.hint)
    return answer.credential
