"""The product's processes as `make run` has them, and what they need behind proxies that can fail.

Django must be set up: what is in the environment by then is what the processes are given.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from callcenter.processes.children import Child, Children
from callcenter.processes.embedded import start_valkey
from callcenter.processes.ports import free_port, take
from callcenter.processes.programs import server
from callcenter.processes.relay import Relay
from callcenter.settings import ENVIRONMENT
from simulator.fault_proxy import FaultProxy
from tests.phone_calls.world import address_of_test_database, environment_of

LOOKS_EVERY_S = 0.1
# Six of them start at once, on a machine that may have other things to do.
READY_WITHIN_S = 300.0
CONNECTED = "is connected"


@dataclass
class Product:
    """`connected`: how many calls each process has taken so far, by its name. `said`: what became of processes."""

    url: str
    telephone_port: int
    voice_model_port: int
    database: FaultProxy
    broker: FaultProxy
    engine: FaultProxy
    services: Children
    children: Children
    relay: Relay
    connected: Counter[str]
    said: list[str]

    @property
    def valkey(self) -> Child:
        return next(child for child in self.services.running if child.name == "valkey")

    @property
    def webs(self) -> list[str]:
        return sorted({child.name for child in self.children.running if child.program.comes_back})

    def named(self, name: str) -> Sequence[Child]:
        return [child for child in self.children.running if child.name == name]

    @property
    def logs(self) -> list[Path]:
        return sorted(self.children.logs.glob("*.log"))


@asynccontextmanager
async def running(folder: Path, **more: str) -> AsyncIterator[Product]:
    """All of it, in this folder. Whoever ends is started again, until the block ends. `more` goes to the environment."""
    port, telephone_port, voice_model_port = free_port(), free_port(), free_port()
    connected: Counter[str] = Counter()
    said: list[str] = []

    def hear(name: str, line: str) -> None:
        connected[name] += line.endswith(CONNECTED)

    async with AsyncExitStack() as inside:
        services = inside.enter_context(Children(folder / "services"))
        broker_url = start_valkey(services, folder, temporary=True)
        database = await inside.enter_async_context(FaultProxy.before(address_of_test_database()))
        broker = await inside.enter_async_context(FaultProxy.before(broker_url))
        engine = await inside.enter_async_context(FaultProxy("127.0.0.1", voice_model_port))
        given = {
            **environment_of(port, telephone_port, engine.port),
            "DATABASE_URL": database.url_for(address_of_test_database()),
            "REDIS_URL": broker.url_for(broker_url),
            **more,
        }
        door = inside.enter_context(take("127.0.0.1", port, "PORT"))
        children = inside.enter_context(Children(folder / "log", on_line=hear))
        programs = server(ENVIRONMENT, folder, door.fileno())
        for program in programs:
            children.start(replace(program, environment={**program.environment, **given}, ready_within_s=READY_WITHIN_S))
        await asyncio.to_thread(lambda: [children.wait_until_ready(child) for child in tuple(children.running)])
        relay = Relay(children, said.append)
        tending = asyncio.create_task(_tend(relay))
        try:
            yield Product(
                given["PUBLIC_BASE_URL"],
                telephone_port,
                voice_model_port,
                database,
                broker,
                engine,
                services,
                children,
                relay,
                connected,
                said,
            )
        finally:
            tending.cancel()
            with suppress(asyncio.CancelledError):
                await tending


async def _tend(relay: Relay) -> None:
    while True:
        relay.tend()
        await asyncio.sleep(LOOKS_EVERY_S)


def spool(product: Product) -> Path:
    return Path(os.environ["SPOOL_ROOT"]) / product.url.rpartition(":")[2]
