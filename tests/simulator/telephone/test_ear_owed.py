"""What the caller was owed and did not hear, and whose voices were heard at once: small ears, made by hand.

A timeline is written as pieces, each of one kind and so many milliseconds:
`a` the agent speaks, `A` a second reply, `c` the caller speaks, `b` both speak, `r` it rings, `p` a person who says nothing is
connected, `.` nothing, `!` no time: from here something is expected.
"""

import re

import pytest

from simulator.telephone import Ear, Span

FRAME = 160
HEARD = {"a": b"\x11", "A": b"\x12", "b": b"\x11", "r": b"\x33"}
SOURCES = {"a": "stream", "A": "stream", "b": "stream", "r": "ring", "p": "dial"}


def ear_of(timeline: str, answered_ms: float | None = 0) -> Ear:
    ear = Ear(answered_ms)
    for kind, ms in re.findall(r"([aAbcrp.!])(\d*)", timeline):
        if kind == "!":
            ear.expects()
        for _ in range(int(ms or 0) // 20):
            said = b"\x44" * FRAME if kind in "cb" else b""
            ear.remember(HEARD.get(kind, b"") * FRAME, said, SOURCES.get(kind, ""))
    return ear


def owed(timeline: str, from_ms: float = 0, **more: float) -> list[tuple[float, float]]:
    return [(span.start_ms, span.end_ms) for span in ear_of(timeline).owed(from_ms, **more)]


@pytest.mark.parametrize(
    ("timeline", "stretches"),
    [
        # From the answer to the first sound.
        ("a1000", []),
        (".800 a1000", [(0, 800)]),
        (".3000", [(0, 3000)]),
        ("", []),
        # The agent has finished, and it is the caller's turn.
        ("a1000 .9000", []),
        ("a1000 .9000 a1000 .9000", []),
        # From the end of what the caller said to the next sound, or to the end of the call.
        ("a1000 .500 c1000 .700 a1000 .5000", [(2500, 3200)]),
        ("a1000 .500 c1000 .4000", [(2500, 6500)]),
        ("a1000 c1000 a1000", []),
        ("a1000 c1000 .600 a400 .2000 c500 .900 a400", [(2000, 2600), (5500, 6400)]),
        # Words with a pause between them are one thing; words into a silence that lasted do not make it shorter.
        ("a1000 c1000 .1000 c1000 .600 a1000", [(4000, 4600)]),
        ("a1000 c1000 .2000 c500 .2000 a1000", [(2000, 6500)]),
        (".2000 c1000 .3000 a1000", [(0, 6000)]),
        # The pause in which the caller was answered is another matter.
        ("a1000 c1000 .300 a200 .300 c1000 .600 a1000", [(2000, 2300), (3800, 4400)]),
        # A cough asks for nothing.
        ("a1000 .500 c140 .5000", []),
        ("a1000 .500 c160 .5000", [(1660, 6660)]),
        ("a1000 .500 c100 .300 c100 .300 c100 .5000", []),
        ("a1000 .500 c100 .40 c100 .5000", [(1740, 6740)]),
        ("a1000 .800 c100 .100 a200 .5000", []),
        # Unless the agent stopped for it.
        ("a1000 b100 a400 .5000", [(1500, 6500)]),
        ("a1000 b100 a420 .5000", []),
        ("a1000 b100 .5000 a1000", [(1100, 6100)]),
        # Stopping for a breath is not stopping.
        ("a1000 b100 a200 .600 a1000 .5000", []),
        ("a1000 b100 a200 .720 a1000 .5000", [(1300, 2020)]),
        # Who speaks over the agent and silences it waits from the moment both are silent.
        ("a1000 b400 c600 .2000 a1000", [(2000, 4000)]),
        ("a1000 b200 a300 .2000 a1000", [(1500, 3500)]),
        # Who speaks over the agent, which speaks on, has heard something.
        ("a1000 b300 a3000 .5000", []),
    ],
)
def test_silence_is_owed(timeline: str, stretches: list[tuple[float, float]]) -> None:
    assert owed(timeline) == stretches


@pytest.mark.parametrize(
    ("timeline", "stretches"),
    [
        # In the middle of a sentence: from its sudden end.
        ("a1000 ! a300 .4000 a1000", [(1300, 5300)]),
        ("a1000 ! .4000", [(1000, 5000)]),
        # Between two words of it: from the end of the last that was still played.
        ("a1000 .200 ! .200 a300 .4000 a1000", [(1700, 5700)]),
        # In silence: from there.
        ("a1000 .2000 ! .1000 a1000", [(3000, 4000)]),
        ("a1000 .2000 .1000 a1000", []),
        # While somebody is being rung.
        ("a1000 r2000 ! r2000 .3000 a1000", [(5000, 8000)]),
        ("a1000 .2000 ! r2000 p3000", []),
        ("a1000 .2000 ! .500 r2000 p3000", [(3000, 3500)]),
        # Each is counted, and what overlaps is one.
        ("a1000 ! .1000 a1000 .5000 ! .2000 a1000", [(1000, 2000), (8000, 10000)]),
        ("a1000 c1000 .1000 ! .1000 a1000", [(2000, 4000)]),
    ],
)
def test_silence_is_owed_from_the_moment_something_is_expected(timeline: str, stretches: list[tuple[float, float]]) -> None:
    assert owed(timeline) == stretches


def test_ringing_before_the_answer_is_no_sound_and_owes_none() -> None:
    assert ear_of("r2000 .3000", answered_ms=None).owed() == []
    assert ear_of("r2000 .3000 a500", answered_ms=2000).owed() == [Span(2000, 5000)]


def test_ringing_after_the_answer_is_a_person_s_telephone() -> None:
    assert owed("a1000 c1000 .500 r6000 a1000") == [(2000, 2500)]


def test_who_is_connected_to_a_person_is_owed_nothing_by_the_agent() -> None:
    assert owed("a1000 c1000 .500 r2000 p3000 c1000 p5000") == [(2000, 2500)]
    assert owed("a1000 c1000 p5000 .2000") == []


def test_one_may_begin_to_count_later() -> None:
    timeline = ".3000 a1000 c1000 .700 a1000 .2000 a500"
    assert owed(timeline) == [(0, 3000), (5000, 5700)]
    assert owed(timeline, 3500) == [(5000, 5700)]
    assert owed(timeline, 7000) == [(7000, 8700)]
    assert owed(timeline, 2500) == [(2500, 3000), (5000, 5700)]


def test_short_stretches_can_be_left_out() -> None:
    timeline = ".3000 a1000 c1000 .700 a1000"
    assert owed(timeline, grace_ms=699) == [(0, 3000), (5000, 5700)]
    assert owed(timeline, grace_ms=700) == [(0, 3000)]


def test_the_longest_stretch() -> None:
    assert ear_of("a1000 c1000 .600 a400 .2000 c500 .900 a400").longest_owed_ms == 900
    assert ear_of("a1000 .9000").longest_owed_ms == 0


@pytest.mark.parametrize(
    ("timeline", "stretches"),
    [
        ("a1000 A1000", []),
        ("a1000 .40 a1000", []),
        ("a1000 .40 A1000 .40 a1000", []),
        ("a100 A20 a100", [(100, 120)]),
        ("a60 A60 a60 A60 .1000", [(60, 180)]),
        ("a1000 A200 a1000", [(1000, 1200)]),
        ("a1000 A220 a1000", []),
        ("a100 .40 A20 .40 a100 .1000 a100 A40 a100", [(100, 200), (1400, 1440)]),
    ],
)
def test_two_voices_at_once_are_replies_that_alternate(timeline: str, stretches: list[tuple[float, float]]) -> None:
    assert [(span.start_ms, span.end_ms) for span in ear_of(timeline).overlaps()] == stretches


def test_how_soon_a_reply_must_come_back_can_be_said() -> None:
    assert ear_of("a1000 A400 a1000").overlaps(within_ms=400) == [Span(1000, 1400)]


def test_a_recorded_voice_whose_bytes_alternate_is_one_voice() -> None:
    ear = Ear()
    for _ in range(10):
        ear.remember(b"\x11\x12\x12\x11" * 40, b"", "stream")
    assert ear.overlaps() == []


def test_what_was_heard_of_a_reply_after_a_moment_is_stale() -> None:
    ear = ear_of("a1000 A500 a200")
    assert ear.stale(0x11, 0) == 1200
    assert ear.stale(0x11, 400) == 800
    assert ear.stale(0x11, 1600) == 100
    assert ear.stale(0x11, 1700) == 0
    assert ear.stale(0x12, 1100) == 400
