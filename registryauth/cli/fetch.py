"""What fetching verbs share: a client with the resolver's credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from registryauth.cli.session import Session
from registryauth.reference import Reference, Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.cli.options import Access
    from registryauth.client import RepositoryClient


@contextmanager
def fetching(text: str, access: Access) -> Iterator[tuple[Reference, RepositoryClient]]:
    """The reference that *text* is, and its repository."""
    session = Session(ca_file=access.ca_file, insecure=access.insecure)
    with session.resolver(**access.arguments()) as resolver:
        reference = resolver.classify(session.reference(text)).reference
        with session.client(resolver, reference.registry.host) as client:
            yield reference, client.repository(reference.repository)


@contextmanager
def between(
    source: str, destination: str, access: Access
) -> Iterator[tuple[tuple[Reference, RepositoryClient], tuple[Reference, RepositoryClient]]]:
    """The references that both texts are, each with its repository; in one registry both have one client, and one account.

    Elsewhere the account that was named is the source's.
    """
    with fetching(source, access) as (this, there):
        session = Session(ca_file=access.ca_file, insecure=access.insecure)
        with session.resolver(**access.replace(account="").arguments()) as resolver:
            that = resolver.classify(session.reference(destination)).reference
            if that.registry == this.registry:
                yield (this, there), (that, there.client.repository(that.repository))
                return
            with session.client(resolver, that.registry.host) as client:
                yield (this, there), (that, client.repository(that.repository))


@contextmanager
def in_repository(text: str, access: Access) -> Iterator[RepositoryClient]:
    """The repository that *text* is; a tag or digest in it is refused."""
    Repository.parse(text, known=Session().spelled)
    with fetching(text, access) as (_, repository):
        yield repository
