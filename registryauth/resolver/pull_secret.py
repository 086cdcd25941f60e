"""What a reference resolves to."""

from __future__ import annotations

from registryauth.resolver.answer import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.credentials import Credential, Pinned
    from registryauth.reference import Address, Reference
    from registryauth.registries import Classification, Kind
    from registryauth.resolver.answer import Answer, Found
    from registryauth.stores.principal import Key


class PullSecret:
    """The credential for *reference*, fetched when it is first read; nothing secret is in its repr.

    *kind* is the registry's, *source* names who had the credential, *account* whose it is (empty where none is needed),
    *serial* which of our store's secrets of that account and *key* its record (0 and None where it is another's).
    *answers* are those of the sources asked, in order, and of those that a rule left out.
    """

    __slots__ = ("_found", "_pinned", "account", "answers", "classification", "key", "reference", "serial", "source")

    def __init__(self, classification: Classification, found: Found, answers: tuple[Answer, ...]) -> None:
        self.classification = classification
        self.reference: Reference = classification.reference
        self.source: str = found.source
        self.account: str = found.account
        self.serial: int = found.serial
        self.key: Key | None = found.key
        self.answers = answers
        self._found = found
        self._pinned: Pinned | None = None

    @property
    def kind(self) -> Kind:
        """Whether the registry is a workspace's, a standalone one, or public."""
        return self.classification.kind

    @property
    def expires_at(self) -> int:
        """When it ends, in seconds since the epoch; 0 where nobody said, and until it is read, of one that is made for the reading."""
        if self._pinned is not None and self._found.ends is not None:
            return self._found.ends()
        return self._found.expires_at

    @property
    def address(self) -> Address:
        """What it was registered for, in the reference's own registry: all of that, or what lies below a path."""
        from registryauth.reference import Address

        return Address(self.reference.registry, self._found.path)

    @property
    def renews(self) -> bool:
        """Whether the next one takes its place by itself, so that nobody need be warned of its end."""
        return self._found.ends is not None

    @property
    def detail(self) -> str:
        """Which entry of the source it was, and why."""
        return self._found.detail

    @property
    def trace(self) -> tuple[str, ...]:
        """One line for each source, with what it said."""
        return tuple(map(line, self.answers))

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

    def beside(self, reference: Reference) -> PullSecret:
        """The same for another image of the same repository: no source is asked again, and what is fetched for one is for both."""
        found = self._found.replace(fetch=lambda: self.pinned)
        return PullSecret(self.classification.replace(reference=reference), found, self.answers)

    def explain(self) -> str:
        """Every source asked, in order, and what it said, after what the registry is and why we say so."""
        from registryauth.resolver.explanation import Explanation

        return str(Explanation(self.classification, self.answers, self))

    def __repr__(self) -> str:
        return f"PullSecret({str(self.reference)!r}, kind={self.kind.value!r}, source={self.source!r}, expires_at={self.expires_at})"
