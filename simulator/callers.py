"""People who telephone the shop for practice: they wait for their turn, understand what they hear, and say their next line aloud.

`Ada` decides from words alone what to say; `Conversation` is her ears and her mouth. A caller knows nothing but what came
down the line.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .telephone import Call

# So long after the last sound a caller takes it that it is her turn.
PAUSE_MS = 900
# So long she waits for an answer before she asks whether anybody is there.
PATIENCE_MS = 10_000
LONGEST_CALL_MS = 120_000


class Speaker(Protocol):
    def say(self, text: str) -> bytes: ...


class Hearer(Protocol):
    def hear(self, mulaw: bytes) -> str: ...


class Move(Enum):
    LISTEN = "go on listening"
    HANG_UP = "hang up"


@dataclass(frozen=True, slots=True)
class Line:
    """Something to say; `last`: then hang up."""

    text: str
    last: bool = False


# Said in one breath each: a pause after "Hello" would be taken for the end of a turn.
NUMBER = "It is four, seven, one, nine, two."
POSTCODE = "My postcode is nine, four, one, one, zero."
BOTH = "The order number is four, seven, one, nine, two, and my postcode is nine, four, one, one, zero."
OPENING = "Hello, can you tell me where my order is?"
CALL_BACK = "Thank you, could somebody call me back tomorrow at two in the afternoon?"
WHEN = "Tomorrow at two in the afternoon."
THIS_NUMBER = "On this number, please."
PERSON = "Thank you, now I would like to speak to a person, please."
THANKS = "Thank you very much, that is all I wanted. Goodbye."
AGAIN = "Sorry, could you say that again?"
IS_ANYBODY_THERE = "Hello? Are you still there?"

DAYS = r"today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
CLOCK = r"(\d{1,2})(?:[:.](\d\d))?\s*([ap])\.?\s?m"


def says(pattern: str) -> Callable[[str], bool]:
    return lambda heard: re.search(pattern, heard) is not None


asks_for_number = says(r"order number|number of (your|the) order|which order|order's number")
asks_for_detail = says(r"e-?mail|post ?code|zip|postal|one more detail|second detail")
asks_for_phone = says(
    r"(which|what) number should|(tele)?phone number|number (can|should|shall|may) we|on this number|number you are calling"
)
asks_when = says(r"when (would|should|shall|can|do|may)|what time|which day|what day|time (would|suits)")
offers_times = says(r"\bfree\b|already taken|closed|which (one|of these|time) suits")
wants_a_yes = says(
    r"shall i|should i|is that (right|correct|ok)|does that (suit|work)|do you mean|would you like me|correct\?|right\?"
)
tells_of_order = says(r"shipped|should arrive|on its way|will arrive|delivered|being prepared|is packed|was placed")
tells_booking = says(r"booked|we will call you|we'll call you|your reference|call.?back is set|confirmed")
puts_through = says(r"put(ting)? you through|connect(ing)? you|transfer(ring)? you|please hold")
did_not_understand = says(
    r"did not catch|didn't catch|didn't (get|understand)|say (it|that|the number) again|repeat|could not find|couldn't find"
)
offers_help = says(r"help you|anything else|can i do|what else|how can i|how may i")
is_busy = says(r"let me (check|look|see)|one moment|just a moment|moment please|hold on|i'll check")


@dataclass
class Ada:
    """A customer with three wishes, in this order: where her order is, a call-back, a person."""

    name: str = "Ada"
    wish: str = "order"
    has_begun: bool = False
    asked_again: int = 0
    wondered: int = 0
    said: dict[str, int] = field(default_factory=dict)
    _last: str = ""

    def answer(self, heard: str) -> Line | Move:
        """What she does after hearing this."""
        words = " ".join(heard.lower().replace("’", "'").split())
        if not words:
            return Move.LISTEN
        if not self.has_begun:
            return self._begin() if offers_help(words) or "?" in words else Move.LISTEN
        match self.wish:
            case "order":
                return self._about_the_order(words)
            case "call-back":
                return self._about_the_call_back(words)
            case _:
                return self._about_the_person(words)

    def wonders(self) -> Line | Move:
        """Nothing was to be heard for a long while."""
        if not self.has_begun:
            return self._begin()
        self.wondered += 1
        if self.wondered > 2:
            return Move.HANG_UP
        return Move.LISTEN if self.wish == "through" else Line(IS_ANYBODY_THERE)

    def _begin(self) -> Line | Move:
        self.has_begun = True
        return self._say(OPENING)

    def _about_the_order(self, words: str) -> Line | Move:
        if tells_of_order(words) and not asks_for_detail(words):
            return self._wish_for_call_back()
        if asks_for_number(words) and asks_for_detail(words):
            return self._say(BOTH)
        if asks_for_detail(words):
            return self._say(POSTCODE)
        if asks_for_number(words):
            return self._say(NUMBER)
        return self._otherwise(words)

    def _wish_for_call_back(self) -> Line | Move:
        self.wish = "call-back"
        return self._say(CALL_BACK)

    def _about_the_call_back(self, words: str) -> Line | Move:
        if tells_booking(words) and not offers_times(words):
            self.wish = "person"
            return self._say(PERSON)
        if offers_times(words) and (offered := _first_time_in(words)):
            return self._say(f"{offered}, please.")
        if wants_a_yes(words):
            return self._say("Yes, please.")
        if asks_for_phone(words):
            return self._say(THIS_NUMBER)
        if asks_when(words):
            return self._say(WHEN)
        return self._otherwise(words)

    def _about_the_person(self, words: str) -> Line | Move:
        if self.wish == "through":
            # Whoever speaks now, after being put through, is the person.
            return Move.LISTEN if puts_through(words) or is_busy(words) else Line(THANKS, last=True)
        if puts_through(words):
            self.wish = "through"
            return Move.LISTEN
        if wants_a_yes(words):
            return self._say("Yes, please.")
        return self._otherwise(words)

    def _otherwise(self, words: str) -> Line | Move:
        if did_not_understand(words):
            return self._say(self._last)
        if offers_help(words):
            return self._say({"order": OPENING, "call-back": CALL_BACK, "person": PERSON}[self.wish])
        if wants_a_yes(words):
            return self._say("Yes, please.")
        if is_busy(words):
            return Move.LISTEN
        self.asked_again += 1
        if self.asked_again <= 2:
            return Line(AGAIN)
        return self._next_wish()

    def _next_wish(self) -> Line | Move:
        """What cannot be understood is given up for the next wish, and in the end the call is."""
        if self.wish == "order":
            return self._wish_for_call_back()
        if self.wish == "call-back":
            self.wish = "person"
            return self._say(PERSON)
        return Move.HANG_UP

    def _say(self, text: str) -> Line | Move:
        """The same line is said three times at most: whoever still asks will not understand it."""
        self.said[text] = self.said.get(text, 0) + 1
        self._last = text
        return Line(text) if self.said[text] <= 3 else Move.HANG_UP


def _first_time_in(words: str) -> str:
    """The first of the times offered, as one would say it back: 'monday at 9:30 AM'."""
    offer = words.split("free", 1)[-1]
    clock = re.search(CLOCK, offer)
    if clock is None:
        return ""
    day = re.findall(rf"\b({DAYS})\b", offer[: clock.start()]) or re.findall(rf"\b({DAYS})\b", words)
    hour, minute, half = clock.groups()
    time = f"{hour}{':' + minute if minute and minute != '00' else ''} {half.upper()}M"
    return f"{day[-1].capitalize()} at {time}" if day else time


OnLine = Callable[[str, str, float], None]


class Conversation:
    """A caller on a call. `on_line` is told who spoke, the words, and when they began (ms since the call was placed).

    Who spoke is the caller, the agent (or the network for it) or, after a transfer, a person.
    """

    def __init__(self, call: Call, caller: Ada, voice: Speaker, listener: Hearer, on_line: OnLine = lambda *_: None) -> None:
        self._call = call
        self._caller = caller
        self._voice = voice
        self._listener = listener
        self._on_line = on_line
        self._heard_up_to = 0.0
        self._last_move_ms = 0.0

    async def hold(self) -> None:
        """Until one side has hung up."""
        while not self._call.line.is_dead:
            await self._call.line.until(self._is_my_turn)
            if self._call.line.is_dead:
                return
            if self._call.now_ms > LONGEST_CALL_MS:
                await self._call.hang_up()
            elif self._somebody_spoke:
                await self._reply()
            else:
                self._last_move_ms = self._call.now_ms
                await self._make(self._caller.wonders())

    @property
    def _somebody_spoke(self) -> bool:
        return self._call.ear.last_voice_ms > self._heard_up_to

    def _is_my_turn(self) -> bool:
        last_voice_ms, now_ms = self._call.ear.last_voice_ms, self._call.now_ms
        if now_ms > LONGEST_CALL_MS:
            return True
        if self._somebody_spoke:
            return now_ms - last_voice_ms >= PAUSE_MS
        return now_ms - max(self._last_move_ms, last_voice_ms) >= PATIENCE_MS

    async def _reply(self) -> None:
        ear = self._call.ear
        begin = next(span.start_ms for span in ear.agent_spans() if span.end_ms > self._heard_up_to)
        end = ear.last_voice_ms
        text = await asyncio.to_thread(self._listener.hear, ear.heard_between(begin, end))
        if ear.last_voice_ms > end:
            return  # they went on speaking while she was thinking: she lets them finish
        self._heard_up_to = end
        if text:
            self._on_line("person" if ear.source_at(begin) == "dial" else "agent", text, begin)
        await self._make(self._caller.answer(text))

    async def _make(self, move: Line | Move) -> None:
        if move is Move.HANG_UP:
            await self._call.hang_up()
        if isinstance(move, Line):
            sound = await asyncio.to_thread(self._voice.say, move.text)
            if self._call.line.is_dead:
                return
            self._on_line("caller", move.text, self._call.now_ms)
            await self._call.speak(sound)
            self._last_move_ms = self._call.now_ms
            if move.last:
                await self._call.hang_up()
