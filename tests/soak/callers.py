"""What callers do, and an engine that understands them: each wish is a voice of one byte, repeated.

So a session with the engine needs to know nothing of whose call it is: one that comes after another broke hears the wish as well.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from orders.models.opening_hours import shop_zone
from simulator.speech import BYTES_PER_MS, SpeechStarted, SpeechStopped
from simulator.telephone import Call, silence
from simulator.voice_model.brains import NoiseDetector, Say, Speech, Step, UseTool, exact_line, silence_ms
from simulator.voice_model.replies import Request

from .plan import Caller, Wish

# A day and a time of day are said in bytes as well, counted from these.
DAY, SLOT = 0x20, 0x30
DAYS, SLOTS, LANES, OPENS_AT = 7, 18, 4, 9
DEPARTMENT = "returns"

GREETED_WITHIN_MS = 20_000
ANSWERED_WITHIN_MS = 12_000
OVER_WITHIN_MS = 30_000
PAUSE_MS = 500
MS_PER_CHARACTER = 30

# How a call ends that nothing went wrong with.
ENDS_AS = {
    Wish.GOODBYE: {"completed"},
    Wish.PERSON: {"transferred"},
    Wish.MESSAGE: {"message_taken"},
    Wish.DROP: {"caller_hung_up", "abandoned_early"},
}
OTHERS_END_AS = {"caller_hung_up"}


def ends_as(wish: Wish) -> set[str]:
    return ENDS_AS.get(wish, OTHERS_END_AS)


# The engine


class Listening:
    """A detector that remembers what the caller's voice was made of, since they last began to speak."""

    def __init__(self, detector: NoiseDetector, said: list[int]) -> None:
        self._detector = detector
        self._said = said

    def feed(self, mulaw: bytes) -> list[SpeechStarted | SpeechStopped]:
        events = self._detector.feed(mulaw)
        if any(isinstance(event, SpeechStarted) for event in events):
            self._said.clear()
        for run in re.finditer(rb"[^\xff\x7f]+", mulaw):
            self._said += [byte for byte in dict.fromkeys(run[0]) if byte not in self._said]
        return events


class UnderstandsWishes:
    """A brain. What it says takes a while, and is a sound; the words are only in its transcript."""

    def __init__(self) -> None:
        self._said: list[int] = []

    def detector(self, turn_detection: dict[str, Any]) -> Listening:
        quiet = NoiseDetector(turn_detection.get("prefix_padding_ms", 0), silence_ms(turn_detection))
        return Listening(quiet, self._said)

    async def hear(self, item_id: str, mulaw: bytes) -> str | None:
        return f"These are the words of a caller who said {' '.join(map(str, self._said))}."

    async def answer(self, request: Request) -> AsyncGenerator[Step, None]:
        line = exact_line(request)
        for step in [Say(line)] if line is not None else self._steps(request):
            if isinstance(step, Say):
                ms = step.ms if step.ms is not None else MS_PER_CHARACTER * len(step.words)
                yield Speech(step.words, b"\x40" * (ms * BYTES_PER_MS))
            else:
                yield step

    def _steps(self, request: Request) -> Sequence[Step]:
        if request.items and request.items[-1]["type"] == "function_call_output":
            return [Say("That is what I have found out for you.", 900)]
        return self._wanted() or [Say("What else can I do for you today?", 900)]

    def _wanted(self) -> Sequence[Step]:
        match self._said:
            case [Wish.ANSWER.value, *_]:
                return [Say("We are open until six in the evening.", 1000)]
            case [Wish.BARGE_IN.value, *_]:
                return [Say("This is a very long answer which nobody has ever heard to its end.", 6000)]
            case [Wish.GOODBYE.value, *_]:
                return [Say("Goodbye, and thank you for calling us.", 900), UseTool("end_call")]
            case [Wish.TOOL.value, *_]:
                return [UseTool("opening_hours")]
            case [Wish.BOOKING.value, day, slot, *_]:
                return [UseTool("book_appointment", {"phone": "this number", "preferred_time": in_words(day, slot)})]
            case [Wish.TOOL_ERROR.value, which, *_]:
                return [MISTAKES[(which - DAY) % len(MISTAKES)]]
            case [Wish.PERSON.value, *_]:
                return [UseTool("transfer_to_human", {"reason": "A question about an invoice."})]
            case [Wish.MESSAGE.value, *_]:
                return [UseTool("transfer_to_human", {"reason": "A parcel went back.", "department": DEPARTMENT})]
        return []


# A tool that says no, one that is asked for in half a sentence, and one that does not exist.
MISTAKES = (
    UseTool("switch_language", {"language": "Klingon"}),
    UseTool("book_appointment", '{"phone": "this num'),
    UseTool("read_minds"),
)


def in_words(day: int, slot: int) -> str:
    date = (timezone.now().astimezone(shop_zone()) + timedelta(days=1 + day - DAY)).date()
    hour, half = divmod(slot - SLOT, 2)
    return f"{date:%B} {date.day} at {(OPENS_AT + hour - 1) % 12 + 1}:{30 * half:02d} {'AM' if OPENS_AT + hour < 12 else 'PM'}"


# The callers


def voice(caller: Caller, ms: int = 600) -> bytes:
    """What this caller wants, as a sound."""
    chance = Random(caller.luck)
    details = {
        Wish.BOOKING: [DAY + chance.randrange(DAYS), SLOT + chance.randrange(SLOTS)],
        Wish.TOOL_ERROR: [DAY + chance.randrange(len(MISTAKES))],
    }
    said = [caller.wish.value, *details.get(caller.wish, [])]
    return b"".join(bytes([byte]) * (ms * BYTES_PER_MS // len(said)) for byte in said)


async def converse(call: Call, caller: Caller) -> None:
    """From the first ring until the caller has what they want or gives up. The call may not be over then."""
    if caller.wish is Wish.DROP:
        return await is_dropped(call, Random(caller.luck))
    if not await is_greeted(call):
        return
    match caller.wish:
        case Wish.GOODBYE | Wish.PERSON:
            await asks(call, voice(caller))
            await is_over(call)
        case Wish.MESSAGE:
            await asks(call, voice(caller))
            await leaves_message(call)
        case Wish.BARGE_IN:
            await interrupts(call, voice(caller))
        case _:
            await asks(call, voice(caller))


async def is_greeted(call: Call) -> bool:
    def heard_on_the_stream() -> bool:
        return call.stream is not None and call.ear.last_voice_ms > call.stream.started_ms and call.ear.silence_owed > PAUSE_MS

    return await call.line.until(heard_on_the_stream, GREETED_WITHIN_MS)


async def asks(call: Call, said: bytes) -> None:
    """Until it is answered; who hears nothing says it again."""
    for _ in range(2):
        since = call.now_ms
        await call.speak(said)
        if await call.line.until(
            lambda since=since: call.ear.last_voice_ms > since and call.ear.silence_owed > PAUSE_MS, ANSWERED_WITHIN_MS
        ):
            return


async def interrupts(call: Call, said: bytes) -> None:
    since = call.now_ms
    await call.speak(said)
    await call.line.until(lambda: call.ear.last_voice_ms > since + 1500, ANSWERED_WITHIN_MS)
    await asks(call, bytes([Wish.ANSWER.value]) * len(said))


async def leaves_message(call: Call) -> None:
    await call.line.until(lambda: "Record" in call.verbs, OVER_WITHIN_MS)
    if "Record" in call.verbs:
        await call.line.wait(500)
        await call.speak(b"\x19" * (1500 * BYTES_PER_MS) + silence(200))
        await call.press("#")
        await is_over(call)


async def is_over(call: Call) -> None:
    await call.line.until(lambda: call.is_over, OVER_WITHIN_MS)


async def is_dropped(call: Call, chance: Random) -> None:
    """The network loses the call: nobody says `stop`, and the stream's connection breaks, or stays open and says nothing more."""
    await call.line.wait(chance.uniform(500, 9000))
    if call.stream:
        chance.choice([call.cut_stream, call.go_silent])()
    call.stop(by="network")
