"""What `resolve --format` writes, read by the programs that it is for; what is pulled comes from a real registry."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

_spec = importlib.util.spec_from_file_location("exports_conftest", Path(__file__).parent.parent / "exports" / "conftest.py")
assert _spec
assert _spec.loader
_exports = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_exports)
#: Passwords of characters that mean something to a shell or a parser.
AWKWARD = _exports.AWKWARD
ELSEWHERE = "registry.example:5000/team/app:v1"


@pytest.fixture
def exported(user, tmp_path):
    """``exported(format, reference…)``: the file that our command wrote for it."""

    def exported(name, *references, options=()):
        path = tmp_path / name
        user.registryauth("resolve", *references, "--format", name, "--output-file", path, *options)
        assert path.stat().st_mode & 0o777 == 0o600
        return path

    return exported


@pytest.fixture
def keep(user):
    """``keep(password)``: what the store then holds for `ELSEWHERE`, as account me."""

    def keep(password, address="registry.example:5000"):
        argv = ("principal", "add", address, "--client-id", "me", "--secret-stdin", "--no-verify")
        user.registryauth(*argv, stdin=f"{password}\n")

    return keep


@pytest.fixture
def skopeo(user, program):
    path = program("skopeo")
    return lambda *argv, **how: user.run(path, "--insecure-policy", *argv, **how)


@pytest.fixture
def kubectl(user, program):
    """``kubectl(verb, …)`` without a cluster."""
    path = program("kubectl")
    user.environ["KUBECONFIG"] = os.devnull
    return lambda *argv, **how: user.run(path, *argv, **how)


@pytest.fixture
def served(htpasswd_registry, push, user):
    """An image in a registry that wants a password, which our store has from here on."""
    reference = push(htpasswd_registry)
    user.login(htpasswd_registry)
    return reference


def inspected(skopeo, reference, auth_file):
    return skopeo("inspect", "--raw", "--tls-verify=false", "--authfile", auth_file, f"docker://{reference}").stdout.encode()


def docker_config_in(manifest):
    assert manifest["type"] == "kubernetes.io/dockerconfigjson"
    # kustomize breaks long lines, which Kubernetes' decoder passes over.
    return base64.b64decode(manifest["data"][".dockerconfigjson"].replace("\n", ""), validate=True)


class TestDockerAndContainers:
    @pytest.mark.parametrize("name", ["docker-config", "containers-auth", "gitlab-ci"])
    def test_skopeo_reads_the_image_with_the_file_alone(self, skopeo, served, image, exported, tmp_path, name):
        (tmp_path / "empty").write_text('{"auths": {}}')
        refused = skopeo("inspect", "--tls-verify=false", "--authfile", tmp_path / "empty", f"docker://{served}", check=False)
        assert "authentication required" in refused.stderr
        assert inspected(skopeo, served, exported(name, served)) == image.manifest

    def test_docker_reads_the_image_with_its_configuration(self, user, program, served, exported, tmp_path):
        docker = program("docker")
        (tmp_path / "docker").mkdir()
        exported("docker-config", served).rename(tmp_path / "docker" / "config.json")
        user.environ |= {"DOCKER_CONFIG": str(tmp_path / "docker"), "DOCKER_HOST": f"unix://{user.home}/no-daemon.sock"}
        assert json.loads(user.run(docker, "manifest", "inspect", "--insecure", served).stdout)["schemaVersion"] == 2

    def test_docker_reads_the_image_with_the_variable(self, user, program, served, exported):
        docker = program("docker")
        version = tuple(map(int, re.findall(r"\d+", user.run(docker, "--version").stdout)[:2]))
        if version < (28, 3):
            pytest.skip(f"docker {version[0]}.{version[1]} does not read DOCKER_AUTH_CONFIG; 28.3 does")
        user.environ |= {
            "DOCKER_AUTH_CONFIG": exported("gitlab-ci", served).read_text(),
            "DOCKER_HOST": f"unix://{user.home}/no-daemon.sock",
        }
        assert json.loads(user.run(docker, "manifest", "inspect", "--insecure", served).stdout)["schemaVersion"] == 2

    def test_podman_and_skopeo_take_the_entry_of_the_repository(self, skopeo, user, program, htpasswd_registry, served, image, exported):
        host = htpasswd_registry.host
        argv = ("principal", "add", f"{host}/other", "--client-id", "wrong", "--secret-stdin", "--no-verify", "--insecure")
        user.registryauth(*argv, stdin="wrong\n")
        path = exported("containers-auth", served, f"{host}/other/app:v1")
        assert set(json.loads(path.read_text())["auths"]) == {host, f"{host}/other"}
        assert inspected(skopeo, served, path) == image.manifest
        podman = program("podman")
        for repository, account in ((served.rpartition(":")[0], htpasswd_registry.username), (f"{host}/other/app", "wrong")):
            assert user.run(podman, "login", "--get-login", "--authfile", path, repository).stdout.strip() == account


class TestKubernetes:
    def test_kubectl_reads_the_secret_and_what_is_in_it_pulls(self, kubectl, skopeo, served, image, exported, tmp_path):
        options = ("--name", "pull", "--namespace", "prod", "--label", "team=ml")
        for name in ("kubernetes-secret", "kubernetes-secret-json"):
            path = exported(name, served, "mcr.microsoft.com/x", options=options)
            manifest = json.loads(kubectl("label", "--local", "-f", path, "seen=yes", "-o", "json").stdout)
            labels = {"app.kubernetes.io/managed-by": "registryauth", "team": "ml", "seen": "yes"}
            found = manifest["metadata"]
            assert (found["name"], found["namespace"], found["labels"]) == ("pull", "prod", labels)
            (tmp_path / "auth.json").write_bytes(docker_config_in(manifest))
            assert inspected(skopeo, served, tmp_path / "auth.json") == image.manifest

    def test_the_kubelet_finds_each_login_for_its_images_and_no_other(self, user, go_program, exported):
        kubelet = go_program("kubelet-secrets")
        accounts = {
            "whole.example": "whole", "whole.example/team": "team", "path.example:5000/team": "path", "path.example:5000/v2/app": "cut",
            "docker.io": "hub", "docker.io/me": "namespace",
        }  # fmt: skip
        for address, account in accounts.items():
            argv = ("principal", "add", address, "--client-id", account, "--secret-stdin", "--no-verify")
            user.registryauth(*argv, stdin="x")
        images = {
            "whole.example/app:v1": ["whole"], "whole.example/team/app:v1": ["team", "whole"], "path.example:5000/team/app": ["path"],
            "path.example:5000/v2/app": ["cut"], "docker.io/library/ubuntu": ["hub"], "docker.io/me/app": ["namespace"],
        }  # fmt: skip
        others = {"path.example:5000/other": [], "path.example/team/app": [], "elsewhere.example/team": [], "path.example:5000/app": []}
        # As the page says: the kubelet takes a path for the beginning of a name.
        others |= {"path.example:5000/teammate/app": ["path"]}
        manifest = exported("kubernetes-secret-json", *images).read_text()
        done = user.run(kubelet, *images, *others, stdin=manifest)
        found = {line["image"]: line["logins"] for line in map(json.loads, done.stdout.splitlines())}
        assert found == images | others

    def test_kubectl_reads_every_text_in_our_yaml_as_text(self, kubectl, tmp_path):
        from registryauth.exports.yaml_text import yaml_text

        numbers = ["1e3", "12e5", "0x10", "0o17", "017", "1_000", ".5", "+1", "12:30:45", "2027-01-01", ".inf", "y", "on", "77aa", "10m0s"]
        texts = [*AWKWARD, *numbers, "127.0.0.1:5000/a", "/s.db", "0f5c2f6e-client-id", "v1", "0xfg", "1e3z"]
        data = {f"k{number}": text for number, text in enumerate(texts)}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
        for ascii_only in (True, False):
            (tmp_path / "x.yaml").write_text(yaml_text(manifest, ascii_only=ascii_only), encoding="utf-8")
            read = json.loads(kubectl("label", "--local", "-f", tmp_path / "x.yaml", "seen=yes", "-o", "json").stdout)
            assert read["data"] == data

    def test_kubectl_reads_the_empty_secret_of_a_public_image(self, kubectl, exported):
        path = exported("kubernetes-secret", "mcr.microsoft.com/x")
        manifest = json.loads(kubectl("label", "--local", "-f", path, "seen=yes", "-o", "json").stdout)
        assert docker_config_in(manifest) == b'{"auths":{}}'

    def test_kubectl_makes_the_same_secret_of_the_same_content(self, kubectl, keep, exported, tmp_path):
        keep("x")
        ours = json.loads(exported("kubernetes-secret-json", ELSEWHERE, options=("--name", "pull")).read_text())
        (tmp_path / "content").write_bytes(docker_config_in(ours))
        argv = ("create", "secret", "generic", "pull", "--type", ours["type"], f"--from-file=.dockerconfigjson={tmp_path / 'content'}")
        theirs = json.loads(kubectl(*argv, "--dry-run=client", "-o", "json").stdout)
        assert {key: theirs[key] for key in ("apiVersion", "kind", "type", "data")} == {
            key: ours[key] for key in ("apiVersion", "kind", "type", "data")
        }

    @pytest.mark.parametrize(("reference", "names"), [(ELSEWHERE, ["pull"]), ("mcr.microsoft.com/x", ["other"])])
    def test_kubectl_patches_a_service_account(self, kubectl, keep, exported, tmp_path, reference, names):
        keep("x")
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}, "imagePullSecrets": [{"name": "other"}]}
        (tmp_path / "account.json").write_text(json.dumps(account))
        patch = exported("kubernetes-service-account", reference, options=("--name", "pull"))
        patched = kubectl("patch", "--local", "-f", tmp_path / "account.json", "-o", "json", "--patch-file", patch).stdout
        assert [each["name"] for each in json.loads(patched)["imagePullSecrets"]] == names

    def test_a_service_account_that_has_other_secrets_keeps_them_with_the_patch_in_the_docs(self, kubectl, tmp_path):
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}, "imagePullSecrets": [{"name": "other"}]}
        (tmp_path / "account.json").write_text(json.dumps(account))
        page = (Path(__file__).parents[2] / "docs" / "targets.md").read_text()
        (patch,) = re.findall(r"--type json --patch '(.*?)'", page)
        patched = kubectl("patch", "--local", "-f", tmp_path / "account.json", "-o", "json", "--type", "json", "--patch", patch).stdout
        assert [each["name"] for each in json.loads(patched)["imagePullSecrets"]] == ["other", "pull"]

    @pytest.mark.parametrize("reference", [ELSEWHERE, "mcr.microsoft.com/x"])
    def test_kustomize_builds_the_secret_that_we_write(self, kubectl, keep, exported, tmp_path, reference):
        keep(" ".join(AWKWARD))
        options = ("--name", "pull", "--namespace", "prod", "--label", "team=ml")
        written = json.loads(exported("kubernetes-secret-json", reference, options=options).read_text())
        (tmp_path / "base").mkdir()
        exported("kustomize", reference, options=options).rename(tmp_path / "base" / "kustomization.yaml")
        (tmp_path / "built.yaml").write_text(kubectl("kustomize", tmp_path / "base").stdout)
        built = json.loads(kubectl("label", "--local", "-f", tmp_path / "built.yaml", "team=ml", "-o", "json").stdout)
        assert docker_config_in(built) == docker_config_in(written)
        assert {key: built["metadata"][key] for key in written["metadata"]} == written["metadata"]


#: A chart whose secret is made of ``imageCredentials`` in the way that Helm's documentation shows.
_TEMPLATE = """
{{- with .Values.imageCredentials }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
type: kubernetes.io/dockerconfigjson
data:
  {{- $auth := printf "%s:%s" .username .password | b64enc }}
  {{- $form := "{\\"auths\\":{\\"%s\\":{\\"username\\":\\"%s\\",\\"password\\":\\"%s\\",\\"email\\":\\"%s\\",\\"auth\\":\\"%s\\"}}}" }}
  .dockerconfigjson: {{ printf $form .registry .username .password .email $auth | b64enc }}
{{- end }}
"""


class TestHelm:
    @pytest.fixture
    def rendered(self, user, go_program, tmp_path):
        """``rendered(values)``: the manifest that a chart makes, None for none."""
        helm = go_program("helm")
        (tmp_path / "chart" / "templates").mkdir(parents=True)
        (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
        (tmp_path / "chart" / "templates" / "secret.yaml").write_text(_TEMPLATE)

        def rendered(values):
            import yaml

            return yaml.safe_load(user.run(helm, "template", "release", tmp_path / "chart", "--values", values).stdout)

        return rendered

    @pytest.mark.parametrize("password", ["1e3", "yes", " ".join(text for text in AWKWARD if not set(text) & set('"\\'))])
    def test_a_chart_makes_the_secret(self, rendered, keep, exported, password):
        keep(password)
        manifest = rendered(exported("helm-values", ELSEWHERE, options=("--name", "pull")))
        entry = json.loads(docker_config_in(manifest))["auths"]["registry.example:5000"]
        assert manifest["metadata"]["name"] == "pull"
        assert (entry["username"], entry["password"]) == ("me", password)
        assert base64.b64decode(entry["auth"]).decode() == f"me:{password}"

    def test_and_none_for_a_public_image(self, rendered, exported):
        assert rendered(exported("helm-values", "mcr.microsoft.com/x")) is None


class TestFish:
    def test_any_password_arrives_as_it_is(self, user, program, keep, exported):
        fish = program("fish")
        password = " ".join(AWKWARD)
        keep(password)
        script = f"source {shlex.quote(str(exported('env-fish', ELSEWHERE)))}"
        shown = user.run(fish, "--no-config", "-c", f"{script}; env -0").stdout
        given = dict(line.split("=", 1) for line in shown.split("\0") if line.startswith("REGISTRYAUTH_"))
        assert given == {
            "REGISTRYAUTH_REGISTRY": "registry.example:5000", "REGISTRYAUTH_USERNAME": "me", "REGISTRYAUTH_PASSWORD": password,
        }  # fmt: skip

    def test_a_public_image_takes_an_earlier_one_away(self, user, program, exported):
        fish = program("fish")
        script = f"set -gx REGISTRYAUTH_PASSWORD x; source {shlex.quote(str(exported('env-fish', 'mcr.microsoft.com/x')))}; env"
        done = user.run(fish, "--no-config", "-c", script)
        assert "REGISTRYAUTH_" not in done.stdout
        assert done.stderr == ""


class TestTerraform:
    @pytest.fixture
    def output(self, user, program, tmp_path):
        """``output(file)``: what Terraform has in the variable; the docker provider itself is not run, for it cannot be had offline."""
        terraform = program("terraform")
        user.environ |= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": str(tmp_path / "terraformrc")}
        (tmp_path / "terraformrc").touch()
        (tmp_path / "stack").mkdir()
        kind = "list(object({ address = string, username = string, password = string }))"
        text = f'variable "registry_auth" {{\n  type = {kind}\n  sensitive = true\n}}\n'
        text += 'output "seen" {\n  sensitive = true\n  value = [for each in var.registry_auth : each]\n}\n'
        (tmp_path / "stack" / "main.tf").write_text(text)

        def output(path):
            path.rename(tmp_path / "stack" / "terraform.tfvars.json")
            chdir = f"-chdir={tmp_path / 'stack'}"
            user.run(terraform, chdir, "init", "-input=false", "-no-color", timeout=120)
            user.run(terraform, chdir, "apply", "-auto-approve", "-input=false", "-no-color", timeout=120)
            return json.loads(user.run(terraform, chdir, "output", "-json", "seen").stdout)

        return output

    def test_the_variable_holds_each_registry(self, output, keep, exported):
        keep("".join(AWKWARD).replace("<token>", ""))
        keep("hub", "docker.io")
        assert output(exported("terraform", ELSEWHERE, "ubuntu", "mcr.microsoft.com/x")) == [
            {"address": "registry-1.docker.io", "username": "me", "password": "hub"},
            {"address": "registry.example:5000", "username": "me", "password": "".join(AWKWARD).replace("<token>", "")},
        ]
