"""The child process that talks to the OS keyring: a question as JSON on stdin, an answer as JSON on stdout.

``python -P -m registryauth.stores.keyring_child``. The question has verb (``probe``, ``get``, ``set``), backend,
service, user and secret; the answer ``secret``, which is null where the keyring has none, or ``error``
(``locked``, ``unavailable``) and ``detail``.
"""

from __future__ import annotations

import importlib
import json
import sys

from registryauth.errors import StoreUnavailable
from registryauth.stores.keyring_key import require_allowed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from keyring.backend import KeyringBackend

#: A question is a few names and a key.
_MAX_QUESTION = 64 * 1024


def answer(question: dict[str, str]) -> dict[str, Any]:
    """Do what *question* asks."""
    try:
        require_allowed(question["backend"])
        module, _, name = question["backend"].rpartition(".")
        keyring = getattr(importlib.import_module(module), name)()
        return {"secret": _ask(keyring, question)}
    except StoreUnavailable as error:
        return {"error": "unavailable", "detail": error.message}
    except Exception as error:  # noqa: BLE001 - backends raise whatever their library does; all of it goes to the parent
        said = str(error).replace(question["secret"], "…") if question["secret"] else str(error)
        return {"error": "locked" if _is_locked(error) else "unavailable", "detail": f"{type(error).__name__}: {said}"}


def _ask(keyring: KeyringBackend, question: dict[str, str]) -> str | None:
    place = (question["service"], question["user"])
    if question["verb"] == "get":
        return keyring.get_password(*place)
    keyring.set_password(*place, question["secret"])
    read = keyring.get_password(*place)
    if question["verb"] == "probe":
        keyring.delete_password(*place)
    if read != question["secret"]:
        raise StoreUnavailable("it does not give back what was written")
    return None


def _is_locked(error: Exception) -> bool:
    # keyring.errors.InitError stands for a dismissed prompt as well as for a missing service.
    return type(error).__name__ == "KeyringLocked" or "prompt dismissed" in str(error).lower()


if __name__ == "__main__":
    json.dump(answer(json.loads(sys.stdin.buffer.read(_MAX_QUESTION))), sys.stdout)
