"""References: ``[domain/]path[:tag][@digest]``, read once and then never split again.

The grammar is that of https://github.com/distribution/reference, with its normalisation of familiar
names: ``ubuntu`` is ``docker.io/library/ubuntu:latest``.
"""

from __future__ import annotations

import re

from registryauth import _grammar
from registryauth._origin import Origin, is_loopback
from registryauth._value import Value
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest, InvalidReference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

DOCKER_HUB = "docker.io"
#: Docker Hub answers to all of these; they are one registry.
_DOCKER_HUB_ALIASES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
#: Where Docker Hub speaks the distribution API.
DOCKER_HUB_API = "registry-1.docker.io"
#: The key under which Docker's configuration and helpers know Docker Hub.
DOCKER_HUB_KEY = "https://index.docker.io/v1/"

#: distribution/reference: RepositoryNameTotalLengthMax.
MAX_PATH = 255
#: RFC 1035 §2.3.4: a name and a label in it.
MAX_HOST = 253
MAX_LABEL = 63
_MAX_TEXT = MAX_HOST + MAX_PATH + 128 + 200

#: Suffixes of clouds, long and particular enough that one slip of the finger from them is a slip of the finger.
_MISTYPED = (
    "azurecr.io",
    "azurecr.cn",
    "azurecr.us",
    "azurecr.de",
    "mcr.microsoft.com",
    "amazonaws.com",
    "docker.pkg.dev",
    "registry.k8s.io",
    "public.ecr.aws",
)


class Registry(Value):
    """A registry by its ``host[:port]``, lower case; Docker Hub's aliases are all ``docker.io``."""

    host: str

    @classmethod
    def parse(cls, text: str, *, known: Collection[str] = ()) -> Registry:
        """Read ``host[:port]``.

        Raise `InvalidReference` for anything else, and for a host one slip away from a well-known cloud
        suffix (a secret sent to ``x.azureecr.io`` goes to whoever owns that name) unless it is in *known*.
        """
        _readable(text)
        return _registry(text, text, 0, known)

    @property
    def hostname(self) -> str:
        """The host without its port."""
        return re.sub(r":[0-9]+\Z", "", self.host)

    @property
    def is_loopback(self) -> bool:
        """Whether the name says that the registry is on this machine."""
        return is_loopback(self.hostname)

    def origin(self, *, plain_http: bool = False) -> Origin:
        """Where the registry's API is."""
        scheme = "http" if plain_http else "https"
        host = DOCKER_HUB_API if self.host == DOCKER_HUB else self.host
        name = re.sub(r":[0-9]+\Z", "", host)
        port = int(host[len(name) + 1 :]) if len(name) < len(host) else (80 if plain_http else 443)
        return Origin(scheme, name, port)

    def __str__(self) -> str:
        return self.host


class Repository(Value):
    """A registry and a path in it."""

    registry: Registry
    path: str

    @classmethod
    def parse(cls, text: str, *, known: Collection[str] = ()) -> Repository:
        """Read a repository; raise `InvalidReference` if a tag or digest is there."""
        reference = Reference.parse(text, known=known)
        if reference.digest or text.rpartition("/")[2].partition(":")[1]:
            start = len(text.partition("@")[0]) if reference.digest else text.rindex(":")
            raise InvalidReference("a repository has no tag and no digest", text=text, span=(start, len(text)), hint="leave it out")
        return reference.repository

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


class Address(Value):
    """A registry, or a path of whole segments in it: what a credential is registered for."""

    registry: Registry
    path: str = ""

    @classmethod
    def parse(cls, text: str, *, known: Collection[str] = ()) -> Address:
        """Read what people and configuration files call a registry.

        ``host``, ``host:port``, ``host/namespace``, with or without ``https://``, a trailing slash, or the
        ``/v1/`` and ``/v2/`` of old configuration files. The one canonicaliser of such keys.
        Raise `InvalidReference` otherwise.
        """
        _readable(text)
        scheme = re.match(r"https?://", text, re.IGNORECASE)
        start = scheme.end() if scheme else 0
        host, _, path = text[start:].partition("/")
        path = re.sub(r"(?:\A|/)v[12]\Z", "", path.rstrip("/")) if scheme else re.sub(r"\Av[12]\Z", "", path.rstrip("/"))
        registry = _registry(text, host, start, known)
        if path:
            _checked_path(text, path, start + len(host) + 1, what="a path names no tag and no digest here")
        return cls(registry, path)

    def covers(self, repository: Repository) -> bool:
        """Whether *repository* lies in here, compared by whole segments: ``a/b`` does not cover ``a/bc``."""
        return self.registry == repository.registry and (not self.path or f"{repository.path}/".startswith(f"{self.path}/"))

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}" if self.path else str(self.registry)


class Reference(Value):
    """An image reference, normalised; ``str()`` writes it in full.

    *implied_registry* is true where the text named no registry and Docker Hub was meant by custom.
    """

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None
    implied_registry: bool = False

    @classmethod
    def parse(cls, text: str, *, known: Collection[str] = ()) -> Reference:
        """Read a reference; a missing tag becomes ``latest`` unless a digest is there.

        Raise `InvalidReference` (or `InvalidDigest`), underlining the place and guessing the intention.
        *known* holds registry hosts that are right though they look mistyped.
        """
        _readable(text)
        _refuse_url(text)
        named, at, digest_text = text.partition("@")
        host, path_and_tag, implied = _split_domain(named)
        offset = 0 if implied else len(host) + 1
        path, colon, tag = path_and_tag.partition(":")
        registry = Registry(DOCKER_HUB) if implied else _registry(text, host, 0, known)
        _checked_path(text, path, offset, what="a repository path is lower-case letters and digits, with . _ - / between them")
        if path.startswith(f"{host}/") and not implied:
            raise InvalidReference(
                "the registry is written twice", text=text, span=(offset, offset + len(host)), hint=f"write {text[offset:]}"
            )
        if colon and not re.fullmatch(_grammar.TAG, tag):
            start = offset + len(path) + 1
            raise InvalidReference(
                "that is not a tag", text=text, span=_tag_fault(tag, start), hint="1 to 128 of A-Z a-z 0-9 _ . - and no . or - first"
            )
        digest = _digest(text, digest_text, len(named) + 1) if at else None
        if registry.host == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return cls(Repository(registry, path), tag if colon else None if digest else "latest", digest, implied)

    @property
    def registry(self) -> Registry:
        """The repository's registry."""
        return self.repository.registry

    @property
    def target(self) -> str:
        """What to ask the registry for: the digest, if there is one, or the tag."""
        return str(self.digest or self.tag)

    @property
    def familiar(self) -> str:
        """The short form that Docker shows: ``ubuntu:latest``."""
        short = str(self).removeprefix(f"{DOCKER_HUB}/")
        official = short.removeprefix("library/")
        return official if short.startswith("library/") and "/" not in official.partition("@")[0] else short

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def _readable(text: str) -> None:
    if not text or text.isspace():
        raise InvalidReference("the reference is empty", hint="for example myregistry.azurecr.io/myimage:v1")
    if len(text) > _MAX_TEXT:
        raise InvalidReference(f"a reference of {len(text)} characters is longer than any registry takes")
    if bad := re.search(r"[^!-~]", text):
        start, end = bad.span()
        if text.strip() and (text[start:].isspace() or text[:end].isspace()):
            raise InvalidReference(
                "there is white space around the reference", text=text, span=(start, end), hint=f"write {text.strip()!a}"
            )
        what = "a space" if text[start] == " " else "a control character" if ord(text[start]) < 128 else "a character that is not ASCII"
        raise InvalidReference(
            f"there is {what} in the reference", text=text, span=(start, end), hint="remove it, or look for a look-alike letter"
        )


def _refuse_url(text: str) -> None:
    if scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise InvalidReference("a reference is not a URL", text=text, span=scheme.span(), hint=f"write {text[scheme.end() :]}")


def _split_domain(named: str) -> tuple[str, str, bool]:
    """*named* as domain, remainder, and whether Docker Hub was implied (distribution/reference, splitDockerDomain)."""
    first, slash, rest = named.partition("/")
    if slash and (first == "localhost" or first != first.lower() or any(c in first for c in ".:[")):
        return first, rest, False
    return DOCKER_HUB, named, True


def _registry(text: str, host: str, start: int, known: Collection[str]) -> Registry:
    """The registry that *host* names, which stands at *start* in *text*."""
    span = (start, start + len(host))
    if "@" in host:
        raise InvalidReference("a registry address carries no user name", text=text, span=span, hint="pass it with --username")
    match = re.fullmatch(rf"(?P<name>{_grammar.HOST})(?::(?P<port>{_grammar.PORT}))?", host)
    if not match:
        hint = (
            "a trailing dot is not part of a registry's name"
            if host.endswith(".")
            else "for example myregistry.azurecr.io or localhost:5000"
        )
        raise InvalidReference("that is not a registry address", text=text, span=span, hint=hint)
    name, port = match["name"].lower(), match["port"]
    if port and not 0 < int(port) < 65536:
        raise InvalidReference("there is no such port", text=text, span=(span[1] - len(port), span[1]))
    if name.startswith("["):
        name = f"[{_ipv6(text, name, span)}]"
    elif len(name) > MAX_HOST or any(len(label) > MAX_LABEL for label in name.split(".")):
        raise InvalidReference("a host name has at most 253 characters, 63 between two dots", text=text, span=span)
    elif name not in known and (meant := _near_miss(name)):
        raise InvalidReference(f"{name} is not in {meant}: a slip of the finger?", text=text, span=span, hint=f"did you mean {meant}?")
    canonical = f"{name}:{int(port)}" if port else name
    return Registry(DOCKER_HUB if canonical in _DOCKER_HUB_ALIASES else canonical)


def _ipv6(text: str, name: str, span: tuple[int, int]) -> str:
    import ipaddress

    try:
        return str(ipaddress.IPv6Address(name.strip("[]")))
    except ValueError:
        raise InvalidReference("that is not an IPv6 address", text=text, span=span) from None


def _near_miss(name: str) -> str:
    """The well-known suffix that *name* misses by one slip; empty if there is none."""
    labels = name.split(".")
    endings = {suffix: ".".join(labels[-(suffix.count(".") + 1) :]) for suffix in _MISTYPED}
    if any(suffix == ending for suffix, ending in endings.items()):
        return ""
    for suffix, ending in endings.items():
        if _one_slip(suffix, ending) or (len(labels) > 2 and labels[-2:-1] == ["azurecr"] and suffix == "azurecr.io"):
            return suffix
    return ""


def _one_slip(right: str, typed: str) -> bool:
    """Whether one letter was added, dropped, changed or swapped with its neighbour."""
    if right == typed or abs(len(right) - len(typed)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(right, typed, strict=False)) if a != b), min(len(right), len(typed)))
    swapped = right[:at] + right[at + 1 : at + 2] + right[at : at + 1] + right[at + 2 :]
    return (
        typed in (swapped, right[:at] + typed[at : at + 1] + right[at + 1 :])
        or right[at + 1 :] == typed[at:]
        or right[at:] == typed[at + 1 :]
    )


def _checked_path(text: str, path: str, start: int, *, what: str) -> None:
    """Raise `InvalidReference` unless *path*, which stands at *start* in *text*, is a repository path."""
    if not path:
        raise InvalidReference(
            "the repository path is missing", text=text, span=(start, start + 1), hint="for example myregistry.azurecr.io/myimage"
        )
    if upper := re.search(r"[A-Z]+", path):
        span = (start + upper.start(), start + upper.end())
        raise InvalidReference("a repository path has no capitals", text=text, span=span, hint=f"write {path.lower()}")
    if not re.fullmatch(_grammar.PATH, path):
        good = re.match(rf"(?:{_grammar.PATH_COMPONENT}/)*(?:{_grammar.PATH_COMPONENT})?", path)
        at = start + (good.end() if good else 0)
        raise InvalidReference(what, text=text, span=(at, at + 1))
    if len(path) > MAX_PATH:
        raise InvalidReference(
            f"a repository path has at most {MAX_PATH} characters, not {len(path)}", text=text, span=(start, start + len(path))
        )
    if re.fullmatch(r"[a-f0-9]{64}", path):
        raise InvalidReference(
            "64 hex digits are an image ID, not a repository", text=text, span=(start, start + 64), hint="put @sha256: before a digest"
        )


def _tag_fault(tag: str, start: int) -> tuple[int, int]:
    good = re.match(_grammar.TAG, tag)
    at = start + (good.end() if good else 0)
    return at, at + 1


def _digest(text: str, digest: str, start: int) -> Digest:
    try:
        return Digest.parse(digest)
    except InvalidDigest as error:
        first, end = error.span or (0, len(digest))
        message = error.message.partition("\n")[0]
        raise InvalidDigest(message, text=text, span=(start + first, start + end), hint=error.hint) from None
