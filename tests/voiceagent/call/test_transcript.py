import pytest

from voiceagent.call.transcript import Transcript, heard_part


@pytest.mark.parametrize(
    ("heard_ms", "expected"),
    [(0, ""), (400, ""), (1000, "Hello"), (1700, "Hello big"), (2300, "Hello big wide"), (3000, "Hello big wide world")],
)
def test_only_whole_words_count_as_heard(heard_ms, expected):
    assert heard_part("Hello big wide world", heard_ms, 3000) == expected


def test_what_was_heard_ends_with_a_word_and_not_with_a_space():
    assert heard_part("One.  Two.", 550, 1000) == "One."


def test_nothing_is_heard_of_a_turn_without_audio():
    assert heard_part("Hello", 0, 0) == ""


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
