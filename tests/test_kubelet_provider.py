"""What the kubelet is answered; that the kubelet itself reads it so is tested in tests/real/test_kubelet.py."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.credentials import NULL_GUID, IdentityToken
from registryauth.errors import AzureError, StoreLocked
from registryauth.kubelet_provider import API_VERSION, MARGIN, MAX_CACHE, NAME, duration, lifetime, read_request, run
from registryauth.reference import Address, Registry
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7b1d"
TOKEN = "e30.e30.canary-9e2f"
NOW = 1_000_000.0
ANNOTATIONS = {"kubernetes.azure.com/acr-client-id": "app", "kubernetes.azure.com/acr-tenant-id": "contoso"}


def asking(image, **more):
    return {"apiVersion": API_VERSION, "kind": "CredentialProviderRequest", "image": image, **more}


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def keep(store):
    def keep(address, account="me", slots=None, **said):
        return store.put(Principal(Address.parse(address, wildcard=True), account, slots or (Slot(CANARY),), **said))

    return keep


@pytest.fixture
def ask(store, tmp_path):
    """One request: status, the answer, standard error. *request* is an image, a document or bytes."""

    def ask(request, text="", store=store, sign_in_as=None, **environ):
        document = asking(request) if isinstance(request, str) else request
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        config = tmp_path / "config.toml"
        config.write_text(text)
        out, err = io.StringIO(), io.StringIO()
        environ = {"REGISTRYAUTH_CONFIG": str(config), **environ}
        status = run([], io.BytesIO(data), out, err, environ, store=store, clock=lambda: NOW, sign_in_as=sign_in_as)
        assert CANARY not in err.getvalue()
        return status, json.loads(out.getvalue()) if out.getvalue() else None, err.getvalue()

    return ask


@pytest.fixture
def auth(ask):
    """The logins in the answer to *image*."""

    def auth(image, text=""):
        status, answer, _ = ask(image, text)
        assert status == 0
        return answer["auth"]

    return auth


def login(username="me", password=CANARY):
    return {"username": username, "password": password}


def test_the_answer_is_the_login_for_the_image_and_for_nothing_else(ask, keep):
    keep("host.example")
    status, answer, err = ask("host.example/team/model")
    assert (status, err) == (0, "")
    assert answer == {
        "apiVersion": API_VERSION,
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Image",
        "cacheDuration": "1h0m0s",
        "auth": {"host.example/team/model": login()},
    }


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("host.example:5000/a/b:v1", "host.example:5000/a/b"),
        ("host.example:5000/a/b@sha256:" + "0" * 64, "host.example:5000/a/b"),
        ("host.example:5000/a/b:v1@sha256:" + "0" * 64, "host.example:5000/a/b"),
        ("HOST.example:5000/a", "HOST.example:5000/a"),
        ("docker.io/library/ubuntu", "docker.io/library/ubuntu"),
        ("ubuntu:24.04", "ubuntu"),
        ("index.docker.io/team/app", "index.docker.io/team/app"),
        ("[::1]:5000/a", "[::1]:5000/a"),
    ],
)
def test_the_key_is_the_image_as_it_was_spelled_without_tag_and_digest(auth, keep, image, key):
    for registry in ("host.example:5000", "docker.io", "[::1]:5000"):
        keep(registry)
    assert auth(image) == {key: login()}


@pytest.mark.parametrize("first", ["v1", "v2"])
def test_a_path_that_the_kubelet_would_shorten_is_given_what_it_cuts_off(auth, keep, first):
    keep("host.example")
    assert list(auth(f"host.example/{first}/app")) == [f"host.example/v2/{first}/app"]


def test_what_we_hold_nothing_for_gets_no_login_and_is_asked_again(ask, keep):
    keep("other.example")
    keep("host.example/team")
    status, answer, err = ask("host.example/teammate/model")
    assert status == 0
    assert (answer["auth"], answer["cacheDuration"], answer["cacheKeyType"]) == (None, "0s", "Image")
    assert f"{NAME}: nothing is stored for host.example/teammate/model" in err


def test_the_nearest_record_answers_and_never_a_deeper_one(auth, keep):
    keep("host.example", "whole")
    keep("host.example/team", "team")
    keep("host.example/team/model/deep", "deep")
    assert auth("host.example/team/model") == {"host.example/team/model": login("team")}
    assert auth("host.example/teammate") == {"host.example/teammate": login("whole")}


def test_a_wildcard_stands_for_one_label(auth, keep):
    keep("*.example.com")
    assert auth("a.example.com/x") == {"a.example.com/x": login()}
    assert auth("a.b.example.com/x") is None
    assert auth("a.example.com:5000/x") is None


def test_disabled_ambiguous_and_configured_accounts_are_as_for_docker(ask, auth, keep):
    keep("off.example", disabled_at=1)
    status, answer, err = ask("off.example/x")
    assert (status, answer["auth"]) == (0, None)
    assert "me at off.example is disabled" in err
    keep("host.example", "a")
    keep("host.example", "b")
    status, answer, err = ask("host.example/x")
    assert (status, answer) == (1, None)
    assert "2 accounts are stored for host.example and none of them is the default: a, b" in err
    assert auth("host.example/x", '[registries."host.example"]\naccount = "b"\n') == {"host.example/x": login("b")}


def test_a_host_that_looks_mistyped_is_answered(auth, store):
    store.put(Principal(Address.parse("x.azureecr.io", known=("x.azureecr.io",)), "me", (Slot(CANARY),)))
    assert auth("x.azureecr.io/a") == {"x.azureecr.io/a": login()}


@pytest.mark.parametrize(
    ("slots", "kept"),
    [
        ((Slot(CANARY),), "1h0m0s"),
        ((Slot(CANARY, expires_at=int(NOW) + 86400),), "1h0m0s"),
        ((Slot(CANARY, expires_at=int(NOW) + 1800 + MARGIN),), "30m0s"),
        ((Slot(CANARY, expires_at=int(NOW) + MARGIN + 1),), "1s"),
        ((Slot(CANARY, expires_at=int(NOW) + MARGIN),), "0s"),
        ((Slot(CANARY, expires_at=int(NOW) - 5),), "0s"),
        ((Slot("next", not_before=int(NOW) + 600 + MARGIN, serial=2), Slot(CANARY, serial=1)), "10m0s"),
        ((Slot(CANARY, serial=2), Slot("old", expires_at=int(NOW) + 120, serial=1)), "1h0m0s"),
    ],
)
def test_an_answer_is_kept_until_shortly_before_the_secret_changes(ask, keep, slots, kept):
    keep("host.example", slots=slots)
    _, answer, _ = ask("host.example/x")
    assert answer["cacheDuration"] == kept
    assert answer["auth"] == {"host.example/x": login()}


def test_a_secret_that_a_rotation_has_not_verified_yet_is_not_handed_out(auth, keep):
    keep("host.example", slots=(Slot(CANARY, serial=1), Slot("pending", serial=2)))
    assert auth("host.example/x") == {"host.example/x": login()}


@given(st.lists(st.integers(0, 2_000_000)), st.floats(0, 2_000_000))
def test_no_answer_outlives_what_it_holds(ends, now):
    seconds = lifetime(tuple(ends), now)
    assert 0 <= seconds <= MAX_CACHE
    assert all(seconds == 0 or now + seconds <= end - MARGIN for end in ends if end)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m0s"), (61, "1m1s"), (3600, "1h0m0s"), (3661, "1h1m1s")])
def test_a_duration_is_written_as_go_writes_it(seconds, text):
    assert duration(seconds) == text


class TestIdentityTokens:
    def test_azure_takes_one_as_the_password_of_the_null_guid(self, auth, keep):
        keep("myregistry.azurecr.io", "<token>", kind="identity-token")
        assert auth("myregistry.azurecr.io/x") == {"myregistry.azurecr.io/x": login(NULL_GUID)}

    def test_nobody_else_does_and_the_kubelet_is_told(self, ask, keep):
        keep("host.example", "<token>", kind="identity-token")
        status, answer, err = ask("host.example/x")
        assert (status, answer) == (1, None)
        assert "what is held for host.example is a token" in err


class TestServiceAccounts:
    IMAGE = "myregistry.azurecr.io/team/model"

    @pytest.fixture
    def traded(self):
        """A way to trade a service account's token; what it was asked is in ``asked``."""

        def traded(registry, token, client_id, tenant, config, environ):
            traded.asked.append((registry, token, client_id, tenant))
            return IdentityToken(CANARY), int(NOW) + 1800 + MARGIN

        traded.asked = []
        return traded

    def request(self, image=IMAGE, annotations=ANNOTATIONS):
        return asking(image, serviceAccountToken=TOKEN, serviceAccountAnnotations=annotations)

    def test_the_pod_pulls_as_its_own_application_and_the_registry_keeps_it(self, ask, keep, traded):
        keep("myregistry.azurecr.io", "of the node")
        _, answer, err = ask(self.request(), sign_in_as=traded)
        assert traded.asked == [(Registry("myregistry.azurecr.io"), TOKEN, "app", "contoso")]
        assert answer["auth"] == {"myregistry.azurecr.io": login(NULL_GUID)}
        assert (answer["cacheKeyType"], answer["cacheDuration"], err) == ("Registry", "30m0s", "")

    def test_the_tenant_may_be_the_nodes(self, ask, traded):
        ask(self.request(annotations={"kubernetes.azure.com/acr-client-id": "app"}), sign_in_as=traded, AZURE_TENANT_ID="fabrikam")
        assert traded.asked[0][3] == "fabrikam"

    @pytest.mark.parametrize(
        ("image", "annotations"),
        [(IMAGE, {}), (IMAGE, {"other": "x"}), ("host.example/team/model", ANNOTATIONS), ("x.azurecr.io.evil.example/a", ANNOTATIONS)],
    )
    def test_who_did_not_ask_for_it_or_asks_elsewhere_gets_what_is_stored(self, ask, keep, traded, image, annotations):
        for host in ("myregistry.azurecr.io", "host.example", "x.azurecr.io.evil.example"):
            keep(host)
        _, answer, _ = ask(self.request(image, annotations), sign_in_as=traded)
        assert answer["auth"] == {image: login()}
        assert traded.asked == []

    def test_a_refusal_is_no_reason_to_pull_as_the_node(self, ask, keep):
        keep("myregistry.azurecr.io")

        def refused(*_):
            raise AzureError("AADSTS700213: no such federated credential", hint="add one")

        status, answer, err = ask(self.request(), sign_in_as=refused)
        assert (status, answer) == (1, None)
        assert err == f"{NAME}: AADSTS700213: no such federated credential; add one\n"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"", "the request on standard input is empty"),
        (b"{", "is not JSON"),
        (b"[]", "must be an object"),
        (b"\xff", "is not UTF-8"),
        (b" " * 1_048_577, "is empty"),
        (b'"' + b"x" * 10_000_000 + b'"', "larger than the 1048576 bytes allowed"),
        (asking("host.example/x") | {"apiVersion": "credentialprovider.kubelet.k8s.io/v1beta1"}, "no request of credentialprovider.kube"),
        (asking("host.example/x") | {"kind": "Pod"}, "'Pod' of"),
        ({"image": "host.example/x"}, "but '' of ''"),
        (asking(""), "the reference is empty"),
        (asking(7), "image must be a string"),
        (asking("host.example/A B"), "there is a space in the reference"),
        (asking("host.example/x", serviceAccountAnnotations=["a"]), "serviceAccountAnnotations must be an object"),
        (asking("host.example/x", serviceAccountToken=5), "serviceAccountToken must be a string"),
    ],
)
def test_what_is_no_request_is_a_failure_with_one_clear_line(ask, keep, request_, said):
    keep("host.example")
    status, answer, err = ask(request_)
    assert (status, answer) == (1, None)
    assert said in err
    assert err.count("\n") == 1


def test_a_request_of_another_version_is_told_what_to_configure(ask):
    _, _, err = ask(asking("host.example/x") | {"apiVersion": "credentialprovider.kubelet.k8s.io/v1alpha1"})
    assert f"the kubelet's configuration must say apiVersion: {API_VERSION}" in err


def test_fields_that_a_later_kubelet_sends_are_no_fault(auth, ask, keep):
    keep("host.example")
    status, answer, _ = ask(asking("host.example/x", podName="p", future={"a": 1}))
    assert (status, answer["auth"]) == (0, {"host.example/x": login()})


def test_a_token_is_in_no_repr():
    request = read_request(json.dumps(asking("host.example/x", serviceAccountToken=TOKEN)).encode())
    assert request.token == TOKEN
    assert TOKEN not in repr(request)


def test_a_store_that_cannot_be_read_is_a_failure_with_its_reason(ask):
    class Locked(MemoryStore):
        def nearest(self, *_):
            raise StoreLocked("the store has a passphrase", hint="unlock it")

    assert ask("host.example/x", store=Locked()) == (1, None, f"{NAME}: the store has a passphrase; unlock it\n")


def test_a_line_of_the_configuration_that_is_wrong_is_named(ask):
    status, answer, err = ask("host.example/x", "[store]\npth = 1\n")
    assert (status, answer) == (1, None)
    assert "line 2" in err


@pytest.mark.parametrize(("argv", "status"), [(["--version"], 0), (["--help"], 0), (["-h"], 0), (["get"], 2), (["--version", "x"], 2)])
def test_what_it_is_told_on_the_command_line(argv, status):
    out, err = io.StringIO(), io.StringIO()
    assert run(argv, io.BytesIO(), out, err, {}) == status
    assert NAME in (err if status else out).getvalue()
    assert (out if status else err).getvalue() == ""
