"""``registryauth azure principal create``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.azure.principal.reach import DryRun, Reach, Registries, Roles
from registryauth.cli.options import Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from registryauth.azure.graph import NewSecret
    from registryauth.azure.registry_places import Place
    from registryauth.cli.azure.principal.reach import Azure
    from registryauth.cli.azure.principal.waiting import Waiting
    from registryauth.cli.session import Session
    from registryauth.principals.create import Creation, Order
    from registryauth.stores import Principal, Store
    from registryauth.stores.principal import Key


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the application is to be called; one of that name is never touched.")],
    registry: Registries,
    reach: Reach,
    role: Roles = None,
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="When its secret dies: 2027-05-01, or 90d from now.")] = "180d",
    owner: Annotated[str, typer.Option("--owner", metavar="OWNER", help="Who answers for it, for our record.")] = "",
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What it is for, for our record.")] = "",
    no_store: Annotated[bool, typer.Option("--no-store", help="Keep nothing here; the secret goes to --output-file.")] = False,
    output_file: Annotated[
        str, typer.Option("--output-file", metavar="FILE", help="With --no-store: a new file for the secret, as az prints it, mode 0600.")
    ] = "",
    dry_run: DryRun = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a service principal that may pull, and keep its secret.

    It is waited for until all of it works.

    Application, service principal, secret, role: the secret is stored before anything is waited for. Each registry gets a secret of
    its own, so that each is rotated alone. The secret is never printed.
    """
    import time

    from registryauth.azure.patience import Patience
    from registryauth.azure.service_principals import plan, refuse_taken
    from registryauth.cli.azure.principal.reach import reached, show_planned
    from registryauth.cli.azure.principal.waiting import Waiting
    from registryauth.cli.session import Session
    from registryauth.principals.create import Creation, Order
    from registryauth.principals.dates import parse_moment

    if no_store != bool(output_file):
        raise Misuse("--no-store and --output-file go together: a secret that is kept nowhere is lost")
    expires_at = parse_moment(expires, time.time())
    if not expires_at:
        raise Misuse("--expires says when the secret dies: 2027-05-01, or 90d from now")
    _refuse_file(output_file)
    session = Session(ca_file=reach.ca_file)
    opened: AbstractContextManager[Any] = nullcontext() if no_store or dry_run else session.store()
    waiting = Waiting()
    with opened as store, reached(session, reach, dry_run=dry_run) as azure:
        places = azure.places(registry)
        refuse_taken(azure.graph, name)
        tenant = _tenant(azure, reach)
        notes = {"tenant": tenant, "cloud": azure.way.cloud.provider_cloud, "owner": owner, "purpose": purpose}
        order = Order(name, plan(azure.roles, places, role or ["pull"]), expires_at, notes)
        if store is not None:
            for place in places:
                # A store that is locked or broken is better heard of before anything is made.
                store.at(place.address)
        creation = Creation(azure.graph, azure.roles, order, Patience(tell=waiting.show))
        if dry_run:
            creation.make(lambda _place, _secret: None, apart=not no_store)
            show_planned(azure.planned, output)
            return
        records = _carry_out(session, azure, creation, order, store, output_file, waiting)
    _show(creation, order, output)
    _say_what_next(session, records)


def _carry_out(
    session: Session, azure: Azure, creation: Creation, order: Order, store: Store | None, output_file: str, waiting: Waiting
) -> list[Principal]:
    """Make all of it and see it work; what is stored."""
    import time

    from registryauth.cli.azure.principal.remains import remains
    from registryauth.cli.console import insist, say
    from registryauth.principals.create import keep_in, note_verified

    made = creation.made
    keep: Callable[[Place, NewSecret], Key | None]
    keep = keep_in(store, order, made) if store is not None else lambda _, secret: _write(output_file, creation, secret, order)
    try:
        with waiting:
            creation.make(keep, apart=store is not None)
        say(
            "The secret is in place. Waiting until Entra takes it and the registry grants the role, up to 12 minutes; Ctrl-C loses nothing."
        )
        with waiting:
            creation.wait(lambda app_id, secret: _sign_in(azure, order, app_id, secret), lambda place: _opener(session, place))
        return note_verified(store, made, time.time()) if store is not None else []
    except BaseException:
        for line in remains(creation, order, output_file):
            insist(line)
        raise


def _opener(session: Session, place: Place) -> Any:  # noqa: ANN401 - `principals.verify.OpenClient`
    return lambda credentials: session.client(credentials, place.registry.login_server.host)


def _sign_in(azure: Azure, order: Order, app_id: str, secret: str) -> object:
    from registryauth.azure.entra import ClientSecret, Entra

    entra = Entra(azure.way.far, azure.way.cloud.authority, order.notes["tenant"])
    return ClientSecret(entra, app_id, secret).token(azure.way.cloud.management_scope)


def _tenant(azure: Azure, reach: Reach) -> str:
    """The tenant in whose directory the application is made: the one that our token for it is of."""
    from registryauth.azure.exchange import tenant_of
    from registryauth.errors import ConfigurationError

    found = tenant_of(azure.way.tokens.get(azure.way.cloud.graph_scope)) or reach.tenant or azure.session.config.azure_tenant
    if not found:
        raise ConfigurationError("the sign-in does not say which tenant it is of", key="azure.tenant", hint="--tenant TENANT")
    return found


def _refuse_file(path: str) -> None:
    import os

    from registryauth.errors import ConfigurationError

    if not path:
        return
    directory = os.path.dirname(os.path.abspath(path))
    if os.path.lexists(path):
        raise ConfigurationError(f"{path!a} is there already", hint="a secret goes to a new file; nothing was made")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{directory!a} cannot be written to", hint="a secret that is made and not kept is lost; nothing was made")


def _write(path: str, creation: Creation, secret: NewSecret, order: Order) -> None:
    """The document of ``az ad sp create-for-rbac`` (azure-cli ``role/custom.py``)."""
    import json

    from registryauth._paths import write_private
    from registryauth.errors import Error, StoreUnavailable

    document = {"appId": creation.app_id, "displayName": order.name, "password": secret.value, "tenant": order.notes["tenant"]}
    try:
        write_private(path, json.dumps(document, indent=2).encode() + b"\n", replace=False)
    except (StoreUnavailable, FileExistsError) as error:
        # It is not the store that failed, and the exit status must not say so.
        raise Error(f"the secret could not be written: {error}", hint="it is kept nowhere; remove it, and begin again") from None


def _show(creation: Creation, order: Order, output: Output) -> None:
    from registryauth.cli.azure.principal.reach import place_document
    from registryauth.cli.console import moment, show

    made = creation.made
    ends = min(secret.known.expires_at or order.expires_at for _, secret in made.secrets)
    document = {
        "version": 1,
        "name": order.name,
        "app_id": creation.app_id,
        "object_id": made.principal.object_id if made.principal else None,
        "tenant": order.notes["tenant"],
        "expires_at": moment(ends),
        "roles": [place_document(gift.place) | {"role": gift.role.name} for gift in order.gifts],
        "secrets": [{"key_id": secret.known.key_id, "expires_at": moment(secret.known.expires_at)} for _, secret in made.secrets],
        "stored": [str(key.address) for key in made.stored],
    }
    rows = [
        ("name", order.name),
        ("client id", creation.app_id),
        ("tenant", order.notes["tenant"]),
        *(("role", str(gift)) for gift in order.gifts),
        *(("granted", f"{', '.join(granted) or 'not shown'}, by the token for {place.sample}") for place, granted in made.verified.items()),
        ("secret ends", moment(ends)),
        *(("stored for", str(key.address)) for key in made.stored),
    ]
    show(output, document, ("WHAT", "VALUE"), rows)


def _say_what_next(session: Session, records: Sequence[Principal]) -> None:
    from registryauth.cli.console import say
    from registryauth.cli.next_steps import use_it

    if not records:
        say("The secret is in the file, and nowhere else.")
    for record in records:
        for line in use_it(session, record):
            say(line)
    for record in records:
        say(f"Before it ends: registryauth principal rotate {record.address} --account {record.account} --source entra")


app = single(create)
