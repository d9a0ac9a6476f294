"""What can break, and how it is mended. Each is a block: while it lasts the trouble does, and afterwards it is over."""

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from random import Random

from django.db import OperationalError, connection

from simulator.fault_proxy import FaultProxy, Mode
from simulator.telephone import Telephone
from tests.phone_calls.world import in_database

from .plan import RENEWAL
from .product import Product

Trouble = Callable[[Product, Telephone, Random], AbstractAsyncContextManager[None]]

TROUBLES: dict[str, Trouble] = {}
# Errors that they lead to, as patterns, each with its reason. Any other error in the logs fails the soak.
ERRORS = {
    r"a call came in while the database is away": "a person is rung",
    r"a stream is over and its next step could not be read": "a person is rung",
    r"what comes next could not be written down": "it is known to the process alone until the database is back",
    r"call … broke; its stream is closed": "the database went away while the call was taken, and the carrier asks what comes next",
    r"tool \w+ broke in call": "the database went away while it asked, and the caller is told so",
    r"Task \S+ raised unexpected: (OperationalError|InterfaceError)$": "the row is as it was, and the sweep finds it",
    r"celery\S* consumer: Cannot connect to redis": "the worker tries again",
    r"beat Message Error: Couldn't apply scheduled task": "the next one is near",
    r"(Unrecoverable error|Error on stopping Hub): AttributeError": "Celery's own: the broker went away again; it is started again",
    r"half a line was left in the spool": "its process was killed while it wrote it, and nobody was told that it was kept",
}
# More than the product asks in one trouble.
MANY = 10_000
# This one lives from the renewal to the end: whether it grows can only be told of a process that lives.
SPARED = "web1"


def trouble(begin: Callable[[Product, Telephone, Random], AsyncIterator[None]]) -> Trouble:
    TROUBLES[begin.__name__] = asynccontextmanager(begin)
    return TROUBLES[begin.__name__]


# What the product needs, and reaches through a proxy


def goes_wrong(name: str, proxy: Callable[[Product], FaultProxy], mode: Mode, delay_s: float = 0.0) -> None:
    @asynccontextmanager
    async def one(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
        proxy(product).delay_s = delay_s
        proxy(product).mode = mode
        try:
            yield
        finally:
            proxy(product).mode = "pass"

    TROUBLES[name] = one


goes_wrong("database_refuses", lambda product: product.database, "refuse")
goes_wrong("database_says_nothing", lambda product: product.database, "blackhole")
goes_wrong("database_resets", lambda product: product.database, "reset")
goes_wrong("database_slow_by_1_s", lambda product: product.database, "delay", 0.5)
goes_wrong("broker_refuses", lambda product: product.broker, "refuse")
goes_wrong("engine_refuses", lambda product: product.engine, "refuse")
goes_wrong("engine_resets", lambda product: product.engine, "reset")
goes_wrong("engine_says_nothing", lambda product: product.engine, "blackhole")


@trouble
async def database_connections_ended(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    """Every second."""

    def end_all() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
            )

    async def again_and_again() -> None:
        while True:
            with suppress(OperationalError):
                await in_database(end_all)
            await asyncio.sleep(1)

    ending = asyncio.create_task(again_and_again())
    try:
        yield
    finally:
        ending.cancel()
        await asyncio.wait({ending})


@trouble
async def broker_hangs(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    product.valkey.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        product.valkey.process.send_signal(signal.SIGCONT)


@trouble
async def broker_restarts_empty(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    stopped = product.valkey
    product.services.stop(stopped)
    try:
        yield
    finally:
        product.services.start(stopped.program)


# The carrier


def refuses(name: str, status: int) -> None:
    @asynccontextmanager
    async def one(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
        telephone.rest_trouble = deque([status] * MANY)
        try:
            yield
        finally:
            telephone.rest_trouble.clear()

    TROUBLES[name] = one


refuses("carrier_answers_500", 500)
refuses("carrier_answers_429", 429)


@trouble
async def carrier_slow_by_3_s(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    telephone.rest_delay_s = 3.0
    try:
        yield
    finally:
        telephone.rest_delay_s = 0.0


@trouble
async def webhooks_sent_twice(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    telephone.sender.repeats = 2
    try:
        yield
    finally:
        telephone.sender.repeats = 1


@trouble
async def statuses_withheld(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    """Half of them are sent when it is over, the others never."""
    telephone.status_withheld = True
    try:
        yield
    finally:
        telephone.status_withheld = False
        late, telephone.withheld = telephone.withheld[::2], []
        for url, params in late:
            await telephone.request(url, params)


# The product's processes. Whoever looks after them starts them again.


def is_killed(name: str, choose: Callable[[Product, Random], str]) -> None:
    @asynccontextmanager
    async def one(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
        chosen = choose(product, chance)
        for child in product.named(chosen):
            child.process.send_signal(signal.SIGKILL)
        yield

    TROUBLES[name] = one


is_killed("web_killed", lambda product, chance: chance.choice([name for name in product.webs if name != SPARED]))
for behind in ("worker", "fetch", "speech", "beat"):
    is_killed(f"{behind}_killed", lambda product, chance, name=behind: name)


@asynccontextmanager
async def renewed(product: Product, telephone: Telephone, chance: Random) -> AsyncIterator[None]:
    product.relay.renew()
    yield
    while product.relay.is_renewing:
        await asyncio.sleep(0.2)


TROUBLES[RENEWAL] = renewed
