from __future__ import annotations

import base64
import json

import pytest

from registryauth._http.messages import Response
from registryauth.client import Client
from registryauth.credentials import Basic, Pinned
from registryauth.errors import RegistryError, TokenRefused, TransportError
from registryauth.principals.rights import Rights, probe, spoken
from registryauth.principals.verify import what_is_asked
from registryauth.reference import Repository
from registryauth.testing import Features, answers, faults

from .conftest import CANARY

MODEL = Repository.parse("registry.example/team/model")
WHOLE = Repository(MODEL.registry, "")
ALL = {"pull", "push", "delete"}


@pytest.fixture
def simulator(simulator):
    simulator.add_image("team/model", "v1")
    return simulator


@pytest.fixture
def look(simulator):
    """The rights of an account in a repository."""

    def look(account="me", repository=MODEL):
        held = (Pinned(Basic(account, CANARY), account),)
        with Client(lambda _: held, transport=simulator.transport(), environ={}, sleep=lambda _: None) as client:
            _, asked = what_is_asked(client, repository.registry)
            return probe(client, repository, asked)

    return look


@pytest.fixture
def rights(simulator):
    """Give *me* these."""

    def rights(*actions):
        simulator.tokens.accounts.rights["me"] = list(actions)

    return rights


def opaque(simulator, **answered):
    """Tokens that show nothing, as GitHub's and Google's; *answered* stands beside the token in the token server's answer."""
    known = {}

    def hide(request, then):
        if request.url.target.startswith("/token"):
            response = then(request)
            if response.status != 200:
                return response
            said = json.loads(response.read(1 << 20))
            name = f"opaque-{len(known)}"
            known[name] = said["token"] if "token" in said else said["access_token"]
            return answers.document(request, 200, {"token": name, "expires_in": 300, **answered})
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            kept = tuple((name, value) for name, value in request.headers if name.lower() != "authorization")
            request = request.replace(headers=(*kept, ("authorization", f"Bearer {known[token]}")))
        return then(request)

    simulator.interfere(hide)


def saying(simulator, **claims):
    """Every token says *claims*, whatever it is good for."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    def lie(request, response: Response):
        if not request.url.target.startswith("/token") or response.status != 200:
            return response
        return answers.document(request, 200, {"token": f"{part({'alg': 'none'})}.{part(claims)}.", "expires_in": 300})

    simulator.alter(lie)


def refusing(simulator, *scopes, status=401):
    """A token server that refuses a whole request for a scope that the account lacks, as some do."""

    def refuse(request):
        if any(scope in request.url.target for scope in scopes):
            return answers.error(request, status, "DENIED", "requested access to the resource is denied")
        return None

    simulator.inject(refuse)


# -- what the token says --


@pytest.mark.parametrize(
    ("given", "granted", "refused"),
    [
        (("pull",), ("pull",), ("push", "delete", "metadata_read", "catalog")),
        (("pull", "push"), ("pull", "push"), ("delete", "metadata_read", "catalog")),
        (("pull", "metadata_read", "catalog"), ("pull", "metadata_read", "catalog"), ("push", "delete")),
        (("delete",), ("delete",), ("pull", "push", "metadata_read", "catalog")),
        ((), (), ("pull", "push", "delete", "metadata_read", "catalog")),
    ],
)
def test_what_the_token_grants_is_reported_whatever_was_asked(look, rights, given, granted, refused):
    rights(*given)
    seen = look()
    assert seen == Rights(granted, refused, "the token says")
    assert seen.unknown == ()


def test_each_right_is_asked_for_alone_of_the_token_server_and_nothing_of_the_registry_but_what_it_asks(simulator, look):
    look()
    asked = [
        request.url.target.partition("scope=")[2].partition("&")[0] for request in simulator.requests if "/token" in request.url.target
    ]
    one = "repository:team/model:"
    assert asked == [f"{one}pull", f"{one}pull,push", f"{one}delete", f"{one}metadata_read", "registry:catalog:*"]
    assert [request.url.target for request in simulator.requests if request.url.target.startswith("/v2/")] == ["/v2/"]


@pytest.mark.parametrize("auth", ["token", "basic"])
@pytest.mark.parametrize("shown", [True, False])
def test_no_writing_method_reaches_the_registry(simulator, look, rights, auth, shown):
    rights("pull", "push", "delete", "catalog")
    simulator.auth = auth
    if not shown:
        opaque(simulator)
    look()
    look(repository=WHOLE)
    look("reader")
    methods = {request.method for request in simulator.requests if request.url.target.startswith("/v2/")}
    assert methods == {"GET"}


def test_an_asterisk_is_every_right_in_a_repository(simulator, look):
    saying(simulator, access=[{"type": "repository", "name": "team/model", "actions": ["*"]}])
    seen = look()
    assert set(seen.granted) == ALL
    assert "catalog" in seen.refused, "it was said of the repository, not of the registry"


def test_what_a_token_says_of_another_repository_is_not_this_one_s(simulator, look):
    rows = [{"type": "repository", "name": name, "actions": ["push"]} for name in ("team/model2", "team", "TEAM/MODEL", "")]
    saying(simulator, access=[*rows, {"type": "repository(plugin)", "name": "team/model", "actions": ["push"]}])
    assert look().granted == ()


def test_a_token_that_nobody_signed_is_still_only_what_the_token_says(simulator, look):
    saying(simulator, access=[{"type": "repository", "name": "team/model", "actions": ["pull", "push", "delete"]}])
    seen = look()
    assert set(seen.granted) == ALL
    assert seen.evidence == "the token says"


@pytest.mark.parametrize(
    "access",
    [
        [{"type": "repository", "name": "team/model", "actions": ["pull", "\x1b[2J", "x" * 5000, 7, None, "Push", "a b"]}],
        [{"type": "repository", "name": "team/model", "actions": ["pull", *(f"a{n}" for n in range(1000))]}],
    ],
)
def test_what_a_token_says_is_bounded_and_fit_for_a_terminal(simulator, look, access):
    saying(simulator, access=access)
    seen = look()
    assert seen.granted[0] == "pull"
    assert len(seen.granted) <= 16
    assert all(action.isascii() and action.isprintable() and len(action) <= 32 for action in seen.granted)


# -- a token server that answers no, and one that shows nothing --


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_refused_outright_is_refused_and_the_next_one_is_asked_for_all_the_same(simulator, look, rights, status):
    rights("pull", "delete")
    refusing(simulator, ":pull,push", status=status)
    seen = look()
    assert (seen.granted, seen.refused) == (("pull", "delete"), ("push", "metadata_read", "catalog"))
    assert seen.evidence == "the token says; the token server refuses what is not granted"


def test_with_opaque_tokens_pull_and_catalog_are_tried_by_reading_and_the_rest_is_unknown(simulator, look, rights):
    rights("pull", "push", "delete", "catalog")
    opaque(simulator)
    seen = look()
    assert (seen.granted, seen.refused, seen.unknown) == (("pull", "catalog"), (), ("push", "delete", "metadata_read"))
    assert seen.evidence == "the registry listed its tags; the registry listed its repositories"


def test_with_opaque_tokens_and_no_right_the_reading_is_refused(simulator, look):
    opaque(simulator)
    seen = look("reader")
    assert (seen.granted, seen.refused, seen.unknown) == ((), ("pull", "catalog"), ("push", "delete", "metadata_read"))


def test_what_stands_beside_an_opaque_token_is_the_token_server_s_word(simulator, look):
    opaque(simulator, scope="repository:team/model:pull,push registry:catalog:*")
    seen = look()
    assert seen.granted == ("pull", "push", "catalog")
    assert seen.evidence == "the token server says"


def test_access_beside_an_opaque_token_is_read_too(simulator, look):
    opaque(simulator, access=[{"type": "repository", "name": "team/model", "actions": ["pull"]}])
    seen = look()
    assert (seen.granted, seen.unknown) == (("pull",), ())
    assert seen.evidence == "the token server says"


@pytest.mark.parametrize("scope", ["", None, 7, "aws", "   "])
def test_an_empty_scope_beside_a_token_is_not_nothing_granted(simulator, look, rights, scope):
    rights("pull")
    opaque(simulator, scope=scope)
    assert "the registry listed its tags" in look().evidence


def test_a_repository_that_is_not_there_says_nothing_of_the_right(simulator, look, rights):
    rights("pull")
    opaque(simulator)
    seen = look(repository=Repository.parse("registry.example/team/other"))
    assert "pull" in seen.unknown
    assert "knows no such repository, or hides it" in seen.evidence


# -- passwords that go to the registry itself --


def test_with_basic_authentication_push_and_delete_are_unknown(simulator, look, rights):
    rights("pull", "push", "delete")
    simulator.auth = "basic"
    seen = look()
    assert (seen.granted, seen.refused, seen.unknown) == (("pull",), ("catalog",), ("push", "delete", "metadata_read"))


def test_a_registry_without_a_catalog_says_nothing_of_it(simulator, look, rights):
    rights("pull", "catalog")
    simulator.auth = "basic"
    simulator.features = Features(catalog=False)
    assert "catalog" in look().unknown


def test_a_registry_as_a_whole_is_asked_for_its_catalog_alone(look, rights):
    rights("pull", "push", "catalog")
    assert look(repository=WHOLE) == Rights(("catalog",), (), "the token says")


# -- what is no answer --


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.too_many_requests("/token", retry_after="0"), TokenRefused),
        (faults.server_error("/token"), TransportError),
        (faults.no_answer("/token"), TransportError),
    ],
)
def test_a_token_server_that_cannot_answer_now_has_refused_nothing(simulator, look, fault, error):
    simulator.inject(fault)
    with pytest.raises(error):
        look()


@pytest.mark.parametrize("path", ["/tags/list", "/v2/_catalog"])
def test_nor_has_a_registry(simulator, look, rights, path):
    rights("pull", "catalog")
    simulator.auth = "basic"
    simulator.inject(faults.server_error(path))
    with pytest.raises(RegistryError):
        look()


# -- what it means --


@pytest.mark.parametrize(
    ("granted", "needed", "excess"),
    [
        (("pull",), ("pull",), ()),
        (("pull", "push"), ("pull",), ("push",)),
        (("pull", "push", "delete"), ("pull", "push"), ("delete",)),
        (("pull", "metadata_read", "catalog"), ("pull",), ()),
        (("pull", "push"), ("push",), ()),
        (("pull", "metadata_write"), ("pull",), ("metadata_write",)),
    ],
)
def test_only_what_changes_things_is_wider_than_needed(granted, needed, excess):
    assert Rights(granted).excess(needed) == excess


def test_what_is_needed_and_refused_is_lacking_and_what_nobody_spoke_of_is_not():
    seen = Rights(("pull",), ("push",))
    assert seen.lacking(("pull", "push", "delete")) == ("push",)
    assert seen.unknown == ("delete", "metadata_read", "catalog")


def test_rights_are_spoken_as_a_person_would():
    assert spoken(["pull"]) == "pull"
    assert spoken(["pull", "push", "metadata_read"]) == "pull, push and read metadata"
    assert spoken(["pull", "catalog"], "or") == "pull or list repositories"
    assert spoken([]) == ""
