"""OpenAI Realtime's JSON, both ways: the GA shape, no beta names. Pure: text in, facts out; commands in, text out.

Speech is detected by the server, and nothing else is left to it: `create_response` and `interrupt_response` are false, for
the call decides when the agent speaks.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from ... import audio, languages
from ...call.commands import (
    CancelReply,
    EngineCommand,
    ForgetTurn,
    Remark,
    SendCallerAudio,
    SendToolOutput,
    StartReply,
    SwitchLanguage,
    TellEngine,
    TruncateTurn,
)
from ...call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    CallerWordsHeard,
    Event,
    ReplyFinished,
    ReplyRefused,
    ReplyStarted,
    ReplyStatus,
    ToolRequested,
)
from ...call.usage import Usage
from ..base import EngineConfig

FORMAT = {"type": "audio/pcmu"}

Verdict = Literal["ignore", "retry", "reconnect", "terminal"]
"""What an error asks for: nothing; the same again (what it was about did not happen); another session; no other session either."""

# Codes that are not listed are noted and ignored: most errors are about one message, and the session stays open.
VERDICTS: dict[str, Verdict] = {
    "response_cancel_not_active": "ignore",
    "input_audio_buffer_commit_empty": "ignore",
    "item_truncate_invalid_item_id": "ignore",
    "invalid_value": "ignore",
    "unknown_parameter": "ignore",
    "missing_required_parameter": "ignore",
    "conversation_already_has_active_response": "retry",
    "server_error": "retry",
    "rate_limit_exceeded": "reconnect",
    "session_expired": "reconnect",
    "insufficient_quota": "terminal",
    "invalid_api_key": "terminal",
    "account_deactivated": "terminal",
    "billing_hard_limit_reached": "terminal",
    "model_not_found": "terminal",
    "beta_api_shape_disabled": "terminal",
}


class BadMessage(ValueError):
    """Not a message of this protocol. It is counted, and the call goes on."""


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The engine greets us; it wants to be configured."""


@dataclass(frozen=True, slots=True)
class SessionConfigured:
    """What the engine says it is set to. With another `output_format` than ours the caller would hear noise."""

    input_format: str
    output_format: str


@dataclass(frozen=True, slots=True)
class ErrorReported:
    """`event_id` names the message of ours it is about."""

    code: str
    event_id: str

    @property
    def verdict(self) -> Verdict:
        return VERDICTS.get(self.code, "ignore")


class _Format(msgspec.Struct, frozen=True):
    type: str = ""


class _AudioSide(msgspec.Struct, frozen=True):
    format: _Format = _Format()


class _Audio(msgspec.Struct, frozen=True):
    input: _AudioSide = _AudioSide()
    output: _AudioSide = _AudioSide()


class _Session(msgspec.Struct, frozen=True):
    audio: _Audio = _Audio()


class _Item(msgspec.Struct):
    type: str
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    type: str | None = None
    event_id: str | None = None


class _StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: _Error | None = None


class _Response(msgspec.Struct):
    id: str
    status: str | None = None
    status_details: _StatusDetails | None = None
    usage: Any = None


class _Message(msgspec.Struct):
    type: str
    item_id: str = ""
    response_id: str = ""
    delta: str = ""
    transcript: str = ""
    audio_end_ms: int | None = None
    item: _Item | None = None
    response: _Response | None = None
    session: _Session | None = None
    error: _Error | None = None
    usage: Any = None


_decoder = msgspec.json.Decoder(_Message)
_statuses: dict[str, ReplyStatus] = {s: s for s in ("completed", "cancelled", "failed", "incomplete")}

Received = Event | SessionOpened | SessionConfigured | ErrorReported


def decode(text: str | bytes) -> Received | None:
    """One message. None: nothing that matters here. Raises `BadMessage`."""
    try:
        message = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadMessage("not a message of the Realtime protocol") from None
    match message:
        case _Message(type="response.output_audio.delta"):
            return _agent_audio(message)
        case _Message(type="response.output_audio_transcript.delta"):
            return AgentWordsSpoken(message.response_id, message.item_id, message.delta)
        case _Message(type="input_audio_buffer.speech_started"):
            return CallerSpeechStarted(message.item_id)
        case _Message(type="input_audio_buffer.speech_stopped"):
            return CallerSpeechStopped(message.item_id, message.audio_end_ms)
        case _Message(type="input_audio_buffer.committed"):
            return CallerTurnCommitted(message.item_id)
        case _Message(type="conversation.item.input_audio_transcription.completed"):
            return CallerWordsHeard(message.item_id, message.transcript, transcription_usage(message.usage))
        case _Message(type="response.created", response=_Response(id=reply_id)):
            return ReplyStarted(reply_id)
        case _Message(type="response.output_item.done", item=_Item(type="function_call") as item):
            return _tool_requested(message.response_id, item)
        case _Message(type="response.done", response=_Response() as response):
            return _reply_finished(response)
        case _Message(type="error"):
            return _error_reported(message.error or _Error())
        case _Message(type="session.created"):
            return SessionOpened()
        case _Message(type="session.updated", session=_Session(audio=formats)):
            return SessionConfigured(formats.input.format.type, formats.output.format.type)
        case _:
            return None


def _agent_audio(message: _Message) -> AgentAudio:
    try:
        return AgentAudio(message.response_id, message.item_id, audio.checked(message.delta))
    except audio.BadAudio as error:
        raise BadMessage(str(error)) from None


def _tool_requested(reply_id: str, item: _Item) -> ToolRequested | None:
    """A call cut short by a cancelled reply has half its arguments: it is not a request."""
    if item.status == "incomplete" or not item.call_id:
        return None
    return ToolRequested(reply_id, item.call_id, item.name or "", item.arguments or "")


def _reply_finished(response: _Response) -> ReplyFinished:
    details = response.status_details or _StatusDetails()
    reason = (details.error and (details.error.code or details.error.type)) or details.reason or ""
    return ReplyFinished(response.id, _statuses.get(response.status or "", "failed"), reason, reply_usage(response.usage))


def _error_reported(error: _Error) -> ErrorReported | ReplyRefused:
    code = error.code or error.type or "unknown"
    if code == "conversation_already_has_active_response":
        return ReplyRefused()
    return ErrorReported(code, error.event_id or "")


# The caller's audio is heard in tokens of a tenth of a second.
INPUT_TOKENS_IN_A_SECOND = 10
MOST_TOKENS = 1 << 40


def reply_usage(usage: Any) -> Usage | None:
    """What a response took; None where it is not told, which is not nothing. What was cached is part of what was read.

    Where it is not told which of it was, or more than there is, none was: that is dearer.
    """
    read, made = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    if not (read or made):
        return None
    cached = _part(read, "cached_tokens_details")
    text, audio_ = _count(read, "text_tokens") + _count(read, "image_tokens"), _count(read, "audio_tokens")
    text_again = min(text, _count(cached, "text_tokens") + _count(cached, "image_tokens"))
    audio_again = min(audio_, _count(cached, "audio_tokens"))
    return Usage(
        text_in=text - text_again,
        text_again=text_again,
        text_out=_count(made, "text_tokens"),
        audio_in=audio_ - audio_again,
        audio_again=audio_again,
        audio_out=_count(made, "audio_tokens"),
    )


def transcription_usage(usage: Any) -> Usage | None:
    """In seconds, whichever of its two shapes it has; None where it has neither."""
    match usage:
        case {"type": "duration", "seconds": int() | float() as seconds} if 0 <= seconds <= MOST_TOKENS:
            return Usage(transcribed_s=float(seconds))
        case {"type": "tokens", "input_tokens": int()}:
            heard = _count(_part(usage, "input_token_details"), "audio_tokens") or _count(usage, "input_tokens")
            return Usage(transcribed_s=heard / INPUT_TOKENS_IN_A_SECOND)
    return None


def _part(whole: Any, name: str) -> dict[str, Any]:
    part = whole.get(name) if isinstance(whole, dict) else None
    return part if isinstance(part, dict) else {}


def _count(part: dict[str, Any], name: str) -> int:
    number = part.get(name)
    return number if isinstance(number, int) and 0 <= number <= MOST_TOKENS else 0


class Encoder:
    """Our messages. Each but the audio carries an id of its own, which errors name."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._sent = 0
        # Id of the last message that asked for a reply: an error about it means that none comes.
        self.reply_asked_for = ""

    def without_transcription(self) -> bool:
        """Go on without the caller's words. False if they were not asked for."""
        wanted, self._config = self._config.transcription_model, replace(self._config, transcription_model="")
        return bool(wanted)

    def session(self) -> str:
        return self._message("session.update", session=session(self._config))

    def history(self) -> list[str]:
        """What was said before this session, as items of its conversation. The agent's words can only be items of text."""
        if not self._config.history:
            return []
        items = [*map(self._item, self._config.history), _message_item("system", "input_text", self._config.resume)]
        return [self._message("conversation.item.create", item=item) for item in items]

    def encode(self, command: EngineCommand) -> str:
        match command:
            case SendCallerAudio(payload):
                return f'{{"type":"input_audio_buffer.append","audio":"{payload}"}}'
            case StartReply(say=""):
                return self._message("response.create")
            case StartReply(say=line):
                instructions = self._config.say_exactly.replace("{line}", line)
                # A fixed line is not a moment to use tools in.
                return self._message("response.create", response={"instructions": instructions, "tool_choice": "none"})
            case CancelReply(reply_id):
                return self._message("response.cancel", response_id=reply_id)
            case TruncateTurn(turn_id, heard_ms):
                return self._message("conversation.item.truncate", item_id=turn_id, content_index=0, audio_end_ms=heard_ms)
            case ForgetTurn(turn_id):
                return self._message("conversation.item.delete", item_id=turn_id)
            case SendToolOutput(tool_call_id, output, ours):
                output = output if ours else self._config.quoted(output)
                item = {"type": "function_call_output", "call_id": tool_call_id, "output": output}
                return self._message("conversation.item.create", item=item)
            case TellEngine(remark):
                return self._message("conversation.item.create", item=self._item(remark))
            case SwitchLanguage(language):
                self._config = replace(self._config, language=language)
                whole = session(self._config)
                # The voice cannot change once it has spoken, so only what differs is sent.
                heard = {"transcription": whole["audio"]["input"]["transcription"]}
                changes = {"type": "realtime", "instructions": whole["instructions"], "audio": {"input": heard}}
                return self._message("session.update", session=changes)

    def _item(self, remark: Remark) -> dict[str, Any]:
        match remark.speaker:
            case "caller":
                return _message_item("user", "input_text", remark.text)
            case "agent":
                return _message_item("assistant", "output_text", remark.text)
            case "tool":
                return _message_item("system", "input_text", self._config.quoted(remark.text))

    def _message(self, kind: str, **fields: Any) -> str:
        self._sent += 1
        event_id = f"ours-{self._sent}"
        if kind == "response.create":
            self.reply_asked_for = event_id
        return json.dumps({"type": kind, "event_id": event_id, **fields}, ensure_ascii=False)


def _message_item(role: str, content: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": content, "text": text}]}


def session(config: EngineConfig) -> dict[str, Any]:
    """The whole session, in the shape `session.update` takes."""
    transcription = {"model": config.transcription_model, "language": config.language} if config.transcription_model else None
    return {
        "type": "realtime",
        "instructions": config.instructions.replace("{language}", languages.LANGUAGES[config.language].name),
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": FORMAT,
                "noise_reduction": {"type": config.noise_reduction} if config.noise_reduction else None,
                "transcription": transcription,
                "turn_detection": _turn_detection(config),
            },
            "output": {"format": FORMAT, "voice": config.voice, "speed": config.speed},
        },
        "tools": [
            {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in config.tools
        ],
        "tool_choice": "auto",
        "max_output_tokens": 1500,
    }


def _turn_detection(config: EngineConfig) -> dict[str, Any]:
    ours = {"create_response": False, "interrupt_response": False}
    if config.turn_detection == "semantic_vad":
        return {"type": "semantic_vad", "eagerness": config.vad_eagerness, **ours}
    return {
        "type": "server_vad",
        "threshold": config.vad_threshold,
        "prefix_padding_ms": config.vad_prefix_ms,
        "silence_duration_ms": config.vad_silence_ms,
        **ours,
    }
