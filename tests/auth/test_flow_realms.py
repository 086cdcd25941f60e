"""A token server may be where the registry is, where the credential was registered for, or in the table: nowhere else."""

from __future__ import annotations

import pytest

from registryauth._http import Request
from registryauth.credentials import Anonymous, Basic, Credential, IdentityToken, RegistryToken
from registryauth.errors import AuthError, Error, InvalidChallenge, RealmRefused, TransportError, UnsupportedScheme

from .by_hand import CANARY, Answer, Caller, Wire, get, pinned, token, unauthorized

SECRETS = [Basic("robot", CANARY), IdentityToken(CANARY)]
ids = {"ids": lambda value: type(value).__name__ if isinstance(value, Basic | IdentityToken | Anonymous | RegistryToken) else str(value)}


def bearer(realm: str) -> Answer:
    return unauthorized(f'Bearer realm="{realm}",service="s",scope="repository:team/app:pull"')


def refused(credential: Credential, realm: str, *realms: str, origin: str = "https://r.example", insecure: tuple[str, ...] = ()) -> Error:
    """The error for a registry at *origin* that names *realm*; fails if anything but the bare request was sent."""
    wire = Wire(bearer(realm), token(), 200)
    with pytest.raises((RealmRefused, InvalidChallenge, UnsupportedScheme, TransportError)) as caught:
        Caller(wire, pinned(credential, "store:1", *realms), insecure=insecure)(get(origin=origin))
    assert [str(request.url) for request in wire.sent] == [f"{origin}/v2/team/app/manifests/v1"]
    assert wire.authorizations == [""]
    assert CANARY not in str(caught.value) + caught.value.hint
    return caught.value


def accepted(credential: Credential, realm: str, *realms: str, origin: str = "https://r.example", insecure: tuple[str, ...] = ()) -> None:
    wire = Wire(bearer(realm), token(), 200)
    response = Caller(wire, pinned(credential, "store:1", *realms), insecure=insecure)(get(origin=origin))
    assert response.status == 200
    assert str(wire.sent[1].url).startswith(realm)


@pytest.mark.parametrize("credential", SECRETS, **ids)
@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/token",
        "https://r.example.evil.example/token",
        "https://r.example:444/token",
        "https://sub.r.example/token",
        "https://example/token",
        "https://xr.example/token",
        "https://auth.docker.io/token",
    ],
)
def test_a_realm_on_another_origin_gets_nothing(credential: Credential, realm: str) -> None:
    error = refused(credential, realm)
    assert isinstance(error, RealmRefused)
    assert error.exit_code == 4
    assert "--realm" in error.hint


@pytest.mark.parametrize("credential", SECRETS, **ids)
def test_a_realm_on_plain_http_gets_nothing_from_a_registry_on_https(credential: Credential) -> None:
    assert isinstance(refused(credential, "http://r.example/token"), RealmRefused)
    assert isinstance(refused(credential, "http://r.example/token", "http://r.example/"), RealmRefused)


@pytest.mark.parametrize("credential", [*SECRETS, Anonymous()], **ids)
@pytest.mark.parametrize(
    "realm",
    [
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "https://10.0.0.1/token",
        "https://192.168.1.1/token",
        "https://[::1]/token",
        "https://127.0.0.1/token",
        "https://localhost/token",
        "https://x.localhost/token",
        "https://0.0.0.0/token",
        "https://[::]/token",
        "https://[fe80::1]/token",
        "https://[fd00::1]/token",
        "https://2130706433/token",
        "https://0x7f.1/token",
        "https://127.1/token",
        "http://r.example/token",
        "http://evil.example/token",
    ],
)
def test_a_realm_inside_somebodys_network_or_in_the_clear_is_asked_by_nobody(credential: Credential, realm: str) -> None:
    assert isinstance(refused(credential, realm), RealmRefused)


@pytest.mark.parametrize("credential", [*SECRETS, Anonymous()], **ids)
@pytest.mark.parametrize(
    "realm",
    [
        "/token",
        "token",
        "",
        "//evil.example/token",
        "r.example/token",
        "https:///token",
        "file:///etc/passwd",
        "ftp://r.example/token",
        "https://r.example@evil.example/token",
        "https://user:pw@r.example/token",
        "https://r.example\\\\@evil.example/",
        "https://r.example:0/",
        "https://r.example:65536/",
        "https://evil.example%2f@r.example/",
        "https://r\u0435gistry.example/",
        "https://[::1/token",
        "https://r.example./token",
    ],
)
def test_a_realm_that_cannot_be_read_beyond_doubt_is_asked_by_nobody(credential: Credential, realm: str) -> None:
    error = refused(credential, realm)
    assert error.hint or error.message


@pytest.mark.parametrize("credential", [*SECRETS, Anonymous()], **ids)
def test_a_realm_where_the_registry_is_gets_it(credential: Credential) -> None:
    accepted(credential, "https://r.example/oauth2/token")


@pytest.mark.parametrize("credential", SECRETS, **ids)
def test_a_realm_that_was_pinned_gets_it(credential: Credential) -> None:
    accepted(credential, "https://auth.example/token", "https://auth.example/anything")


@pytest.mark.parametrize("credential", SECRETS, **ids)
def test_a_realm_beside_the_pinned_one_gets_nothing(credential: Credential) -> None:
    refused(credential, "https://auth.example:8443/token", "https://auth.example/token")
    refused(credential, "https://auth.example.evil.example/token", "https://auth.example/token")


@pytest.mark.parametrize("credential", SECRETS, **ids)
def test_a_known_registrys_token_server_gets_it(credential: Credential) -> None:
    accepted(credential, "https://auth.docker.io/token", origin="https://registry-1.docker.io")
    refused(credential, "https://auth.docker.io:444/token", origin="https://registry-1.docker.io")
    refused(credential, "https://auth.docker.io/token", origin="https://registry-1.docker.io:5000")


def test_an_anonymous_caller_may_ask_any_public_token_server() -> None:
    accepted(Anonymous(), "https://auth.anywhere.example/token")


def test_loopback_may_be_plain_where_registry_and_realm_both_are() -> None:
    accepted(SECRETS[0], "http://127.0.0.1:5000/token", origin="http://127.0.0.1:5000")
    accepted(SECRETS[0], "http://localhost:5001/token", "http://localhost:5001/", origin="http://localhost:5000")
    refused(SECRETS[0], "http://127.0.0.1:5000/token", "http://127.0.0.1:5000/token", origin="https://r.example")


def test_a_registry_on_plain_http_gets_a_secret_only_if_the_user_said_so() -> None:
    plain = "http://r.example:5000"
    error = refused(SECRETS[0], f"{plain}/token", origin=plain)
    assert "--insecure" in error.hint
    accepted(SECRETS[0], f"{plain}/token", origin=plain, insecure=("r.example:5000",))


@pytest.mark.parametrize("credential", [Basic("robot", CANARY), RegistryToken(CANARY)], **ids)
def test_plain_http_gets_neither_basic_nor_a_registry_token(credential: Credential) -> None:
    wire = Wire(unauthorized('Basic realm="x"' if isinstance(credential, Basic) else 'Bearer realm="http://r.example:5000/token"'))
    with pytest.raises(RealmRefused, match="plain http"):
        Caller(wire, pinned(credential))(get(origin="http://r.example:5000"))
    assert len(wire.sent) == 1


def test_an_access_token_is_not_sent_in_the_clear_either() -> None:
    """The realm is on https and pinned, the registry itself is not."""
    wire = Wire(bearer("https://auth.example/token"), token(), 200)
    with pytest.raises(RealmRefused, match="plain http"):
        Caller(wire, pinned(Basic("robot", CANARY), "store:1", "https://auth.example/"))(get(origin="http://r.example:5000"))
    assert len(wire.sent) == 1


def test_a_cached_token_is_not_sent_in_the_clear_either() -> None:
    """A second registry that names the same token server over plain http gets none of what the first was given."""
    wire = Wire(bearer("https://auth.example/token"), token(), 200, bearer("https://auth.example/token"), 200)
    call = Caller(wire, pinned(Basic("robot", CANARY), "store:1", "https://auth.example/"))
    call()
    with pytest.raises(RealmRefused):
        call(get(origin="http://r.example:5000"))
    assert wire.authorizations[-1] == ""


def test_a_cached_token_is_not_sent_to_a_registry_that_may_not_name_its_token_server() -> None:
    """The same account asked about elsewhere: what was not pinned for it brings no token along, not even a warm one."""
    wire = Wire(bearer("https://r.example/token"), token("for-r-example"), 200, bearer("https://r.example/token"), 200)
    call = Caller(wire, pinned(Basic("robot", CANARY)))
    call()
    with pytest.raises(RealmRefused):
        call(get(origin="https://evil.example"))
    assert wire.authorizations[-1] == ""


def test_the_second_slot_goes_only_where_it_was_registered_for() -> None:
    first = pinned(Basic("robot", "first"), "store:1:0", "https://auth.example/")
    second = pinned(Basic("robot", "second"), "store:1:1")
    wire = Wire(bearer("https://auth.example/token"), (401, {}, b""), token(), 200)
    with pytest.raises(RealmRefused):
        Caller(wire, first, second)()
    assert len(wire.sent) == 2


def test_a_realm_that_moved_since_is_refused_though_a_challenge_was_answered_before() -> None:
    wire = Wire(bearer("https://r.example/token"), token(), 200, bearer("https://evil.example/token"), token(), 200)
    call = Caller(wire, pinned(Basic("robot", CANARY)))
    call()
    with pytest.raises(RealmRefused):
        call()
    assert not any("evil.example" in str(request.url) for request in wire.sent)


def test_an_insecure_registry_does_not_make_another_one_insecure() -> None:
    plain = "http://other.example:5000"
    refused(SECRETS[0], f"{plain}/token", origin=plain, insecure=("r.example:5000",))


def test_what_a_hostile_realm_says_is_shown_without_its_query() -> None:
    error = refused(SECRETS[0], "https://evil.example/token?steal=everything")
    assert "steal" not in error.message + error.hint


def test_every_refusal_is_an_error_of_authentication() -> None:
    assert isinstance(refused(SECRETS[0], "https://evil.example/token"), AuthError)


def test_nothing_of_the_request_goes_to_the_token_server() -> None:
    wire = Wire(bearer("https://auth.anywhere.example/token"), token(), 200)
    request = get().with_header("x-private", "mine").with_header("cookie", "session=1").replace(method="PUT", body=b"content")
    Caller(wire)(request)
    asked: Request = wire.sent[1]
    assert asked.body == b""
    assert {name for name, _ in asked.headers} <= {"authorization", "user-agent", "accept", "accept-encoding"}
