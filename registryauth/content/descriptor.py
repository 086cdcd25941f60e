"""Descriptors: media type, digest, size (https://github.com/opencontainers/image-spec/blob/main/descriptor.md)."""

from __future__ import annotations

import re

from registryauth._value import Value
from registryauth.digest import Digest
from registryauth.errors import ContentError, InvalidDigest, UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: No content is larger than this many bytes; a descriptor that says so is wrong or means harm.
MAX_SIZE = 2**53


class Platform(Value):
    """What an image runs on: ``os/architecture[/variant]``."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/amd64`` or ``linux/arm64/v8``; raise `ContentError` otherwise."""
        parts = text.split("/")
        if not 2 <= len(parts) <= 3 or not all(re.fullmatch(r"[a-z0-9_.-]+", part) for part in parts):
            raise ContentError(f"{text!a} is not a platform", hint="write it as os/architecture, for example linux/amd64")
        return cls(*parts)

    def rank(self, wanted: Platform) -> int | None:
        """How well this platform runs what *wanted* asks for, 0 best; None if it does not."""
        if (self.os, self.architecture) != (wanted.os, wanted.architecture):
            return None
        if wanted.os_version and self.os_version and self.os_version != wanted.os_version:
            return None
        # image-index.md: arm64 without a variant is v8, arm without one is v7.
        usual = {"arm64": "v8", "arm": "v7"}.get(self.architecture, "")
        mine, theirs = self.variant or usual, wanted.variant or usual
        if mine == theirs:
            return 0
        # An ARM core runs what was built for older ones: the newest of those comes first.
        if self.architecture == "arm" and all(re.fullmatch(r"v[1-9]", variant) for variant in (mine, theirs)) and mine < theirs:
            return int(theirs[1:]) - int(mine[1:])
        return None if wanted.variant else 50

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class Descriptor(Value):
    """A piece of content by media type, digest and size in bytes."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    artifact_type: str = ""

    @classmethod
    def read(cls, plain: Mapping[str, Any], where: str) -> Descriptor:
        """The descriptor in JSON data that stands at *where*; raise `ContentError` naming the place otherwise."""
        media_type, digest, size = plain.get("mediaType"), plain.get("digest"), plain.get("size")
        if not isinstance(media_type, str) or not media_type:
            raise UnsupportedMediaType(f"{where}.mediaType is missing")
        if not isinstance(digest, str):
            raise ContentError(f"{where}.digest is missing")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
            raise ContentError(f"{where}.size is not a number of bytes")
        try:
            parsed = Digest.parse(digest)
        except InvalidDigest as error:
            raise ContentError(f"{where}.digest is not one we can verify: {error}", hint=error.hint) from error
        artifact_type = plain.get("artifactType")
        return cls(media_type, parsed, size, _platform(plain.get("platform")), artifact_type if isinstance(artifact_type, str) else "")


def _platform(plain: object) -> Platform | None:
    """The platform in an index entry; entries may lack one (attestations do), and that is no error."""
    if not isinstance(plain, dict):
        return None
    fields = [plain.get(name, "") for name in ("os", "architecture", "variant", "os.version")]
    return Platform(*fields) if all(isinstance(field, str) for field in fields) else None
