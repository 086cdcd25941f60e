"""What a broken helper or file stops, and what it does not."""

from __future__ import annotations

import time

import pytest

from registryauth.credentials import Anonymous, Basic
from registryauth.errors import AmbiguousCredential, SourceFailed, StoreLocked
from registryauth.reference import Address, Repository
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7f3a"
PUBLIC = "mcr.microsoft.com/azureml/x:1"
DECLARED = '[registries."declared.example"]\nkind = "public"\n'
FAIL = '[resolver]\nbroken_helper = "fail"\n'


@pytest.fixture
def said():
    return []


@pytest.fixture(params=["helper of all", "helper of one", "file of docker", "file of containers"])
def broken(request, home, write_json, helper):
    """Something of docker's or containers' that is broken for every registry used here."""
    docker = home / ".docker/config.json"
    hosts = ("mcr.microsoft.com", "declared.example", "host.example", "docker.io", "ghcr.io")
    if request.param == "helper of all":
        write_json(docker, {"credsStore": "gone"})
    elif request.param == "helper of one":
        helper("bad", f"print('{CANARY}'); sys.exit(1)")
        write_json(docker, {"credHelpers": dict.fromkeys(hosts, "bad")})
    elif request.param == "file of docker":
        write_json(docker, b'{"auths": ' + CANARY.encode())
    else:
        write_json(home / ".config/containers/auth.json", b'{"auths": ' + CANARY.encode())
    return request.param


@pytest.mark.parametrize("reference", [PUBLIC, "declared.example/x"])
def test_a_registry_known_to_be_public_is_asked_without_a_credential_and_the_failure_is_said_once(resolver, broken, said, reference):
    made = resolver(text=DECLARED, notice=said.append)
    for _ in range(2):
        secret = made.resolve(reference)
        assert secret.credential == Anonymous()
        assert made.candidates(secret.reference.repository) == ()
    host = str(secret.reference.registry)
    assert len(said) == 1
    assert f"{host} is public and is asked without a credential" in said[0]
    assert [answer.verdict for answer in secret.answers][-2:] == ["broken", "found"]
    assert secret.trace[-1] == f"public registries: found: {host} is public, so {secret.answers[-2].source} may be broken"
    assert CANARY not in secret.explain() + said[0]


@pytest.mark.parametrize("reference", ["host.example/x", "ubuntu", "ghcr.io/a/b"])
def test_for_every_other_registry_it_raises_with_the_trace(resolver, broken, said, reference):
    made = resolver(text=DECLARED, notice=said.append)
    with pytest.raises(SourceFailed) as caught:
        made.resolve(reference)
    assert ": broken: " in caught.value.trace[-1]
    assert caught.value.trace[0].startswith("explicit argument: absent")
    assert said == []


def test_it_raises_for_all_where_the_user_wants_that(resolver, broken, said):
    with pytest.raises(SourceFailed):
        resolver(text=FAIL, notice=said.append).resolve(PUBLIC)
    assert said == []


def test_the_anonymous_answer_is_nobody_elses_credential(resolver, home, write_json, basic):
    """A later source may hold a credential for the same registry: which one the user would have had is not known."""
    write_json(home / ".docker/config.json", {"credsStore": "gone"})
    write_json(home / ".config/containers/auth.json", {"auths": {"mcr.microsoft.com": basic("me"), "private.example": basic("p")}})
    made = resolver()
    assert made.resolve(PUBLIC).credential == Anonymous()
    with pytest.raises(SourceFailed):
        made.candidates(Repository.parse("private.example/x"))


def test_a_credential_of_an_earlier_source_is_found_all_the_same(resolver, broken, said):
    store = MemoryStore()
    store.put(Principal(Address.parse("mcr.microsoft.com"), "me", (Slot("x"),)))
    assert resolver(store, notice=said.append).resolve(PUBLIC).credential == Basic("me", "x")
    assert said == []


def test_our_own_store_and_variables_are_never_passed_over(resolver, environ):
    store = MemoryStore()

    def locked(*_):
        raise StoreLocked("the key is not at hand")

    store.nearest = locked
    with pytest.raises(StoreLocked) as caught:
        resolver(store).resolve(PUBLIC)
    assert caught.value.trace[-1] == "store: broken: the key is not at hand"
    environ["REGISTRYAUTH_USERNAME"] = "half"
    with pytest.raises(SourceFailed):
        resolver().resolve(PUBLIC)


def test_an_ambiguous_file_is_not_a_broken_one(resolver, home, write_json, basic):
    auths = {"https://mcr.microsoft.com": basic("a"), "http://mcr.microsoft.com": basic("b")}
    write_json(home / ".docker/config.json", {"auths": auths})
    with pytest.raises(AmbiguousCredential):
        resolver().resolve(PUBLIC)


def test_a_helper_is_started_only_when_it_is_needed_and_once(resolver, home, write_json, helper):
    log = helper("team", "print(json.dumps({'Username': 'me', 'Secret': 'x'}))")
    write_json(home / ".docker/config.json", {"credHelpers": {"host.example": "team"}})
    write_json(home / ".config/containers/auth.json", {"credHelpers": {"host.example": "team"}})
    store = MemoryStore()
    store.put(Principal(Address.parse("host.example/team"), "me", (Slot("x"),)))
    made = resolver(store)
    made.resolve("host.example/team/x")
    with pytest.raises(Exception, match="no credential"):
        made.resolve("other.example/x")
    assert not log.exists()
    for path in ("a", "b", "c/d"):
        assert made.resolve(f"host.example/{path}").source == "docker config"
    assert len(log.read_text().splitlines()) == 1


def test_a_helper_has_the_time_that_is_configured(resolver, home, write_json, helper):
    helper("slow", "time.sleep(60)")
    write_json(home / ".docker/config.json", {"credsStore": "slow"})
    start = time.monotonic()
    with pytest.raises(SourceFailed, match="did not answer in time"):
        resolver(text="[resolver]\nhelper_timeout = 1\n").resolve("host.example/x")
    assert time.monotonic() - start < 15
