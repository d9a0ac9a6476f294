"""Times of day in words, as facts: nobody has asked the hours yet."""

from datetime import timedelta

import pytest

from orders.spoken.clocks import PARTS, clocks_at
from orders.spoken.facts import MIDNIGHT, Between, Clock, Days, Exactly, Fact, Part

from .shop import NOW, on


def longest(words: str) -> tuple[Fact, ...]:
    return max(clocks_at(words, 0, NOW), key=lambda reading: reading[0], default=(0, ()))[1]


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("at 2", (120, 840)),
        ("2 pm", (840,)),
        ("12 pm", (720,)),
        ("12 am", (0,)),
        ("at 12", (0, 720)),
        ("at 09", (540,)),
        ("at 14", (840,)),
        ("at 0", (0,)),
        ("at 24", (1440,)),
        ("2:30", (150, 870)),
        ("02:30", (150,)),
        ("14:30", (870,)),
        ("2.30 pm", (870,)),
        ("2 30", (150, 870)),
        ("9 05 am", (545,)),
        ("14 hundred hours", (840,)),
        ("at 230", (150, 870)),
        ("1430 hours", (870,)),
        ("half past 3", (210, 930)),
        ("quarter to 5 pm", (1005,)),
        ("a quarter past 12", (15, 735)),
        ("quarter to 1", (45, 765)),
        ("10 past 2", (130, 850)),
        ("20 minutes to 3", (160, 880)),
        ("quarter to noon", (705,)),
        ("10 past midnight", (10,)),
        ("2 oclock sharp", (120, 840)),
        ("noon", (720,)),
        ("midnight", (0, MIDNIGHT)),
    ],
)
def test_a_time_is_every_minute_it_may_mean(words: str, minutes: tuple[int, ...]) -> None:
    assert longest(words) == (Clock(minutes),)


@pytest.mark.parametrize("words", ["2", "for 2", "around 2 pm", "at about half past 2", "2 ish", "at 2 or so", "10 to 4", "half 3"])
def test_a_vague_time_wants_a_yes(words: str) -> None:
    (clock,) = longest(words)
    assert isinstance(clock, Clock)
    assert not clock.sure


@pytest.mark.parametrize(
    "words", ["25 pm", "at 25", "14 am", "2:60", "at 2560", "half to 3", "70 minutes past 3", "quarter past 25", "tomorrow", ""]
)
def test_what_is_on_no_clock_is_no_time(words: str) -> None:
    assert not any(end == len(words) for end, _ in clocks_at(words, 0, NOW))


@pytest.mark.parametrize(
    ("words", "starts", "ends"),
    [
        ("between 2 and 4", (120, 840), (240, 960)),
        ("from 2 pm until 4 pm", (840,), (960,)),
        ("2 - 4 pm", (120, 840), (960,)),
        ("after half past 3", (210, 930), (MIDNIGHT,)),
        ("3 or later", (180, 900), (MIDNIGHT,)),
        ("before noon", (0,), (720,)),
        ("by 11 am", (0,), (660,)),
        ("11 am at the latest", (0,), (660,)),
        ("between 930 and 11", (570, 1290), (660, 1380)),
    ],
)
def test_a_range_is_open_where_nothing_was_said(words: str, starts: tuple[int, ...], ends: tuple[int, ...]) -> None:
    assert longest(words) == (Between(starts, ends),)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_of_a_day_is_a_stretch_of_it(name: str) -> None:
    (part,) = longest(f"in the {name}")
    assert isinstance(part, Part)
    assert 0 <= part.start < part.end <= MIDNIGHT


def test_this_part_of_a_day_is_of_today() -> None:
    assert longest("this morning") == (Days((NOW.date(),)), Part(0, 720))
    assert longest("tonight") == (Days((NOW.date(),)), Part(1080, MIDNIGHT))


def test_noon_is_not_in_the_morning_but_midnight_is_in_the_night() -> None:
    assert not Part(0, 720).holds(720)
    assert Part(1080, MIDNIGHT).holds(MIDNIGHT)


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("in 1 hour", 60),
        ("in an hour and a half", 90),
        ("in 2 and a half hours", 150),
        ("in a half hour", 30),
        ("in a quarter of an hour", 15),
        ("in 3 quarters of an hour", 45),
        ("in 2 hours 20 minutes", 140),
        ("90 minutes from now", 90),
        ("in 0.5 hours", 30),
    ],
)
def test_a_wait_is_added_to_now(words: str, minutes: int) -> None:
    assert longest(words) == (Exactly(NOW + timedelta(minutes=minutes)),)


def test_a_vague_wait_wants_a_yes() -> None:
    assert longest("in about 2 hours") == (Exactly(on(11, 18, 12, 15), sure=False),)


def test_this_time_is_the_present_minute() -> None:
    assert longest("at this time") == (Clock((615,)),)
