"""The one policy: where a secret may go, and where we may be led without one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._origin import KNOWN_REALMS, Origin, Url, is_loopback, may_carry, may_visit
from registryauth.errors import RealmRefused, TransportError
from registryauth.reference import Registry

ACR = Registry.parse("x.azurecr.io").origin()


@pytest.mark.parametrize("hostname", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.255.0.9", "::1", "[::1]"])
def test_loopback_names(hostname: str) -> None:
    assert is_loopback(hostname)


@pytest.mark.parametrize(
    "hostname",
    [
        "",
        "localhost.",
        "localhost.example",
        "xlocalhost",
        "127.0.0.1.example",
        "127.0.0",
        "127.1",
        "128.0.0.1",
        "0.0.0.0",
        "::",
        "::2",
        "1::1",
    ],
)
def test_names_that_are_not_loopback_by_their_spelling(hostname: str) -> None:
    assert not is_loopback(hostname)


@pytest.mark.parametrize(
    "realm",
    [
        "https://x.azurecr.io/oauth2/token",
        "https://X.AZURECR.IO:443/oauth2/token",
        "https://x.azurecr.io/oauth2/token?service=x.azurecr.io",
    ],
)
def test_a_secret_may_go_to_its_registrys_own_origin(realm: str) -> None:
    may_carry(ACR, (), Url.parse(realm))


# facts: CVE-2020-15157, CVE-2019-10214, CVE-2026-33990, CVE-2026-48978, CVE-2026-50151, GHSA-vh4v-2xq2-g5cg, GO-2026-6225
ELSEWHERE = [
    "https://evil.example/token",
    "https://x.azurecr.io.evil.example/oauth2/token",
    "https://evil.example/x.azurecr.io",
    "https://evil.example/?x.azurecr.io",
    "https://xx.azurecr.io/oauth2/token",
    "https://azurecr.io/oauth2/token",
    "https://a.x.azurecr.io/oauth2/token",
    "https://y.azurecr.io/oauth2/token",
    "https://x.azurecr.io:8443/oauth2/token",
    "http://x.azurecr.io/oauth2/token",
    "http://x.azurecr.io:443/oauth2/token",
    "https://127.0.0.1/token",
    "https://localhost/token",
    "http://127.0.0.1:5000/token",
    "https://10.0.0.1/token",
    "https://172.16.0.1/token",
    "https://192.168.1.1/token",
    "http://169.254.169.254/metadata/identity/oauth2/token",
    "https://169.254.169.254/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://auth.docker.io/token",
    "https://gitlab.com/jwt/auth",
]


@pytest.mark.parametrize("realm", ELSEWHERE)
@pytest.mark.parametrize("insecure", [False, True])
def test_a_secret_goes_to_no_origin_that_it_was_not_registered_for(realm: str, insecure: bool) -> None:
    with pytest.raises(RealmRefused) as caught:
        may_carry(ACR, (), Url.parse(realm), insecure=insecure)
    assert "x.azurecr.io" in caught.value.message
    assert caught.value.hint


def test_a_refusal_names_the_realm_without_its_query() -> None:
    with pytest.raises(RealmRefused) as caught:
        may_carry(ACR, (), Url.parse("https://evil.example/token?scope=c4n4ry"))
    assert "https://evil.example" in caught.value.message
    assert "--realm https://evil.example/token" in caught.value.hint
    assert "c4n4ry" not in caught.value.message + caught.value.hint


def test_a_pinned_realm_is_allowed_and_nothing_beside_it() -> None:
    registry, pinned = Registry.parse("registry.example.com").origin(), (Url.parse("https://auth.example.com:8443/token").origin,)
    may_carry(registry, pinned, Url.parse("https://auth.example.com:8443/other?x=1"))
    for realm in ("https://auth.example.com/token", "http://auth.example.com:8443/token", "https://auth.example.com.evil.example:8443/"):
        with pytest.raises(RealmRefused):
            may_carry(registry, pinned, Url.parse(realm))


@pytest.mark.parametrize(("registry", "realm"), [(registry, realm) for registry, realms in KNOWN_REALMS.items() for realm in realms])
def test_the_known_table_allows_https_on_the_default_port_both_ways(registry: str, realm: str) -> None:
    origin = Registry.parse(registry).origin()
    may_carry(origin, (), Url.parse(f"https://{realm}/any"))
    for refused in (f"http://{realm}/", f"https://{realm}:8443/", f"https://x.{realm}/", f"https://{realm}.evil.example/"):
        with pytest.raises(RealmRefused):
            may_carry(origin, (), Url.parse(refused), insecure=True)
    for elsewhere in (origin.replace(port=5000), origin.replace(scheme="http", port=80), origin.replace(host=f"x.{registry}")):
        with pytest.raises(RealmRefused):
            may_carry(elsewhere, (), Url.parse(f"https://{realm}/any"), insecure=True)


def test_docker_hub_is_known_under_its_usual_name() -> None:
    may_carry(Registry.parse("docker.io").origin(), (), Url.parse("https://auth.docker.io/token?service=registry.docker.io"))


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("http://localhost:5000", "http://localhost:5000/token"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ("http://[::1]:5000", "http://127.0.0.1:5001/token"),
        ("https://localhost:5000", "http://localhost:5001/token"),
    ],
)
def test_plain_http_is_good_enough_inside_this_machine(registry: str, realm: str) -> None:
    target = Url.parse(realm)
    may_carry(Url.parse(registry).origin, (target.origin,), target)


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("http://registry.example.com:5000", "http://registry.example.com:5000/token"),
        ("https://registry.example.com", "http://auth.example.com/token"),
        ("https://registry.example.com", "http://localhost:5000/token"),
        ("http://localhost:5000", "http://auth.example.com/token"),
        ("http://192.168.1.1:5000", "http://192.168.1.1:5000/"),
    ],
)
def test_plain_http_elsewhere_needs_the_users_word_even_where_it_is_pinned(registry: str, realm: str) -> None:
    source, target = Url.parse(registry).origin, Url.parse(realm)
    with pytest.raises(RealmRefused, match="plain http") as caught:
        may_carry(source, (target.origin,), target)
    assert "--insecure" in caught.value.hint
    may_carry(source, (target.origin,), target, insecure=True)


@given(st.text("abz.-01:", max_size=12), st.sampled_from(["http", "https"]))
def test_only_the_same_origin_carries_where_nothing_is_pinned(text: str, scheme: str) -> None:
    try:
        target = Url.parse(f"{scheme}://{text}/")
    except TransportError:
        return
    try:
        may_carry(ACR, (), target, insecure=True)
    except RealmRefused:
        assert target.origin != ACR
    else:
        assert target.origin == ACR


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("https://x.azurecr.io", "https://x.azurecr.io/anything"),
        ("https://x.azurecr.io", "https://account.blob.core.windows.net/c/b?sig=1"),
        ("https://x.azurecr.io", "https://x.eastus.data.azurecr.io/b"),
        ("https://x.azurecr.io", "https://8.8.8.8/b"),
        ("https://x.azurecr.io", "https://[2606:4700::1111]/b"),
        ("https://registry.example.com", "https://cdn.example.com:8443/b"),
        ("http://registry.example.com", "https://cdn.example.com/b"),
        ("http://registry.example.com", "http://cdn.example.com/b"),
        ("http://localhost:5000", "http://127.0.0.1:5001/b"),
        ("https://10.0.0.1", "https://192.168.1.1/b"),
    ],
)
def test_a_request_without_a_secret_may_be_led_elsewhere(source: str, target: str) -> None:
    may_visit(Url.parse(source).origin, Url.parse(target))


@pytest.mark.parametrize(
    "target",
    [
        "http://x.azurecr.io/b",
        "http://account.blob.core.windows.net/b",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://a.localhost:8080/",
        "https://10.1.2.3/",
        "https://172.31.0.1/",
        "https://192.168.0.1/",
        "https://100.100.100.200/latest/meta-data",
        "https://169.254.169.254/metadata/instance",
        "https://168.63.129.16/machine",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://127.1/",
        "https://1/",
    ],
)
def test_a_public_registry_leads_us_neither_to_plain_http_nor_into_a_network(target: str) -> None:
    with pytest.raises(RealmRefused, match=r"x\.azurecr\.io sent us"):
        may_visit(ACR, Url.parse(target))


@pytest.mark.parametrize("source", ["https://10.0.0.1", "https://localhost:5000", "https://169.254.1.1", "https://127.1"])
@pytest.mark.parametrize(
    "target",
    ["https://169.254.169.254/", "https://[fe80::1]/", "https://[::ffff:a9fe:a9fe]/", "https://168.63.129.16/", "https://2852039166/"],
)
def test_not_even_a_private_registry_leads_us_to_the_metadata_service(source: str, target: str) -> None:
    with pytest.raises(RealmRefused):
        may_visit(Url.parse(source).origin, Url.parse(target))


def test_a_private_registry_does_not_lead_us_to_this_machine() -> None:
    with pytest.raises(RealmRefused, match="loopback"):
        may_visit(Url.parse("https://10.0.0.1").origin, Url.parse("https://127.0.0.1/"))


def test_the_users_word_allows_plain_http_and_no_more() -> None:
    may_visit(ACR, Url.parse("http://cdn.example.com/b"), insecure=True)
    with pytest.raises(RealmRefused):
        may_visit(ACR, Url.parse("http://169.254.169.254/"), insecure=True)


def test_an_origin_prints_as_in_a_url() -> None:
    assert str(Origin("https", "x.io", 443)) == "https://x.io"
    assert str(Origin("http", "x.io", 443)) == "http://x.io:443"
    assert Origin("https", "[::1]", 5000).netloc == "[::1]:5000"
    assert Origin("https", "[::1]", 5000).hostname == "::1"
