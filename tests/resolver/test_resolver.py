from __future__ import annotations

import os
import subprocess
import sys
import traceback

import pytest

from registryauth.config import load
from registryauth.credentials import Anonymous, Basic, Pinned
from registryauth.errors import ConfigurationError, CredentialNotFound, InvalidReference, SourceFailed, StoreLocked
from registryauth.reference import Address, Reference, Repository
from registryauth.registries import Kind
from registryauth.resolver import Absent, Found, Resolver
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7f3a"
REPOSITORY = Repository.parse("host.example/team/app")


class Source:
    """Answers with what it was made with, or raises it, and counts the questions."""

    def __init__(self, name, answer=None, detail="nothing"):
        self.name, self.answer, self.detail, self.asked = name, answer, detail, 0
        self.fetched = 0

    def ask(self, repository):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Absent(self.name, self.detail) if self.answer is None else Found(self.name, self.detail, self._fetch, 77)

    def _fetch(self):
        self.fetched += 1
        return Pinned(self.answer, self.name)


def stored(address="host.example", username="stored"):
    store = MemoryStore()
    store.put(Principal(Address.parse(address), username, (Slot(CANARY, expires_at=5),)))
    return store


def test_the_first_that_has_one_wins_and_no_other_is_asked():
    sources = [Source("a"), Source("b", Basic("me", CANARY), "here"), Source("c", Basic("no", "x"))]
    secret = Resolver(sources).resolve("host.example/team/app:v1")
    assert (secret.source, secret.expires_at, secret.kind) == ("b", 77, Kind.STANDALONE)
    assert secret.trace == ("a: absent: nothing", "b: found: here")
    assert [source.asked for source in sources] == [1, 1, 0]


def test_who_wants_to_know_is_told_what_each_source_said_also_where_one_is_broken():
    told = []
    resolver = Resolver(
        [Source("a"), Source("b", SourceFailed("no"))],
        told=lambda repository, answers: told.append((repository, [each.source for each in answers])),
    )
    with pytest.raises(SourceFailed):
        resolver.resolve("host.example/team/app:v1")
    assert told == [(REPOSITORY, ["a", "b"])]


def test_nothing_is_fetched_before_the_credential_is_read_and_then_once():
    source = Source("a", Basic("me", CANARY))
    secret = Resolver([source]).resolve("host.example/a")
    assert source.fetched == 0
    assert secret.credential == secret.pinned.credential == Basic("me", CANARY)
    assert source.fetched == 1


def test_nothing_secret_is_in_what_is_shown():
    secret = Resolver([Source("a", Basic("me", CANARY))]).resolve("host.example/a")
    _ = secret.credential
    assert CANARY not in repr(secret) + str(secret) + secret.explain() + repr(secret.pinned) + repr(secret.credential)
    assert repr(secret) == "PullSecret('host.example/a:latest', kind='standalone', source='a', expires_at=77)"


def test_explain_shows_the_kind_and_every_source_in_order():
    lines = Resolver([Source("a"), Source("b", Basic("me", "x"), "here")]).resolve("host.example/a").explain().splitlines()
    assert lines[0].startswith("host.example/a:latest: standalone, ")
    assert lines[1:] == ["  a: absent: nothing", "  b: found: here"]


@pytest.mark.parametrize("error", [SourceFailed("broken"), StoreLocked("locked")])
def test_a_source_that_is_broken_is_never_passed_over(error):
    later = Source("later", Basic("me", "x"))
    resolver = Resolver([Source("a"), Source("b", error), later])
    for question in (lambda: resolver.resolve("host.example/a"), lambda: resolver.candidates(REPOSITORY)):
        with pytest.raises(type(error)):
            question()
    assert later.asked == 0


def test_absent_everywhere_is_not_found_with_the_trace_and_what_to_do():
    with pytest.raises(CredentialNotFound, match=r"no credential for host\.example/a") as caught:
        Resolver([Source("a"), Source("b")]).resolve("host.example/a")
    assert caught.value.trace == ("a: absent: nothing", "b: absent: nothing")
    assert "registryauth login host.example" in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("ubuntu", "no registry was named"),
        ("myregistry.azurecr.io/a", "service principal"),
        ("ghcr.io/a/b", "if this image is public"),
        ("myregistry.westeurope.data.azurecr.io/a", "blobs only"),
    ],
)
def test_the_hint_fits_the_registry(reference, words):
    with pytest.raises(CredentialNotFound) as caught:
        Resolver([]).resolve(reference)
    assert words in caught.value.hint


def test_a_public_registry_is_anonymous():
    assert Resolver([]).resolve("mcr.microsoft.com/a/b").credential == Anonymous()
    assert Resolver([Source("a")], {"host.example": Kind.PUBLIC}).resolve("host.example/a").credential == Anonymous()


def test_a_credential_for_a_public_registry_is_used_all_the_same():
    assert Resolver([Source("a", Basic("me", "x"))]).resolve("mcr.microsoft.com/a/b").credential == Basic("me", "x")


def test_candidates_are_what_the_first_source_has_and_none_where_nobody_is_needed():
    assert Resolver([Source("a", Basic("me", "x"))]).candidates(REPOSITORY) == (Pinned(Basic("me", "x"), "a"),)
    assert Resolver([Source("a")]).candidates(REPOSITORY) == ()
    assert Resolver([Source("a", Anonymous())]).candidates(REPOSITORY) == ()


def test_a_workspace_image_without_a_registry_never_goes_to_docker_hub(resolver):
    with pytest.raises(ConfigurationError, match="never looked for on Docker Hub"):
        resolver(stored("docker.io")).resolve("azureml/azureml_0123")
    secret = resolver(stored("ws.azurecr.io"), '[registries."ws.azurecr.io"]\nkind = "workspace"').resolve("azureml/azureml_0123")
    assert str(secret.reference) == "ws.azurecr.io/azureml/azureml_0123:latest"
    assert secret.kind is Kind.WORKSPACE


def test_a_mistyped_host_is_refused_unless_it_was_written_down(resolver):
    with pytest.raises(InvalidReference):
        resolver().resolve("my.azureecr.io/a")
    with pytest.raises(CredentialNotFound):
        resolver(text='[registries."my.azureecr.io"]\ninsecure = false').resolve("my.azureecr.io/a")


def test_a_parsed_reference_is_taken_too(resolver):
    assert resolver(stored()).resolve(Reference.parse("host.example/a")).source == "store"


def test_the_sources_are_asked_in_the_order_that_the_design_gives(resolver, environ, home, tmp_path, write_json, basic):
    entry = {"auths": {"host.example": basic("file")}}
    lasting, docker = home / ".config/containers/auth.json", home / ".docker/config.json"
    write_json(lasting, entry)
    steps = [("containers auth", lambda: None), ("docker config", lambda: write_json(docker, entry))]
    for name, prepare in steps:
        prepare()
        assert resolver().resolve("host.example/a").source == name
    assert resolver(stored()).resolve("host.example/a").source == "store"
    environ |= {"REGISTRYAUTH_REGISTRY": "host.example", "REGISTRYAUTH_USERNAME": "e", "REGISTRYAUTH_PASSWORD": CANARY}
    assert resolver(stored()).resolve("host.example/a").source == "environment"
    explicit = {"host.example": Basic("x", "y")}
    assert resolver(stored(), explicit=explicit).resolve("host.example/a").source == "explicit argument"


def test_other_programs_files_can_be_left_out(resolver, home, write_json, basic):
    write_json(home / ".docker/config.json", {"auths": {"host.example": basic("file")}})
    with pytest.raises(CredentialNotFound) as caught:
        resolver(text="[resolver]\ndocker_config = false").resolve("host.example/a")
    sources = [line.partition(":")[0] for line in caught.value.trace]
    assert sources == ["explicit argument", "environment", "store", "public registries", "docker config", "containers auth"]
    assert caught.value.trace[4] == "docker config: not asked: resolver.docker_config is false"


def test_our_own_helper_in_dockers_file_and_an_empty_store_is_absent_and_starts_nothing(resolver, home, write_json, helper):
    log = helper("registryauth", "sys.exit(1)")
    both = {"credsStore": "registryauth", "credHelpers": {"host.example": "registryauth"}}
    write_json(home / ".docker/config.json", both)
    write_json(home / ".config/containers/auth.json", both)
    for reference in ("host.example/a", "other.example/a"):
        with pytest.raises(CredentialNotFound) as caught:
            resolver().resolve(reference)
        assert "our own" in "".join(caught.value.trace)
    assert resolver().candidates(REPOSITORY) == ()
    assert not log.exists()


def test_a_helper_that_asks_us_does_not_make_us_ask_it_again(resolver, environ, home, write_json, helper):
    # docker-credential-loop calls a program of ours, as a wrapper would.
    log = helper(
        "loop",
        "import subprocess\n"
        f"code = {_ASK!r}\n"
        f"environ = dict(os.environ, PYTHONPATH={os.pathsep.join(sys.path)!r})\n"
        f"result = subprocess.run([{sys.executable!r}, '-c', code], env=environ, capture_output=True)\n"
        "print('credentials not found in native keychain' if result.stdout == b'CredentialNotFound\\n' else result.stderr)\n"
        "sys.exit(1)",
    )
    write_json(home / ".docker/config.json", {"credsStore": "loop"})
    with pytest.raises(CredentialNotFound):
        resolver().resolve("host.example/a")
    assert len(log.read_text().splitlines()) == 1


_ASK = """
from registryauth.resolver import Resolver
try:
    Resolver.from_config().resolve("host.example/a")
except Exception as error:
    print(type(error).__name__)
"""


def test_whatever_is_broken_no_credential_goes_to_another_host(resolver, environ, home, write_json, basic):
    # CVE-2021-41092
    environ |= {"REGISTRYAUTH_REGISTRY": "private.example", "REGISTRYAUTH_USERNAME": "e", "REGISTRYAUTH_PASSWORD": CANARY}
    entry = {"auths": {"private.example": basic("file"), "private.example/team": basic("file")}}
    lasting = home / ".config/containers/auth.json"
    for broken in (b"{", {"credsStore": "missing"}, {"credHelpers": {"other.example": "missing"}}, entry):
        write_json(home / ".docker/config.json", broken)
        write_json(lasting, entry)
        for repository in ("other.example/private.example", "private.example.evil.example/a", "docker.io/library/private.example"):
            try:
                offered = resolver(stored("private.example")).candidates(Repository.parse(repository))
            except SourceFailed as error:
                offered = ()
                shown = "".join(traceback.format_exception(error))
            else:
                shown = ""
            assert offered == ()
            assert CANARY not in shown


def test_the_configured_store_is_opened_when_it_is_needed_and_asking_makes_none(environ, tmp_path, monkeypatch):
    opened = []

    def open_store(path, **more):
        opened.append((path, more["key"], more["key_file"]))
        return stored()

    monkeypatch.setattr("registryauth.stores.open_store", open_store)
    environ |= {"REGISTRYAUTH_STORE_PATH": str(tmp_path / "s.db"), "REGISTRYAUTH_STORE_KEY": "file", "REGISTRYAUTH_STORE_KEY_FILE": "/k"}
    with Resolver.from_config(environ=environ) as resolver:
        assert resolver.candidates(REPOSITORY) == ()
        assert opened == []
        (tmp_path / "s.db").touch()
        assert resolver.resolve("host.example/a").source == "store"
        assert resolver.resolve("host.example/b").source == "store"
    assert opened == [(str(tmp_path / "s.db"), "file", "/k")]


def test_an_empty_home_stays_empty(environ, home, tmp_path):
    with Resolver.from_config(environ=environ) as resolver, pytest.raises(CredentialNotFound):
        resolver.resolve("host.example/a")
    assert list(home.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "run"]


def test_the_way_to_the_store_imports_nothing_heavy(environ):
    heavy = ("typing", "dataclasses", "inspect", "pathlib", "subprocess", "tempfile", "logging", "json", "base64")
    code = (
        "import sys, time\nfrom registryauth.resolver.stored import Stored\nfrom registryauth.reference import Repository\n"
        "Stored(lambda: None, clock=time.time).ask(Repository.parse('host.example/a'))\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    environ = environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_a_record_in_the_encrypted_store_is_found_through_the_configuration(environ):
    from registryauth.stores import open_store

    environ["REGISTRYAUTH_STORE_KEY"] = "file"
    config = load(environ)
    store = open_store(config.store_path, config.store_key, config.store_key_file, environ)
    store.put(Principal(Address.parse("host.example/team"), "puller", (Slot(CANARY),)))
    store.close()
    with Resolver.from_config(config, environ) as resolver:
        secret = resolver.resolve("host.example/team/app:v1")
        assert secret.credential == Basic("puller", CANARY)
        assert "host.example/team, account puller" in secret.detail


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("ubuntu:24.04", "no registry was named, so Docker Hub was meant: write yours in front, or registryauth login docker.io"),
        (
            "myregistry.azurecr.io",
            "no image was named: if myregistry.azurecr.io is the registry, write the image behind it, myregistry.azurecr.io/IMAGE",
        ),
    ],
)
def test_who_left_the_registry_or_the_image_out_is_told_which(text, hint):
    with pytest.raises(CredentialNotFound) as caught:
        Resolver([Source("a")]).resolve(text)
    assert caught.value.hint == hint
