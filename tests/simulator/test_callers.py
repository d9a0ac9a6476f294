"""Ada's practice call: what she answers to what she hears, and that she waits for her turn."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from simulator.callers import (
    AGAIN,
    BOTH,
    CALL_BACK,
    IS_ANYBODY_THERE,
    NUMBER,
    OPENING,
    PERSON,
    POSTCODE,
    THANKS,
    THIS_NUMBER,
    WHEN,
    Ada,
    Conversation,
    Line,
    Move,
)
from simulator.telephone import Person, Telephone

from .telephone.conftest import ACCOUNT, ADA, SHOP, TOKEN, MediaSocket, Product
from .telephone.conftest import product as product

NOTICE = (
    "You are speaking with the AI assistant of Northwind Outfitters. This call is recorded. "
    "If you do not want that, say so or press 9 at any time."
)
GREETING = "Hello, this is Northwind Outfitters. How can I help you?"
ORDER = "Order 4 7 1 9 2 was shipped Friday and should arrive Tuesday, November 24th."
BOOKED = "Booked. We will call you back tomorrow, Monday, November 23rd at 2 PM, on the number you are calling from."
PUT_THROUGH = "Of course. I will put you through to a person now."


def ada(wish: str) -> Ada:
    return Ada(wish=wish, has_begun=True)


@pytest.mark.parametrize("greeting", [GREETING, "Northwind Outfitters, what can I do for you?", "Hi there! How may I help?"])
def test_she_begins_when_she_is_greeted(greeting: str) -> None:
    assert Ada().answer(greeting) == Line(OPENING)


def test_she_lets_the_recording_notice_pass() -> None:
    caller = Ada()
    assert caller.answer(NOTICE) is Move.LISTEN
    assert caller.answer(GREETING) == Line(OPENING)


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        ("Sure. What is your order number?", NUMBER),
        ("Could you tell me the number of your order?", NUMBER),
        ("Which order is it about?", NUMBER),
        ("Thank you. I need one more detail, the e-mail address or the postcode it was placed with.", POSTCODE),
        ("And the email address, please?", POSTCODE),
        ("What zip code was it placed with?", POSTCODE),
        ("Could you tell me the order number, digit by digit, and the e-mail address or postcode it was placed with?", BOTH),
        ("I could not find an order with these details. Please say the order number again and the post code.", BOTH),
        ("Let me check that for you.", None),
        ("One moment, please.", None),
        (ORDER, CALL_BACK),
        ("Good news: it is on its way and will arrive on Tuesday.", CALL_BACK),
        ("Hmm, banana.", AGAIN),
        ("How can I help you?", OPENING),
    ],
)
def test_what_she_answers_about_her_order(heard: str, answer: str | None) -> None:
    assert ada("order").answer(heard) == (Line(answer) if answer else Move.LISTEN)


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        ("When would suit you?", WHEN),
        ("Which day and what time would suit you? For example: tomorrow at two in the afternoon.", WHEN),
        ("Which number should we call you back on? Please say it digit by digit.", THIS_NUMBER),
        ("Shall we call you on this number?", THIS_NUMBER),
        ("Tomorrow, Monday, at 2 PM. Is that right?", "Yes, please."),
        ("Just to be sure: do you mean tomorrow at 2 PM?", "Yes, please."),
        ("That is already taken. These times are free: Monday at 2:30 PM, 3 PM or 3:30 PM.", "Monday at 2:30 PM, please."),
        ("We are closed Sunday. One time is free: Monday at 9 a.m. Does that suit you?", "Monday at 9 AM, please."),
        ("Which one suits you? I have tomorrow at 10 am free or 11 am.", "Tomorrow at 11 AM, please."),
        (BOOKED, PERSON),
        ("Your call-back is confirmed for tomorrow at two.", PERSON),
        ("Is there anything else?", CALL_BACK),
    ],
)  # fmt: skip
def test_what_she_answers_about_her_call_back(heard: str, answer: str) -> None:
    assert ada("call-back").answer(heard) == Line(answer)


def test_she_waits_while_she_is_put_through_and_thanks_whoever_answers() -> None:
    caller = ada("person")
    assert caller.answer(PUT_THROUGH) is Move.LISTEN
    assert caller.answer("Please hold while I connect you.") is Move.LISTEN
    assert caller.answer("Hello, this is Sam. How can I help?") == Line(THANKS, last=True)


def test_she_confirms_that_she_wants_a_person() -> None:
    assert ada("person").answer("Would you like me to get a colleague?") == Line("Yes, please.")


def test_she_repeats_what_was_not_understood_and_gives_up_in_the_end() -> None:
    caller = ada("order")
    caller.answer("What is your order number?")
    sorry = "Sorry, I did not catch that. Could you say it again?"
    assert [caller.answer(sorry) for _ in range(3)] == [Line(NUMBER), Line(NUMBER), Move.HANG_UP]


def test_she_asks_to_repeat_at_most_twice_and_then_goes_on_to_her_next_wish() -> None:
    caller = ada("order")
    heard = "Mumble mumble."
    assert [caller.answer(heard) for _ in range(5)] == [Line(AGAIN), Line(AGAIN), Line(CALL_BACK), Line(PERSON), Move.HANG_UP]


def test_she_wonders_about_silence_twice_and_hangs_up() -> None:
    caller = ada("order")
    assert [caller.wonders() for _ in range(3)] == [Line(IS_ANYBODY_THERE), Line(IS_ANYBODY_THERE), Move.HANG_UP]


def test_she_speaks_first_when_nobody_greets_her() -> None:
    assert Ada().wonders() == Line(OPENING)


class Codebook:
    """Speech without a voice: each text is one byte, half a second long."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def say(self, text: str) -> bytes:
        if text not in self.texts:
            self.texts.append(text)
        return bytes([1 + self.texts.index(text)]) * 4000

    def hear(self, mulaw: bytes) -> str:
        return " ".join(self.texts[byte - 1] for byte in dict.fromkeys(mulaw) if byte != 0xFF)


@pytest.fixture
def language() -> Codebook:
    return Codebook()


@pytest.fixture
async def telephone(product: Product, language: Codebook) -> AsyncIterator[Telephone]:
    person = Person(says="Hello, this is Sam.", stays_ms=None)
    product.documents["/voice"] = f'<Response><Say>{NOTICE}</Say><Connect action="/after">{product.stream}</Connect></Response>'
    product.documents["/after"] = "<Response><Dial>+14155550199</Dial></Response>"
    async with Telephone(ACCOUNT, TOKEN, f"{product.url}/voice", speed=10, voice=language, anybody=person) as telephone:
        yield telephone


async def test_a_whole_conversation_takes_turns(product: Product, telephone: Telephone, language: Codebook) -> None:
    lines = [GREETING, "What is your order number?", "And your postcode?", ORDER, BOOKED, PUT_THROUGH]

    async def agent(media: MediaSocket) -> None:
        for line in lines:
            await media.play(language.say(line))
            await media.mark(line)
            await media.echo_of(line)
            if line != PUT_THROUGH:
                heard = len(media.frames)
                await media.until(lambda heard=heard: has_finished(media, heard))

    product.behaviour = agent
    spoken: list[tuple[str, str]] = []
    call = await telephone.place_call(ADA, SHOP)
    await Conversation(call, Ada(), language, language, on_line=lambda who, text, _: spoken.append((who, text))).hold()
    await call.ended
    assert spoken == [
        ("agent", f"{NOTICE} {GREETING}"),
        ("caller", OPENING),
        ("agent", "What is your order number?"),
        ("caller", NUMBER),
        ("agent", "And your postcode?"),
        ("caller", POSTCODE),
        ("agent", ORDER),
        ("caller", CALL_BACK),
        ("agent", BOOKED),
        ("caller", PERSON),
        ("agent", PUT_THROUGH),
        ("person", "Hello, this is Sam."),
        ("caller", THANKS),
    ]
    assert call.hung_up_by == "caller"
    assert all(gap.start_ms < gap.end_ms for gap in call.ear.answer_gaps())


def has_finished(media: MediaSocket, since: int) -> bool:
    """The caller has said something since that frame, and half a second has passed."""
    audio = media.caller_audio[since * 160 :]
    return bool(audio.strip(b"\xff")) and audio.endswith(b"\xff" * 4000)


async def test_she_never_speaks_while_she_is_spoken_to(product: Product, telephone: Telephone, language: Codebook) -> None:
    async def agent(media: MediaSocket) -> None:
        for _ in range(3):  # pauses for breath, shorter than the end of a turn
            await media.play(language.say(GREETING) + b"\xff" * 5600)
        await media.closed.wait()

    product.behaviour = agent
    call = await telephone.place_call(ADA, SHOP)
    talking = asyncio.create_task(Conversation(call, Ada(), language, language).hold())
    await call.until(lambda: bool(call.ear.caller_spans()))
    await call.hang_up()
    await talking
    assert call.ear.caller_spans()[0].start_ms > call.ear.last_voice_ms


async def test_she_hangs_up_on_a_line_that_stays_silent(product: Product, telephone: Telephone, language: Codebook) -> None:
    call = await telephone.place_call(ADA, SHOP)
    await Conversation(call, Ada(), language, language).hold()
    assert call.hung_up_by == "caller"
    assert call.now_ms < 60_000
