"""Current Go clients and servers beside our program: they use what only our store holds, and read the bytes that we read."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from .go_programs import BUILT, CLIENTS, GoClient, find_go_program, go_peers_directory
from .images import digest_of, make_index

real = pytest.mark.real

SCRIPT = Path(__file__).parents[2] / "scripts" / "go-peers"
PRIVATE = ["htpasswd_registry", "htpasswd_distribution_v3"]


@pytest.fixture
def server(request):
    """The registry that a test is parametrized with; an open one takes any account."""
    server = request.getfixturevalue(request.param)
    server.username = server.username or "anybody"
    server.password = server.password or "anything"
    return server


@pytest.fixture
def client(request, go_program, user, tmp_path):
    """The Go client that a test is parametrized with; it and our program have a docker configuration of their own."""
    user.environ["DOCKER_CONFIG"] = str(tmp_path / "docker")
    return GoClient(request.param, go_program(request.param), user.environ)


@pytest.fixture
def fake_go(tmp_path):
    """``fake_go(broken="")``: a Go that builds anything at once but *broken*; its installs are listed in the file it gives."""
    asked = tmp_path / "asked"

    def make(broken="nothing", version="go1.24.0"):
        program = tmp_path / "go"
        program.write_text(f"""#!/bin/sh
            [ "$1" = env ] && echo {version} && exit
            for wanted; do :; done
            [ "$1" = build ] && grep -q WithReferrersSupport main.go && wanted=$(awk '/^require/ {{ print $2 }}' go.mod)/registry-ggcr
            echo "$wanted" >> "{asked}"
            case $wanted in *{broken}*) echo no such module >&2; exit 1;; esac
            if [ "$1" = build ]; then
              while [ "$1" != -o ]; do shift; done
              mkdir -p "$(dirname "$2")" && echo a program > "$2" && chmod +x "$2"
              exit
            fi
            package=${{wanted%@*}}
            mkdir -p "$GOBIN" && echo a program > "$GOBIN/${{package##*/}}" && chmod +x "$GOBIN/${{package##*/}}"
        """)
        program.chmod(0o755)
        asked.write_text("")
        return asked

    return make


@pytest.fixture
def build(tmp_path):
    """``build(*argv)``: run scripts/go-peers with the fake Go."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GO": str(tmp_path / "go")}
    return lambda *argv: subprocess.run(["sh", SCRIPT, *argv], env=environment, capture_output=True, text=True, timeout=60)


class TestFindGoProgram:
    def test_what_was_built_comes_before_what_is_on_path(self, tmp_path):
        (tmp_path / "bin").mkdir()
        shutil.copy(shutil.which("true"), tmp_path / "bin" / "sh")
        assert find_go_program("sh", tmp_path) == str(tmp_path / "bin" / "sh")
        assert find_go_program("ls", tmp_path) == shutil.which("ls")

    def test_a_missing_one_skips_by_name_and_says_what_builds_it(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(pytest.skip.Exception, match=r"^crane is not installed; scripts/go-peers builds it$"):
            find_go_program("crane", tmp_path)

    def test_one_that_the_script_does_not_build_is_not_promised(self, tmp_path):
        with pytest.raises(pytest.skip.Exception, match=r"^no-such-program is not installed$"):
            find_go_program("no-such-program", tmp_path)

    def test_a_missing_one_that_is_required_fails(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(pytest.fail.Exception, match=r"crane is not installed.*REGISTRYAUTH_REQUIRE"):
            find_go_program("crane", tmp_path, ["crane"])

    @pytest.mark.parametrize(
        ("environment", "directory"),
        [
            ({"HOME": "/h"}, "/h/.cache/registryauth-go-peers"),
            ({"HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/c/registryauth-go-peers"),
            ({"HOME": "/h", "XDG_CACHE_HOME": "/c", "REGISTRYAUTH_GO_PEERS": "/p"}, "/p"),
        ],
    )
    def test_the_directory_is_the_one_that_is_named_or_the_scripts_own(self, environment, directory):
        assert go_peers_directory(environment) == Path(directory)


class TestScript:
    def test_builds_each_by_the_name_that_the_tests_ask_for(self, fake_go, build, tmp_path):
        fake_go()
        done = build(tmp_path / "peers")
        assert (done.returncode, done.stderr) == (0, "")
        assert {path.name for path in (tmp_path / "peers" / "bin").iterdir()} == BUILT
        assert len(done.stdout.splitlines()) == len(BUILT)

    def test_puts_them_where_the_tests_look(self, fake_go, build, tmp_path):
        fake_go()
        build()
        assert (go_peers_directory({"HOME": str(tmp_path)}) / "bin" / "crane").is_file()

    def test_leaves_alone_what_is_there(self, fake_go, build, tmp_path):
        asked = fake_go()
        build(tmp_path / "peers")
        asked.write_text("")
        (tmp_path / "peers" / "bin" / "oras").unlink()
        (tmp_path / "peers" / "stamp" / "regctl").write_text("an older version\n")
        assert build(tmp_path / "peers").returncode == 0
        assert [line.rpartition("/")[2].partition("@")[0] for line in asked.read_text().splitlines()] == ["oras", "regctl"]

    def test_a_failure_is_shown_and_stops_nothing_else(self, fake_go, build, tmp_path):
        fake_go(broken="oras.land")
        done = build(tmp_path / "peers")
        assert done.returncode == 1
        assert {path.name for path in (tmp_path / "peers" / "bin").iterdir()} == BUILT - {"oras"}
        assert [line for line in done.stdout.splitlines() if "FAILED" in line and "no such module" in line]
        assert {path.name for path in (tmp_path / "peers").iterdir()} == {"bin", "log", "stamp"}

    @pytest.mark.parametrize("version", ["go1.23.9", "gibberish"])
    def test_says_which_go_it_needs(self, fake_go, build, tmp_path, version):
        fake_go(version=version)
        done = build(tmp_path / "peers")
        assert (done.returncode, done.stdout) == (1, "")
        assert f"needs Go 1.24 or newer, found {version}" in done.stderr


@real
@pytest.mark.parametrize("server", PRIVATE, indirect=True)
class TestPrivateRegistry:
    def test_our_login_is_verified(self, server, user):
        assert f"Stored svc-pull for {server.host}: verified" in user.login(server).stderr

    def test_a_wrong_password_is_refused(self, server, user):
        done = user.login(server, password="wrong", check=False)
        assert (done.returncode, user.listed()) == (4, [])

    @pytest.mark.parametrize("client", CLIENTS, indirect=True)
    def test_a_client_pulls_with_a_credential_that_only_our_store_holds(self, server, client, push, image, user, tmp_path):
        reference = push(server)
        refused = client.manifest(reference, check=False)
        assert (refused.returncode != 0, refused.stdout) == (True, b"")
        assert b"auth" in refused.stderr.lower()

        user.login(server)
        user.registryauth("setup", "docker", server.host)
        client.pull(reference, tmp_path / "layout")

        written = {path.read_bytes() for path in (tmp_path / "layout" / "blobs" / "sha256").iterdir()}
        assert written >= {image.manifest, image.config, *image.layers}
        assert json.loads((tmp_path / "docker" / "config.json").read_text()) == {"credHelpers": {server.host: "registryauth"}}
        for path in [*tmp_path.rglob("*"), *user.home.rglob("*")]:
            assert not path.is_file() or server.password.encode() not in path.read_bytes()

    @pytest.mark.parametrize("client", CLIENTS, indirect=True)
    def test_a_client_is_refused_again_after_our_logout(self, server, client, push, user):
        reference = push(server)
        user.login(server)
        user.registryauth("setup", "docker", server.host)
        assert client.manifest(reference).stdout
        user.registryauth("logout", server.host)
        assert client.manifest(reference, check=False).returncode != 0


@real
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
@pytest.mark.parametrize("server", ["docker_registry", "htpasswd_distribution_v3"], indirect=True)
class TestSameBytes:
    @pytest.fixture(autouse=True)
    def _logged_in(self, server, client, user):
        user.login(server)
        user.registryauth("setup", "docker", server.host)

    def test_of_a_manifest_by_tag_and_by_digest(self, server, client, push, image, user):
        reference = push(server)
        pinned = f"{reference.removesuffix(':v1')}@{image.digest}"
        for asked in (reference, pinned):
            assert user.raw("manifest", "get", asked) == client.manifest(asked).stdout == image.manifest

    def test_of_every_blob(self, server, client, push, image, user):
        repository = push(server).removesuffix(":v1")
        for blob in (image.config, *image.layers):
            assert user.raw("blob", "get", f"{repository}@{digest_of(blob)}") == client.blob(repository, digest_of(blob)) == blob

    def test_of_an_index_and_of_the_image_chosen_from_it(self, server, client, program, user, tmp_path):
        index = make_index(tmp_path / "index", {"linux/amd64": b"for amd64", "linux/arm64": b"for arm64", "windows/amd64": b"elsewhere"})
        reference = f"{server.host}/team/multi:v1"
        login = ["--dest-creds", f"{server.username}:{server.password}"]
        skopeo = [program("skopeo"), "--insecure-policy", "copy", "--all", "--dest-tls-verify=false", *login]
        user.run(*skopeo, index.layout, f"docker://{reference}")

        assert user.raw("manifest", "get", reference) == client.manifest(reference).stdout
        for platform, manifest in index.manifests.items():
            ours = user.raw("manifest", "get", reference, "--platform", platform)
            assert ours == client.manifest(reference, "--platform", platform).stdout == manifest


@real
@pytest.mark.parametrize("server", ["distribution_v3"], indirect=True)
def test_distribution_v3_deletes(server, push, image, user):
    repository = push(server).removesuffix(":v1")
    path = repository.removeprefix(server.host)
    request = urllib.request.Request(f"{server.url}/v2{path}/manifests/{image.digest}", method="DELETE")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 202
    assert user.registryauth("manifest", "get", f"{repository}@{image.digest}", check=False).returncode == 3


@real
def test_our_road_through_distribution_v3s_token_auth(token_distribution_v3, push, image, user):
    server = token_distribution_v3
    reference = push(server)
    assert f"Stored svc-pull for {server.host}: verified" in user.login(server, "--repository", "team/model").stderr
    trusted = ["--ca-file", str(server.ca_file)]
    assert user.raw("manifest", "get", reference, *trusted) == image.manifest
    layer = digest_of(image.layers[0])
    assert user.raw("blob", "get", f"{reference.removesuffix(':v1')}@{layer}", *trusted) == image.layers[0]
