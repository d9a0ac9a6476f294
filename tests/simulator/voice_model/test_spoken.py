"""A conversation with real speech on both sides, over a real socket. The models load once; sentences are short."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import pytest

from simulator.speech import Listener, Voice, silence
from simulator.voice_model.server import VoiceModel
from simulator.voice_model.spoken import SpokenBrain, warm_up

from .line import Line, configured

TOOLS = [
    {
        "type": "function",
        "name": "lookup_order",
        "description": "Finds an order.",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string"}, "detail": {"type": "string"}},
            "required": ["query"],
        },
    },
    {"type": "function", "name": "end_call", "description": "Hangs up.", "parameters": {"type": "object", "properties": {}}},
]
BY_HAND = {"type": "server_vad", "silence_duration_ms": 500, "create_response": False, "interrupt_response": False}


@pytest.fixture(scope="module", autouse=True)
def models() -> None:
    warm_up()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with (
        VoiceModel(SpokenBrain) as model,
        configured(model, tools=TOOLS, audio={"input": {"turn_detection": BY_HAND}}) as line,
    ):
        yield line
        assert model.complaints == []


async def said_by(line: Line, words: str) -> str:
    """Say this in the caller's voice; what it was heard as."""
    mulaw = await asyncio.to_thread(Voice("caller").say, words)
    await line.hear(silence(300) + mulaw + silence(700))
    await line.until("input_audio_buffer.committed")
    heard = await line.until("conversation.item.input_audio_transcription.completed")
    return str(heard["transcript"])


async def test_a_line_given_to_it_is_said_word_for_word(line: Line) -> None:
    greeting = "Hello, this is the shop. How can I help you?"
    done = await line.reply(instructions=f'Say exactly this, and nothing else: "{greeting}"')
    assert done["output"][0]["content"][0]["transcript"] == greeting
    heard = await asyncio.to_thread(Listener().hear, line.audio(done["id"]))
    assert "how can i help you" in heard.lower()


async def test_a_caller_asks_for_an_order_and_says_goodbye(line: Line) -> None:
    assert "order" in (await said_by(line, "Hi, where is my order?")).lower()
    asked = await line.reply()
    assert asked["output"][0]["content"][0]["transcript"] == "This is the practice model. Sure. What is your order number?"
    await said_by(line, "It is 4 7 1 9 2.")
    used = (await line.reply())["output"][0]
    assert used["name"] == "lookup_order"
    assert "47192" in "".join(filter(str.isdigit, json.loads(used["arguments"])["query"]))
    output = {"type": "function_call_output", "call_id": used["call_id"], "output": "Order 47192 has shipped."}
    await line.ask("conversation.item.create", "conversation.item.done", item=output)
    told = await line.reply()
    assert told["output"][0]["content"][0]["transcript"].startswith("Order 47192 has shipped. ")
    heard = await asyncio.to_thread(Listener().hear, line.audio(told["id"]))
    assert "47192" in "".join(filter(str.isdigit, heard))
    await said_by(line, "No, thank you. Goodbye.")
    assert [item["type"] for item in (await line.reply())["output"]] == ["message", "function_call"]


async def test_a_reply_comes_sentence_by_sentence(line: Line) -> None:
    await line.reply(instructions='Say exactly this: "One is here. Two is there."')
    kinds = [event["type"] for event in line.events if event["type"].endswith(".delta")]
    words = "response.output_audio_transcript.delta"
    assert [event["delta"] for event in line.of(words)] == ["One is here.", " Two is there."]
    assert kinds.index("response.output_audio.delta") < len(kinds) - 1 - kinds[::-1].index(words)


async def test_a_reply_waits_for_the_words_it_answers(line: Line) -> None:
    mulaw = await asyncio.to_thread(Voice("caller").say, "Goodbye.")
    await line.hear(silence(300) + mulaw + silence(700))
    await line.until("input_audio_buffer.committed")
    done = await line.reply()
    assert done["output"][-1]["name"] == "end_call"


async def test_words_written_to_it_are_answered_too_but_without_tools_if_none_may_be_used(line: Line) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where is my order 47192?"}]}
    await line.ask("conversation.item.create", "conversation.item.done", item=item)
    done = await line.reply(tool_choice="none", output_modalities=["text"])
    assert "cannot look up an order" in done["output"][0]["content"][0]["text"]


async def test_silence_is_no_turn(line: Line) -> None:
    await line.send("input_audio_buffer.append", audio=base64.b64encode(silence(2000)).decode())
    await line.ask("session.update", "session.updated", session={"type": "realtime"})
    assert not line.of("input_audio_buffer.speech_started")
