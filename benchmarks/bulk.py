"""Many principals at once: what importing and exporting 10,000 costs, and a lookup afterwards: python benchmarks/bulk.py prints it."""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import table
from benchmarks.stage import SCRIPTS
from benchmarks.timing import time_functions
from registryauth import Address
from registryauth.stores import Store, open_store
from registryauth.stores.principal import Principal, Slot

COUNT = 10_000
FEW = 10
#: Writes in transactions of their own that are timed; each waits for the disk.
_SINGLES = 100
_OURS = str(SCRIPTS / "registryauth")
_PASSPHRASE = base64.b64encode(os.urandom(16)).decode()


def tables(directory: Path, environ: Mapping[str, str], rounds: int) -> str:
    """The tables, as Markdown; needs an empty *directory* to be made."""
    directory.mkdir(mode=0o700)
    files = _files(directory, COUNT)
    rows = []

    def timed(name: str, count: int, action: Callable[[], object], times: int = rounds) -> None:
        taken = statistics.median(_seconds(action) for _ in range(times))
        rows.append([name, f"{taken:.2f}", f"{taken / count * 1e6:.0f}"])

    fresh = _FreshStores(directory, environ)
    for form, path in files.items():
        timed(f"**principal import**, {COUNT:,} from {form}", COUNT, lambda path=path: _run(fresh.make(), "import", str(path)))
    many, bundle = fresh.make(), directory / "all.bundle"
    _run(many, "import", str(files["CSV"]))
    timed(f"**principal export**, {COUNT:,} to a bundle", COUNT, lambda: _run(many, "export", "--force", "--output-file", str(bundle)))
    timed(f"**principal import**, {COUNT:,} from that bundle", COUNT, lambda: _run(fresh.make(), "import", str(bundle)))
    timed(f"for comparison, in one process: `put` of {_SINGLES}, one after the other", _SINGLES, lambda: _put_singly(fresh.make()))
    few = fresh.make()
    _run(few, "import", str(_files(directory, FEW)["CSV"]))
    imported = table.rendered("Many principals at once, whole processes, audit log on", ["", "s", "µs each"], rows)
    return f"{imported}\n{_lookups({FEW: few, COUNT: many}, rounds * 200)}"


def _files(directory: Path, count: int) -> dict[str, Path]:
    """The same principals in every form that other programs have them in."""
    rows = [(f"r{number}.example/team", f"account-{number}", f"secret of {number}") for number in range(count)]
    auths = {address: {"auth": base64.b64encode(f"{account}:{secret}".encode()).decode()} for address, account, secret in rows}
    contents = {
        "CSV": "registry,client_id,secret,owner,expires\n" + "".join(f"{','.join(row)},ml-platform,2099-01-01\n" for row in rows),
        "TOML": "\n".join(f'[[principal]]\nregistry = "{a}"\nclient_id = "{b}"\nsecret = "{c}"\n' for a, b, c in rows),
        "a docker config.json": json.dumps({"auths": auths}),
    }
    found = {}
    for number, (form, content) in enumerate(contents.items()):
        found[form] = directory / f"list-{count}-{number}"
        found[form].write_text(content)
        found[form].chmod(0o600)
    return found


class _FreshStores:
    """Makes environments, each with a store of its own that is still empty."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._directory, self._environ, self._made = directory, environ, 0

    def make(self) -> dict[str, str]:
        self._made += 1
        home = self._directory / f"store-{self._made}"
        own = {"STORE_PATH": home / "store.db", "STORE_KEY_FILE": home / "store.key", "AUDIT_FILE": home / "audit.log", "STORE_KEY": "file"}
        said = {f"REGISTRYAUTH_{name}": str(value) for name, value in (own | {"BUNDLE_PASSPHRASE": _PASSPHRASE}).items()}
        return {**self._environ, **said}


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _run(environ: Mapping[str, str], *argv: str) -> None:
    done = subprocess.run([_OURS, "principal", *argv], env=environ, capture_output=True, timeout=600, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")


def _opened(environ: Mapping[str, str]) -> Store:
    return open_store(environ["REGISTRYAUTH_STORE_PATH"], "file", environ["REGISTRYAUTH_STORE_KEY_FILE"], environ)


def _put_singly(environ: Mapping[str, str]) -> None:
    store = _opened(environ)
    for number in range(_SINGLES):
        store.put(Principal(Address.parse(f"r{number}.example/team"), "account", (Slot("secret", 1),)))
    store.close()


def _lookups(environs: Mapping[int, Mapping[str, str]], rounds: int) -> str:
    """Looking one up in each store, in one process."""
    functions: dict[str, Callable[[], object]] = {}
    for count, environ in environs.items():
        store, wanted = _opened(environ), Address.parse(f"r{count // 2}.example/team/model")
        functions[f"**store.get among {count:,} imported**"] = lambda store=store, wanted=wanted: store.get(wanted)
    seconds = time_functions(functions, rounds)
    first = next(iter(seconds.values()))
    rows = [[name, f"{taken * 1e6:.0f}", f"{taken / first:.2f}"] for name, taken in seconds.items()]
    return table.rendered("A lookup after an import, in one process", ["", "µs", f"times that among {FEW}"], rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        print(tables(Path(name) / "bulk", {"HOME": name, "PATH": os.environ["PATH"]}, 3))
