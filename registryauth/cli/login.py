"""``registryauth login``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import CaFile, CheckedRepository, Insecure, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from registryauth.cli.session import Session
    from registryauth.principals import Registration


def _refuse(value: str | None) -> None:
    """A password on the command line: by now it may have been seen, and is likely kept."""
    if value is not None:
        raise Misuse(
            "a password is not taken on the command line, where every process can read it and the shell's history keeps it: "
            "use --password-stdin, or be asked for it; and change the one that was typed"
        )


def login(
    registry: Annotated[
        str | None,
        typer.Argument(metavar="REGISTRY[/PATH]", show_default=False, help="A registry, or a path in it: myregistry.azurecr.io/team"),
    ] = None,
    username: Annotated[
        str, typer.Option("--username", "-u", metavar="NAME", help="User name, or the client ID of a service principal.")
    ] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
    identity_token_stdin: Annotated[
        bool, typer.Option("--identity-token-stdin", help="Read an identity token (OAuth2 refresh token) from standard input.")
    ] = False,
    entra: Annotated[
        bool, typer.Option("--entra", help="An Azure registry: sign in with Entra, as `azure acr login` does, and ask for no password.")
    ] = False,
    repository: CheckedRepository = "",
    realm: Annotated[str, typer.Option("--realm", metavar="URL", help="The registry's token server, where it is on another host.")] = "",
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Store without asking the registry.")] = False,
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="When the secret dies: 2027-05-01, or 90d from now.")] = "",
    insecure: Insecure = False,
    ca_file: CaFile = "",
    on_command_line: Annotated[str | None, typer.Option("--password", "-p", hidden=True, callback=_refuse, is_eager=True)] = None,  # noqa: ARG001
) -> None:
    """Verify a credential with its registry and keep it, encrypted.

    The secret is asked for without echo, or read from standard input; it is never an option's value.
    Nothing is stored unless the registry takes it.
    """
    from registryauth.cli.console import say
    from registryauth.cli.enroll import enroll
    from registryauth.cli.next_steps import shadowed, use_it
    from registryauth.cli.secrets import account_and_secret
    from registryauth.cli.session import Session

    if registry is None:
        raise Misuse("which registry? docker login without one means Docker Hub, which is: registryauth login docker.io")
    if password_stdin and identity_token_stdin:
        raise Misuse("--password-stdin and --identity-token-stdin exclude each other")
    session = Session(ca_file=ca_file, insecure=insecure)
    address = session.address(registry)
    if entra:
        if username or password_stdin or identity_token_stdin or realm or no_verify or expires or address.path:
            raise Misuse("--entra signs in to a whole registry, and takes no account, no secret and nothing about them")
        registration = _by_entra(session, registry, repository)
    else:
        account, secret = account_and_secret(username, from_stdin=password_stdin, token_from_stdin=identity_token_stdin)
        registration = enroll(
            session,
            address,
            account,
            secret,
            made_by="login",
            kind="identity-token" if identity_token_stdin else "user",
            repository=repository,
            realm=realm,
            verify=not no_verify,
            insecure=insecure,
            expires=expires,
        )
    for line in (*_outcome(registration), *shadowed(session, registration.principal), *use_it(session, registration.principal)):
        say(line)


def _by_entra(session: Session, registry: str, repository: str) -> Registration:
    from registryauth.azure.acr_access import Asked
    from registryauth.cli.azure.entra_login import entra_login, keep

    return keep(session, *entra_login(session, registry, Asked()), repository)


def _outcome(registration: Registration) -> Iterator[str]:
    """Until when the secret lives, and docker's own words where the registry has taken it."""
    from registryauth.cli.console import moment

    ends = moment(registration.principal.slots[0].expires_at)
    yield f"It is good until {ends}." if ends else "Until when it is good is not known; --expires would note it."
    if registration.verification and registration.verification.verified:
        yield "Login Succeeded"


app = single(login)
