"""The source that knows which registries ask nobody."""

from __future__ import annotations

from registryauth.credentials import NOBODY
from registryauth.reference import Reference
from registryauth.registries import Kind, kind_of
from registryauth.resolver.answer import Absent, Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.reference import Repository


class Public:
    """Registries known from our table to be public, or declared so."""

    name = "public registries"

    def __init__(self, known: Mapping[str, Kind]) -> None:
        self._known = known

    def ask(self, repository: Repository) -> Found | Absent:
        """Anonymous, if the registry is public."""
        classification = kind_of(Reference(repository), self._known)
        if classification.kind is not Kind.PUBLIC:
            return Absent(self.name, f"{repository.registry} is neither known nor declared to be public")
        return Found(self.name, f"{repository.registry} is public: {classification.why}", lambda: NOBODY)
