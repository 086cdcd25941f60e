from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registryauth.audit import chain
from registryauth.audit.event import Event, body
from registryauth.audit.log import MAX_LINE, Log
from registryauth.audit.verification import MAX_NAMED, Place, _Check, verify
from registryauth.errors import StoreUnavailable

from .conftest import KEY


@pytest.fixture
def edit(path):
    """Changes the log's lines as somebody without the key could."""

    def edit(change):
        found = path.read_bytes().splitlines()
        path.write_bytes(b"\n".join(change(found) or found) + b"\n")

    return edit


@pytest.fixture
def forged():
    """A line that somebody without the key would write behind *line*."""

    def forged(line, sequence, mac=None):
        return chain.closed(body(Event("read", "forged.example"), sequence, chain.hash_of(line), mac and chain.key_id(KEY), 0), mac)

    return forged


def test_a_log_that_nobody_touched_is_whole(write, check):
    write("one", "two", "three")
    verdict = check()
    assert (verdict.lines, verdict.authentic, verdict.begun, verdict.last_sequence) == (4, 4, True, 4)
    assert not any((verdict.faults, verdict.open, verdict.torn))
    assert len(verdict.last_mac) == 64


@pytest.mark.parametrize("at", [0, 1, 3, 5])
def test_a_changed_line_is_named(write, edit, faults, at):
    write("a", "b", "c", "d", "e")
    edit(lambda lines: lines.__setitem__(at, lines[at].replace(b'"result":"ok"', b'"result":"xx"')))
    assert faults() == [(at + 1, "it was changed, or written by somebody without the key")]


def test_a_mac_taken_off_is_named(write, edit, faults):
    """To make a line one that was written while the store was locked."""
    write("a", "b", "c")
    edit(lambda lines: lines.__setitem__(2, chain.closed(lines[2].rpartition(b',"mac":')[0].replace(b'"b"', b'"x"') + b"}", None)))
    assert faults() == [(3, "it was changed: the line after it knows it otherwise")]


@pytest.mark.parametrize(("first", "count"), [(2, 1), (2, 3), (1, 2)])
def test_removed_lines_are_counted(write, edit, faults, first, count):
    write("a", "b", "c", "d", "e")
    edit(lambda lines: lines[:first] + lines[first + count :])
    [(line, what)] = faults()
    assert line == first + 1
    assert what.startswith(f"{count} line")


def test_a_missing_beginning_is_named(write, edit, faults):
    write("a", "b")
    edit(lambda lines: lines[1:])
    assert faults() == [(1, "what was before it is missing")]


def test_a_false_beginning_does_not_hide_it(write, edit, faults):
    """A line "begun" may name an earlier file's line; the line behind it then knows another one."""
    write("a", "b", "c")
    false = chain.closed(body(Event("begun"), 2, "f" * 64, None, 0), None)
    edit(lambda lines: [false, *lines[2:]])
    assert faults() == [(1, "it was changed: the line after it knows it otherwise")]


def test_two_lines_that_changed_places_are_named(write, edit, faults):
    write("a", "b", "c", "d")
    edit(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]])
    assert [line for line, _ in faults()] == [2, 3, 4]


def test_an_inserted_line_is_named_though_nothing_vouches_for_it(write, edit, faults, forged):
    write("a", "b", "c")
    edit(lambda lines: [*lines[:2], forged(lines[1], 3), *lines[2:]])
    assert faults() == [(4, "it, or one before it, was inserted or moved (number 3 after 3)")]


def test_a_line_appended_without_the_key_is_never_taken_for_ours(write, path, check, forged, faults):
    write("a", "b")
    for mac in (None, b"z" * 32):
        last = path.read_bytes().splitlines()[-1]
        with open(path, "ab") as file:
            file.write(forged(last, json.loads(last)["sequence"] + 1, mac) + b"\n")
    write("c")
    verdict = check()
    assert [place.line for place in verdict.open.named] == [4]
    assert faults() == [(5, "it was changed, or written by somebody without the key")]
    assert verdict.authentic == 4


def test_a_cut_off_end_is_not_noticed(write, edit, check):
    """As docs/audit.md says: only the last number and MAC, kept elsewhere, tell."""
    write("a", "b", "c")
    before = check()
    edit(lambda lines: lines[:-1])
    after = check()
    assert after.faults.count == 0
    assert (after.last_sequence, after.last_mac) != (before.last_sequence, before.last_mac)


def test_lines_written_while_the_key_is_away_are_counted_and_held_by_the_next(write, edit, check, faults):
    write("a")
    write("b", "c", key=None)
    write("d")
    verdict = check()
    assert ([place.line for place in verdict.open.named], verdict.authentic, verdict.faults.count) == ([3, 4], 3, 0)
    edit(lambda lines: lines.__setitem__(3, lines[3].replace(b'"c"', b'"x"')))
    assert faults() == [(4, "it was changed: the line after it knows it otherwise")]


def test_lines_under_another_key_are_not_vouched_for(write, check):
    write("a", key=b"old" * 8)
    write("b")
    verdict = check()
    assert [(place.line, place.what) for place in verdict.open.named] == [(n, "under a key that is not at hand") for n in (1, 2)]
    assert verdict.authentic == 1


def test_but_they_are_once_the_holder_of_both_keys_has_said_so(write, log, check):
    """Over two changes of the key."""
    older, old = b"1" * 32, b"2" * 32
    write("a", key=older)
    log.append([Event("rekeyed", carries=chain.key_id(older))], old)
    write("b", key=old)
    log.append([Event("rekeyed", carries=chain.key_id(old))], KEY)
    verdict = check()
    assert (verdict.lines, verdict.authentic, verdict.carried, verdict.open.count) == (5, 1, 4, 0)
    write("stale", key=old)
    assert check().open.count == 1


def test_nobody_without_the_key_can_say_so(write, log, check):
    write("a", key=b"1" * 32)
    log.append([Event("rekeyed", carries=chain.key_id(b"1" * 32))], b"made up" * 4)
    write("b")
    verdict = check()
    assert (verdict.carried, verdict.open.count) == (0, 3)


def test_a_log_begun_anew_in_a_later_file_is_named(tmp_path, check, faults):
    one, two = (tmp_path / name / "audit.log" for name in "ab")
    for file in (one, two):
        Log(str(file)).append([Event("read")], KEY)
    assert faults(one, two) == [(1, "the log was begun anew here; what was between is not known")]


def test_no_log_is_no_good_log(check):
    with pytest.raises(StoreUnavailable, match="there is no audit log"):
        check()


def test_a_log_that_others_could_write_is_refused(write, path, check):
    write("a")
    path.chmod(0o666)
    with pytest.raises(StoreUnavailable, match="open to other users"):
        check()


def test_what_is_none_of_ours_is_counted_and_bounded(write, path, check):
    write("a")
    with open(path, "ab") as file:
        file.write(b"[" * 30_000 + b"\n" + b"x" * 3 * MAX_LINE + b"\n" + b'{"sequence":true}\n"text"\n' + b"\n" * 1000)
    verdict = check()
    assert (verdict.torn.count, len(verdict.torn.named)) == (1004, MAX_NAMED)
    assert verdict.lines == 1006


def test_a_number_that_does_not_follow_is_named_though_the_hash_does(write, path, faults, forged):
    write("a")
    with open(path, "ab") as file:
        file.write(forged(path.read_bytes().splitlines()[-1], 9) + b"\n")
    assert faults() == [(3, "6 lines are missing before it (number 9)")]


def test_invented_keys_are_counted_and_do_not_fill_the_memory():
    check = _Check(KEY)
    for number in range(3000):
        line = json.dumps({"sequence": 1 + number, "key": f"{number:08x}", "event": "rekeyed", "carries": "x", "mac": "x"}).encode()
        check.take(Place("log", 1 + number), line)
    assert len(check._foreign) <= 1001
    assert len(check._vouched) <= 1001
    assert check.verdict().open.count == 3000


def test_what_the_last_line_says_cannot_move_the_cursor(write, path, check):
    write("a")
    with open(path, "ab") as file:
        file.write(b'{"sequence":3,"time":"\\u001b[2J","key":"x","mac":"\\u001b[2J"}\n')
    assert (check().last_time, check().last_mac) == ("", "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_no_byte_can_be_changed_unnoticed(tmp_path, data):
    """Wherever it stands: a fault is told, or the line is no line any more."""
    path = tmp_path / "bytes" / "audit.log"
    if not path.exists():
        Log(str(path)).append([Event("read", "r.example", account) for account in "abc"], KEY)
    original = path.read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != original[at]))
    changed = tmp_path / "bytes" / "changed.log"
    changed.touch(mode=0o600)
    changed.write_bytes(original[:at] + bytes([byte]) + original[at + 1 :])
    os.chmod(changed, 0o600)
    verdict = verify([str(changed)], KEY)
    assert verdict.authentic < 4
    assert verdict.faults or verdict.torn or verdict.open
