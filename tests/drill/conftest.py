"""Fixtures of the drills, which of them run, and the table at the end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.drill.rows import Row
from tests.drill.stage import Stack, Stage, stack, stage
from tests.phone_calls.world import audit

Sets = Callable[..., Awaitable[Stage]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-drills", action="store_true", help="run every drill, not only the short form")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All drills share one loop, and with it one stack; the long ones wait for `make drill`."""
    drills = [item for item in items if "tests/drill/" in item.nodeid.replace("\\", "/")]
    for item in drills:
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    if not config.getoption("--all-drills"):
        left_out = [item for item in drills if item.get_closest_marker("drill") and not item.get_closest_marker("short")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_stack(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Two web processes, for all drills that leave them alive and well."""
    async with stack(tmp_path_factory.mktemp("stack")) as one:
        yield one


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Iterator[Row]:
    marker = request.node.get_closest_marker("drill")
    one = Row(*marker.args, is_measured=request.config.getoption("--all-drills"))
    yield one
    request.node.user_properties.append(("drill", one.as_dict()))


@pytest_asyncio.fixture(loop_scope="session")
async def sets(shared_stack: Stack, transactional_db: None, row: Row) -> AsyncIterator[Sets]:
    """`await sets(reply, reply, …)` sets the stage: the product runs, the engine has a script. `on`: another stack."""
    async with AsyncExitStack() as inside:

        async def set_stage(*replies: object, on: Stack = shared_stack, **facts: Any) -> Stage:
            ends_with = inside if on is shared_stack else on.stages
            one = await ends_with.enter_async_context(stage(on, row, *replies, **facts))
            ends_with.push_async_callback(audit, one.world)
            return one

        yield set_stage
        for proxy in (shared_stack.database, shared_stack.broker, shared_stack.engine):
            proxy.mode = "pass"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed drill is reported with the last of what the product logged."""
    report = yield
    one = getattr(item, "funcargs", {}).get("shared_stack")
    if one and call.excinfo:
        report.sections.append(("the web processes' logs", "\n".join(one.last_lines[-60:])))
    return report
