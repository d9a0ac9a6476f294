"""Which words are believed: what Whisper makes up is left out and kept with its reason, what people say stays."""

import pytest

from calllogs.choices import Suppression
from calllogs.evidence import LeftOut, voiceless, weighed, where_nobody_spoke
from calllogs.sound import Span
from calllogs.whisper import HeardWord, Segment


def heard(text: str, start_s: float = 0.0) -> tuple[HeardWord, ...]:
    return tuple(HeardWord(start_s + at, start_s + at + 0.5, word) for at, word in enumerate(text.split()))


def segment(text: str, *, no_speech: float = 0.1, log_probability: float = -0.3, compression: float = 1.0) -> Segment:
    words = heard(text)
    return Segment(0.0, float(len(words)), words, no_speech, log_probability, compression)


def texts(*segments: Segment) -> str:
    return " ".join(word.text for word in weighed(segments, 100)[0])


class TestASegment:
    def test_that_whisper_is_sure_of_is_believed(self) -> None:
        assert weighed([segment("Where is it?")], 100) == (list(heard("Where is it?")), [])

    @pytest.mark.parametrize(
        ("doubtful", "reason"),
        [
            (segment("Where is it?", no_speech=0.7, log_probability=-1.1), Suppression.NO_SPEECH),
            (segment("6143, 31623, aitang", log_probability=-3.6), Suppression.UNLIKELY),
            (segment("la la la la", compression=2.5), Suppression.REPETITIVE),
            (segment("Thanks for watching!", no_speech=0.5), Suppression.NO_SPEECH),
            (segment("Thank you.", no_speech=0.5), Suppression.NO_SPEECH),
        ],
    )
    def test_that_it_doubts_is_left_out_with_the_reason(self, doubtful: Segment, reason: Suppression) -> None:
        kept, [left_out] = weighed([segment("Hello."), doubtful], 100)
        assert [word.text for word in kept] == ["Hello."]
        assert left_out == LeftOut(0.0, doubtful.words[-1].end_s, " ".join(w.text for w in doubtful.words), reason)

    @pytest.mark.parametrize(
        "said",
        [
            # As measured of a real voice on a telephone line: short words by themselves are never certain.
            segment("Thank you.", no_speech=0.22, log_probability=-0.95),
            segment("Yes.", no_speech=0.25, log_probability=-1.17),
            segment("Bye.", no_speech=0.19, log_probability=-1.07),
            segment("Where is my order?", no_speech=0.53, log_probability=-0.34),
            segment("I would like to ask somebody.", no_speech=0.41, log_probability=-0.93),
        ],
    )
    def test_that_a_person_said_is_kept_though_it_is_short_or_quiet(self, said: Segment) -> None:
        assert texts(said) == " ".join(word.text for word in said.words)

    def test_without_letters_is_nothing(self) -> None:
        assert weighed([segment("... ♪ ...", log_probability=-3)], 100) == ([], [])

    def test_is_told_without_spaces_and_the_hyphens_of_a_number(self) -> None:
        assert (
            texts(Segment(0, 1, (HeardWord(0, 1, " 4"), HeardWord(1, 2, "-7"), HeardWord(2, 1, " Ada-Marie ")))) == "4 7 Ada-Marie"
        )

    def test_that_begins_after_the_sound_is_over_is_left_out(self) -> None:
        kept, left_out = weighed([segment("Where is it?")], 2.0)
        assert (len(kept), left_out) == (2, [LeftOut(2.0, 2.5, "it?", Suppression.NO_SPEECH)])


class TestLoops:
    def test_a_phrase_in_circles_is_kept_once_and_the_rest_is_labelled(self) -> None:
        kept, [left_out] = weighed([segment("Hello " + "thank you. " * 20)], 100)
        assert [word.text for word in kept] == ["Hello", "thank", "you."]
        assert (left_out.reason, left_out.text.count("thank")) == (Suppression.LOOP, 19)
        assert (left_out.start_s, left_out.end_s) == (3.0, 40.5)

    def test_a_word_in_circles_over_several_segments_is_kept_once(self) -> None:
        assert texts(*[segment("Okay.")] * 9, segment("Bye")) == "Okay. Bye"

    def test_digits_that_repeat_as_people_say_them_are_kept(self) -> None:
        assert texts(segment("four five five five five two")) == "four five five five five two"

    def test_no_words_are_no_loop(self) -> None:
        assert weighed([], 100) == ([], [])


class TestWhereThereIsNoVoice:
    def test_words_are_left_out(self) -> None:
        here, there = HeardWord(1.0, 1.4, "Hello"), HeardWord(9.0, 9.5, "Subscribe!")
        kept, left_out = where_nobody_spoke([here, there], [Span(1100, 2000)])
        assert (kept, left_out) == ([here], [LeftOut(9.0, 9.5, "Subscribe!", Suppression.NO_SPEECH)])

    def test_long_sounds_are_said_to_be_there(self) -> None:
        music = LeftOut(4.0, 10.0, "", Suppression.NO_SPEECH)
        assert voiceless(Span(0, 10_000), [Span(1000, 4000), Span(20_000, 30_000)]) == [music]
        assert voiceless(Span(0, 1900), []) == [], "a cough is not worth saying"
        assert voiceless(Span(5000, 7000), []) == [LeftOut(5.0, 7.0, "", Suppression.NO_SPEECH)]
