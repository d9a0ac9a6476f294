"""What a client may send: every field of every event, and how a wrong one is refused. Pure; no state.

A check is called with a value and the path to it, and raises `Refused`. Fields that nobody named are refused too, as the
real service does since its beta ended: a forgotten field must not pass here and fail there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any, str], None]


@dataclass(eq=False)
class Refused(Exception):
    """A client event that is not carried out. `param` is the path to what is wrong with it."""

    code: str
    message: str
    param: str | None = None


def text(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise Refused("invalid_type", f"Invalid type for '{path}': expected a string.", path)


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise Refused("invalid_type", f"Invalid type for '{path}': expected a boolean.", path)


def anything(value: Any, path: str) -> None:
    pass


def number(low: float, high: float, *, whole: bool = False) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise Refused("invalid_type", f"Invalid type for '{path}': expected {'an integer' if whole else 'a number'}.", path)
        if not low <= value <= high:
            raise Refused("invalid_value", f"Invalid value for '{path}': expected {low} to {high}, got {value}.", path)

    return check


def whole(low: int, high: int) -> Check:
    return number(low, high, whole=True)


def one_of(*values: Any) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in values:
            raise Refused("invalid_value", f"Invalid value: {value!r}. Supported values are: {', '.join(map(repr, values))}.", path)

    return check


def nullable(inner: Check) -> Check:
    def check(value: Any, path: str) -> None:
        if value is not None:
            inner(value, path)

    return check


def either(*inner: Check) -> Check:
    """The first that fits; if none does, the last one's refusal."""

    def check(value: Any, path: str) -> None:
        for attempt in inner[:-1]:
            try:
                return attempt(value, path)
            except Refused:
                continue
        inner[-1](value, path)

    return check


def listed(inner: Check, most: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise Refused("invalid_type", f"Invalid type for '{path}': expected an array.", path)
        if most is not None and len(value) > most:
            raise Refused("invalid_value", f"Invalid '{path}': at most {most} allowed.", path)
        for place, one in enumerate(value):
            inner(one, f"{path}[{place}]")

    return check


def fields(known: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    def check(value: Any, path: str) -> None:
        within = f"{path}." if path else ""
        if not isinstance(value, dict):
            raise Refused("invalid_type", f"Invalid type for '{path}': expected an object.", path)
        for name in value:
            if name not in known:
                raise Refused("unknown_parameter", f"Unknown parameter: '{within}{name}'.", f"{within}{name}")
        for name in required:
            if name not in value:
                raise Refused("missing_required_parameter", f"Missing required parameter: '{within}{name}'.", f"{within}{name}")
        for name, inner in known.items():
            if name in value:
                inner(value[name], f"{within}{name}")

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` decides on its other fields."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Refused("invalid_type", f"Invalid type for '{path}': expected an object.", path)
        if "type" not in value:
            raise Refused("missing_required_parameter", f"Missing required parameter: '{path}.type'.", f"{path}.type")
        one_of(*kinds)(value["type"], f"{path}.type")
        kinds[value["type"]](value, path)

    return check


FORMAT = by_type(
    {
        "audio/pcm": fields({"type": text, "rate": one_of(24000)}, ("type",)),
        "audio/pcmu": fields({"type": text}),
    }
)
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
VOICE = either(fields({"id": text}, ("id",)), one_of(*VOICES))
MODALITIES = one_of(["audio"], ["text"])
TURN_DETECTION = by_type(
    {
        "server_vad": fields(
            {
                "type": text,
                "threshold": number(0, 1),
                "prefix_padding_ms": whole(0, 5000),
                "silence_duration_ms": whole(0, 10000),
                "create_response": boolean,
                "interrupt_response": boolean,
                "idle_timeout_ms": nullable(whole(5000, 30000)),
            }
        ),
        "semantic_vad": fields(
            {
                "type": text,
                "eagerness": one_of("low", "medium", "high", "auto"),
                "create_response": boolean,
                "interrupt_response": boolean,
            }
        ),
    }
)
TRANSCRIPTION = fields(
    {
        "model": text,
        "language": text,
        "languages": listed(text),
        "keywords": listed(text),
        "prompt": text,
        "delay": one_of("minimal", "low", "medium", "high", "xhigh"),
    }
)
FUNCTION = fields({"type": text, "name": text, "description": text, "parameters": anything}, ("name",))
TOOLS = listed(by_type({"function": FUNCTION}))
TOOL_CHOICE = either(one_of("auto", "none", "required"), fields({"type": one_of("function"), "name": text}, ("type", "name")))
REASONING = fields({"effort": one_of("minimal", "low", "medium", "high", "xhigh")})
LONGEST_REPLY = either(one_of("inf"), whole(1, 4096))
TRUNCATION = either(
    one_of("auto", "disabled"),
    fields(
        {
            "type": one_of("retention_ratio"),
            "retention_ratio": number(0, 1),
            "token_limits": fields({"post_instructions": whole(0, 1_000_000)}),
        },
        ("type", "retention_ratio"),
    ),
)
TRACING = nullable(either(one_of("auto"), fields({"workflow_name": text, "group_id": text, "metadata": anything})))

SESSION = fields(
    {
        "type": one_of("realtime"),
        "model": text,
        "instructions": text,
        "output_modalities": MODALITIES,
        "audio": fields(
            {
                "input": fields(
                    {
                        "format": FORMAT,
                        "noise_reduction": nullable(
                            fields({"type": one_of("near_field", "far_field"), "strength": number(0, 1)}, ("type",))
                        ),
                        "transcription": nullable(TRANSCRIPTION),
                        "turn_detection": nullable(TURN_DETECTION),
                    }
                ),
                "output": fields({"format": FORMAT, "voice": VOICE, "speed": number(0.25, 1.5)}),
            }
        ),
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "max_output_tokens": LONGEST_REPLY,
        "reasoning": REASONING,
        "truncation": TRUNCATION,
        "tracing": TRACING,
        "include": nullable(listed(one_of("item.input_audio_transcription.logprobs"))),
        "prompt": nullable(anything),
    },
    ("type",),
)

_ITEM = {"id": text, "object": one_of("realtime.item"), "type": text, "status": one_of("completed", "incomplete", "in_progress")}
_CONTENT_OF = {
    "system": by_type({"input_text": fields({"type": text, "text": text}, ("text",))}),
    "user": by_type(
        {
            "input_text": fields({"type": text, "text": text}, ("text",)),
            "input_audio": fields({"type": text, "audio": text, "transcript": nullable(text)}, ("audio",)),
        }
    ),
    # An assistant's audio cannot be made up by a client, only its text.
    "assistant": by_type({"output_text": fields({"type": text, "text": text}, ("text",))}),
}


def _message(value: Any, path: str) -> None:
    fields({**_ITEM, "role": one_of(*_CONTENT_OF), "content": anything}, ("role", "content"))(value, path)
    listed(_CONTENT_OF[value["role"]])(value["content"], f"{path}.content")


ITEM = by_type(
    {
        "message": _message,
        "function_call": fields({**_ITEM, "call_id": text, "name": text, "arguments": text}, ("name", "arguments")),
        "function_call_output": fields({**_ITEM, "call_id": text, "output": text}, ("call_id", "output")),
    }
)
REFERENCE = by_type({"item_reference": fields({"type": text, "id": text}, ("id",))})


def _metadata(value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise Refused("invalid_type", f"Invalid type for '{path}': expected an object.", path)
    for key, entry in value.items():
        text(entry, f"{path}.{key}")
    if len(value) > 16 or any(len(key) > 64 or len(entry) > 512 for key, entry in value.items()):
        raise Refused("invalid_value", f"Invalid '{path}': at most 16 keys of 64 characters, values of 512.", path)


RESPONSE = fields(
    {
        "conversation": one_of("auto", "none"),
        "instructions": text,
        "input": listed(either(REFERENCE, ITEM)),
        "output_modalities": MODALITIES,
        "audio": fields({"output": fields({"format": FORMAT, "voice": VOICE})}),
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "max_output_tokens": LONGEST_REPLY,
        "metadata": nullable(_metadata),
        "reasoning": REASONING,
        "prompt": nullable(anything),
    }
)


def _event(required: tuple[str, ...] = (), **known: Check) -> Check:
    return fields({"type": text, "event_id": text, **known}, required)


CLIENT_EVENTS: dict[str, Check] = {
    "session.update": _event(("session",), session=SESSION),
    "input_audio_buffer.append": _event(("audio",), audio=text),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event(("item",), item=ITEM, previous_item_id=nullable(text)),
    "conversation.item.retrieve": _event(("item_id",), item_id=text),
    "conversation.item.delete": _event(("item_id",), item_id=text),
    "conversation.item.truncate": _event(
        ("item_id", "content_index", "audio_end_ms"),
        item_id=text,
        content_index=whole(0, 0),
        audio_end_ms=whole(1, 10**9),
    ),
    "response.create": _event(response=nullable(RESPONSE)),
    "response.cancel": _event(response_id=text),
}


def check_event(event: Any) -> None:
    """Raise `Refused` unless this is a client event as it should be."""
    if not isinstance(event, dict):
        raise Refused("invalid_event", "An event is a JSON object.")
    if "type" not in event:
        raise Refused("missing_required_parameter", "Missing required parameter: 'type'.", "type")
    one_of(*CLIENT_EVENTS)(event["type"], "type")
    CLIENT_EVENTS[event["type"]](event, "")
