"""Each link broken once: exactly that step says so, with the reason and what to do, and nothing behind it is looked at."""

from __future__ import annotations

import json
import time

import pytest

from registryauth._http.tls import NotTls
from registryauth._origin import Origin
from registryauth.azure.acr_errors import Meaning
from registryauth.content.descriptor import Platform
from registryauth.diagnosis import LINKS
from registryauth.diagnosis.network import Found
from registryauth.errors import StoreLocked, TransportError
from registryauth.testing import answers, faults

from .conftest import CANARY, HOST, broken_at

NAMES = [name for name, _ in LINKS]


def step(found, name):
    return next(step for step in found.steps if step.name == name)


def test_a_sound_chain_is_ok_from_the_reference_to_the_platform(walk, keep):
    keep()
    found = walk(platform=Platform("linux", "amd64"))
    assert [(each.name, each.outcome) for each in found.steps] == [(name, "ok") for name in NAMES]
    assert (found.outcome, found.exit_code, found.broken) == ("ok", 0, None)
    assert step(found, "scope").facts["granted"] == ["pull"]
    assert all(each.seconds >= 0 for each in found.steps)


def test_every_step_is_timed(walk, keep, simulator):
    keep()
    simulator.interfere(faults.slow("GET /v2/$", 0.05))
    assert step(walk(), "challenge").seconds >= 0.05


@pytest.mark.parametrize(
    ("text", "detail", "hint"),
    [
        ("x.azureecr.io/team/model:v1", "slip of the finger", "azurecr.io"),
        (f"me:{CANARY}@{HOST}/team/model:v1", "user name", "--username"),
        (f"{HOST}/Team/model", "", ""),
    ],
)
def test_what_is_no_reference_is_broken_at_once_and_not_repeated(walk, text, detail, hint):
    found = walk(text)
    seen = broken_at(found, "reference")
    assert detail in seen.detail
    assert hint in seen.hint
    assert "\n" not in seen.detail
    assert CANARY not in json.dumps(found.plain())


def test_a_data_endpoint_is_no_registry_to_pull_from(walk):
    assert "serves blobs only" in broken_at(walk("myreg.westeurope.data.azurecr.io/team/model:v1"), "kind").hint


def test_two_accounts_and_no_choice_are_ambiguous(walk, keep):
    keep()
    keep(account="reader")
    assert broken_at(walk(), "credential").facts["error"] == "AmbiguousCredential"
    assert walk(account="me").outcome == "ok"


def test_a_disabled_entry_is_named(walk, keep):
    keep(disabled_at=1)
    seen = broken_at(walk(), "credential")
    assert "disabled" in seen.detail
    assert f"principal enable {HOST}" in seen.hint


def test_a_locked_store_is_what_is_broken(walk, store, monkeypatch):
    def locked(*_):
        raise StoreLocked("the store is locked", hint="registryauth unlock")

    monkeypatch.setattr(type(store), "nearest", locked)
    seen = broken_at(walk(), "credential")
    assert (seen.detail, seen.hint) == ("the store is locked", "registryauth unlock")


def test_without_a_credential_it_is_asked_without_one_and_the_login_is_the_next_step(walk):
    found = walk()
    assert step(found, "credential").outcome == "warning"
    assert f"registryauth login {HOST}" in step(found, "credential").hint
    assert f"registryauth login {HOST}" in broken_at(found, "token").hint


def test_a_public_image_needs_no_credential(walk, simulator):
    simulator.tokens.accounts.anonymous_pull = True
    found = walk("ghcr.io/team/model:v1")
    assert found.outcome == "ok"
    assert "though nobody logged in" in step(found, "token").detail


def test_a_host_that_cannot_be_found(walk, keep, network):
    keep()
    network.lost.add(HOST)
    assert "cannot be found" in broken_at(walk(), "dns").detail


def test_behind_a_proxy_the_host_need_not_be_known_here(walk, keep, network):
    keep()
    network.lost.add(HOST)
    found = walk(environ={"HTTPS_PROXY": f"http://me:{CANARY}@proxy.example:3128"})
    assert (found.outcome, step(found, "dns").detail) == ("ok", f"{HOST} is not known here, and need not be: the proxy looks it up")
    assert "http://***@proxy.example:3128, which HTTPS_PROXY names" in step(found, "connection").detail
    assert CANARY not in json.dumps(found.plain())


def test_a_proxy_that_no_proxy_leaves_out_is_told(walk, keep):
    keep()
    found = walk(environ={"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "example.com"})
    assert "HTTPS_PROXY does not count here" in step(found, "connection").detail


def test_a_private_endpoint_is_told_by_its_address_and_by_its_name(walk, keep, network):
    keep()
    network.found[HOST] = Found(("10.1.0.5",), "registry.privatelink.azurecr.io")
    assert "a private address" in step(walk(), "dns").detail
    network.found[HOST] = Found(("52.1.0.5",), "registry.privatelink.azurecr.io")
    assert "led to the public address" in step(walk(), "dns").detail


def test_nobody_listens(walk, keep, network):
    keep()
    network.refusing.add(HOST)
    assert "is the port right" in broken_at(walk(), "connection").hint


def test_a_certificate_that_is_not_believed_is_shown_with_its_dates(walk, keep, network):
    keep()
    network.unbelieved[HOST] = TransportError("a certificate that is not trusted: unable to get local issuer", hint="--ca-file")
    network.days = -10
    seen = broken_at(walk(), "tls")
    assert "unable to get local issuer" in seen.detail
    assert "CN=an authority" in seen.detail
    assert "this machine's clock says" in seen.detail
    assert seen.facts["names"] == [HOST]


def test_a_certificate_that_ends_soon_is_a_warning_and_the_walk_goes_on(walk, keep, network):
    keep()
    network.days = 13
    found = walk()
    assert (step(found, "tls").outcome, step(found, "tls").facts["days_left"]) == ("warning", 13)
    assert (found.outcome, found.exit_code, step(found, "platform").outcome) == ("warning", 7, "ok")


def test_a_certificate_that_never_lives_long_is_no_warning(walk, keep, network):
    keep()
    network.days, network.age = 1, 1
    assert walk().outcome == "ok"


def test_plain_http_is_broken_unless_it_was_named(walk, keep, network):
    keep()
    network.unbelieved[HOST] = NotTls(Origin("https", HOST, 443))
    assert "--insecure" in broken_at(walk(), "tls").hint
    assert step(walk(insecure=True), "tls").outcome == "warning"


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1:5000"])
def test_plain_http_on_this_machine_is_fine(walk, network, simulator, host):
    simulator.auth = "none"
    network.unbelieved[host.partition(":")[0]] = NotTls(Origin("https", host.partition(":")[0], 5000))
    assert walk(f"{host}/team/model:v1").outcome == "ok"


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (faults.server_error("GET /v2/$"), "the registry failed (500)"),
        (lambda r: answers.content(r, 404, "text/html", b"no"), "answers 404 to GET /v2/"),
        (lambda r: answers.content(r, 200, "text/html", b"<html>"), "answers with a web page"),
        (lambda r: answers.error(r, 401, "UNAUTHORIZED", "no"), "does not say what it wants"),
        (lambda r: answers.error(r, 401, "UNAUTHORIZED", "no", fields=[("www-authenticate", "Negotiate")]), "we speak Bearer and Basic"),
        (faults.no_answer("GET /v2/$"), "closed the connection"),
    ],
)
def test_what_is_no_registry_fails_at_the_challenge(walk, keep, simulator, fault, detail):
    keep()
    simulator.inject(fault)
    assert detail in broken_at(walk(), "challenge").detail


def test_azures_firewall_tells_our_address_and_what_to_do(walk, keep, simulator, network):
    keep(address="myreg.azurecr.io")
    network.found["myreg.azurecr.io"] = Found(("52.1.0.5",), "myreg.privatelink.azurecr.io")
    words = "client with IP '203.0.113.9' is not allowed access. Refer https://aka.ms/acr/firewall"
    simulator.inject(lambda request: answers.error(request, 403, "DENIED", words))
    seen = broken_at(walk("myreg.azurecr.io/team/model:v1"), "challenge")
    assert "203.0.113.9" in seen.detail
    assert "it has a private endpoint" in seen.detail
    assert "az acr network-rule add --name myreg --ip-address 203.0.113.9" in seen.hint


def test_a_clock_that_is_wrong_is_told_and_the_walk_goes_on(walk, keep, simulator):
    keep()
    simulator.alter(faults.wrong_field("GET /v2/$", "date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 600))))
    seen = step(walk(), "challenge")
    assert (seen.outcome, round(seen.facts["clock_skew_seconds"], -2)) == ("warning", 600)
    assert "seconds ahead of the registry's" in seen.detail


def test_a_foreign_token_server_gets_nothing(walk, keep, simulator):
    keep()
    simulator.realm = "https://tokens.evil.example/token"
    seen = broken_at(walk(), "realm")
    assert seen.facts["error"] == "RealmRefused"
    assert "--realm" in seen.hint
    assert not [request for request in simulator.requests if request.url.origin.host == "tokens.evil.example"]


def test_a_pinned_token_server_that_cannot_be_found(walk, keep, simulator, network):
    simulator.realm = "https://tokens.example.com/token"
    keep(realm=simulator.realm)
    assert walk().outcome == "ok"
    network.lost.add("tokens.example.com")
    assert "the token server is at tokens.example.com" in broken_at(walk(), "realm").hint


def test_a_refused_secret_is_refused_and_that_it_works_without_is_told(walk, keep, simulator):
    keep("wrong-secret")
    seen = broken_at(walk(), "token")
    assert "refused the credential" in seen.detail
    assert seen.facts == {"error": "TokenRefused", "status": 401, "works_without_credential": False}
    simulator.tokens.accounts.anonymous_pull = True
    seen = broken_at(walk(), "token")
    assert "it works without a credential" in seen.detail
    assert seen.facts["works_without_credential"]


def test_a_refused_secret_whose_day_is_over_has_expired(walk, keep):
    keep("wrong-secret", dates={"expires_at": int(time.time()) - 86400 * 3})
    found = walk()
    assert step(found, "credential").outcome == "warning"
    assert "by its date the secret expired 3 days ago" in broken_at(found, "token").detail
    assert found.broken.hint == f"put a new one in place: registryauth principal rotate {HOST} --account me"
    assert step(found, "credential").hint == f"{found.broken.hint}, or registryauth login {HOST}"


def test_a_secret_that_is_taken_though_its_date_is_past_is_no_broken_link(walk, keep):
    keep(dates={"expires_at": int(time.time()) - 86400 * 3})
    assert walk().outcome == "warning"


def test_whoever_issued_the_secret_is_asked_why(walk, keep):
    keep("wrong-secret")
    seen = broken_at(walk(meaning=Meaning("Entra says that it has expired", "rotate it")), "token")
    assert "Entra says that it has expired" in seen.detail
    assert seen.hint == "rotate it"


def test_throttling_is_told_apart_from_a_refusal(walk, keep, simulator):
    keep()
    simulator.inject(faults.too_many_requests("GET /token", retry_after="7"))
    seen = broken_at(walk(), "token")
    assert seen.facts["throttled"]
    assert "7 seconds" in seen.hint


def test_a_token_server_that_fails_is_no_refusal(walk, keep, simulator):
    keep()
    simulator.inject(faults.server_error("GET /token", status=503))
    seen = broken_at(walk(), "token")
    assert (seen.facts, seen.hint) == ({"error": "TransportError"}, "try again later")


def test_the_second_secret_is_tried_and_the_first_is_told(walk, keep):
    keep("wrong-secret", second=CANARY)
    found = walk()
    seen = step(found, "token")
    assert (found.outcome, seen.outcome) == ("warning", "warning")
    assert "for the second secret" in seen.detail


def test_a_password_that_the_registry_itself_refuses(walk, keep, simulator):
    simulator.auth = "basic"
    keep()
    assert walk().outcome == "ok"
    keep("wrong-secret")
    assert broken_at(walk(), "token").facts["status"] == 401


def test_a_token_that_grants_nothing_is_no_right(walk, keep, simulator):
    keep(account="reader")
    seen = broken_at(walk(), "scope")
    assert seen.facts["granted"] == []
    assert "pull is not among it" in seen.detail
    assert "the right to pull team/model" in seen.hint


def test_a_tag_that_is_not_there(walk, keep):
    keep()
    seen = broken_at(walk(f"{HOST}/team/model:v9"), "manifest")
    assert seen.facts["error"] == "NotFound"
    assert seen.hint.startswith(f"'registryauth tag list {HOST}/team/model' shows what is there; ")
    assert "account me" in seen.hint


def test_a_manifest_that_was_changed_on_the_way(walk, keep, simulator):
    keep()
    simulator.alter(faults.wrong_body("GET .*/manifests/"))
    assert broken_at(walk(), "layer").facts["error"] == "DigestMismatch"


def test_a_head_that_does_not_come_through_is_told_though_get_does(walk, keep, simulator):
    keep()
    simulator.inject(lambda r: answers.empty(r, 405) if r.method == "HEAD" else None)
    found = walk()
    assert (found.outcome, step(found, "manifest").facts) == ("warning", {"head_status": 405})
    assert step(found, "layer").outcome == "ok"


def redirecting(simulator, store="https://store.example.net/blobs/"):
    simulator.blob_redirect = store
    return store


def test_a_layer_elsewhere_is_fetched_without_saying_who_asks(walk, keep, simulator, network):
    keep()
    redirecting(simulator)
    found = walk()
    assert found.outcome == "ok"
    assert step(found, "layer").facts["hosts"] == ["store.example.net"]
    assert "store.example.net" in network.asked
    there = [request for request in simulator.requests if request.url.origin.host == "store.example.net"]
    assert [(request.header("range"), request.header("authorization")) for request in there] == [("bytes=0-0", "")]


def test_a_storage_host_that_cannot_be_found_is_named(walk, keep, simulator, network):
    keep()
    redirecting(simulator)
    network.lost.add("store.example.net")
    assert "store.example.net" in broken_at(walk(), "layer").hint


def test_a_storage_host_that_is_not_believed_is_named(walk, keep, simulator, network):
    keep()
    redirecting(simulator)
    network.unbelieved["store.example.net"] = TransportError("TLS with https://store.example.net failed: reset")
    assert "firewall" in broken_at(walk(), "layer").hint


def test_a_storage_host_that_refuses_is_named(walk, keep, simulator):
    keep()
    redirecting(simulator)
    simulator.inject(lambda r: answers.content(r, 403, "application/xml", b"") if r.url.origin.host == "store.example.net" else None)
    seen = broken_at(walk(), "layer")
    assert (seen.detail, seen.facts["hosts"]) == ("store.example.net refuses the content (403)", ["store.example.net"])


def test_a_redirect_into_somebodys_network_is_not_followed(walk, keep, simulator, network):
    keep()
    redirecting(simulator, "https://169.254.169.254/")
    assert broken_at(walk(), "layer").facts["error"] == "RealmRefused"
    assert not [request for request in simulator.requests if request.url.origin.host == "169.254.169.254"]
    assert "169.254.169.254" not in network.asked


def test_a_layer_that_is_gone_is_no_ok(walk, keep, simulator):
    keep()
    simulator.inject(lambda r: answers.error(r, 404, "BLOB_UNKNOWN", "gone") if "/blobs/" in r.url.target else None)
    assert broken_at(walk(), "layer").facts["error"] == "NotFound"


def test_an_index_without_the_platform_says_which_it_has(walk, keep):
    keep()
    seen = broken_at(walk(platform=Platform("linux", "arm64")), "platform")
    assert seen.detail == "it has nothing for linux/arm64"
    assert "linux/amd64" in seen.hint


def test_a_single_image_is_known_by_its_configuration(walk, keep):
    keep()
    assert broken_at(walk(f"{HOST}/team/model:amd", platform=Platform("linux", "arm64")), "platform").facts["there"] == ["linux/amd64"]
    assert walk(f"{HOST}/team/model:amd", platform=Platform("linux", "amd64")).outcome == "ok"


def test_a_server_that_repeats_the_secret_is_not_quoted(walk, keep, simulator):
    keep()
    simulator.inject(lambda r: answers.error(r, 403, "DENIED", f"no entry for {CANARY} here") if "/manifests/" in r.url.target else None)
    found = walk()
    assert "no entry for *** here" in broken_at(found, "manifest").detail
    assert CANARY not in json.dumps(found.plain())
