"""What an export gives."""

from __future__ import annotations

from registryauth._value import Value


class Document(Value, hidden=("text",)):
    """A target's own document. *secret* says whether *text*, which its repr never shows, carries one."""

    media_type: str
    text: str
    secret: bool
