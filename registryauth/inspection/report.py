"""What an inspection found, rule by rule, and how much of the image that rests on."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.content.descriptor import Platform
from registryauth.digest import Digest
from registryauth.errors import RequirementsNotMet
from registryauth.inspection.rule import FAIL, PASS, UNCONFIRMED


class Evidence(Value):
    """One thing seen: where in the image, in which layer (None for manifest and configuration), and what made that layer."""

    name: str
    version: str
    path: str
    layer: Digest | None
    created_by: str


class Finding(Value):
    """What was *found* on *fact*. With a rule, *required* is its text and *status* ``pass``, ``fail`` or ``unconfirmed``; without,
    *status* is ``final`` or ``unconfirmed``.
    """

    fact: str
    required: str
    found: str
    status: str
    evidence: tuple[Evidence, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        why = f" ({self.note})" if self.note else ""
        verb = "is not confirmed" if self.status == UNCONFIRMED else self.status
        return f"{self.fact}: {self.required} is required, {self.found} was found{why}: {verb}"


class LayerRead(Value):
    """How much of a layer was read, in bytes as it is stored, and whether that was ``verified``; see `inspection.blob`."""

    digest: Digest
    size: int
    read: int
    state: str
    created_by: str


class Report(Value):
    """*read* of *size* bytes of the image were read. *digest* is what *reference* stands for, *manifest* the image's for *platform*.

    *profile* is empty where facts were asked for, not requirements.
    """

    reference: str
    digest: Digest
    manifest: Digest
    platform: Platform
    image_type: str
    profile: str
    source: str
    findings: tuple[Finding, ...]
    layers: tuple[LayerRead, ...]
    read: int
    size: int

    @property
    def met(self) -> bool | None:
        """Whether every rule is met; None where none fails and one is not confirmed."""
        said = {finding.status for finding in self.findings}
        return False if FAIL in said else None if UNCONFIRMED in said else True

    def raise_unless_met(self) -> None:
        """Raise `RequirementsNotMet`, each rule that does not pass named in it, unless all of them pass."""
        if self.met:
            return
        open_ones = tuple(str(finding) for finding in self.findings if finding.status != PASS)
        verb = "is not known to meet" if self.met is None else "does not meet"
        hint = (
            "nothing fails so far; without --quick every layer that matters is read"
            if self.met is None
            else "'registryauth image facts' shows all that is known of the image; build on a base that has what is missing"
        )
        raise RequirementsNotMet(
            "\n  ".join((f"{self.reference} {verb} {self.profile}:", *open_ones)), profile=self.profile, findings=open_ones, hint=hint
        )
