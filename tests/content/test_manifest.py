"""Manifests and indexes: byte for byte what was asked for, and of one kind beyond doubt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.content import ACCEPT, Index, Manifest, read_manifest
from registryauth.content.manifest import DOCKER_LIST, DOCKER_MANIFEST, MAX_MANIFEST, OCI_INDEX, OCI_MANIFEST
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, UnsupportedMediaType

CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(Digest.of(b"config")), "size": 6}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": str(Digest.of(b"layer")), "size": 5}
ENTRY = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(b"m")), "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}
MANIFEST: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]}
INDEX: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY]}


def encoded(plain: Any) -> bytes:
    return plain if isinstance(plain, bytes) else json.dumps(plain).encode()


def read(plain: Any, content_type: str = "", expected: Digest | None = None) -> Manifest | Index:
    return read_manifest(encoded(plain), content_type, expected)


def without(plain: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name not in names}


def test_the_bytes_are_kept_and_name_the_manifest() -> None:
    raw = b" \n" + json.dumps(MANIFEST, indent=7).encode() + b"\n\t "
    manifest = read(raw, OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert manifest.raw == raw
    assert manifest.digest == Digest.of(raw)
    assert (manifest.config.size, [layer.size for layer in manifest.layers]) == (6, [5])


def test_the_bytes_are_in_no_repr() -> None:
    assert "schemaVersion" not in repr(read(MANIFEST))


def test_an_index_is_read() -> None:
    index = read(INDEX, OCI_INDEX)
    assert isinstance(index, Index)
    assert str(index.manifests[0].platform) == "linux/amd64"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_what_was_asked_for_by_digest_must_hash_to_it(algorithm: str) -> None:
    digest = Digest.of(encoded(MANIFEST), algorithm)
    assert read(MANIFEST, OCI_MANIFEST, digest).digest == digest
    with pytest.raises(DigestMismatch) as caught:
        read(MANIFEST, OCI_MANIFEST, Digest.of(b"else", algorithm))
    assert caught.value.hint


def test_one_changed_byte_is_noticed_before_anything_is_read() -> None:
    digest = Digest.of(encoded(MANIFEST))
    for raw in (encoded(MANIFEST) + b" ", encoded(MANIFEST)[:-1], b"", b"not JSON", b"[" * 100_000):
        with pytest.raises(DigestMismatch):
            read(raw, OCI_MANIFEST, digest)


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
@pytest.mark.parametrize("written", ["{}", "{}; charset=utf-8", " {} ", "{};q=1;x=y"])
def test_parameters_and_case_of_the_content_type_do_not_count(media_type: str, written: str) -> None:
    plain = MANIFEST | {"mediaType": media_type}
    assert read(plain, written.format(media_type)).media_type == media_type
    assert read(plain, written.format(media_type.upper())).media_type == media_type
    assert read(without(plain, "mediaType"), written.format(media_type)).media_type == media_type


def test_what_we_ask_for_is_what_we_read() -> None:
    assert set(ACCEPT.split(", ")) == {OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST}


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_lists_of_both_kinds_are_read(media_type: str) -> None:
    assert read(INDEX | {"mediaType": media_type}, media_type).media_type == media_type


@pytest.mark.parametrize(
    ("said", "inside"),
    [
        (OCI_INDEX, OCI_MANIFEST),
        (OCI_MANIFEST, OCI_INDEX),
        (DOCKER_MANIFEST, OCI_MANIFEST),
        (DOCKER_LIST, OCI_INDEX),
        (OCI_MANIFEST, "x/y"),
        (OCI_MANIFEST, OCI_MANIFEST.upper()),
        (OCI_MANIFEST, OCI_MANIFEST + " "),
        (OCI_INDEX, "\x1b[2J"),
    ],
)
def test_a_header_and_a_content_that_disagree_are_refused(said: str, inside: str) -> None:
    """CVE-2021-41190."""
    for plain in (MANIFEST, INDEX):
        with pytest.raises(UnsupportedMediaType) as caught:
            read(plain | {"mediaType": inside}, said)
        assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("names", [("layers",), ("config",), ("layers", "config")])
@pytest.mark.parametrize("media_type", [OCI_MANIFEST, OCI_INDEX, DOCKER_LIST, DOCKER_MANIFEST, ""])
def test_what_is_a_manifest_and_an_index_at_once_is_refused(media_type: str, names: tuple[str, ...]) -> None:
    """CVE-2021-41190: another client could read the same digest as the other thing."""
    both = INDEX | {name: MANIFEST[name] for name in names} | ({"mediaType": media_type} if media_type else {})
    for plain in (both, without(both, "mediaType")):
        for header in (media_type, "", "application/json"):
            with pytest.raises(UnsupportedMediaType):
                read(plain, header)


def test_an_empty_list_makes_it_both_too() -> None:
    with pytest.raises(UnsupportedMediaType, match="at once"):
        read(MANIFEST | {"manifests": []}, OCI_MANIFEST)
    with pytest.raises(UnsupportedMediaType, match="at once"):
        read(INDEX | {"layers": []}, OCI_INDEX)


@pytest.mark.parametrize("header", ["", "application/json", "text/plain; charset=utf-8", "application/octet-stream"])
def test_without_a_media_type_the_shape_tells_and_there_is_only_one(header: str) -> None:
    assert isinstance(read(without(MANIFEST, "mediaType"), header), Manifest)
    assert isinstance(read(without(INDEX, "mediaType"), header), Index)


def test_the_type_in_the_content_counts_where_the_header_says_nothing() -> None:
    assert read(MANIFEST, "application/json").media_type == OCI_MANIFEST


@pytest.mark.parametrize(
    ("plain", "header"),
    [
        ({"schemaVersion": 1, "name": "x", "tag": "y", "fsLayers": [], "history": []}, ""),
        ({"schemaVersion": 1, "fsLayers": []}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        (MANIFEST, "application/vnd.docker.distribution.manifest.v1+json"),
        (MANIFEST | {"schemaVersion": 1}, OCI_MANIFEST),
    ],
)
def test_schema_1_is_refused_and_the_hint_says_what_to_do(plain: dict[str, Any], header: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="schema 1") as caught:
        read(plain, header)
    assert "push the image again" in caught.value.hint


@pytest.mark.parametrize(
    ("plain", "header"),
    [
        (MANIFEST | {"mediaType": "application/vnd.example.unknown+json"}, ""),
        (MANIFEST | {"mediaType": 7}, OCI_MANIFEST),
        (MANIFEST | {"mediaType": ["x"]}, ""),
        ({"schemaVersion": 2}, "application/vnd.example\x1b[2J"),
        ({"hello": "world"}, "application/json"),
        ({}, ""),
    ],
)
def test_an_unknown_kind_is_refused(plain: dict[str, Any], header: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        read(plain, header)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"<html>",
        b"\xef\xbb\xbf" + json.dumps(MANIFEST).encode(),
        b"\xff\xfe{}",
        json.dumps(MANIFEST).encode("utf-16"),
        json.dumps(MANIFEST).encode()[:-1],
        json.dumps(MANIFEST).encode() + b"{}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"size":NaN}',
        b'{"size":' + b"9" * 5000 + b"}",
    ],
    ids=lambda raw: repr(raw[:16]),
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ContentError):
        read(raw, OCI_MANIFEST)


def test_a_manifest_of_the_greatest_size_is_read_and_a_larger_one_refused() -> None:
    raw = encoded(MANIFEST)
    assert read(raw + b" " * (MAX_MANIFEST - len(raw)), OCI_MANIFEST)
    with pytest.raises(ContentError, match="larger"):
        read(raw + b" " * (MAX_MANIFEST - len(raw) + 1), OCI_MANIFEST)


def test_of_equal_keys_the_last_counts_as_it_does_for_docker() -> None:
    raw = encoded(MANIFEST)[:-1] + b',"layers":[]}'
    manifest = read(raw, OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert manifest.layers == ()
    with pytest.raises(UnsupportedMediaType):
        read(encoded(MANIFEST)[:-1] + b',"mediaType":"' + OCI_INDEX.encode() + b'"}', OCI_MANIFEST)


@pytest.mark.parametrize(
    ("plain", "place"),
    [
        (without(MANIFEST, "config"), "config"),
        (MANIFEST | {"config": None}, "config"),
        (MANIFEST | {"config": [CONFIG]}, "config"),
        (MANIFEST | {"config": CONFIG | {"size": -1}}, r"config\.size"),
        (without(MANIFEST, "layers"), "layers"),
        (MANIFEST | {"layers": None}, "layers"),
        (MANIFEST | {"layers": {"0": LAYER}}, "layers"),
        (MANIFEST | {"layers": [LAYER, None]}, "layers"),
        (MANIFEST | {"layers": [LAYER, "x"]}, "layers"),
        (MANIFEST | {"layers": [LAYER, LAYER | {"digest": "x"}]}, r"layers\[1\]\.digest"),
        (without(INDEX, "manifests") | {"x": 1}, "manifests"),
        (INDEX | {"manifests": {"a": ENTRY}}, "manifests"),
        (INDEX | {"manifests": [ENTRY, ENTRY | {"size": 1.5}]}, r"manifests\[1\]\.size"),
        (MANIFEST | {"subject": {"mediaType": "x"}}, r"subject\.digest"),
    ],
)
def test_a_fault_is_said_by_its_place(plain: dict[str, Any], place: str) -> None:
    with pytest.raises(ContentError, match=place):
        read(plain)


def test_artifacts_say_what_they_are_and_what_they_are_about() -> None:
    manifest = read(MANIFEST | {"artifactType": "application/x", "subject": ENTRY, "annotations": {"a": "b"}, "unknown": [1]})
    assert isinstance(manifest, Manifest)
    assert manifest.artifact_type == "application/x"
    assert manifest.subject is not None
    assert manifest.subject.media_type == OCI_MANIFEST


def test_an_image_without_layers_and_an_index_without_manifests_are_empty_and_no_error() -> None:
    assert read(MANIFEST | {"layers": []}).raw
    index = read(INDEX | {"manifests": []})
    assert isinstance(index, Index)
    assert index.manifests == ()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from([CONFIG, LAYER, ENTRY]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["mediaType", "digest", "size", "platform"]), inner, max_size=3)
    ),
    max_leaves=5,
)
_types = st.sampled_from([OCI_MANIFEST, OCI_INDEX, DOCKER_LIST, DOCKER_MANIFEST, "", "application/json", "x"])


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("config", "layers", "manifests", "subject", "artifactType"), _json)
        | {"mediaType": _types | _json, "schemaVersion": st.sampled_from([1, 2, "2", None])},
    ),
    _types,
)
def test_no_content_whatever_raises_anything_foreign(plain: dict[str, Any], header: str) -> None:
    try:
        found = read(plain, header)
    except (ContentError, UnsupportedMediaType):
        return
    assert isinstance(found, Index) == (found.media_type in (OCI_INDEX, DOCKER_LIST))
    assert isinstance(found, Index) or "manifests" not in plain
