"""What stands between a simulator's clients and its answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from registryauth._http.messages import Request, Response
from registryauth.testing.faults import Alteration, Fault, Interference


class Meddling:
    """Faults before, alterations after and interferences around an answer; `testing.faults` has ready-made ones."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._alterations: list[Alteration] = []
        self._interferences: list[Interference] = []

    def inject(self, fault: Fault) -> None:
        """Ask *fault* before every request; what it answers is the answer, unless it is None."""
        self._faults.append(fault)

    def alter(self, alteration: Alteration) -> None:
        """Hand every answer to *alteration* before it leaves."""
        self._alterations.append(alteration)

    def interfere(self, interference: Interference) -> None:
        """Let *interference* stand between the client and the simulator: it gets the request and `then`, which gives the
        simulator's answer to whatever it is handed, and may be asked any number of times.
        """
        self._interferences.append(interference)

    def behave(self) -> None:
        """Forget every fault."""
        self._faults.clear()
        self._alterations.clear()
        self._interferences.clear()

    def _meddled(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """What becomes of *request*, which *answer* would answer; a fault may raise `TransportError` instead."""
        for interference in self._interferences:
            answer = partial(interference, then=answer)
        response = next((said for fault in self._faults if (said := fault(request))), None) or answer(request)
        for alteration in self._alterations:
            response = alteration(request, response)
        return response
