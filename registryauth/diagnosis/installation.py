"""The installation, checked part by part; one that is broken keeps none of the others from being looked at."""

from __future__ import annotations

from registryauth.diagnosis import keeping, neighbours
from registryauth.diagnosis.chain import step_of
from registryauth.diagnosis.step import Diagnosis, Look, Step, failed
from registryauth.diagnosis.surroundings import Surroundings
from registryauth.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS: tuple[tuple[str, Callable[[Surroundings], Look]], ...] = (
    ("configuration", keeping.configuration),
    ("store", keeping.store),
    ("key", keeping.key),
    ("writing", keeping.writing),
    ("permissions", keeping.permissions),
    ("audit", keeping.audit),
    ("expiry", keeping.expiry),
    ("clock", keeping.clock),
    ("helper", neighbours.helper),
    ("docker", neighbours.docker),
    ("containers", neighbours.containers),
    ("environment", neighbours.environment),
)
#: What cannot be told where another check is broken.
_NEEDS = {
    "configuration": {"store", "key", "writing", "permissions", "audit", "expiry", "clock"},
    "store": {"key", "writing", "audit", "expiry"},
    "key": {"audit", "expiry"},
}


def inspect(here: Surroundings) -> Diagnosis:
    """Every check; nothing is raised that a check can fail by, and nothing is written."""
    steps: list[Step] = []
    skipped: dict[str, str] = {}
    for name, check in CHECKS:
        if name in skipped:
            steps.append(Step(name, "skipped", f"not looked at: {skipped[name]} is broken"))
            continue
        begun = here.timer()
        look = _looked(check, here)
        steps.append(step_of(name, look, here.timer() - begun, here.blotter))
        if look.outcome == "broken":
            skipped = dict.fromkeys(_NEEDS.get(name, ()), name) | skipped
    return Diagnosis("", tuple(steps))


def _looked(check: Callable[[Surroundings], Look], here: Surroundings) -> Look:
    try:
        return check(here)
    except Error as error:
        return failed(error)
    except OSError as error:
        return failed(Error(f"{error.filename or 'a file'}: {error.strerror}", hint="check who owns it"))
