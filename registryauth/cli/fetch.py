"""What fetching verbs share: a client with the resolver's credentials, whose trace explains a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from registryauth.cli.session import Session
from registryauth.errors import AuthError, Denied, NotFound, Unauthorized
from registryauth.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.client import RepositoryClient


@contextmanager
def fetching(text: str, *, account: str, insecure: bool, ca_file: str) -> Iterator[tuple[Reference, RepositoryClient]]:
    """The reference that *text* is, and its repository; an error of access says which credential was tried."""
    session = Session(ca_file=ca_file, insecure=insecure)
    with session.resolver(account=account) as resolver:
        reference = resolver.classify(session.reference(text)).reference
        with session.client(resolver.candidates, reference.registry.host) as client:
            try:
                yield reference, client.repository(reference.repository)
            except (AuthError, Unauthorized, Denied, NotFound) as error:
                tried = "\n".join(f"  {line}" for line in resolver.trace(reference.repository))
                error.hint = f"{error.hint}\nsources asked for a credential:\n{tried}".strip()
                raise
