import pytest

from voiceagent.call.commands import Remark
from voiceagent.call.transcript import Transcript, heard_length


@pytest.mark.parametrize(
    ("heard_ms", "expected"),
    [(0, ""), (400, ""), (1000, "Hello"), (1700, "Hello big"), (2300, "Hello big wide"), (3000, "Hello big wide world")],
)
def test_only_whole_words_count_as_heard(heard_ms, expected):
    assert "Hello big wide world"[: heard_length("Hello big wide world", heard_ms, 3000)] == expected


def test_what_was_heard_ends_with_a_word_and_not_with_a_space():
    assert heard_length("One.  Two.", 550, 1000) == len("One.")


def test_nothing_is_heard_of_a_turn_without_audio():
    assert heard_length("Hello", 0, 0) == 0


def test_small_pieces_of_audio_add_up_exactly():
    turn = Transcript().begin("t", "agent", 0)
    turn.words, turn.interrupted, turn.heard_ms = ["one two three four five six"], True, 1000
    for _ in range(1000):
        turn.received += 15  # 1875 ms in all
    assert turn.entry().heard == "one two three"


def test_a_turn_keeps_the_place_it_began_in_and_tools_stand_between():
    transcript = Transcript()
    first = transcript.begin("a", "caller", 0)
    tool = transcript.next_position()
    second = transcript.begin("b", "agent", 10)
    assert [first.position, tool, second.position] == [1, 2, 3]
    assert transcript.begin("a", "caller", 99) is first


def test_lasting_turns_are_those_without_an_end():
    transcript = Transcript()
    first, second = transcript.begin("a", "caller", 0), transcript.begin("b", "agent", 10)
    first.ended_ms = 5
    assert transcript.lasting() == [second]


def test_a_new_engine_is_told_what_was_heard_and_what_came_out_in_order_and_nothing_that_is_only_for_the_record():
    transcript = Transcript(position=4)
    question, clip = transcript.begin("q", "caller", 0), transcript.begin("clip-1", "agent", 5)
    question.words, clip.words, clip.is_remark = ["Where is it?"], ["Please wait."], False
    tool = transcript.next_position()
    answer = transcript.begin("a", "agent", 10)
    answer.words, answer.received, answer.interrupted, answer.heard_ms = ["one two three four"], 8000, True, 500
    transcript.begin("unheard", "caller", 20)
    transcript.told(tool, Remark("tool", "lookup_order: Shipped."))
    assert transcript.remarks() == (
        Remark("caller", "Where is it?"),
        Remark("tool", "lookup_order: Shipped."),
        Remark("agent", "one two"),
    )
    assert question.position == 5


def test_what_is_written_down_of_a_turn_has_its_answer_gap():
    turn = Transcript().begin("t", "agent", 0)
    turn.answer_gap_ms = 700
    assert turn.entry().answer_gap_ms == 700
