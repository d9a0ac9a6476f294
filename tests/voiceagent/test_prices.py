"""The price list: what counts on which day, and what is taken for a model that is not on it."""

from datetime import date

import pytest

from voiceagent import prices
from voiceagent.call.usage import Usage
from voiceagent.prices import LEAST_CALL_MICRO, PRICES, Price, micro, tariff

TODAY = date(2026, 11, 23)
MILLION = 1_000_000


def test_a_call_with_the_standard_models_costs_what_the_price_lists_say():
    chosen = tariff("gpt-realtime-2.1", "gpt-transcribe", TODAY)
    assert (chosen.replies_are_known, chosen.transcription_is_known) == (True, True)
    # Dollars for a million of each; see the sources named there.
    priced = {"text_in": 4, "text_again": 0.4, "text_out": 24, "audio_in": 32, "audio_again": 0.4, "audio_out": 64}
    for kind, dollars in priced.items():
        assert chosen.of(Usage(**{kind: MILLION})) == dollars * MILLION
    assert chosen.of(Usage(transcribed_s=60)) == 4500
    assert chosen.line_minute == 15_400


def test_a_dated_name_is_the_same_model_and_a_longer_name_another():
    dated, mini = tariff("gpt-realtime-2.1-2026-10-06", "", TODAY), tariff("gpt-realtime-2.1-mini", "", TODAY)
    assert dated.audio == tariff("gpt-realtime-2.1", "", TODAY).audio
    assert dated.replies_are_known and mini.replies_are_known
    assert mini.audio == (10 * MILLION, 300_000, 20 * MILLION)
    assert not tariff("gpt-realtime-2.1-maxi", "", TODAY).replies_are_known


def test_a_new_price_holds_from_its_day_on(monkeypatch):
    dearer = Price("gpt-transcribe", date(2026, 12, 1), minute="0.0050")
    monkeypatch.setattr(prices, "PRICES", (dearer, *PRICES))
    assert tariff("gpt-realtime-2.1", "gpt-transcribe", date(2026, 11, 30)).transcribed_minute == 4500
    assert tariff("gpt-realtime-2.1", "gpt-transcribe", date(2026, 12, 1)).transcribed_minute == 5000


@pytest.mark.parametrize(
    ("model", "transcription", "known"),
    [
        ("practice-model", "gpt-transcribe", (False, True)),
        ("gpt-realtime-2.1", "another", (True, False)),
        # Nothing is written down, so nothing has to be known.
        ("gpt-realtime-2.1", "", (True, True)),
        ("", "", (False, True)),
        # Of the other kind.
        ("whisper-1", "gpt-realtime-2.1", (False, False)),
    ],
)
def test_a_model_without_a_price_is_the_dearest_there_is(model, transcription, known):
    chosen = tariff(model, transcription, TODAY)
    assert (chosen.replies_are_known, chosen.transcription_is_known) == known
    for one in PRICES:
        listed = tariff(one.model, one.model, TODAY)
        assert chosen.audio >= listed.audio or known[0]
        assert chosen.transcribed_minute >= listed.transcribed_minute or known[1]


def test_before_the_first_list_nothing_is_known():
    assert not tariff("gpt-realtime-2.1", "gpt-transcribe", date(2026, 8, 31)).replies_are_known


def test_prices_are_whole_millionths():
    for one in PRICES:
        for dollars in filter(None, (*one.text, *one.audio, one.minute)):
            assert micro(dollars) > 0 and micro(dollars) == float(dollars) * MILLION


def test_no_call_costs_less_than_what_is_put_aside_for_it():
    """A greeting of five seconds, a question of as many, an answer, and a minute."""
    chosen = tariff("gpt-realtime-2.1", "gpt-transcribe", TODAY)
    greeting = chosen.of(Usage(text_in=3000, audio_out=100, text_out=30))
    answer = chosen.of(Usage(text_in=100, text_again=3000, audio_in=50, audio_again=100, audio_out=200, text_out=60))
    assert greeting + answer + chosen.line_minute < LEAST_CALL_MICRO
