"""One session of the Realtime protocol: what each client event leads to. Pure: no asyncio, no sockets, no clock, no models.

Every method returns what is to be done, in order: events to send, and what only the server around it can do. Client events
that are wrong lead to an `error` and to a line in `complaints`, never to an exception; the session stays, as the real one does.
"""

import base64
import copy
import json
from typing import Any
from uuid import uuid4

from simulator.speech import BYTES_PER_MS

from .configuration import default_configuration, updated
from .effects import DetectSpeech, Effect, Generate, Listen, Send, StopGenerating, WriteDown
from .formats import Format, InputBuffer
from .replies import Conversation, Event, Item, Reply, Request
from .shapes import Refused, check_event

# What a client cannot always avoid, because its event and ours may cross on the way.
HARMLESS = {"response_cancel_not_active", "input_audio_buffer_commit_empty"}
# Kept from before the speech, so that its beginning is not cut off; longer than any allowed padding.
KEPT_BEFORE_SPEECH_MS = 6000
SHORTEST_TURN_MS = 100
LONGEST_APPEND = 15 * 1024 * 1024


class Session:
    def __init__(self, model: str, expires_at: int) -> None:
        unique = uuid4().hex[:12]
        self._unique, self._numbers = unique, 0
        self.id = f"sess_{unique}"
        self.complaints: list[str] = []
        self.conversation = Conversation(f"conv_{unique}")
        self.replies: dict[str, Reply] = {}
        self.config = default_configuration(self.id, model, expires_at)
        self._reply: Reply | None = None  # the one that may speak in the conversation
        self._has_spoken = False
        self._configured = False
        self._heard = InputBuffer()
        self._detector_began_ms = 0.0
        self._turn: tuple[str, float] | None = None  # the caller's turn under way: item id, where it began
        self._answered_tool_calls: set[str] = set()

    # --- what the client sends ---

    def opened(self) -> list[Effect]:
        effects: list[Effect] = [self._send({"type": "session.created", "session": copy.deepcopy(self.config)})]
        return [*effects, DetectSpeech(self.turn_detection)]

    def receive(self, message: str | bytes) -> list[Effect]:
        event_id = None
        try:
            event = _parse(message)
            if isinstance(event, dict) and isinstance(event.get("event_id"), str):
                event_id = event["event_id"]
            check_event(event)
            return self._carry_out(event)
        except Refused as refused:
            return [self._error(refused, event_id)]

    def _carry_out(self, event: Event) -> list[Effect]:
        match event["type"]:
            case "input_audio_buffer.append":
                return self._append(event["audio"])
            case "session.update":
                return self._update(event["session"])
            case "response.create":
                return self._create_response(event.get("response") or {})
            case "response.cancel":
                return self._cancel_response(event.get("response_id"))
            case "conversation.item.create":
                return self._create_item(event["item"], event.get("previous_item_id"))
            case "conversation.item.truncate":
                return self._truncate_item(event["item_id"], event["audio_end_ms"])
            case "conversation.item.delete":
                return self._delete_item(event["item_id"])
            case "conversation.item.retrieve":
                item = self._item(event["item_id"], "retrieve")
                return [self._send({"type": "conversation.item.retrieved", "item": dict(item)})]
            case "input_audio_buffer.commit":
                return self._commit_by_hand()
            case _:
                return self._clear()

    def _update(self, changes: dict[str, Any]) -> list[Effect]:
        config = updated(self.config, changes, has_spoken=self._has_spoken)
        changed = config["audio"]["input"]["turn_detection"] != self.turn_detection
        self.config, self._configured = config, True
        effects: list[Effect] = []
        if changed:
            self._detector_began_ms = self._heard.ends_ms
            effects.append(DetectSpeech(self.turn_detection))
        return [*effects, self._send({"type": "session.updated", "session": copy.deepcopy(config)})]

    # --- the caller's audio ---

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        detection: dict[str, Any] | None = self.config["audio"]["input"]["turn_detection"]
        return detection

    def _append(self, audio: str) -> list[Effect]:
        wrong = Refused("invalid_value", "Invalid 'audio': expected base64 of at most 15 MiB in the input format.", "audio")
        if len(audio) > LONGEST_APPEND:
            raise wrong
        try:
            mulaw = Format.of(self.config["audio"]["input"]["format"]).decode(base64.b64decode(audio, validate=True))
        except ValueError as problem:
            raise wrong from problem
        if not self._configured:
            self.complaints.append("audio was sent before the session was configured: it is taken for 24 kHz PCM")
            self._configured = True
        self._heard.append(mulaw)
        if self.turn_detection is None:
            return []
        if self._turn is None:
            self._heard.keep_last(KEPT_BEFORE_SPEECH_MS)
        return [Listen(mulaw)]

    def speech_started(self, at_ms: float) -> list[Effect]:
        began = at_ms + self._detector_began_ms
        item_id = self._new_id("item")
        self._turn = (item_id, began)
        started = {"type": "input_audio_buffer.speech_started", "audio_start_ms": round(began), "item_id": item_id}
        effects: list[Effect] = [self._send(started)]
        if self._reply and self._turn_option("interrupt_response"):
            effects += self._stop(self._reply, "turn_detected")
        return effects

    def speech_stopped(self, at_ms: float) -> list[Effect]:
        if self._turn is None:
            return []
        item_id, _ = self._turn
        ended = at_ms + self._detector_began_ms
        stopped = {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": round(ended), "item_id": item_id}
        effects: list[Effect] = [self._send(stopped), *self._commit(ended)]
        if self._turn_option("create_response") and self._reply is None:
            effects += self._start(self._request({}), self.conversation)
        return effects

    def _commit_by_hand(self) -> list[Effect]:
        if self._heard.ms < SHORTEST_TURN_MS:
            message = f"Expected at least {SHORTEST_TURN_MS} ms of audio, but the buffer has {self._heard.ms:.2f} ms."
            raise Refused("input_audio_buffer_commit_empty", message)
        return self._commit(self._heard.ends_ms)

    def _commit(self, ends_ms: float) -> list[Effect]:
        item_id, began_ms = self._turn or (self._new_id("item"), self._heard.begins_ms)
        mulaw = self._heard.cut(began_ms, ends_ms)
        self._turn = None
        content = [{"type": "input_audio", "transcript": None}]
        item = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": content,
        }
        previous = self.conversation.insert(item, None)
        self.conversation.audio_ms[item_id] = round(len(mulaw) / BYTES_PER_MS)
        committed = {"type": "input_audio_buffer.committed", "previous_item_id": previous, "item_id": item_id}
        return [self._send(committed), *self._tell_of(item, previous), WriteDown(item_id, mulaw)]

    def _clear(self) -> list[Effect]:
        self._heard.clear()
        self._turn = None
        self._detector_began_ms = self._heard.ends_ms
        return [self._send({"type": "input_audio_buffer.cleared"}), DetectSpeech(self.turn_detection)]

    def _turn_option(self, name: str) -> bool:
        return bool(self.turn_detection and self.turn_detection[name])

    def written_down(self, item_id: str, words: str | None) -> list[Effect]:
        """The caller's words; None: they could not be made out. They count for the conversation in either case."""
        item = self.conversation.find(item_id)
        if item is None:
            return []
        item["content"][0]["transcript"] = words
        transcription = self.config["audio"]["input"]["transcription"]
        if transcription is None:
            return []
        kind, about = "conversation.item.input_audio_transcription", {"item_id": item_id, "content_index": 0}
        if words is None:
            error = {"type": "server_error", "code": "audio_unintelligible", "message": "The audio could not be transcribed."}
            return [self._send({"type": f"{kind}.failed", **about, "error": error})]
        seconds = self.conversation.audio_ms.get(item_id, 0) / 1000
        usage: dict[str, Any] = {"type": "duration", "seconds": seconds}
        if transcription.get("model") != "whisper-1":
            read, made = round(seconds * 10), len(words) // 4
            usage = {"type": "tokens", "input_tokens": read, "output_tokens": made, "total_tokens": read + made}
        effects: list[Effect] = [self._send({"type": f"{kind}.delta", **about, "delta": words})] if words else []
        return [*effects, self._send({"type": f"{kind}.completed", **about, "transcript": words, "usage": usage})]

    # --- items ---

    def _create_item(self, given: Item, previous_item_id: str | None) -> list[Effect]:
        if previous_item_id not in (None, "root") and self.conversation.find(previous_item_id) is None:
            raise Refused("invalid_value", f"There is no item '{previous_item_id}'.", "previous_item_id")
        item = {"id": self._new_id("item"), "object": "realtime.item", "status": "completed", **copy.deepcopy(given)}
        if self.conversation.find(item["id"]):
            raise Refused("invalid_value", f"There already is an item '{item['id']}'.", "item.id")
        if item["type"] == "function_call_output":
            self._check_output(item["call_id"])
        return self._tell_of(item, self.conversation.insert(item, previous_item_id))

    def _check_output(self, call_id: str) -> None:
        if not any(item.get("call_id") == call_id and item["type"] == "function_call" for item in self.conversation.items):
            raise Refused("invalid_value", f"Tool call ID '{call_id}' not found in conversation.", "item.call_id")
        if call_id in self._answered_tool_calls:
            raise Refused("invalid_value", f"Tool call ID '{call_id}' already has an output.", "item.call_id")
        self._answered_tool_calls.add(call_id)

    def _tell_of(self, item: Item, previous: str | None) -> list[Effect]:
        kinds = ("conversation.item.added", "conversation.item.done")
        return [self._send({"type": kind, "previous_item_id": previous, "item": copy.deepcopy(item)}) for kind in kinds]

    def _truncate_item(self, item_id: str, audio_end_ms: int) -> list[Effect]:
        item = self._item(item_id, "truncate")
        has_ms = self.conversation.audio_ms.get(item_id, 0)
        if item.get("role") != "assistant" or not has_ms:
            raise Refused("invalid_value", "Only an assistant's message with audio can be truncated.", "item_id")
        if audio_end_ms > has_ms:
            message = f"Audio content of {has_ms}ms is already shorter than {audio_end_ms}ms"
            raise Refused("invalid_value", message, "audio_end_ms")
        self.conversation.audio_ms[item_id] = audio_end_ms
        # The words of audio nobody heard must not stay in the conversation, and nobody knows which those are.
        item["content"] = [{"type": "output_audio", "transcript": None}]
        truncated = {"type": "conversation.item.truncated", "item_id": item_id, "content_index": 0, "audio_end_ms": audio_end_ms}
        return [self._send(truncated)]

    def _delete_item(self, item_id: str) -> list[Effect]:
        self.conversation.items.remove(self._item(item_id, "delete"))
        self.conversation.audio_ms.pop(item_id, None)
        return [self._send({"type": "conversation.item.deleted", "item_id": item_id})]

    def _item(self, item_id: str, purpose: str) -> Item:
        item = self.conversation.find(item_id)
        if item is None:
            raise Refused(f"item_{purpose}_invalid_item_id", f"The item with id '{item_id}' does not exist.", "item_id")
        return item

    # --- responses ---

    def _create_response(self, own: dict[str, Any]) -> list[Effect]:
        in_conversation = own.get("conversation", "auto") == "auto"
        if in_conversation and self._reply:
            message = f"Conversation already has an active response in progress: {self._reply.id}."
            raise Refused("conversation_already_has_active_response", message)
        return self._start(self._request(own), self.conversation if in_conversation else None)

    def _request(self, own: dict[str, Any]) -> Request:
        config: dict[str, Any] = {**self.config, **own}
        output = {**self.config["audio"]["output"], **own.get("audio", {}).get("output", {})}
        items = self._chosen_items(own["input"]) if "input" in own else tuple(self.conversation.items)
        return Request(
            items=items,
            instructions=config["instructions"],
            own_instructions=own.get("instructions", ""),
            tools=tuple(config["tools"]),
            tool_choice=config["tool_choice"],
            modality=config["output_modalities"][0],
            format=Format.of(output["format"]),
            voice=output["voice"],
            max_output_tokens=config["max_output_tokens"],
            metadata=own.get("metadata"),
            input_audio_ms=sum(self.conversation.audio_ms.get(item["id"], 0) for item in items if item.get("role") == "user"),
        )

    def _chosen_items(self, chosen: list[Item]) -> tuple[Item, ...]:
        def referred(one: Item) -> Item:
            if one["type"] != "item_reference":
                return {"id": self._new_id("item"), **one}
            return self._item(one["id"], "retrieve")

        return tuple(referred(one) for one in chosen)

    def _start(self, request: Request, conversation: Conversation | None) -> list[Effect]:
        reply = Reply(self._new_id("resp"), request, conversation)
        self.replies[reply.id] = reply
        if conversation is not None:
            self._reply = reply
        return [*self._send_all(reply.begin()), Generate(reply)]

    def _cancel_response(self, reply_id: str | None) -> list[Effect]:
        reply = self.replies.get(reply_id) if reply_id else self._reply
        if reply is None or not reply.active:
            raise Refused("response_cancel_not_active", "Cancellation failed: no active response found.")
        return self._stop(reply, "client_cancelled")

    def _stop(self, reply: Reply, reason: str) -> list[Effect]:
        return [StopGenerating(reply.id), *self.finish(reply, "cancelled", reason)]

    # --- what the brain does ---

    def say(self, reply: Reply, words: str, mulaw: bytes) -> list[Effect]:
        if not reply.active:
            return []
        self._has_spoken = self._has_spoken or bool(mulaw)
        effects = self._send_all(reply.say(words, mulaw))
        return [*effects, *self.finish(reply, "incomplete", "max_output_tokens")] if reply.too_long else effects

    def use_tool(self, reply: Reply, name: str, arguments: str) -> list[Effect]:
        return self._send_all(reply.use_tool(name, arguments)) if reply.active else []

    def finish(
        self, reply: Reply, status: str = "completed", reason: str | None = None, error: dict[str, Any] | None = None
    ) -> list[Effect]:
        if not reply.active:
            return []
        if self._reply is reply:
            self._reply = None
        return self._send_all(reply.finish(status, reason, error))

    def fail(self, kind: str, code: str, message: str) -> list[Effect]:
        """An error that is nobody's fault but the service's."""
        return [self._send({"type": "error", "error": _error_object(kind, code, message)})]

    # --- sending ---

    def _error(self, refused: Refused, event_id: str | None) -> Send:
        if refused.code not in HARMLESS:
            self.complaints.append(f"{refused.code}: {refused.message}")
        error = _error_object("invalid_request_error", refused.code, refused.message, refused.param, event_id)
        return self._send({"type": "error", "error": error})

    def _send(self, event: Event) -> Send:
        return Send({"type": event["type"], "event_id": self._new_id("event"), **event})

    def _send_all(self, events: list[Event]) -> list[Effect]:
        return [self._send(event) for event in events]

    def _new_id(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}_{self._unique}{self._numbers:06d}"


def _parse(message: str | bytes) -> Any:
    if isinstance(message, bytes):
        raise Refused("invalid_event", "Events are text, not binary.")
    try:
        return json.loads(message)
    except (ValueError, RecursionError) as problem:
        raise Refused("invalid_json", "We could not parse the JSON of your event.") from problem


def _error_object(
    kind: str, code: str | None, message: str, param: str | None = None, event_id: str | None = None
) -> dict[str, str | None]:
    return {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}
