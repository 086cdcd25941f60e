"""What was got for one registry, repository or account stays there; and what changed is looked up again."""

from __future__ import annotations

import threading

import pytest

from registryauth._http import Request, Response
from registryauth.client import AsyncClient, Client
from registryauth.credentials import Basic, Pinned
from registryauth.errors import StoreLocked, TokenRefused, Unauthorized
from registryauth.reference import Repository
from registryauth.testing import RegistrySimulator

from .clients import Wire


class Network:
    """Several registries behind one transport, each with its own account."""

    def __init__(self, *hosts: str, auth: str = "token") -> None:
        self.registries = {host: RegistrySimulator(auth=auth, accounts={f"of-{host}": f"secret-of-{host}"}) for host in hosts}  # type: ignore[arg-type]
        for registry in self.registries.values():
            registry.add_image("team/app", "v1")

    def send(self, request: Request) -> Response:
        return self.registries[request.url.origin.host].handle(request)

    def close(self) -> None:
        pass

    def credentials(self, repository: Repository) -> tuple[Pinned, ...]:
        host = repository.registry.host
        return (Pinned(Basic(f"of-{host}", f"secret-of-{host}"), f"store:{host}"),)

    def authorizations(self, host: str) -> set[str]:
        return {request.header("authorization") for request in self.registries[host].requests} - {""}


@pytest.mark.parametrize("auth", ["token", "basic"])
def test_two_registries_share_neither_tokens_nor_credentials(auth: str) -> None:
    network = Network("a.example", "b.example", auth=auth)
    with Client(network.credentials, transport=network) as client:
        for _ in range(2):
            for host in network.registries:
                assert client.repository(f"{host}/team/app").manifest("v1").raw
    assert network.authorizations("a.example")
    assert not network.authorizations("a.example") & network.authorizations("b.example")


def test_a_credential_for_one_registry_is_not_tried_at_another() -> None:
    network = Network("a.example", "b.example")
    with Client(lambda r: network.credentials(r) if r.registry.host == "a.example" else (), transport=network) as client:
        client.repository("a.example/team/app").manifest("v1")
        with pytest.raises(TokenRefused):
            client.repository("b.example/team/app").manifest("v1")
    assert network.authorizations("b.example") == set()


def test_two_accounts_of_one_registry_do_not_share_tokens() -> None:
    simulator = RegistrySimulator(accounts={"one": "1", "two": "2"})
    simulator.add_image("one/app", "v1")
    simulator.add_image("two/app", "v1")

    def credentials(repository: Repository) -> tuple[Pinned, ...]:
        name = repository.path.partition("/")[0]
        return (Pinned(Basic(name, {"one": "1", "two": "2"}[name]), f"store:{name}"),)

    with Client(credentials, transport=simulator.transport()) as client:
        for path in ("one/app", "two/app", "one/app", "two/app"):
            client.repository(f"r.example/{path}").manifest("v1")
    accounts = [request.url.target.rpartition("account=")[2] for request in simulator.requests if "/token" in request.url.target]
    assert accounts == ["one", "two"]


def test_the_credential_of_a_repository_is_looked_up_once() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"})
    simulator.add_image("team/app", "v1")
    asked: list[str] = []

    def credentials(repository: Repository) -> tuple[Pinned, ...]:
        asked.append(repository.path)
        return (Pinned(Basic("robot", "right"), "store:1"),)

    with Client(credentials, transport=simulator.transport()) as client:
        for _ in range(5):
            client.repository("r.example/team/app").manifest("v1")
    assert asked == ["team/app"]


@pytest.mark.parametrize(("auth", "refused"), [("token", TokenRefused), ("basic", Unauthorized)])
def test_a_credential_that_was_refused_is_looked_up_again_the_next_time(auth: str, refused: type[Exception]) -> None:
    """It may have been rotated meanwhile, in a process that lives for weeks."""
    accounts = {"robot": "new"}
    simulator = RegistrySimulator(auth=auth, accounts=accounts)  # type: ignore[arg-type]
    simulator.add_image("team/app", "v1")
    stored = ["old"]
    with Client(lambda _: (Pinned(Basic("robot", stored[0]), f"store:{stored[0]}"),), transport=simulator.transport()) as client:
        repository = client.repository("r.example/team/app")
        with pytest.raises(refused):
            repository.manifest("v1")
        stored[0] = "new"
        assert repository.manifest("v1").raw


def test_a_registry_that_needs_no_credential_is_not_looked_up() -> None:
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("team/app", "v1")

    def locked(_: Repository) -> tuple[Pinned, ...]:
        raise StoreLocked("locked")

    with Client(locked, transport=simulator.transport()) as client:
        assert client.repository("r.example/team/app").manifest("v1").raw


def test_a_broken_source_is_an_error_and_no_anonymous_attempt() -> None:
    simulator = RegistrySimulator(anonymous_pull=True)
    simulator.add_image("team/app", "v1")

    def locked(_: Repository) -> tuple[Pinned, ...]:
        raise StoreLocked("locked")

    with Client(locked, transport=simulator.transport()) as client, pytest.raises(StoreLocked):
        client.repository("r.example/team/app").manifest("v1")
    assert len(simulator.requests) == 1


def test_without_a_credential_one_anonymous_attempt_is_made() -> None:
    simulator = RegistrySimulator(anonymous_pull=True)
    simulator.add_image("team/app", "v1")
    with Client(transport=simulator.transport()) as client:
        assert client.repository("r.example/team/app").manifest("v1").raw
    assert {request.header("authorization").partition(" ")[0] for request in simulator.requests} == {"", "Bearer"}


def test_sixteen_threads_share_one_client_and_one_token() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"})
    simulator.add_image("team/app", "v1")
    failures: list[BaseException] = []
    with Client(lambda _: (Pinned(Basic("robot", "right"), "store:1"),), transport=simulator.transport()) as client:
        repository = client.repository("r.example/team/app")

        def work() -> None:
            try:
                repository.manifest("v1")
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert failures == []
    assert sum("/token" in request.url.target for request in simulator.requests) == 1


def test_leaving_the_block_closes_the_transport() -> None:
    wire = Wire(lambda _: (200, {}, b""))
    with Client(transport=wire):
        pass
    assert wire.closed


def test_the_async_client_asks_for_the_same() -> None:
    import anyio

    simulator = RegistrySimulator(accounts={"robot": "right"})
    simulator.add_image("team/app", "v1")

    async def run() -> None:
        async with AsyncClient(lambda _: (Pinned(Basic("robot", "right"), "store:1"),), transport=simulator.transport()) as client:
            repository = client.repository("r.example/team/app")
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(repository.manifest, "v1")
            assert (await repository.manifest("v1")).digest == (await repository.head("v1")).digest

    anyio.run(run)
    assert sum("/token" in request.url.target for request in simulator.requests) == 1
