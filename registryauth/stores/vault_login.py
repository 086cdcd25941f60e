"""How we sign in to Vault or OpenBao: with a token that somebody else got, as an AppRole, or as a pod of Kubernetes.

https://developer.hashicorp.com/vault/api-docs/auth/approle, …/auth/kubernetes, …/auth/token
"""

from __future__ import annotations

import os
import re
import threading
import time

from registryauth import _paths
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, StoreError, StoreLocked
from registryauth.stores.remote import said_in
from registryauth.stores.vault_kv import namespace_header, segments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from registryauth.stores.remote import Answer, Remote

    class Method(Protocol):
        """A way to sign in: *label* is for people, *remedy* is what to do where it does not work."""

        label: str
        remedy: str

        def obtain(self) -> Grant:
            """A token. Raise `StoreLocked` where there is none to be had."""
            ...

        def renew(self, token: str) -> Grant | None:
            """The same token for a longer time; None where the server does not want that."""
            ...


#: Where Kubernetes puts a pod's own token (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a place

#: Bytes. Service account tokens have about 1 KiB, OpenBao's batch tokens a few hundred bytes.
_MAX_TOKEN = 16 * 1024


class Grant(Value, hidden=("token",)):
    """A *token* for *lifetime* seconds, 0 where nobody said for how long."""

    token: str
    lifetime: float = 0
    renewable: bool = False


class Login:
    """The token to present, got at the first call and renewed after half of its life; safe for threads.

    *clock* gives seconds that never go back.
    """

    def __init__(self, method: Method, clock: Callable[[], float] = time.monotonic) -> None:
        self._method = method
        self._clock = clock
        self._grant: Grant | None = None
        self._since = 0.0
        self._next_look = 0.0
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """What is presented, for people."""
        return self._method.label

    @property
    def remedy(self) -> str:
        """What to do where it is not accepted."""
        return self._method.remedy

    def __call__(self, refused: str = "") -> str:
        """The token; in place of the *refused* one another, or the same if there is no other.

        Raise `StoreLocked` where none is to be had, `Unreachable` where nobody answers.
        """
        with self._lock:
            held = self._grant
            if held is None or held.token == refused:
                return self._took(self._method.obtain()).token
            if held.lifetime and self._clock() >= self._next_look:
                return self._prolonged(held).token
            return held.token

    def _prolonged(self, held: Grant) -> Grant:
        alive = self._clock() < self._since + held.lifetime
        if alive and held.renewable and (renewed := self._renewed(held.token)):
            return self._took(renewed)
        try:
            return self._took(self._method.obtain())
        except StoreError:
            if not alive:
                raise
            # A secret id may be good for one sign-in only: the token that it gave serves to its end.
            self._next_look = self._since + held.lifetime
            return held

    def _renewed(self, token: str) -> Grant | None:
        try:
            return self._method.renew(token)
        except StoreError:
            return None

    def _took(self, grant: Grant) -> Grant:
        self._grant, self._since = grant, self._clock()
        self._next_look = self._since + grant.lifetime / 2
        return grant


class GivenToken:
    """A token that somebody else got and renews: a variable's, else *token_file*'s, else that of ``~/.vault-token``.

    Read anew whenever it is refused: an agent may have replaced it.
    """

    def __init__(self, token_file: str = "", environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._variable = next((name for name in ("BAO_TOKEN", "VAULT_TOKEN") if environ.get(name)), "")
        home = _paths.home_dir(environ)
        self._file = token_file or (os.path.join(home, ".vault-token") if home else "")
        self.label = f"the token of {self._variable or printable(self._file) or 'nobody'}"
        self.remedy = "get a new one (bao login, vault login), and correct what holds the old one"

    def obtain(self) -> Grant:
        """The token; raise `StoreLocked` if there is none."""
        if self._variable:
            return Grant(_token(self._environ[self._variable], self._variable))
        found = _paths.read_private(self._file, _MAX_TOKEN) if self._file else None
        if found is None:
            where = f" and no file {printable(self._file)}" if self._file else ""
            raise StoreLocked(
                f"there is no token for the vault: no VAULT_TOKEN{where}",
                hint="bao login (vault login) gets one; vault.auth = 'approle' or 'kubernetes' needs none",
            )
        return Grant(_token(found.decode("utf-8", "replace"), printable(self._file)))

    def renew(self, _token: str) -> Grant | None:
        """Whose token it is renews it."""
        return None


class _SignIn:
    """A login at ``auth/MOUNT/login``; a subclass says what is sent."""

    label: str
    remedy: str

    def __init__(self, remote: Remote, mount: str, namespace: str) -> None:
        self._remote = remote
        self._mount = "/".join(segments(mount, "vault.auth_mount"))
        self._headers = namespace_header(namespace.strip("/"))

    def _proof(self) -> tuple[dict[str, str], str]:
        """What is sent, and the part of it that is secret."""
        raise NotImplementedError

    def obtain(self) -> Grant:
        """Sign in; raise `StoreLocked` where the server refuses it. One attempt: some secret ids are good for one only."""
        proof, secret = self._proof()
        answer = self._remote.ask("POST", f"/v1/auth/{self._mount}/login", self._headers, proof)
        granted = _granted(answer)
        if granted is None:
            said = said_in(answer.body, (secret,))
            reason = f": {said}" if said else ""
            raise StoreLocked(
                f"{self._remote.name} refused {self.label} at auth/{self._mount} (status {answer.status}{reason})", hint=self.remedy
            )
        return granted

    def renew(self, token: str) -> Grant | None:
        """The token for longer, None where the server does not want that (POST auth/token/renew-self)."""
        return _granted(self._remote.ask("POST", "/v1/auth/token/renew-self", (("x-vault-token", token), *self._headers), {}))


class AppRole(_SignIn):
    """The AppRole with the id *role*, its secret id in *secret_id_file* (mode 0600)."""

    def __init__(self, remote: Remote, role: str, secret_id_file: str, mount: str = "approle", namespace: str = "") -> None:
        super().__init__(remote, mount or "approle", namespace)
        if not role or not secret_id_file:
            key = "vault.secret_id_file" if role else "vault.role"
            raise ConfigurationError(
                f"vault.auth is 'approle', and {key} is not set", key=key, hint="role is the role's id; its secret id is in a file"
            )
        self._role = role
        self._file = secret_id_file
        self.label = f"the AppRole {printable(role, 60)}"
        self.remedy = f"correct vault.role, or put a new secret id into {printable(secret_id_file)}"

    def _proof(self) -> tuple[dict[str, str], str]:
        found = _paths.read_private(self._file, _MAX_TOKEN)
        if found is None:
            raise StoreLocked(f"the file of the secret id {printable(self._file)} is missing", hint=self.remedy)
        secret = _token(found.decode("utf-8", "replace"), printable(self._file))
        return {"role_id": self._role, "secret_id": secret}, secret


class Kubernetes(_SignIn):
    """The pod that we run in, as the vault's *role*, by the token that Kubernetes keeps fresh in *jwt_file*."""

    def __init__(
        self, remote: Remote, role: str, mount: str = "kubernetes", namespace: str = "", jwt_file: str = SERVICE_ACCOUNT_TOKEN
    ) -> None:
        super().__init__(remote, mount or "kubernetes", namespace)
        if not role:
            raise ConfigurationError(
                "vault.auth is 'kubernetes', and vault.role is not set", key="vault.role", hint="name the vault's role for this pod"
            )
        self._role = role
        self._file = jwt_file
        self.label = f"this pod as the role {printable(role, 60)}"
        self.remedy = "does the role allow this pod's service account and namespace, and is the token's audience the one it wants?"

    def _proof(self) -> tuple[dict[str, str], str]:
        try:
            # Not `read_private`: Kubernetes shows it through a link, readable for all of the pod.
            with open(self._file, "rb") as file:
                jwt = _token(file.read(_MAX_TOKEN + 1).decode("utf-8", "replace"), printable(self._file))
        except OSError as error:
            raise StoreLocked(
                f"the pod's token {printable(self._file)} cannot be read: {error.strerror}",
                hint="is this a pod, with automountServiceAccountToken?",
            ) from error
        return {"role": self._role, "jwt": jwt}, jwt


def _granted(answer: Answer) -> Grant | None:
    auth = answer.body.field("auth")
    if answer.status != 200 or not auth:
        return None
    token, lifetime = auth.field("client_token").text(), auth.field("lease_duration").whole()
    return Grant(_token(token, "the server's answer"), lifetime, auth.field("renewable").value is True)


def _token(text: str, where: str) -> str:
    """*text*, which may end with a line, as a token; raise `StoreLocked`, not showing it, if it is none."""
    token = text.strip()
    if not re.fullmatch(rf"[!-~]{{1,{_MAX_TOKEN}}}", token):
        raise StoreLocked(f"what is in {where} is no token", hint="it should hold one token and nothing else")
    return token
