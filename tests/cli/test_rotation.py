from __future__ import annotations

import os
import time

import pytest

from registryauth.principals import note_consumer
from registryauth.reference import Address
from registryauth.stores import Key, Slot, open_store

from .conftest import CANARY

KEY = Key(Address.parse("registry.example"), "me")
NEXT = "next-90cc"


@pytest.fixture
def add(cli, online):
    done = cli("principal", "add", "registry.example", "--client-id", "me", "--secret-stdin", stdin=CANARY)
    assert done.status == 0, done.err


@pytest.fixture
def rotate(cli, add, accounts):
    """Rotate to NEXT, which the registry takes from then on."""

    def rotate(*options, secret=NEXT):
        accounts["me"] = NEXT
        return cli("principal", "rotate", "registry.example", "--secret-stdin", *options, stdin=secret + "\n")

    return rotate


@pytest.fixture
def change():
    """Change the record in the configured store."""

    def change(edit):
        store = open_store(environ=os.environ)
        store.put(edit(store.exact(KEY)))
        store.close()

    return change


@pytest.fixture
def consume():
    """Note that a target was given the secret with a serial."""

    def consume(target, serial):
        store = open_store(environ=os.environ)
        note_consumer(store, KEY, target, "docker-config", serial, 1_700_000_000)
        store.close()

    return consume


def due(record):
    new, old = record.slots
    return record.replace(slots=(new, old.replace(remove_after=int(time.time()) - 1)))


def secrets(record):
    return [slot.secret for slot in record.slots]


def test_a_rotation_says_what_is_current_and_until_when_the_old_one_stays(rotate, kept):
    done = rotate("--expires", "90d", "--keep-old", "2d")
    assert (done.status, done.out) == (0, "")
    assert "Rotated me at registry.example: secret 2 is current, verified; the token server took the credential" in done.err
    assert "registryauth principal prune registry.example" in done.err
    [record] = kept()
    assert secrets(record) == [NEXT, CANARY]
    assert 0 <= record.slots[1].remove_after - time.time() - 2 * 86400 + 60 < 61
    assert abs(record.slots[0].expires_at - time.time() - 90 * 86400) < 60


def test_no_secret_is_shown(rotate, cli, consume):
    said = [rotate(), rotate(), cli("principal", "prune", "--all"), rotate(secret="wrong-3f")]
    consume("/srv/config.json", 1)
    for verb in (["show", "registry.example"], ["show", "registry.example", "-o", "json"], ["consumers", "registry.example"]):
        said.append(cli("principal", *verb))
    for done in said:
        for secret in (CANARY, NEXT, "wrong-3f"):
            assert secret not in done.out + done.err


def test_what_the_registry_refuses_is_status_4_and_changes_nothing(rotate, kept):
    done = rotate(secret="wrong")
    assert done.status == 4
    assert "hint: nothing was changed" in done.err
    assert secrets(kept()[0]) == [CANARY]


def test_the_same_again_is_status_0_and_says_that_it_was_done(rotate, kept):
    rotate()
    done = rotate()
    assert done.status == 0
    assert "That secret is current for me at registry.example already" in done.err
    assert kept()[0].slots[0].serial == 2


def test_another_one_before_the_day_of_the_old_one_is_refused_unless_forced(rotate, kept, accounts):
    rotate()
    accounts["me"] = "third"
    done = rotate("--no-verify", secret="third")
    assert done.status == 1
    assert "still keeps the secret that its last rotation replaced" in done.err
    assert "--force" in done.err
    assert rotate("--no-verify", "--force", secret="third").status == 0
    assert secrets(kept()[0]) == ["third", NEXT]


def test_without_asking_the_registry_it_says_so(rotate, online):
    asked = len(online.requests)
    done = rotate("--no-verify")
    assert "unverified; the registry was not asked (--no-verify)" in done.err
    assert len(online.requests) == asked


def test_the_source_has_a_name_too(cli, add, accounts, kept):
    accounts["me"] = NEXT
    assert cli("principal", "rotate", "registry.example", "--source", "stdin", stdin=NEXT).status == 0
    assert secrets(kept()[0])[0] == NEXT


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--source", "vault"], "--source is stdin, prompt or entra"),
        (["--source", "prompt", "--secret-stdin"], "--source is stdin, prompt or entra"),
        (["--secret-stdin", "--keep-old", "soon"], "is not a span of time"),
        (["--secret-stdin", "--expires", "yesterday"], "is not a date"),
        ([], "there is no terminal to ask for the next secret at: use --secret-stdin"),
    ],
)
def test_what_makes_no_sense_is_status_2_and_changes_nothing(cli, add, kept, options, complaint):
    done = cli("principal", "rotate", "registry.example", *options, stdin=NEXT)
    assert done.status == 2
    assert complaint in done.err
    assert secrets(kept()[0]) == [CANARY]


@pytest.mark.parametrize("secret", [" both ends ", "pässwörd \U0001f511", "a:b", "x" * 65536])
def test_a_secret_of_any_kind_is_rotated_in_as_it_is(cli, add, accounts, kept, secret):
    accounts["me"] = secret
    done = cli("principal", "rotate", "registry.example", "--secret-stdin", stdin=secret + "\n")
    assert done.status == 0, done.err
    assert kept()[0].slots[0].secret == secret


def test_a_person_at_a_terminal_types_it_twice(cli, add, accounts, kept, monkeypatch):
    typed = [NEXT, NEXT]
    monkeypatch.setattr("registryauth.cli.secrets.is_terminal", lambda _: True)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: typed.pop())
    accounts["me"] = NEXT
    assert cli("principal", "rotate", "registry.example").status == 0
    assert secrets(kept()[0]) == [NEXT, CANARY]
    # Nobody types in vain: the old secret is still kept.
    done = cli("principal", "rotate", "registry.example")
    assert (done.status, typed) == (1, [])


def test_two_that_differ_are_status_2(cli, add, kept, monkeypatch):
    typed = ["one", "two"]
    monkeypatch.setattr("registryauth.cli.secrets.is_terminal", lambda _: True)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: typed.pop())
    done = cli("principal", "rotate", "registry.example")
    assert (done.status, secrets(kept()[0])) == (2, [CANARY])
    assert "not the same" in done.err


def test_of_several_accounts_one_has_to_be_named(cli, add, keep, rotate):
    keep("registry.example", "other")
    done = rotate()
    assert done.status == 2
    assert "registry.example has several accounts: me, other" in done.err
    assert rotate("--account", "me").status == 0


def test_consumers_of_the_old_secret_are_listed(rotate, consume):
    consume("/srv/a\x1b[2J.json", 1)
    done = rotate()
    assert "1 consumers still have an older secret:" not in done.err
    assert "1 consumer still has an older secret:" in done.err
    assert "  /srv/a [2J.json (docker-config), secret 1 (old), written 2023-11-14T22:13:20Z" in done.err
    assert "\x1b" not in done.err


# -- prune --


def test_nothing_due_is_status_0(cli, rotate, kept):
    assert "Nothing is due." in cli("principal", "prune", "--all").err
    rotate()
    done = cli("principal", "prune", "--all")
    assert done.status == 0
    assert "Kept secret 1 of me at registry.example, until 20" in done.err
    assert "Nothing is due." in done.err
    assert len(kept()[0].slots) == 2


def test_what_is_due_is_removed_and_again_is_harmless(cli, rotate, change, kept):
    rotate()
    change(due)
    assert "Would remove secret 1 of me at registry.example." in cli("principal", "prune", "registry.example", "--dry-run").err
    assert len(kept()[0].slots) == 2
    done = cli("principal", "prune", "registry.example")
    assert (done.status, done.err) == (0, "Removed secret 1 of me at registry.example.\n")
    assert secrets(kept()[0]) == [NEXT]
    assert cli("principal", "prune", "--all").status == 0


def test_consumers_of_the_old_secret_keep_it_and_that_is_status_7(cli, rotate, consume, change, kept):
    rotate()
    consume("/srv/config.json", 1)
    change(due)
    done = cli("principal", "prune", "--all")
    assert done.status == 7
    assert "/srv/config.json (docker-config), secret 1 (old), written 2023-11-14T22:13:20Z" in done.err
    assert len(kept()[0].slots) == 2
    assert cli("principal", "prune", "--all", "--force").status == 0
    assert secrets(kept()[0]) == [NEXT]


def test_a_consumer_that_is_struck_out_keeps_nothing(cli, rotate, consume, change, load, kept):
    rotate()
    consume("/srv/config.json", 1)
    change(due)
    [shown] = load("principal", "consumers", "registry.example")["consumers"]
    assert shown == {
        "target": "/srv/config.json",
        "format": "docker-config",
        "serial": 1,
        "secret": "old",
        "written_at": "2023-11-14T22:13:20Z",
    }
    done = cli("principal", "consumers", "registry.example", "--forget", "/srv/config.json")
    assert "Forgot /srv/config.json." in done.err
    assert cli("principal", "prune", "--all").status == 0
    assert secrets(kept()[0]) == [NEXT]
    assert cli("principal", "consumers", "registry.example", "--forget", "/srv/config.json").status == 3


@pytest.mark.parametrize("words", [[], ["registry.example", "--all"], ["--all", "--account", "me"]])
def test_whose_secrets_has_to_be_said(cli, words):
    assert cli("principal", "prune", *words).status == 2


def test_a_registry_that_is_not_there_is_status_3(cli, add):
    for verb in (["prune"], ["show"], ["consumers"], ["disable"], ["enable"], ["remove", "--yes"], ["rotate", "--secret-stdin"]):
        done = cli("principal", verb[0], "other.example", *verb[1:], stdin="x")
        assert done.status == 3, verb
        assert "is stored for other.example" in done.err


def test_a_rotation_that_was_cut_off_is_shown_and_taken_up(cli, add, rotate, change, load, kept):
    change(lambda record: record.replace(slots=(*record.slots, Slot("half way", serial=2))))
    assert [secret["role"] for secret in load("principal", "show", "registry.example")["principals"][0]["secrets"]] == ["current", "next"]
    done = rotate()
    assert "An earlier rotation had been cut off before its end; its secret was never used." in done.err
    assert secrets(kept()[0]) == [NEXT, CANARY]
