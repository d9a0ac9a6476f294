"""The protocol's strictness, over a real socket and with a client of another library."""

import asyncio
import base64
import json
from typing import Any

import pytest
from aiohttp import ClientSession
from openai import AsyncOpenAI
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator.voice_model.brains import Close, Complain, Drop, Fail, Heard, Say, ScriptedBrain, SendRaw, Stall, UseTool
from simulator.voice_model.server import Faults, VoiceModel

from .line import SILENCE, SOUND, calling, configured

LOOKUP = {"type": "function", "name": "lookup_order", "description": "Finds an order.", "parameters": {"type": "object"}}


def saying(*replies: Any, **options: Any) -> VoiceModel:
    brain = ScriptedBrain(*replies, **options)
    return VoiceModel(lambda: brain)


def brain_of(model: VoiceModel) -> ScriptedBrain:
    brain = model.sessions[-1].brain
    assert isinstance(brain, ScriptedBrain)
    return brain


# Getting in


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "practice"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}]
)
async def test_without_the_right_key_nobody_gets_in(headers: dict[str, str]) -> None:
    async with VoiceModel(ScriptedBrain, api_key="practice") as model:
        with pytest.raises(InvalidStatus) as refused:
            async with calling(model, headers=headers):
                pass
        assert refused.value.response.status_code == 401
        assert model.sessions == []
        assert len(model.complaints) == 1


async def test_a_session_needs_a_model() -> None:
    async with VoiceModel(ScriptedBrain) as model:
        with pytest.raises(InvalidStatus) as refused:
            async with calling(model, query=""):
                pass
        assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"headers": {"Authorization": "Bearer k", "OpenAI-Beta": "realtime=v1"}}, "beta_api_shape_disabled"),
        ({"query": "?model=gpt-4o-realtime-preview"}, "model_not_found"),
    ],
)
async def test_what_ended_with_the_beta_is_told_so_and_closed(options: dict[str, Any], code: str) -> None:
    async with VoiceModel(ScriptedBrain) as model, calling(model, **options) as line:
        assert (await line.until("error"))["error"]["code"] == code
        with pytest.raises(ConnectionClosed):
            await line.until("session.created")
        assert line.socket.close_code == 4000
        assert model.complaints[0].startswith(code)


async def test_a_session_opens_with_all_its_defaults() -> None:
    async with VoiceModel(ScriptedBrain) as model, calling(model) as line:
        session = (await line.until("session.created"))["session"]
        assert session["model"] == "gpt-realtime-2.1"
        assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
        assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
        assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
        assert session["audio"]["input"]["turn_detection"]["create_response"] is True


# Configuring


async def test_an_update_changes_what_it_names_and_echoes_everything() -> None:
    async with VoiceModel(ScriptedBrain) as model, calling(model) as line:
        session = await line.configure(instructions="Be kind.", tools=[LOOKUP])
        assert session["instructions"] == "Be kind."
        assert session["tools"] == [LOOKUP]
        assert session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
        assert session["audio"]["output"]["voice"] == "marin"
        detection = {"type": "server_vad", "create_response": False}
        again = await line.ask(
            "session.update", "session.updated", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        )
        assert again["session"]["instructions"] == "Be kind."
        assert again["session"]["audio"]["input"]["format"] == {"type": "audio/pcmu"}
        assert again["session"]["audio"]["input"]["turn_detection"]["create_response"] is False
        assert again["session"]["audio"]["input"]["turn_detection"]["interrupt_response"] is True
        assert model.complaints == []


REFUSED_SESSIONS = [
    ({}, "missing_required_parameter", "session.type"),
    ({"type": "conversation"}, "invalid_value", "session.type"),
    ({"type": "realtime", "temperature": 0.8}, "unknown_parameter", "session.temperature"),
    ({"type": "realtime", "modalities": ["audio", "text"]}, "unknown_parameter", "session.modalities"),
    ({"type": "realtime", "voice": "marin"}, "unknown_parameter", "session.voice"),
    ({"type": "realtime", "input_audio_format": "g711_ulaw"}, "unknown_parameter", "session.input_audio_format"),
    ({"type": "realtime", "turn_detection": None}, "unknown_parameter", "session.turn_detection"),
    ({"type": "realtime", "model": "gpt-realtime-2"}, "invalid_value", "session.model"),
    ({"type": "realtime", "output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
    ({"type": "realtime", "max_output_tokens": 5000}, "invalid_value", "session.max_output_tokens"),
    ({"type": "realtime", "instructions": 7}, "invalid_type", "session.instructions"),
    (
        {"type": "realtime", "audio": {"input": {"format": {"type": "audio/ulaw"}}}},
        "invalid_value",
        "session.audio.input.format.type",
    ),
    (
        {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu", "rate": 8000}}}},
        "unknown_parameter",
        "session.audio.input.format.rate",
    ),
    ({"type": "realtime", "audio": {"output": {"voice": "siri"}}}, "invalid_value", "session.audio.output.voice"),
    (
        {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "silence_ms": 5}}}},
        "unknown_parameter",
        "session.audio.input.turn_detection.silence_ms",
    ),
    (
        {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}},
        "invalid_value",
        "session.audio.input.turn_detection.threshold",
    ),
    (
        {"type": "realtime", "tools": [{"type": "function", "function": {"name": "x"}}]},
        "unknown_parameter",
        "session.tools[0].function",
    ),
    ({"type": "realtime", "tool_choice": "always"}, "invalid_type", "session.tool_choice"),
]


@pytest.mark.parametrize(("session", "code", "param"), REFUSED_SESSIONS)
async def test_a_wrong_configuration_is_refused_and_nothing_of_it_taken(session: dict[str, Any], code: str, param: str) -> None:
    async with VoiceModel(ScriptedBrain) as model, configured(model) as line:
        error = await line.refused("session.update", session=session)
        assert (error["code"], error["param"]) == (code, param)
        now = await line.ask("session.update", "session.updated", session={"type": "realtime"})
        assert now["session"]["audio"]["input"]["format"] == {"type": "audio/pcmu"}
        assert now["session"]["instructions"] == "You are a helpful practice model."
        assert len(model.complaints) == 1


async def test_the_voice_stays_once_it_was_heard() -> None:
    async with saying(Say("Hello.")) as model, configured(model) as line:
        await line.configure(audio={"output": {"voice": "cedar"}})
        await line.reply()
        voice = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
        assert (await line.refused("session.update", session=voice))["code"] == "cannot_update_voice"


# Events that are none


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ("[" * 5000, "invalid_json"),
        ("[]", "invalid_event"),
        ("7", "invalid_event"),
        (b"\x00\x01", "invalid_event"),
        ("{}", "missing_required_parameter"),
        ('{"type": "response.audio.delta"}', "invalid_value"),
        ('{"type": ["response.create"]}', "invalid_value"),
        ('{"type": "output_audio_buffer.clear"}', "invalid_value"),
        ('{"type": "response.cancel", "reason": "bored"}', "unknown_parameter"),
        ('{"type": "response.cancel", "event_id": 7}', "invalid_type"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter"),
        ('{"type": "input_audio_buffer.append", "audio": "not base64!"}', "invalid_value"),
        ('{"type": "conversation.item.create", "item": {"type": "message", "role": "user"}}', "missing_required_parameter"),
        ('{"type": "conversation.item.create", "item": null}', "invalid_type"),
        ('{"type": "response.create", "response": {"modalities": ["audio"]}}', "unknown_parameter"),
        ('{"type": "response.create", "response": {"metadata": {"a": 1}}}', "invalid_type"),
    ],
)
async def test_what_is_not_an_event_is_an_error_and_the_session_stays(message: str | bytes, code: str) -> None:
    async with saying(Say("Still here.")) as model, configured(model) as line:
        await line.socket.send(message)
        assert (await line.until("error"))["error"]["code"] == code
        assert (await line.reply())["status"] == "completed"
        assert len(model.complaints) == 1


# Replies


async def test_a_spoken_reply_is_told_in_the_order_of_the_real_service() -> None:
    async with saying(Say("Hello there.", ms=450)) as model, configured(model) as line:
        done = await line.reply()
        assert line.kinds == [
            "response.created",
            "rate_limits.updated",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            *["response.output_audio.delta"] * 3,
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        assert line.audio(done["id"]) == bytes([brain_of(model).spoken[0].byte]) * 3600
        assert done["status"] == "completed"
        assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "Hello there."}]
        assert done["usage"]["output_token_details"]["audio_tokens"] == 9
        assert len({event["event_id"] for event in line.events}) == len(line.events)


async def test_each_reply_sounds_different() -> None:
    async with saying(Say("One."), Say("Two."), Say("Three.")) as model, configured(model) as line:
        heard = [set(line.audio((await line.reply())["id"])) for _ in range(3)]
        assert heard == [{1}, {2}, {3}]


async def test_a_tool_call_is_announced_twice_and_answered_once() -> None:
    async with saying(UseTool("lookup_order", {"query": "47192"}), Say("It has shipped.")) as model, configured(model) as line:
        done = await line.reply()
        announced = line.of("response.function_call_arguments.done")[0]
        item = line.of("response.output_item.done")[0]["item"]
        assert announced["call_id"] == item["call_id"] == done["output"][0]["call_id"]
        assert announced["name"] == item["name"] == "lookup_order"
        assert json.loads(item["arguments"]) == {"query": "47192"}
        assert "".join(event["delta"] for event in line.of("response.function_call_arguments.delta")) == item["arguments"]
        output = {"type": "function_call_output", "call_id": item["call_id"], "output": "Shipped."}
        await line.ask("conversation.item.create", "conversation.item.done", item=output)
        await line.reply()
        assert brain_of(model).requests[1].items[-1]["output"] == "Shipped."
        assert (await line.refused("conversation.item.create", item=output))["code"] == "invalid_value"
        unknown = {**output, "call_id": "call_unknown"}
        assert (await line.refused("conversation.item.create", item=unknown))["param"] == "item.call_id"
        assert len(model.complaints) == 2


async def test_arguments_go_out_as_the_script_has_them() -> None:
    async with saying([Say("One moment."), UseTool("cancel_order", '{"order": "471')]) as model, configured(model) as line:
        done = await line.reply()
        assert [item["type"] for item in done["output"]] == ["message", "function_call"]
        assert done["output"][1]["arguments"] == '{"order": "471'


async def test_there_is_one_reply_at_a_time() -> None:
    async with saying([Say("Let me see."), Stall(), Say("There.")]) as model, configured(model) as line:
        await line.ask("response.create", "response.output_audio.delta")
        assert (await line.refused("response.create"))["code"] == "conversation_already_has_active_response"
        brain_of(model).go_on()
        done = (await line.until("response.done"))["response"]
        assert done["output"][0]["content"][0]["transcript"] == "Let me see. There."
        assert (await line.reply())["status"] == "completed"


async def test_a_cancelled_reply_ends_at_once_and_keeps_what_was_said() -> None:
    async with saying([Say("Let me see."), Stall()]) as model, configured(model) as line:
        reply = (await line.ask("response.create", "response.created"))["response"]
        await line.until("response.output_audio.delta")
        done = (await line.ask("response.cancel", "response.done", response_id=reply["id"]))["response"]
        assert done["status"] == "cancelled"
        assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert done["output"][0]["status"] == "incomplete"
        assert (await line.refused("response.cancel"))["code"] == "response_cancel_not_active"
        assert model.complaints == []


async def test_a_response_may_stand_outside_the_conversation() -> None:
    async with saying([Say("Let me see."), Stall()], Say("A summary.")) as model, configured(model) as line:
        await line.ask("response.create", "response.output_audio.delta")
        own = {"conversation": "none", "metadata": {"purpose": "summary"}, "output_modalities": ["text"], "input": []}
        done = await line.reply(**own)
        assert done["conversation_id"] is None
        assert done["metadata"] == {"purpose": "summary"}
        assert done["output"][0]["content"] == [{"type": "output_text", "text": "A summary."}]
        assert [event["response_id"] for event in line.of("response.output_text.delta")] == [done["id"]]
        assert brain_of(model).requests[1].items == ()
        assert (await line.refused("conversation.item.retrieve", item_id=done["output"][0]["id"]))["param"] == "item_id"


@pytest.mark.parametrize(
    "instructions",
    [
        'Say exactly this, and nothing else: "Welcome to the shop. How can I help?"',
        "Say exactly this: “Welcome to the shop. How can I help?”",
    ],
)
async def test_a_line_to_be_said_exactly_is_said_and_leaves_the_script_alone(instructions: str) -> None:
    async with saying(Say("First of the script.")) as model, configured(model) as line:
        greeting = await line.reply(instructions=instructions)
        assert greeting["output"][0]["content"][0]["transcript"] == "Welcome to the shop. How can I help?"
        assert (await line.reply())["output"][0]["content"][0]["transcript"] == "First of the script."


async def test_a_reply_that_grows_too_long_is_cut() -> None:
    async with saying(Say("On and on.", ms=10_000)) as model, configured(model, max_output_tokens=20) as line:
        done = await line.reply()
        assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
        assert len(line.audio(done["id"])) == 8000


async def test_pcm_is_spoken_where_pcm_was_asked_for() -> None:
    pcm = {"format": {"type": "audio/pcm", "rate": 24000}}
    async with saying(Say("Hello.", ms=400)) as model, configured(model, audio={"input": pcm, "output": pcm}) as line:
        assert len(line.audio((await line.reply())["id"])) == 400 * 48
        await line.send("input_audio_buffer.append", audio=base64.b64encode(b"\x00\x40" * 24 * 200).decode())
        await line.ask("input_audio_buffer.commit", "conversation.item.done")
        assert len(model.sessions[0].audio) == 200 * 8
        half_a_sample = base64.b64encode(b"\x00\x40\x00").decode()
        assert (await line.refused("input_audio_buffer.append", audio=half_a_sample))["param"] == "audio"


async def test_audio_before_the_configuration_is_noticed() -> None:
    async with VoiceModel(ScriptedBrain) as model, calling(model) as line:
        await line.until("session.created")
        await line.hear(SILENCE * 160)
        await line.configure()
        assert "before the session was configured" in model.complaints[0]


# Truncating


async def test_what_was_not_heard_is_forgotten() -> None:
    async with saying(Say("A long story.", ms=1000), Say("Yes?")) as model, configured(model) as line:
        item_id = (await line.reply())["output"][0]["id"]
        truncated = await line.ask(
            "conversation.item.truncate", "conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=300
        )
        assert truncated["audio_end_ms"] == 300
        await line.reply()
        assert brain_of(model).requests[1].items[0]["content"][0]["transcript"] is None
        past = {"item_id": item_id, "content_index": 0, "audio_end_ms": 301}
        assert (await line.refused("conversation.item.truncate", **past))["code"] == "invalid_value"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"audio_end_ms": 1001}, "invalid_value"),
        ({"audio_end_ms": 0}, "invalid_value"),
        ({"audio_end_ms": -20}, "invalid_value"),
        ({"audio_end_ms": 20.5}, "invalid_type"),
        ({"content_index": 1}, "invalid_value"),
        ({"item_id": "item_unknown"}, "item_truncate_invalid_item_id"),
    ],
)
async def test_only_what_was_sent_can_be_truncated(fields: dict[str, Any], code: str) -> None:
    async with saying(Say("A long story.", ms=1000)) as model, configured(model) as line:
        item_id = (await line.reply())["output"][0]["id"]
        error = await line.refused(
            "conversation.item.truncate", **{"item_id": item_id, "content_index": 0, "audio_end_ms": 500, **fields}
        )
        assert error["code"] == code
        assert len(model.complaints) == 1


async def test_a_callers_words_cannot_be_truncated_nor_an_assistants_audio_made_up() -> None:
    async with VoiceModel(ScriptedBrain) as model, configured(model) as line:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}
        created = await line.ask("conversation.item.create", "conversation.item.done", item=item)
        truncate = {"item_id": created["item"]["id"], "content_index": 0, "audio_end_ms": 10}
        assert (await line.refused("conversation.item.truncate", **truncate))["code"] == "invalid_value"
        audio = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": ""}]}
        assert (await line.refused("conversation.item.create", item=audio))["code"] == "invalid_value"


# Items


async def test_items_are_put_shown_and_taken_away() -> None:
    async with VoiceModel(ScriptedBrain) as model, configured(model) as line:

        def text(words: str) -> dict[str, Any]:
            return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}

        second = (await line.ask("conversation.item.create", "conversation.item.done", item=text("second")))["item"]["id"]
        first = await line.ask("conversation.item.create", "conversation.item.done", item=text("first"), previous_item_id="root")
        third = await line.ask("conversation.item.create", "conversation.item.done", item=text("third"))
        assert first["previous_item_id"] is None
        assert third["previous_item_id"] == second
        shown = await line.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=second)
        assert shown["item"]["content"][0]["text"] == "second"
        await line.ask("conversation.item.delete", "conversation.item.deleted", item_id=second)
        assert (await line.refused("conversation.item.delete", item_id=second))["code"] == "item_delete_invalid_item_id"
        assert (await line.refused("conversation.item.create", item=text("x"), previous_item_id=second))[
            "param"
        ] == "previous_item_id"
        await line.reply()
        assert [item["content"][0]["text"] for item in brain_of(model).requests[0].items] == ["first", "third"]


# The caller


async def test_a_spoken_turn_is_told_and_answered_in_order() -> None:
    async with saying(Say("You said hello."), heard=["Hello."]) as model, configured(model) as line:
        await line.hear(SILENCE * 8000)
        await line.say(400)
        await line.until("response.done")
        kinds = [kind for kind in line.kinds if "transcription" not in kind]
        assert kinds[:8] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "rate_limits.updated",
            "response.output_item.added",
        ]
        started, stopped, committed = line.events[:3]
        assert started["audio_start_ms"] == 1000 - 300
        assert stopped["audio_end_ms"] == 1000 + 400 + 500
        assert started["item_id"] == stopped["item_id"] == committed["item_id"]
        completed = line.of("conversation.item.input_audio_transcription.completed")[0]
        assert (completed["item_id"], completed["transcript"]) == (started["item_id"], "Hello.")
        assert completed["usage"]["type"] == "tokens"
        assert model.sessions[0].audio == SILENCE * 8000 + SOUND * 3200 + SILENCE * 4800
        assert model.complaints == []


async def test_words_may_come_after_the_answer_or_not_at_all() -> None:
    async with (
        saying(Say("Yes."), Say("Pardon?"), heard=[Heard("Hello.", late=True), Heard(None)]) as model,
        configured(model) as line,
    ):
        await line.say()
        await line.until("conversation.item.input_audio_transcription.completed")
        assert "response.done" in line.kinds
        await line.say()
        failed = await line.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "audio_unintelligible"


async def test_nobody_asks_for_words_nobody_gets_them() -> None:
    async with saying(Say("Yes.")) as model, configured(model, audio={"input": {"transcription": None}}) as line:
        await line.say()
        await line.until("response.done")
        await line.ask("session.update", "session.updated", session={"type": "realtime"})
        assert not [kind for kind in line.kinds if "transcription" in kind]
        assert model.sessions[0].session.conversation.items[0]["content"][0]["transcript"]


async def test_speaking_interrupts_the_reply() -> None:
    async with saying([Say("Let me see."), Stall()], Say("Yes?")) as model, configured(model) as line:
        await line.ask("response.create", "response.output_audio.delta")
        await line.say()
        done = (await line.until("response.done"))["response"]
        assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert (await line.until("response.done"))["response"]["status"] == "completed"


async def test_left_alone_it_neither_interrupts_nor_answers() -> None:
    by_hand = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    async with (
        saying([Say("Let me see."), Stall(), Say("There.")]) as model,
        configured(model, audio={"input": {"turn_detection": by_hand}}) as line,
    ):
        await line.ask("response.create", "response.output_audio.delta")
        await line.say()
        await line.until("input_audio_buffer.committed")
        assert model.sessions[0].replies[0].active
        brain_of(model).go_on()
        await line.until("response.done")
        await line.ask("session.update", "session.updated", session={"type": "realtime"})
        assert len(model.sessions[0].replies) == 1


async def test_without_detection_turns_are_committed_by_hand() -> None:
    async with VoiceModel(ScriptedBrain) as model, configured(model, audio={"input": {"turn_detection": None}}) as line:
        assert (await line.refused("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
        await line.say()
        await line.ask("input_audio_buffer.commit", "conversation.item.done")
        await line.say()
        await line.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        assert (await line.refused("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
        assert not line.of("input_audio_buffer.speech_started")
        assert model.sessions[0].session.conversation.audio_ms.popitem()[1] == 1000
        assert model.complaints == []


async def test_clearing_forgets_a_turn_under_way() -> None:
    async with VoiceModel(ScriptedBrain) as model, configured(model) as line:
        await line.hear(SOUND * 1600)
        await line.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        await line.hear(SILENCE * 8000 + SOUND * 1600)
        second = await line.until("input_audio_buffer.speech_started")
        assert second["audio_start_ms"] == 200 + 1000 - 300
        assert not line.of("input_audio_buffer.speech_stopped")


# What can go wrong


async def test_a_reply_can_fail() -> None:
    async with saying([Say("Let me"), Fail("rate_limit_exceeded")], Say("Here I am.")) as model, configured(model) as line:
        done = await line.reply()
        assert done["status"] == "failed"
        assert done["status_details"]["error"]["code"] == "rate_limit_exceeded"
        assert done["usage"] is None
        assert (await line.reply())["status"] == "completed"


async def test_a_brain_that_breaks_is_a_failed_reply(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ScriptedBrain):
        def detector(self, turn_detection: dict[str, Any]) -> Any:
            return super().detector(turn_detection)

        async def answer(self, request: Any) -> Any:
            raise RuntimeError("broken")
            yield

        async def hear(self, item_id: str, mulaw: bytes) -> str | None:
            raise RuntimeError("broken")

    async with VoiceModel(Broken) as model, configured(model) as line:
        assert (await line.reply())["status"] == "failed"
        await line.say()
        await line.until("conversation.item.input_audio_transcription.failed")


async def test_errors_and_nonsense_come_out_of_the_blue_and_the_reply_goes_on() -> None:
    odd = '{"type": "response.of_tomorrow", "event_id": "e"}'
    script = [Complain("insufficient_quota"), SendRaw(odd), Say("All well.")]
    async with saying(script) as model, configured(model) as line:
        done = await line.reply()
        assert line.of("error")[0]["error"]["code"] == "insufficient_quota"
        assert line.of("response.of_tomorrow")
        assert done["status"] == "completed"
        assert model.complaints == []


@pytest.mark.parametrize(("step", "code"), [(Close(1011), 1011), (Drop(), 1006)])
async def test_the_connection_can_end_in_mid_sentence(step: Close | Drop, code: int) -> None:
    async with saying([Say("Let me"), step]) as model, configured(model) as line:
        with pytest.raises(ConnectionClosed):
            await line.reply()
        assert line.of("response.output_audio.delta")
        assert line.socket.close_code == code
        await asyncio.wait_for(model.sessions[0].ended.wait(), 5)
        assert model.open_sessions == []


async def test_a_session_ends_when_its_time_is_over() -> None:
    async with VoiceModel(ScriptedBrain, session_limit_s=0) as model, calling(model) as line:
        assert (await line.until("error"))["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed):
            await line.until("nothing")


async def test_a_closed_session_is_known_to_be_closed() -> None:
    async with VoiceModel(ScriptedBrain) as model:
        async with configured(model):
            assert len(model.open_sessions) == 1
        await asyncio.wait_for(model.sessions[0].ended.wait(), 5)
        assert model.sessions[0].close_code == 1000


async def test_other_processes_can_ask_what_became_of_its_sessions() -> None:
    async with saying(Say("Hello.")) as model, configured(model) as line, ClientSession() as client:
        await line.reply()
        await line.refused("response.create", response={"temperature": 1})
        address = model.base_url.removesuffix("/v1") + "/practice/sessions"
        async with client.get(address) as answer:
            (session,) = await answer.json()
        assert session["open"] is True
        assert session["replies"] == 1
        assert session["complaints"] == ["unknown_parameter: Unknown parameter: 'response.temperature'."]
        await line.socket.close()
        await asyncio.wait_for(model.sessions[0].ended.wait(), 5)
        async with client.get(address) as answer:
            (session,) = await answer.json()
        assert (session["open"], session["close_code"]) == (False, 1000)


async def test_only_the_last_sessions_are_remembered() -> None:
    async with VoiceModel(ScriptedBrain, keep=2) as model:
        for _ in range(3):
            async with configured(model):
                pass
        assert len(model.sessions) == 2


async def test_faults_of_a_server_are_as_ordered() -> None:
    async with VoiceModel(ScriptedBrain, faults=Faults(handshake_status=429)) as model:
        with pytest.raises(InvalidStatus) as refused:
            async with calling(model):
                pass
        assert refused.value.response.status_code == 429
        assert model.complaints == []
    async with VoiceModel(ScriptedBrain, faults=Faults(echoes={"output": "audio/pcm"})) as model, calling(model) as line:
        session = await line.configure()
        assert session["audio"]["output"]["format"] == {"type": "audio/pcm"}
        assert session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    async with (
        VoiceModel(ScriptedBrain, faults=Faults(without_created=True, without_updated=True)) as model,
        calling(model) as line,
    ):
        await line.send("session.update", session={"type": "realtime"})
        await line.reply()
        assert line.kinds[0] == "response.created"
    async with VoiceModel(ScriptedBrain, faults=Faults(handshake_stalls=True)) as model:
        with pytest.raises(TimeoutError):
            async with calling(model, open_timeout=0.05):
                pass
    async with VoiceModel(ScriptedBrain, faults=Faults(ignores_close=True)) as model:
        async with calling(model, close_timeout=0.05) as line:
            await line.until("session.created")
        assert line.socket.close_code == 1006


# The official client


async def test_the_official_client_has_a_conversation_with_it() -> None:
    async with (
        saying(UseTool("lookup_order", {"query": "47192"}), Say("It has shipped.")) as model,
        AsyncOpenAI(base_url=model.base_url, api_key="practice") as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        pcmu: Any = {"type": "audio/pcmu"}
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"format": pcmu}, "output": {"format": pcmu}}, "tools": [LOOKUP]}  # type: ignore[list-item]
        )
        words: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where is my order?"}]}
        await connection.conversation.item.create(item=words)
        await connection.response.create()
        said = ""
        async with asyncio.timeout(5):
            async for event in connection:
                if event.type == "response.output_item.done" and event.item.type == "function_call":
                    output: Any = {"type": "function_call_output", "call_id": event.item.call_id, "output": "Shipped."}
                    await connection.conversation.item.create(item=output)
                elif event.type == "response.output_audio_transcript.delta":
                    said += event.delta
                elif event.type == "response.done" and said:
                    break
                elif event.type == "response.done":
                    await connection.response.create()
        assert said == "It has shipped."
        assert model.complaints == []


async def test_every_event_has_the_shape_the_official_client_knows() -> None:
    known: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
    script = [[Say("One moment."), UseTool("lookup_order", {})], [Say("Let me"), Stall()], Fail()]
    async with saying(*script) as model, configured(model) as line:
        await line.reply()
        await line.ask("response.create", "response.output_audio.delta")
        await line.say()
        await line.until("response.done")
        await line.until("response.done")
        await line.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        await line.refused("input_audio_buffer.commit")
        item = line.of("conversation.item.done")[0]["item"]
        await line.ask(
            "conversation.item.truncate", "conversation.item.truncated", item_id=item["id"], content_index=0, audio_end_ms=10
        )
        await line.ask("conversation.item.delete", "conversation.item.deleted", item_id=item["id"])
        for event in model.sessions[0].sent:
            parsed = known.validate_python(event, strict=True)
            assert parsed.type == event["type"]
            assert not set(parsed.model_extra or {}), parsed.model_extra
