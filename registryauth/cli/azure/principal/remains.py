"""What a creation that failed or was interrupted leaves behind, and the commands that finish it or undo it."""

from __future__ import annotations

from shlex import quote

from registryauth._redact import printable
from registryauth.azure.registry_roles import KNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from registryauth.principals.create import Creation, Order


def remains(creation: Creation, order: Order, output_file: str) -> Iterator[str]:
    """What is there, and the commands that finish it or undo it."""
    made = creation.made
    if made.application is None:
        if made.missing and not made.refused:
            yield f"No answer says that anything was made. If in doubt: az ad app list --display-name {quote(order.name)}"
        return
    app_id = creation.app_id
    yield "There is by now:"
    yield f"  the application {printable(order.name, 80)}, client id {app_id}"
    if made.principal:
        yield "  its service principal"
    for count, (place, secret) in enumerate(made.secrets):
        key_id = printable(secret.known.key_id, 60)
        lost = f"kept nowhere; it can go: az ad app credential delete --id {app_id} --key-id {key_id}"
        kept = f"in the file {output_file!a}" if output_file else f"stored for {place.address}"
        yield f"  a secret (key id {key_id}), {kept if count < made.kept else lost}"
    for gift in made.gifts:
        yield f"  the role {gift}"
    if made.missing:
        yield f"Not made: {made.missing}." if made.refused else f"Perhaps made, perhaps not, for no answer says it: {made.missing}."
    if made.secrets and made.kept == (1 if output_file else len(order.places)):
        yield from _finishing(creation, order)
    yield f"To undo it: az ad app delete --id {app_id}"
    for key in made.stored:
        yield f"  and here: registryauth principal remove {key.address} --account {app_id}"


def _finishing(creation: Creation, order: Order) -> Iterator[str]:
    app_id = creation.app_id
    for gift in order.gifts:
        if gift not in creation.made.gifts:
            name = gift.place.registry.id.name
            where = " ".join(f"--registry '{name}/{each}'" for each in gift.place.repositories) or f"--registry {name}"
            yield f"To finish it: registryauth azure principal grant {app_id} {where} --role {KNOWN[gift.role.name]}"
    for key in creation.made.stored:
        yield f"To see that it works: registryauth principal verify {key.address} --account {app_id}"
