"""A session's configuration: what it is before the client says anything, and what an update makes of it. Pure."""

import copy
from typing import Any

from .formats import Format
from .shapes import Refused

Configuration = dict[str, Any]

SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
    "idle_timeout_ms": None,
}
SEMANTIC_VAD = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}


def default_configuration(session_id: str, model: str, expires_at: int) -> Configuration:
    pcm = {"type": "audio/pcm", "rate": 24000}
    return {
        "id": session_id,
        "object": "realtime.session",
        "type": "realtime",
        "model": model,
        "expires_at": expires_at,
        "instructions": "You are a helpful practice model.",
        "output_modalities": ["audio"],
        "audio": {
            "input": {"format": dict(pcm), "noise_reduction": None, "transcription": None, "turn_detection": dict(SERVER_VAD)},
            "output": {"format": dict(pcm), "voice": "marin", "speed": 1.0},
        },
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
    }


def updated(before: Configuration, changes: dict[str, Any], *, has_spoken: bool) -> Configuration:
    """Only what is present changes. Raises `Refused`, and then nothing of it is taken."""
    config = copy.deepcopy(before)
    if changes.get("model", config["model"]) != config["model"]:
        raise Refused("invalid_value", "The model of a session cannot be changed.", "session.model")
    audio = changes.get("audio", {})
    voice = config["audio"]["output"]["voice"]
    if has_spoken and audio.get("output", {}).get("voice", voice) != voice:
        raise Refused("cannot_update_voice", "The voice cannot be changed after audio was produced.", "session.audio.output.voice")
    config.update(copy.deepcopy({name: value for name, value in changes.items() if name != "audio"}))
    for direction in ("input", "output"):
        config["audio"][direction].update(copy.deepcopy(audio.get(direction, {})))
        config["audio"][direction]["format"] = Format.of(config["audio"][direction]["format"]).as_object()
    detection = config["audio"]["input"]["turn_detection"]
    if detection is not None:
        defaults = SERVER_VAD if detection["type"] == "server_vad" else SEMANTIC_VAD
        config["audio"]["input"]["turn_detection"] = {**defaults, **detection}
    return config
