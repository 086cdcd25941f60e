"""References: ``[domain/]path[:tag][@digest]``, read once and then never split again.

The grammar is that of https://github.com/distribution/reference, with its normalisation of familiar
names: ``ubuntu`` is ``docker.io/library/ubuntu:latest``.
"""

from __future__ import annotations

import re

from registryauth import _grammar
from registryauth._origin import MAX_HOST, Origin, is_loopback
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
#: RFC 1035 §2.3.4: a label in a host name.
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
    def parse(cls, text: str, *, known: Collection[str] = (), wildcard: bool = False) -> Address:
        """Read what people and configuration files call a registry.

        ``host``, ``host:port``, ``host/namespace``, with or without ``https://``, a trailing slash, or the
        ``/v1/`` and ``/v2/`` of old configuration files. The one canonicaliser of such keys. With *wildcard*
        also ``*.example.com``, where the asterisk stands for exactly one label. Raise `InvalidReference` otherwise.
        """
        _readable(text)
        scheme = re.match(r"https?://", text, re.IGNORECASE)
        start = scheme.end() if scheme else 0
        host, _, path = text[start:].partition("/")
        path = re.sub(r"(?:(?:\A|/)v[12])+\Z" if scheme else r"\Av[12]\Z", "", path.rstrip("/"))
        registry = _wildcard(text, host, start, known) if wildcard and host.startswith("*.") else _registry(text, host, start, known)
        if path:
            _checked_path(text, path, start + len(host) + 1, what="a path names no tag and no digest here")
        return cls(registry, path)

    @property
    def is_wildcard(self) -> bool:
        """Whether this stands for more than one host."""
        return self.registry.host.startswith("*.")

    def covers(self, repository: Repository) -> bool:
        """Whether *repository* lies in here, compared by whole segments: ``a/b`` does not cover ``a/bc``."""
        host = repository.registry.host
        return self.registry.host in (host, wildcard_of(host)) and (not self.path or f"{repository.path}/".startswith(f"{self.path}/"))

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
        _refuse_twice(text, path_and_tag, offset, () if implied else (host.lower(), registry.host))
        if len(text) == 64 and re.fullmatch(r"[a-f0-9]+", text):
            hint = "put the repository and @sha256: before a digest"
            raise InvalidReference("64 hex digits are an image ID, not a repository", text=text, span=(0, 64), hint=hint)
        # The path counts as it will be printed: with the library/ that Docker Hub's own images lie in.
        library = "library/" if registry.host == DOCKER_HUB and "/" not in path else ""
        _checked_path(
            text, path, offset, prefix=library, what="a repository path is lower-case letters and digits, with . _ - / between them"
        )
        if colon and not re.fullmatch(_grammar.TAG, tag):
            start = offset + len(path) + 1
            raise InvalidReference(
                "that is not a tag", text=text, span=_tag_fault(tag, start), hint="1 to 128 of A-Z a-z 0-9 _ . - and no . or - first"
            )
        digest = _digest(text, digest_text, len(named) + 1) if at else None
        return cls(Repository(registry, library + path), tag if colon else None if digest else "latest", digest, implied)

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
        """The short form that Docker shows, where it means the same: ``ubuntu:latest``."""
        short = str(self).removeprefix(f"{DOCKER_HUB}/")
        official = short.removeprefix("library/")
        if short.startswith("library/") and "/" not in official:
            return official
        # docker.io/example.com/app, shortened, would be another registry's.
        return short if _split_domain(self.repository.path)[2] else str(self)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def _readable(text: str) -> None:
    if not text or text.isspace():
        raise InvalidReference("the reference is empty", hint="for example myregistry.azurecr.io/myimage:v1")
    if len(text) > _MAX_TEXT:
        raise InvalidReference(f"a reference of {len(text)} characters is longer than any registry takes")
    _refuse_userinfo(text)
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


def _refuse_userinfo(text: str) -> None:
    """Raise if a user name, and perhaps a password, stands before the host; the text is shown without them."""
    if "@" not in text:
        return
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text)
    start = scheme.end() if scheme else 0
    # Of repo@sha256:..., what stands after the @ is a digest, if perhaps a wrong one.
    named = re.sub(r"@(?:sha[0-9]+:[^@]*|[^:@]*:[0-9a-fA-F]{32,})\Z", "", text[start:] if scheme else text.partition("/")[0])
    before, at, _ = named.rpartition("@")
    if not at:
        return
    shown = f"{text[:start]}***{text[start + len(before) :]}"
    raise InvalidReference(
        "a user name does not belong in front of a registry", text=shown, span=(start, start + 4), hint="pass it with --username"
    )


def _refuse_url(text: str) -> None:
    if scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise InvalidReference("a reference is not a URL", text=text, span=scheme.span(), hint=f"write {text[scheme.end() :]}")


def _split_domain(named: str) -> tuple[str, str, bool]:
    """*named* as domain, remainder, and whether Docker Hub was implied (distribution/reference, splitDockerDomain)."""
    first, slash, rest = named.partition("/")
    # Where distribution takes a capitalised word for a domain, its lower-case form would be a path again.
    if slash and (first == "localhost" or any(c in first for c in ".:[")):
        return first, rest, False
    return DOCKER_HUB, named, True


def _registry(text: str, host: str, start: int, known: Collection[str]) -> Registry:
    """The registry that *host* names, which stands at *start* in *text*."""
    span = (start, start + len(host))
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
    canonical = f"{name}:{int(port)}" if port else name
    if name.startswith("["):
        canonical = canonical.replace(name, f"[{_ipv6(text, name, span)}]")
    elif canonical == name and "." not in name and name != "localhost":
        hint = f"for example {name}.azurecr.io or {name}:5000"
        raise InvalidReference("a registry's name has a dot or a port; this one has neither dot nor port", text=text, span=span, hint=hint)
    elif len(name) > MAX_HOST or any(len(label) > MAX_LABEL for label in name.split(".")):
        raise InvalidReference("a host name has at most 253 characters, 63 between two dots", text=text, span=span)
    elif name not in known and canonical not in known and (meant := _near_miss(name)):
        raise InvalidReference(f"{name} is not in {meant}: a slip of the finger?", text=text, span=span, hint=f"did you mean {meant}?")
    return Registry(DOCKER_HUB if canonical in _DOCKER_HUB_ALIASES else canonical)


def _wildcard(text: str, host: str, start: int, known: Collection[str]) -> Registry:
    """The registry pattern that *host* is; what follows the asterisk has a dot, so that nobody gets a whole top-level domain."""
    rest = _registry(text, host[2:], start + 2, known).host
    if wildcard_of(f"x.{rest}") is None:
        raise InvalidReference(
            "an asterisk needs a domain of at least two labels after it", text=text, span=(start, start + len(host)), hint="*.example.com"
        )
    return Registry(f"*.{rest}")


def wildcard_of(host: str) -> str | None:
    """The pattern that covers *host* (``*`` for its first label), None where a pattern would be too wide or the host is an address."""
    rest = host.partition(".")[2]
    name = rest.partition(":")[0]
    return None if "." not in name or name.rpartition(".")[2].isdigit() or host.startswith(("[", "*")) else f"*.{rest}"


def kubelet_key(name: str) -> str:
    """The key that the kubelet matches with the image or path *name*: of a path that begins with ``v1/`` or ``v2/`` it cuts that off first.

    Docker Hub's ``https://index.docker.io/v1/`` is meant to be cut so, and stays as it is. Source: kubernetes
    ``pkg/credentialprovider/keyring.go`` (BasicDockerKeyring.Add).
    """
    host, slash, path = name.partition("/")
    return f"{host}/v2/{path}" if slash and path.startswith(("v1/", "v2/")) else name


def _ipv6(text: str, name: str, span: tuple[int, int]) -> str:
    import ipaddress

    try:
        address = ipaddress.IPv6Address(name.strip("[]"))
    except ValueError:
        raise InvalidReference("that is not an IPv6 address", text=text, span=span) from None
    if address.ipv4_mapped:
        raise InvalidReference("that is an IPv4 address in disguise", text=text, span=span, hint=f"write {address.ipv4_mapped}")
    return str(address)


def _near_miss(name: str) -> str:
    """The well-known suffix that *name* misses by one slip; empty if there is none."""
    labels = name.split(".")
    endings = {suffix: ".".join(labels[-(suffix.count(".") + 1) :]) for suffix in _MISTYPED}
    # Google writes the location in the same label: europe-west1-docker.pkg.dev.
    endings["docker.pkg.dev"] = endings["docker.pkg.dev"].rpartition("-")[2]
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


def _refuse_twice(text: str, path_and_tag: str, start: int, hosts: tuple[str, ...]) -> None:
    for host in hosts:
        if path_and_tag.lower().startswith(f"{host}/"):
            span = (start, start + len(host))
            raise InvalidReference("the registry is written twice", text=text, span=span, hint=f"write {text[start:]}")


def _checked_path(text: str, path: str, start: int, *, what: str, prefix: str = "") -> None:
    """Raise `InvalidReference` unless *path*, which stands at *start* in *text*, is a repository path, with *prefix* in front."""
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
    if (length := len(prefix + path)) > MAX_PATH:
        raise InvalidReference(
            f"a repository path has at most {MAX_PATH} characters, not {length}", text=text, span=(start, start + len(path))
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
