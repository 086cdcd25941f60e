"""Records in a real OpenBao: the whole contract, each way to sign in, and what it says when it will not."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from registryauth._http import Request, open_transport
from registryauth._origin import Url
from registryauth.config import load
from registryauth.errors import Conflict, Error, StoreError, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores import Store
from registryauth.stores.configured import open_remote
from registryauth.stores.remote import Remote, Unreachable
from registryauth.stores.vault_kv import Forbidden
from registryauth.stores.vault_login import Kubernetes, Login
from registryauth.testing import StoreContract, VaultSimulator
from registryauth.testing.store_contract import a_record

from .certificates import Authority
from .openbao import ROOT_TOKEN, OpenBao, openbao

pytestmark = pytest.mark.real
_NUMBERS = itertools.count()
HOST = Address.parse("registry.example")
Open = Callable[..., Store]


@pytest.fixture(scope="module")
def bao(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao(program("bao"), tmp_path_factory.mktemp("openbao")) as server:
        server.must("POST", "sys/auth/approle", {"type": "approle"})
        yield server


@pytest.fixture
def mount(bao: OpenBao) -> str:
    """An empty engine of version 2."""
    name = f"kv-{next(_NUMBERS)}"
    bao.must("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": "2"}})
    # An engine is upgraded to version 2 after it was mounted; until then it answers 400.
    while bao.call("POST", f"{name}/data/probe", {"data": {}})[0] == 400:
        time.sleep(0.02)
    bao.must("DELETE", f"{name}/metadata/probe")
    return name


def settings(**said: str) -> dict[str, str]:
    """Our variables for *said*."""
    return {"REGISTRYAUTH_STORE_BACKEND": "vault", **{f"REGISTRYAUTH_VAULT_{name.upper()}": text for name, text in said.items()}}


@pytest.fixture
def opened(bao: OpenBao, mount: str, tmp_path: Path) -> Iterator[Open]:
    """``opened(…)``: a store by its settings, by default the test's own engine with the root token."""
    stores = []

    def opened(token: str = ROOT_TOKEN, **said: str) -> Store:
        environ = {"HOME": str(tmp_path), "VAULT_TOKEN": token, **settings(**{"address": bao.url, "mount": mount, **said})}
        stores.append(open_remote(load(environ), environ, notice=pytest.fail))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


class TestOpenBao(StoreContract):
    @pytest.fixture
    def store(self, opened: Open) -> Store:
        return opened()


class TestOpenBaoInANamespace(StoreContract):
    @pytest.fixture
    def store(self, bao: OpenBao, opened: Open) -> Store:
        name = f"team-{next(_NUMBERS)}"
        bao.must("POST", f"sys/namespaces/{name}")
        bao.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, namespace=name)
        while bao.call("POST", "secret/data/probe", {"data": {}}, namespace=name)[0] == 400:
            time.sleep(0.02)
        bao.must("DELETE", "secret/metadata/probe", namespace=name)
        return opened(namespace=name, mount="secret")


def refused(kind: type[Error], action: Callable[[], object], *words: str) -> None:
    with pytest.raises(kind) as caught:
        action()
    for word in words:
        assert word in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 5
    assert ROOT_TOKEN not in caught.value.message + caught.value.hint


def policy(bao: OpenBao, text: str) -> str:
    """A policy with these rules, its name."""
    name = f"policy-{next(_NUMBERS)}"
    bao.must("POST", f"sys/policies/acl/{name}", {"policy": text})
    return name


def token_of(bao: OpenBao, *policies: str, **more: object) -> str:
    return bao.must("POST", "auth/token/create", {"policies": policies, **more})["auth"]["client_token"]


def documented_policies() -> dict[str, str]:
    """The policies in docs/backends.md, by the comment that begins them."""
    page = (Path(__file__).parents[2] / "docs" / "backends.md").read_text()
    blocks = page.split("```hcl\n")[1:]
    return {block.splitlines()[0].removeprefix("# "): block.partition("```")[0] for block in blocks}


def test_the_documented_policies_allow_what_they_are_for_and_no_more(bao: OpenBao, mount: str, opened: Open) -> None:
    rules = {name: text.replace('"secret/', f'"{mount}/') for name, text in documented_policies().items()}
    assert list(rules) == [
        "registryauth: reads every record",
        "registryauth: reads one registry's records",
        "registryauth: writes records, too",
    ]
    everything, one, writing = (token_of(bao, policy(bao, text)) for text in rules.values())
    writer = opened(writing)
    mine, other = writer.put(a_record("myregistry.azurecr.io")), writer.put(a_record("other.example"))
    assert opened(everything).list() == [mine, other]
    refused(Forbidden, lambda: opened(everything).put(a_record("myregistry.azurecr.io")), "create and update")
    assert opened(one).get(mine.address) == mine
    assert opened(one).get(Address.parse("nothing.example/here")) is None
    refused(Forbidden, lambda: opened(one).get(other.address), "read", "other.example")
    assert writer.delete(mine.key) is True
    assert writer.list() == [other]


def test_eight_processes_writing_at_once_lose_nothing(opened: Open) -> None:
    """Each with a connection of its own, and each insisting."""
    opened().put(a_record("registry.example"))

    def add(name: str) -> None:
        store = opened()
        for _ in range(5):
            while True:
                before = store.exact(a_record("registry.example").key)
                assert before is not None
                try:
                    store.put(before.replace(labels=(*before.labels, (f"{name}-{len(before.labels)}", ""))), before.revision)
                    break
                except Conflict:
                    continue

    threads = [threading.Thread(target=add, args=(f"writer-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = opened().get(HOST)
    assert found is not None
    assert len(found.labels) == 40


def test_a_removed_secret_is_nowhere_in_the_vault(bao: OpenBao, mount: str, opened: Open) -> None:
    store = opened()
    for secret in ("first canary", "second canary"):
        record = store.put(a_record("registry.example", "deploy", secret))
    store.delete(record.key)
    for version in (1, 2, 3):
        _, answer = bao.call("GET", f"{mount}/data/registryauth/registry.example/deploy@?version={version}")
        assert "canary" not in json.dumps(answer)


def test_where_it_may_not_be_destroyed_it_says_so(bao: OpenBao, mount: str, tmp_path: Path) -> None:
    rules = f'path "{mount}/data/*" {{ capabilities = ["create", "update", "read"] }}'
    environ = {"HOME": str(tmp_path), "VAULT_TOKEN": token_of(bao, policy(bao, rules)), **settings(address=bao.url, mount=mount)}
    said: list[str] = []
    with closing(open_remote(load(environ), environ, notice=said.append)) as store:
        record = store.put(a_record("registry.example"))
        assert store.delete(record.key) is True
        assert store.exact(record.key) is None
    (text,) = said
    assert "former versions" in text
    assert "registryauth/registry.example/deploy@" in text


def test_what_an_admin_removes_by_hand_is_gone_and_can_be_written_again(bao: OpenBao, mount: str, opened: Open) -> None:
    store = opened()
    for api in ("data", "metadata"):
        first = store.put(a_record("registry.example"))
        bao.must("DELETE", f"{mount}/{api}/registryauth/registry.example/deploy@")
        assert store.get(HOST) is None
        refused(Conflict, lambda first=first: store.put(a_record("registry.example"), first.revision))  # type: ignore[misc]
        assert store.put(a_record("registry.example"), 0).revision > first.revision


def test_a_token_that_may_not_list_reads_where_the_account_is_named(bao: OpenBao, mount: str, opened: Open) -> None:
    written = opened().put(a_record("registry.example/team", "deploy"))
    store = opened(token_of(bao, policy(bao, f'path "{mount}/data/*" {{ capabilities = ["read"] }}')))
    assert store.get(Address.parse("registry.example/team/app"), "deploy") == written
    assert store.get(Address.parse("registry.example/team/app"), "nobody") is None
    refused(Forbidden, lambda: store.get(Address.parse("registry.example/team/app")), "list")
    refused(Forbidden, store.list, "list")


def test_a_wrong_and_an_expired_token_are_not_accepted(bao: OpenBao, opened: Open) -> None:
    refused(StoreLocked, lambda: opened("s.this-is-no-token").get(HOST), "did not accept", "VAULT_TOKEN", "expired or revoked")
    token = token_of(bao, ttl="1s")
    store = opened(token)
    assert store.get(HOST) is None
    time.sleep(1.5)
    with pytest.raises(StoreLocked, match="did not accept") as caught:
        store.get(HOST)
    assert not isinstance(caught.value, Forbidden)
    assert token not in str(caught.value)


def app_role(bao: OpenBao, tmp_path: Path, **role: object) -> tuple[str, Path]:
    """The id of a new role and the file with its secret id."""
    name = f"role-{next(_NUMBERS)}"
    bao.must("POST", f"auth/approle/role/{name}", {"token_policies": policy(bao, 'path "*" { capabilities = ["read", "list"] }'), **role})
    role_id = bao.must("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    file = tmp_path / "secret-id"
    file.write_text(bao.must("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"] + "\n")
    file.chmod(0o600)
    return role_id, file


def test_an_app_role_signs_in_and_signs_in_again_when_its_token_is_gone(bao: OpenBao, opened: Open, tmp_path: Path) -> None:
    written = opened().put(a_record("registry.example"))
    role_id, file = app_role(bao, tmp_path, token_ttl="1s", token_max_ttl="1s")
    store = opened("", auth="approle", role=role_id, secret_id_file=str(file))
    assert store.get(HOST) == written
    time.sleep(1.5)
    assert store.get(HOST) == written


def test_an_app_role_whose_secret_id_serves_once_lives_by_renewal(bao: OpenBao, opened: Open, tmp_path: Path) -> None:
    written = opened().put(a_record("registry.example"))
    role_id, file = app_role(bao, tmp_path, token_ttl="2s", secret_id_num_uses=1)
    store = opened("", auth="approle", role=role_id, secret_id_file=str(file))
    for _ in range(6):
        assert store.get(HOST) == written
        time.sleep(0.6)


def test_a_wrong_secret_id_is_refused_by_name(bao: OpenBao, opened: Open, tmp_path: Path) -> None:
    role_id, file = app_role(bao, tmp_path)
    file.write_text("canary-secret-id")
    with pytest.raises(StoreLocked, match="refused the AppRole") as caught:
        opened("", auth="approle", role=role_id, secret_id_file=str(file)).get(HOST)
    assert "canary" not in caught.value.message + caught.value.hint


@contextmanager
def token_reviews(accepted: str) -> Iterator[str]:
    """What a Kubernetes API answers to a TokenReview of the pod's token *accepted*; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["content-length"])))
            user = {"username": "system:serviceaccount:apps:puller", "uid": "1", "groups": ["system:serviceaccounts"]}
            good = review["spec"]["token"] == accepted
            body = json.dumps({**review, "status": {"authenticated": good, "user": user if good else {}}}).encode()
            self.send_response(201)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def pod_token(name: str) -> str:
    """A token as Kubernetes gives its pods; who signed it is the API's business."""
    about = {"namespace": "apps", "serviceaccount": {"name": name, "uid": "1"}}
    times = {"iat": int(time.time()) - 60, "nbf": int(time.time()) - 60, "exp": int(time.time()) + 600}
    claims = {"iss": "https://kubernetes.default.svc", "sub": f"system:serviceaccount:apps:{name}", "kubernetes.io": about, **times}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2lnbmVk"])


def test_a_pod_signs_in_with_the_token_that_kubernetes_gave_it(bao: OpenBao, authority: Authority, tmp_path: Path) -> None:
    bao.must("POST", "sys/auth/pods", {"type": "kubernetes"})
    rules = policy(bao, 'path "*" { capabilities = ["read", "list"] }')
    role = {"bound_service_account_names": "puller", "bound_service_account_namespaces": "apps", "token_policies": rules}
    bao.must("POST", "auth/pods/role/fleet", role)
    jwt = tmp_path / "token"
    jwt.write_text(pod_token("puller"))
    with token_reviews(jwt.read_text()) as api, closing(open_transport({})) as transport:
        cluster = {"kubernetes_host": api, "kubernetes_ca_cert": authority.ca_file.read_text(), "token_reviewer_jwt": pod_token("vault")}
        bao.must("POST", "auth/pods/config", cluster | {"disable_local_ca_jwt": True})
        remote = Remote(Url.parse(bao.url).replace(target=""), transport.send, "the vault")
        login = Login(Kubernetes(remote, "fleet", "pods", jwt_file=str(jwt)))
        assert bao.call("GET", "auth/token/lookup-self", token=login())[1]["data"]["meta"]["service_account_name"] == "puller"
        jwt.write_text(pod_token("stranger"))
        with pytest.raises(StoreLocked, match="refused this pod as the role fleet") as caught:
            login(login())
        assert jwt.read_text() not in caught.value.message


def test_what_is_not_there_is_named(bao: OpenBao, opened: Open) -> None:
    bao.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    for action in (lambda store: store.get(HOST), lambda store: store.put(a_record("registry.example")), lambda store: store.list()):
        refused(StoreUnavailable, lambda action=action: action(opened(mount="nowhere")), "nothing mounted at nowhere/")  # type: ignore[misc]
        refused(StoreUnavailable, lambda action=action: action(opened(mount="old")), "no key-value engine of version 2")  # type: ignore[misc]
        refused(StoreUnavailable, lambda action=action: action(opened(namespace="nobody")), "namespace nobody")  # type: ignore[misc]
    assert bao.call("GET", "old/data/registryauth/registry.example/deploy@")[0] == 404, "nothing was written there"


def test_a_sealed_vault_is_locked_and_a_stopped_one_unreachable(program: Callable[[str], str], opened: Open, tmp_path: Path) -> None:
    with openbao(program("bao"), tmp_path) as server:
        store = opened(address=server.url, mount="secret")
        written = store.put(a_record("registry.example"))
        server.must("PUT", "sys/seal")
        began = time.monotonic()
        refused(StoreLocked, lambda: store.get(HOST), "is sealed")
        assert time.monotonic() - began < 1, "nobody waits for a seal to open"
        assert store.status()["sealed"] is True
        server.must("PUT", "sys/unseal", {"key": server.unseal_key})
        assert store.get(HOST) == written
        assert store.status()["sealed"] is False
    refused(Unreachable, lambda: store.get(HOST), "cannot be reached")


def test_over_tls_only_the_named_authority_is_believed(program: Callable[[str], str], opened: Open, tmp_path: Path) -> None:
    with openbao(program("bao"), tmp_path, tls=True) as server:
        unknown = opened(address=server.url, mount="secret")
        refused(StoreUnavailable, lambda: unknown.get(HOST), "certificate that is not trusted")
        known = opened(address=server.url, mount="secret", ca_file=server.ca_file)
        assert known.put(a_record("registry.example")).revision


_ASKED = [
    ("GET", "secret/data/x/none", None, ROOT_TOKEN, ""),
    ("GET", "secret/metadata/x?list=true", None, ROOT_TOKEN, ""),
    ("POST", "secret/data/x/a", {"data": {"k": "v"}, "options": {"cas": 1}}, ROOT_TOKEN, ""),
    ("POST", "secret/data/x/a", {"data": {"k": "v"}, "options": {"cas": 0}}, ROOT_TOKEN, ""),
    ("POST", "secret/data/x/=2Ab@c~d", {"data": {"k": "w"}, "options": {"cas": 0}}, ROOT_TOKEN, ""),
    ("GET", "secret/data/x/a", None, ROOT_TOKEN, ""),
    ("GET", "secret/metadata/x?list=true", None, ROOT_TOKEN, ""),
    ("GET", "secret/metadata/?list=true", None, ROOT_TOKEN, ""),
    ("GET", "secret/data/x/..a", None, ROOT_TOKEN, ""),
    ("GET", "secret/data/x/%2E%2E", None, ROOT_TOKEN, ""),
    ("DELETE", "secret/data/x/a", None, ROOT_TOKEN, ""),
    ("GET", "secret/data/x/a", None, ROOT_TOKEN, ""),
    ("POST", "secret/data/x/a", {"data": {"k": "v"}, "options": {"cas": 0}}, ROOT_TOKEN, ""),
    ("POST", "secret/data/x/a", {"data": {"k": "v"}, "options": {"cas": 1}}, ROOT_TOKEN, ""),
    ("PUT", "secret/destroy/x/a", {"versions": [1, 2, 7]}, ROOT_TOKEN, ""),
    ("GET", "secret/data/x/a", None, ROOT_TOKEN, ""),
    ("GET", "nowhere/data/x", None, ROOT_TOKEN, ""),
    ("GET", "nowhere/metadata/x?list=true", None, ROOT_TOKEN, ""),
    ("GET", "secret/data/x/a", None, "s.wrong", ""),
    ("GET", "secret/data/x/a", None, ROOT_TOKEN, "nobody"),
    ("GET", "auth/token/lookup-self", None, "s.wrong", ""),
    ("GET", "sys/internal/ui/mounts/secret", None, ROOT_TOKEN, ""),
    ("GET", "sys/internal/ui/mounts/nowhere", None, ROOT_TOKEN, ""),
    ("POST", "auth/approle/login", {"role_id": "x", "secret_id": "y"}, "", ""),
]


def _told(answer: object) -> object:
    """What our code reads of an answer, without what differs from one server to the next."""
    if not isinstance(answer, dict):
        return answer
    data = answer.get("data") if isinstance(answer.get("data"), dict) else {}
    metadata = data.get("metadata") or {}
    options = (data.get("options") or {}).get("version")
    return answer.get("errors"), data.get("data"), data.get("keys"), data.get("version"), metadata.get("version"), data.get("type"), options


def test_the_simulator_answers_as_the_server_does(program: Callable[[str], str], tmp_path: Path) -> None:
    simulator = VaultSimulator(token=ROOT_TOKEN)
    with openbao(program("bao"), tmp_path) as server:
        server.must("POST", "sys/auth/approle", {"type": "approle"})
        for method, path, body, token, namespace in _ASKED:
            headers = (("x-vault-token", token), ("x-vault-namespace", namespace))
            content = b"" if body is None else json.dumps(body).encode()
            with simulator.handle(Request(method, Url.parse(f"https://vault.example/v1/{path}"), headers, content)) as answer:
                ours = answer.status, json.loads(answer.read(100_000) or b"null")
            theirs = server.call(method, path, body, token=token, namespace=namespace)
            assert (ours[0], _told(ours[1])) == (theirs[0], _told(theirs[1])), (method, path)


def test_errors_are_store_errors_with_their_exit_status() -> None:
    assert issubclass(Unreachable, StoreUnavailable)
    assert issubclass(Forbidden, StoreError)
