"""What the user says of the document beside the references."""

from __future__ import annotations

from registryauth._value import Value


class Options(Value):
    """*name*, *namespace* and *labels* of the object, for targets that have one; empty where nothing was said."""

    name: str = ""
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()


PLAIN = Options()
