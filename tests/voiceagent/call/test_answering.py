import pytest

from voiceagent.call.answering import LONGEST_LAG_MS, Answering


@pytest.mark.parametrize(
    ("endpointing_ms", "sent_ms", "audio_ms", "gap_ms"),
    [
        (0, 0, None, 1000),
        (500, 0, None, 1500),
        (0, 5000, 5000, 1000),
        (0, 5000, 4700, 1300),
        (500, 5000, 4700, 1800),
        (0, 5000, 5600, 1000),  # an engine that counts further than we have sent
        (0, 60_000, 0, 1000 + LONGEST_LAG_MS),
    ],
)
def test_the_gap_is_from_the_last_sound_of_the_caller_to_the_first_of_the_answer(endpointing_ms, sent_ms, audio_ms, gap_ms):
    answering = Answering(endpointing_ms)
    answering.sent(sent_ms / 2)
    answering.sent(sent_ms / 2)
    answering.caller_stopped(audio_ms, now=100.0)
    assert answering.answered(101.0) == gap_ms


def test_what_nobody_asked_for_answers_nothing_and_an_answer_is_given_once():
    answering = Answering(0)
    assert answering.answered(100.0) is None
    answering.caller_stopped(None, now=100.0)
    assert [answering.answered(101.0), answering.answered(109.0)] == [1000, None]


@pytest.mark.parametrize("drop", [Answering.caller_started, Answering.nothing_said])
def test_a_caller_who_speaks_on_or_said_nothing_waits_for_nothing(drop):
    answering = Answering(0)
    answering.caller_stopped(None, now=100.0)
    drop(answering)
    assert answering.answered(101.0) is None


def test_a_new_session_counts_from_its_own_beginning():
    answering = Answering(0)
    answering.sent(5000)
    answering.session_began()
    answering.sent(1000)
    answering.caller_stopped(800, now=100.0)
    assert answering.answered(101.0) == 1200


def test_an_answer_that_was_on_its_way_before_the_caller_had_finished_kept_nobody_waiting():
    answering = Answering(0)
    answering.caller_stopped(None, now=100.0)
    assert answering.answered(99.0) == 0
