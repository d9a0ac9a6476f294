"""Where words begin and end, from Whisper's rough times and the sound itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calllogs.sound import Span
from calllogs.whisper import HeardWord
from calllogs.word_times import STEP_MS, aligned, without_long_pauses

LOUD, SILENT = 4000.0, 5.0


def levels(*stretches: tuple[float, int]) -> list[float]:
    """Loudness by stretches of milliseconds."""
    return [level for level, ms in stretches for _ in range(ms // STEP_MS)]


def words(*times: tuple[float, float]) -> list[HeardWord]:
    return [HeardWord(start, end, "order") for start, end in times]


class TestAWord:
    SOUND = levels((SILENT, 1000), (LOUD, 400), (SILENT, 100), (LOUD, 300), (SILENT, 1000))

    @pytest.mark.parametrize("early_s", [0.0, 0.15, 0.3])
    def test_begins_where_its_sound_rises_however_early_whisper_is(self, early_s: float) -> None:
        first, second = aligned(words((0.6, 1.45 - early_s), (1.45 - early_s, 1.7)), self.SOUND)
        assert (first.start_s, first.end_s) == (pytest.approx(1.0, abs=0.03), pytest.approx(1.4, abs=0.03))
        assert (second.start_s, second.end_s) == (pytest.approx(1.5, abs=0.03), pytest.approx(1.8, abs=0.03))

    def test_that_whisper_lets_begin_at_the_end_of_the_one_before_begins_after_the_pause(self) -> None:
        sound = levels((SILENT, 500), (LOUD, 400), (SILENT, 1000), (LOUD, 400), (SILENT, 500))
        _, after = aligned(words((0.4, 0.8), (0.8, 1.95)), sound)
        assert after.start_s == pytest.approx(1.9, abs=0.03)

    def test_in_steady_sound_stays_near_to_what_whisper_says(self) -> None:
        found = aligned(words((0.2, 0.7), (0.7, 1.4)), levels((LOUD, 2000)))
        assert found[1].start_s == pytest.approx(0.85, abs=0.1)

    def test_is_never_lost_and_none_comes_before_another(self) -> None:
        found = aligned(words(*[(1.0, 1.0)] * 30), self.SOUND)
        assert len(found) == 30
        assert [word.start_s for word in found] == sorted(word.start_s for word in found)

    def test_without_a_sound_keeps_whispers_times(self) -> None:
        assert aligned(words((0, 1)), []) == words((0, 1))
        assert aligned([], self.SOUND) == []


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), max_size=8),
    st.lists(st.floats(0, 30000), min_size=1, max_size=300),
)
def test_times_are_in_order_whatever_is_heard_in_whatever_sound(heard: list[tuple[float, float]], sound: list[float]) -> None:
    rough = words(*sorted((start, start + length) for start, length in heard))
    found = aligned(rough, sound)
    assert len(found) == len(rough)
    assert all(word.start_s <= word.end_s for word in found)
    starts = [word.start_s for word in found]
    assert starts == sorted(starts)


class TestTheTimeline:
    def test_a_long_pause_is_cut_out_and_a_short_one_is_kept(self) -> None:
        timeline = without_long_pauses([Span(1000, 2000), Span(2800, 3000), Span(60_000, 61_000)], 61_200)
        assert timeline.kept == (Span(500, 3500), Span(59_500, 61_200))

    def test_times_are_put_back(self) -> None:
        timeline = without_long_pauses([Span(1000, 2000), Span(60_000, 61_000)], 70_000)
        assert [timeline.original_ms(at) for at in (0, 500, 1999, 2000, 2500, 9999)] == [500, 1000, 2499, 59_500, 60_000, 61_500]

    def test_a_word_across_the_cut_ends_after_it_begins(self) -> None:
        timeline = without_long_pauses([Span(1000, 2000), Span(60_000, 61_000)], 70_000)
        assert timeline.restored(HeardWord(1.9, 2.6, "order")) == HeardWord(2.4, 60.1, "order")
