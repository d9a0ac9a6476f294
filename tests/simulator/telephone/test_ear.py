"""What the caller heard, to the sample."""

from simulator.telephone import Ear, Run, Segment, Span

FRAME = 160
LOUD, SOFT = b"\x11", b"\xff"


def ear_of(*pieces: tuple[int, bytes, bytes]) -> Ear:
    """Pieces of (frames, what was heard, what was said), each byte repeated."""
    ear = Ear()
    for frames, heard, said in pieces:
        for _ in range(frames):
            ear.remember(heard * FRAME, said * FRAME, "stream" if heard else "")
    return ear


def test_heard_and_said_stay_equally_long() -> None:
    ear = ear_of((3, LOUD, b""), (2, b"", LOUD))
    assert ear.now_ms == 100
    assert ear.heard_between(40, 80) == LOUD * 160 + SOFT * 160
    assert ear.said_between(40, 80) == SOFT * 160 + LOUD * 160


def test_a_source_that_runs_dry_within_a_frame_ends_there() -> None:
    ear = Ear()
    ear.remember(LOUD * 160, b"", "stream")
    ear.remember(LOUD * 40, b"", "stream")
    ear.remember(b"", b"", "stream")
    assert ear.segments == [Segment(0, 25, "stream")]
    assert ear.from_source("stream") == LOUD * 200


def test_replies_are_told_apart_by_their_byte() -> None:
    ear = ear_of((2, b"\x11", b""), (1, b"\x12", b""), (5, b"", b""), (1, b"\x12", b""))
    assert ear.runs() == [Run(0x11, 0, 40), Run(0x12, 40, 20), Run(0x12, 160, 20)]


def test_silence_that_was_sent_is_no_run_and_no_sound() -> None:
    ear = ear_of((1, LOUD, b""), (50, b"\xff", b""), (1, LOUD, b""))
    assert [run.start_ms for run in ear.runs()] == [0, 1020]
    assert ear.silences() == [Span(20, 1020)]


def test_dead_air_is_when_neither_side_is_heard() -> None:
    ear = ear_of((10, LOUD, b""), (100, b"", b""), (10, b"", LOUD), (60, b"", b""))
    assert ear.silences() == [Span(200, 2200), Span(2400, 3600)]
    assert ear.silences(at_least_ms=1500) == [Span(200, 2200)]
    assert ear.silence_owed == 1200


def test_an_unvoiced_announcement_is_not_dead_air() -> None:
    ear = Ear()
    for _ in range(100):
        ear.remember(SOFT * FRAME, b"", "say", "Hello.", counts_as_sound=True)
    assert ear.silences() == []
    assert ear.segments == [Segment(0, 2000, "say", "Hello.")]


def test_an_answer_gap_runs_from_the_last_word_to_the_first_sound_of_the_answer() -> None:
    ear = ear_of((10, b"", LOUD), (25, b"", b""), (10, b"", LOUD), (60, b"", b""), (10, LOUD, b""))
    assert ear.answer_gaps() == [Span(900, 2100)]


def test_speech_that_interrupts_and_speech_without_an_answer_have_no_gap() -> None:
    interrupting = ear_of((10, LOUD, b""), (10, LOUD, LOUD), (10, LOUD, b""))
    assert interrupting.answer_gaps() == []
    assert ear_of((10, b"", LOUD), (100, b"", b"")).answer_gaps() == []


def test_short_pauses_belong_to_what_is_said() -> None:
    ear = ear_of((10, LOUD, b""), (10, b"", b""), (10, LOUD, b""))
    assert ear.agent_spans() == [Span(0, 200), Span(400, 600)]
    assert ear.agent_spans(pause_ms=300) == [Span(0, 600)]
