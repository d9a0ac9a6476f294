import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceagent.call.playback import Cut, Playback, audio_bytes


@given(st.binary(min_size=1, max_size=700))
def test_the_length_of_audio_is_known_without_decoding_it(audio):
    assert audio_bytes(base64.b64encode(audio).decode()) == len(audio)


def test_between_marks_the_clock_says_how_far_the_caller_has_got():
    playback = Playback()
    playback.queue("t", 8000, now=10.0)
    playback.queue("t", 8000, now=10.0)
    assert [playback.heard_ms("t", now) for now in (10.0, 10.25, 11.5, 60.0)] == [0, 250, 1500, 2000]


def test_a_mark_corrects_the_clock():
    playback = Playback()
    mark = playback.queue("t", 8000, now=10.0)
    playback.queue("t", 8000, now=10.0)
    playback.mark_reached(mark, now=11.4)
    assert playback.heard_ms("t", 11.4) == 1000
    assert playback.over_at == 12.4


def test_a_mark_stands_for_everything_queued_before_it():
    playback = Playback()
    playback.queue("t", 800, now=0.0)
    mark = playback.queue("t", 800, now=0.0)
    playback.mark_reached(mark, now=0.1)
    assert (playback.heard_ms("t", 0.1), playback.over_at, playback.holds("t")) == (200, None, False)


def test_a_mark_nobody_waits_for_changes_nothing():
    playback = Playback()
    playback.queue("t", 8000, now=0.0)
    playback.mark_reached("no such mark", now=0.4)
    assert playback.heard_ms("t", 0.5) == 500


def test_audio_queued_into_silence_begins_to_play_then_and_not_before():
    playback = Playback()
    mark = playback.queue("a", 800, now=0.0)
    playback.mark_reached(mark, now=0.1)
    playback.queue("b", 8000, now=5.0)
    assert playback.heard_ms("b", 5.2) == 200


def test_a_cut_names_every_turn_that_lost_something_in_order():
    playback = Playback()
    playback.queue("a", 8000, now=0.0)
    playback.queue("b", 8000, now=0.0)
    assert playback.cut(now=0.3) == [Cut("a", 300), Cut("b", 0)]
    assert playback.cut(now=0.3) == []
    assert playback.heard_ms("a", now=9.0) == 300


def test_finishing_counts_everything_as_heard():
    playback = Playback()
    playback.queue("t", 8000, now=0.0)
    playback.finish()
    assert (playback.heard_ms("t", 0.0), playback.sent_ms("t")) == (1000, 1000)


def test_a_part_of_a_millisecond_is_none():
    playback = Playback()
    playback.queue("t", 7999, now=0.0)
    playback.finish()
    assert (playback.heard_ms("t", 0.0), playback.sent_ms("t")) == (999, 999)


pieces = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4000), st.floats(0, 2), st.booleans()), min_size=1, max_size=30)


@given(pieces)
def test_heard_never_exceeds_sent_and_never_shrinks_until_a_cut(pieces):
    playback, now, heard, marks = Playback(), 0.0, {"a": 0, "b": 0}, []
    for turn_id, size, delay, reached in pieces:
        marks.append(playback.queue(turn_id, size, now))
        now += delay
        for name, before in heard.items():
            heard[name] = playback.heard_ms(name, now)
            assert before <= heard[name] <= playback.sent_ms(name)
        if reached:
            playback.mark_reached(marks[-1], now)
            heard = {name: playback.heard_ms(name, now) for name in heard}
    for cut in playback.cut(now):
        assert 0 <= cut.heard_ms <= playback.sent_ms(cut.turn_id)


def test_before_anything_is_played_it_has_been_silent_since_the_beginning():
    playback = Playback(now=5.0)
    assert (playback.silent_from, playback.has_played) == (5.0, False)
    playback.queue("t", 8000, now=6.0)
    assert playback.has_played


def test_silence_begins_when_a_mark_says_so_or_else_by_the_clock():
    playback = Playback()
    mark = playback.queue("t", 8000, now=10.0)
    assert playback.silent_from == 11.0
    playback.mark_reached(mark, now=11.4)
    assert playback.silent_from == 11.4
    playback.queue("t", 8000, now=20.0)
    playback.finish()
    assert playback.silent_from == 21.0


def test_after_a_cut_it_is_silent_from_the_cut_on_or_from_the_end_that_came_before_it():
    playback = Playback()
    playback.queue("t", 8000, now=10.0)
    playback.cut(now=10.3)
    assert playback.silent_from == 10.3
    playback.queue("t", 8000, now=20.0)
    playback.cut(now=25.0)
    assert playback.silent_from == 21.0
    playback.cut(now=30.0)
    assert playback.silent_from == 21.0


def test_what_is_queued_into_silence_begins_then_though_an_earlier_mark_is_not_back():
    playback = Playback()
    playback.queue("clip", 2400, now=0.0)
    playback.queue("answer", 4800, now=1.4)
    assert playback.over_at == pytest.approx(2.0)
    assert playback.heard_ms("answer", 1.5) == 100
