"""Which registry is asked about a principal, and for which repository."""

from __future__ import annotations

from registryauth.errors import ConfigurationError
from registryauth.reference import Address, Repository


def where_to_ask(address: Address, repository: Repository | None = None) -> Address:
    """The address whose registry says whether a credential for *address* is good: a wildcard has no host of its own, so *repository*'s.

    Raise `ConfigurationError` for a repository that *address* does not cover, and for a wildcard without one.
    """
    if repository and not address.covers(repository):
        raise ConfigurationError(f"{repository} is not in {address}", hint="name a repository that this credential is for")
    if not address.is_wildcard:
        return address
    if repository is None:
        raise ConfigurationError(
            f"{address} names no host that could be asked",
            hint="name one of its repositories, with the host: --repository HOST/PATH; or --no-verify",
        )
    return Address(repository.registry, address.path)
