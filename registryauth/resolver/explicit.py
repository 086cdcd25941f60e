"""The credentials that the caller passed in."""

from __future__ import annotations

from registryauth.credentials import describe
from registryauth.reference import Address
from registryauth.resolver.answer import Absent, Found, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.credentials import Credential
    from registryauth.reference import Repository


class Explicit:
    """Credentials by the address that each is for; one for another address is never offered."""

    name = "explicit argument"

    def __init__(self, credentials: Mapping[str, Credential] | None = None) -> None:
        self._credentials = {Address.parse(address): credential for address, credential in (credentials or {}).items()}

    def ask(self, repository: Repository) -> Found | Absent:
        """The credential of the most specific address that covers *repository*."""
        if not self._credentials:
            return _NONE
        covering = [address for address in self._credentials if address.covers(repository)]
        if not covering:
            return Absent(self.name, "none given for it")
        address = max(covering, key=lambda candidate: len(candidate.path))
        credential = self._credentials[address]
        return found(self.name, f"given for {address}, {describe(credential)}", str(address), credential, address.path)


_NONE = Absent(Explicit.name, "none given")
