"""`<Dial>`: other people's telephones ring, one answers (perhaps after a whisper), and the two are connected.

The caller hears ringing until then, and afterwards the person; the person hears the caller.
"""

import asyncio
import secrets
from typing import TYPE_CHECKING

from .line import Loop, Sound
from .people import Dial, DialCallStatus, Person
from .sound import RINGBACK, silence
from .twiml import Document, Fetch, NotTwiml, Verb, read

if TYPE_CHECKING:
    from .call import Call

MOST_NUMBERS = 10
# How soon a busy or unknown number says so.
REFUSAL_MS = 500


async def dial(call: "Call", document: Document, verb: Verb) -> Fetch | None:
    nouns = [noun for noun in verb.nouns if noun.name == "Number"] or [Verb("Number", text=verb.text)]
    if len(nouns) > MOST_NUMBERS:
        call.complain(13210, f"<Dial> rings at most {MOST_NUMBERS} numbers")
    caller_id = verb.get("callerId") or call.from_
    legs = [Leg(call, document, noun, caller_id) for noun in nouns[:MOST_NUMBERS]]
    if caller_id in (call.from_, call.to) or caller_id in call.network.numbers:
        status, leg = await _ring_and_talk(call, legs, verb)
    else:
        call.complain(21210, "callerId is neither of this call's numbers nor one of the account's")
        status, leg = "failed", legs[0]
        leg.finish("failed")
    call.note("dialled", status)
    if not verb.get("action"):
        return None
    return call.fetch_for(document, verb, verb.get("action"), **_outcome(status, leg))


def _outcome(status: DialCallStatus, leg: "Leg") -> dict[str, str]:
    params = {"DialCallStatus": status, "DialCallSid": leg.dial.sid, "DialBridged": "true" if status == "completed" else "false"}
    if status == "completed":
        params["DialCallDuration"] = str(leg.dial.duration_s)
    return params


async def _ring_and_talk(call: "Call", legs: "list[Leg]", verb: Verb) -> "tuple[DialCallStatus, Leg]":
    ringing = Loop(RINGBACK, "ring", counts_as_sound=True)
    call.line.source = ringing
    try:
        leg = await _first_to_answer(call, legs, verb.number("timeout", 30) * 1000)
        if leg is None:
            statuses = {one.dial.status for one in legs}
            status: DialCallStatus = next(s for s in ("no-answer", "busy", "failed") if s in statuses)
            return status, legs[-1]
        call.answer()
        await leg.talk(verb.number("timeLimit", 14400) * 1000, hangs_up_on_star=verb.truth("hangupOnStar"))
    except asyncio.CancelledError:
        talked_to = next((one for one in legs if one.dial.connected_ms is not None), None)
        for one in legs:
            one.finish("completed" if one is talked_to else "canceled")
        if call.is_hanging_up and verb.get("action"):
            outcome = _outcome("completed", talked_to) if talked_to else _outcome("canceled", legs[0])
            action = call.fetch_for(legs[0].document, verb, verb.get("action"), **outcome)
            call.call_back(action.url, call.params(**{**action.params, "CallStatus": "completed"}), action.method)
        raise
    else:
        return "completed", leg
    finally:
        call.line.source = None


async def _first_to_answer(call: "Call", legs: "list[Leg]", timeout_ms: int) -> "Leg | None":
    started = call.now_ms
    for leg in legs:
        leg.report("initiated")
        leg.report("ringing")
    for leg in sorted(legs, key=lambda one: one.decides_after_ms):
        if leg.decides_after_ms > timeout_ms:
            break
        await call.line.wait(leg.decides_after_ms - (call.now_ms - started))
        if await leg.answers():
            for other in legs:
                if other is not leg:
                    other.finish("canceled")
            return leg
    if any(leg.dial.status is None for leg in legs):
        await call.line.wait(timeout_ms - (call.now_ms - started))
    for leg in legs:
        leg.finish("no-answer")
    return None


class Leg:
    """The network's side of one number that is rung."""

    def __init__(self, call: "Call", document: Document, noun: Verb, caller_id: str) -> None:
        self.call = call
        self.document = document
        self.noun = noun
        number = noun.text
        person = call.network.person_at(number)
        self.dial = Dial(number, "CA" + secrets.token_hex(16), call.sid, caller_id, call.now_ms, person)
        self._sequence = 0
        call.network.dials.append(self.dial)

    @property
    def person(self) -> Person:
        return self.dial.person

    @property
    def decides_after_ms(self) -> float:
        match self.person.outcome:
            case "answers":
                return self.person.after_ms
            case "no-answer":
                return float("inf")
            case _:
                return REFUSAL_MS

    async def answers(self) -> bool:
        """Whether the person is on the line now: picked up, and content with the whisper."""
        if self.person.outcome in ("busy", "failed"):
            self.finish("busy" if self.person.outcome == "busy" else "failed")
            return False
        self.report("answered")
        if self.noun.get("url") and not await self._whisper():
            self.finish("no-answer")
            return False
        self.dial.connected_ms = self.call.now_ms
        self.call.note("connected", "to a person")
        return True

    async def talk(self, limit_ms: int, *, hangs_up_on_star: bool) -> None:
        """Both hear each other until one of them goes."""
        line = self.call.line
        words = self.person.sound or await self.call.network.voiced(self.person.says)
        words = words or silence(self.call.unvoiced_ms(self.person.says) if self.person.says else 0)
        line.source = Sound(words, "dial", self.person.says, counts_as_sound=bool(self.person.says))
        stop_listening = line.listen(self.dial.heard.extend)
        until = self.call.now_ms + min(limit_ms, float("inf") if self.person.stays_ms is None else self.person.stays_ms)
        try:
            await line.until(lambda: self.call.now_ms >= until or (hangs_up_on_star and self._star_pressed()))
        finally:
            stop_listening()
        self.finish("completed")

    def _star_pressed(self) -> bool:
        return not self.call.digits.empty() and self.call.digits.get_nowait() == "*"

    async def _whisper(self) -> bool:
        """What the person hears before being connected; the caller still hears ringing. False: hung up instead."""
        params = {**self._about(), "CallStatus": "in-progress"}
        url, method = self.call.resolve(self.document, self.noun.get("url")), self.noun.get("method", "POST")
        while True:
            document = await self._fetch_whisper(url, method, params)
            if document is None:
                return True
            verdict = await self._obey_whisper(document)
            if isinstance(verdict, bool):
                return verdict
            url, method, digits = verdict
            params = {**params, "Digits": digits}

    async def _fetch_whisper(self, url: str, method: str, params: dict[str, str]) -> Document | None:
        answer = await self.call.network.sender.send(url, self.call.params(**params), method)
        if not answer.is_good:
            self.call.complain(11217, f"the whisper was answered {answer.status or answer.problem}")
            return None
        try:
            document = read(answer.body, url)
        except NotTwiml as problem:
            self.call.complain(12100, str(problem))
            return None
        for complaint in document.complaints:
            self.call.complain(complaint.code, complaint.message)
        return document

    async def _obey_whisper(self, document: Document) -> bool | tuple[str, str, str]:
        """True: connect; False: hang up; else the address, method and digits to go on with."""
        for verb in document.verbs:
            match verb.name:
                case "Say":
                    await self._hear(verb.text)
                case "Pause":
                    await self.call.line.wait(verb.number("length", 1) * 1000)
                case "Hangup":
                    return False
                case "Gather":
                    for noun in verb.nouns:
                        await self._hear(noun.text)
                    if self.person.presses:
                        digits = self.person.presses[: verb.number("numDigits", 100)]
                        return self.call.resolve(document, verb.get("action") or document.url), verb.get("method", "POST"), digits
                    await self.call.line.wait(verb.number("timeout", 5) * 1000)
                case _:
                    self.call.complain(12200, f"<{verb.name}> is not allowed in a whisper")
        return True

    async def _hear(self, text: str) -> None:
        if text:
            self.dial.whisper.append(text)
            await self.call.line.wait(self.call.unvoiced_ms(text))

    def _about(self) -> dict[str, str]:
        return {
            "CallSid": self.dial.sid,
            "ParentCallSid": self.call.sid,
            "From": self.dial.caller_id,
            "To": self.dial.number,
            "Direction": "outbound-dial",
        }

    def finish(self, status: DialCallStatus) -> None:
        if self.dial.status is None:
            self.dial.status = status
            self.dial.ended_ms = self.call.now_ms
            self.report("completed", status)

    def report(self, event: str, status: str = "") -> None:
        """A callback about this leg, where the document asked for one."""
        url = self.noun.get("statusCallback")
        if url and event in self.noun.get("statusCallbackEvent", "completed").split():
            params = {
                **self._about(),
                "CallStatus": status or {"answered": "in-progress"}.get(event, event),
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(self._sequence),
            }
            if event == "completed":
                params["CallDuration"] = str(self.dial.duration_s)
            self._sequence += 1
            address = self.call.resolve(self.document, url)
            self.call.call_back(address, self.call.params(**params), self.noun.get("statusCallbackMethod", "POST"))
