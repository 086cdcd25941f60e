"""What fetching verbs share: a client with the resolver's credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from registryauth.cli.session import Session
from registryauth.reference import Reference, Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.client import RepositoryClient


@contextmanager
def fetching(text: str, *, account: str, insecure: bool, ca_file: str) -> Iterator[tuple[Reference, RepositoryClient]]:
    """The reference that *text* is, and its repository."""
    session = Session(ca_file=ca_file, insecure=insecure)
    with session.resolver(account=account) as resolver:
        reference = resolver.classify(session.reference(text)).reference
        with session.client(resolver, reference.registry.host) as client:
            yield reference, client.repository(reference.repository)


@contextmanager
def in_repository(text: str, *, account: str, insecure: bool, ca_file: str) -> Iterator[RepositoryClient]:
    """The repository that *text* is; a tag or digest in it is refused."""
    Repository.parse(text, known=Session().spelled)
    with fetching(text, account=account, insecure=insecure, ca_file=ca_file) as (_, repository):
        yield repository
