"""Signing in as whoever is signed in to the Azure CLI: ``az account get-access-token``.

Source: Microsoft Learn, "az account get-access-token"; ``expires_on``, seconds since 1970, is there since 2.54, ``expiresOn`` is a local
time. What the CLI complains of is looked through for its reason and never repeated.
"""

from __future__ import annotations

import re
import time
from datetime import datetime

from registryauth._child import child_environment, find_program, run
from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.azure.entra_errors import code_in, meaning
from registryauth.azure.token_answer import SENDABLE
from registryauth.azure.tokens import AccessToken
from registryauth.errors import AzureError, ConfigurationError, NoIdentity, SourceFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds. The CLI takes one to two to start, and may have to ask Entra.
TIMEOUT = 60.0
_MAX_ANSWER = 256 * 1024
#: What stands in an option's value: no space and no leading hyphen.
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}"
_SCOPE = r"https://[A-Za-z0-9./_-]{1,200}"


class AzureCli:
    """Whoever is signed in to ``az``, in *tenant* if one is named, else in that of *subscription* or of its default."""

    kind = "azure-cli"
    asks_a_person = False

    def __init__(
        self,
        environ: Mapping[str, str],
        tenant: str = "",
        subscription: str = "",
        *,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, value in (("azure.tenant", tenant), ("azure.subscription", subscription)):
            if value and not re.fullmatch(_WORD, value):
                raise ConfigurationError(f"{printable(value, 60)!a} is no name or id for {name}", key=name)
        self._environ, self._timeout, self._clock = environ, timeout, clock
        self._options = ["--tenant", tenant] if tenant else ["--subscription", subscription] if subscription else []
        self.label = "the Azure CLI's sign-in"
        #: The subscription that the CLI's token belongs to, once there was one.
        self.subscription = ""

    def token(self, scope: str) -> AccessToken:
        """A token for *scope*. Raise `NoIdentity` where there is no CLI or nobody signed in, `AzureError` for what Entra refused."""
        program = find_program("az", self._environ)
        if program is None:
            raise NoIdentity("there is no Azure CLI (az) on PATH", hint="install it and run az login, or choose another azure.credential")
        if not re.fullmatch(_SCOPE, scope):
            raise AssertionError("scopes are ours")
        command = [program, "account", "get-access-token", "--output", "json", "--scope", scope, *self._options]
        done = run(command, child_environment(self._environ), _failed, timeout=self._timeout, limit=_MAX_ANSWER, complaints=True)
        if done.status:
            raise _complaint(done.complaints.decode("utf-8", "replace"), done.status)
        answer = Node(load_json(done.output, "the answer of az", error=SourceFailed), "the answer of az", error=SourceFailed)
        value = answer.field("accessToken").text()
        if not re.fullmatch(SENDABLE, value):
            raise SourceFailed("az gave no token", hint="run az account get-access-token to see what it says")
        self.subscription = answer.field("subscription").text()
        return AccessToken(value, self._expiry(answer))

    def _expiry(self, answer: Node) -> float:
        seconds = answer.field("expires_on").value
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return float(seconds)
        try:
            # Local time without a zone, as the CLI's oldest clients read it.
            return datetime.fromisoformat(answer.field("expiresOn").text()).astimezone().timestamp()
        except (ValueError, OverflowError):
            return self._clock() + 300


def _failed(complaint: str, hint: str) -> SourceFailed:
    return SourceFailed(f"the Azure CLI {complaint}", hint=hint)


def _complaint(text: str, status: int) -> AzureError | SourceFailed:
    """Why ``az`` failed: nobody is signed in, Entra refused, or it is broken."""
    if code := code_in(text):
        error = meaning(code, "the Azure CLI's sign-in", text.partition(code)[2].lstrip(": "))
        error.hint += "; sudo az, and another AZURE_CONFIG_DIR, have sign-ins of their own"
        return error
    if re.search(r"az login|not logged in|No subscription found|setup account", text, re.IGNORECASE):
        return NoIdentity(
            "nobody is signed in to the Azure CLI", hint="az login; sudo az, and another AZURE_CONFIG_DIR, have sign-ins of their own"
        )
    return _failed(f"ended with status {status}", "run az account get-access-token to see why")
