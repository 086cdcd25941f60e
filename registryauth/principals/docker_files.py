"""The credentials in docker's ``config.json`` and in containers' ``auth.json``, read as the resolver reads them.

What docker does not look at is not imported: where a helper is named for a registry, an entry under ``auths`` is a
leftover of the days before.
"""

from __future__ import annotations

import os

from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import TOKEN_USERNAME, Basic, Credential, IdentityToken, RegistryToken
from registryauth.errors import ConfigurationError, SourceFailed
from registryauth.principals.candidate import MAX_PRINCIPALS, Candidate, Faults, Rules, Skipped
from registryauth.principals.refusals import refuse_unusable
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY, Address
from registryauth.resolver.auths import address_of, credential_of
from registryauth.resolver.docker_config import helper_for
from registryauth.resolver.helper import ask_helper, list_helper, reason_to_skip
from registryauth.stores.principal import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.resolver.docker_config import AskHelper

    #: From a helper's name and an environment to the server keys that it keeps something for.
    ListHelper = Callable[[str, Mapping[str, str]], tuple[str, ...]]

_MARKER = "an empty marker: there is no secret"


class Helpers(Value):
    """How credential helpers are asked; *wanted* says whether they are at all."""

    wanted: bool = False
    environ: Mapping[str, str] = os.environ
    ask: AskHelper = ask_helper
    list: ListHelper = list_helper


def read_docker(
    data: bytes, what: str, rules: Rules, helpers: Helpers, *, containers: bool, limit: int
) -> tuple[list[Candidate], list[Skipped]]:
    """The credentials in *data* of at most *limit* bytes, and what names one that is not there; *what* names the file.

    With *containers* the file is an ``auth.json``, which has no ``credsStore``. Raise `ConfigurationError` for a file that
    is neither, naming every entry that cannot be decoded and no content; `SourceFailed` where a helper that was to be asked fails.
    """
    document = Node(load_json(data, what, limit), what)
    named = {key for key, _ in document.fields()}
    if not named & {"auths", "credHelpers", "credsStore"}:
        raise ConfigurationError(
            f"{what} names no registry: it has neither auths nor credHelpers nor credsStore", file=what, hint="is it the right file?"
        )
    reading = _Reading(document, what, rules, helpers, "" if containers else document.field("credsStore").text())
    reading.auths()
    reading.named_helpers()
    reading.store()
    reading.faults.refuse_any(f"log in again with the tool that wrote {what}, or remove the entry")
    return list(reading.found.values()), reading.skipped


class _Reading:
    """One file on its way."""

    def __init__(self, document: Node, what: str, rules: Rules, helpers: Helpers, store: str) -> None:
        self._document, self._rules, self._helpers, self._store = document, rules, helpers, store
        self.faults = Faults(what)
        self.found: dict[Address, Candidate] = {}
        self.skipped: list[Skipped] = []
        self._plain: set[Address] = set()
        self._marked = False

    def auths(self) -> None:
        """The file's own entries."""
        named = self._document.field("credHelpers")
        for count, (key, node) in enumerate(self._document.field("auths").fields()):
            if count == MAX_PRINCIPALS:
                raise ConfigurationError(f"{node.what} has more than {MAX_PRINCIPALS} entries", hint="is it the right file?")
            address = address_of(key)
            if address is None:
                self.skipped.append(Skipped(node.path, "is no registry's address, or a token of docker's own web login"))
                continue
            helper = helper_for(address.registry, named) or self._store
            if helper:
                self._leave_to(helper, node)
                continue
            try:
                credential = credential_of(node)
            except (SourceFailed, ConfigurationError) as error:
                # It names the entry, and nothing that stands in it.
                self.faults.add(node.path, error.message.removeprefix(f"{node.what}: ").removeprefix(f"{node.path} "))
                continue
            if credential is None:
                self.skipped.append(Skipped(node.path, _MARKER))
            else:
                self._take(key, node.path, address, credential)

    def named_helpers(self) -> None:
        """The registries for which ``credHelpers`` names a helper."""
        for key, node in self._document.field("credHelpers").fields():
            address = address_of(key)
            helper = node.text()
            if address is None or not helper:
                self.skipped.append(Skipped(node.path, "is no registry's address" if helper else "names no helper"))
            elif self._may_ask(helper, node.path):
                server = DOCKER_HUB_KEY if address.registry.host == DOCKER_HUB else address.registry.host
                self._ask(helper, server, node.path, address)

    def store(self) -> None:
        """What the helper that ``credsStore`` names keeps for registries that have no helper of their own."""
        # Unless it is asked, the empty entries under auths say already what it keeps.
        if not self._store or (self._marked and not self._helpers.wanted) or not self._may_ask(self._store, "credsStore"):
            return
        for server in self._helpers.list(self._store, self._helpers.environ):
            address = address_of(server)
            place = f"{printable(self._store, 40)}: {printable(server, 120)}"
            if address is None:
                self.skipped.append(Skipped(place, "is no registry's address, or a token of docker's own web login"))
            elif not helper_for(address.registry, self._document.field("credHelpers")):
                self._ask(self._store, server, place, address)

    def _leave_to(self, helper: str, node: Node) -> None:
        # With --with-helpers the helper answers for it, in its turn.
        if next(node.fields(), None):
            self.skipped.append(
                Skipped(node.path, f"docker does not look at it: for this registry it asks the helper {printable(helper, 40)}")
            )
        elif not self._helpers.wanted and self._store == helper:
            self._marked = True
            self._may_ask(helper, node.path)

    def _may_ask(self, helper: str, place: str) -> bool:
        reason = "" if self._helpers.wanted else f"the helper {printable(helper, 40)} keeps its secret, and was not asked (--with-helpers)"
        reason = reason or reason_to_skip(helper, self._helpers.environ)
        if reason:
            self.skipped.append(Skipped(place, reason))
        return not reason

    def _ask(self, helper: str, server: str, place: str, address: Address) -> None:
        credential = self._helpers.ask(helper, server, self._helpers.environ)
        if credential is None:
            self.skipped.append(Skipped(place, f"the helper {printable(helper, 40)} has nothing for it"))
        else:
            self._take(server, place, address, credential)

    def _take(self, key: str, place: str, address: Address, credential: Credential) -> None:
        match credential:
            case Basic(account, secret):
                kind = "user"
            case IdentityToken(secret):
                account, kind = TOKEN_USERNAME, "identity-token"
            case RegistryToken():
                self.skipped.append(Skipped(place, "a registry token lives for minutes; it is no principal"))
                return
            case _:
                self.skipped.append(Skipped(place, _MARKER))
                return
        try:
            refuse_unusable(account, secret)
        except ConfigurationError as error:
            self.faults.add(place, error.message)
            return
        principal = self._rules.principal(address, account, Slot(secret, int(self._rules.now)), kind=kind)
        self._choose(key, Candidate(place, principal, ("kind",) if kind != "user" else ()))

    def _choose(self, key: str, candidate: Candidate) -> None:
        """Keep one of several spellings of an address: the plain one, which docker looks up first."""
        address = candidate.principal.address
        plain = key == (DOCKER_HUB_KEY if address.registry.host == DOCKER_HUB else str(address))
        before = self.found.get(address)
        if before is None or plain:
            self.found[address] = candidate
            self._plain |= {address} if plain else set()
        elif address not in self._plain and (before.principal.account, before.principal.slots) != (
            candidate.principal.account,
            candidate.principal.slots,
        ):
            self.faults.add(candidate.place, f"another credential for the same registry as {before.place}, and no telling which is meant")
            return
        if before is not None:
            other = before if plain else candidate
            self.skipped.append(Skipped(other.place, f"another spelling of {self.found[address].place}"))
