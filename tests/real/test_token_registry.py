"""Our client, and anybody's httpx with `RegistryAuth`, against a registry and a token server that count."""

from __future__ import annotations

import ssl
import time

import anyio
import httpx
import pytest

from registryauth import AsyncClient, Basic, Client, IdentityToken, RegistryAuth
from registryauth._origin import Url
from registryauth.auth.flow import Authorizer
from registryauth.credentials import Pinned
from registryauth.errors import RealmRefused, TokenRefused, TransportError, Unauthorized

from .certificates import Authority
from .images import digest_of

pytestmark = pytest.mark.real

TIMES = 100
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Counter:
    """Requests since it was made, by the servers' own counts."""

    def __init__(self, server):
        self._server = server
        self._registry, self._tokens = self._now()

    def _now(self):
        return len(self._server.requests), len(self._server.token_server.requests)

    @property
    def registry(self):
        return self._now()[0] - self._registry

    @property
    def tokens(self):
        return self._now()[1] - self._tokens


@pytest.fixture
def reference(token_registry, push):
    return push(token_registry)


@pytest.fixture
def repository(reference):
    return reference.rpartition(":")[0]


@pytest.fixture
def count(token_registry, reference):
    """Counts from after the image was pushed."""
    return Counter(token_registry)


@pytest.fixture
def held(token_registry):
    """``held(credential)``: what a resolver would give, the token server pinned; the right password unless told otherwise."""
    right = Basic(token_registry.username, token_registry.password)
    return lambda credential=right: lambda _: (Pinned(credential, "a test's", (Url.parse(token_registry.realm).origin,)),)


@pytest.fixture
def trusted(token_registry):
    return {"ca_files": {"*": str(token_registry.ca_file)}}


@pytest.fixture
def verify(token_registry):
    return ssl.create_default_context(cafile=token_registry.ca_file)


def test_a_hundred_manifests_are_a_hundred_and_two_requests(held, trusted, repository, image, count):
    with Client(held(), **trusted) as client:
        inside = client.repository(repository)
        assert {inside.manifest("v1").raw for _ in range(TIMES)} == {image.manifest}
    assert (count.registry, count.tokens) == (TIMES + 1, 1)


def test_a_hundred_manifests_through_httpx_are_a_hundred_and_two_requests(held, verify, token_registry, image, count):
    with httpx.Client(auth=RegistryAuth(held()), verify=verify) as client:
        for _ in range(TIMES):
            answer = client.get(f"{token_registry.url}/v2/team/model/manifests/v1", headers={"accept": MANIFEST})
            assert answer.content == image.manifest
    assert (count.registry, count.tokens) == (TIMES + 1, 1)


def test_a_hundred_manifests_through_async_httpx_are_a_hundred_and_two_requests(held, verify, token_registry, image, count):
    async def fetch():
        async with httpx.AsyncClient(auth=RegistryAuth(held()), verify=verify) as client:
            for _ in range(TIMES):
                answer = await client.get(f"{token_registry.url}/v2/team/model/manifests/v1", headers={"accept": MANIFEST})
                assert answer.content == image.manifest

    anyio.run(fetch)
    assert (count.registry, count.tokens) == (TIMES + 1, 1)


def test_fetches_at_once_share_one_token(held, trusted, repository, image, count):
    async def fetch():
        async with AsyncClient(held(), **trusted) as client, anyio.create_task_group() as group:
            inside = client.repository(repository)

            async def one():
                assert (await inside.manifest("v1")).raw == image.manifest

            for _ in range(20):
                group.start_soon(one)

    anyio.run(fetch)
    assert count.tokens == 1


def test_manifest_and_blobs_of_one_repository_share_one_token(held, trusted, repository, image, count, tmp_path):
    with Client(held(), **trusted) as client:
        inside = client.repository(repository)
        for descriptor in inside.manifest("v1").layers:
            inside.download(descriptor, tmp_path / descriptor.digest.encoded)
    assert {digest_of(path.read_bytes()) for path in tmp_path.iterdir()} == {digest_of(layer) for layer in image.layers}
    assert (count.registry, count.tokens) == (1 + 1 + len(image.layers), 1)


def test_another_repository_takes_a_token_of_its_own_and_no_second_challenge(held, trusted, token_registry, push, count):
    push(token_registry, "team/other")
    count = Counter(token_registry)
    with Client(held(), **trusted) as client:
        for name in ("team/model", "team/other"):
            client.repository(f"{token_registry.host}/{name}").manifest("v1")
    assert (count.registry, count.tokens) == (3, 2)


def test_a_token_is_renewed_before_it_dies(held, verify, token_registry, count):
    now = time.time()
    authorizer = Authorizer(clock=lambda: now)
    with httpx.Client(auth=RegistryAuth(held(), authorizer=authorizer), verify=verify) as client:
        for elapsed in (0, 100, 295, 10):
            now += elapsed
            assert client.get(f"{token_registry.url}/v2/team/model/manifests/v1", headers={"accept": MANIFEST}).status_code == 200
    # The challenge is known by then: no request is spent on another 401.
    assert (count.registry, count.tokens) == (4 + 1, 2)


def test_a_token_that_the_registry_holds_for_dead_is_renewed_once(held, trusted, token_registry, repository, image, count):
    # The registry allows a token 60 seconds more, and we allow every token a minute: for both it is alive, for two more seconds.
    token_registry.token_server.lifetime = -57
    with Client(held(), **trusted) as client:
        inside = client.repository(repository)
        inside.manifest("v1")
        time.sleep(3.5)
        token_registry.token_server.lifetime = 300
        assert inside.manifest("v1").raw == image.manifest
    assert (count.registry, count.tokens) == (4, 2)


def test_a_token_that_is_dead_on_arrival_is_no_endless_loop(held, trusted, token_registry, repository, count):
    token_registry.token_server.lifetime = -3600
    with Client(held(), **trusted) as client, pytest.raises(Unauthorized):
        client.repository(repository).manifest("v1")
    assert count.tokens <= 2


def test_rights_that_only_the_registry_knows_of_are_asked_for(held, verify, token_registry, image, count):
    """To mount a blob takes a right on the other repository, too, which only the registry's challenge tells."""
    digest = digest_of(image.layers[0])
    with httpx.Client(auth=RegistryAuth(held()), verify=verify) as client:
        client.get(f"{token_registry.url}/v2/team/copy/tags/list")
        url = f"{token_registry.url}/v2/team/copy/blobs/uploads/?mount={digest}&from=team/model"
        mounted = client.post(url)
        assert mounted.status_code == 201
    scopes = token_registry.token_server.requests[-1].parameters["scope"]
    assert {scope.rpartition(":")[0] for scope in scopes} == {"repository:team/copy", "repository:team/model"}


def test_the_catalogue_takes_a_scope_of_another_type(held, verify, token_registry, reference):
    with httpx.Client(auth=RegistryAuth(held()), verify=verify) as client:
        answer = client.get(f"{token_registry.url}/v2/_catalog")
    assert answer.json() == {"repositories": ["team/model"]}
    assert token_registry.token_server.requests[-1].parameters["scope"] == ["registry:catalog:*"]


def test_a_push_through_httpx_takes_a_token_to_push_with(held, verify, token_registry, count):
    blob = b"a blob"
    with httpx.Client(auth=RegistryAuth(held()), verify=verify) as client:
        started = client.post(f"{token_registry.url}/v2/team/pushed/blobs/uploads/")
        where = httpx.URL(started.headers["location"]).copy_merge_params({"digest": digest_of(blob)})
        assert client.put(where, content=blob, headers={"content-type": "application/octet-stream"}).status_code == 201
        assert client.get(f"{token_registry.url}/v2/team/pushed/blobs/{digest_of(blob)}").content == blob
    # One token, wide enough to read with, too.
    assert (count.registry, count.tokens) == (4, 1)


def test_an_identity_token_is_traded_by_post_and_never_sent_to_the_registry(held, trusted, token_registry, repository, image):
    identity = token_registry.token_server.identity_token("svc-pull")
    with Client(held(IdentityToken(identity)), **trusted) as client:
        assert client.repository(repository).manifest("v1").raw == image.manifest
    asked = token_registry.token_server.requests[-1]
    assert (asked.method, asked.authorization, asked.parameters["refresh_token"]) == ("POST", "", [identity])


def test_a_wrong_password_is_one_attempt(held, trusted, repository, count):
    with Client(held(Basic("svc-pull", "wrong")), **trusted) as client, pytest.raises(TokenRefused, match="incorrect username or password"):
        client.repository(repository).manifest("v1")
    assert (count.registry, count.tokens) == (1, 1)


def test_a_revoked_identity_token_is_one_attempt(held, trusted, repository, count):
    with Client(held(IdentityToken("revoked")), **trusted) as client, pytest.raises(TokenRefused):
        client.repository(repository).manifest("v1")
    assert (count.registry, count.tokens) == (1, 1)


def test_a_token_server_that_was_not_pinned_gets_no_secret(trusted, token_registry, repository, count):
    unpinned = (Pinned(Basic(token_registry.username, token_registry.password), "a test's"),)
    with Client(lambda _: unpinned, **trusted) as client, pytest.raises(RealmRefused):
        client.repository(repository).manifest("v1")
    assert count.tokens == 0


@pytest.fixture
def other_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("other"))


def test_another_authority_is_not_enough(held, other_authority, repository, count):
    wrong = {"*": str(other_authority.ca_file)}
    with Client(held(), ca_files=wrong) as client, pytest.raises(TransportError, match="certificate that is not trusted"):
        client.repository(repository).manifest("v1")
    assert (count.registry, count.tokens) == (0, 0)


def test_an_authority_named_for_the_registry_alone_does_not_count_for_the_token_server(held, token_registry, repository, count):
    named = {token_registry.host: str(token_registry.ca_file)}
    with Client(held(), ca_files=named) as client, pytest.raises(TransportError, match="certificate that is not trusted"):
        client.repository(repository).manifest("v1")
    assert (count.registry, count.tokens) == (1, 0)


def test_the_systems_bundle_of_authorities_is_trusted(held, token_registry, repository, image, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(token_registry.ca_file))
    with Client(held()) as client:
        assert client.repository(repository).manifest("v1").raw == image.manifest


def test_the_systems_directory_of_authorities_is_trusted(held, token_registry, repository, image, monkeypatch, program, run, tmp_path):
    name = run([program("openssl"), "x509", "-hash", "-noout", "-in", token_registry.ca_file]).stdout.decode().strip()
    (tmp_path / f"{name}.0").symlink_to(token_registry.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with Client(held()) as client:
        assert client.repository(repository).manifest("v1").raw == image.manifest


def test_a_systems_directory_with_another_authority_is_not_enough(
    held, other_authority, repository, count, monkeypatch, program, run, tmp_path
):
    name = run([program("openssl"), "x509", "-hash", "-noout", "-in", other_authority.ca_file]).stdout.decode().strip()
    (tmp_path / f"{name}.0").symlink_to(other_authority.ca_file)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with Client(held()) as client, pytest.raises(TransportError, match="certificate that is not trusted"):
        client.repository(repository).manifest("v1")
    assert count.registry == 0
