"""``registryauth azure acr login``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import CaFile, Misuse, Output
from registryauth.config.keys import CREDENTIALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.acr import AcrLogin
    from registryauth.cli.session import Session


def login(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A registry's name, or its whole login server.")],
    expose_token: Annotated[
        bool, typer.Option("--expose-token", help="Print the refresh token, as az does, and keep nothing: the output is a secret.")
    ] = False,
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID", help="The tenant to sign in to, by its id or a domain of it.")] = "",
    cloud: Annotated[
        str, typer.Option("--cloud", metavar="NAME", help="AzureCloud, AzureChinaCloud, AzureUSGovernment, or a cloud's management URL.")
    ] = "",
    subscription: Annotated[str, typer.Option("--subscription", metavar="ID", help="Where the name is looked up, and only there.")] = "",
    credential: Annotated[str, typer.Option("--credential", metavar="WAY", help=f"How to sign in: {', '.join(CREDENTIALS)}.")] = "",
    repository: Annotated[
        str, typer.Option("--repository", metavar="PATH", help="Check the right to pull from this repository, too.")
    ] = "",
    output: Annotated[
        Output | None, typer.Option("--output", "-o", help="Print what was done; with --expose-token, how to print the token (json).")
    ] = None,
    ca_file: CaFile = "",
) -> None:
    """Sign in to a registry with Entra, without docker.

    Its identity token is kept, encrypted.

    The login server is read from the registry's resource. The token lives about three hours and is renewed while the same
    way of signing in is at hand.
    """
    from registryauth.azure.acr_access import Asked
    from registryauth.cli.azure.entra_login import entra_login, keep
    from registryauth.cli.console import moment, say, show
    from registryauth.cli.next_steps import shadowed, use_it
    from registryauth.cli.session import Session

    if credential and credential not in CREDENTIALS:
        raise Misuse(f"--credential is one of {', '.join(CREDENTIALS)}")
    if expose_token and repository:
        raise Misuse("--expose-token keeps and checks nothing: leave --repository out")
    session = Session(ca_file=ca_file)
    done, access = entra_login(session, name, Asked(tenant, cloud, subscription, credential))
    if expose_token:
        _write_down(session, done)
        _expose(done.registry.host, done.refresh.value, output or Output.JSON)
        return
    registration = keep(session, done, access, repository)
    if output is not None:
        view: dict[str, Any] = {
            "version": 1,
            "loginServer": done.registry.host,
            "account": registration.principal.account,
            "credential": access.source.kind,
            "audience": done.audience,
            "tenant": done.tenant or None,
            "expires_at": moment(done.refresh.expires_at) or None,
            "repository_permissions": done.refresh.abac,
        }
        show(output, view, ("WHAT", "VALUE"), [(key, str(value or "")) for key, value in view.items() if key != "version"])
    for line in (*shadowed(session, registration.principal), *use_it(session, registration.principal)):
        say(line)


def _write_down(session: Session, done: AcrLogin) -> None:
    """Tell the audit log that the token leaves; the store, which keeps nothing of it, is not opened."""
    from contextlib import closing

    from registryauth.azure import vault_token
    from registryauth.credentials import TOKEN_USERNAME
    from registryauth.reference import Address
    from registryauth.stores import from_config
    from registryauth.stores.audited import note
    from registryauth.stores.principal import Key

    config = session.config
    if config.store_backend == "local" and not config.store_path:
        return
    with closing(from_config(config, session.environ, purpose="azure acr login", azure_token=vault_token)) as store:
        note(store, "fetched", Key(Address(done.registry), TOKEN_USERNAME), detail="a token of hours, printed (--expose-token)")


def _expose(login_server: str, token: str, output: Output) -> None:
    """The document of ``az acr login --expose-token`` (azure-cli 2.91; both tokens are the refresh token)."""
    import json

    from registryauth.credentials import NULL_GUID

    document = {"accessToken": token, "loginServer": login_server, "refreshToken": token, "username": NULL_GUID}
    if output is Output.YAML:
        from registryauth.exports.yaml_text import yaml_text

        print(yaml_text(document), end="")
    else:
        print(json.dumps(document, indent=2))


app = single(login)
