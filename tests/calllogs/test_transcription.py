"""Whisper's words with their times and speakers: with the real local model, and with OpenAI's answers over real HTTP."""

import json
import wave
from array import array
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import override_settings

from benchmarks import word_times
from calllogs import sound, voice, whisper
from calllogs.transcription import NotTranscribed, SpokenWords, Suppressed, Word, transcribe, without_cards
from simulator.speech import decode_mulaw, encode_mulaw

from .media import MediaServer, serving
from .recordings import noise, silence, spoken, tone, wav


@pytest.fixture(scope="module")
def on_this_machine() -> Iterator[None]:
    with override_settings(TRANSCRIBER="local", LOCAL_TRANSCRIPTION_MODEL="base"):
        yield


@pytest.fixture(scope="module")
def conversation(on_this_machine: None, tmp_path_factory: pytest.TempPathFactory) -> SpokenWords:
    """Ada gives her order number from the first second; the agent answers after she has finished."""
    asked = silence(1) + spoken("Where is my order? The number is 4, 7, 1, 9, 2.")
    answered = silence(len(asked) / 8000 + 1) + spoken("It was shipped, and arrives on Monday.")
    file = tmp_path_factory.mktemp("spoken") / "call.wav"
    file.write_bytes(wav(asked, answered + silence(2)))
    return transcribe(file, 2)


@cache
def nobody_speaks() -> dict[str, Any]:
    """A minute of each."""
    return dict(word_times.nobody_speaks(60))


class TestCards:
    def test_one_word_stands_for_a_card_number_and_lasts_as_long(self) -> None:
        texts = ["my", "card", "4111", "1111", "1111", "1111", "please"]
        words = [Word("caller", at * 100, at * 100 + 90, text) for at, text in enumerate(texts)]
        found = without_cards(words)
        assert [word.text for word in found] == ["my", "card", "[card number]", "please"]
        assert (found[2].start_ms, found[2].end_ms) == (200, 590)

    def test_a_number_is_one_speakers_also_while_the_other_speaks(self) -> None:
        caller = [Word("caller", at * 100, at * 100 + 90, "4111" if at == 0 else "1111") for at in range(4)]
        agent = [Word("agent", 150, 250, "yes"), Word("agent", 250, 300, "7")]
        assert [word.text for word in without_cards([*caller, *agent])] == ["[card number]", "yes", "7"]

    def test_what_is_left_out_is_left_out_without_the_number(self) -> None:
        (left_out,) = without_cards([Suppressed("caller", 0, 900, "4111 1111 1111 1111", "unlikely")])
        assert (left_out.text, left_out.reason) == ("[card number]", "unlikely")
        silent = Suppressed("caller", 0, 900, "", "no_speech")
        assert without_cards([silent]) == [silent]


class TestOnThisMachine:
    def test_the_digits_of_an_order_are_heard_from_the_caller(self, conversation: SpokenWords) -> None:
        words = " ".join(word.text for word in conversation.words if word.speaker == "caller")
        assert "47192" in "".join(filter(str.isdigit, words))

    def test_the_agent_is_told_apart_and_comes_after(self, conversation: SpokenWords) -> None:
        agent = [word for word in conversation.words if word.speaker == "agent"]
        caller = [word for word in conversation.words if word.speaker == "caller"]
        assert "monday" in " ".join(word.text for word in agent).lower()
        assert max(word.end_ms for word in caller) <= min(word.start_ms for word in agent)

    def test_words_stand_in_the_order_they_were_said_at_the_time_of_the_recording(self, conversation: SpokenWords) -> None:
        starts = [word.start_ms for word in conversation.words]
        assert starts == sorted(starts)
        assert 800 <= starts[0] <= 2000
        assert all(word.start_ms <= word.end_ms for word in conversation.words)

    def test_they_are_plain_json(self, conversation: SpokenWords) -> None:
        assert json.loads(json.dumps(conversation.as_json()))[0]["speaker"] == "caller"
        assert "base" in conversation.model

    def test_the_model_and_the_thresholds_are_told(self, conversation: SpokenWords) -> None:
        assert conversation.thresholds["voice"] == 0.5
        assert conversation.thresholds["no_speech"] == 0.6
        assert conversation.thresholds["quietest_speech"] == 40
        assert json.loads(json.dumps(conversation.thresholds)) == conversation.thresholds

    @pytest.mark.parametrize(
        "name", ["silence", "µ-law noise, -20 dB", "noise that swells", "organ, arpeggio", "a band", "ringing"]
    )
    def test_nobody_is_heard_where_nobody_speaks(self, on_this_machine: None, tmp_path: Path, name: str) -> None:
        sounds = nobody_speaks()
        found = transcribe(word_times.written(tmp_path / "nobody.wav", sounds[name], sounds["silence"]), 2)
        assert found.words == ()
        assert {(one.speaker, one.text, one.reason) for one in found.suppressed} <= {("caller", "", "no_speech")}

    def test_music_that_pauses_like_a_speaker_is_said_to_be_there(self, on_this_machine: None, tmp_path: Path) -> None:
        music = nobody_speaks()["brass, with rests"][: 12 * 8000]
        found = transcribe(word_times.written(tmp_path / "music.wav", music), 1)
        assert found.words == ()
        assert [one.reason for one in found.suppressed] == ["no_speech"] * 2
        assert found.suppressed[1].start_ms == pytest.approx(5500, abs=400)

    @pytest.mark.parametrize(
        ("text", "loudness", "hiss"),
        [("Thank you.", 1.0, 0), ("Thank you.", 0.1, 20), ("Thank you.", 1.0, 400), ("I want the blue jacket.", 0.03, 0)],
    )
    def test_what_people_say_is_kept_quiet_or_in_noise(
        self, on_this_machine: None, tmp_path: Path, text: str, loudness: float, hiss: int
    ) -> None:
        said = silence(3) + spoken(text) + silence(3)
        line = array(
            "h", (round(loudness * one) + other for one, other in zip(said, noise(len(said) / 8000, hiss or 1), strict=True))
        )
        file = tmp_path / "call.wav"
        file.write_bytes(wav(decode_mulaw(encode_mulaw(np.array(line, np.int16))).tolist()))
        assert transcribe(file, 1).text.lower().split()[:2] == text.lower().split()[:2]

    def test_words_are_where_they_were_said(self, on_this_machine: None, tmp_path: Path) -> None:
        """A small `python -m benchmarks.word_times`."""
        placed, sides = word_times.conversation(word_times.SENTENCES[:4])
        file = word_times.written(tmp_path / "call.wav", sides["caller"], sides["agent"])
        result = word_times.compared(placed, word_times.as_said(word_times.heard(file, 2)))
        assert len(result.errors_ms) >= 0.9 * result.said
        assert result.median_ms < 50

    def test_a_model_that_is_not_there_is_said_in_words(self, settings: Any, tmp_path: Path) -> None:
        settings.TRANSCRIBER, settings.LOCAL_TRANSCRIPTION_MODEL = "local", str(tmp_path)
        (tmp_path / "call.wav").write_bytes(wav(silence(1) + spoken("Thank you.") + silence(1)))
        with pytest.raises(NotTranscribed, match=r"nor a folder with a model\.bin"):
            transcribe(tmp_path / "call.wav", 1)


def segment(start: float, end: float, **changes: float) -> dict[str, Any]:
    return {
        "id": 0, "seek": 0, "start": start, "end": end, "text": "", "tokens": [], "temperature": 0.0,
        "avg_logprob": -0.2, "no_speech_prob": 0.01, "compression_ratio": 1.1,
    } | changes  # fmt: skip


def answer(*words: tuple[str, float, float], segments: list[dict[str, Any]] | None = None) -> bytes:
    said = [{"word": text, "start": start, "end": end} for text, start, end in words]
    whole = segments or [segment(0, 100)]
    return json.dumps(
        {"task": "transcribe", "language": "english", "duration": 5.0, "text": "", "words": said, "segments": whole}
    ).encode()


@pytest.fixture
def openai(settings: Any) -> Iterator[MediaServer]:
    with serving() as server:
        settings.TRANSCRIBER, settings.OPENAI_BASE_URL = "openai", f"{server.url}/v1"
        yield server


@pytest.fixture
def two_sides(tmp_path: Path) -> Path:
    """The caller from second 2, the agent from second 6."""
    file = tmp_path / "call.wav"
    file.write_bytes(
        wav(silence(2) + spoken("Where is my order?") + silence(4), silence(6) + spoken("It was shipped.") + silence(1))
    )
    return file


class TestAtOpenAI:
    def test_both_sides_are_merged_into_one_timeline(self, openai: MediaServer, two_sides: Path) -> None:
        openai.answers(answer(("Where", 0.2, 0.6), ("is", 0.7, 0.9)), answer(("Shipped.", 0.3, 1.1)))
        words = transcribe(two_sides, 2).words
        assert [(word.speaker, word.text) for word in words] == [("caller", "Where"), ("caller", "is"), ("agent", "Shipped.")]
        assert 2000 <= words[0].start_ms <= 2700
        assert 6000 <= words[2].start_ms <= 6700

    def test_word_times_are_asked_for_and_the_key_is_sent(self, openai: MediaServer, two_sides: Path) -> None:
        openai.answers(answer(), answer())
        assert transcribe(two_sides, 2).model == "whisper-1"
        request = openai.requests[0]
        assert request.path == "/v1/audio/transcriptions"
        assert request.headers["authorization"] == "Bearer a key for tests"
        for part in (b"verbose_json", b"word", b"segment", b"whisper-1", b"RIFF"):
            assert part in request.body

    def test_a_silent_channel_is_not_sent_anywhere(self, openai: MediaServer, tmp_path: Path) -> None:
        (tmp_path / "quiet.wav").write_bytes(wav(silence(30), silence(30)))
        assert transcribe(tmp_path / "quiet.wav", 2).words == ()
        assert openai.requests == []

    def test_a_segment_that_whisper_doubts_was_speech_is_left_out(self, openai: MediaServer, two_sides: Path) -> None:
        doubted = [segment(0, 1), segment(1, 2, no_speech_prob=0.9, avg_logprob=-1.4)]
        openai.answers(answer(("Hello", 0.2, 0.6), ("Thanks", 1.1, 1.3), segments=doubted), answer())
        found = transcribe(two_sides, 2)
        assert found.text == "Hello"
        assert [(one.speaker, one.text, one.reason) for one in found.suppressed] == [("caller", "Thanks", "no_speech")]
        assert 2500 <= found.suppressed[0].start_ms <= 3500

    def test_words_without_segments_are_believed(self, openai: MediaServer, two_sides: Path) -> None:
        late = [segment(0.5, 100)]
        openai.answers(answer(("Hello", 0.2, 0.4), ("there", 0.6, 0.9), segments=late), answer())
        assert transcribe(two_sides, 2).text == "Hello there"

    def test_music_is_not_sent_anywhere(self, openai: MediaServer, tmp_path: Path) -> None:
        (tmp_path / "tone.wav").write_bytes(wav(silence(2) + tone(4) + silence(2)))
        found = transcribe(tmp_path / "tone.wav", 1)
        assert (found.words, openai.requests) == ((), [])
        [left_out] = found.suppressed
        assert (left_out.text, left_out.reason) == ("", "no_speech")

    def test_where_no_voice_can_be_told_from_music_whatever_is_loud_is_sent(
        self, openai: MediaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(voice, "detector", lambda: None)
        (tmp_path / "tone.wav").write_bytes(wav(silence(2) + tone(4) + silence(30)))
        openai.answers(answer(("Hello", 0.9, 1.4), ("Subscribe!", 29.0, 29.5)))
        found = transcribe(tmp_path / "tone.wav", 1)
        assert (found.text, len(openai.requests)) == ("Hello", 1)
        with wave.open(BytesIO(openai.requests[0].body[openai.requests[0].body.index(b"RIFF") :])) as sent:
            assert sent.getnframes() < 6 * 8000, "long silence is not sent"

    def test_a_long_recording_is_sent_in_pieces_and_put_together(
        self, openai: MediaServer, two_sides: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sound, "LONGEST_PIECE_MS", 2000)
        (two_sides).write_bytes(wav((silence(2) + spoken("Where is my order?")) * 3 + silence(1)))
        openai.answers(*[answer(("Where", 0.5, 0.9))] * 3)
        words = transcribe(two_sides, 1).words
        apart = [second.start_ms - first.start_ms for first, second in pairwise(words)]
        assert apart == [pytest.approx(2000 + len(spoken("Where is my order?")) / 8, abs=60)] * 2

    def test_a_refusal_is_another_attempt_and_quotes_nothing(self, openai: MediaServer, two_sides: Path) -> None:
        openai.answers((401, b'{"error": {"message": "bad key: a key for tests"}}'))
        with pytest.raises(NotTranscribed) as refused:
            transcribe(two_sides, 2)
        assert "a key for tests" not in str(refused.value)

    def test_whoever_lost_the_row_stops(self, openai: MediaServer, two_sides: Path) -> None:
        def somebody_else_has_it() -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            transcribe(two_sides, 2, still_at_it=somebody_else_has_it)
        assert openai.requests == []


@pytest.mark.parametrize(
    ("transcriber", "key", "expected"),
    [
        ("auto", "sk-1", "whisper-1"),
        ("auto", "", "whisper base, on this machine"),
        ("local", "sk-1", "whisper base, on this machine"),
    ],
)
def test_openai_transcribes_where_there_is_a_key_unless_told_otherwise(
    settings: Any, transcriber: str, key: str, expected: str
) -> None:
    settings.TRANSCRIBER, settings.OPENAI_API_KEY = transcriber, key
    assert whisper.chosen().model == expected
