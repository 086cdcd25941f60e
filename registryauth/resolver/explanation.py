"""Why a reference resolves to what it resolves to."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.resolver.answer import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.errors import CredentialError
    from registryauth.registries import Classification
    from registryauth.resolver.answer import Answer
    from registryauth.resolver.pull_secret import PullSecret


class Explanation(Value):
    """What was asked, what each source answered, and what came of it: *secret*, or the *error* that `Resolver.resolve` raises."""

    classification: Classification
    answers: tuple[Answer, ...]
    secret: PullSecret | None = None
    error: CredentialError | None = None

    @property
    def trace(self) -> tuple[str, ...]:
        """One line for each source."""
        return tuple(map(line, self.answers))

    def __str__(self) -> str:
        kind, why = self.classification.kind.value, self.classification.why
        return "\n".join((f"{self.classification.reference}: {kind}, {why}", *(f"  {text}" for text in self.trace)))
