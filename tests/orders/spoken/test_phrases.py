"""The facts of a sentence, and the words that make it none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.spoken.facts import Anytime, Between, Clock, Days, Part
from orders.spoken.phrases import LONGEST, Heard, hear, in_plain_words

from .shop import NOW, on

TOMORROW = on(11, 19).date()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Half past three, on the 3rd!", "half past 3 on the 3th"),
        ("2pm", "2 pm"),
        ("2 P.M.", "2 pm"),
        ("at 2 p m please", "at 2 pm please"),
        ("two o'clock", "2 oclock"),
        ("two o clock", "2 oclock"),
        ("twenty-third", "23th"),
        ("two-ish", "2 ish"),
        ("2-4pm", "2 - 4 pm"),
        ("in a week's time", "in a weeks time"),
        ("No, no, tomorrow", "tomorrow"),
        ("mid-day", "midday"),
        ("2026-12-01T14:00Z", "2026-12-01t14:00z"),
        ("“tomorrow”", "“ tomorrow ”"),
    ],
)
def test_a_sentence_is_brought_into_plain_words(said: str, words: str) -> None:
    assert in_plain_words(said) == words


def test_facts_come_in_the_order_they_were_said() -> None:
    assert hear("could it be tomorrow, in the afternoon, at two?", NOW) == Heard(
        (Days((TOMORROW,)), Part(720, 1080), Clock((120, 840), sure=True))
    )


def test_the_longest_reading_of_a_phrase_is_taken() -> None:
    heard = hear("the day after tomorrow", NOW)
    assert heard == Heard((Days((on(11, 20).date(),)),))
    assert hear("from ten to four", NOW) == Heard((Between((600, 1320), (240, 960)),))


def test_an_or_makes_alternatives_of_the_facts() -> None:
    heard = hear("thursday or friday", NOW)
    assert heard is not None
    assert heard.alternatives
    assert [fact.weekday for fact in heard.facts if isinstance(fact, Days)] == [3, 4]


def test_or_so_is_no_alternative() -> None:
    assert hear("at two or so", NOW) == Heard((Clock((120, 840), sure=False),))


@pytest.mark.parametrize(
    "said", ["as soon as possible", "asap", "any time", "whenever you can", "the next available slot", "the earliest"]
)
def test_no_wish_at_all_is_a_fact(said: str) -> None:
    assert hear(said, NOW) == Heard((Anytime(),))


@pytest.mark.parametrize("said", ["now", "right now", "straight away", "immediately"])
def test_now_is_a_wish_for_today(said: str) -> None:
    assert hear(said, NOW) == Heard((Anytime(now=True),))


@pytest.mark.parametrize(
    "said", ["good morning", "that sounds good", "i am here"[:4], "may I", "what are your hours", "at the shop"]
)
def test_polite_words_state_nothing(said: str) -> None:
    assert hear(said, NOW) is None
    assert hear(f"{said} tomorrow", NOW) == Heard((Days((TOMORROW,)),))


@pytest.mark.parametrize(
    "word", ["not", "except", "before", "every", "black", "good", "may", "day", "half", "next", "quarter", "#", "é", "no"]
)
def test_a_word_that_may_change_the_meaning_leaves_nothing(word: str) -> None:
    assert hear(f"tomorrow {word}", NOW) is None


def test_a_speech_is_not_a_wish_for_a_time() -> None:
    assert hear("tomorrow" + " please" * LONGEST, NOW) is None


@given(st.text())
def test_any_text_is_brought_into_plain_words_without_an_error(said: str) -> None:
    words = in_plain_words(said)
    assert words == " ".join(words.split())
