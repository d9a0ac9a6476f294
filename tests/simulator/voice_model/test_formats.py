import numpy as np
import pytest

from simulator.speech import decode_mulaw, encode_mulaw
from simulator.voice_model.formats import Format, InputBuffer

PCM, PCMU = Format("audio/pcm"), Format("audio/pcmu")


def tone(hertz: int, rate: int, ms: int) -> np.ndarray:
    seconds = np.arange(rate * ms // 1000) / rate
    return (np.sin(2 * np.pi * hertz * seconds) * 8000).astype(np.int16)


def test_mulaw_passes_as_it_is() -> None:
    assert PCMU.decode(b"\x00\x7f\xff") == b"\x00\x7f\xff"
    assert PCMU.encode(b"\x00\x7f\xff") == b"\x00\x7f\xff"
    assert PCMU.as_object() == {"type": "audio/pcmu"}


def test_pcm_becomes_the_same_sound_at_the_telephones_rate() -> None:
    heard = decode_mulaw(PCM.decode(tone(440, 24000, 500).astype("<i2").tobytes())).astype(float)
    expected = tone(440, 8000, 500).astype(float)
    assert len(heard) == len(expected)
    assert np.corrcoef(heard[200:-200], expected[200:-200])[0, 1] > 0.999


def test_the_telephones_sound_becomes_pcm_of_the_same_length() -> None:
    pcm = np.frombuffer(PCM.encode(encode_mulaw(tone(440, 8000, 500))), "<i2").astype(float)
    expected = tone(440, 24000, 500).astype(float)
    assert len(pcm) == len(expected)
    assert np.corrcoef(pcm[600:-600], expected[600:-600])[0, 1] > 0.999
    assert PCM.as_object() == {"type": "audio/pcm", "rate": 24000}


def test_nothing_stays_nothing_and_half_a_sample_is_refused() -> None:
    assert PCM.decode(b"") == PCM.encode(b"") == b""
    with pytest.raises(ValueError, match="half"):
        PCM.decode(b"\x00\x01\x02")


def test_a_buffer_counts_time_from_its_first_byte_whatever_it_has_let_go() -> None:
    buffer = InputBuffer()
    buffer.append(b"\x01" * 8000)
    buffer.keep_last(400)
    assert (buffer.begins_ms, buffer.ends_ms, buffer.ms) == (600, 1000, 400)
    buffer.append(b"\x02" * 1600)
    assert buffer.cut(900, 1100) == b"\x01" * 800 + b"\x02" * 800
    assert (buffer.begins_ms, buffer.ends_ms) == (1100, 1200)


def test_a_cut_that_reaches_beyond_takes_what_there_is() -> None:
    buffer = InputBuffer()
    buffer.append(b"\x01" * 800)
    assert buffer.cut(-500, 5000) == b"\x01" * 800
    assert buffer.cut(0, 100) == b""
    buffer.append(b"\x02" * 80)
    buffer.clear()
    assert (buffer.ms, buffer.ends_ms) == (0, 110)
