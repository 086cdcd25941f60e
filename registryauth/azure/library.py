"""Signing in through Microsoft's own `azure-identity`, the extra ``[azure]``: by device code, and in the ways that only it knows.

https://learn.microsoft.com/python/api/azure-identity/azure.identity; the only module that imports it, and when a token is wanted.
"""

from __future__ import annotations

from importlib.util import find_spec

from registryauth._redact import printable
from registryauth.azure.entra_errors import code_in, meaning
from registryauth.azure.tokens import AccessToken
from registryauth.errors import AzureError, NoIdentity, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from registryauth.azure.clouds import Cloud

#: What installs it.
REMEDY = "pip install 'registryauth[azure]'"


def is_installed() -> bool:
    """Whether `azure-identity` is there; it is not imported."""
    # Its parent, `azure`, is a namespace of many libraries and may be missing altogether.
    return bool(find_spec("azure") and find_spec("azure.identity"))


class Library:
    """One of the library's credentials: *kind* is ``device-code``, or ``azure-identity`` for its own chain.

    *tell* shows a person what the library wants said: where to go, and with which code.
    """

    def __init__(
        self, kind: str, cloud: Cloud, tenant: str = "", client_id: str = "", *, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.kind = kind
        self.asks_a_person = kind == "device-code"
        self.label = "a person's sign-in by device code" if self.asks_a_person else "azure-identity's choice"
        self._cloud, self._tenant, self._client_id, self._tell = cloud, tenant, client_id, tell
        self._credential: Any = None

    def token(self, scope: str) -> AccessToken:
        """A token for *scope*. Raise `NoIdentity` where the library is missing or has nobody, `AzureError`, `TransportError`."""
        if not is_installed():
            raise NoIdentity(f"azure-identity, which {self.label} needs, is not installed", hint=REMEDY)
        # The extra [azure]; it is not there where we are type-checked.
        from azure.core.exceptions import AzureError as TheirError  # type: ignore[import-not-found,unused-ignore]
        from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError
        from azure.identity import CredentialUnavailableError  # type: ignore[import-not-found,unused-ignore]

        failure: AzureError | TransportError
        try:
            self._credential = self._credential or self._made()
            token = self._credential.get_token(scope)
        except CredentialUnavailableError:
            failure = self._nobody()
        except (ServiceRequestError, ServiceResponseError):
            failure = TransportError(f"azure-identity cannot reach {self._cloud.authority}", hint="is the network up, and the proxy right?")
        except (ClientAuthenticationError, TheirError, ValueError) as error:
            failure = self._refusal(str(getattr(error, "message", "") or error))
        else:
            return AccessToken(token.token, float(token.expires_on))
        # Raised out here: the library's own error holds the whole answer.
        raise failure

    def _made(self) -> Any:  # noqa: ANN401 - a class of a library that may be missing
        import logging

        from azure.identity import DefaultAzureCredential, DeviceCodeCredential

        # Where nobody listens, Python itself prints its warnings, with all that Entra answered.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        authority = str(self._cloud.authority)
        said = {"tenant_id": self._tenant} if self._tenant else {}
        if self.asks_a_person:
            said |= {"client_id": self._client_id} if self._client_id else {}
            return DeviceCodeCredential(authority=authority, prompt_callback=self._prompt, **said)
        # What comes before us in our own chain was asked already.
        tried = ("environment", "workload_identity", "cli")
        return DefaultAzureCredential(authority=authority, **{f"exclude_{name}_credential": True for name in tried})

    def _prompt(self, url: str, code: str, _: object) -> None:
        self._tell(f"To sign in, open {printable(url, 200)} and enter the code {printable(code, 40)}")

    def _nobody(self) -> NoIdentity:
        return NoIdentity(f"azure-identity has nobody to sign in as ({self.kind})", hint="az login, or configure azure.credential")

    def _refusal(self, text: str) -> AzureError:
        code = code_in(text)
        if code:
            return meaning(code, self.label, text.partition(code)[2].lstrip(": "))
        if not self.asks_a_person:
            # Its chain says so where each of its ways is unavailable.
            return self._nobody()
        error = AzureError(f"azure-identity gave no token for {self.label}", hint="try again; its logger azure.identity says why")
        error.exit_code = 4
        return error
