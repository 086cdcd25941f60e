"""An identity token of a sign-in, renewed; and what a pull with Entra costs."""

from __future__ import annotations

import io
import json

import pytest

from registryauth import docker_helper
from registryauth.azure import wire
from registryauth.azure.renewal import Renewal
from registryauth.client import Client
from registryauth.errors import AzureError, Conflict, NoIdentity, StoreUnavailable
from registryauth.exports import export
from registryauth.reference import Address
from registryauth.resolver import Resolver
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore
from registryauth.stores.principal import ENTRA_LABEL, RENEW_BEFORE
from registryauth.testing import answers

HOST = "myregistry.azurecr.io"
ADDRESS = Address.parse(HOST)


@pytest.fixture
def registry(azure, app):
    made = azure.registry("myregistry")
    azure.assign(app, "AcrPull", made)
    for name in ("one", "two"):
        made.images.add_image(f"team/{name}", "v1")
        made.images.add_image(f"team/{name}", "v2", layers=[b"other"])
    return made


@pytest.fixture(autouse=True)
def _everything_leads_to_the_simulator(monkeypatch, azure):
    monkeypatch.setattr(wire, "open_transport", lambda *_, **__: azure.transport())


@pytest.fixture
def store():
    return MemoryStore()


def kept(store, clock, *, left, way="client-secret", **said):
    """A record whose token has *left* seconds."""
    slot = Slot("old-token", added_at=int(clock.now), expires_at=int(clock.now + left), serial=1)
    labels = ((ENTRA_LABEL, way), ("team", "ml")) if way else ()
    return store.put(Principal(ADDRESS, "<token>", (slot,), kind="identity-token", labels=labels, **said))


@pytest.fixture
def renew(config, environ, store, clock, said):
    return lambda record: Renewal(config(environ), environ, warn=said.append, clock=clock).renewed(store, record)


@pytest.fixture
def said():
    return []


@pytest.mark.parametrize(("left", "renewed"), [(RENEW_BEFORE, False), (RENEW_BEFORE - 1, True), (1, True), (0, True), (-99999, True)])
def test_it_is_renewed_when_half_an_hour_is_left(renew, store, clock, registry, azure, left, renewed):
    record = kept(store, clock, left=left)
    found = renew(record)
    assert (found.slots[0].secret != "old-token") is renewed
    assert (len(azure.requests) > 0) is renewed
    assert store.exact(record.key) == found


def test_the_next_one_has_its_own_dates_and_the_rest_stays(renew, store, clock, registry, asked):
    record = kept(store, clock, left=60, owner="ml", tenant="")
    found = renew(record)
    assert found.slots[0].expires_at == clock.now + 11_700
    assert found.slots[0].serial == 2
    assert (found.owner, found.labels, found.kind, found.preferred_at) == ("ml", record.labels, "identity-token", record.preferred_at)
    assert [line.rpartition("/")[2] for line in asked()] == ["token", "exchange"]


@pytest.mark.parametrize("way", ["", "device-code"])
def test_what_needs_a_person_is_never_renewed(renew, store, clock, registry, azure, way):
    record = kept(store, clock, left=-1, way=way)
    assert renew(record) == record
    assert azure.requests == []


@pytest.mark.parametrize("kind", ["user", "service-principal"])
def test_a_label_makes_no_password_an_entra_token(renew, store, clock, azure, kind):
    record = kept(store, clock, left=-1).replace(kind=kind)
    assert renew(record) == record


def test_a_failure_is_told_and_the_present_token_used_while_it_is_good(renew, store, clock, registry, app, said):
    app.secrets.clear()
    record = kept(store, clock, left=600)
    assert renew(record) == record
    why = f"Entra refused the service principal {app.app_id}: its client secret is wrong (AADSTS7000215)"
    assert said == [f"the identity token for {HOST} could not be renewed: {why}"]


def test_a_failure_at_the_end_is_raised_with_what_to_do(renew, store, clock, registry, app):
    app.secrets.clear()
    with pytest.raises(AzureError, match="its client secret is wrong") as caught:
        renew(kept(store, clock, left=0))
    assert caught.value.hint.endswith(f"registryauth azure acr login {HOST}")


def test_the_same_way_is_gone_about_and_no_other(renew, store, clock, registry, azure):
    """The environment has a client secret, and the token was the CLI's."""
    with pytest.raises(NoIdentity, match="no Azure CLI"):
        renew(kept(store, clock, left=0, way="azure-cli"))
    assert azure.requests == []


def test_a_store_that_cannot_be_written_hands_out_the_new_token_all_the_same(renew, store, clock, registry, said, monkeypatch):
    record = kept(store, clock, left=0)

    def full(*_):
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(store, "put", full)
    assert renew(record).slots[0].secret != "old-token"
    assert said == [f"the renewed token for {HOST} is not kept: the disk is full"]


def test_somebody_elses_renewal_at_the_same_moment_stays(renew, store, clock, registry, said):
    record = kept(store, clock, left=0)
    theirs = store.put(record.replace(slots=(Slot("theirs", expires_at=int(clock.now + 9000), serial=2),)))
    assert renew(record).slots[0].secret not in ("old-token", "theirs")
    assert store.exact(record.key) == theirs
    assert said == []
    with pytest.raises(Conflict):
        store.put(record, record.revision)


@pytest.fixture
def resolver(config, environ, store, clock, said):
    return Resolver.from_config(config(environ), environ, store, clock=clock, notice=said.append)


def test_nothing_is_asked_before_the_credential_is_read(resolver, store, clock, registry, azure):
    kept(store, clock, left=60)
    secret = resolver.resolve(f"{HOST}/team/one:v1")
    assert "renewed by signing in to Entra (client-secret) when it is read" in secret.explain()
    assert (azure.requests, secret.expires_at, secret.renews) == ([], 0, True)
    first = secret.credential
    assert first.token != "old-token"
    assert secret.expires_at == clock.now + 11_700
    asked = len(azure.requests)
    assert resolver.resolve(f"{HOST}/team/two:v1").credential == first
    assert len(azure.requests) == asked, "what was renewed is read from the store"


def test_hundreds_of_images_at_once_cost_one_sign_in(resolver, store, clock, registry, azure, asked):
    kept(store, clock, left=60)
    secrets = resolver.resolve_all(f"{HOST}/team/model{number % 250}:v{number}" for number in range(500))
    assert asked() == []
    text = export(secrets, "docker-config").text
    assert secrets[0].credential.token in text
    assert [line.partition("?")[0].rpartition("/")[2] for line in asked()] == ["token", "exchange"]


def test_the_first_manifest_costs_five_requests_and_each_further_one_in_its_repository_one(resolver, store, clock, registry, azure, asked):
    kept(store, clock, left=60)
    with Client(resolver, transport=azure.transport()) as client:
        repository = client.repository(f"{HOST}/team/one")
        repository.manifest("v1")
        assert [line.replace(azure.home.id, "TENANT") for line in asked()] == [
            f"GET https://{HOST}/v2/team/one/manifests/v1",
            "POST https://login.microsoftonline.com/TENANT/oauth2/v2.0/token",
            f"POST https://{HOST}/oauth2/exchange",
            f"POST https://{HOST}/oauth2/token",
            f"GET https://{HOST}/v2/team/one/manifests/v1",
        ]
        repository.manifest("v2")
        assert len(asked()) == 6
        client.repository(f"{HOST}/team/two").manifest("v1")
        assert len(asked()) == 8, "another repository costs a token, and no sign-in"


def test_a_token_is_never_in_a_trace_or_a_repr(resolver, store, clock, registry, azure):
    kept(store, clock, left=60)
    secret = resolver.resolve(f"{HOST}/team/one:v1")
    token = secret.credential.token
    assert token not in f"{secret!r}{secret.explain()}{secret.trace}{secret.pinned!r}{store.list()!r}"


@pytest.fixture
def helper(config, environ, store, clock):
    def helper():
        out, err = io.StringIO(), io.StringIO()
        status = docker_helper.run(["get"], io.BytesIO(HOST.encode()), out, err, environ, store=store, clock=clock)
        return status, out.getvalue(), err.getvalue()

    return helper


def test_docker_gets_the_renewed_token(helper, store, clock, registry):
    kept(store, clock, left=60)
    status, out, err = helper()
    answer = json.loads(out)
    assert (status, answer["Username"], err) == (0, "<token>", "")
    assert registry.claims_of(answer["Secret"], "refresh_token")


def test_docker_is_not_warned_of_a_token_that_renews_itself(helper, store, clock, registry, azure):
    kept(store, clock, left=7200)
    status, out, err = helper()
    assert (status, json.loads(out)["Secret"], err) == (0, "old-token", "")
    assert azure.requests == []


def test_dockers_user_is_told_why_it_could_not_be_renewed(helper, store, clock, registry, azure):
    azure.fault(lambda request: answers.empty(request, 429, [("retry-after", "30")]), HOST)
    kept(store, clock, left=0)
    status, out, err = helper()
    assert (status, "throttling" in out, "wait 30 seconds" in err) == (1, True, True)
