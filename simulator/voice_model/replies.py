"""One response: the events that tell of it, in the order the real service sends them. Pure.

    response.created, rate_limits.updated
    -> output_item.added, conversation.item.added, content_part.added
    -> output_audio_transcript.delta and output_audio.delta, interleaved
    -> output_audio.done, output_audio_transcript.done, content_part.done, output_item.done, conversation.item.done
    -> response.done

Nothing here knows of sessions or who asked. Events come without `event_id`; whoever sends them stamps it.
"""

import base64
import itertools
from dataclasses import dataclass, field
from typing import Any

from simulator.speech import BYTES_PER_MS

from .formats import Format

Event = dict[str, Any]
Item = dict[str, Any]

CHUNK_MS = 200
MS_PER_INPUT_TOKEN = 100
MS_PER_OUTPUT_TOKEN = 50


@dataclass
class Conversation:
    """Items in their order, and how much audio stands behind each."""

    id: str
    items: list[Item] = field(default_factory=list)
    audio_ms: dict[str, int] = field(default_factory=dict)

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item["id"] == item_id), None)

    def last_id(self) -> str | None:
        return self.items[-1]["id"] if self.items else None

    def insert(self, item: Item, previous_item_id: str | None) -> str | None:
        """Put it after `previous_item_id` ("root": first; None: last). Returns the id it now stands behind."""
        place = len(self.items)
        if previous_item_id == "root":
            place = 0
        elif previous_item_id is not None:
            place = next(n for n, other in enumerate(self.items) if other["id"] == previous_item_id) + 1
        self.items.insert(place, item)
        return self.items[place - 1]["id"] if place else None


@dataclass(frozen=True)
class Request:
    """What a response is asked to be: the session's configuration with the response's own fields on top."""

    items: tuple[Item, ...]
    instructions: str
    own_instructions: str
    tools: tuple[dict[str, Any], ...]
    tool_choice: Any
    modality: str
    format: Format
    voice: Any
    max_output_tokens: int | str
    metadata: dict[str, str] | None
    input_audio_ms: int


class Reply:
    """A response under way. With a conversation its items enter it; without, it is out of band."""

    def __init__(self, reply_id: str, request: Request, conversation: Conversation | None) -> None:
        self.id = reply_id
        self.request = request
        self.conversation = conversation
        self.status = "in_progress"
        self.status_details: dict[str, Any] | None = None
        self.output: list[Item] = []
        self.audio_ms = 0
        self.usage: dict[str, Any] | None = None
        self._ids = itertools.count(1)
        self._speaking: Item | None = None
        self._words = ""
        self._item_audio_ms = 0

    @property
    def active(self) -> bool:
        return self.status == "in_progress"

    @property
    def too_long(self) -> bool:
        limit = self.request.max_output_tokens
        return isinstance(limit, int) and self.audio_ms / MS_PER_OUTPUT_TOKEN >= limit

    def begin(self) -> list[Event]:
        limits = [
            {"name": "requests", "limit": 10000, "remaining": 9999, "reset_seconds": 0.01},
            {"name": "tokens", "limit": 1_000_000, "remaining": 995_000, "reset_seconds": 0.3},
        ]
        return [{"type": "response.created", "response": self.as_object()}, {"type": "rate_limits.updated", "rate_limits": limits}]

    def say(self, words: str, mulaw: bytes) -> list[Event]:
        """A piece of speech. The words go out before their audio, in one delta; the audio in chunks."""
        events = self._start_speaking() if self._speaking is None else []
        assert self._speaking is not None
        if words and self._words and not words.startswith(" "):
            words = f" {words}"
        self._words += words
        if self.request.modality == "text":
            return [*events, self._part("response.output_text.delta", delta=words)] if words else events
        if words:
            events.append(self._part("response.output_audio_transcript.delta", delta=words))
        for start in range(0, len(mulaw), CHUNK_MS * BYTES_PER_MS):
            if self.too_long:
                break
            chunk = mulaw[start : start + CHUNK_MS * BYTES_PER_MS]
            self.audio_ms += len(chunk) // BYTES_PER_MS
            self._item_audio_ms += len(chunk) // BYTES_PER_MS
            audio = base64.b64encode(self.request.format.encode(chunk)).decode()
            events.append(self._part("response.output_audio.delta", delta=audio))
        if self.conversation is not None:
            self.conversation.audio_ms[self._speaking["id"]] = self._item_audio_ms
        return events

    def use_tool(self, name: str, arguments: str) -> list[Event]:
        """Announced twice, as the real service does: `function_call_arguments.done` and `output_item.done`."""
        events = self._stop_speaking("completed")
        item = self._new_item({"type": "function_call", "name": name, "arguments": ""})
        item["call_id"] = f"call_{item['id'].removeprefix('item_')}"
        events += self._announce(item)
        about = {"response_id": self.id, "item_id": item["id"], "output_index": len(self.output) - 1, "call_id": item["call_id"]}
        half = len(arguments) // 2
        for delta in filter(None, (arguments[:half], arguments[half:])):
            events.append({"type": "response.function_call_arguments.delta", **about, "delta": delta})
        item["arguments"] = arguments
        events.append({"type": "response.function_call_arguments.done", **about, "name": name, "arguments": arguments})
        return [*events, *self._complete(item, "completed")]

    def finish(self, status: str = "completed", reason: str | None = None, error: dict[str, Any] | None = None) -> list[Event]:
        events = self._stop_speaking("completed" if status == "completed" else "incomplete")
        self.status = status
        if status != "completed":
            details = {"type": status, "reason": reason, "error": error}
            self.status_details = {name: value for name, value in details.items() if value is not None}
        if status != "failed":
            self.usage = self._count_usage()
        return [*events, {"type": "response.done", "response": self.as_object()}]

    def as_object(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": self.status,
            "status_details": self.status_details,
            "output": [dict(item) for item in self.output] if not self.active else [],
            "conversation_id": self.conversation.id if self.conversation else None,
            "output_modalities": [self.request.modality],
            "audio": {"output": {"format": self.request.format.as_object(), "voice": self.request.voice}},
            "max_output_tokens": self.request.max_output_tokens,
            "metadata": self.request.metadata,
            "usage": self.usage,
        }

    def _new_item(self, fields: dict[str, Any]) -> Item:
        item_id = f"item_{self.id.removeprefix('resp_')}_{next(self._ids)}"
        return {"id": item_id, "object": "realtime.item", "status": "in_progress", **fields}

    def _announce(self, item: Item) -> list[Event]:
        self.output.append(item)
        shown = {**item, "content": []} if "content" in item else dict(item)
        events = [self._about_item("response.output_item.added", shown)]
        if self.conversation is not None:
            previous = self.conversation.insert(item, None)
            events.append({"type": "conversation.item.added", "previous_item_id": previous, "item": shown})
        return events

    def _complete(self, item: Item, status: str) -> list[Event]:
        item["status"] = status
        events = [self._about_item("response.output_item.done", dict(item))]
        if self.conversation is not None and (place := _place(self.conversation, item)) is not None:
            previous = self.conversation.items[place - 1]["id"] if place else None
            events.append({"type": "conversation.item.done", "previous_item_id": previous, "item": dict(item)})
        return events

    def _about_item(self, kind: str, item: Item) -> Event:
        return {"type": kind, "response_id": self.id, "output_index": len(self.output) - 1, "item": item}

    def _start_speaking(self) -> list[Event]:
        self._words = ""
        self._item_audio_ms = 0
        self._speaking = self._new_item({"type": "message", "role": "assistant", "content": []})
        return [*self._announce(self._speaking), self._part("response.content_part.added", part=self._part_object())]

    def _stop_speaking(self, status: str) -> list[Event]:
        item = self._speaking
        if item is None:
            return []
        if self.request.modality == "text":
            events = [self._part("response.output_text.done", text=self._words)]
            item["content"] = [{"type": "output_text", "text": self._words}]
        else:
            events = [
                self._part("response.output_audio.done"),
                self._part("response.output_audio_transcript.done", transcript=self._words),
            ]
            item["content"] = [{"type": "output_audio", "transcript": self._words}]
        events.append(self._part("response.content_part.done", part=self._part_object()))
        self._speaking = None
        return [*events, *self._complete(item, status)]

    def _part_object(self) -> dict[str, str]:
        if self.request.modality == "text":
            return {"type": "text", "text": self._words}
        return {"type": "audio", "transcript": self._words}

    def _part(self, kind: str, **more: Any) -> Event:
        assert self._speaking is not None
        place = {"response_id": self.id, "item_id": self._speaking["id"], "output_index": len(self.output) - 1, "content_index": 0}
        return {"type": kind, **place, **more}

    def _count_usage(self) -> dict[str, Any]:
        """Text at four characters a token, audio by its length. Without cache: a practice model charges nobody."""
        written = len(self.request.instructions) + sum(len(str(one)) for one in (*self.request.tools, *self.request.items))
        read = {"text_tokens": written // 4, "audio_tokens": self.request.input_audio_ms // MS_PER_INPUT_TOKEN, "image_tokens": 0}
        cached = {"cached_tokens": 0, "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}}
        made = {
            "text_tokens": sum(len(str(item)) for item in self.output) // 4,
            "audio_tokens": self.audio_ms // MS_PER_OUTPUT_TOKEN,
        }
        return {
            "total_tokens": sum(read.values()) + sum(made.values()),
            "input_tokens": sum(read.values()),
            "output_tokens": sum(made.values()),
            "input_token_details": {**read, **cached},
            "output_token_details": made,
        }


def _place(conversation: Conversation, item: Item) -> int | None:
    """Where it stands; None when it was deleted meanwhile."""
    return next((n for n, other in enumerate(conversation.items) if other is item), None)
