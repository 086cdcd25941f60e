"""What one failure is, and what is typed to meet it."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .bench import Bench

#: Of the names that stand in the table, what is typed.
COMMANDS = {
    "login": ("login", "{host}", "--username", "{account}", "--password-stdin", "--repository", "team/model"),
    "azure acr login": ("azure", "acr", "login", "{host}", "--repository", "team/model"),
    "azure acr login NAME": ("azure", "acr", "login", "myregistry"),
    "azure workspace-registry": ("azure", "workspace-registry", "my-workspace"),
    "manifest get": ("manifest", "get", "{image}"),
    "pull": ("pull", "{image}", "{directory}/pulled"),
    "repository list": ("repository", "list", "{host}"),
    "resolve": ("resolve", "{image}", "--format", "docker-config", "--show-secret"),
    "principal verify": ("principal", "verify", "{repository}"),
    "doctor": ("doctor", "{image}"),
}
#: Commands that look at what was stored before.
STORED = ("manifest get", "pull", "repository list", "resolve", "principal verify", "doctor")


class Answer(NamedTuple):
    """What *commands* say and advise; *status* is theirs, the doctor's always 7."""

    commands: tuple[str, ...]
    said: str
    hint: str
    status: int = 4


class Failure(NamedTuple):
    """One failure: what *azure* says, what that *means*, how it is provoked, and what is answered."""

    name: str
    azure: str
    means: str
    provoke: Callable[[Bench], None]
    answers: tuple[Answer, ...]
