"""The ``auths`` object that docker's and containers' files share.

Sources: docker/cli ``cli/config/configfile/file.go`` and ``cli/config/types/authconfig.go``;
containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Credential, IdentityToken, RegistryToken, from_login
from registryauth.errors import AmbiguousCredential, InvalidReference, SourceFailed
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY, Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._json import Node
    from registryauth.reference import Repository


class Entry(Value, hidden=("credential",)):
    """The entry that speaks for a repository; *credential* is None for an empty marker, whose secret a helper keeps."""

    address: Address
    credential: Credential | None


def entry_for(repository: Repository, auths: Node, *, docker_hub: str = DOCKER_HUB_KEY) -> Entry | None:
    """The entry of *auths* that covers *repository*: the longest path wins, then one with a secret, then the plain spelling.

    *docker_hub* is the plain spelling of Docker Hub, which docker and containers do not share. Only entries that cover it are
    decoded, so one broken entry spoils no other registry. Raise `SourceFailed` for one that cannot be decoded,
    `AmbiguousCredential` where several other spellings of one address hold different credentials: docker would take one by
    chance (docker/cli, ``GetAuthConfig`` goes through a Go map).
    """
    covering = []
    for key, node in auths.fields():
        address = address_of(key)
        if address and address.covers(repository):
            plain = docker_hub if str(address) == DOCKER_HUB else str(address)
            covering.append(((len(address.path), bool(next(node.fields(), None)), key == plain), key, address, node))
    if not covering:
        return None
    best = max(rank for rank, *_ in covering)
    chosen = [(key, credential_of(node)) for rank, key, _, node in covering if rank == best]
    address = next(address for rank, _, address, _ in covering if rank == best)
    if any(credential != chosen[0][1] for _, credential in chosen):
        raise AmbiguousCredential(
            f"{auths.what} has different credentials for {address} under {' and '.join(printable(key, 120) for key, _ in chosen)}",
            hint="remove one of the two, or log in again with the tool that wrote them",
        )
    return Entry(address, chosen[0][1])


def address_of(key: str) -> Address | None:
    """What *key* names; None for what is no registry at all.

    A URL with a path of its own is no namespace: Docker keeps the tokens of its web login under
    ``https://index.docker.io/v1/access-token``, and those are nobody's registry credential.
    """
    try:
        address = Address.parse(key, known=(key.partition("/")[0].partition(":")[0].lower(),))
    except InvalidReference:
        return None
    return None if address.path and "://" in key else address


def credential_of(node: Node) -> Credential | None:
    """The credential in one entry; None if it is an empty marker.

    Precedence as in go-containerregistry: registry token, identity token, then user name and password.
    """
    registry_token, identity_token = node.field("registrytoken").text(), node.field("identitytoken").text()
    if registry_token:
        return RegistryToken(registry_token)
    if identity_token:
        return IdentityToken(identity_token)
    if encoded := node.field("auth").text():
        return _decoded(encoded, node)
    username, password = node.field("username").text(), node.field("password").text()
    if not username and password:
        raise _broken(node, "has a password and no username")
    return from_login(username, password) if username else None


def _decoded(encoded: str, node: Node) -> Credential:
    bare = encoded.strip().rstrip("=")
    try:
        text = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        text = ""
    username, colon, password = text.partition(":")
    if not colon or not username:
        # docker/cli, decodeAuth: the user name is never empty.
        raise _broken(node, "is not base64 of user:password")
    return from_login(username, password.rstrip("\0"))


def _broken(node: Node, complaint: str) -> SourceFailed:
    where = f"{node.what}: {node.path}"
    return SourceFailed(f"{where}{'.auth' if 'base64' in complaint else ''} {complaint}", hint="log in again with the tool that wrote it")
