"""What a reference resolves to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.credentials import Credential, Pinned
    from registryauth.reference import Reference
    from registryauth.registries import Classification, Kind
    from registryauth.resolver.answer import Found


class PullSecret:
    """The credential for *reference*, fetched when it is first read; nothing secret is in its repr.

    *kind* is the registry's, *source* names who had the credential, *expires_at* is in seconds since the
    epoch (0 where nobody said), *trace* holds one line for each source asked.
    """

    __slots__ = ("_classification", "_found", "_pinned", "expires_at", "reference", "source", "trace")

    def __init__(self, classification: Classification, found: Found, trace: tuple[str, ...]) -> None:
        self.reference: Reference = classification.reference
        self.source: str = found.source
        self.expires_at: int = found.expires_at
        self.trace = trace
        self._classification = classification
        self._found = found
        self._pinned: Pinned | None = None

    @property
    def kind(self) -> Kind:
        """Whether the registry is a workspace's, a standalone one, or public."""
        return self._classification.kind

    @property
    def detail(self) -> str:
        """Which entry of the source it was, and why."""
        return self._found.detail

    @property
    def pinned(self) -> Pinned:
        """The credential with the token servers that it was registered for; raise `CredentialError` if it cannot be had."""
        if self._pinned is None:
            self._pinned = self._found.fetch()
        return self._pinned

    @property
    def credential(self) -> Credential:
        """The credential alone; `Anonymous` where none is needed."""
        return self.pinned.credential

    def explain(self) -> str:
        """Every source asked, in order, and what it said, after what the registry is and why we say so."""
        return "\n".join((f"{self.reference}: {self.kind.value}, {self._classification.why}", *(f"  {line}" for line in self.trace)))

    def __repr__(self) -> str:
        return f"PullSecret({str(self.reference)!r}, kind={self.kind.value!r}, source={self.source!r}, expires_at={self.expires_at})"
