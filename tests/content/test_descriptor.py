"""Descriptors: what a registry may say of a piece of content, and what it may not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.content.descriptor import MAX_SIZE, Descriptor, Platform
from registryauth.digest import Digest
from registryauth.errors import ContentError, Error, UnsupportedMediaType

GOOD: dict[str, Any] = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": str(Digest.of(b"x")), "size": 1}


def read(**changes: Any) -> Descriptor:
    return Descriptor.read({name: value for name, value in (GOOD | changes).items() if value is not ...}, "layers[3]")


def test_media_type_digest_and_size_are_read() -> None:
    assert read() == Descriptor(GOOD["mediaType"], Digest.of(b"x"), 1)


def test_sha512_is_read() -> None:
    assert read(digest=str(Digest.of(b"x", "sha512"))).digest.algorithm == "sha512"


@pytest.mark.parametrize("size", [0, 1, MAX_SIZE])
def test_a_size_is_a_number_of_bytes(size: int) -> None:
    assert read(size=size).size == size


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1, 2**63, 10**400, True, False, 1.0, 1e3, "1", None, [], {}, ...])
def test_what_is_no_number_of_bytes_is_refused(size: Any) -> None:
    with pytest.raises(ContentError, match=r"layers\[3\]\.size"):
        read(size=size)


@pytest.mark.parametrize("media_type", ["", None, 7, True, [], {}, ...])
def test_a_media_type_is_a_string(media_type: Any) -> None:
    with pytest.raises(UnsupportedMediaType, match=r"layers\[3\]\.mediaType"):
        read(mediaType=media_type)


@pytest.mark.parametrize(
    "digest",
    [
        None,
        7,
        [],
        {},
        ...,
        "",
        "sha256:",
        "sha256",
        ":" + "0" * 64,
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 65,
        "sha256:" + "A" * 64,
        "SHA256:" + "0" * 64,
        "md5:" + "0" * 32,
        "sha384:" + "0" * 96,
        "sha512:" + "0" * 64,
        "sha256:" + "0" * 64 + "\n",
        " sha256:" + "0" * 64,
        "sha256:../../../../etc/passwd" + "0" * 42,
        "sha256+b64u:" + "0" * 64,
        "sha256:" + "\u0661" * 64,
        "../../x",
        "sha256:\x1b[2J",
    ],
)
def test_a_digest_is_one_that_we_can_verify(digest: Any) -> None:
    """CVE-2024-3727: a digest goes into a URL and a path, so nothing but a digest may be one."""
    with pytest.raises(ContentError, match=r"layers\[3\]\.digest") as caught:
        read(digest=digest)
    assert "\x1b" not in str(caught.value)


def test_the_platform_is_read() -> None:
    plain = {"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.1", "os.features": ["win32k"], "variant": ""}
    assert read(platform=plain).platform == Platform("windows", "amd64", "", "10.0.20348.1")
    assert read(platform={"os": "linux", "architecture": "arm", "variant": "v7"}).platform == Platform("linux", "arm", "v7")


@pytest.mark.parametrize(
    "platform", [None, "linux/amd64", [], 7, {"os": 7, "architecture": "amd64"}, {"os": "linux", "architecture": ["amd64"]}]
)
def test_a_platform_that_is_none_is_no_error(platform: Any) -> None:
    """Attestations lack one; a descriptor is of use without."""
    assert read(platform=platform).platform is None


def test_the_artifact_type_is_read_where_there_is_one() -> None:
    assert read(artifactType="application/x").artifact_type == "application/x"
    assert read(artifactType=7).artifact_type == ""
    assert read().artifact_type == ""


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {}, optional={name: _json | st.just(good) for name, good in GOOD.items()} | {"platform": _json, "artifactType": _json}
    )
)
def test_no_descriptor_whatever_raises_anything_foreign(plain: dict[str, Any]) -> None:
    with suppress(ContentError):
        assert 0 <= Descriptor.read(plain, "config").size <= MAX_SIZE


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", Platform("linux", "amd64")),
        ("linux/arm64/v8", Platform("linux", "arm64", "v8")),
        ("windows/amd64", Platform("windows", "amd64")),
        ("linux/ppc64le", Platform("linux", "ppc64le")),
    ],
)
def test_a_platform_is_os_architecture_and_perhaps_a_variant(text: str, platform: Platform) -> None:
    assert Platform.parse(text) == platform
    assert str(platform) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "linux",
        "linux/",
        "/amd64",
        "linux/amd64/v1/x",
        "Linux/amd64",
        "linux/amd64\n",
        "linux amd64",
        "linux//v8",
        "l\u0131nux/amd64",
        "\x1b[2J/x",
    ],
)
def test_what_is_no_platform_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Error) as caught:
        Platform.parse(text)
    assert "linux/amd64" in caught.value.hint
    assert "\x1b" not in str(caught.value)
