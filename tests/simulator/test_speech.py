"""The models are real and loaded once for the module; sentences are short, so that the whole file takes seconds."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from simulator import speech
from simulator.speech import Listener, SpeechDetector, SpeechStarted, SpeechStopped, Voice, decode_mulaw, encode_mulaw, silence


@pytest.fixture(scope="module")
def agents_voice() -> Voice:
    voice = Voice()
    voice.warm_up()
    return voice


@pytest.fixture(scope="module")
def callers_voice() -> Voice:
    return Voice("caller")


@pytest.fixture(scope="module")
def listener() -> Listener:
    listener = Listener()
    listener.warm_up()
    return listener


def words(text: str) -> str:
    return "".join(letter for letter in text.lower().replace("-", "") if letter.isalnum() or letter == " ")


# µ-law


def test_every_code_survives_a_round_trip_but_minus_zero() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)
    assert encode_mulaw(decode_mulaw(codes)) == codes
    assert encode_mulaw(decode_mulaw(b"\x7f")) == b"\xff"


@pytest.mark.parametrize(("code", "level"), [(0xFF, 0), (0x7F, 0), (0x00, -32124), (0x80, 32124), (0xFE, 8), (0x7E, -8)])
def test_the_levels_are_those_of_the_standard(code: int, level: int) -> None:
    assert decode_mulaw(bytes([code]))[0] == level


def test_encoding_errs_by_less_than_a_sixteenth() -> None:
    samples = np.arange(-32124, 32124, dtype=np.int16)
    errors = np.abs(decode_mulaw(encode_mulaw(samples)).astype(np.int32) - samples)
    assert np.all(errors <= np.maximum(np.abs(samples.astype(np.int32)) / 16, 4))


def test_silence_is_zero_and_as_long_as_asked() -> None:
    assert len(silence(20)) == 160
    assert not decode_mulaw(silence(20)).any()


def test_what_the_telephone_cannot_carry_does_not_come_back_as_a_lower_tone() -> None:
    seconds = np.arange(24000, dtype=np.float32) / 24000
    high = speech.to_telephone(np.sin(2 * np.pi * 6000 * seconds).astype(np.float32) * 0.8, 24000)
    assert len(high) == 8000
    assert np.abs(decode_mulaw(high)[200:-200].astype(np.int32)).max() < 300


# Spelling


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Your order 47192 has shipped.", "Your order 4 7 1 9 2 has shipped."),
        ("Order ORD-47192.", "Order O.R.D. 4 7 1 9 2."),
        ("Your reference is APT-7.", "Your reference is A.P.T. 7."),
        ("Call 415-555-0142 please.", "Call 4 1 5, 5 5 5, 0 1 4 2 please."),
        ("Call +1 (415) 555-0142.", "Call 1, 4 1 5, 5 5 5, 0 1 4 2."),
        ("The total is $1284.45.", "The total is $1284.45."),
        ("It was on March 3rd 2026 at 14:30.", "It was on March 3rd 2026 at 14:30."),
        ("Two jackets, 128 dollars.", "Two jackets, 128 dollars."),
        ("4 7 1 9 2", "4 7 1 9 2"),
    ],
)
def test_codes_are_spelled_and_prices_and_dates_are_not(written: str, read: str) -> None:
    assert speech.spelled(written) == read


# Voice and ear


def test_the_same_text_gives_the_same_bytes_in_any_thread(agents_voice: Voice) -> None:
    with ThreadPoolExecutor(4) as threads:
        said = set(threads.map(agents_voice.say, ["Thank you for calling."] * 4))
    assert len(said) == 1


def test_sentences_come_one_by_one_and_add_up(agents_voice: Voice) -> None:
    text = "Your order has shipped. It arrives on Tuesday."
    parts = list(agents_voice.sentences(text))
    assert len(parts) == 2
    assert b"".join(parts) == agents_voice.say(text)


def test_nothing_to_say_is_no_audio(agents_voice: Voice) -> None:
    assert agents_voice.say("") == b""


def test_the_callers_voice_is_deeper_and_keeps_its_pace(agents_voice: Voice, callers_voice: Voice) -> None:
    text = "I would like to speak to a person."

    def pitch(mulaw: bytes) -> float:
        samples = decode_mulaw(mulaw).astype(np.float64)
        alike = np.correlate(samples[4000:8000], samples[4000:8000], "full")[3999:]
        return 8000 / (26 + int(np.argmax(alike[26:110])))

    agent, caller = agents_voice.say(text), callers_voice.say(text)
    assert pitch(caller) < pitch(agent)
    assert 0.85 < len(caller) / len(agent) < 1.2


SENTENCES = [
    "Hi, where is my order?",
    "My order number is 47192.",
    "I'd like a call back tomorrow at two in the afternoon.",
    "Can I speak to a person, please?",
    "Please cancel my order.",
    "What are your opening hours?",
    "How do I return a jacket?",
    "Yes please.",
    "No, thank you. Goodbye.",
]


@pytest.mark.parametrize("character", ["agent", "caller"])
def test_what_a_voice_says_over_the_telephone_is_understood(character: str, listener: Listener) -> None:
    voice = Voice(character)  # type: ignore[arg-type]
    said = [words(sentence).replace(" two ", " 2 ").replace("47192", "4 7 1 9 2") for sentence in SENTENCES]
    heard = [
        words(listener.hear(voice.say(sentence))).replace("47192", "4 7 1 9 2").replace(" two ", " 2 ") for sentence in SENTENCES
    ]
    understood = sum(one == other for one, other in zip(said, heard, strict=True))
    assert understood >= len(SENTENCES) - 1, heard


def test_the_digits_of_an_order_survive_noise_on_the_line(callers_voice: Voice, listener: Listener) -> None:
    samples = decode_mulaw(callers_voice.say("It is 4 7 1 9 2.")).astype(np.float64)
    noise = np.random.default_rng(1).normal(0, samples.std() / 10, len(samples))
    noisy = encode_mulaw(np.clip(samples + noise, -32768, 32767).astype(np.int16))
    assert "47192" in words(listener.hear(noisy)).replace(" ", "")


@pytest.mark.parametrize("mulaw", [b"", silence(10), silence(2000)], ids=["nothing", "too short", "silence"])
def test_where_nobody_speaks_nothing_is_heard(mulaw: bytes, listener: Listener) -> None:
    assert listener.hear(mulaw) == ""


def test_a_long_recording_is_heard_to_its_end(agents_voice: Voice, listener: Listener) -> None:
    long = b"".join(agents_voice.say(sentence) + silence(2500) for sentence in [*SENTENCES, "This was the last sentence."])
    assert len(long) > 30 * 8000
    assert "last sentence" in listener.hear(long)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("What are your hours? What are your hours? What are your", "What are your hours?"),
        ("Yes. Yes. Yes.", "Yes."),
        ("Is it open? Yes.", "Is it open? Yes."),
        ("", ""),
    ],
)
def test_a_repeated_tail_is_dropped(heard: str, meant: str) -> None:
    assert speech.without_echo(heard) == meant


# Models


def test_the_base_model_is_joined_once_and_is_the_one_we_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "MODELS", tmp_path)
    folder = speech.model_folder("base")
    assert folder == tmp_path / "base"
    joined = (folder / "model.bin").stat().st_mtime_ns
    assert speech.model_folder("base") == folder
    assert (folder / "model.bin").stat().st_mtime_ns == joined
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_a_model_with_other_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "model.bin").write_bytes(b"not a model")
    monkeypatch.setattr(speech, "MODELS", tmp_path)
    with pytest.raises(speech.WrongModel):
        speech.model_folder("base")


# Detection


def in_frames(mulaw: bytes, size: int = 160) -> Iterator[bytes]:
    return (mulaw[start : start + size] for start in range(0, len(mulaw), size))


def test_one_sentence_is_one_start_and_one_stop(callers_voice: Voice) -> None:
    said = callers_voice.say("Where is my order?")
    detector = SpeechDetector(silence_ms=500)
    events = [event for frame in in_frames(silence(1000) + said + silence(1000)) for event in detector.feed(frame)]
    started, stopped = events
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert 600 <= started.at_ms <= 1200
    last_audible_ms = 1000 + int(np.flatnonzero(np.abs(decode_mulaw(said).astype(np.int32)) > 500)[-1]) / 8
    assert last_audible_ms + 400 <= stopped.at_ms <= last_audible_ms + 900
    assert not detector.speaking


def test_a_short_pause_does_not_end_the_speech(callers_voice: Voice) -> None:
    said = (
        silence(500) + callers_voice.say("My order number is") + silence(200) + callers_voice.say("four seven one.") + silence(1500)
    )
    detector = SpeechDetector(silence_ms=1000)
    assert [type(event) for event in detector.feed(said)] == [SpeechStarted, SpeechStopped]


def test_the_padding_never_reaches_back_into_what_was_already_said(callers_voice: Voice) -> None:
    said = (silence(300) + callers_voice.say("Yes please.") + silence(600)) * 2
    detector = SpeechDetector(prefix_padding_ms=2000, silence_ms=300)
    started, stopped, again, _ = detector.feed(said)
    assert started.at_ms == 0
    assert again.at_ms >= stopped.at_ms


def test_silence_noise_and_a_key_press_are_not_speech() -> None:
    noise = random.Random(1)
    quiet = bytes(noise.choice((0xFF, 0xFE, 0x7E, 0xFD, 0x7D)) for _ in range(8000))
    seconds = np.arange(8000) / 8000
    key = encode_mulaw(((np.sin(2 * np.pi * 770 * seconds) + np.sin(2 * np.pi * 1336 * seconds)) * 8000).astype(np.int16))
    detector = SpeechDetector()
    assert detector.feed(silence(2000) + quiet + key[:1600] + silence(500)) == []


def test_the_pieces_a_stream_comes_in_make_no_difference(callers_voice: Voice) -> None:
    stream = silence(400) + callers_voice.say("Hello there, it is me.") + silence(900)
    whole = SpeechDetector().feed(stream)
    detector = SpeechDetector()
    assert [event for piece in in_frames(stream, 37) for event in detector.feed(piece)] == whole
