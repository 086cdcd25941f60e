"""The source that is our own store."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import AmbiguousCredential, CredentialError
from registryauth.reference import Address
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth.reference import Repository
    from registryauth.stores import Store
    from registryauth.stores.choice import Choice
    from registryauth.stores.principal import Key, Principal

    Renew = Callable[[Store, Principal], Principal]
    #: What is asked, and the only account that counts.
    _Question = tuple[Repository, str | None]

_NOTHING_SAID: Mapping[str, str] = {}


def _as_it_is(_: Store, record: Principal) -> Principal:
    return record


class Stored:
    """Records by whole path segments, the most specific first; disabled ones do not count.

    *open_store* is called when the first question comes and gives None where no store was made yet. *account* is the one to
    use, *accounts* says which where none is named, by registry host. What was read is used again for as long as the store
    says that nothing changed there. *renew* gives a record with its next secret, where that is due and needs nobody
    (`Principal.renewed_by`); it is asked when the credential is read. Raise `AmbiguousCredential` where several accounts would do.
    """

    name = "store"

    def __init__(
        self,
        open_store: Callable[[], Store | None],
        *,
        account: str | None = None,
        accounts: Mapping[str, str] = _NOTHING_SAID,
        clock: Callable[[], float],
        renew: Renew = _as_it_is,
    ) -> None:
        self._open = open_store
        self._account = account
        self._accounts = accounts
        self._clock = clock
        self._renew = renew
        self._remembered = Remembered()

    def ask(self, repository: Repository) -> Found | Absent:
        """The record at or above *repository*; raise `StoreError` if the store cannot say."""
        answer = self.ask_all((repository,))[repository]
        if isinstance(answer, CredentialError):
            raise answer
        return answer

    def ask_all(self, repositories: Sequence[Repository]) -> Mapping[Repository, Found | Absent | CredentialError]:
        """What `ask` gives or raises for each of *repositories*, by one read of the store; raise `StoreError` if it cannot say."""
        store = self._open()
        if store is None:
            return dict.fromkeys(repositories, Absent(self.name, "nothing was stored yet"))
        questions = {repository: (repository, self._account_for(repository)) for repository in repositories}
        looked = self._remembered.get(store, list(questions.values()), lambda left: self._look(store, left))
        due: dict[Key, Callable[[], Principal]] = {}
        return {repository: self._answer(store, looked[question], due) for repository, question in questions.items()}

    def _account_for(self, repository: Repository) -> str | None:
        return self._account or self._accounts.get(repository.registry.host)

    def _answer(
        self, store: Store, looked: Looked | CredentialError, due: dict[Key, Callable[[], Principal]]
    ) -> Found | Absent | CredentialError:
        if isinstance(looked, CredentialError):
            return looked
        record = looked.record
        if record is None:
            return Absent(self.name, looked.detail, looked.remedy)
        now = self._clock()
        if not record.renewed_by(now):
            return _found(looked, record, now)
        # Hundreds of images of one registry need its next secret once.
        return self._renewing(looked, record, due.setdefault(record.key, self._once(store, record)), now)

    def _once(self, store: Store, record: Principal) -> Callable[[], Principal]:
        held: list[Principal] = []

        def current() -> Principal:
            if not held:
                held.append(self._renew(store, record))
            return held[0]

        return current

    def _renewing(self, looked: Looked, record: Principal, current: Callable[[], Principal], now: float) -> Found:
        """The answer for a record whose next secret is due, which *current* gives; when that will end is not known before it is there."""
        how = f", renewed by signing in to Entra ({record.renewed_by(now)}) when it is read"
        found = _found(looked.replace(detail=looked.detail + how), record, now)
        return found.replace(
            expires_at=0,
            fetch=lambda: current().pinned(now),
            fetch_all=lambda: current().candidates(now),
            ends=lambda: current().slot(now).expires_at,
        )

    def _look(self, store: Store, questions: Sequence[_Question]) -> Mapping[_Question, Looked | CredentialError]:
        from registryauth.stores.choice import choose_from

        answers: dict[_Question, Looked | CredentialError] = {}
        asked = [(Address(repository.registry, repository.path), account) for repository, account in questions]
        for question, (address, account), there in zip(questions, asked, store.nearest_all(asked), strict=True):
            try:
                answers[question] = self._looked(choose_from(there, store, address, account), *question)
            except AmbiguousCredential as error:
                answers[question] = error
        return answers

    def _looked(self, choice: Choice, repository: Repository, account: str | None) -> Looked:
        record = choice.record
        if record is not None and not record.address.covers(repository):
            # A store is another room, perhaps another machine: what it hands out is checked here once more.
            return Looked(None, f"the store offered the entry for {record.address}, which does not cover it")
        off = "; disabled: " + ", ".join(printable(str(each.key), 120) for each in choice.disabled) if choice.disabled else ""
        if record is None:
            remedy = _enabling(choice.disabled[0].key) if choice.disabled else ""
            return Looked(None, f"no entry{self._of(account)} for {_whereabouts(repository)}{off}", remedy=remedy)
        # A registry as a whole has no path.
        what = repository.path or repository.registry
        return Looked(record, f"{what} is covered by the entry for {record.address}, account {printable(record.account, 80)}", off)

    def _of(self, account: str | None) -> str:
        if account is None:
            return ""
        return f" of account {printable(account, 80)}{'' if self._account else ', which the configuration names,'}"


def _enabling(key: Key) -> str:
    from registryauth.stores.commands import command

    return command("principal enable", key)


class Looked(Value):
    """The *record* that answers, None if none does, and what a trace says of it; *disabled* names those that do not count.

    *remedy* is the command that would make one answer.
    """

    record: Principal | None
    detail: str
    disabled: str = ""
    remedy: str = ""


def _whereabouts(repository: Repository) -> str:
    return f"{repository.registry} or a path above {repository.path}" if repository.path else str(repository.registry)


def _found(looked: Looked, record: Principal, now: float) -> Found:
    slot = record.slot(now)
    dates = ", expired" if slot.expires_at and slot.expires_at <= now else ""
    detail = f"{looked.detail}{dates}{looked.disabled}"
    return Found(
        Stored.name,
        detail,
        lambda: record.pinned(now),
        slot.expires_at,
        record.account,
        slot.serial,
        lambda: record.candidates(now),
        (lambda: slot.expires_at) if record.renews_by else None,
        record.key,
        record.address.path,
    )
