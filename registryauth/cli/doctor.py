"""``registryauth doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Access, Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.acr_errors import Meaning
    from registryauth.azure.standing import Standing
    from registryauth.cli.session import Session
    from registryauth.diagnosis import Blotter, Diagnosis, Surroundings
    from registryauth.reference import Registry
    from registryauth.resolver import PullSecret
    from registryauth.stores import Principal


def doctor(
    reference: Annotated[
        str, typer.Argument(metavar="[REFERENCE]", help="An image whose pull is to be walked through; without it, the installation.")
    ] = "",
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="The platform that the image is to run on.")] = "",
    output: OutputOption = Output.TABLE,
    bundle: Annotated[
        str, typer.Option("--bundle", metavar="FILE", help="Also write a .zip or .tar.gz for a ticket, every secret blotted out.")
    ] = "",
    with_addresses: Annotated[
        bool, typer.Option("--with-addresses", help="Name the stored registries and accounts in the bundle.")
    ] = False,
    *,
    access: Access,
) -> None:
    """Find out why a pull fails. Each link of the chain is tried, up to the first that is broken.

    Without a REFERENCE the installation is checked. Nothing is changed, and a secret goes only where a pull would send it.
    Exit status 7 if something was found.
    """
    import os

    from registryauth.content.descriptor import Platform
    from registryauth.diagnosis import Blotter, inspect
    from registryauth.diagnosis.bundle import check_name
    from registryauth.diagnosis.redaction import of_environment

    if not reference and (platform or access != Access()):
        raise Misuse("--platform, --account, --workspace, --allow-admin-user, --insecure and --ca-file go with a REFERENCE")
    if with_addresses and not bundle:
        raise Misuse("--with-addresses goes with --bundle")
    wanted = Platform.parse(platform) if platform else None
    if bundle:
        check_name(bundle)
    blotter = Blotter(of_environment(os.environ))
    found = _walked(reference, wanted, access, blotter) if reference else None
    if bundle or found is None:
        here = _surroundings(blotter)
        try:
            checked = inspect(here)
            if bundle:
                _write(bundle, found, checked, here, blotter, with_addresses=with_addresses)
        finally:
            here.close()
        found = found or checked
    _show(found, output)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def _walked(text: str, platform: object, access: Access, blotter: Blotter) -> Diagnosis:
    import os
    import time

    from registryauth.cli.session import Session
    from registryauth.diagnosis import Network, Tools, Walk, examine

    session = Session(ca_file=access.ca_file, insecure=access.insecure)
    with session.resolver(**access.arguments()) as resolver:
        tools = Tools(
            resolver,
            session.client,
            session.reference,
            Network(),
            session.trust(),
            os.environ,
            lambda registry: access.insecure or session.config.registry(registry.host).insecure,
            time.time,
            time.perf_counter,
            blotter,
            lambda secret: _second_opinion(session, secret),
            lambda registry, path, secret, at_the_door: _standing(session, registry, path, secret, at_the_door=at_the_door),
        )
        return examine(Walk(text, tools, platform))  # type: ignore[arg-type]


def _second_opinion(session: Session, secret: PullSecret) -> Meaning | None:
    """What Entra says of a service principal that the registry refuses."""
    from registryauth.principals.diagnosed import entra_says

    record = _record(session, secret)
    return entra_says(session.config, session.environ)(record, secret.reference.registry) if record else None


def _standing(session: Session, registry: Registry, path: str, secret: PullSecret | None, *, at_the_door: bool) -> Standing | None:
    """What resource management says of the account that the registry refuses, if somebody is signed in who may ask."""
    from registryauth.principals.diagnosed import management_says

    record = _record(session, secret) if secret and not at_the_door else None
    ask = management_says(session.config, session.environ)
    return ask(registry, path, secret.account if secret else "", record, at_the_door)


def _record(session: Session, secret: PullSecret) -> Principal | None:
    """The record that *secret* is, None where it is none of our store's."""
    from contextlib import closing

    from registryauth.azure import vault_token
    from registryauth.reference import Address
    from registryauth.stores import from_config
    from registryauth.stores.audited import behind

    if secret.source != "store":
        return None
    address = Address(secret.reference.registry, secret.reference.repository.path)
    with closing(from_config(session.config, session.environ, ask=session.ask, azure_token=vault_token)) as store:
        records = behind(store).nearest(address, secret.account or None)
    return records[0] if records else None


def _surroundings(blotter: Blotter) -> Surroundings:
    import os
    import time

    from registryauth.azure import vault_token
    from registryauth.cli.passphrase import asker
    from registryauth.config import load
    from registryauth.diagnosis import Surroundings
    from registryauth.stores import from_config

    return Surroundings(
        os.environ,
        lambda: load(os.environ),
        lambda config: from_config(config, os.environ, ask=asker(), purpose="doctor", azure_token=vault_token),
        time.time,
        time.perf_counter,
        blotter,
    )


def _write(path: str, walked: Diagnosis | None, checked: Diagnosis, here: Surroundings, blotter: Blotter, *, with_addresses: bool) -> None:
    from registryauth.cli.console import say
    from registryauth.diagnosis import bundle
    from registryauth.errors import Error

    documents: dict[str, object] = {"versions": bundle.versions(), "environment": bundle.names_of(here.environ)}
    if walked:
        documents["doctor"] = walked.plain()
    try:
        settings = bundle.settings(here.config)
    except Error as error:
        settings, documents["left_out"] = [], error.message.partition("\n")[0]
    try:
        records = here.records
    except Error:
        # Then no check could name any of them either; which one failed, and why, is in its line.
        records = ()
    ours = {"config": settings, "installation": checked.plain()}
    documents |= ours if with_addresses else bundle.without_addresses(ours, records)
    if with_addresses:
        documents["addresses"] = [{"address": str(record.address), "account": record.account} for record in records]
    bundle.write(path, documents, blotter)
    names = ", ".join(f"{name}.json" for name in documents)
    say(f"Wrote {path}: {names}. Read it before you send it: it names paths, and the image that was asked about.")


def _show(found: Diagnosis, output: Output) -> None:
    from registryauth.cli.console import show

    made = [step for step in found.steps if step.outcome != "skipped"]
    rows = [(step.name, step.outcome, f"{step.seconds * 1000:.0f} ms", step.detail) for step in made]
    show(output, found.plain(), ("STEP", "OUTCOME", "TIME", "WHAT"), rows)
    if output is not Output.TABLE:
        return
    if left := [step.name for step in found.steps if step not in made]:
        print(f"\nNot looked at, because of what is broken: {', '.join(left)}.")
    for step in made:
        if step.hint and step.outcome != "ok":
            print(f"\n{step.name}: next: {_lines(step.hint)}")


def _lines(text: str) -> str:
    """*text*, its lines kept, with what could move a cursor left out."""
    from registryauth._redact import printable

    return "\n".join(printable(line, 1000) for line in text.splitlines())


app = single(doctor)
