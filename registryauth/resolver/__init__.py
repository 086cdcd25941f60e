"""From a reference to its pull secret: sources in order, each of which answers found, absent or broken."""

from __future__ import annotations

import time

from registryauth.errors import CredentialError, CredentialNotFound, SourceFailed
from registryauth.reference import Reference
from registryauth.resolver.answer import Absent, Broken, Found, line
from registryauth.resolver.explanation import Explanation
from registryauth.resolver.plan import Plan
from registryauth.resolver.pull_secret import PullSecret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Self

    from registryauth.config import Config
    from registryauth.credentials import Credential, Pinned
    from registryauth.reference import Repository
    from registryauth.registries import Classification, Kind
    from registryauth.resolver.answer import Answer, Source
    from registryauth.resolver.workspace import Workspaces
    from registryauth.stores import Store
    from registryauth.stores.keys import Ask

__all__ = ["Absent", "Explanation", "Found", "PullSecret", "Resolver"]

#: The source that knows which registries ask nobody, by its name in traces.
_PUBLIC = "public registries"


class Resolver:
    """Asks *sources* in order; the first that has a credential wins, and one that is broken is never passed over.

    *known* is what the configuration says of registries, by host. *spelled* are host names that are right though they look
    mistyped. *plans* are the sources of single registries, by host. The sources that are named in *tolerated* may break where
    the registry is known to be public: it is then asked without a credential, and *notice* told why, once. *close* lets go of
    what the sources hold. *workspaces* know which registries are an Azure ML workspace's. *told* is given each repository that was
    asked about with what the sources said of it, also where one is broken. Safe to share between threads, and between the tasks of
    an event loop through threads.
    """

    def __init__(
        self,
        sources: Iterable[Source] | Plan,
        known: Mapping[str, Kind] | None = None,
        *,
        spelled: Collection[str] = (),
        plans: Mapping[str, Plan] | None = None,
        tolerated: Collection[str] = (),
        notice: Callable[[str], None] = lambda _: None,
        close: Callable[[], None] | None = None,
        workspaces: Workspaces | None = None,
        told: Callable[[Repository, Sequence[Answer]], None] | None = None,
    ) -> None:
        self._usual = sources if isinstance(sources, Plan) else Plan(tuple(sources))
        self._plans = dict(plans or {})
        self._known = dict(known or {})
        self._spelled = spelled
        self._tolerated = tolerated
        self._notice = notice
        self._noticed: set[str] = set()
        self._close = close
        self._workspaces = workspaces
        self._told = told

    @classmethod
    def from_config(
        cls,
        config: Config | None = None,
        environ: Mapping[str, str] | None = None,
        store: Store | None = None,
        explicit: Mapping[str, Credential] | None = None,
        *,
        account: str | None = None,
        notice: Callable[[str], None] = lambda _: None,
        ask: Ask | None = None,
        workspace: str = "",
        allow_admin_user: bool = False,
        clock: Callable[[], float] = time.time,
        told: Callable[[Repository, Sequence[Answer]], None] | None = None,
    ) -> Self:
        """The sources that *config* and *environ* name: explicit, environment, store, workspaces, docker's and containers' files, public.

        *explicit* maps a registry address to a credential. With *account* only that account's credentials count, wherever
        they are (explicit ones aside), and what the configuration says of single registries' order and account does not. A
        store that is not passed in is opened at the first question and closed by `close`. *notice* is told what went wrong
        where that stops nobody, *ask* asks a person for the passphrase of a store that has one. *workspace* is the configured
        one that an image named without a registry belongs to; *allow_admin_user* lets the admin user of workspaces' registries
        be used, whose password lasts and may push and delete. *told* is the constructor's.
        """
        from registryauth.resolver.assembly import assemble

        made = assemble(
            config, environ, store, explicit, account, clock, ask, notice, workspace=workspace, allow_admin_user=allow_admin_user
        )
        return cls(
            made.usual,
            made.known,
            spelled=made.spelled,
            plans=made.plans,
            tolerated=made.tolerated,
            notice=notice,
            close=made.close,
            workspaces=made.workspaces,
            told=told,
        )

    def resolve(self, reference: Reference | str) -> PullSecret:
        """The pull secret for *reference*.

        Raise `CredentialNotFound` if every source answered absent and the registry is not public, `SourceFailed` or
        `StoreError` for the first source that is broken, `AmbiguousCredential`, `InvalidReference`.
        """
        return self.resolve_all((reference,))[0]

    def resolve_all(self, references: Iterable[Reference | str]) -> list[PullSecret]:
        """The pull secret for each of *references*, in their order; raise what `resolve` does for one that has none.

        A source that can answer several questions at once is asked once: our store is read once for all of them.
        """
        classified = [self.classify(reference) for reference in references]
        answers: dict[Repository, list[Answer]] = {each.reference.repository: [] for each in classified}
        self._ask(answers)
        return [self._secret(each, answers[each.reference.repository]) for each in classified]

    def explain(self, reference: Reference | str) -> Explanation:
        """What `resolve` does and why, also where it fails: the error is in the answer. Raise `InvalidReference`."""
        classification = self.classify(reference)
        answers: list[Answer] = []
        secret, error = None, None
        try:
            self._ask({classification.reference.repository: answers})
            secret = self._secret(classification, answers)
        except CredentialError as caught:
            error = caught
        plan = self._plan(classification.reference.repository)
        return Explanation(classification, secret.answers if secret else (*answers, *plan.left_out), secret, error)

    def candidates(self, repository: Repository) -> tuple[Pinned, ...]:
        """The credentials to try for *repository*, at most two of one account; raise if a source is broken.

        None where the answer is absent or anonymous.
        """
        from registryauth.credentials import Anonymous

        answers = self.answers(repository)
        if not answers or not isinstance(last := answers[-1], Found):
            return ()
        candidates = last.fetch_all() if last.fetch_all else (last.fetch(),)
        return () if isinstance(candidates[0].credential, Anonymous) else candidates[:2]

    def classify(self, reference: Reference | str) -> Classification:
        """What the reference's registry is, and the reference that is meant: a workspace's image may be named without its registry."""
        from registryauth.registries import kind_of

        if isinstance(reference, str):
            reference = Reference.parse(reference, known=self._spelled)
        return self._workspaces.classify(reference, self._known) if self._workspaces else kind_of(reference, self._known)

    def answers(self, repository: Repository) -> list[Answer]:
        """Every answer up to the first found; raise what a source raises, with the trace so far."""
        answers: list[Answer] = []
        self._ask({repository: answers})
        return answers

    def trace(self, repository: Repository) -> tuple[str, ...]:
        """One line for each source asked about *repository*, with what it said, and for each that a rule leaves out."""
        return tuple(map(line, (*self.answers(repository), *self._plan(repository).left_out)))

    def close(self) -> None:
        """Close the store, if it was opened here."""
        if self._close:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _plan(self, repository: Repository) -> Plan:
        return self._plans.get(repository.registry.host, self._usual)

    def _ask(self, asked: Mapping[Repository, list[Answer]]) -> None:
        """Add to each repository's list every answer up to the first found; raise what a source raises, with the trace so far."""
        by_plan: dict[Plan, list[Repository]] = {}
        for repository in asked:
            by_plan.setdefault(self._plan(repository), []).append(repository)
        try:
            for plan, repositories in by_plan.items():
                left = repositories
                for source in plan.sources:
                    known = _asked_at_once(source, left)
                    left = [each for each in left if not self._is_settled(source, each, known.get(each), asked[each])]
        finally:
            if self._told:
                for repository, answers in asked.items():
                    self._told(repository, answers)

    def _is_settled(self, source: Source, repository: Repository, known: Answer | CredentialError | None, answers: list[Answer]) -> bool:
        """Whether *source* is the last to be asked about *repository*; *known* is what it said of it already, if it did."""
        try:
            if isinstance(known, CredentialError):
                raise known
            answer = known or source.ask(repository)
        except CredentialError as error:
            answers.append(Broken(source.name, error.message.partition("\n")[0]))
            if not self._is_tolerable(source, error, repository):
                error.trace = tuple(map(line, answers))
                raise
            answers.append(self._without(repository, source, error))
            return True
        answers.append(answer)
        return isinstance(answer, Found)

    def _is_tolerable(self, source: Source, error: CredentialError, repository: Repository) -> bool:
        """Whether the registry is known to need no credential, so that *source*, of other programs, may break."""
        if source.name not in self._tolerated or not isinstance(error, SourceFailed) or self._plan(repository).leaves_out(_PUBLIC):
            return False
        return self.classify(Reference(repository)).kind == "public"

    def _without(self, repository: Repository, source: Source, error: CredentialError) -> Found:
        """The anonymous answer, and no later source's: what the user would have had for this registry is not known."""
        registry = repository.registry
        text = f"{error.message}; {registry} is public and is asked without a credential"
        # One process may ask a thousand times; a set of them is bounded by the helpers and files that there are.
        if text not in self._noticed:
            self._noticed.add(text)
            self._notice(text)
        return _anonymous(f"{registry} is public, so {source.name} may be broken")

    def _secret(self, classification: Classification, answers: list[Answer]) -> PullSecret:
        plan = self._plan(classification.reference.repository)
        last = answers[-1] if answers else None
        if not isinstance(last, Found):
            if classification.kind != "public" or plan.leaves_out(_PUBLIC):
                raise CredentialNotFound(
                    f"no credential for {classification.reference.repository} ({classification.provider.title})",
                    trace=tuple(map(line, (*answers, *plan.left_out))),
                    hint=next((each.remedy for each in answers if isinstance(each, Absent) and each.remedy), "") or _hint(classification),
                )
            last = _anonymous(classification.why)
        return PullSecret(classification, last, (*answers, *plan.left_out))


def _asked_at_once(source: Source, repositories: Sequence[Repository]) -> Mapping[Repository, Answer | CredentialError]:
    """What *source* says of *repositories*, or raises for each; empty where it answers one question at a time."""
    ask_all = getattr(source, "ask_all", None) if len(repositories) > 1 else None
    try:
        return ask_all(repositories) if ask_all else {}
    except CredentialError as error:
        return dict.fromkeys(repositories, error)


def _anonymous(why: str) -> Found:
    from registryauth.credentials import NOBODY

    return Found(_PUBLIC, why, lambda: NOBODY)


def _hint(classification: Classification) -> str:
    from registryauth.registries.kind import MICROSOFTS_OWN

    host = classification.reference.registry.host
    if classification.provider.role == "data":
        return f"{host} serves blobs only; name the registry itself"
    if classification.reference.implied_registry:
        name = classification.reference.repository.path.removeprefix("library/")
        # Of a name alone docker makes an image of Docker Hub's, be it that of a registry.
        if "." in name and "/" not in name:
            return f"no image was named: if {name} is the registry, write the image behind it, {name}/IMAGE"
        return f"no registry was named, so Docker Hub was meant: write yours in front, or registryauth login {host}"
    if host in MICROSOFTS_OWN:
        return "nobody but Microsoft pulls there: curated images are public at mcr.microsoft.com/azureml/curated/NAME"
    if classification.provider.name == "acr":
        return f"registryauth login {host} --username CLIENT_ID, with the secret of a service principal that may pull"
    if classification.may_be_public:
        return f"registryauth login {host}; if this image is public, registryauth manifest get works without"
    return f'registryauth login {host}; or, if it is public, kind = "public" under [registries."{host}"]'
