"""What our programs cost beside a bare interpreter and beside their peers, measured in one run, as Markdown on stdout.

python benchmarks/run.py [--quick] [--peers] [--typer]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import bulk, keys, peers, stage, stores, table, transfer
from benchmarks.lookup import filled_store, resolving
from benchmarks.timing import Command, time_commands, time_functions
from registryauth import Address, Basic, Client
from registryauth._origin import Url
from registryauth.credentials import Pinned
from registryauth.kubelet_provider import API_VERSION
from tests.real.servers import Server

HELPER = str(stage.SCRIPTS / "docker-credential-registryauth")
PROVIDER = str(stage.SCRIPTS / "registryauth-credential-provider")
OURS = str(stage.SCRIPTS / "registryauth")
FETCHES = 100


class Run:
    """One run's surroundings: a directory with a short path, how often to measure, a Python with the peers or none."""

    def __init__(self, directory: Path, python: str, *, quick: bool) -> None:
        self.directory = directory
        self.quick = quick
        self.rounds = 5 if quick else 25
        self.python = python
        self.home = stage.Home(directory / "home")

    def bare(self) -> Command:
        """The interpreter that runs our programs, doing nothing."""
        return Command(table.BARE, [sys.executable, "-c", "pass"], self.home.environ)

    def ours(self, name: str, *argv: str) -> Command:
        """Our command."""
        return Command(f"**{name}**", [OURS, *argv], self.home.environ)

    def get(self, server: str, name: str = "", environ: dict[str, str] | None = None) -> Command:
        """Our helper's answer for *server*."""
        shown = f"**{name or 'docker-credential-registryauth get'}**"
        return Command(shown, [HELPER, "get"], environ or self.home.environ, server.encode())

    def provide(self, server: str) -> Command:
        """The answer of the kubelet's provider for an image at *server*."""
        asked = {"apiVersion": API_VERSION, "kind": "CredentialProviderRequest", "image": f"{server}/team/model:v1"}
        return Command("**registryauth-credential-provider**", [PROVIDER], self.home.environ, json.dumps(asked).encode())


def helper(run: Run, servers: dict[str, Server]) -> str:
    """The answer of the credential helper, which docker asks two to six times for one image, and of the kubelet's provider."""
    host = servers["Basic"].host
    with stage.password_store(run.home, run.directory / "gnupg", host) as there:
        commands = [run.bare(), run.get(host), run.provide(host)]
        if there:
            commands.append(Command("docker-credential-pass get (Go)", ["docker-credential-pass", "get"], run.home.environ, host.encode()))
        return table.processes(
            "The docker credential helper and the kubelet's provider, key in a file", time_commands(commands, run.rounds), commands[-1].name
        )


def starts(run: Run, _: dict[str, Server]) -> str:
    """What every invocation costs at least."""
    commands = [run.bare(), run.ours("registryauth --version", "--version"), run.ours("registryauth --help", "--help")]
    return table.processes("Start-up", time_commands(commands, run.rounds))


def manifests(run: Run, servers: dict[str, Server]) -> str:
    """Cold processes that resolve a credential, or fetch one manifest."""
    parts = []
    for kind, server in servers.items():
        reference = f"{server.host}/{stage.REPOSITORY}:{stage.TAG}"
        trust = ["--ca-file", str(server.ca_file)] if server.ca_file else []
        commands = [
            run.bare(),
            run.ours("registryauth resolve", "resolve", reference),
            run.ours("registryauth manifest get", "manifest", "get", reference, *trust),
            *peers.manifest_commands(server, run.home, run.python),
        ]
        tls = " over TLS" if server.ca_file else ""
        parts.append(table.processes(f"One manifest, {kind}{tls}", time_commands(commands, run.rounds), peers.DXF))
    return "\n".join(parts)


def lookups(run: Run, _: dict[str, Server]) -> str:
    """A lookup among few and among many registered registries."""
    functions: dict[str, Callable[[], object]] = {}
    commands = [run.bare()]
    for count in (10, 10_000):
        store, environ = filled_store(run.directory / f"store-{count}", run.home.environ, count)
        wanted = Address.parse(f"r{count // 2}.example/team/model")
        # Bound now: the loop goes on.
        functions[f"**store.get among {count:,}**"] = lambda store=store, wanted=wanted: store.get(wanted)
        commands.append(run.get(f"r{count // 2}.example", f"docker-credential-registryauth get among {count:,}", environ))
    seconds = time_functions(functions, run.rounds * 20)
    few = next(iter(seconds.values()))
    rows = [[name, f"{taken * 1e6:.0f}", f"{taken / few:.2f}"] for name, taken in seconds.items()]
    inside = table.rendered("A lookup in a store, in one process", ["", "µs", "times that among 10"], rows)
    inside += f"\n{resolving(run.directory, run.home.environ, run.rounds * 20)}"
    return f"{inside}\n{table.processes('A lookup in a store, whole helper', time_commands(commands, run.rounds), commands[1].name)}"


def vaults(run: Run, servers: dict[str, Server]) -> str:
    """A record in OpenBao, beside a bare HTTP read of the same entry, and the helper with it."""
    with stores.filled_vault(run.directory / "openbao", run.home.environ) as there:
        if there is None:
            return "### A record in OpenBao\n\nnot measured: bao is not installed\n"
        server, environ = there
        cached = environ | {"REGISTRYAUTH_STORE_CACHE": "12h", "REGISTRYAUTH_STORE_KEY": "file"}
        with stores.readers(server, environ) as readers, stores.readers(server, cached) as through_cache:
            named = readers | {"**store.get, keeping a cache**": through_cache["**store.get**"]}
            seconds = time_functions(named, run.rounds * 20)
        bare = next(iter(seconds.values()))
        rows = [[name, f"{taken * 1e6:.0f}", f"{taken / bare:.2f}"] for name, taken in seconds.items()]
        inside = table.rendered("A record in OpenBao, in one process", ["", "µs", "times the bare read"], rows)
        helper = run.get(stores.HOST, "docker-credential-registryauth get, from OpenBao", environ)
        kept = run.get(stores.HOST, "docker-credential-registryauth get, from OpenBao, keeping a cache", cached)
        local = run.get(servers["Basic"].host, "docker-credential-registryauth get, local store")
        taken = time_commands([run.bare(), local, helper, kept], run.rounds)
        return f"{inside}\n{table.processes('A record in OpenBao, whole helper', taken, local.name)}"


def sources(run: Run, _: dict[str, Server]) -> str:
    """The helper with each source of keys, and many writers at once."""
    commands, gets = [run.bare()], "docker-credential-registryauth get"
    for source, environ in keys.homes(run.directory / "keys", run.home.environ):
        commands.append(run.get(keys.HOST, f"{gets}, key: {source}", environ))
        if source == "passphrase":
            commands.append(run.get(keys.HOST, f"{gets}, key: passphrase, unlocked", keys.unlocked(environ)))
    taken = table.processes("The helper and the store's key", time_commands(commands, run.rounds), commands[1].name)
    return f"{taken}\n{keys.writing(run.directory / 'writers', 320 if run.quick else 1280)}"


def requests(run: Run, servers: dict[str, Server]) -> str:
    """Requests that a registry and its token server count for many manifests from one repository."""
    server = servers["token"]
    rows = []

    def counted(name: str, fetch: Callable[[], None]) -> None:
        assert server.token_server is not None
        before = len(server.requests), len(server.token_server.requests)
        fetch()
        registry, tokens = len(server.requests) - before[0], len(server.token_server.requests) - before[1]
        rows.append([name, str(registry), str(tokens), f"{registry + tokens}"])

    counted("**registryauth.Client**", lambda: _fetch(server))
    for command in peers.manifest_commands(server, run.home, run.python, FETCHES):
        counted(command.name, lambda command=command: run.home.run(*command.argv, **command.environ))
    return table.rendered(f"{FETCHES} manifest fetches with token auth", ["", "to the registry", "to the token server", "together"], rows)


def _fetch(server: Server) -> None:
    pinned = (Pinned(Basic(server.username, server.password), "benchmark", (Url.parse(server.realm).origin,)),)
    with Client(lambda _: pinned, ca_files={"*": str(server.ca_file)}) as client:
        repository = client.repository(f"{server.host}/{stage.REPOSITORY}")
        for _ in range(FETCHES):
            repository.manifest(stage.TAG)


def typers(run: Run, _: dict[str, Server]) -> str:
    """The command line library that we pin, and the next."""
    app = "import typer\ndef main(name: str, times: int = 1) -> None: pass\ntyper.run(main)"
    commands = [run.bare()]
    for number, version in enumerate(("typer>=0.28,<0.29", "typer>=0.29")):
        python = stage.environment(run.directory / f"typer-{number}", version)
        commands.append(Command(f"one verb with {version}", [python, "-c", app, "x"], run.home.environ))
    return table.processes("typer", time_commands(commands, run.rounds), commands[1].name)


def imports(run: Run, _: dict[str, Server]) -> str:
    """Ten thousand principals at once."""
    return bulk.tables(run.directory / "bulk", run.home.environ, 1 if run.quick else 5)


def transfers(run: Run, _: dict[str, Server]) -> str:
    """Whole images, pulled and pushed."""
    rounds = 3 if run.quick else 5
    for text in transfer.tables(OURS, run.home.environ, rounds):
        print(text, flush=True)
    return ""


def huge(run: Run, _: dict[str, Server]) -> str:
    """The memory that a blob takes that is larger than memory."""
    return transfer.huge(OURS, run.home.environ, 1024 * transfer.MIB if run.quick else 10 * 1024 * transfer.MIB)


@contextmanager
def _surroundings(arguments: argparse.Namespace) -> Iterator[tuple[Run, dict[str, Server]]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        python = stage.environment(directory / "peers", *peers.PACKAGES) if arguments.peers else ""
        run = Run(directory, python, quick=arguments.quick)
        with stage.registries(directory) as servers:
            for server in servers.values():
                run.home.login(server)
            yield run, servers


def main() -> None:
    """Measure, and print each table when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 rounds instead of 25, of transfers 3 instead of 5")
    parser.add_argument("--peers", action="store_true", help=f"install {' and '.join(peers.PACKAGES)} into a throw-away environment")
    parser.add_argument("--typer", action="store_true", help="also compare typer's versions, each in a throw-away environment")
    parser.add_argument(
        "--only",
        choices=list(_PARTS),
        help="one part; transfer, which takes minutes and 4 GiB of memory, and huge, 31 GiB of disk, run only so",
    )
    arguments = parser.parse_args()
    with _surroundings(arguments) as (run, servers):
        for name, part in _PARTS.items():
            wanted = arguments.only == name or (arguments.only is None and name not in _APART)
            if wanted and (name != "typer" or arguments.typer):
                print(part(run, servers), flush=True)


_PARTS: dict[str, Callable[[Run, dict[str, Server]], str]] = {
    "helper": helper,
    "manifests": manifests,
    "starts": starts,
    "lookups": lookups,
    "stores": vaults,
    "keys": sources,
    "requests": requests,
    "typer": typers,
    "bulk": imports,
    "transfer": transfers,
    "huge": huge,
}
#: What runs only when it is asked for.
_APART = ("transfer", "huge")

if __name__ == "__main__":
    main()
