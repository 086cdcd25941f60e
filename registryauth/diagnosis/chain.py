"""The chain from a reference to a layer's first byte, walked link by link up to the first that is broken."""

from __future__ import annotations

from registryauth.diagnosis import asking, fetching, naming, reaching
from registryauth.diagnosis.redaction import without_userinfo
from registryauth.diagnosis.step import Diagnosis, Look, Step, failed
from registryauth.diagnosis.walk import Walk
from registryauth.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.diagnosis.redaction import Blotter

#: In the order in which a pull makes them.
LINKS: tuple[tuple[str, Callable[[Walk], Look]], ...] = (
    ("reference", naming.reference),
    ("kind", naming.kind),
    ("credential", naming.credential),
    ("dns", reaching.dns),
    ("connection", reaching.connection),
    ("tls", reaching.tls),
    ("challenge", asking.challenge),
    ("realm", asking.realm),
    ("token", asking.token),
    ("scope", asking.scope),
    ("manifest", fetching.manifest),
    ("layer", fetching.layer),
    ("platform", fetching.platform),
)


def examine(walk: Walk) -> Diagnosis:
    """Every link from *walk*'s text on; those behind the first that is broken are skipped. Nothing is raised that a link can break by."""
    steps: list[Step] = []
    stopped = ""
    try:
        for name, look_at in LINKS:
            if stopped:
                steps.append(Step(name, "skipped", f"not looked at: {stopped} is broken"))
                continue
            begun = walk.tools.timer()
            look = _looked(look_at, walk)
            steps.append(step_of(name, look, walk.tools.timer() - begun, walk.tools.blotter))
            walk = walk.replace(**look.learnt)
            stopped = name if look.outcome == "broken" else ""
            if stopped and asking.is_refusal(walk, look):
                steps += _roles(walk, name)
    finally:
        if walk.client is not None:
            walk.client.close()
    return Diagnosis(walk.tools.blotter.text(without_userinfo(walk.text)), tuple(steps))


def _roles(walk: Walk, stopped: str) -> list[Step]:
    """What resource management says of a refusal by a registry of Azure's, where somebody is signed in who may look."""
    begun = walk.tools.timer()
    look = asking.roles(walk, stopped)
    return [step_of("roles", look, walk.tools.timer() - begun, walk.tools.blotter)] if look else []


def _looked(look_at: Callable[[Walk], Look], walk: Walk) -> Look:
    try:
        return look_at(walk)
    except Error as error:
        return failed(error)


def step_of(name: str, look: Look, seconds: float, blotter: Blotter) -> Step:
    """*look* as a step, whatever *blotter* knows to be secret taken out of it: servers repeat what they were sent."""
    return Step(name, look.outcome, blotter.text(look.detail), blotter.text(look.hint), seconds, blotter.plain(look.facts))
