"""References: slips of the finger, and what the errors say."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registryauth import reference as module
from registryauth.errors import Error, InvalidDigest, InvalidReference
from registryauth.reference import Reference, Registry, Repository

IMAGE_ID = "1a3f5e7d9c1b3a5f" * 4


def underlined(error: Error) -> str:
    """The part of the text that the error's second and third line point at."""
    _, text, marks = error.message.split("\n")
    at = re.search(r"~*\^", marks)
    assert at
    return text[at.start() : at.end()]


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("myregistry.azureecr.io", "azurecr.io"),
        ("myregistry.azurecr.oi", "azurecr.io"),
        ("myregistry.azurcr.io", "azurecr.io"),
        ("myregistry.azurecr.com", "azurecr.io"),
        ("myregistry.azurecr.co", "azurecr.io"),
        ("myregistry.azurerc.io", "azurecr.io"),
        ("myregistry.azurecr.i", "azurecr.io"),
        ("myregistry.eastus.geo.azurectr.io", "azurecr.io"),
        ("myregistry.azurec.cn", "azurecr.cn"),
        ("mrc.microsoft.com", "mcr.microsoft.com"),
        ("mcr.microsft.com", "mcr.microsoft.com"),
        ("123456789012.dkr.ecr.eu-west-1.amazonws.com", "amazonaws.com"),
        ("us-docker.pkg.dve", "docker.pkg.dev"),
        ("europe-west1-dokcer.pkg.dev", "docker.pkg.dev"),
        ("registry.k8.io", "registry.k8s.io"),
        ("public.erc.aws", "public.ecr.aws"),
    ],
)
def test_a_slip_from_a_clouds_suffix_is_refused_with_a_guess(host: str, meant: str) -> None:
    with pytest.raises(InvalidReference, match="slip of the finger") as caught:
        Reference.parse(f"{host}/app:v1")
    assert caught.value.hint == f"did you mean {meant}?"
    assert underlined(caught.value) == host


@pytest.mark.parametrize(
    "host",
    [
        "myregistry.azurecr.io",
        "myregistry-e7ggejfuhzhgedc8.azurecr.io",
        "myregistry.eastus.geo.azurecr.io",
        "myregistry.eastus.data.azurecr.io",
        "myregistry.azurecr.cn",
        "myregistry.azurecr.us",
        "myregistry.azurecr.de",
        "myregistry.azurecr.sovcloud-azure.fr",
        "mcr.microsoft.com",
        "eastus.data.mcr.microsoft.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr-ecr.us-east-1.on.aws",
        "public.ecr.aws",
        "ecr-public.aws.com",
        "us-docker.pkg.dev",
        "europe-west1-docker.pkg.dev",
        "docker.pkg.github.com",
        "gcr.io",
        "eu.gcr.io",
        "quay.io",
        "ghcr.io",
        "nvcr.io",
        "docker.io",
        "registry-1.docker.io",
        "registry.k8s.io",
        "k8s.gcr.io",
        "registry.gitlab.com",
        "registry.digitalocean.com",
        "registry.redhat.io",
        "registry.access.redhat.com",
        "container-registry.oracle.com",
        "fra.ocir.io",
        "icr.io",
        "de.icr.io",
        "cr.yandex",
        "registry.cn-hangzhou.aliyuncs.com",
        "acme.jfrog.io",
        "my-company.com",
        "registry.my-company.com",
        "harbor.example.internal",
        "192.168.1.1",
        "registry.local:5000",
        # Look-alikes that are no slip: they are somebody's host, and no part of the rules takes them for a cloud's.
        "myregistry.azurecr.io.evil.example",
    ],
)
def test_real_hosts_are_never_taken_for_a_slip(host: str) -> None:
    assert Registry.parse(host).host


def test_a_host_that_the_user_declared_is_right_as_it_is() -> None:
    assert Registry.parse("x.azureecr.io", known={"x.azureecr.io"}).host == "x.azureecr.io"
    assert Registry.parse("X.azureecr.io:5000", known=["x.azureecr.io:5000"]).host == "x.azureecr.io:5000"
    with pytest.raises(InvalidReference):
        Registry.parse("y.azureecr.io", known={"x.azureecr.io"})


suffixes = st.sampled_from(["azurecr.io", "mcr.microsoft.com", "registry.k8s.io", "amazonaws.com", "public.ecr.aws"])


@given(suffixes, st.sampled_from(["add", "drop", "change", "swap"]), st.sampled_from(string.ascii_lowercase), st.data())
def test_every_single_slip_inside_a_suffix_is_noticed(suffix: str, slip: str, letter: str, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([i for i in range(len(suffix) - 1) if "." not in suffix[i : i + 2]]))
    typed = {
        "add": suffix[:at] + letter + suffix[at:],
        "drop": suffix[:at] + suffix[at + 1 :],
        "change": suffix[:at] + letter + suffix[at + 1 :],
        "swap": suffix[:at] + suffix[at + 1] + suffix[at] + suffix[at + 2 :],
    }[slip]
    assume(typed.rpartition(".")[2])
    assume(not any(typed == right for right in module._MISTYPED))
    with pytest.raises(InvalidReference, match="slip of the finger"):
        Registry.parse(f"myregistry.{typed}")


@pytest.mark.parametrize(
    ("text", "part", "hint"),
    [
        ("x.azurecr.io/MyImage:v1", "M", "write myimage"),
        ("x.azurecr.io/my image", " ", "remove it"),
        ("x.azurecr.io/my\timage", "?", "remove it"),
        ("x.azurecr.io/myimage ", " ", "write 'x.azurecr.io/myimage'"),
        (" x.azurecr.io/myimage", " ", "write 'x.azurecr.io/myimage'"),
        ("x.azurecr.io/m\u0443image", "?", "look-alike"),
        ("https://x.azurecr.io/a", "https://", "write x.azurecr.io/a"),
        ("oci://x.azurecr.io/a", "oci://", "write x.azurecr.io/a"),
        ("x.azurecr.io/x.azurecr.io/a", "x.azurecr.io", "write x.azurecr.io/a"),
        ("x.azurecr.io./a", "x.azurecr.io.", "trailing dot"),
        ("x.azurecr.io/a..b", ".", ""),
        ("x.azurecr.io/a//b", "/", ""),
        ("x.azurecr.io/a:.v1", ".", "1 to 128"),
        ("x.azurecr.io/a:v~1", "~", "1 to 128"),
        ("x.azurecr.io/a@md5:" + "0" * 32, "md5", "sha256 or sha512"),
        ("x.azurecr.io/a@sha256:" + "0" * 63 + "g", "g", ""),
        ("x.azurecr.io/a@sha256:" + "A" * 64, "A", "lower case"),
        (IMAGE_ID, IMAGE_ID, "@sha256:"),
        ("Foo/bar", "F", "write foo/bar"),
    ],
)
def test_an_error_points_at_the_place_and_guesses_the_intention(text: str, part: str, hint: str) -> None:
    with pytest.raises((InvalidReference, InvalidDigest)) as caught:
        Reference.parse(text)
    assert underlined(caught.value) == part
    assert hint in caught.value.hint


def test_a_missing_path_is_pointed_at_behind_the_slash() -> None:
    with pytest.raises(InvalidReference, match="path is missing") as caught:
        Reference.parse("x.azurecr.io/")
    assert caught.value.span == (13, 14)
    assert caught.value.message.endswith("\n    x.azurecr.io/\n                 ^")


@pytest.mark.parametrize(
    "text",
    [
        "https://user:c4n4ry@x.azurecr.io/a",
        "user:c4n4ry@x.azurecr.io/a",
        "user:c4n4ry@x.azurecr.io",
        "https://user:c4n4ry@x.azurecr.io",
        "https://c4n4ry@x.azurecr.io/v2/",
        "https://user:p@c4n4ry@x.azurecr.io/v2/",
        "https://user:c4n4ry@x.azurecr.io/a@sha256:" + "0" * 64,
        "https://user:c4n4ry @x.azurecr.io/a",
    ],
)
@pytest.mark.parametrize("parse", [Reference.parse, Repository.parse, Registry.parse, module.Address.parse])
def test_a_password_in_front_of_the_host_is_refused_and_not_repeated(parse, text: str) -> None:
    with pytest.raises((InvalidReference, InvalidDigest)) as caught:
        parse(text)
    assert "c4n4ry" not in caught.value.message + caught.value.hint
