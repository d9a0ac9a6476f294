"""`python -m simulator.voice_model --port N [--script FILE]`: serve until told to stop. Prints one line when it is ready.

A script is JSON: {"heard": ["the caller's words", ...], "replies": [[{"say": "..."}, {"tool": "...", "arguments": {...}}], ...]}.
Without one, the model really listens and speaks.
"""

import argparse
import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .brains import Brain, Say, ScriptedBrain, Step, UseTool
from .server import VoiceModel


def scripted(script: dict[str, Any]) -> ScriptedBrain:
    def step(one: dict[str, Any]) -> Step:
        return Say(one["say"], one.get("ms")) if "say" in one else UseTool(one["tool"], one.get("arguments", {}))

    return ScriptedBrain(*([step(one) for one in reply] for reply in script.get("replies", [])), heard=script.get("heard", []))


async def serve(brain_factory: Callable[[], Brain], host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with VoiceModel(brain_factory, host=host, port=port, keep=50) as model:
        print(f"The practice voice model is ready at {model.url}", flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.voice_model", description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, help="say what this file says, instead of listening and speaking")
    arguments = parser.parse_args()
    if arguments.script:
        script = json.loads(arguments.script.read_text())
        asyncio.run(serve(lambda: scripted(script), arguments.host, arguments.port))
        return
    from .spoken import SpokenBrain, warm_up  # loads models, which a script does without

    warm_up()
    asyncio.run(serve(SpokenBrain, arguments.host, arguments.port))


if __name__ == "__main__":
    main()
