"""References: every text of the grammar is read, and prints in a form that means the same."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from registryauth import reference as module
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest, InvalidReference
from registryauth.reference import Reference, Registry, Repository

SHA256 = "sha256:" + "f" * 64
SHA512 = "sha512:" + "0a" * 64
IMAGE_ID = "1a3f5e7d9c1b3a5f" * 4

alphanumeric = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
separator = st.sampled_from([".", "_", "__", "-", "--", "---"])
component = st.builds(
    lambda first, rest: first + "".join(s + a for s, a in rest), alphanumeric, st.lists(st.tuples(separator, alphanumeric), max_size=2)
)
paths = st.lists(component, min_size=1, max_size=4).map("/".join)
label = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
names = st.lists(label, min_size=2, max_size=4).map(".".join)
ipv6 = st.ip_addresses(v=6).filter(lambda ip: ip.ipv4_mapped is None).map(lambda ip: f"[{ip}]")
ports = st.integers(1, 65535).map(str)
domains = (
    st.one_of(names, ipv6, st.ip_addresses(v=4).map(str), st.just("localhost"))
    | st.builds("{}:{}".format, st.one_of(names, label, ipv6, st.just("localhost")), ports)
).filter(lambda domain: not module._near_miss(domain.lower().partition(":")[0]))
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True) | st.just("t" * 128)
digests = st.builds(Digest.of, st.binary(max_size=8), st.sampled_from(["sha256", "sha512"])).map(str)


@st.composite
def references(draw: st.DrawFn) -> str:
    domain, path = draw(st.none() | domains), draw(paths)
    assume(not re.fullmatch(r"[0-9a-f]{64}", path))
    if domain is None:
        first = path.partition("/")[0]
        assume("/" not in path or (first != "localhost" and "." not in first))
    else:
        assume(not path.startswith(f"{domain.lower()}/"))
    tag, digest = draw(st.none() | tags), draw(st.none() | digests)
    return (f"{domain}/" if domain else "") + path + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


@given(references())
@example("docker.io/" + "a" * 247)
@example("ubuntu")
@example("Example.COM:05000/a/b:T@" + SHA512)
def test_every_reference_of_the_grammar_parses_and_its_full_form_is_a_fixed_point(text: str) -> None:
    reference = Reference.parse(text)
    again = Reference.parse(str(reference))
    assert str(again) == str(reference)
    assert again == reference.replace(implied_registry=False)


@given(references())
@example("docker.io/example.com/app")
@example("docker.io/localhost/app")
@example("docker.io/library/" + IMAGE_ID)
def test_the_familiar_form_means_the_same_reference(text: str) -> None:
    reference = Reference.parse(text)
    again = Reference.parse(reference.familiar)
    assert (again.repository, again.tag, again.digest) == (reference.repository, reference.tag, reference.digest)


@given(references(), st.sampled_from(" \t\n\r\v\f\x00\x1b\x7f\x85\xa0\u2028\u200b\u202e\xe9\u0430\u3002\uff0f"), st.data())
def test_no_white_space_control_or_foreign_letter_is_let_in_anywhere(text: str, intruder: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    with pytest.raises(InvalidReference):
        Reference.parse(text[:at] + intruder + text[at:])


@given(domains, paths, st.data())
def test_a_capital_in_the_path_is_refused_and_pointed_at(domain: str, path: str, data: st.DataObject) -> None:
    letters = [at for at, letter in enumerate(path) if letter.isalpha()]
    assume(letters and not path.startswith(domain.lower()))
    at = data.draw(st.sampled_from(letters))
    with pytest.raises(InvalidReference, match="no capitals") as caught:
        Reference.parse(f"{domain}/{path[:at]}{path[at].upper()}{path[at + 1 :]}")
    start = len(domain) + 1 + at
    assert caught.value.span == (start, start + 1)
    assert path in caught.value.hint


@given(st.text(max_size=80))
@example("[:@")
@example("//")
@example("a@b@c")
def test_any_text_either_parses_or_raises_our_error(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except (InvalidReference, InvalidDigest):
        return
    assert text.isascii()
    assert Reference.parse(str(reference)).repository == reference.repository


@given(st.text("abcdefghijklmnopqrstuvwxyzAB0.:/@_-[]", max_size=40))
@example("index.docker.io/docker.io/app")
@example("Example.com/example.com/app")
@example("FOO/bar")
@example("[::ffff:7f00:1]/a")
@example("a" * 255)
def test_whatever_parses_prints_in_a_form_that_means_the_same(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except (InvalidReference, InvalidDigest):
        return
    assert Reference.parse(str(reference)) == reference.replace(implied_registry=False)


def test_a_path_may_have_255_characters_and_no_more() -> None:
    assert Reference.parse("example.com/" + "a" * 255).repository.path == "a" * 255
    with pytest.raises(InvalidReference, match="at most 255 characters, not 256"):
        Reference.parse("example.com/" + "a" * 256)


def test_the_library_in_front_of_a_familiar_name_counts_towards_its_length() -> None:
    assert len(Reference.parse("a" * 247).repository.path) == 255
    with pytest.raises(InvalidReference, match="at most 255 characters, not 256"):
        Reference.parse("a" * 248)


def test_a_tag_may_have_128_characters_and_no_more() -> None:
    assert Reference.parse("a:" + "t" * 128).tag == "t" * 128
    with pytest.raises(InvalidReference, match="not a tag") as caught:
        Reference.parse("a:" + "t" * 129)
    assert caught.value.span == (130, 131)


@pytest.mark.parametrize("port", ["1", "443", "65535", "00080"])
def test_ports_from_1_to_65535(port: str) -> None:
    assert Registry.parse(f"localhost:{port}").host == f"localhost:{int(port)}"


@pytest.mark.parametrize("port", ["0", "65536", "99999", "00000"])
def test_ports_that_do_not_exist_are_pointed_at(port: str) -> None:
    with pytest.raises(InvalidReference, match="no such port") as caught:
        Reference.parse(f"localhost:{port}/a")
    assert caught.value.span == (10, 10 + len(port))


@pytest.mark.parametrize("port", ["", "-1", "+1", "123456", "1_0", "٣", "http"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(InvalidReference):
        Registry.parse(f"localhost:{port}")


def test_a_megabyte_is_refused_without_being_shown() -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse("a/" * 500_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("alias", ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "Docker.IO"])
def test_docker_hubs_aliases_are_one_registry(alias: str) -> None:
    assert Registry.parse(alias) == Registry("docker.io")
    assert Reference.parse(f"{alias}/library/ubuntu:22.04") == Reference.parse("ubuntu:22.04").replace(implied_registry=False)


@pytest.mark.parametrize("other", ["docker.io:5000", "x.docker.io", "docker.io.example.com", "hub.docker.com"])
def test_what_is_near_docker_hub_is_not_docker_hub(other: str) -> None:
    assert Registry.parse(other) != Registry("docker.io")


def test_a_reference_remembers_whether_its_registry_was_written() -> None:
    assert Reference.parse("ubuntu").implied_registry
    assert not Reference.parse("docker.io/ubuntu").implied_registry


def test_a_digest_alone_needs_no_tag_and_is_what_is_asked_for() -> None:
    assert Reference.parse(f"ubuntu@{SHA256}").tag is None
    assert Reference.parse(f"ubuntu:v1@{SHA256}").target == SHA256
    assert Reference.parse("ubuntu:v1").target == "v1"


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("docker.io/library/ubuntu", "ubuntu:latest"),
        (f"docker.io/library/ubuntu@{SHA256}", f"ubuntu@{SHA256}"),
        ("index.docker.io/fooo/bar", "fooo/bar:latest"),
        ("docker.io/library/foo/bar", "library/foo/bar:latest"),
        ("other/library", "other/library:latest"),
        ("127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase:latest"),
        ("docker.io/example.com/app", "docker.io/example.com/app:latest"),
    ],
)
def test_familiar_forms(text: str, familiar: str) -> None:
    assert Reference.parse(text).familiar == familiar


@pytest.mark.parametrize(
    ("host", "plain_http", "origin"),
    [
        ("docker.io", False, "https://registry-1.docker.io"),
        ("x.azurecr.io", False, "https://x.azurecr.io"),
        ("localhost:5000", True, "http://localhost:5000"),
        ("localhost", True, "http://localhost"),
        ("[::1]", False, "https://[::1]"),
        ("[2001:db8::1]:5000", False, "https://[2001:db8::1]:5000"),
        ("example.com:443", False, "https://example.com"),
    ],
)
def test_the_origin_of_a_registrys_api(host: str, plain_http: bool, origin: str) -> None:
    assert str(Registry.parse(host).origin(plain_http=plain_http)) == origin


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "[0:0::1]", "a.localhost"])
def test_loopback_registries(host: str) -> None:
    assert Registry.parse(host).is_loopback


@pytest.mark.parametrize("host", ["localhost.example.com", "mylocalhost:1", "10.0.0.1", "127.0.0.1.example.com", "[::2]", "127.0.0.256.1"])
def test_registries_that_only_look_like_loopback(host: str) -> None:
    assert not Registry.parse(host).is_loopback


# A name without dot or port cannot be written in a reference: its first part would be a path on Docker Hub.
@pytest.mark.parametrize("host", ["myregistry", "ubuntu", "LOCALDOMAIN"])
def test_a_bare_word_is_no_registry(host: str) -> None:
    with pytest.raises(InvalidReference, match="neither dot nor port") as caught:
        Registry.parse(host)
    assert f"{host.lower()}.azurecr.io" in caught.value.hint


@pytest.mark.parametrize("text", ["x.azurecr.io/a:v1", f"x.azurecr.io/a@{SHA256}", "localhost:5000", "localhost:5000/a:1"])
def test_a_repository_has_no_tag_and_no_digest(text: str) -> None:
    with pytest.raises(InvalidReference, match="no tag and no digest"):
        Repository.parse(text)


def test_a_repository_is_a_registry_and_a_path() -> None:
    assert Repository.parse("localhost:5000/a/b") == Repository(Registry("localhost:5000"), "a/b")
    assert str(Repository.parse("ubuntu")) == "docker.io/library/ubuntu"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\0", "\u2028", " "])
@pytest.mark.parametrize("text", ["ubuntu", "ubuntu:v1", f"ubuntu@{SHA256}", "localhost:5000/a", "[::1]/a", "localhost"])
@pytest.mark.parametrize("parse", [Reference.parse, Repository.parse, Registry.parse, module.Address.parse])
def test_a_final_newline_is_never_overlooked(parse, text: str, end: str) -> None:
    with pytest.raises(InvalidReference):
        parse(text + end)
