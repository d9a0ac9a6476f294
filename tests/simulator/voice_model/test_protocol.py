"""A session by itself: no socket, no loop. What `test_server` shows over a socket is not repeated here."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.voice_model.effects import DetectSpeech, Effect, Generate, Listen, Send, StopGenerating, WriteDown
from simulator.voice_model.protocol import Session
from simulator.voice_model.replies import Event, Reply
from simulator.voice_model.shapes import CLIENT_EVENTS

PCMU = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcmu"}}}


def session(**audio_input: Any) -> Session:
    one = Session("gpt-realtime-2.1", expires_at=0)
    one.opened()
    ask(one, "session.update", session={"type": "realtime", "audio": PCMU})
    if audio_input:
        ask(one, "session.update", session={"type": "realtime", "audio": {"input": audio_input}})
    return one


def ask(one: Session, kind: str, **fields: Any) -> list[Effect]:
    return one.receive(json.dumps({"type": kind, **fields}))


def hear(one: Session, ms: int, byte: bytes = b"\x20") -> list[Effect]:
    return ask(one, "input_audio_buffer.append", audio=base64.b64encode(byte * 8 * ms).decode())


def events(effects: list[Effect]) -> list[Event]:
    return [effect.event for effect in effects if isinstance(effect, Send)]


def kinds(effects: list[Effect]) -> list[str]:
    return [effect.event["type"] if isinstance(effect, Send) else type(effect).__name__ for effect in effects]


def reply(one: Session, **response: Any) -> Reply:
    generate = ask(one, "response.create", response=response)[-1]
    assert isinstance(generate, Generate)
    return generate.reply


def test_opening_tells_the_session_and_starts_listening() -> None:
    effects = Session("gpt-realtime-2.1", expires_at=7).opened()
    assert kinds(effects) == ["session.created", "DetectSpeech"]
    assert events(effects)[0]["session"]["expires_at"] == 7


def test_the_detector_starts_afresh_only_when_its_settings_change() -> None:
    one = session()
    assert kinds(ask(one, "session.update", session={"type": "realtime", "instructions": "Be kind."})) == ["session.updated"]
    changed = ask(one, "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    assert changed[0] == DetectSpeech(None)
    assert hear(one, 20) == []


def test_times_go_on_counting_when_the_detector_starts_afresh() -> None:
    one = session()
    hear(one, 1000)
    ask(one, "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}})
    hear(one, 500)
    assert events(one.speech_started(200))[0]["audio_start_ms"] == 1200


def test_a_turn_is_cut_out_where_it_began_and_ended() -> None:
    one = session()
    hear(one, 1000, b"\xff")
    hear(one, 300, b"\x20")
    one.speech_started(900)
    hear(one, 700, b"\xff")
    effects = one.speech_stopped(1800)
    written = next(effect for effect in effects if isinstance(effect, WriteDown))
    assert written.mulaw == b"\xff" * 800 + b"\x20" * 2400 + b"\xff" * 4000
    hear(one, 100, b"\x21")
    one.speech_started(1900)
    again = next(effect for effect in one.speech_stopped(2100) if isinstance(effect, WriteDown))
    assert again.mulaw == b"\xff" * 800 + b"\x21" * 800


def test_a_long_silence_is_not_kept() -> None:
    one = session()
    for _ in range(100):
        assert kinds(hear(one, 1000, b"\xff")) == ["Listen"]
    one.speech_started(0)
    assert len(next(e for e in one.speech_stopped(100_000) if isinstance(e, WriteDown)).mulaw) == 6000 * 8


def test_a_stop_without_a_start_says_nothing() -> None:
    assert session().speech_stopped(100) == []


def test_interrupting_stops_the_brain_before_it_tells_of_the_end() -> None:
    one = session()
    current = reply(one)
    one.say(current, "Let me", b"\x01" * 800)
    assert kinds(one.speech_started(0))[:2] == ["input_audio_buffer.speech_started", "StopGenerating"]
    assert one.say(current, "see", b"\x01") == []
    assert one.use_tool(current, "lookup_order", "{}") == []
    assert one.finish(current) == []


def test_after_a_turn_it_answers_unless_it_is_answering_already() -> None:
    one = session(turn_detection={"type": "server_vad", "interrupt_response": False})
    reply(one)
    hear(one, 500)
    one.speech_started(0)
    assert "Generate" not in kinds(one.speech_stopped(400))
    one.finish(next(iter(one.replies.values())))
    one.speech_started(400)
    assert "Generate" in kinds(one.speech_stopped(500))


def test_an_item_deleted_while_it_is_spoken_does_not_come_back() -> None:
    one = session()
    current = reply(one)
    item_id = events(one.say(current, "Hello.", b"\x01" * 800))[0]["item"]["id"]
    ask(one, "conversation.item.delete", item_id=item_id)
    ended = kinds(one.finish(current))
    assert "response.output_item.done" in ended
    assert "conversation.item.done" not in ended
    assert one.conversation.items == []


def test_what_was_said_before_a_cut_is_all_that_can_be_truncated() -> None:
    one = session()
    current = reply(one)
    item_id = events(one.say(current, "Hello", b"\x01" * 8000))[0]["item"]["id"]
    truncate = {"item_id": item_id, "content_index": 0}
    assert kinds(ask(one, "conversation.item.truncate", **truncate, audio_end_ms=1001)) == ["error"]
    assert kinds(ask(one, "conversation.item.truncate", **truncate, audio_end_ms=1000)) == ["conversation.item.truncated"]


def test_words_for_a_deleted_turn_are_dropped() -> None:
    one = session(transcription={"model": "whisper-1"})
    hear(one, 500)
    one.speech_started(0)
    written = next(effect for effect in one.speech_stopped(400) if isinstance(effect, WriteDown))
    assert events(one.written_down(written.item_id, "Hello."))[-1]["usage"] == {"type": "duration", "seconds": 0.4}
    ask(one, "conversation.item.delete", item_id=written.item_id)
    assert one.written_down(written.item_id, "Hello.") == []


def test_nothing_heard_is_an_empty_transcript_and_not_a_failure() -> None:
    one = session(transcription={"model": "gpt-transcribe"})
    hear(one, 500)
    one.speech_started(0)
    written = next(effect for effect in one.speech_stopped(400) if isinstance(effect, WriteDown))
    (completed,) = events(one.written_down(written.item_id, ""))
    assert completed["type"].endswith(".completed")
    assert completed["transcript"] == ""


def test_own_instructions_replace_the_sessions_for_one_response() -> None:
    one = session()
    ask(one, "session.update", session={"type": "realtime", "instructions": "Be kind."})
    first = reply(one, instructions="Be brief.", tool_choice="none")
    assert (first.request.instructions, first.request.tool_choice) == ("Be brief.", "none")
    one.finish(first)
    second = reply(one)
    assert (second.request.instructions, second.request.own_instructions, second.request.tool_choice) == ("Be kind.", "", "auto")


def test_a_response_may_be_given_its_own_items() -> None:
    one = session()
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}
    created = events(ask(one, "conversation.item.create", item=item))[0]["item"]
    chosen = [{"type": "item_reference", "id": created["id"]}, {**item, "role": "system"}]
    assert [one["role"] for one in reply(one, input=chosen).request.items] == ["user", "system"]
    assert kinds(
        ask(one, "response.create", response={"conversation": "none", "input": [{"type": "item_reference", "id": "x"}]})
    ) == ["error"]


def test_harmless_crossings_are_errors_but_no_complaints() -> None:
    one = session()
    assert kinds(ask(one, "response.cancel")) == ["error"]
    assert kinds(ask(one, "input_audio_buffer.commit")) == ["error"]
    assert one.complaints == []
    ask(one, "response.cancel", response_id=7)
    assert len(one.complaints) == 1


def test_changing_what_was_told_changes_nothing_in_the_session() -> None:
    one = session()
    told = events(ask(one, "session.update", session={"type": "realtime"}))[0]
    told["session"]["audio"]["output"]["format"]["type"] = "audio/pcm"
    assert one.config["audio"]["output"]["format"] == {"type": "audio/pcmu"}


# Whatever comes

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    "type",
    "session",
    "item",
    "item_id",
    "response",
    "response_id",
    "audio",
    "content_index",
    "audio_end_ms",
    "event_id",
    "role",
]
odd_events = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(CLIENT_EVENTS)) | json_values},
    optional={name: json_values for name in NAMES if name != "type"},
)


@given(st.lists(odd_events | json_values, max_size=6))
def test_whatever_a_client_sends_is_answered_and_breaks_nothing(sent: list[Any]) -> None:
    one = session()
    for event in sent:
        effects = one.receive(json.dumps(event))
        assert effects or (isinstance(event, dict) and event["type"] == "input_audio_buffer.append")
    assert kinds(ask(one, "session.update", session={"type": "realtime"})) == ["session.updated"]


@given(st.lists(st.sampled_from(["create", "cancel", "start", "stop", "say", "tool", "finish"]), max_size=30))
def test_there_is_never_more_than_one_reply_and_each_is_created_and_done_once(steps: list[str]) -> None:
    one = session()
    hear(one, 5000)
    told: list[Effect] = []
    at_ms = 0
    for step in steps:
        active = [reply for reply in one.replies.values() if reply.active]
        assert len(active) <= 1
        at_ms += 100
        match step:
            case "create":
                told += ask(one, "response.create")
            case "cancel":
                told += ask(one, "response.cancel")
            case "start":
                told += one.speech_started(at_ms)
            case "stop":
                told += one.speech_stopped(at_ms)
            case _ if active:
                does = {"say": lambda r: one.say(r, "Yes.", b"\x01" * 80), "tool": lambda r: one.use_tool(r, "t", "{}")}
                told += does.get(step, one.finish)(active[0])
    ids = [event["event_id"] for event in events(told)]
    assert len(set(ids)) == len(ids)
    created = [event["response"]["id"] for event in events(told) if event["type"] == "response.created"]
    done = [event["response"]["id"] for event in events(told) if event["type"] == "response.done"]
    assert len(set(created)) == len(created)
    assert set(done) <= set(created)
    assert len(set(done)) == len(done)
    assert len(created) - len(done) == sum(reply.active for reply in one.replies.values())
    stopped = [effect.reply_id for effect in told if isinstance(effect, StopGenerating)]
    assert set(stopped) <= set(done)
    assert not [effect for effect in told if isinstance(effect, Listen)]


@pytest.mark.parametrize("message", ["", "null", "[]", '"x"', "{", "[" * 100_000, b"\xff\xfe"])
def test_what_is_not_even_an_object_is_an_error(message: str | bytes) -> None:
    assert kinds(session().receive(message)) == ["error"]
