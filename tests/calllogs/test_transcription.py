"""Whisper's words with their times and speakers: with the real local model, and with OpenAI's answers over real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from calllogs import whisper
from calllogs.transcription import NotTranscribed, SpokenWords, transcribe
from calllogs.whisper import HeardWord, without_loops

from .media import MediaServer, serving
from .recordings import noise, silence, spoken, tone, wav


def heard(*texts: str) -> list[HeardWord]:
    return [HeardWord(at, at + 0.5, text) for at, text in enumerate(texts)]


class TestLoops:
    def test_a_phrase_in_circles_is_kept_once(self) -> None:
        assert [w.text for w in without_loops(heard("Hello", *["thank", "you."] * 20))] == ["Hello", "thank", "you."]

    def test_a_word_in_circles_is_kept_once(self) -> None:
        assert [w.text for w in without_loops(heard(*["Okay."] * 9, "Bye"))] == ["Okay.", "Bye"]

    def test_digits_that_repeat_as_people_say_them_are_kept(self) -> None:
        assert len(without_loops(heard("four", "five", "five", "five", "five", "two"))) == 6

    def test_no_words_are_no_loop(self) -> None:
        assert without_loops([]) == []


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

    def test_silence_and_noise_have_no_words(self, on_this_machine: None, tmp_path: Path) -> None:
        file = tmp_path / "quiet.wav"
        file.write_bytes(wav(silence(60), noise(60, 500)))
        assert transcribe(file, 2).words == ()

    def test_a_tone_has_no_words_either(self, on_this_machine: None, tmp_path: Path) -> None:
        file = tmp_path / "tone.wav"
        file.write_bytes(wav(silence(1) + tone(6) + silence(1)))
        assert transcribe(file, 1).words == ()

    def test_a_model_that_is_not_there_is_said_in_words(self, settings: Any, tmp_path: Path) -> None:
        settings.TRANSCRIBER, settings.LOCAL_TRANSCRIPTION_MODEL = "local", str(tmp_path)
        (tmp_path / "call.wav").write_bytes(wav(silence(1) + tone(1) + silence(1)))
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
    """The caller from second 2 to 4, the agent from second 5 to 7."""
    file = tmp_path / "call.wav"
    file.write_bytes(wav(silence(2) + tone(2) + silence(4), silence(5) + tone(2) + silence(1)))
    return file


class TestAtOpenAI:
    def test_both_sides_are_merged_into_one_timeline(self, openai: MediaServer, two_sides: Path) -> None:
        openai.answers(answer(("Where", 0.2, 0.6), ("is", 0.7, 0.9)), answer(("Shipped.", 0.3, 1.1)))
        words = transcribe(two_sides, 2).words
        assert [(word.speaker, word.text) for word in words] == [("caller", "Where"), ("caller", "is"), ("agent", "Shipped.")]
        assert 1900 <= words[0].start_ms <= 2100
        assert 5000 <= words[2].start_ms <= 5300

    def test_word_times_are_asked_for_and_the_key_is_sent(self, openai: MediaServer, two_sides: Path) -> None:
        openai.answers(answer(), answer())
        assert transcribe(two_sides, 2).model == "whisper-1"
        request = openai.requests[0]
        assert request.path == "/v1/audio/transcriptions"
        assert request.headers["authorization"] == "Bearer a key for tests"
        for part in (b"verbose_json", b"word", b"whisper-1", b"RIFF"):
            assert part in request.body

    def test_a_silent_channel_is_not_sent_anywhere(self, openai: MediaServer, tmp_path: Path) -> None:
        (tmp_path / "quiet.wav").write_bytes(wav(silence(30), silence(30)))
        assert transcribe(tmp_path / "quiet.wav", 2).words == ()
        assert openai.requests == []

    def test_a_segment_that_whisper_doubts_was_speech_is_left_out(self, openai: MediaServer, two_sides: Path) -> None:
        doubted = [segment(0, 1), segment(1, 2, no_speech_prob=0.9, avg_logprob=-1.4)]
        openai.answers(answer(("Hello", 0.2, 0.6), ("Thanks", 1.1, 1.3), segments=doubted), answer())
        assert transcribe(two_sides, 2).text == "Hello"

    def test_words_where_nobody_spoke_are_left_out(self, openai: MediaServer, two_sides: Path) -> None:
        openai.answers(answer(("Hello", 0.2, 0.6), ("Subscribe!", 9.0, 9.5)), answer())
        assert transcribe(two_sides, 2).text == "Hello"

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
