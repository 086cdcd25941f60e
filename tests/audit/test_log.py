from __future__ import annotations

import fcntl
import itertools
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time

import pytest

from registryauth.audit import chain
from registryauth.audit import log as module
from registryauth.audit.event import Event
from registryauth.audit.log import MAX_LINE, Log
from registryauth.errors import StoreUnavailable

from .conftest import KEY

WRITER = """
import sys
from registryauth.audit.event import Event
from registryauth.audit.log import Log
log = Log(sys.argv[1], patience=60)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    log.append([Event("read", "r.example", sys.argv[3] + "." + str(number), detail="x" * 199)], b"k" * 32)
    print(number, flush=True)
"""


@pytest.fixture
def start(path):
    """Starts a process that writes so many lines when told to; what still runs at the end is killed."""
    running = []

    def start(count, name="writer"):
        arguments = [sys.executable, "-c", WRITER, str(path), str(count), str(name)]
        running.append(subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def go(process):
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_new_log_begins_with_a_line_that_says_so(write, lines):
    write("one")
    assert [(line["sequence"], line["event"]) for line in lines()] == [(1, "begun"), (2, "read")]
    assert lines()[0]["previous"] == chain.NO_LINE


def test_each_line_holds_the_hash_of_the_line_before_it(write, path, lines):
    write("one")
    write("two", "three")
    raw = path.read_bytes().splitlines()
    assert [line["previous"] for line in lines()[1:]] == [chain.hash_of(line) for line in raw[:-1]]


def test_the_file_is_0600_in_a_directory_of_0700_whatever_the_umask(write, path):
    before = os.umask(0)
    try:
        write("one")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(os.stat(each).st_mode) for each in (path, path.parent)] == [0o600, 0o700]


def test_a_file_that_others_can_read_is_not_written(write, path):
    write("one")
    path.chmod(0o644)
    with pytest.raises(StoreUnavailable, match="open to other users") as refused:
        write("two")
    assert "chmod 600" in refused.value.hint


def test_a_link_is_not_followed(write, path, tmp_path):
    victim = tmp_path / "victim"
    victim.touch(mode=0o600)
    path.parent.mkdir(mode=0o700)
    path.symlink_to(victim)
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        write("one")
    assert victim.read_bytes() == b""


def test_a_directory_that_others_can_write_into_is_refused(write, path):
    write("one")
    path.parent.chmod(0o777)
    with pytest.raises(StoreUnavailable, match="others can write"):
        write("two")


@pytest.mark.timeout(20)
def test_a_pipe_in_its_place_does_not_make_us_wait(write, path):
    path.parent.mkdir(mode=0o700)
    os.mkfifo(path, 0o600)
    with pytest.raises(StoreUnavailable, match="not a regular file"):
        write("one")


def test_who_holds_it_for_too_long_is_not_waited_for(path, write):
    write("one")
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="another process has held it"):
            Log(str(path), patience=0.1).append([Event("read")], KEY)
        assert time.monotonic() - began < 5
    write("two")


@pytest.mark.parametrize("left", [b'{"sequence":9', b"x" * 5000, b"\xff\0"])
def test_a_torn_line_stays_and_the_next_one_stands_below_it(write, path, check, left):
    write("one")
    with open(path, "ab") as file:
        file.write(left)
    write("two")
    raw = path.read_bytes().splitlines()
    assert raw[2] == left
    assert json.loads(raw[3])["sequence"] == 3
    verdict = check()
    assert ([place.line for place in verdict.torn.named], verdict.faults.count) == ([3], 0)


def test_a_line_that_lacks_its_newline_alone_is_not_torn(write, path, check):
    write("one", "two")
    path.write_bytes(path.read_bytes()[:-1])
    write("three")
    verdict = check()
    assert (verdict.lines, verdict.authentic, verdict.torn.count, verdict.faults.count) == (4, 4, 0, 0)


@pytest.mark.parametrize("content", [b"x" * 5 * MAX_LINE, b"\n" * 5 * MAX_LINE])
def test_a_file_of_something_else_is_not_written(write, path, content):
    write("one")
    with open(path, "ab") as file:
        file.write(content)
    before = path.stat().st_size
    with pytest.raises(StoreUnavailable, match="does not end as a log of ours"):
        write("two")
    assert path.stat().st_size == before


def test_only_the_end_is_read(write, path, monkeypatch):
    write(*map(str, range(3000)))
    read = []
    real = os.pread
    monkeypatch.setattr("os.pread", lambda *args: read.append(args[1]) or real(*args))
    write("last")
    assert path.stat().st_size > 1_000_000
    assert sum(read) == 4096


def test_after_a_rotation_the_chain_goes_on_in_the_new_file(write, path, lines, check):
    write("one")
    old = path.with_name("audit.log.1")
    path.rename(old)
    write("two")
    begun, read = ((line["sequence"], line["event"], line["detail"]) for line in lines())
    assert (begun, read) == ((3, "begun", "carries on from audit.log.1"), (4, "read", ""))
    both = check(old, path)
    assert (both.lines, both.authentic, both.faults.count, both.begun) == (4, 4, 0, True)
    assert (check().faults.count, check().begun) == (0, False)


def test_the_file_put_aside_last_is_the_one_it_goes_on_from(write, path, lines):
    for day, name in enumerate(("audit.log-20270101", "audit.log-20270102"), 1):
        write(name)
        path.rename(path.with_name(name))
        os.utime(path.with_name(name), (day, day))
    write("last")
    assert lines()[0]["detail"] == "carries on from audit.log-20270102"


def test_one_that_was_compressed_is_named_and_a_new_chain_begun(write, path, lines):
    path.parent.mkdir(mode=0o700)
    path.with_name("audit.log.1.gz").write_bytes(b"\x1f\x8b" + os.urandom(100_000).replace(b"\n", b""))
    write("one")
    assert (lines()[0]["sequence"], lines()[0]["detail"]) == (1, "audit.log.1.gz could not be read")


def test_who_opened_a_file_that_is_put_aside_before_it_is_locked_writes_into_the_new_one(write, path, check, monkeypatch):
    write("one")
    aside, real = path.with_name("audit.log.1"), module._try_lock

    def rotating(handle):
        if not aside.exists():
            path.rename(aside)
        return real(handle)

    monkeypatch.setattr(module, "_try_lock", rotating)
    write("two")
    assert b'"two"' in path.read_bytes()
    assert b'"two"' not in aside.read_bytes()
    assert check(aside, path).faults.count == 0


def test_64_processes_at_once_make_one_chain(start, check, lines):
    processes = [start(5, name) for name in range(64)]
    for process in processes:
        go(process)
    for process in processes:
        process.communicate(timeout=100)
    assert {process.returncode for process in processes} == {0}
    verdict = check()
    assert (verdict.authentic, verdict.faults.count, verdict.torn.count) == (64 * 5 + 1, 0, 0)
    order = [line["account"].partition(".")[0] for line in lines()[1:]]
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes > 63, "nobody ever met another: the test proves nothing"


def test_a_writer_killed_at_any_moment_leaves_every_line_that_it_acknowledged(start, write, check, lines):
    chance = random.Random(20261122)
    acknowledged = set()
    for name in range(20):
        writer = start(1_000_000, name)
        go(writer)
        told = [writer.stdout.readline()]
        time.sleep(chance.uniform(0, 0.02))
        writer.send_signal(signal.SIGKILL)
        # From where readline stopped: communicate knows nothing of what that read ahead.
        told += [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        writer.communicate()
        acknowledged |= {f"{name}.{int(number)}" for number in told}
    write("survivor")
    verdict = check()
    assert (verdict.faults.count, verdict.open.count) == (0, 0)
    assert acknowledged | {"survivor"} <= {line["account"] for line in lines()}


def test_a_full_disk_is_told_and_what_it_left_is_survived(path, write, check):
    """The limit on a file's size stands in for the disk."""
    write("one")
    script = f"""
import resource, sys
from registryauth.audit.event import Event
from registryauth.audit.log import Log
from registryauth.errors import StoreUnavailable
resource.setrlimit(resource.RLIMIT_FSIZE, ({path.stat().st_size + 200},) * 2)
try:
    Log(sys.argv[1]).append([Event("read")], b"k" * 32)
except StoreUnavailable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert "cannot be written: File too large" in done.stdout
    assert not path.read_bytes().endswith(b"\n")
    write("two")
    verdict = check()
    assert (verdict.torn.count, verdict.faults.count, verdict.authentic) == (1, 0, 3)
