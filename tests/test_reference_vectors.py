"""The cases of distribution/reference's own tests, by their meaning, and where we differ on purpose.

Source: https://github.com/distribution/reference (Apache-2.0), reference_test.go, normalize_test.go and regexp_test.go.
"""

from __future__ import annotations

import pytest

from registryauth.errors import InvalidDigest, InvalidReference
from registryauth.reference import Reference

SHA256 = "sha256:" + "f" * 64
SHA512 = "sha512:" + "0a" * 64
IMAGE_ID = "1a3f5e7d9c1b3a5f" * 4

LONG = "this_is_longer_than_a_path_may_be_" * 8


@pytest.mark.parametrize(
    ("text", "registry", "path", "tag", "digest"),
    [
        # No slash: a name on Docker Hub, however much it looks like a host.
        ("test_com", "docker.io", "library/test_com", "latest", None),
        ("test.com:tag", "docker.io", "library/test.com", "tag", None),
        ("test.com:5000", "docker.io", "library/test.com", "5000", None),
        ("192.168.1.1", "docker.io", "library/192.168.1.1", "latest", None),
        ("192.168.0.1:80", "docker.io", "library/192.168.0.1", "80", None),
        ("foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", None),
        ("lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", None),
        (f"localhost:8080@{SHA256}", "docker.io", "library/localhost", "8080", SHA256),
        (f"localhost@{SHA256}", "docker.io", "library/localhost", None, SHA256),
        (f"{IMAGE_ID[:-1]}", "docker.io", f"library/{IMAGE_ID[:-1]}", "latest", None),
        # A slash, and a first part without dot, colon or the name localhost: a path on Docker Hub.
        ("a/a/a/a", "docker.io", "a/a/a/a", "latest", None),
        ("test_com/foo", "docker.io", "test_com/foo", "latest", None),
        ("do__cker/docker", "docker.io", "do__cker/docker", "latest", None),
        ("aa-a/a", "docker.io", "aa-a/a", "latest", None),
        ("docker---rules/docker", "docker.io", "docker---rules/docker", "latest", None),
        ("foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", "8080", None),
        ("store/foo/bar", "docker.io", "store/foo/bar", "latest", None),
        # A first part that is a host.
        ("test.com/repo:tag", "test.com", "repo", "tag", None),
        ("test:5000/repo", "test:5000", "repo", "latest", None),
        (f"test:5000/repo@{SHA256}", "test:5000", "repo", None, SHA256),
        (f"test:5000/repo:tag@{SHA256}", "test:5000", "repo", "tag", SHA256),
        ("test-com:8080/foo", "test-com:8080", "foo", "latest", None),
        ("sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux", "some-long-tag", None),
        ("b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app", "test.example.com", None),
        (f"xn--7o8h.com/myimage:xn--7o8h.com@{SHA256}", "xn--7o8h.com", "myimage", "xn--7o8h.com", SHA256),
        ("example.com/xn--7o8h.com/myimage", "example.com", "xn--7o8h.com/myimage", "latest", None),
        ("example.com/some_separator__underscore/my", "example.com", "some_separator__underscore/my", "latest", None),
        ("registry.io/foo/a--id.b--name.ver---sion--name", "registry.io", "foo/a--id.b--name.ver---sion--name", "latest", None),
        ("localhost/debian", "localhost", "debian", "latest", None),
        ("localhost/library/debian", "localhost", "library/debian", "latest", None),
        ("127.0.0.1:5000/docker/docker", "127.0.0.1:5000", "docker/docker", "latest", None),
        ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050", None),
        ("0101.com/a", "0101.com", "a", "latest", None),
        ("example.com/" + "a" * 255 + ":tag", "example.com", "a" * 255, "tag", None),
        # A host that is an IPv6 address.
        ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", "latest", None),
        ("[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8:1:2:3:4:5:6]", "repo", "tag", None),
        (f"[2001:db8::1]:5000/repo:tag@{SHA256}", "[2001:db8::1]:5000", "repo", "tag", SHA256),
        ("[2001:db8::]:5000/repo", "[2001:db8::]:5000", "repo", "latest", None),
        ("[::1]:5000/repo", "[::1]:5000", "repo", "latest", None),
        ("[fc00:1:2:3:4:5:6:7]:5000/library/debian", "[fc00:1:2:3:4:5:6:7]:5000", "library/debian", "latest", None),
        # Docker Hub by name.
        ("docker.io/foo", "docker.io", "library/foo", "latest", None),
        ("docker.io/library/foo/bar", "docker.io", "library/foo/bar", "latest", None),
        ("index.docker.io/debian", "docker.io", "library/debian", "latest", None),
        (f"docker.io/{IMAGE_ID}", "docker.io", f"library/{IMAGE_ID}", "latest", None),
        (f"busybox@{SHA256}", "docker.io", "library/busybox", None, SHA256),
        ("gcr.io/library/busybox", "gcr.io", "library/busybox", "latest", None),
        # Ours: sha512 is verified too, the host is lower case, tag and digest are both kept.
        (f"validname@{SHA512}", "docker.io", "library/validname", None, SHA512),
        ("Asdf.com/foo/bar", "asdf.com", "foo/bar", "latest", None),
        ("[FC00::1]:5000/docker", "[fc00::1]:5000", "docker", "latest", None),
        ("[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:443/a", "[2001:db8:85a3::8a2e:370:7334]:443", "a", "latest", None),
        (f"gcr.io/library/busybox:latest@{SHA256}", "gcr.io", "library/busybox", "latest", SHA256),
    ],
)
def test_valid_references(text: str, registry: str, path: str, tag: str | None, digest: str | None) -> None:
    reference = Reference.parse(text)
    assert (str(reference.registry), reference.repository.path, reference.tag) == (registry, path, tag)
    assert (str(reference.digest) if reference.digest else None) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        ":justtag",
        f"@{SHA256}",
        "https://github.com/docker/docker",
        "docker/Docker",
        "Uppercase:tag",
        "test:5000/Uppercase/lowercase:tag",
        "Foo/FarB",
        "docker.io/docker/Docker",
        "-docker",
        "-docker/docker",
        "-docker.io/docker/docker",
        "docker-/docker",
        "foo/bar-",
        "foo/-bar",
        "foo.com/a-/a/a",
        "docker///docker",
        "docker.io/docker///docker",
        "a//a/a",
        "a/a/a/",
        "docker/",
        "foo.com/",
        "docker./docker",
        ".docker/docker",
        "do..cker/docker",
        "dock_.er/docker",
        "dock-.er/docker",
        "____/____",
        "_docker/_docker",
        "docker_/docker_",
        "example.com/__underscore/myimage",
        "example.com/.dots/myimage",
        "example.com/nodouble..dots/myimage",
        "aa/asdf$$^/aa",
        "a^a",
        "foo_bar.com:8080/app",
        "do__cker:8080/docker",
        "foo.com:http/bar",
        f"localhost:http/name@{SHA256}",
        "registry.com:8080/myapp:invalid~tag",
        "registry.com:8080/myapp@bad",
        "registry.com:8080/myapp@sha256:badbadbadbad",
        f"validname@invaliddigest:{'f' * 64}",
        "repo@sha256:" + "f" * 34,
        "domain/" + "a" * 256 + ":tag",
        LONG + "/docker",
        "a" * 256,
        IMAGE_ID,
        "[2001:db8::1]",
        "[2001:db8::1]:5000",
        "[2001:db8::1]:tag",
        "[fc00::1]",
        "fc00::1:5000/debian",
        "[fe80::1%eth0]:5000/debian",
        "[fe80::1%@invalidzone]:5000/repo",
        "[2001:db8:3:4::192.0.2.33]:5000/debian",
        "[fd00:1:2::3]75050/a",
        "[fd00:1:2::3]::75050/a",
        "ab-.com/a",
        "ab.-com/a",
        "ab.com-/a",
    ],
)
def test_what_distribution_refuses_is_refused(text: str) -> None:
    with pytest.raises((InvalidReference, InvalidDigest)):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("LOCALDOMAIN/debian", "its lower-case form would be a path on Docker Hub"),
        ("Foo/bar", "its lower-case form would be a path on Docker Hub"),
        ("192.168.1.1:75050/a", "no such port"),
        ("test.com:0/a", "no such port"),
        ("[fd00123123123]:5000/a", "no such address"),
        ("[::ffff:7f00:1]/a", "an IPv4 address in disguise"),
        ("quay.io/quay.io/app", "the registry is written twice"),
        ("localhost:5000/localhost:5000/app", "the registry is written twice"),
        ("X.azurecr.io/X.azurecr.io/azureml/x", "the registry is written twice"),
        ("x.azureecr.io/a", "a near miss"),
        ("a@sha384:" + "f" * 96, "an algorithm that we do not verify"),
        ("a@sha256+b64u:" + "f" * 64, "an algorithm that we do not verify"),
        ("a@SHA256:" + "f" * 64, "an algorithm's name is lower case"),
        ("a@sha256:" + "F" * 64, "hex is lower case"),
        ("a" * 64 + "." + "b" * 10 + ".com/x", "a label in a host name is too long"),
        (".".join(["abcdefghij"] * 24) + "/x", "a host name is too long"),
        ("a" * 248, "with library/ in front, the path is too long"),
    ],
)
def test_what_distribution_takes_and_we_refuse_on_purpose(text: str, why: str) -> None:
    with pytest.raises((InvalidReference, InvalidDigest)):
        Reference.parse(text)
