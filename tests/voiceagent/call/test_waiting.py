import pytest

from tests.voiceagent.call.scene import LINES, POLICY
from voiceagent.call.playback import Playback
from voiceagent.call.waiting import Waiting


def heard_before(until: float = 10.0) -> Playback:
    """A caller who has heard something before, and nothing since `until`."""
    playback = Playback()
    playback.mark_reached(playback.queue("t", 8000, until - 1.0), until)
    return playback


@pytest.mark.parametrize(
    ("playback", "in_trouble", "clips", "tools", "patience_s"),
    [
        (Playback(10.0), False, 0, False, POLICY.first_sound_s),
        (heard_before(), False, 0, False, POLICY.wait_s),
        (heard_before(), False, 0, True, POLICY.next_wait_s),
        (heard_before(), False, 1, False, POLICY.next_wait_s),
        (heard_before(), True, 0, False, POLICY.first_sound_s),
        (heard_before(), True, 0, True, POLICY.first_sound_s),
        (heard_before(), True, 1, False, POLICY.next_wait_s),
    ],
)
def test_patience_depends_on_what_is_waited_for_and_what_was_heard(playback, in_trouble, clips, tools, patience_s):
    waiting = Waiting(POLICY)
    waiting.in_trouble = in_trouble
    for _ in range(clips):
        waiting.clip(LINES, has_played=True)
    assert waiting.next_clip_at(10.0, playback, tools) == 10.0 + patience_s


def test_silence_counts_from_when_the_caller_began_to_wait_and_not_from_before():
    waiting = Waiting(POLICY)
    assert waiting.next_clip_at(70.0, heard_before(10.0), False) == 70.0 + POLICY.wait_s
    assert waiting.next_clip_at(71.0, heard_before(10.0), False) == 70.0 + POLICY.wait_s


def test_silence_counts_from_the_last_sound_of_what_is_still_to_be_heard():
    playback, waiting = heard_before(), Waiting(POLICY)
    playback.queue("t", 16_000, 70.0)
    assert waiting.next_clip_at(70.0, playback, False) == 72.0 + POLICY.wait_s


def test_who_has_stopped_waiting_begins_anew():
    playback, waiting = heard_before(), Waiting(POLICY)
    waiting.next_clip_at(70.0, playback, False)
    waiting.in_trouble = True
    waiting.clip(LINES, True)
    waiting.over()
    assert waiting.next_clip_at(90.0, playback, False) == 90.0 + POLICY.wait_s


def test_the_first_sound_is_no_excuse_and_the_last_excuse_is_repeated():
    waiting = Waiting(POLICY)
    clips = [waiting.clip(LINES, has_played) for has_played in (False, True, True, True)]
    assert clips == [LINES.first_sound, LINES.waits[0], LINES.waits[1], LINES.waits[1]]


def test_trouble_is_owned_up_to_once_and_before_any_other_excuse():
    waiting = Waiting(POLICY)
    waiting.in_trouble = True
    assert [waiting.clip(LINES, has_played) for has_played in (False, True)] == [LINES.trouble, LINES.waits[1]]


def test_after_an_excuse_trouble_is_no_news():
    waiting = Waiting(POLICY)
    waiting.clip(LINES, True)
    waiting.in_trouble = True
    assert waiting.clip(LINES, True) == LINES.waits[1]


def test_excuses_begin_anew_when_the_agent_was_heard():
    waiting = Waiting(POLICY)
    waiting.in_trouble = True
    waiting.clip(LINES, True)
    waiting.agent_heard()
    assert waiting.clip(LINES, True) == LINES.waits[0]
