"""The parts of the demo that do not need a whole call centre; `make demo ONCE=1` is the test of the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from simulator import demo

ROOT = Path(__file__).resolve().parents[2]


def test_without_a_call_centre_it_says_what_to_do() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SIMULATOR_TELEPHONE_PORT"}
    run = subprocess.run(
        [sys.executable, "-m", "simulator", "demo", "--once"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1] == "The practice call belongs to a running call centre: start both with `make demo`."


@pytest.fixture
async def server() -> object:
    """Ready at the second time of asking, with one session that closes at the second time of asking."""
    asked = {"ready": 0, "sessions": 0}

    async def ready(request: web.Request) -> web.Response:
        asked["ready"] += 1
        return web.Response(status=200 if asked["ready"] > 1 else 503)

    async def sessions(request: web.Request) -> web.Response:
        asked["sessions"] += 1
        return web.json_response([{"open": asked["sessions"] < 2, "complaints": []}])

    app = web.Application()
    app.router.add_get("/readyz", ready)
    app.router.add_get("/practice/sessions", sessions)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_it_waits_until_a_server_is_ready(server: str) -> None:
    await demo.until_ready(f"http://{server}/readyz", "the web server")


async def test_a_server_that_never_gets_ready_is_named(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "READY_WITHIN_S", 0)
    with pytest.raises(demo.NotReady, match="the practice voice model did not get ready"):
        await demo.until_ready(f"http://{server}/nothing", "the practice voice model")


async def test_it_waits_until_the_engine_s_sessions_are_closed(server: str) -> None:
    url = demo._sessions_url(f"ws://{server}/v1/realtime")
    assert await demo.closed_sessions(url) == [{"open": False, "complaints": []}]


async def test_a_session_that_stays_open_is_told(server: str) -> None:
    url = demo._sessions_url(f"ws://{server}/v1/realtime")
    sessions = await demo.closed_sessions(url, within_s=0)
    assert len(sessions) == 1


def test_what_is_printed_has_no_colours_where_nobody_sees_them(capsys: pytest.CaptureFixture[str]) -> None:
    demo.print_line("caller", "Hello.", 61_250)
    assert capsys.readouterr().out == "1:01.2  caller  Hello.\n"
