import asyncio
import json
import signal
import sys
from pathlib import Path

from websockets.asyncio.client import connect

from .line import Line

ROOT = Path(__file__).resolve().parents[3]


async def test_started_from_the_command_line_it_says_when_it_is_ready_follows_its_script_and_stops(tmp_path: Path) -> None:
    script = {"heard": ["Hello."], "replies": [[{"say": "It has shipped."}, {"tool": "end_call"}]]}
    (tmp_path / "script.json").write_text(json.dumps(script))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator.voice_model", "--port", "0", "--script", str(tmp_path / "script.json")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ready = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert ready.startswith("The practice voice model is ready at ws://127.0.0.1:")
        headers = {"Authorization": "Bearer practice"}
        async with connect(f"{ready.split()[-1]}?model=gpt-realtime-2.1", additional_headers=headers, proxy=None) as socket:
            done = await Line(socket).reply()
            assert [item["type"] for item in done["output"]] == ["message", "function_call"]
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
