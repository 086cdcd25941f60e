"""``registryauth logout``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument


def logout(registry: AddressArgument, account: Account = "") -> None:
    """Remove what is stored for a registry, or for a path in it. Exit status 3 if there was nothing."""
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.principals import forget
    from registryauth.reference import Repository
    from registryauth.resolver import Found

    session = Session()
    address = session.address(registry)
    with session.store() as store:
        for record in forget(store, address, account or None):
            say(f"Removed {record.account} for {record.address}.")
    with session.resolver() as resolver:
        answers = resolver.answers(Repository(address.registry, address.path))
    if answers and isinstance(answers[-1], Found) and answers[-1].source != "public registries":
        say(f"warning: {answers[-1].source} still has a credential for it: {answers[-1].detail}")


app = single(logout)
