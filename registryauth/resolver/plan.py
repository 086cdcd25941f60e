"""Who is asked about a registry, in which order, and who is not."""

from __future__ import annotations

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.resolver.answer import NotAsked, Source


class Plan(Value):
    """*sources* in the order in which they are asked; *left_out* are those that a rule of the user's keeps from being asked."""

    sources: tuple[Source, ...]
    left_out: tuple[NotAsked, ...] = ()

    def leaves_out(self, name: str) -> bool:
        """Whether the source of that *name* is left out."""
        return any(source.source == name for source in self.left_out)
