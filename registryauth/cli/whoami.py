"""``registryauth whoami``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import AddressArgument, Output, OutputOption, Reach


def whoami(registry: AddressArgument, output: OutputOption = Output.TABLE, *, access: Reach) -> None:
    """Say which account is used for a registry, and if it is taken.

    For a path in it, too; and where the account comes from.

    Exit status 3 if there is none, 4 if it is refused.
    """
    from registryauth.cli.console import moment, show
    from registryauth.cli.session import Session
    from registryauth.credentials import describe
    from registryauth.errors import CredentialNotFound
    from registryauth.reference import Repository
    from registryauth.resolver import Found

    session = Session(ca_file=access.ca_file, insecure=access.insecure)
    address = session.address(registry)
    repository = Repository(address.registry, address.path)
    with session.resolver(account=access.account) as resolver:
        answers = resolver.answers(repository)
        found = answers[-1] if answers else None
        candidates = resolver.candidates(repository)
        if not isinstance(found, Found) or not candidates:
            raise CredentialNotFound(f"you are nobody at {address}: no credential is held", hint=f"registryauth login {address.registry}")
        with session.client(lambda _: candidates[:1], address.registry.host) as client:
            asked = client.challenge(address.registry)
            asked.close()
            if asked.status == 401:
                client.ping(repository)
    verdict = "takes it" if asked.status == 401 else "asks nobody, so that it says nothing about this account"
    who, ends = describe(candidates[0].credential), moment(found.expires_at)
    rows = [("registry", str(address)), ("you are", who), ("source", found.source), ("because", found.detail)]
    rows += [("until", ends)] if ends else []
    data = {
        "version": 1,
        "address": str(address),
        "identity": who,
        "source": found.source,
        "detail": found.detail,
        "accepted": True if asked.status == 401 else None,
        "expires_at": ends or None,
    }
    show(output, data, ("WHAT", "VALUE"), [*rows, ("the registry", verdict)])


app = single(whoami)
