"""A call as staff read it."""

import pytest

from calllogs.conversation import Compared, Entry, LeftOut, clock, compared, entries, left_out, length, lines
from calllogs.models import CallLog, ToolCall, Transcription, Turn


@pytest.mark.parametrize(("ms", "shown"), [(0, "0:00"), (999, "0:00"), (61_000, "1:01"), (3_725_000, "62:05")])
def test_a_moment_is_minutes_and_seconds(ms: int, shown: str) -> None:
    assert clock(ms) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(None, ""), (0, "0:00"), (151, "2:31"), (3725, "1:02:05")])
def test_a_length_has_hours_when_it_needs_them(seconds: int | None, shown: str) -> None:
    assert length(seconds) == shown


def word(speaker: str, start_ms: int, end_ms: int, text: str = "word") -> dict[str, object]:
    return {"speaker": speaker, "start_ms": start_ms, "end_ms": end_ms, "text": text}


def test_a_new_line_begins_with_another_speaker_or_after_a_pause() -> None:
    said = [word("agent", 0, 500), word("agent", 600, 900), word("caller", 1000, 1500), word("caller", 4000, 4500)]
    found = lines(Transcription(words=said), 10_000)
    assert [(line.speaker, line.at, len(line.words)) for line in found] == [
        ("agent", "0:00", 2),
        ("caller", "0:01", 1),
        ("caller", "0:04", 1),
    ]
    assert [(line.start, line.width) for line in found] == [(0.0, 9.0), (10.0, 5.0), (40.0, 5.0)]
    assert [(line.first, line.text) for line in found] == [(0, "word word"), (2, "word"), (3, "word")]


def test_no_words_are_no_lines() -> None:
    assert lines(Transcription(words=[]), 0) == []


def test_words_beyond_the_announced_end_stay_within_the_picture() -> None:
    [line] = lines(Transcription(words=[word("caller", 0, 12_000)]), 10_000)
    assert line.width == 100


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{"query": "ORD-47192", "again": true}', [("query", "ORD-47192"), ("again", "true")]),
        ("{}", []),
        ("", []),
        ("not json", [("not valid", "not json")]),
    ],
)
def test_arguments_are_shown_by_name_or_as_they_were_written(written: str, shown: list[tuple[str, str]]) -> None:
    assert Entry("0:00", tool_call=ToolCall(arguments=written)).arguments == shown


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (Entry("0:00", turn=Turn(speaker="agent", answer_gap_ms=910)), 0.91),
        (Entry("0:00", turn=Turn(speaker="agent", answer_gap_ms=0)), 0),
        (Entry("0:00", turn=Turn(speaker="agent")), None),
        (Entry("0:00", tool_call=ToolCall()), None),
    ],
)
def test_how_long_the_caller_waited_is_told_of_an_answer_alone(entry: Entry, shown: float | None) -> None:
    assert entry.answered_after_s == shown


@pytest.mark.django_db
def test_tools_stand_in_place_between_the_turns() -> None:
    call = CallLog.objects.create(call_sid="CA1")
    for position, speaker, text in ((3, "agent", "Shipped."), (1, "caller", "Where is it?"), (4, "caller", "")):
        Turn.objects.create(call=call, position=position, speaker=speaker, started_ms=0, ended_ms=1, generated=text, heard=text)
    ToolCall.objects.create(call=call, tool_call_id="c1", position=2, name="lookup_order", started_ms=0)
    shown = [entry.turn.heard if entry.turn else entry.tool_call and entry.tool_call.name for entry in entries(call)]
    assert shown == ["Where is it?", "lookup_order", "Shipped."], "in order, and without a cough that had no words"


def test_what_was_left_out_is_told_with_its_reason() -> None:
    heard = Transcription(suppressed=[word("caller", 61_000, 65_000, "Thanks for watching!") | {"reason": "no_speech"}])
    expected = [LeftOut("caller", "1:01", "1:05", "Thanks for watching!", "no speech")]
    assert left_out(heard) == expected
    assert left_out(Transcription(corrects=Transcription(corrects=heard))) == expected, "a correction is of the same recording"


def test_two_revisions_are_compared_word_by_word() -> None:
    before = Transcription(words=[word("caller", 0, 1, "Here"), word("caller", 1, 2, "is"), word("agent", 3, 4, "Yes")])
    after = Transcription(words=[word("caller", 0, 1, "Where"), word("caller", 1, 2, "is"), word("caller", 2, 3, "it?")])
    assert compared(after, before) == [
        Compared("caller", [("other", "Here"), ("own", "Where"), ("same", "is")]),
        Compared("agent", [("other", "Yes")]),
        Compared("caller", [("own", "it?")]),
    ]
    assert compared(after, after) == [Compared("caller", [("same", "Where is it?")])]
