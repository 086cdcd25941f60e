"""The key-encryption key from a systemd credential (systemd.exec(5), "Credentials"): the service manager decrypts it, we read it."""

from __future__ import annotations

import os
import stat

from registryauth.errors import StoreLocked, StoreUnavailable
from registryauth.stores import sealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAME = "registryauth.key"
VARIABLE = "CREDENTIALS_DIRECTORY"
#: 32 bytes, or their base64 with a newline; more room only to tell another file apart.
_MAX_FILE = 1024
HINT = (
    f"make one: head -c 32 /dev/urandom | systemd-creds encrypt --name={NAME} - /etc/credstore.encrypted/{NAME}, "
    f"and name it in the unit: LoadCredentialEncrypted={NAME}"
)


class SystemdKey:
    """32 bytes, raw or as base64, in ``$CREDENTIALS_DIRECTORY/registryauth.key``; never written by us."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._directory = environ.get(VARIABLE, "")

    @property
    def label(self) -> str:
        """``systemd credential`` and its name."""
        return f"systemd credential {NAME}"

    def describe(self) -> dict[str, Any]:
        """The kind of source."""
        return {"source": "systemd"}

    def load(self) -> bytes:
        """The key; raise `StoreLocked` where there is none, `StoreUnavailable` if every user may read it."""
        from registryauth.stores.keys import from_base64

        if not os.path.isabs(self._directory):
            raise StoreLocked(f"there is no systemd credential: {VARIABLE} is not set", hint=f"run this as a systemd service; {HINT}")
        content = _read(os.path.join(self._directory, NAME))
        key = content if len(content) == sealing.KEY_SIZE else from_base64(content)
        if key is None:
            raise StoreLocked(f"the {self.label} does not hold a key of {sealing.KEY_SIZE} bytes, raw or in base64", hint=HINT)
        return key

    def create(self) -> bytes:
        """The key that is there."""
        return self.load()


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise StoreLocked(f"there is no {path}", hint=HINT) from None
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}", hint=HINT) from error
    try:
        found = os.fstat(descriptor)
        # Not `read_private`: for a service's user systemd grants the right by an ACL, which shows as the group's.
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o007 or found.st_uid not in (os.geteuid(), 0):
            raise StoreUnavailable(f"{path} is not a credential that only this service can read", hint=HINT)
        return os.read(descriptor, _MAX_FILE)
    finally:
        os.close(descriptor)
