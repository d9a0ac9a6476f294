"""What each TwiML verb does to a call. A verb returns where to go next: another document, the end, or None: the next verb.

`<Dial>` has a module of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from typing import TYPE_CHECKING

from . import dial
from .line import Sound
from .recordings import Recording
from .sound import BEEP, from_wav, is_audible, silence
from .stream import MediaStream, StreamRefused
from .twiml import CannotGoOn, Document, Fetch, Verb

if TYPE_CHECKING:
    from .call import Call


class End(Enum):
    OF_CALL = "of the call"


async def obey(call: "Call", document: Document) -> Fetch | None:
    """Follow one document. Returns the one that follows it; None: the call is over."""
    for verb in document.verbs:
        call.note("verb", verb.name)
        if verb.name not in ("Redirect", "Hangup", "Reject", "Pause") and not _rings_on(call, verb):
            call.answer()
        step = await OBEY[verb.name](call, document, verb)
        if step is End.OF_CALL:
            return None
        if step is not None:
            return step
    return None


def _rings_on(call: "Call", verb: Verb) -> bool:
    """`answerOnBridge` has an effect only when nothing has answered the call before."""
    return verb.name == "Dial" and verb.truth("answerOnBridge") and call.answered_ms is None


async def say(call: "Call", document: Document, verb: Verb) -> None:
    for _ in range(max(1, verb.number("loop", 1))):
        await call.say(verb.text)


async def play(call: "Call", document: Document, verb: Verb) -> None:
    if verb.get("digits"):
        return await call.line.play(Sound(silence(200 * len(verb.get("digits"))), "play", counts_as_sound=True))
    answer = await call.network.download(call.resolve(document, verb.text))
    try:
        mulaw = from_wav(answer)
    except ValueError as problem:
        return call.complain(12300, f"<Play>: {problem}")
    for _ in range(max(1, verb.number("loop", 1))):
        await call.line.play(Sound(mulaw, "play"))


async def pause(call: "Call", document: Document, verb: Verb) -> None:
    await call.line.wait(verb.number("length", 1) * 1000)


async def start(call: "Call", document: Document, verb: Verb) -> None:
    for noun in verb.nouns:
        recording = Recording(
            call.sid,
            call.now_ms,
            channels=2 if noun.get("channels") == "dual" else 1,
            trim=noun.get("trim", "trim-silence") == "trim-silence",
            track=noun.get("track", "both"),
        )
        call.record(recording, reports_to(call, document, noun))


def reports_to(call: "Call", document: Document, noun: Verb) -> Callable[[Recording], None]:
    """Tell the product of a recording's states, those it asked for."""
    url = noun.get("recordingStatusCallback")
    events = noun.get("recordingStatusCallbackEvent", "completed").split()
    address = call.resolve(document, url) if url else ""

    def report(recording: Recording) -> None:
        call.note(f"recording {recording.state}", recording.sid)
        if address and recording.state in events:
            method = noun.get("recordingStatusCallbackMethod", "POST")
            call.call_back(address, recording_params(call, recording), method)

    return report


def recording_params(call: "Call", recording: Recording) -> dict[str, str]:
    params = {
        "AccountSid": call.network.account_sid,
        "CallSid": call.sid,
        "RecordingSid": recording.sid,
        "RecordingUrl": call.network.recording_url(recording),
        "RecordingStatus": recording.state,
        "RecordingChannels": str(recording.channels),
        "RecordingStartTime": format_datetime(call.placed_at + timedelta(milliseconds=recording.started_ms)),
        "RecordingSource": recording.source,
        "RecordingTrack": recording.track,
        "ErrorCode": "16101" if recording.state == "absent" else "0",
    }
    if recording.state == "completed":
        params["RecordingDuration"] = str(recording.duration_s)
    return params


async def connect(call: "Call", document: Document, verb: Verb) -> Fetch | None:
    if not verb.nouns or not verb.nouns[0].get("url"):
        raise CannotGoOn(12200, "<Connect> connects to nothing")
    action = call.fetch_for(document, verb, verb.get("action")) if verb.get("action") else None
    noun = verb.nouns[0]
    parameters = {one.get("name"): one.get("value") for one in noun.nouns}
    for name, value in parameters.items():
        if len(name) + len(value) >= 500:
            call.complain(12200, "a <Parameter>'s name and value are together under 500 characters")
    stream = MediaStream(
        call.line,
        noun.get("url"),
        parameters,
        account_sid=call.network.account_sid,
        call_sid=call.sid,
        auth_token=call.network.auth_token,
        complain=call.complain,
    )
    call.streams.append(stream)
    report = _stream_reports(call, document, noun, stream)
    try:
        await stream.run(call.network.session, opened=lambda: report("stream-started"))
    except StreamRefused as refusal:
        call.complain(refusal.code, str(refusal))
        report("stream-error", str(refusal))
    except asyncio.CancelledError:
        report("stream-stopped")
        if action and call.is_hanging_up:
            call.call_back(action.url, call.params(CallStatus="completed"), action.method)
        raise
    else:
        report("stream-stopped")
    return action


def _stream_reports(call: "Call", document: Document, noun: Verb, stream: MediaStream) -> Callable[..., None]:
    url = noun.get("statusCallback")
    address = call.resolve(document, url) if url else ""

    def report(event: str, error: str = "") -> None:
        call.note(event, error)
        if address:
            params = {
                "AccountSid": call.network.account_sid,
                "CallSid": call.sid,
                "StreamSid": stream.sid,
                "StreamName": noun.get("name") or stream.sid,
                "StreamEvent": event,
                "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            call.call_back(address, {**params, "StreamError": error} if error else params, noun.get("statusCallbackMethod", "POST"))

    return report


async def gather(call: "Call", document: Document, verb: Verb) -> Fetch | None:
    digits = await gather_digits(call, document, verb)
    if not digits and not verb.truth("actionOnEmptyResult"):
        return None
    return call.fetch_for(document, verb, verb.get("action") or document.url, Digits=digits, FinishedOnKey="")


async def gather_digits(call: "Call", document: Document, verb: Verb) -> str:
    """What the caller presses; the first key cuts the prompt short."""
    while not call.digits.empty():
        call.digits.get_nowait()
    prompt = asyncio.create_task(_prompt(call, document, verb))
    try:
        await call.line.until(lambda: prompt.done() or not call.digits.empty())
    finally:
        prompt.cancel()
        await asyncio.wait({prompt})
    wanted = verb.number("numDigits", 100)
    finish = verb.get("finishOnKey", "#") if "finishOnKey" in verb.attributes or wanted == 100 else ""
    digits = ""
    while len(digits) < wanted and await call.line.until(lambda: not call.digits.empty(), verb.number("timeout", 5) * 1000):
        digit = call.digits.get_nowait()
        if digit == finish:
            break
        digits += digit
    return digits


async def _prompt(call: "Call", document: Document, verb: Verb) -> None:
    for noun in verb.nouns:
        await OBEY[noun.name](call, document, noun)


async def record(call: "Call", document: Document, verb: Verb) -> Fetch | None:
    # Without an action Twilio asks the same document again: the endless loop is the document's own.
    url = verb.get("action") or document.url
    if not url:
        raise CannotGoOn(11100, "<Record> needs an action in a document sent by REST")
    if verb.truth("playBeep", True):
        await call.line.play(Sound(BEEP, "beep"))
    trim = verb.get("trim", "trim-silence") == "trim-silence"
    recording = Recording(call.sid, call.now_ms, trim=trim, source="RecordVerb", track="inbound")
    call.record(recording, reports_to(call, document, verb))

    def finished(digits: str) -> Fetch:
        call.finish_recording(recording)
        return call.fetch_for(
            document,
            verb,
            url,
            RecordingUrl=call.network.recording_url(recording),
            RecordingSid=recording.sid,
            RecordingDuration=str(recording.duration_s),
            Digits=digits,
        )

    try:
        digit = await _until_recorded(call, verb)
    except asyncio.CancelledError:
        action = finished("hangup")
        if call.is_hanging_up and recording.state == "completed":
            call.call_back(action.url, call.params(**{**action.params, "CallStatus": "completed"}), action.method)
        raise
    action = finished(digit)
    return action if recording.state == "completed" else None


async def _until_recorded(call: "Call", verb: Verb) -> str:
    """Until a key, the longest length, or a silence. Returns the key."""
    quiet_since = call.now_ms
    while not call.digits.empty():
        call.digits.get_nowait()

    def listen(frame: bytes) -> None:
        nonlocal quiet_since
        if is_audible(frame):
            quiet_since = call.now_ms

    stop_listening = call.line.listen(listen)
    keys = verb.get("finishOnKey", "1234567890*#")
    pressed = ""

    def is_recorded() -> bool:
        nonlocal pressed
        if not call.digits.empty():
            digit = call.digits.get_nowait()
            pressed = digit if digit in keys else ""
        return bool(pressed) or call.now_ms - quiet_since >= verb.number("timeout", 5) * 1000

    try:
        await call.line.until(is_recorded, verb.number("maxLength", 3600) * 1000)
    finally:
        stop_listening()
    return pressed


async def redirect(call: "Call", document: Document, verb: Verb) -> Fetch:
    return call.fetch_for(document, verb, verb.text or document.url)


async def hang_up(call: "Call", document: Document, verb: Verb) -> End:
    return End.OF_CALL


async def reject(call: "Call", document: Document, verb: Verb) -> End:
    if call.answered_ms is not None:
        call.complain(12200, "<Reject> after the call was answered")
    else:
        call.status = "busy" if verb.get("reason") == "busy" else "no-answer"
    return End.OF_CALL


OBEY: dict[str, Callable[["Call", Document, Verb], Awaitable[Fetch | End | None]]] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Start": start,
    "Connect": connect,
    "Dial": dial.dial,
    "Gather": gather,
    "Record": record,
    "Redirect": redirect,
    "Hangup": hang_up,
    "Reject": reject,
}
