from __future__ import annotations

import base64
import json

import pytest

from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import ConfigurationError, SourceFailed
from registryauth.principals.candidate import Rules
from registryauth.principals.docker_files import Helpers, read_docker

CANARY = "canary-93b0"
NOW = 1_800_000_000


def entry(username, password=CANARY):
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


def read(document, helpers=None, *, containers=False):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_docker(data, "config.json", Rules(NOW), helpers or Helpers(environ={}), containers=containers, limit=1 << 20)


def found(*given, **named):
    return {(str(c.principal.address), c.principal.account): c.principal for c in read(*given, **named)[0]}


def skipped(*given, **named):
    return {each.place: each.reason for each in read(*given, **named)[1]}


class Keeper:
    """Credential helpers: name to server key to credential; what was asked is in *asked*."""

    def __init__(self, kept):
        self.kept, self.asked = kept, []

    def ask(self, name, server, environ):
        self.asked.append((name, server))
        return self.kept[name].get(server)

    def list(self, name, environ):
        self.asked.append((name, "list"))
        return tuple(self.kept[name])

    def helpers(self, *, wanted=True):
        return Helpers(wanted, {}, self.ask, self.list)


def test_every_form_of_an_entry_becomes_a_principal():
    principals = found(
        {
            "auths": {
                "r.example": entry("me"),
                "plain.example:5000": {"username": "you", "password": CANARY},
                "token.example": {**entry("00000000-0000-0000-0000-000000000000", ""), "identitytoken": CANARY},
                "https://index.docker.io/v1/": entry("hub"),
                "r.example/team/app": entry("team"),
            }
        }
    )
    assert set(principals) == {
        ("r.example", "me"), ("plain.example:5000", "you"), ("token.example", "<token>"), ("docker.io", "hub"),
        ("r.example/team/app", "team"),
    }  # fmt: skip
    token = principals["token.example", "<token>"]
    assert token.credential(NOW) == IdentityToken(CANARY)
    assert token.kind == "identity-token"
    me = principals["r.example", "me"]
    assert (me.kind, me.made_by, me.needed, me.created_at) == ("user", "admin", ("pull",), NOW)
    assert me.slots[0].secret == CANARY


def test_what_holds_no_credential_is_said_to_be_skipped():
    reasons = skipped(
        {
            "auths": {
                "r.example": entry("me"),
                "empty.example": {},
                "short.example": {"registrytoken": CANARY},
                "https://index.docker.io/v1/access-token": entry("x"),
                f"user:{CANARY}@odd.example": entry("x"),
            }
        }
    )
    assert {place: reason.split(";")[0].split(":")[0].split(",")[0] for place, reason in reasons.items()} == {
        "auths.empty.example": "an empty marker",
        "auths.short.example": "a registry token lives for minutes",
        "auths.https://index.docker.io/v1/access-token": "is no registry's address",
        "auths.?": "is no registry's address",
    }
    assert CANARY not in str(reasons)


def test_a_helper_that_was_not_to_be_asked_is_named_and_so_is_what_it_keeps():
    document = {"auths": {"r.example": {}, "s.example": entry("old")}, "credsStore": "pass", "credHelpers": {"ecr.example": "ecr-login"}}
    keeper = Keeper({})
    assert found(document, keeper.helpers(wanted=False)) == {}
    assert keeper.asked == []
    reasons = skipped(document)
    assert set(reasons) == {"auths.r.example", "auths.s.example", "credHelpers.ecr.example"}
    assert "pass keeps its secret, and was not asked (--with-helpers)" in reasons["auths.r.example"]
    assert "ecr-login keeps its secret" in reasons["credHelpers.ecr.example"]
    assert "docker does not look at it" in reasons["auths.s.example"]
    assert set(skipped({"credsStore": "pass"})) == {"credsStore"}


def test_helpers_are_asked_for_what_docker_would_ask_them():
    """One named for a registry, for that; the store, for all that it lists and that has no helper of its own."""
    keeper = Keeper(
        {
            "pass": {
                "https://index.docker.io/v1/": Basic("hub", CANARY),
                "ecr.example": Basic("no", "no"),
                "gone.example": None,
                "a b": None,
            },
            "ecr": {"ecr.example": Basic("AWS", CANARY)},
        }
    )
    document = {"auths": {"s.example": entry("old"), "gone.example": {}}, "credsStore": "pass", "credHelpers": {"ecr.example": "ecr"}}
    assert set(found(document, keeper.helpers())) == {("docker.io", "hub"), ("ecr.example", "AWS")}
    assert keeper.asked == [("ecr", "ecr.example"), ("pass", "list"), ("pass", "https://index.docker.io/v1/"), ("pass", "gone.example")]
    assert set(skipped(document, keeper.helpers())) == {"auths.s.example", "pass: gone.example", "pass: a b"}


def test_a_helper_that_fails_imports_nothing():
    def broken(*_):
        raise SourceFailed("the helper is broken", hint="mend it")

    with pytest.raises(SourceFailed, match="is broken"):
        read({"credsStore": "pass", "auths": {}}, Helpers(True, {}, broken, broken))


def test_our_own_helper_is_not_asked():
    keeper = Keeper({})
    assert "is our own" in skipped({"credsStore": "registryauth"}, keeper.helpers())["credsStore"]
    assert keeper.asked == []


def test_a_containers_file_has_no_store():
    document = {"auths": {"r.example/team": entry("me")}, "credsStore": "pass"}
    assert set(found(document, containers=True)) == {("r.example/team", "me")}
    assert found(document) == {}


def test_of_two_spellings_the_one_that_docker_looks_up_first_counts():
    for keys in (["https://r.example/v2/", "r.example"], ["r.example", "https://r.example/v2/"]):
        accounts = {"r.example": "me", "https://r.example/v2/": "old"}
        document = {"auths": {key: entry(accounts[key]) for key in keys}}
        assert set(found(document)) == {("r.example", "me")}
        assert skipped(document) == {"auths.https://r.example/v2/": "another spelling of auths.r.example"}


def test_two_odd_spellings_are_no_matter_where_they_agree_and_a_fault_where_they_differ():
    document = {"auths": {"https://r.example": entry("me"), "http://r.example/": entry("me")}}
    assert set(found(document)) == {("r.example", "me")}
    document["auths"]["http://r.example/"] = entry("me", "other")
    with pytest.raises(
        ConfigurationError, match=r"auths.http://r.example/: another credential for the same registry as auths.https://r.ex"
    ):
        read(document)


def test_every_broken_entry_is_named_and_nothing_in_it_shown():
    auths = {
        "a.example": {"auth": f"!!{CANARY}"},
        "b.example": {"password": CANARY},
        "c.example": entry("me", f"{CANARY}\nx"),
        "d.example": {"auth": [CANARY]},
        "e.example": CANARY,
        "f.example": entry("fine"),
    }
    with pytest.raises(ConfigurationError) as caught:
        read({"auths": auths})
    text = str(caught.value)
    assert "config.json has 5 faults; nothing was imported" in text
    assert [line.partition(":")[0].strip() for line in text.splitlines()[1:]] == [f"auths.{letter}.example" for letter in "abcde"]
    assert CANARY not in text


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"version": 1, "principals": []}])
def test_a_document_that_names_no_registry_is_not_one_of_these(document):
    with pytest.raises(ConfigurationError, match="names no registry"):
        read(document)


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b'{"auths": 5}', b'{"auths": {"r.example": {"auth": "\xff"}}}'])
def test_what_is_no_such_document_is_refused(data):
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        read(data)
