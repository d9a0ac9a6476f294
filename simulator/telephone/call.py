"""One call on the practice network, from the first ring to its last callback. What its TwiML says is done in `verbs`.

A call follows one document at a time. A redirect through the REST API, or the end of the call, cancels whatever verb is under
way; that verb tidies up after itself (a stream says `stop`, a phone stops ringing) before anything else happens.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

from . import verbs
from .ear import Ear
from .line import Line, Loop, Sound
from .recordings import Recording
from .sound import FRAME_MS, RINGBACK, silence
from .stream import MediaStream
from .twiml import CannotGoOn, Document, Fetch, NotTwiml, Verb, read

if TYPE_CHECKING:
    from .network import Telephone

APPLICATION_ERROR = "An application error has occurred. Goodbye."
# A voice says about fifteen characters a second.
MS_PER_CHARACTER = 65


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, milliseconds after the call was placed."""

    at_ms: float
    what: str
    detail: str = ""


class Call:
    """`twiml` are the documents followed, `events` the timeline, `ear` what the caller heard and said.

    `ended` is a future of the final status; `settled` comes when the last callback was delivered, too.
    """

    def __init__(self, network: "Telephone", from_: str, to: str) -> None:
        self.network = network
        self.sid = "CA" + secrets.token_hex(16)
        self.from_ = from_
        self.to = to
        self.status = "ringing"
        self.hung_up_by = ""
        self.ear = Ear(answered_ms=None)
        self.line = Line(network.clock, self.ear)
        self.twiml: list[Document] = []
        self.events: list[Event] = []
        self.streams: list[MediaStream] = []
        self.recordings: list[Recording] = []
        self.placed_at = datetime.now(UTC)
        self.answered_ms: float | None = None
        self.ended_ms: float | None = None
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[str] = loop.create_future()
        self.settled: asyncio.Future[None] = loop.create_future()
        self._status_sequence = 0
        self._callbacks: asyncio.Queue[Callable[[], Awaitable[object]] | None] = asyncio.Queue()
        self._recording_callbacks: dict[str, Callable[[Recording], None]] = {}
        self._following: asyncio.Task[None] | None = None
        self._instead: Fetch | Document | None = None
        self._fallback_used = False
        self.limit_s: int | None = None

    # What the caller can do

    async def speak(self, mulaw: bytes) -> None:
        """Say something; returns when it was said, or the line is dead."""
        await self.line.speak(mulaw)

    async def press(self, digits: str) -> None:
        """Press keys, 200 ms each."""
        for digit in digits:
            self.note("digit pressed")
            if self.stream:
                self.stream.press(digit)
            self.digits.put_nowait(digit)
            await self.line.wait(200)

    def surround(self, mulaw: bytes) -> None:
        """Let this be heard behind the caller, over and over, whether the caller speaks or not; b"": quiet again."""
        self.line.surroundings = Loop(mulaw, "caller") if mulaw else None

    async def hang_up(self) -> None:
        """Returns when the line is down; callbacks may follow (see `settled`)."""
        self.stop(by="caller")
        await self.ended

    async def until(self, condition: Callable[[], bool], within_s: float = 120) -> None:
        """Wait, in the network's time, until a condition holds. Raises `AssertionError` with the timeline when it does not."""
        if not await self.line.until(condition, within_s * 1000):
            timeline = "\n".join(f"{event.at_ms:9.0f} ms  {event.what} {event.detail}" for event in self.events)
            why = "the call is over" if self.line.is_dead else f"{within_s} s have passed"
            raise AssertionError(f"It did not happen, and {why}:\n{timeline}")

    # What can go wrong with its media stream

    def cut_stream(self) -> None:
        """The stream's connection breaks, without `stop` or a close. The call goes on as after any end of the stream."""
        self.note("stream cut")
        self._live_stream.lose()

    def go_silent(self) -> None:
        """The stream's connection stays open, and nothing comes of it any more, either way (half-open)."""
        self.note("stream silent")
        self._live_stream.go_silent()

    def send_raw(self, message: str | bytes) -> None:
        """Say on the stream what no carrier would; bytes make a binary frame."""
        self._live_stream.send_raw(message)

    @property
    def _live_stream(self) -> MediaStream:
        if self.stream is None:
            raise AssertionError("the call has no media stream now")
        return self.stream

    @property
    def stream(self) -> MediaStream | None:
        """The media stream that is open now."""
        return self.streams[-1] if self.streams and self.streams[-1].is_open else None

    @property
    def is_over(self) -> bool:
        return self.ended_ms is not None

    @property
    def is_hanging_up(self) -> bool:
        return bool(self.hung_up_by)

    @property
    def duration_s(self) -> int:
        return round(self.talked_ms / 1000)

    @property
    def talked_ms(self) -> float:
        if self.answered_ms is None:
            return 0
        return (self.now_ms if self.ended_ms is None else self.ended_ms) - self.answered_ms

    @property
    def now_ms(self) -> float:
        return self.line.now_ms

    @property
    def verbs(self) -> list[str]:
        """Names of the verbs obeyed so far, in order."""
        return [event.detail for event in self.events if event.what == "verb"]

    # What the network does with it

    def note(self, what: str, detail: str = "") -> None:
        self.events.append(Event(self.now_ms, what, detail))

    def complain(self, code: int, message: str) -> None:
        self.note("complaint", f"{code} {message}")
        self.network.complain(code, message, self.sid)

    def answer(self) -> None:
        if self.answered_ms is None:
            self.answered_ms = self.ear.answered_ms = self.now_ms
            self.line.source = None
            self.status = "in-progress"
            self.note("answered")
            self._report_status("answered")

    def redirect(self, source: Fetch | Document) -> None:
        """Drop the current TwiML at once and follow this."""
        self.note("redirected")
        self._instead = source
        if self._following:
            self._following.cancel()

    def stop(self, by: str) -> None:
        if not self.is_hanging_up and not self.is_over:
            self.hung_up_by = by
            self.note("hung up", by)
            self._instead = None
            if self._following:
                self._following.cancel()

    async def _keep_to_limit(self) -> None:
        """The limit may be set, and set anew, while the call goes on."""
        await self.line.until(lambda: self.limit_s is not None and self.talked_ms >= self.limit_s * 1000)
        self.stop(by="limit")

    async def run(self) -> None:
        """The whole call."""
        ticking = asyncio.create_task(self.line.run())
        limiting = asyncio.create_task(self._keep_to_limit())
        reporting = asyncio.create_task(self._send_callbacks())
        try:
            self.line.source = Loop(RINGBACK, "ring", counts_as_sound=True)
            self._report_status("initiated")
            self._report_status("ringing")
            await self._follow_documents(Fetch(self.network.webhook_url))
        finally:
            self._end()
            limiting.cancel()
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            self.ended.set_result(self.status)
            self._callbacks.put_nowait(None)
            await reporting
            self.settled.set_result(None)

    async def _follow_documents(self, source: Fetch | Document | None) -> None:
        while source is not None and not self.is_hanging_up:
            self._instead = None
            self._following = asyncio.create_task(self._follow(source))
            try:
                await asyncio.wait({self._following})
            finally:
                self._following.cancel()
            source = self._instead
            if not self._following.cancelled() and (problem := self._following.exception()):
                raise problem

    async def _follow(self, source: Fetch | Document | None) -> None:
        while source is not None:
            document = await self._fetch(source) if isinstance(source, Fetch) else source
            if document is None:
                await self._apologise()
                return
            self.twiml.append(document)
            for complaint in document.complaints:
                self.complain(complaint.code, complaint.message)
            try:
                source = await verbs.obey(self, document)
            except CannotGoOn as problem:
                self.complain(problem.code, str(problem))
                await self._apologise()
                return
        self.hung_up_by = self.hung_up_by or "twiml"

    async def _apologise(self) -> None:
        self.answer()
        await self.say(APPLICATION_ERROR)
        self.hung_up_by = "error"

    async def _fetch(self, request: Fetch) -> Document | None:
        document, code = await self._fetch_once(request)
        if document is not None or self._fallback_used:
            return document
        self._fallback_used = True
        if self.network.fallback_document:
            self.note("fallback")
            return self.network.fallback_document
        if self.network.fallback_url:
            self.note("fallback")
            params = {**request.params, "ErrorCode": str(code), "ErrorUrl": urldefrag(request.url)[0]}
            document, _ = await self._fetch_once(Fetch(self.network.fallback_url, "POST", params))
        return document

    async def _fetch_once(self, request: Fetch) -> tuple[Document | None, int]:
        answer = await self.network.sender.send(request.url, self.params(**request.params), request.method)
        self.note("fetched", f"{urlsplit(request.url).path} {answer.status or answer.problem}")
        code, message = answer.problem_as_twiml
        if not code:
            try:
                return read(answer.body, urldefrag(request.url)[0]), 0
            except NotTwiml as problem:
                code, message = 12100, str(problem)
        self.complain(code, message)
        return None, code

    def resolve(self, document: Document, url: str) -> str:
        """An address in a document, made absolute. One that came by REST has no base (11100)."""
        if not document.url and not urlsplit(url).scheme:
            raise CannotGoOn(11100, f"{url!r} is relative, and a document sent by REST has no address")
        return urljoin(document.url, url)

    def fetch_for(self, document: Document, verb: Verb, url: str, **params: str) -> Fetch:
        """The document that a verb's action or address names."""
        return Fetch(self.resolve(document, url), verb.get("method", "POST"), params)

    def params(self, **extra: str) -> dict[str, str]:
        """What every request about this call says."""
        params = {
            "AccountSid": self.network.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Direction": "inbound",
            "From": self.from_,
            "To": self.to,
            "Caller": self.from_,
            "Called": self.to,
        }
        places = {f"{who}{what}": "" for who in ("From", "To", "Caller", "Called") for what in ("City", "State", "Zip")}
        countries = {f"{who}Country": "US" for who in ("From", "To", "Caller", "Called")}
        return {**params, **places, **countries, "StirVerstat": "TN-Validation-Passed-A", **extra}

    async def say(self, text: str) -> None:
        """Speak to the caller with the network's voice; without one, in silence of about that length."""
        voiced = await self.network.voiced(text)
        await self.line.play(Sound(voiced or silence(self.unvoiced_ms(text)), "say", text, counts_as_sound=True))

    def unvoiced_ms(self, text: str) -> int:
        ms = 300 + len(text) * MS_PER_CHARACTER
        return ms - ms % FRAME_MS

    # Callbacks: one after the other, beside the call, so that a slow one never holds the line up.

    def call_back(self, url: str, params: dict[str, str], method: str = "POST") -> None:
        if urlsplit(url).path in self.network.loses:
            self.note("callback lost", urlsplit(url).path)
            return

        async def send() -> None:
            answer = await self.network.sender.send(url, params, method)
            if not answer.is_good:
                self.complain(11200, f"a callback to {urlsplit(url).path} was answered {answer.status or answer.problem}")

        self._callbacks.put_nowait(send)

    async def _send_callbacks(self) -> None:
        while (send := await self._callbacks.get()) is not None:
            await send()

    def _report_status(self, event: str) -> None:
        if self.network.status_callback and event in self.network.status_events:
            extra = {
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(self._status_sequence),
                "Timestamp": format_datetime(datetime.now(UTC)),
            }
            if event == "initiated":
                extra["CallStatus"] = "initiated"
            if event == "completed":
                seconds = self.duration_s
                extra |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60)), "SipResponseCode": "200"}
            self._status_sequence += 1
            if self.network.status_withheld:
                self.note("status withheld", event)
                self.network.withheld.append((self.network.status_callback, self.params(**extra)))
            else:
                self.call_back(self.network.status_callback, self.params(**extra))

    def record(self, recording: Recording, report: Callable[[Recording], None]) -> None:
        """Start a recording; `report` is called whenever its state changes."""
        self.recordings.append(recording)
        self.network.recordings[recording.sid] = recording
        self._recording_callbacks[recording.sid] = report
        report(recording)

    def finish_recording(self, recording: Recording) -> None:
        if recording.is_going_on:
            recording.finish(self.ear)
            self._recording_callbacks[recording.sid](recording)

    def _end(self) -> None:
        self.ended_ms = self.now_ms
        if self.status in ("ringing", "in-progress"):
            self.status = "completed" if self.answered_ms is not None else "canceled"
        self.note("ended", self.status)
        self._report_status("completed")
        for recording in self.recordings:
            self.finish_recording(recording)
