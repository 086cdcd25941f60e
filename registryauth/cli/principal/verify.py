"""``registryauth principal verify``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, CaFile, Misuse, Output, OutputOption


def verify(
    address: Annotated[str, typer.Argument(metavar="[REGISTRY[/REPOSITORY]]", help="Where: myregistry.azurecr.io/team/model")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every principal, one after the other; made for cron.")] = False,
    repository: Annotated[str, typer.Option("--repository", metavar="PATH", help="Look at the rights in this repository.")] = "",
    no_store: Annotated[bool, typer.Option("--no-store", help="Only print what is found, do not keep it.")] = False,
    account: Account = "",
    output: OutputOption = Output.TABLE,
    ca_file: CaFile = "",
) -> None:
    """Ask whether a secret works, and whether it may do too much.

    Nothing is written to the registry. Exit status 0 if all is well, 4 if a secret is refused or a right that is needed is lacking,
    7 if rights are wider than needed or a secret expires within resolver.expiry_warning, 6 if the only trouble is that
    a registry gave no answer.
    """
    from registryauth.cli.principal.findings import Ledger
    from registryauth.cli.session import Session
    from registryauth.principals.diagnosed import diagnosed, entra_says

    if bool(address) == everything:
        raise Misuse("name a registry or a repository in it, or say --all")
    if everything and (repository or account):
        raise Misuse("--all looks at every principal: leave --repository and --account out")
    session = Session(ca_file=ca_file)
    with session.store() as store:
        ledger = Ledger(session.config, None if no_store else store)
        ask = entra_says(session.config, session.environ)
        asked = None if everything else session.address(address, wildcard=True).registry
        for findings in _all(session, store) if everything else [_one(session, store, address, repository, account)]:
            ledger.enter(diagnosed(findings, ask, asked))
    ledger.show(output, summary=everything)
    raise typer.Exit(ledger.exit_code)


def _all(session: Any, store: Any) -> Any:  # noqa: ANN401 - Session and Store, imported when they are needed
    from registryauth.cli.console import say
    from registryauth.principals import survey

    records = store.list()
    disabled = sum(bool(record.disabled_at) for record in records)
    if disabled:
        say(f"{disabled} disabled and not asked about.")
    return survey((record for record in records if not record.disabled_at), lambda registry: _opener(session, registry))


def _one(session: Any, store: Any, text: str, path: str, account: str) -> Any:  # noqa: ANN401 - as above
    from registryauth._redact import printable
    from registryauth.errors import CredentialNotFound
    from registryauth.principals import review
    from registryauth.principals.asking import where_to_ask
    from registryauth.reference import Repository

    address = session.address(text, wildcard=True)
    repository = None
    if path:
        full = path if path.startswith(f"{address.registry}/") else f"{address.registry}/{path}"
        repository = Repository.parse(full, known=session.spelled)
        where_to_ask(address, repository)
    record = store.look(address, account or None)
    if record is None:
        whose = f" of account {printable(account, 80)}" if account else ""
        raise CredentialNotFound(f"no principal{whose} is registered for {address}", hint="'registryauth principal list' shows what is")
    seen = {check.repository for check in record.checks} - {""}
    if repository is None and address.path and (address.path != record.address.path or not seen):
        repository = Repository(address.registry, address.path)
    return review(record, _opener(session, address.registry), repository=repository, registry=address.registry)


def _opener(session: Any, registry: Any) -> Any:  # noqa: ANN401 - as above
    return lambda credentials: session.client(credentials, registry.host)


app = single(verify)
