"""Many processes at one store, and processes that die in the middle."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registryauth.reference import Address
from registryauth.testing.store_contract import a_record

_OPEN = """
import sys
from registryauth.errors import Conflict
from registryauth.stores import open_store
from registryauth.testing.store_contract import a_record
me = sys.argv[3]
store = open_store(sys.argv[1], "file", sys.argv[2])
"""

# Imports take longer than the work: without this, one would have finished before the next has begun.
_TOGETHER = """
print("ready", flush=True)
sys.stdin.readline()
"""

OWN_RECORDS = f"""{_OPEN}{_TOGETHER}
for number in range(25):
    store.put(a_record(f"r.example/w{{me}}/n{{number}}"), if_revision=0)
"""

SHARED_RECORD = f"""{_OPEN}{_TOGETHER}
lost = done = 0
while done < 10:
    found = store.exact(a_record("r.example").key)
    count = int(found.purpose) if found else 0
    try:
        store.put(a_record("r.example").replace(purpose=str(count + 1)), if_revision=found.revision if found else 0)
    except Conflict:
        lost += 1
    else:
        done += 1
print(lost)
"""

FOREVER = f"""{_OPEN}
number = 0
while True:
    written = store.put(a_record(f"r.example/k{{me}}/n{{number % 7}}", "deploy", f"secret {{number}}"))
    print(number, written.revision, flush=True)
    number += 1
"""


@pytest.fixture
def start(store, place: Path):
    """Starts a script with the store's place and a name; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def starting(script: str, name: object) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", script, store.path, str(place / "config" / "store.key"), str(name)]
        running.append(subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield starting
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def all_at_once(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Release all of them together; the output of each."""
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * len(processes)
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return outputs


def test_eight_processes_that_make_and_fill_one_store_lose_no_write(store, start):
    all_at_once([start(OWN_RECORDS, name) for name in range(8)])
    found = store.list()
    assert {str(record.address) for record in found} == {f"r.example/w{name}/n{number}" for name in range(8) for number in range(25)}
    assert sorted(record.revision for record in found) == list(range(1, 201))


def test_conditional_puts_of_four_processes_count_without_a_gap(store, start):
    outputs = all_at_once([start(SHARED_RECORD, name) for name in range(4)])
    found = store.get(Address.parse("r.example"))
    assert found is not None
    assert found.purpose == "40"
    assert sum(int(output) for output in outputs) > 0, "nobody ever met another: the test proves nothing"


def test_a_writer_killed_at_any_moment_leaves_every_acknowledged_write(store, open_again, start):
    """A process crash, that is: the kernel still writes what it was given."""
    chance = random.Random(20261122)
    acknowledged: dict[str, tuple[str, int]] = {}
    for name in range(30):
        writer = start(FOREVER, name)
        lines = [writer.stdout.readline()]
        time.sleep(chance.uniform(0, 0.03))
        writer.kill()
        # From where readline stopped: communicate knows nothing of what that read ahead. A line that was cut was not acknowledged.
        lines += [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        writer.communicate()
        for number, revision in (map(int, line.split()) for line in lines):
            acknowledged[f"r.example/k{name}/n{number % 7}"] = f"secret {number}", revision
        found = {str(record.address): (record.slots[0].secret, record.revision) for record in open_again().list()}
        for address, (secret, revision) in acknowledged.items():
            # One more write may have been committed than was told.
            assert found[address] == (secret, revision) or found[address][1] > revision, address
    assert store.put(a_record("r.example")).revision > max(revision for _, revision in acknowledged.values())
