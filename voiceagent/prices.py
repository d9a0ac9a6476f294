"""What the engine and the carrier charge, as data, each from a day on. A new price is a new line; old calls keep theirs.

Dollars, as the price lists write them; what is reckoned with are millionths of a dollar, whole. They leave out what is charged by
the month. Sources: OpenAI's model pages and Twilio's price list for the United States, autumn 2026.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .call.spending import MILLION, Tariff


@dataclass(frozen=True, slots=True)
class Price:
    """Of one model. Dollars for a million tokens: read anew, read again, made; or for a minute of transcription."""

    model: str
    since: date
    text: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    minute: str = ""


AUTUMN = date(2026, 9, 1)
PRICES = (
    Price("gpt-realtime-2.1", AUTUMN, text=("4", "0.40", "24"), audio=("32", "0.40", "64")),
    Price("gpt-realtime-2", AUTUMN, text=("4", "0.40", "24"), audio=("32", "0.40", "64")),
    Price("gpt-realtime-2.1-mini", AUTUMN, text=("0.60", "0.06", "2.40"), audio=("10", "0.30", "20")),
    Price("gpt-realtime-1.5", AUTUMN, text=("4", "0.40", "16"), audio=("32", "0.40", "64")),
    Price("gpt-transcribe", AUTUMN, minute="0.0045"),
    Price("gpt-live-transcribe", AUTUMN, minute="0.017"),
    Price("gpt-realtime-whisper", AUTUMN, minute="0.017"),
    Price("whisper-1", AUTUMN, minute="0.006"),
)
# An incoming minute, its media stream and its recording; and a minute of ringing somebody and talking with them.
LINE_MINUTE = "0.0154"
DIALLED_MINUTE = "0.0140"

# No call costs less, in millionths: the greeting, a question, an answer, a minute of the line. So much is put aside at a time.
LEAST_CALL_MICRO = 100_000


def micro(dollars: str) -> int:
    return int(Decimal(dollars) * MILLION)


LINE_MINUTE_MICRO = micro(LINE_MINUTE)
DIALLED_MINUTE_MICRO = micro(DIALLED_MINUTE)


def tariff(model: str, transcription_model: str, on: date) -> Tariff:
    """What counts for a call that begins on that day. A model that has no price is taken to be the dearest there is."""
    replies, transcription = _price(model, on), _price(transcription_model, on)
    speak = [replies] if replies and replies.audio else [one for one in PRICES if one.audio]
    write = [transcription] if transcription and transcription.minute else [one for one in PRICES if one.minute]
    return Tariff(
        f"{model}, {transcription_model}",
        text=_dearest([one.text for one in speak]),
        audio=_dearest([one.audio for one in speak]),
        transcribed_minute=max(micro(one.minute) for one in write),
        line_minute=LINE_MINUTE_MICRO,
        replies_are_known=speak == [replies],
        transcription_is_known=write == [transcription] or not transcription_model,
    )


def _dearest(prices: list[tuple[str, ...]]) -> tuple[int, int, int]:
    anew, again, made = (max(map(micro, kind)) for kind in zip(*prices, strict=True))
    return anew, again, made


def _price(model: str, on: date) -> Price | None:
    """A model is also meant by its name with a date after it, as in gpt-realtime-2.1-2026-08-01."""
    named = [one for one in PRICES if one.since <= on and (model == one.model or model.startswith(f"{one.model}-2"))]
    return max(named, key=lambda one: (len(one.model), one.since), default=None)
