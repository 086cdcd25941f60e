"""Many tasks, one token request; and whoever fails or is cancelled lets the others go on."""

from __future__ import annotations

import threading

import anyio
import httpx
import pytest

from registryauth.auth import RegistryAuth
from registryauth.credentials import Basic, Pinned
from registryauth.errors import TokenRefused
from registryauth.reference import Repository
from registryauth.testing import RegistrySimulator

from .by_hand import BEARER, pinned

URL = "https://r.example/v2/team/app/manifests/v1"


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    """Either loop; whoever has no trio installed tests the one."""
    if request.param == "trio":
        pytest.importorskip("trio")
    name: str = request.param
    return name


class SlowRegistry:
    """Answers like a registry; each token request waits for `gate`, and takes its answer from *tokens*."""

    def __init__(self, *tokens: httpx.Response | Exception) -> None:
        self.tokens = list(tokens)
        self.asked = 0
        self.gate = anyio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            self.asked += 1
            await self.gate.wait()
            answer = self.tokens.pop(0) if self.tokens else httpx.Response(200, json={"token": "tok"})
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.headers.get("authorization") == "Bearer tok":
            return httpx.Response(200)
        return httpx.Response(401, headers={"www-authenticate": BEARER})


def robot() -> RegistryAuth:
    return RegistryAuth(lambda _: (pinned(Basic("robot", "pw")),))


async def gather(client: httpx.AsyncClient, count: int, registry: SlowRegistry) -> list[int | Exception]:
    """The status, or the error, of *count* fetches at once; the token server answers when all are under way."""
    results: list[int | Exception] = []

    async def fetch() -> None:
        try:
            results.append((await client.get(URL)).status_code)
        except (httpx.HTTPError, TokenRefused) as error:
            results.append(error)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(fetch)
            await anyio.wait_all_tasks_blocked()
            registry.gate.set()
    return results


def test_sixteen_tasks_on_a_cold_cache_ask_for_one_token(loop: str) -> None:
    async def run() -> None:
        registry = SlowRegistry()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=robot()) as client:
            assert await gather(client, 16, registry) == [200] * 16
        assert registry.asked == 1

    anyio.run(run, backend=loop)


def test_a_leader_whose_connection_breaks_does_not_hang_the_others(loop: str) -> None:
    async def run() -> None:
        registry = SlowRegistry(httpx.ConnectError("cut"))
        auth = robot()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=auth) as client:
            results = await gather(client, 8, registry)
        assert sum(isinstance(result, httpx.ConnectError) for result in results) == 1
        assert results.count(200) == 7
        assert registry.asked == 2
        assert auth._async_flights == {}

    anyio.run(run, backend=loop)


def test_a_leader_that_is_refused_does_not_hang_the_others(loop: str) -> None:
    async def run() -> None:
        registry = SlowRegistry(*[httpx.Response(401) for _ in range(4)])
        auth = robot()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=auth) as client:
            results = await gather(client, 4, registry)
        assert all(isinstance(result, TokenRefused) for result in results)
        assert registry.asked == 1, "the same wrong password was presented more than once"
        assert auth._async_flights == {}

    anyio.run(run, backend=loop)


def test_a_cancelled_leader_lets_the_next_one_go(loop: str) -> None:
    async def run() -> None:
        registry = SlowRegistry()
        auth = robot()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=auth) as client:
            with anyio.move_on_after(0.05) as scope:
                await client.get(URL)
            assert scope.cancelled_caught
            registry.gate.set()
            with anyio.fail_after(10):
                assert (await client.get(URL)).status_code == 200
        assert auth._async_flights == {}

    anyio.run(run, backend=loop)


def test_a_cancelled_follower_takes_nothing_with_it(loop: str) -> None:
    async def run() -> None:
        registry = SlowRegistry()
        auth = robot()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=auth) as client:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.get, URL)
                    # Until it leads: a task that waits for a thread counts as blocked, too.
                    while not registry.asked:
                        await anyio.sleep(0.001)
                    with anyio.move_on_after(0.05):
                        await client.get(URL)
                    registry.gate.set()
                assert (await client.get(URL)).status_code == 200
        assert registry.asked == 1

    anyio.run(run, backend=loop)


def test_a_lookup_that_blocks_does_not_stop_the_loop(loop: str) -> None:
    """A credential may come from a keyring or a helper program: it is fetched on a worker thread."""
    release = threading.Event()
    threads: list[int] = []

    def credentials(_: Repository | None) -> tuple[Pinned, ...]:
        threads.append(threading.get_ident())
        assert release.wait(10)
        return (pinned(Basic("robot", "pw")),)

    async def run() -> None:
        registry = SlowRegistry()
        registry.gate.set()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=RegistryAuth(credentials)) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.get, URL)
                while not threads:
                    await anyio.sleep(0.001)
                release.set()
            assert (await client.get(URL)).status_code == 200

    anyio.run(run, backend=loop)
    assert threading.get_ident() not in threads


def test_one_auth_may_be_used_in_one_loop_after_another(loop: str) -> None:
    auth = robot()

    async def run() -> int:
        registry = SlowRegistry(httpx.Response(200, json={"token": "tok", "expires_in": 300}))
        registry.gate.set()
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry), auth=auth) as client:
            return (await client.get(URL)).status_code

    assert [anyio.run(run, backend=loop), anyio.run(run, backend=loop)] == [200, 200]


def test_over_a_real_socket_sixteen_tasks_are_eighteen_requests_and_more_only_for_those_who_came_bare(loop: str) -> None:
    simulator = RegistrySimulator(accounts={"robot": "pw"})
    simulator.add_image("team/app", "v1")

    async def run(host: str) -> None:
        async with httpx.AsyncClient(auth=robot(), timeout=20) as client, anyio.create_task_group() as tasks:
            for _ in range(16):
                tasks.start_soon(client.get, f"http://{host}/v2/team/app/manifests/v1")

    with simulator.serve() as host:
        anyio.run(run, host, backend=loop)
    assert sum(request.url.target.startswith("/token") for request in simulator.requests) == 1


def test_many_tasks_present_a_wrong_basic_password_once(loop: str) -> None:
    simulator = RegistrySimulator(auth="basic", accounts={"robot": "pw"})
    simulator.add_image("team/app", "v1")

    async def main() -> list[int]:
        auth = RegistryAuth(lambda _: (pinned(Basic("robot", "wrong"), "one"), pinned(Basic("robot", "pw"), "two")))
        results: list[int] = []
        async with httpx.AsyncClient(auth=auth, transport=simulator.httpx_transport()) as client, anyio.create_task_group() as tasks:

            async def fetch() -> None:
                results.append((await client.get(URL)).status_code)

            for _ in range(8):
                tasks.start_soon(fetch)
        return results

    assert anyio.run(main, backend=loop) == [200] * 8
    passwords = [r.header("authorization") for r in simulator.requests if r.header("authorization")]
    assert passwords.count(passwords[0]) == 1
