"""The brain that really listens and speaks: speech detection, Whisper, the dialogue and a voice, on this machine.

Recognition and synthesis run on two threads shared by all sessions, never on the event loop.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from simulator.speech import Listener, SpeechDetector, Voice, split_sentences

from .brains import Detector, Speech, Step, UseTool, exact_line, silence_ms
from .dialogue import Dialogue, Output, Speak
from .replies import Item, Request

T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="speech")
_voice = Voice()
_listener = Listener()


def warm_up() -> None:
    """Load every model, so that the first caller does not wait for it."""
    SpeechDetector()
    _listener.hear(_voice.say("One, two, three."))


class SpokenBrain:
    def __init__(self) -> None:
        self._dialogue = Dialogue()
        self._hearing: dict[str, asyncio.Future[str | None]] = {}
        self._answered: set[str] = set()

    def detector(self, turn_detection: dict[str, Any]) -> Detector:
        return SpeechDetector(
            threshold=turn_detection.get("threshold", 0.5),
            prefix_padding_ms=turn_detection.get("prefix_padding_ms", 300),
            silence_ms=silence_ms(turn_detection),
        )

    async def hear(self, item_id: str, mulaw: bytes) -> str | None:
        self._hearing[item_id] = asyncio.ensure_future(_on_thread(_listener.hear, mulaw))
        return await self._hearing[item_id]

    async def answer(self, request: Request) -> AsyncGenerator[Step, None]:
        line = exact_line(request)
        if line is not None:
            self._dialogue.note_said(line)
            async for speech in self._speak(line):
                yield speech
            return
        news = [item for item in request.items if item["id"] not in self._answered]
        heard = await self._words_of(news)
        self._answered.update(item["id"] for item in news)
        tools = () if request.tool_choice == "none" else request.tools
        for act in self._dialogue.answer(heard, _outputs(news, request.items), tools):
            if isinstance(act, Speak):
                async for speech in self._speak(act.words):
                    yield speech
            else:
                yield UseTool(act.tool, act.arguments)

    async def _words_of(self, items: list[Item]) -> str | None:
        """What the caller said in these; None if they said nothing."""
        turns = [await self._words_in(item) for item in items if item.get("role") == "user"]
        return " ".join(turns).strip() if turns else None

    async def _words_in(self, item: Item) -> str:
        if item["id"] in self._hearing:
            return await asyncio.shield(self._hearing[item["id"]]) or ""
        return " ".join(part.get("text") or part.get("transcript") or "" for part in item["content"])

    async def _speak(self, words: str) -> AsyncGenerator[Speech, None]:
        """Sentence by sentence, each as soon as it is rendered."""
        for sentence in split_sentences(words):
            audio = await _on_thread(_voice.say, sentence)
            yield Speech(sentence, audio)


def _outputs(news: list[Item], items: tuple[Item, ...]) -> list[Output]:
    names = {item["call_id"]: item["name"] for item in items if item["type"] == "function_call"}
    outputs = (item for item in news if item["type"] == "function_call_output")
    return [Output(names.get(item["call_id"], ""), item["output"]) for item in outputs]


async def _on_thread(work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)
