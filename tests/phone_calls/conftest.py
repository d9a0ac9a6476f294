"""Whole calls through the whole product. See `world`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.phone_calls.world import WebServer, World, audit, opened, serving

Opens = Callable[..., Awaitable[World]]


@pytest.fixture(scope="session")
def web_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """The one that answers all calls but those of tests that stop it."""
    with serving(tmp_path_factory.mktemp("web")) as server:
        yield server


@pytest.fixture
async def world(web_server: WebServer, transactional_db: None) -> AsyncIterator[Opens]:
    """`await world(reply, reply, …)` opens it with a script; both outside parties must have nothing to complain of at the end."""
    async with AsyncExitStack() as stack:

        async def open_world(*replies: object, server: WebServer = web_server, **facts: object) -> World:
            world = await stack.enter_async_context(opened(server, *replies, **facts))  # type: ignore[arg-type]
            stack.push_async_callback(audit, world)
            return world

        yield open_world


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed call is reported with the last of what the product logged."""
    outcome = yield
    server = getattr(item, "funcargs", {}).get("web_server")
    if server and call.excinfo:
        outcome.get_result().sections.append(("the web server's log", "\n".join(server.last_lines[-40:])))  # type: ignore[attr-defined]
