"""What was read from a store, for as long as nothing changed there."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from registryauth.errors import CredentialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import TypeVar

    from registryauth.resolver.stored import Looked
    from registryauth.stores import Store

    Question = TypeVar("Question", bound=Hashable)
    Answers = Mapping[Question, Looked | CredentialError]

#: Seconds. A file system of another machine may be late to say that something changed, and which record is in use is noted
#: when it is read.
KEEP = 600.0
#: Answers kept; one with a secret of usual size takes about 4 KiB.
MAX_ANSWERS = 1024


class Remembered:
    """Answers of one store, none older than its last change; safe for threads. A store that cannot tell is read each time."""

    def __init__(self, limit: int = MAX_ANSWERS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[float, Looked]] = OrderedDict()
        self._of: tuple[Store, object] | None = None

    def get(
        self, store: Store, questions: Sequence[Question], read: Callable[[Sequence[Question]], Answers[Question]]
    ) -> Answers[Question]:
        """The answer to each of *questions*: the remembered one, or what *read* gives for those left, which asks *store*.

        An error is an answer that is not remembered.
        """
        # Before the reading: what changes after this moment changes the next stamp.
        stamp = store.stamp()
        if stamp is None:
            return read(questions)
        now = self._clock()
        with self._lock:
            if self._of != (store, stamp):
                self._answers.clear()
                self._of = (store, stamp)
            known = {question: kept[1] for question in questions if (kept := self._answers.get(question)) and now < kept[0]}
            for question in known:
                self._answers.move_to_end(question)
        left = [question for question in questions if question not in known]
        if not left:
            return known
        answers = read(left)
        with self._lock:
            if self._of == (store, stamp):
                self._remember(answers, now + KEEP)
        return {**known, **answers}

    def _remember(self, answers: Answers[Question], until: float) -> None:
        for question, answer in answers.items():
            if not isinstance(answer, CredentialError):
                self._answers[question] = (until, answer)
                self._answers.move_to_end(question)
        while len(self._answers) > self._limit:
            self._answers.popitem(last=False)
