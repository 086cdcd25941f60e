"""What is known of an image, and from where."""

from __future__ import annotations

from registryauth._value import Value

#: Stands for a layer where a fact is in the image's manifest or configuration.
NO_LAYER = -1


class Sighting(Value):
    """A thing in an image: its *name*, its *version* as it is written ("" if it shows none), its real *path*, its layer's number."""

    name: str
    version: str = ""
    path: str = ""
    layer: int = NO_LAYER

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name, self.version)))


class Fact(Value):
    """Each thing *seen* that answers one question, none if there is no such thing; *final* if no unread layer can change that."""

    seen: tuple[Sighting, ...] = ()
    final: bool = True
    note: str = ""
