r"""Every error that leaves this package, and nothing foreign.

Error(message, hint)
├── InvalidReference · InvalidDigest           (also ValueError; the message underlines the place)
├── ConfigurationError                          file, key, line
├── CredentialError
│   ├── CredentialNotFound                      what was asked, which sources answered absent
│   ├── AmbiguousCredential                     several accounts would do, and none was chosen
│   ├── StoreError ── StoreLocked · StoreUnavailable · StoreCorrupt · Conflict
│   ├── CredentialExpired                       when
│   └── SourceFailed                            which source, why; never its output
├── AuthError
│   ├── InvalidChallenge · UnsupportedScheme
│   ├── RealmRefused                            asked to send a secret where it does not belong
│   └── TokenRefused                            expired, wrong, throttled, not allowed
├── AzureError                                  status, code, correlation id
│   ├── NoIdentity                              nobody here is signed in to Azure
│   ├── BuildFailed                             run, how it ended
│   └── WorkspaceHasNoRegistry                  one appears when a model is first trained or deployed
├── RegistryError(status, diagnostics)
│   └── Unauthorized · Denied · NotFound · TooManyRequests(retry_after) · Unsupported
├── ContentError ── SizeMismatch · DigestMismatch · UnsupportedMediaType · UnsafeArchive
├── RequirementsNotMet                          profile, each rule that is not met or not confirmed
└── TransportError                              wraps the library's own, `from exc`

`exit_code` is the process status a front end ends with: 1 error · 2 usage · 3 not found ·
4 refused · 5 store locked or broken · 6 network · 7 the question was answered "no".
"""

from __future__ import annotations


class Error(Exception):
    """The root of the tree: a *message* for what happened and a *hint* for what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class _Malformed(Error, ValueError):
    exit_code = 2

    def __init__(self, message: str, *, text: str = "", span: tuple[int, int] | None = None, hint: str = "") -> None:
        self.text = text
        self.span = span
        super().__init__(message + _underlined(text, span), hint=hint)


def _underlined(text: str, span: tuple[int, int] | None) -> str:
    """*text* on a line of its own with ``~~~^`` under *span*; unprintable characters are shown as ``?``."""
    if span is None:
        return ""
    start, end = span
    # A hostile reference may be megabytes long: show a window around the fault.
    first = max(0, min(start, len(text)) - 60)
    shown = "".join(c if c.isprintable() and c.isascii() else "?" for c in text[first : max(end, start + 1) + 20][:200])
    width = max(1, min(end - start, 100))
    return f"\n    {shown}\n    {' ' * (start - first)}{'~' * (width - 1)}^"


class InvalidReference(_Malformed):
    """The text is no image reference, repository or registry address."""


class InvalidDigest(_Malformed):
    """The text is no digest of an algorithm that we verify."""


class ConfigurationError(Error):
    """A configuration file or variable cannot be used; *file*, *key* and *line* say where, if known."""

    exit_code = 2

    def __init__(self, message: str, *, file: str = "", key: str = "", line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.key = key
        self.line = line


class CredentialError(Error):
    """A credential could not be had; *trace* holds one line for each source asked, where a resolver asked them."""

    trace: tuple[str, ...] = ()


class CredentialNotFound(CredentialError):
    """Every source answered "absent"; *trace* holds one line for each."""

    exit_code = 3

    def __init__(self, message: str, *, trace: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.trace = trace


class CredentialExpired(CredentialError):
    """The credential's day is over, and the caller wanted none of that kind."""

    exit_code = 7


class AmbiguousCredential(CredentialError):
    """Several entries would do and nothing says which: the question has to be asked more precisely, so it is an error of usage."""

    exit_code = 2


class SourceFailed(CredentialError):
    """A source that should know could not answer; never carries the source's output."""


class StoreError(CredentialError):
    """The credential store could not do what was asked."""

    exit_code = 5


class StoreLocked(StoreError):
    """The store is there, its key is not at hand."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, read or written."""


class StoreCorrupt(StoreError):
    """The store holds something that we did not write: damaged, truncated or tampered with."""


class Conflict(StoreError):
    """The record changed since it was read; nothing was written."""


class AuthError(Error):
    """Authentication could not be carried out."""

    exit_code = 4


class InvalidChallenge(AuthError):
    """The registry's ``WWW-Authenticate`` cannot be understood."""


class UnsupportedScheme(AuthError):
    """The registry asks for an auth-scheme that we do not speak."""


class RealmRefused(AuthError):
    """Somebody asked for a secret to be sent where it does not belong; it was not sent."""


class TokenRefused(AuthError):
    """The token server said no; *status* is its HTTP status, 0 where it said so otherwise."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class AzureError(Error):
    """Azure's management, Entra or Graph said no; *code* is its own word for why, *correlation_id* what its support asks for."""

    def __init__(self, message: str, *, status: int = 0, code: str = "", correlation_id: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.correlation_id = correlation_id
        # What a script tells apart: not there, not allowed, anything else.
        self.exit_code = {401: 4, 403: 4, 404: 3}.get(status, 1)


class NoIdentity(AzureError):
    """Nobody here is signed in to Azure: the variable, the program or the machine's service that would say who we are is not there."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 3


class BuildFailed(AzureError):
    """An image build came to an end other than its image; *run* is its id, *ended* Azure's word for how."""

    def __init__(self, message: str, *, run: str = "", ended: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run = run
        self.ended = ended


class WorkspaceHasNoRegistry(AzureError):
    """The workspace is there, its registry is not yet."""


class RegistryError(Error):
    """The registry answered with an error; *diagnostics* are its own words, cleaned for a terminal."""

    def __init__(self, message: str, *, status: int = 0, diagnostics: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.diagnostics = diagnostics


class Unauthorized(RegistryError):
    """401: the credential was refused, or one is needed."""

    exit_code = 4


class Denied(RegistryError):
    """403: known, and not allowed."""

    exit_code = 4


class NotFound(RegistryError):
    """404: no such repository, manifest or blob, or none that this credential may see."""

    exit_code = 3


class TooManyRequests(RegistryError):
    """429; *retry_after* is in seconds, if the registry said."""

    def __init__(
        self, message: str, *, status: int = 429, diagnostics: tuple[str, ...] = (), retry_after: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, status=status, diagnostics=diagnostics, hint=hint)
        self.retry_after = retry_after


class Unsupported(RegistryError):
    """The registry does not offer this operation."""


class ContentError(Error):
    """What arrived is not what was asked for."""


class SizeMismatch(ContentError):
    """More or fewer bytes than described, or more than the limit allows."""


class DigestMismatch(ContentError):
    """The bytes do not hash to their digest."""


class UnsupportedMediaType(ContentError):
    """Content of a kind that we cannot read."""


class UnsafeArchive(ContentError):
    """An archive would write outside of its directory, or more than it may; nothing of it was kept."""


class RequirementsNotMet(Error):
    """An image is not, or not surely, what *profile* asks for; *findings* says so in a line for each such rule."""

    exit_code = 7

    def __init__(self, message: str, *, profile: str = "", findings: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.profile = profile
        self.findings = findings


class TransportError(Error):
    """No answer: name resolution, connection, TLS, timeout, or an answer that is not HTTP.

    *transient* says that the same request may well succeed a moment later.
    """

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", transient: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient
