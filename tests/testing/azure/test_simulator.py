"""Azure as a whole: which host is what, its doors, its clock, its faults."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest

from registryauth import Basic, Client, IdentityToken
from registryauth._http.messages import Request
from registryauth._origin import Url
from registryauth.azure.clouds import CHINA, PUBLIC, US_GOVERNMENT
from registryauth.credentials import Pinned
from registryauth.errors import TransportError
from registryauth.testing import AzureSimulator
from registryauth.testing import faults as common
from registryauth.testing.azure import faults
from registryauth.testing.azure.tunnel import tunnel

from .asking import ACR, ARM, REGISTRIES, Asking


@pytest.mark.parametrize(
    ("cloud", "server", "blobs"),
    [
        (CHINA, "myregistry.azurecr.cn", "blob.core.chinacloudapi.cn"),
        (US_GOVERNMENT, "myregistry.azurecr.us", "blob.core.usgovcloudapi.net"),
    ],
)
def test_another_cloud_has_other_hosts_throughout(cloud, server, blobs):
    azure = AzureSimulator(cloud=cloud)
    registry = azure.registry("myregistry")
    app = azure.tenant().app("deploy")
    azure.assign(app, "Contributor")
    ask = Asking(azure)
    url = f"{cloud.authority}/{app.tenant.id}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": app.app_id,
        "client_secret": app.add_secret().value,
        "scope": cloud.management_scope,
    }
    token = ask.form(url, **form).json["access_token"]
    said = ask("GET", f"{cloud.management}{registry.id}?api-version={REGISTRIES}", authorization=f"Bearer {token}").json
    assert said["properties"]["loginServer"] == server
    assert blobs in registry.blob_host
    assert ask.form(f"https://{server}/oauth2/exchange", grant_type="access_token", service=server, access_token=token).status == 200
    with pytest.raises(TransportError):
        ask("GET", f"{ACR}/v2/")


@pytest.mark.parametrize(
    "host", ["nothing.azurecr.io", "myregistry.azurecr.io.evil.example", "myregistry.azureecr.io", "login.chinacloudapi.cn"]
)
def test_a_host_that_is_not_there_has_no_name(ask, registry, host):
    with pytest.raises(TransportError, match=f"there is no host {host}"):
        ask("GET", f"https://{host}/v2/")


def test_everything_is_recorded_and_the_registrys_own_part_apart(azure, ask, registry, app):
    ask.login(app, "wrong")
    ask("GET", f"{ACR}/v2/")
    assert [request.url.origin.host for request in azure.requests] == ["login.microsoftonline.com", "myregistry.azurecr.io"]
    assert len(registry.images.requests) == 1


def test_azures_clock_may_be_ahead(azure, ask, app, clock):
    azure.skew = 600
    answer = ask.login(app, app.add_secret().value)
    token = answer.json["access_token"]
    assert azure.entra.signer.read(token)["nbf"] == int(clock.now) + 600


@pytest.mark.parametrize("kind", ["secret", "identity token"])
def test_our_own_client_pulls_and_counts_its_requests(azure, ask, registry, app, kind, tmp_path):
    azure.assign(app, "AcrPull", registry)
    login = Basic(app.app_id, app.add_secret().value) if kind == "secret" else IdentityToken(ask.exchange(app).json["refresh_token"])
    azure.requests.clear()
    with Client(lambda repository: (Pinned(login, str(repository), ()),), transport=azure.transport()) as client:
        repository = client.repository("myregistry.azurecr.io/team/app")
        assert repository.manifest("v1").digest == registry.images.shelf.tags["team/app"]["v1"]
        # The challenge, the token, the manifest; and the next one costs itself.
        assert len(azure.requests) == 3
        layer = repository.manifest("v1").layers[0]
        assert len(azure.requests) == 4
        assert repository.download(layer, tmp_path / "layer") == len(b"a layer")
    assert "authorization" not in dict(azure.requests[-1].headers)


def test_httpx_reaches_it(azure, registry):
    with httpx.Client(transport=azure.httpx_transport()) as client:
        assert client.get(f"{ACR}/v2/").status_code == 401


@pytest.fixture
def served(azure):
    with azure.serve() as host:
        yield host


def get(host, path, name=None, **headers):
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", path, headers={"Host": name or host, **headers})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_over_a_socket_the_host_field_says_which_service_is_meant(azure, registry, served):
    assert get(served, "/v2/", "myregistry.azurecr.io")[0] == 401
    assert get(served, f"/{azure.home.id}/v2.0/.well-known/openid-configuration", "login.microsoftonline.com")[0] == 200
    assert json.loads(get(served, "/v1.0/applications", "graph.microsoft.com")[2])["error"]["code"] == "InvalidAuthenticationToken"


def test_over_a_socket_without_names_the_path_says_it_and_everything_stays_there(azure, registry, app, served):
    azure.assign(app, "AcrPull", registry)
    base = azure.endpoints(f"http://{served}")
    assert set(base.values()) == {f"http://{served}"}
    status, headers, _ = get(served, "/v2/team/app/manifests/v1")
    assert (status, f'realm="http://{served}/oauth2/token"' in headers["www-authenticate"]) == (401, True)
    assert get(served, "/metadata/endpoints?api-version=2022-09-01")[0] == 200
    assert get(served, f"/{azure.home.id}/v2.0/.well-known/openid-configuration")[0] == 200
    assert get(served, "/v1.0/applications")[0] == 401
    assert get(served, f"{registry.id}?api-version={REGISTRIES}")[0] == 401
    token = registry.access_token(registry_caller(app), ["repository:team/app:pull"])
    digest = next(str(one) for one, held in registry.images.shelf.blobs.items() if held == b"a layer")
    status, headers, _ = get(served, f"/v2/team/app/blobs/{digest}", Authorization=f"Bearer {token}")
    assert (status, headers["location"].startswith(f"http://{served}/")) == (307, True)
    assert get(served, headers["location"].removeprefix(f"http://{served}"))[2] == b"a layer"


def registry_caller(app):
    from registryauth.testing.azure.registry import Caller

    return Caller("entra", app.principal_id)


def test_a_tunnel_leads_every_name_to_one_place_and_nothing_else(served):
    with tunnel(served) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"CONNECT anything.example:443 HTTP/1.1\r\nHost: anything.example\r\n\r\n")
            assert client.recv(1024).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"GET /v2/ HTTP/1.1\r\nHost: graph.microsoft.com\r\nConnection: close\r\n\r\n")
            assert client.makefile("rb").readline().startswith(b"HTTP/1.1 401")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET http://anything.example/ HTTP/1.1\r\n\r\n")
            assert client.recv(1024).startswith(b"HTTP/1.1 405 ")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=1)


def test_a_tunnel_that_closes_leaves_no_thread(served):
    with tunnel(served) as url:
        host, port = url.removeprefix("http://").split(":")
        client = socket.create_connection((host, int(port)), timeout=10)
        client.sendall(b"CONNECT a:1 HTTP/1.1\r\n\r\n")
        assert client.recv(1024)
        silent = socket.create_connection((host, int(port)), timeout=10)
        assert [thread for thread in threading.enumerate() if thread.name == "tunnel"]
    with client, silent:
        assert not [thread for thread in threading.enumerate() if thread.name == "tunnel"]
        assert client.recv(1024) == b""


@pytest.mark.parametrize("cloud", [PUBLIC, CHINA])
def test_a_program_with_its_environment_meets_every_service_by_its_own_name(cloud):
    azure = AzureSimulator(cloud=cloud)
    azure.registry("myregistry", location="northeurope", data_endpoint=True)
    hosts = [cloud.authority.host, cloud.management.host, cloud.graph.host, f"myregistry{cloud.registry_suffix}"]
    regional = [f"myregistry.northeurope.{kind}{cloud.registry_suffix}" for kind in ("data", "geo")]
    with azure.environment() as reached:
        context = ssl.create_default_context(cafile=reached["SSL_CERT_FILE"])
        with httpx.Client(proxy=reached["HTTPS_PROXY"], verify=context, trust_env=False) as client:
            assert {client.get(f"https://{host}/").status_code < 500 for host in [*hosts, *regional]} == {True}
            with pytest.raises(httpx.TransportError):
                client.get("https://example.com/")
        assert reached["REQUESTS_CA_BUNDLE"] == reached["SSL_CERT_FILE"]
    assert {request.url.origin.host for request in azure.requests} == {*hosts, *regional}


def test_nothing_of_that_environment_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with AzureSimulator().environment() as reached:
        assert Path(reached["SSL_CERT_FILE"]).parent.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_fault_strikes_the_host_that_it_is_for(azure, ask, registry, app):
    azure.fault(common.too_many_requests("/v2/", retry_after="7"), host=".azurecr.io")
    limited = ask("GET", f"{ACR}/v2/")
    assert (limited.status, limited.headers.get("retry-after")) == (429, "7")
    assert ask.login(app, app.add_secret().value).status == 200
    azure.behave()
    assert ask("GET", f"{ACR}/v2/").status == 401


def test_an_answer_can_be_altered_and_stood_before_for_one_host(azure, ask, registry):
    azure.altered(common.wrong_field("/v2/", "www-authenticate", "Basic"), host="myregistry.azurecr.io")
    azure.interfered(common.slow("/v2/", 3, sleep=(waits := []).append), host="graph.microsoft.com")
    assert ask("GET", f"{ACR}/v2/").headers.get("www-authenticate") == "Basic"
    assert waits == []
    azure.interfered(common.slow("/v2/", 3, sleep=waits.append), host="myregistry.azurecr.io")
    ask("GET", f"{ACR}/v2/")
    assert waits == [3]


@pytest.mark.parametrize("service", ["registry", "management", "graph", "entra"])
def test_throttling_counts_down_and_ends(azure, ask, registry, clock, service):
    azure.fault(faults.throttled("GET /v2/", 30, azure.now, service=service))
    first = ask("GET", f"{ACR}/v2/")
    assert (first.status, first.headers.get("retry-after")) == (429, "30")
    assert first.json
    clock.now += 20
    assert ask("GET", f"{ACR}/v2/").headers.get("retry-after") == "10"
    clock.now += 10
    assert ask("GET", f"{ACR}/v2/").status == 401


def test_a_captive_portal_answers_for_everybody(azure, ask, registry):
    azure.fault(faults.captive_portal())
    for url in (f"{ACR}/v2/", f"{ARM}/subscriptions", "https://login.microsoftonline.com/x/oauth2/v2.0/token"):
        answer = ask("GET", url)
        assert (answer.status, answer.headers.get("content-type"), answer.body[:9]) == (200, "text/html; charset=utf-8", b"<!DOCTYPE")


def test_a_captive_portal_may_send_us_to_itself(azure, ask):
    azure.fault(faults.captive_portal("/subscriptions", status=302))
    answer = ask("GET", f"{ARM}/subscriptions")
    assert (answer.status, answer.headers.get("location")) == (302, "http://portal.example/login")


def test_json_of_another_shape(azure, ask):
    azure.fault(faults.wrong_shape("GET /subscriptions", {"value": "none"}))
    assert ask("GET", f"{ARM}/subscriptions").json == {"value": "none"}


def test_the_registrys_own_faults_work_behind_its_front(azure, ask, registry):
    registry.images.inject(common.server_error("/v2/"))
    assert ask("GET", f"{ACR}/v2/").status == 500


def test_a_fault_may_cut_the_connection(azure):
    azure.fault(common.no_answer("/v2/"), host="myregistry.azurecr.io")
    with pytest.raises(TransportError):
        azure.transport().send(Request("GET", Url.parse(f"{ACR}/v2/")))
