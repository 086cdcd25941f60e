"""What a build is asked for, and the document that says so.

Source: azure-rest-api-specs, containerregistry tasks 2019-04-01 and 2025-03-01-preview, ``DockerBuildRequest``. The stable version
knows neither an agent pool nor the identity that a build acts under; both need the preview, which azure-cli 2.91 uses throughout.
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, InvalidReference
from registryauth.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from registryauth.reference import Registry

STABLE, PREVIEW = "2019-04-01", "2025-03-01-preview"
#: Seconds that a run may take (azure-rest-api-specs, ``RunRequest.timeout``).
MIN_TIMEOUT, MAX_TIMEOUT, DEFAULT_TIMEOUT = 300, 28_800, 3600
#: Whose rights a build has in its own registry: nobody's, what the registry gives by itself, or those of who asks for it.
SOURCE_AUTH = ("none", "default", "caller")
_SYSTEMS = {"linux": "Linux", "windows": "Windows"}
#: azure-rest-api-specs, ``PlatformProperties``: what it calls them, by what docker does.
_ARCHITECTURES = {"amd64": "amd64", "x86": "x86", "386": "386", "arm": "arm", "arm64": "arm64"}
_VARIANTS = ("v6", "v7", "v8")
#: Characters of a value in a URL from which on it may be a signature or a token; versions and dates are shorter.
_LONG = 16
#: Microsoft Learn "Run variables": filled in by the service, ``{{.Run.ID}}``.
_VARIABLE = r"\{\{\s*\.?[A-Za-z.$]{1,40}\s*\}\}"


class Platform(Value):
    """What the image is built for; empty *architecture* and *variant* are the service's choice."""

    system: str = "Linux"
    architecture: str = ""
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/arm64/v8``; raise `ConfigurationError` for what the service does not build for."""
        system, _, rest = text.lower().partition("/")
        architecture, _, variant = rest.partition("/")
        good = system in _SYSTEMS and architecture in ("", *_ARCHITECTURES) and variant in ("", *_VARIANTS) and (architecture or not rest)
        if not good or text.endswith("/"):
            raise ConfigurationError(
                f"{printable(text, 60)!a} is no platform that Azure builds for",
                hint=f"linux or windows, then {', '.join(_ARCHITECTURES)}, for arm perhaps {', '.join(_VARIANTS)}: linux/arm/v7",
            )
        return cls(_SYSTEMS[system], architecture, variant)


class Argument(Value, hidden=("value",)):
    """A build argument; one that is *secret* is kept out of the log by the service."""

    name: str
    value: str
    secret: bool = False


class Login(Value, hidden=("username", "password")):
    """What the build signs in with at another registry, *host*."""

    host: str
    username: str
    password: str


class BuildRequest(Value, hidden=("source",)):
    """One image build. *source* is a path from `Builds.upload` or a URL, which may hold a secret; *dockerfile* is in it.

    *images* are names in the registry itself; *source_auth* is one of `SOURCE_AUTH`, empty for what the service does by itself.
    """

    source: str
    dockerfile: str
    images: tuple[str, ...] = ()
    platform: Platform = Platform()
    arguments: tuple[Argument, ...] = ()
    logins: tuple[Login, ...] = ()
    push: bool = True
    no_cache: bool = False
    target: str = ""
    timeout: int = DEFAULT_TIMEOUT
    agent_pool: str = ""
    source_auth: str = ""

    @property
    def version(self) -> str:
        """The oldest ``api-version`` that has every field of it."""
        return PREVIEW if self.agent_pool or self.source_auth == "caller" else STABLE

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, also where an answer repeats it."""
        given = (*(one.value for one in self.arguments if one.secret), *(one.password for one in self.logins))
        said = (*given, *_secrets_in(self.source))
        # A log has one line of a key at a time.
        lines = (line.strip() for one in said for line in one.splitlines())
        return tuple(sorted({one for one in (*said, *lines) if one}, key=len, reverse=True))

    def document(self) -> dict[str, Any]:
        """The request's body. It holds secrets."""
        platform = {"os": self.platform.system, "architecture": self.platform.architecture, "variant": self.platform.variant}
        found: dict[str, Any] = {
            "type": "DockerBuildRequest",
            "imageNames": list(self.images),
            "isPushEnabled": self.push and bool(self.images),
            "noCache": self.no_cache,
            "dockerFilePath": self.dockerfile,
            "sourceLocation": self.source,
            "platform": {key: value for key, value in platform.items() if value},
            "arguments": [{"name": one.name, "value": one.value, "isSecret": one.secret} for one in self.arguments],
            "timeout": self.timeout,
            "isArchiveEnabled": False,
        }
        optional = {"target": self.target, "agentPoolName": self.agent_pool, "credentials": self._credentials()}
        # A dedicated pool's machines are what they are; elsewhere the service gives two cores, as it does for az.
        machine = {} if self.agent_pool else {"agentConfiguration": {"cpu": 2}}
        return found | machine | {key: value for key, value in optional.items() if value}

    def _credentials(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.source_auth:
            found["sourceRegistry"] = {"loginMode": "None" if self.source_auth == "none" else "Default"}
        if self.source_auth == "caller":
            found["sourceRegistry"]["identity"] = "[caller]"
        if self.logins:
            found["customRegistries"] = {
                one.host: {"userName": _opaque(one.username), "password": _opaque(one.password)} for one in self.logins
            }
        return found


def _opaque(value: str) -> dict[str, str]:
    return {"type": "Opaque", "value": value}


def image_name(text: str, registry: Registry) -> str:
    """*text* as a name in *registry*: with its login server in front or without; run variables stay.

    Raise `InvalidReference` or `ConfigurationError` for what is no such name.
    """
    plain = re.sub(_VARIABLE, "v", text)
    first = plain.partition("/")[0]
    named = "/" in plain and ("." in first or ":" in first or first == "localhost")
    parsed = Reference.parse(plain if named else f"{registry.host}/{plain}", known=(registry.host,))
    if parsed.registry.host != registry.host:
        raise ConfigurationError(
            f"{printable(text, 200)!a} is an image of {parsed.registry}, and the build is for {registry}",
            hint=f"leave the registry out, or name {registry}",
        )
    if parsed.digest:
        raise InvalidReference("a digest is what a build gives, not what it is asked for", hint="name a repository and a tag: myimage:v1")
    return text.partition("/")[2] if named else text


def remote(source: str) -> bool:
    """Whether *source* is a URL that the service fetches; raise `ConfigurationError` for one that it fetches in the clear."""
    lower = source.lower()
    if lower.startswith(("http://", "git://")):
        raise ConfigurationError(
            "a build context over plain http or git could be changed on the way", hint="give the same place with https://"
        )
    return lower.startswith(("https://", "git@", "ssh://", "github.com/", "oci://"))


def _secrets_in(source: str) -> tuple[str, ...]:
    """What may be secret in a URL: the password, or the user where that stands alone, and every long value of its query."""
    signs_in = re.search(r"(?<=://)([^/?#]*)@", source)
    user, colon, password = signs_in[1].partition(":") if signs_in else ("", "", "")
    return (password if colon else user, *re.findall(rf"(?<==)[^&#=]{{{_LONG},}}", source.partition("?")[2]))


def shown_source(source: str) -> str:
    """*source* without what may be secret in a URL: user, password and query."""
    without = re.sub(r"(?<=://)[^/?#]*@", "", source)
    return printable(re.sub(r"\?[^#]*", "", without), 200)
