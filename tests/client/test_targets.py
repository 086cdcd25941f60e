"""Nothing but a tag or a digest gets into a URL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.content import Descriptor
from registryauth.digest import Digest
from registryauth.errors import Error, InvalidDigest, InvalidReference, NotFound

from .clients import anonymous

HOSTILE = [
    "",
    " ",
    "..",
    "../",
    "../../../other/manifests/v1",
    "/",
    "//evil.example",
    "v1/",
    "v1/../x",
    "a/b",
    "v1?x=1",
    "?x",
    "v1#x",
    "#",
    "%2e%2e",
    "v1%2f..",
    "v1%00",
    "v1\n",
    "\nv1",
    "v1\r\nX-Injected: 1",
    "v1 ",
    " v1",
    "v 1",
    "v1\x00",
    "v1\x1b[2J",
    ".hidden",
    "-rf",
    "v" * 129,
    "v\u00e9",
    "\uff56\uff11",
    "v1@",
    "@sha256:" + "0" * 64,
    "v1@sha256:" + "0" * 64,
    "sha256:",
    "sha256:" + "0" * 63,
    "sha256:" + "0" * 63 + "g",
    "sha256:" + "A" * 64,
    "md5:" + "0" * 32,
    "sha256:" + "0" * 64 + "\n",
    "sha256:" + "0" * 64 + "?x",
    "sha256:../../etc/passwd",
    "http://evil.example/",
    "a:b",
    "a:b:c",
    ":",
    "\\..\\",
    "v1;x",
    "v1&x",
    "*",
]


@pytest.mark.parametrize("target", HOSTILE, ids=ascii)
def test_what_is_neither_is_refused_before_anything_is_sent(target: str) -> None:
    """CVE-2024-3727."""
    repository, wire = anonymous(lambda _: (404, {}, b""))
    for ask in (repository.manifest, repository.head):
        with pytest.raises(Error) as caught:
            ask(target)
        assert isinstance(caught.value, ValueError)
        assert caught.value.exit_code == 2
        assert "\x1b" not in str(caught.value)
    assert wire.sent == []


@given(st.text(max_size=30))
def test_whatever_is_accepted_stands_in_the_url_as_it_is(target: str) -> None:
    repository, wire = anonymous(lambda _: (404, {}, b""))
    with pytest.raises((NotFound, InvalidReference, InvalidDigest)) as caught:
        repository.manifest(target)
    accepted = isinstance(caught.value, NotFound)
    assert wire.urls == ([f"https://r.example/v2/team/app/manifests/{target}"] if accepted else [])
    assert not accepted or re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|sha(256|512):[0-9a-f]+", target)


@pytest.mark.parametrize("target", ["v1", "latest", "_", "A.b-c_d", "1", "v" * 128, "sha256:" + "0" * 64, "sha512:" + "a" * 128])
def test_what_is_one_is_asked_for(target: str) -> None:
    repository, wire = anonymous(lambda _: (404, {}, b""))
    with pytest.raises(NotFound):
        repository.manifest(target)
    assert wire.urls == [f"https://r.example/v2/team/app/manifests/{target}"]


def test_digests_and_descriptors_are_asked_for_by_digest(tmp_path: Path) -> None:
    digest = Digest.of(b"x")
    repository, wire = anonymous(lambda _: (404, {}, b""))
    for ask in (
        lambda: repository.manifest(digest),
        lambda: repository.manifest(Descriptor("a/b", digest, 1)),
        lambda: repository.head(digest),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        repository.download(digest, tmp_path / "x")
    assert wire.urls == [f"https://r.example/v2/team/app/manifests/{digest}"] * 3 + [f"https://r.example/v2/team/app/blobs/{digest}"]


@pytest.mark.parametrize(
    "repository",
    [
        "r.example/../x",
        "r.example/a//b",
        "r.example/a?x",
        "r.example/A",
        "r.example/a:tag",
        "r.example/a\n",
        "r.example/a/%2e%2e",
        "https://r.example/a",
        "r.example",
    ],
)
def test_a_repository_is_one_or_is_refused(repository: str) -> None:
    from registryauth.client import Client

    from .clients import Wire

    wire = Wire(lambda _: (404, {}, b""))
    client = Client(transport=wire)
    if repository == "r.example":
        # A name without a slash is one of Docker Hub's.
        assert str(client.repository(repository).repository.registry) == "docker.io"
        return
    with pytest.raises(Error):
        client.repository(repository)
    assert wire.sent == []
