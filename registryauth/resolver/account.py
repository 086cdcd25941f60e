"""A source of which only one account's credentials count."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.resolver.answer import Absent, Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.reference import Repository
    from registryauth.resolver.answer import Source

_NOTHING_SAID: Mapping[str, str] = {}


class OfAccount:
    """*source*, whose answers for another account than the one named are passed over.

    *account* is the one that was asked for; where none was, *accounts* says which, by registry host.
    """

    def __init__(self, source: Source, account: str | None, accounts: Mapping[str, str] = _NOTHING_SAID) -> None:
        self.name = source.name
        self._source = source
        self._account = account
        self._accounts = accounts

    def ask(self, repository: Repository) -> Found | Absent:
        """What the source says, if it is about that account; raise what it raises."""
        answer = self._source.ask(repository)
        wanted = self._account or self._accounts.get(repository.registry.host)
        if isinstance(answer, Found) and wanted and answer.account != wanted:
            return Absent(self.name, f"{answer.detail}: not {printable(wanted, 80)}, which was named")
        return answer
