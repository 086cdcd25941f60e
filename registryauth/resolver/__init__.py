"""From a reference to its pull secret: sources in order, each of which answers found, absent or broken."""

from __future__ import annotations

import time

from registryauth.errors import CredentialNotFound
from registryauth.reference import Reference
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.pull_secret import PullSecret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Self

    from registryauth.config import Config
    from registryauth.credentials import Credential, Pinned
    from registryauth.reference import Repository
    from registryauth.registries import Classification, Kind
    from registryauth.resolver.answer import Source
    from registryauth.stores import Store

__all__ = ["Absent", "Found", "PullSecret", "Resolver"]


class Resolver:
    """Asks *sources* in order; the first that has a credential wins, and one that is broken is never passed over.

    *known* is what the configuration says of registries, by host. *spelled* are host names that are right
    though they look mistyped. *close* lets go of what the sources hold.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        known: Mapping[str, Kind] | None = None,
        *,
        spelled: Collection[str] = (),
        close: Callable[[], None] | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._known = dict(known or {})
        self._spelled = spelled
        self._close = close

    @classmethod
    def from_config(
        cls,
        config: Config | None = None,
        environ: Mapping[str, str] | None = None,
        store: Store | None = None,
        explicit: Mapping[str, Credential] | None = None,
        *,
        account: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """The sources that *config* and *environ* name: explicit, environment, store, docker's and containers' files, public.

        *explicit* maps a registry address to a credential. *account* picks one of several stored at an
        address. A store that is not passed in is opened at the first question and closed by `close`.
        """
        from registryauth.resolver.assembly import assemble

        sources, known, spelled, close = assemble(config, environ, store, explicit, account, clock)
        return cls(sources, known, spelled=spelled, close=close)

    def resolve(self, reference: Reference | str) -> PullSecret:
        """The pull secret for *reference*.

        Raise `CredentialNotFound` if every source answered absent and the registry is not public,
        `SourceFailed` or `StoreError` for the first source that is broken, `InvalidReference`.
        """
        classification = self.classify(reference)
        answers = self.answers(classification.reference.repository)
        trace = _trace(answers)
        if answers and isinstance(last := answers[-1], Found):
            return PullSecret(classification, last, trace)
        if classification.kind == "public":
            from registryauth.credentials import NOBODY

            return PullSecret(classification, Found("public registries", classification.why, lambda: NOBODY), trace)
        raise CredentialNotFound(
            f"no credential for {classification.reference.repository} ({classification.provider.title})",
            trace=trace,
            hint=_hint(classification),
        )

    def candidates(self, repository: Repository) -> tuple[Pinned, ...]:
        """The credentials to try for *repository*, none where the answer is absent or anonymous; raise if a source is broken."""
        from registryauth.credentials import Anonymous

        answers = self.answers(repository)
        if not answers or not isinstance(answers[-1], Found):
            return ()
        pinned = answers[-1].fetch()
        return () if isinstance(pinned.credential, Anonymous) else (pinned,)

    def classify(self, reference: Reference | str) -> Classification:
        """What the reference's registry is, and the reference that is meant: a workspace's image may be named without its registry."""
        from registryauth.registries import kind_of

        if isinstance(reference, str):
            reference = Reference.parse(reference, known=self._spelled)
        return kind_of(reference, self._known)

    def answers(self, repository: Repository) -> list[Found | Absent]:
        """Every answer up to the first found."""
        answers: list[Found | Absent] = []
        for source in self._sources:
            answers.append(source.ask(repository))
            if isinstance(answers[-1], Found):
                break
        return answers

    def trace(self, repository: Repository) -> tuple[str, ...]:
        """One line for each source asked about *repository*, with what it said."""
        return _trace(self.answers(repository))

    def close(self) -> None:
        """Close the store, if it was opened here."""
        if self._close:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _trace(answers: Iterable[Found | Absent]) -> tuple[str, ...]:
    return tuple(f"{answer.source}: {_verdict(answer)}: {answer.detail}" for answer in answers)


def _verdict(answer: Found | Absent) -> str:
    return "found" if isinstance(answer, Found) else "absent"


def _hint(classification: Classification) -> str:
    host = classification.reference.registry.host
    if classification.provider.role == "data":
        return f"{host} serves blobs only; name the registry itself"
    if classification.reference.implied_registry:
        return f"no registry was named, so Docker Hub was meant: write yours in front, or registryauth login {host}"
    if classification.provider.name == "acr":
        return f"registryauth login {host} --username CLIENT_ID, with the secret of a service principal that may pull"
    if classification.may_be_public:
        return f"registryauth login {host}; if this image is public, registryauth manifest get works without"
    return f'registryauth login {host}; or, if it is public, kind = "public" under [registries."{host}"]'
