"""The fixtures are what they say, and the simulator is a registry to a client that we did not write."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request

import pytest

from registryauth.testing import RegistrySimulator

from .images import digest_of
from .programs import find_program, run

real = pytest.mark.real

ACCEPT = "application/vnd.oci.image.manifest.v1+json"
PULLS = [
    "/v2/",
    "/v2/team/model/manifests/v1",
    "/v2/team/model/manifests/DIGEST",
    "/v2/team/model/manifests/absent",
    f"/v2/team/model/manifests/sha256:{'0' * 64}",
    "/v2/team/model/blobs/LAYER",
    f"/v2/team/model/blobs/sha256:{'0' * 64}",
    "/v2/team/model/tags/list",
    "/v2/no/such/tags/list",
]


def get(url, *, authorization="", ca_file=None, accept="*/*"):
    """Status, headers and body, whatever the status, through nothing of ours."""
    headers = {"Accept": accept} | ({"Authorization": authorization} if authorization else {})
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10, context=context) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def comparable(status, headers, body):
    """What a client goes by: an error's code counts and its prose does not."""
    kept = [headers.get(name) for name in ("content-type", "docker-content-digest", "docker-distribution-api-version")]
    if status >= 400:
        return status, kept, [error["code"] for error in json.loads(body)["errors"]]
    return status, kept, int(headers["content-length"]) == len(body), json.loads(body) if body.strip().startswith(b"{") else body


def basic(server):
    return "Basic " + base64.b64encode(f"{server.username}:{server.password}".encode()).decode()


def test_a_missing_program_skips_by_name():
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        find_program("no-such-program")


def test_a_missing_program_that_is_required_fails():
    with pytest.raises(pytest.fail.Exception, match="REGISTRYAUTH_REQUIRE"):
        find_program("no-such-program", ["no-such-program"])


def test_a_failed_run_shows_what_was_printed():
    with pytest.raises(AssertionError, match="ended with 3\nstdout: out\n\nstderr: why"):
        run(["sh", "-c", "echo out; echo why >&2; exit 3"])


def test_a_run_without_end_is_ended():
    with pytest.raises(AssertionError, match="longer than"):
        run(["sleep", "30"], timeout=0.05)


@real
def test_the_open_registry_lets_anybody_in(docker_registry):
    assert get(f"{docker_registry.url}/v2/")[0] == 200


@real
def test_the_htpasswd_registry_challenges_and_takes_a_password_with_colons(htpasswd_registry):
    status, headers, _ = get(f"{htpasswd_registry.url}/v2/")
    assert (status, headers["www-authenticate"]) == (401, 'Basic realm="a realm"')
    assert get(f"{htpasswd_registry.url}/v2/", authorization=basic(htpasswd_registry))[0] == 200


@real
def test_the_token_registry_names_a_realm_at_another_origin(token_registry):
    status, headers, _ = get(f"{token_registry.url}/v2/", ca_file=token_registry.ca_file)
    assert status == 401
    assert f'realm="{token_registry.realm}"' in headers["www-authenticate"]
    assert not token_registry.realm.startswith(f"{token_registry.url}/")


@real
def test_the_token_registry_is_trusted_only_by_its_authority(token_registry):
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"{token_registry.url}/v2/")


@real
@pytest.mark.parametrize("grant", ["basic", "password", "refresh_token"])
def test_the_token_registry_accepts_its_token_servers_tokens(token_registry, grant):
    service = "service=registryauth-test-registry&client_id=test"
    ca = {"cafile": token_registry.ca_file}
    if grant == "basic":
        request = urllib.request.Request(f"{token_registry.realm}?{service}", headers={"Authorization": basic(token_registry)})
    else:
        login = f"username={token_registry.username}&password={token_registry.password}"
        refresh = f"refresh_token={token_registry.token_server.identity_token(token_registry.username)}"
        form = f"{service}&grant_type={grant}&{login if grant == 'password' else refresh}"
        request = urllib.request.Request(token_registry.realm, data=form.encode())
    with urllib.request.urlopen(request, context=ssl.create_default_context(**ca), timeout=10) as response:
        token = json.load(response)["access_token"]
    assert get(f"{token_registry.url}/v2/", authorization=f"Bearer {token}", ca_file=token_registry.ca_file)[0] == 200
    assert [asked.method for asked in token_registry.token_server.requests] == ["GET" if grant == "basic" else "POST"]


@real
def test_the_token_server_refuses_a_wrong_password(token_registry):
    wrong = "Basic " + base64.b64encode(b"svc-pull:wrong").decode()
    url = f"{token_registry.realm}?service=registryauth-test-registry"
    assert get(url, authorization=wrong, ca_file=token_registry.ca_file)[0] == 401


@real
@pytest.mark.parametrize("kind", ["docker_registry", "htpasswd_registry", "token_registry"])
def test_skopeo_pushes_and_reads_back_the_same_bytes(kind, request, image, push, program):
    server = request.getfixturevalue(kind)
    reference = push(server)
    login = ["--creds", f"{server.username}:{server.password}"] if server.username else []
    raw = run([program("skopeo"), "inspect", "--raw", "--tls-verify=false", *login, f"docker://{reference}"]).stdout
    assert raw == image.manifest


@real
def test_skopeo_trusts_the_token_registry_by_its_cert_dir(token_registry, image, push, program):
    reference = push(token_registry)
    login = ["--creds", f"{token_registry.username}:{token_registry.password}"]
    cert_dir = ["--cert-dir", token_registry.ca_file.parent]
    assert run([program("skopeo"), "inspect", "--raw", *cert_dir, *login, f"docker://{reference}"]).stdout == image.manifest


@pytest.fixture
def simulator():
    return RegistrySimulator(accounts={"svc-pull": "s3cret:with:colon", "reader": "r"}, rights={"reader": {"pull"}})


def test_the_simulator_serves_https_to_those_who_trust_it(simulator, authority):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("simulator"))
    with simulator.serve(tls) as host:
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            get(f"https://{host}/v2/")
        status, headers, _ = get(f"https://{host}/v2/", ca_file=authority.ca_file)
    assert (status, headers["www-authenticate"].partition(",")[0]) == (401, f'Bearer realm="https://{host}/token"')


@real
@pytest.mark.parametrize("path", PULLS)
def test_the_simulator_answers_as_docker_registry_does(path, docker_registry, image, push, program):
    path = path.replace("DIGEST", image.digest).replace("LAYER", digest_of(image.layers[0]))
    push(docker_registry)
    simulator = RegistrySimulator(auth="none")
    with simulator.serve() as host:
        run([program("skopeo"), "--insecure-policy", "copy", "--dest-tls-verify=false", image.layout, f"docker://{host}/team/model:v1"])
        said = [comparable(*get(f"http://{server}{path}", accept=ACCEPT)) for server in (host, docker_registry.host)]
    assert said[0] == said[1]


@real
@pytest.mark.parametrize("path", PULLS)
@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "OTHER"])
def test_the_simulator_challenges_as_docker_registry_does(path, authorization, simulator, token_registry):
    path = path.replace("DIGEST", f"sha256:{'1' * 64}").replace("LAYER", f"sha256:{'1' * 64}")
    said = []
    with simulator.serve() as host:
        realms = {
            f"http://{host}": (f"http://{host}/token", "registry.simulator"),
            token_registry.url: (token_registry.realm, "registryauth-test-registry"),
        }
        for url, (realm, service) in realms.items():
            sent = authorization
            if authorization == "OTHER":
                where = f"{realm}?service={service}&scope=repository:another/one:pull"
                token = json.loads(get(where, authorization=basic(token_registry), ca_file=token_registry.ca_file)[2])["token"]
                sent = f"Bearer {token}"
            status, headers, body = get(f"{url}{path}", authorization=sent, ca_file=token_registry.ca_file)
            challenge = headers.get("www-authenticate", "").replace(realm, "REALM").replace(service, "SERVICE")
            code = json.loads(body)["errors"][0]["code"] if status == 401 else ""
            said.append((status, challenge, code))
    assert said[0] == said[1]


@real
def test_skopeo_copies_an_image_into_the_simulator_and_out_again(simulator, image, program, tmp_path):
    skopeo = [program("skopeo"), "--insecure-policy", "copy"]
    with simulator.serve() as host:
        reference = f"docker://{host}/team/model:v1"
        run([*skopeo, "--dest-tls-verify=false", "--dest-creds", "svc-pull:s3cret:with:colon", image.layout, reference])
        run([*skopeo, "--src-tls-verify=false", "--src-creds", "reader:r", reference, f"oci:{tmp_path / 'out'}:v1"])
    blobs = tmp_path / "out" / "blobs" / "sha256"
    came_back = {f"sha256:{path.name}": path.read_bytes() for path in blobs.iterdir()}
    assert came_back == {digest_of(blob): blob for blob in (image.manifest, image.config, *image.layers)}
    assert any(asked.header("authorization").startswith("Bearer ") for asked in simulator.requests)


@real
def test_skopeo_copies_an_image_that_the_simulator_made(simulator, program, tmp_path):
    digest = simulator.add_image("team/model", "v1", [b"one layer", b"and another"])
    index = simulator.add_index("team/model", "all", {"linux/amd64": digest})
    with simulator.serve() as host:
        argv = [program("skopeo"), "--insecure-policy", "copy", "--all", "--src-tls-verify=false", "--src-creds", "reader:r"]
        run([*argv, f"docker://{host}/team/model:all", f"dir:{tmp_path / 'out'}"])
    assert digest_of((tmp_path / "out" / "manifest.json").read_bytes()) == str(index)
    assert digest_of((tmp_path / "out" / f"{digest.encoded}.manifest.json").read_bytes()) == str(digest)


@real
def test_skopeo_may_not_push_with_the_right_to_pull(simulator, image, program):
    with simulator.serve() as host:
        argv = [program("skopeo"), "--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "reader:r"]
        done = run([*argv, image.layout, f"docker://{host}/team/model:v1"], check=False)
    assert done.returncode != 0
    assert b"authentication required" in done.stderr
    assert simulator.shelf.blobs == {}


@real
def test_skopeo_follows_the_simulators_blob_redirect_without_its_token(simulator, image, program, tmp_path):
    simulator.add_image("team/model", "v1", [b"one layer"])
    with simulator.serve() as host, simulator.serve() as store:
        simulator.blob_redirect = f"http://{store}/store/"
        argv = [program("skopeo"), "--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds", "reader:r"]
        run([*argv, f"docker://{host}/team/model:v1", f"dir:{tmp_path / 'out'}"])
    fetched = [asked for asked in simulator.requests if asked.url.origin.netloc == store]
    assert len(fetched) == 2
    assert not any(asked.header("authorization") for asked in fetched)


@real
def test_docker_reads_a_manifest_from_the_simulator(simulator, program, tmp_path):
    simulator.add_image("team/model", "v1", [b"one layer"])
    login = base64.b64encode(b"reader:r").decode()
    with simulator.serve() as host:
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))
        argv = [program("docker"), "--config", tmp_path, "manifest", "inspect", "--insecure", f"{host}/team/model:v1"]
        manifest = json.loads(run(argv).stdout)
    assert manifest["layers"][0]["digest"] == digest_of(b"one layer")
