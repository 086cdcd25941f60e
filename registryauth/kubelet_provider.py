"""``registryauth-credential-provider``: the kubelet's image credential provider, API ``credentialprovider.kubelet.k8s.io/v1``.

Sources: k8s.io/kubelet ``pkg/apis/credentialprovider/v1/types.go``; what the kubelet does with it, kubernetes
``pkg/credentialprovider/plugin/plugin.go`` and ``keyring.go``. What the kubelet does with an answer decides its form:

*The key of* ``auth`` *is the image itself*, as the request spelled it: the kubelet compares paths by raw prefix, so that a key
``host/team`` would also open ``host/teammate``.

``cacheKeyType`` *is* ``Image``, *for what is registered for a whole registry, too*. An answer that is cached for a registry is used for
every image in it, also for one that has an entry of its own or gets one within the hour; it costs one start of this program for each
image and hour. Only what an Azure registry gives for a pod's own service account is the registry's: no entry of ours is nearer.

``cacheDuration`` *is never beyond the credential's end*, nor beyond the day on which its successor becomes good; and never longer than
an hour, because a rotation tells no kubelet.

Where we hold nothing, the answer has no login, and the kubelet goes on to what else it has. On failure the kubelet prints our stderr,
so no secret is ever written there; on success it drops it.
"""

from __future__ import annotations

import _thread
import json
import os
import sys
import time

from registryauth import __version__
from registryauth._json import Node, load_json
from registryauth._lookup import Lookup
from registryauth._program import brief, serve
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Basic
from registryauth.errors import CredentialError, Error
from registryauth.reference import Address, Reference, kubelet_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import BinaryIO, Protocol, TextIO

    from registryauth.config import Config
    from registryauth.credentials import Credential
    from registryauth.reference import Registry
    from registryauth.stores import Store
    from registryauth.stores.principal import Principal

    class SignInAs(Protocol):
        """Trades a pod's *token* for the credential of the Azure application *client_id*, and says when that dies."""

        def __call__(
            self, registry: Registry, token: str, client_id: str, tenant: str, config: Config, environ: Mapping[str, str]
        ) -> tuple[Credential, int]:
            """Raise an `Error` where Azure refuses."""
            ...


NAME = "registryauth-credential-provider"
API_VERSION = "credentialprovider.kubelet.k8s.io/v1"
#: Bytes of a request: an image, a service account's token and its annotations, of which Kubernetes allows 256 KiB.
MAX_REQUEST = 1024 * 1024
#: Seconds for which the kubelet may keep an answer.
MAX_CACHE = 3600
#: Seconds before its end from which on a credential is not kept.
MARGIN = 60
#: Seconds after which we give up, while the kubelet, which waits for a minute, still listens to the reason.
PATIENCE = 50
#: Seconds more that are left to what takes no notice of that, such as the system's own look-up of a name.
GRACE = 5
#: Annotations of a service account by which a pod asks to pull as an application of its own; Azure's provider has the same
#: (cloud-provider-azure ``pkg/credentialprovider``).
CLIENT_ID, TENANT = "kubernetes.azure.com/acr-client-id", "kubernetes.azure.com/acr-tenant-id"
_USAGE = f"Usage: {NAME} < request.json; the kubelet runs it, and 'registryauth setup kubelet' tells it to"
_HINT = "the kubelet's configuration must say apiVersion: " + API_VERSION


class Request(Value, hidden=("token",)):
    """What the kubelet asks: *image* as it spelled it, without tag and digest; *token* and *annotations* are the pod's account's."""

    image: str
    reference: Reference
    token: str = ""
    annotations: tuple[tuple[str, str], ...] = ()


class _TooSlow(BaseException):
    """Raised wherever we are when `PATIENCE` is over; nothing on the way takes it for a failure of its own."""


def main() -> int:
    """Answer the request on stdin; the exit status."""
    import signal

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(PATIENCE)
    _thread.start_new_thread(_watch, ())
    return serve(run)


def _watch() -> None:
    """End the process where nothing else could: a signal is not seen before the call returns that it came in."""
    time.sleep(PATIENCE + GRACE)
    # Whoever hangs may hold the lock of standard error.
    os.write(2, f"{NAME}: {_too_slow()}\n".encode())
    os._exit(1)


def _too_slow() -> str:
    return f"there was no answer within {PATIENCE} s; a keyring that waits for a person, or a vault that is not reached, does that"


def run(
    argv: list[str],
    stdin: BinaryIO,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
    *,
    store: Store | None = None,
    clock: Callable[[], float] = time.time,
    sign_in_as: SignInAs | None = None,
) -> int:
    """Answer one request; *store* is the configured one unless given. 0 for every answer, with a login or without; 1 for a failure."""
    if argv:
        return _about_ourselves(argv, stdout, stderr)

    def say(text: str) -> None:
        print(f"{NAME}: {printable(text, 1000)}", file=stderr)

    try:
        request = read_request(stdin.read(MAX_REQUEST + 1))
        answer = _answer(request, Lookup(environ, "kubelet", say, store), environ, clock(), say, sign_in_as)
    except Error as error:
        say(brief(error))
        return 1
    except OSError as error:
        say(f"{type(error).__name__}: {error.strerror}")
        return 1
    except _TooSlow:
        say(_too_slow())
        return 1
    print(json.dumps(answer, ensure_ascii=False), file=stdout)
    return 0


def _about_ourselves(argv: list[str], stdout: TextIO, stderr: TextIO) -> int:
    if argv == ["--version"]:
        print(f"{NAME} (registryauth) {__version__}", file=stdout)
        return 0
    asked = argv in (["--help"], ["-h"])
    print(_USAGE, file=stdout if asked else stderr)
    return 0 if asked else 2


def read_request(data: bytes) -> Request:
    """The request in *data*; raise `Error` for what is none of this API, or names no image. Fields that we do not know are ignored."""
    what = "the request"
    if not data.strip():
        raise Error(f"{what} on standard input is empty", hint=f"{NAME} is run by the kubelet")
    node = Node(load_json(data, what, MAX_REQUEST, error=Error), what, error=Error)
    version, kind = node.field("apiVersion").text(), node.field("kind").text()
    if (version, kind) != (API_VERSION, "CredentialProviderRequest"):
        raise Error(f"this is no request of {API_VERSION} but {printable(kind, 60)!a} of {printable(version, 60)!a}", hint=_HINT)
    image = node.field("image").text()
    reference = Reference.parse(image, known=(_host(image),))
    annotations = tuple((key, value.text()) for key, value in node.field("serviceAccountAnnotations").fields())
    return Request(_untagged(image), reference, node.field("serviceAccountToken").text(), annotations)


def _host(image: str) -> str:
    """The host in *image*: one that looks mistyped is none of our business, for the kubelet goes there in any case."""
    from re import sub

    return sub(r":[0-9]+\Z", "", image.partition("/")[0].lower())


def _untagged(image: str) -> str:
    named = image.partition("@")[0]
    slash = named.rfind("/")
    return named[: slash + 1] + named[slash + 1 :].partition(":")[0]


def _answer(
    request: Request,
    lookup: Lookup,
    environ: Mapping[str, str],
    now: float,
    say: Callable[[str], None],
    sign_in_as: SignInAs | None,
) -> dict[str, object]:
    if asked := _as_its_own(request, lookup.config, environ, sign_in_as):
        credential, expires_at = asked
        return _response(_host_of(request.image), _login(credential, request), lifetime((expires_at,), now), "Registry")
    address = Address(request.reference.registry, request.reference.repository.path)
    held = lookup.choice(address)
    if held.record is None:
        # By hand, a person sees why; the kubelet does not care.
        say(lookup.reason(held, address))
        return _response()
    record = lookup.renewed(held.record, now)
    return _response(kubelet_key(request.image), _login(record.credential(now), request), lifetime(_changes(record, now), now))


def _as_its_own(request: Request, config: Config, environ: Mapping[str, str], sign_in_as: SignInAs | None) -> tuple[Credential, int] | None:
    """What Azure gives for the pod's service account; None where the pod did not ask to pull as an application of its own."""
    said = dict(request.annotations)
    client_id = said.get(CLIENT_ID, "")
    if not (request.token and client_id):
        return None
    from registryauth.registries import provider_of

    if provider_of(request.reference.registry).name != "acr":
        return None
    from registryauth.azure import service_account

    tenant = said.get(TENANT) or environ.get("AZURE_TENANT_ID", "")
    trade = sign_in_as or service_account.sign_in_as
    return trade(request.reference.registry, request.token, client_id, tenant, config, environ)


def _host_of(image: str) -> str:
    return image.partition("/")[0]


def _login(credential: Credential, request: Request) -> tuple[str, str]:
    if isinstance(credential, Basic):
        return credential.username, credential.password
    from registryauth.registries.login import login_at

    if login := login_at(credential, request.reference.registry):
        return login
    raise CredentialError(
        f"the kubelet takes a user name and password, and what is held for {request.reference.registry} is a token",
        hint="register a service principal, a robot account or a repository token",
    )


def _changes(record: Principal, now: float) -> tuple[int, ...]:
    """The moments at which another secret of *record* is due: the end of the present one, and the first day of others."""
    return record.slot(now).expires_at, *(slot.not_before for slot in record.slots if slot.not_before > now)


def lifetime(ends: tuple[int, ...], now: float) -> int:
    """Whole seconds for which an answer may be kept: until `MARGIN` before the first of *ends* (0: nobody said), `MAX_CACHE` at most."""
    left = min((end - MARGIN - now for end in ends if end), default=MAX_CACHE)
    return max(0, min(MAX_CACHE, int(left)))


def duration(seconds: int) -> str:
    """*seconds* as Go writes a ``time.Duration``: ``1h0m0s``, ``45s``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _response(key: str = "", login: tuple[str, str] | None = None, seconds: int = 0, cache: str = "Image") -> dict[str, object]:
    """The answer; ``auth`` is null, as types.go has it, where there is no login."""
    return {
        "apiVersion": API_VERSION,
        "kind": "CredentialProviderResponse",
        "cacheKeyType": cache,
        "cacheDuration": duration(seconds),
        "auth": {key: {"username": login[0], "password": login[1]}} if login else None,
    }


if __name__ == "__main__":
    sys.exit(main())
