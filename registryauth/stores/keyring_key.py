"""The key-encryption key in the OS keyring.

All talk with the keyring is a child process's: a desktop prompt that nobody answers cannot hang us, and
variables that would steer the `keyring` library (PYTHON_KEYRING_BACKEND, KEYRING_PROPERTY_*) do not reach it.
"""

from __future__ import annotations

import binascii
import os
import sys

from registryauth._redact import printable
from registryauth.errors import StoreError, StoreLocked, StoreUnavailable
from registryauth.stores import sealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    #: A question and a time limit in seconds; the answer has ``secret`` or ``error`` and ``detail``.
    Ask = Callable[[dict[str, str], float], dict[str, Any]]

SERVICE = "registryauth"

#: Backends that encrypt, by platform, in the order in which they are tried.
BACKENDS = {
    "linux": ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring", "keyring.backends.libsecret.Keyring"),
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
ALLOWED = frozenset(name for names in BACKENDS.values() for name in names)

#: Why a backend is refused, by the start of its name; every other one is refused for not being known.
_REFUSED = {
    "keyring.backends.null.": "it forgets what it is given",
    "keyring.backends.fail.": "it stands for having no keyring",
    "keyring.backends.chainer.": "it may write to one keyring and read from another",
    "keyrings.alt.": "it keeps secrets in the clear or under weak encryption",
}

#: Seconds. A probe asks a keyring that should be open; loading may have to wait for a person at a prompt.
PROBE_SECONDS = 3.0
LOAD_SECONDS = 30.0

# What a keyring's client needs to find its session, and nothing else: no passwords, no keys.
_PASSED = (
    *("HOME", "USER", "LOGNAME", "PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP"),
    *("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "KDE_FULL_SESSION", "KDE_SESSION_VERSION"),
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"),
    *("SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)


class KeyringKey:
    """32 random bytes as base64 in the OS keyring, under the service ``registryauth`` and the user ``store:<store id>``."""

    def __init__(self, backend: str, store_id: str, environ: Mapping[str, str] = os.environ, ask: Ask | None = None) -> None:
        self.backend = backend
        self._user = f"store:{store_id}"
        self._ask = ask or (lambda question, seconds: _in_child(question, seconds, environ))

    @property
    def label(self) -> str:
        """``OS keyring`` and its kind."""
        return f"OS keyring ({self.backend.split('.')[2] if self.backend in ALLOWED else printable(self.backend, 80)})"

    def describe(self) -> dict[str, Any]:
        """The kind of source, and the class of the `keyring` library that keeps it."""
        return {"source": "keyring", "backend": self.backend}

    def probe(self, seconds: float = PROBE_SECONDS) -> None:
        """Write, read and delete a random value; raise `StoreLocked` or `StoreUnavailable` where that fails within *seconds*."""
        self._question("probe", f"probe:{os.urandom(8).hex()}", os.urandom(16).hex(), seconds)

    def load(self) -> bytes:
        """The key; raise `StoreLocked` if the keyring is locked, silent for half a minute, or has none."""
        text = self._question("get", self._user, "", LOAD_SECONDS).get("secret")
        if text is None:
            raise StoreLocked(
                f"the {self.label} has no key for this store ({self._user})",
                hint="unlock the keyring that the store was made with: without its key the stored secrets are lost",
            )
        try:
            key = binascii.a2b_base64(str(text), strict_mode=True)
        except ValueError:
            key = b""
        if len(key) != sealing.KEY_SIZE:
            raise StoreLocked(f"what the {self.label} holds for this store is not its key", hint=f"look at {SERVICE}, {self._user} there")
        return key

    def create(self) -> bytes:
        """A new key, written and read back."""
        key = sealing.new_key()
        self._question("set", self._user, binascii.b2a_base64(key, newline=False).decode(), LOAD_SECONDS)
        return key

    def _question(self, verb: str, user: str, secret: str, seconds: float) -> dict[str, Any]:
        require_allowed(self.backend)
        answer = self._ask({"verb": verb, "backend": self.backend, "service": SERVICE, "user": user, "secret": secret}, seconds)
        match answer.get("error"):
            case None:
                return answer
            case "locked":
                raise StoreLocked(
                    f"the {self.label} is locked", hint="unlock it (log in to the desktop, or answer its prompt) and try again"
                )
            case "timeout":
                raise StoreLocked(
                    f"the {self.label} did not answer within {seconds:.0f} s",
                    hint="a prompt may be waiting on the desktop: answer it and try again",
                )
            case _:
                detail = printable(str(answer.get("detail", "no reason given")))
                raise StoreUnavailable(f"the {self.label} cannot be used: {detail}", hint="check the keyring service of this session")


def find(store_id: str, environ: Mapping[str, str] = os.environ, platform: str = sys.platform, ask: Ask | None = None) -> KeyringKey:
    """The first keyring that passes its probe; raise the first one's `StoreLocked` or `StoreUnavailable` if none does.

    PYTHON_KEYRING_BACKEND, the `keyring` library's own variable, narrows the choice to one.
    """
    wanted = environ.get("PYTHON_KEYRING_BACKEND", "")
    failures: list[StoreError] = []
    for backend in (wanted,) if wanted else BACKENDS.get(platform, BACKENDS["linux"]):
        source = KeyringKey(backend, store_id, environ, ask)
        try:
            source.probe()
        except StoreLocked:
            # The right keyring, not open now: another one would be a choice that nobody made.
            raise
        except StoreUnavailable as failure:
            failures.append(failure)
        else:
            return source
    raise failures[0]


def require_allowed(backend: str) -> None:
    """Raise `StoreUnavailable` unless the class named *backend* is known to keep secrets encrypted."""
    if backend in ALLOWED:
        return
    reason = next((why for start, why in _REFUSED.items() if backend.startswith(start)), "it is not known to encrypt")
    raise StoreUnavailable(
        f"the keyring backend {printable(backend, 80)} is refused: {reason}",
        hint="use the system's own keyring, or the key source 'file'; PYTHON_KEYRING_BACKEND may name the backend",
    )


def _in_child(question: dict[str, str], seconds: float, environ: Mapping[str, str]) -> dict[str, Any]:
    import json
    import subprocess

    # -P: whatever lies in the current directory is not a module of ours.
    command = [sys.executable, "-P", "-m", "registryauth.stores.keyring_child"]
    written, environment = json.dumps(question).encode(), _child_environ(environ)
    try:
        done = subprocess.run(command, input=written, capture_output=True, timeout=seconds, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return {"error": "timeout"}
    except OSError as error:
        return {"error": "unavailable", "detail": f"{sys.executable or 'python'} cannot be started: {error.strerror}"}
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    # Its output may hold the key: not a word of it.
    silence = {"error": "unavailable", "detail": f"the keyring library ended with status {done.returncode} and no answer"}
    return answer if isinstance(answer, dict) else silence


def _child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    passed = {name: environ[name] for name in _PASSED if name in environ}
    # The child finds what we found, also in a zipapp or an environment made by hand.
    passed["PYTHONPATH"] = os.pathsep.join(place for place in sys.path if os.path.isabs(place))
    if bus := _session_bus(environ):
        passed["DBUS_SESSION_BUS_ADDRESS"] = bus
    return passed


def could_be_there(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether to try the OS keyring at all: asking costs 100 ms and more, and a server has none."""
    if platform in ("darwin", "win32"):
        return True
    return bool(environ.get("DBUS_SESSION_BUS_ADDRESS")) or os.path.exists(_user_bus(environ))


def _user_bus(environ: Mapping[str, str]) -> str:
    # systemd's place for the bus of a user's session (user@.service); an empty path never exists.
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(runtime, "bus") if os.path.isabs(runtime) else ""


def _session_bus(environ: Mapping[str, str]) -> str:
    """The address of the session's D-Bus; empty if none is known."""
    address = environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    if not address and os.path.exists(_user_bus(environ)):
        # D-Bus specification, "Escaping": all but [-0-9A-Za-z_/.\*] would need it; systemd's path never does.
        address = f"unix:path={_user_bus(environ)}"
    return address
