"""What the configuration says of networks reaches the wire: authorities, client certificates, certs.d, mirrors."""

from __future__ import annotations

import shutil
import ssl

import pytest

from registryauth.digest import Digest
from registryauth.testing import RegistrySimulator

from ..http_transport.certificates import Authority

LAYER = b"a layer"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def configure(home):
    def configure(text):
        file = home / ".config/registryauth/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return configure


@pytest.fixture
def guarded(authority):
    """A registry that lets nobody in without a certificate by the authority; where it is."""
    registry = RegistrySimulator(anonymous_pull=True)
    registry.add_image("team/model", "v1", [LAYER])
    with registry.serve(authority.server(clients=ssl.CERT_REQUIRED)) as host:
        yield host


def test_a_client_certificate_is_configured_for_its_registry(cli, configure, guarded, authority):
    certificate, key = authority.client()
    said = f'[registries."{guarded}"]\nca_file = "{authority.ca_file}"\n'
    configure(said)
    assert cli("manifest", "get", f"{guarded}/team/model:v1").status == 6
    configure(f'{said}client_cert = "{certificate}"\nclient_key = "{key}"\n')
    assert cli("manifest", "get", f"{guarded}/team/model:v1").status == 0


def test_an_encrypted_key_is_a_usage_error_that_says_what_to_do(cli, configure, guarded, authority):
    certificate, key = authority.client(passphrase=b"canary")
    configure(f'[registries."{guarded}"]\nca_file = "{authority.ca_file}"\nclient_cert = "{certificate}"\nclient_key = "{key}"\n')
    done = cli("manifest", "get", f"{guarded}/team/model:v1")
    assert (done.status, done.raw) == (2, b"")
    assert f"the key {key} is encrypted" in done.err


def test_certs_d_is_read_unless_it_is_switched_off(cli, configure, guarded, authority, home):
    there = home / ".config/containers/certs.d" / guarded
    there.mkdir(parents=True)
    for file, name in zip((authority.ca_file, *authority.client()), ("ca.crt", "client.cert", "client.key"), strict=True):
        shutil.copy(file, there / name)
    assert cli("manifest", "get", f"{guarded}/team/model:v1").status == 0
    configure("[network]\ncerts_d = false\n")
    done = cli("manifest", "get", f"{guarded}/team/model:v1")
    assert done.status == 6
    assert "not trusted" in done.err


@pytest.fixture
def places():
    """A registry that is asked for manifests alone, its mirror, and where both are."""
    registry, mirror = RegistrySimulator(anonymous_pull=True), RegistrySimulator(anonymous_pull=True)
    registry.add_image("team/model", "v1", [LAYER])
    mirror.add_image("copies/team/model", "v1", [LAYER])
    with registry.serve() as here, mirror.serve() as there:
        yield registry, here, mirror, there


def test_pull_takes_blobs_from_a_mirror_and_the_tag_from_the_registry(cli, configure, places, tmp_path):
    registry, here, mirror, there = places
    configure(f'[registries."{here}"]\nmirrors = ["127.0.0.1:1", "{there}/copies"]\n')
    assert cli("pull", f"{here}/team/model:v1", tmp_path / "layout", "--platform", "linux/amd64").status == 0
    assert (tmp_path / "layout/blobs/sha256" / Digest.of(LAYER).encoded).read_bytes() == LAYER
    asked = [f"{request.method} {request.url.target}" for request in registry.requests]
    assert "GET /v2/team/model/manifests/v1" in asked
    assert not any("/blobs/" in line for line in asked)
    assert any("/blobs/" in request.url.target for request in mirror.requests)
    assert not any(request.url.target.endswith("/manifests/v1") for request in mirror.requests)


def test_manifest_get_names_every_place_that_was_asked(cli, configure, places):
    _, here, _, there = places
    configure(f'[registries."{here}"]\nmirrors = ["{there}/copies"]\n')
    done = cli("manifest", "get", f"{here}/team/model@sha256:{'0' * 64}")
    assert done.status == 3
    assert f"{here}/team/model@sha256:" in done.err
    assert "mirrors asked before:" in done.err
    assert f"{there}/copies/team/model: " in done.err


def test_an_ipv6_registry_may_be_configured_and_asked(cli, configure):
    registry = RegistrySimulator(anonymous_pull=True)
    registry.add_image("team/model", "v1", [LAYER])
    try:
        with registry.serve(address="::1") as host:
            configure(f'[registries."{host}"]\nkind = "public"\n')
            assert cli("manifest", "get", f"{host}/team/model:v1").status == 0
            assert cli("blob", "get", f"{host}/team/model@{Digest.of(LAYER)}").raw == LAYER
    except OSError:
        pytest.skip("this machine has no ::1")


def test_docker_hubs_own_authority_counts_where_its_api_is(monkeypatch, configure, authority, home):
    from registryauth.cli.session import Session

    seen = {}
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda environ, **said: seen.update(said))
    configure('[registries."docker.io"]\nca_file = "/ca"\nclient_cert = "/c"\n[registries."r.example:443"]\nca_file = "/ra"\n')
    Session().client(lambda _: (), "docker.io")
    assert seen["ca_files"] == {"registry-1.docker.io": "/ca", "r.example": "/ra"}
    assert seen["client_certs"] == {"registry-1.docker.io": ("/c", "")}
