"""Every line in every language. What a line says well is for people to judge; that it says it, and whole, is tested here."""

import re
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.test import override_settings
from django.utils import translation

from voiceagent.languages import LANGUAGES
from voiceagent.words import spoken, spoken_lines

NEW_YORK = ZoneInfo("America/New_York")
MONDAY_AT_NINE = datetime(2026, 11, 23, 9, 0, tzinfo=NEW_YORK)
MONDAY_AT_FIVE = datetime(2026, 11, 23, 17, 0, tzinfo=NEW_YORK)

FOLDER: Path = settings.BASE_DIR / "templates" / "spoken" / "agent"
# What others include; they say nothing alone.
PARTS = {"clock", "moment"}
LINES = [
    "after_failure",
    "all_busy",
    "before_dial",
    "blocked",
    "budget_spent",
    "budget_spent_closed",
    "call_over",
    "cut_off",
    "fillers",
    "goodbye",
    "greeting",
    "instead",
    "leave_message",
    "line_trouble",
    "message_taken",
    "no_cards",
    "no_input_goodbye",
    "not_recorded",
    "notice",
    "nudge",
    "offer_person",
    "one_moment",
    "still_here",
    "too_long_goodbye",
    "transfer_line",
    "transfer_line_closed",
]
OTHERS = [code for code in LANGUAGES if code != "en"]
FACTS: dict[str, dict[str, list[Any]]] = {
    "leave_message": {
        "rang": [False, True],
        "failed": [False, True],
        "busy": [False, True],
        "instead": [False, True],
        "closed": [False, True],
        "opens_at": [None, MONDAY_AT_NINE],
        "call_back_by": [None, MONDAY_AT_FIVE],
    },
    "message_taken": {"call_back_by": [None, MONDAY_AT_FIVE]},
}


def every_way(line: str) -> list[dict[str, Any]]:
    facts = FACTS.get(line, {})
    return [dict(zip(facts, values, strict=True)) for values in product(*facts.values())]


def sentences(words: str) -> list[str]:
    return [sentence.strip() for sentence in re.findall(r"(?:[^.?!]|[.?!](?=\S))+[.?!]*", words)]


def test_every_language_has_every_line_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*LINES, *PARTS}
    for language in OTHERS:
        assert {path.stem for path in (FOLDER / language).glob("*.txt")} == {*LINES, *PARTS}, language
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(OTHERS)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_says_whole_sentences_once_whatever_the_facts(language: str, line: str) -> None:
    for facts in every_way(line):
        words = spoken(f"agent/{line}", language=language, **facts)
        said = sentences(words)
        assert said, facts
        assert all(re.search(r"\w{2}", sentence) and sentence[-1] in ".?!" for sentence in said), words
        assert len(set(said)) == len(said), words
        assert not re.search(r"\s{2}|\s[.,]|[.,;:?!]{2}|None|\d:\d\d (?![AP]M)", words), words
        assert not set(words) & set("{}<>&*_#/|%"), words


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("language", OTHERS)
def test_a_line_is_not_left_in_english(language: str, line: str) -> None:
    for facts in every_way(line):
        english = set(sentences(spoken(f"agent/{line}", **facts)))
        assert not english & set(sentences(spoken(f"agent/{line}", language=language, **facts)))


def test_different_facts_are_told_differently() -> None:
    reasons: list[dict[str, Any]] = [
        {},
        {"rang": True},
        {"failed": True},
        {"busy": True},
        {"instead": True},
        {"closed": True},
        {"closed": True, "opens_at": MONDAY_AT_NINE},
        {"call_back_by": MONDAY_AT_FIVE},
    ]
    for language in LANGUAGES:
        assert len({spoken("agent/leave_message", language=language, **facts) for facts in reasons}) == len(reasons), language


def test_one_apology_is_enough() -> None:
    words = spoken("agent/leave_message", rang=True, failed=True, busy=True, closed=True)
    assert words.count("sorry") == 1


def test_an_open_shop_does_not_say_when_it_opens() -> None:
    assert spoken("agent/leave_message", rang=True, opens_at=MONDAY_AT_NINE) == spoken("agent/leave_message", rang=True)


@pytest.mark.parametrize(
    ("language", "opens", "calls"),
    [
        ("en", "open again on Monday at 9 AM.", "by Monday at 5 PM."),
        ("de", "wieder am Montag um 9 Uhr.", "bis Montag um 17 Uhr zurück."),
        ("es", "abrir el lunes a las 9 de la mañana.", "a más tardar el lunes a las 5 de la tarde."),
        ("fr", "rouvrons lundi à 9 heures.", "au plus tard lundi à 17 heures."),
        ("it", "riapriamo lunedì alle 9.", "entro lunedì alle 17."),
        ("pt", "novamente na segunda-feira às 9 horas.", "até segunda-feira às 17 horas."),
    ],
)
def test_a_caller_hears_when_the_shop_opens_and_by_when_it_calls_back(language: str, opens: str, calls: str) -> None:
    words = spoken("agent/leave_message", language=language, closed=True, opens_at=MONDAY_AT_NINE, call_back_by=MONDAY_AT_FIVE)
    assert opens in words
    assert calls in words
    assert calls in spoken("agent/message_taken", language=language, call_back_by=MONDAY_AT_FIVE)


def test_portuguese_saturdays_and_sundays_are_masculine() -> None:
    for day, said in ((28, "no sábado"), (29, "no domingo"), (30, "na segunda-feira")):
        opens_at = datetime(2026, 11, day, 9, tzinfo=NEW_YORK)
        assert said in spoken("agent/leave_message", language="pt", closed=True, opens_at=opens_at)


CLOCKS = {
    "en": ["midnight", "12:30 AM", "1 AM", "9:05 AM", "noon", "12:15 PM", "1:45 PM", "9 PM"],
    "de": ["Mitternacht", "0 Uhr 30", "ein Uhr", "9 Uhr 5", "12 Uhr", "12 Uhr 15", "13 Uhr 45", "21 Uhr"],
    "es": [
        "a las 12 de la noche",
        "a las 12 y media de la noche",
        "a la 1 de la mañana",
        "a las 9 y 5 de la mañana",
        "a las 12 del mediodía",
        "a las 12 y cuarto del mediodía",
        "a la 1 y 45 de la tarde",
        "a las 9 de la noche",
    ],
    "fr": ["minuit", "minuit 30", "une heure", "9 heures 5", "midi", "midi 15", "13 heures 45", "21 heures"],
    "it": ["a mezzanotte", "alle 0 e 30", "all'una", "alle 9 e 5", "a mezzogiorno", "alle 12 e 15", "alle 13 e 45", "alle 21"],
    "pt": [
        "à meia-noite",
        "à meia-noite e 30 minutos",
        "à uma hora",
        "às 9 horas e 5 minutos",
        "ao meio-dia",
        "ao meio-dia e 15 minutos",
        "às 13 horas e 45 minutos",
        "às 21 horas",
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_clock_is_told_as_people_tell_it(language: str) -> None:
    times = [(0, 0), (0, 30), (1, 0), (9, 5), (12, 0), (12, 15), (13, 45), (21, 0)]
    for (hour, minute), said in zip(times, CLOCKS[language], strict=True):
        at = datetime(2026, 11, 23, hour, minute, tzinfo=NEW_YORK)
        assert spoken("agent/clock", language=language, at=at) == said
        assert spoken("agent/moment", language=language, at=at).endswith(f" {said}")


def test_every_language_has_words_for_each_step_of_a_wait() -> None:
    fillers = {language: spoken_lines("agent/fillers", language=language) for language in LANGUAGES}
    assert {len(lines) for lines in fillers.values()} == {3}
    assert all(line == line.strip() and line for lines in fillers.values() for line in lines)


def test_the_notice_says_that_it_is_a_machine_and_that_it_records() -> None:
    for language in LANGUAGES:
        words = spoken("agent/notice", language=language)
        assert re.search(r"\bAI\b|\bKI\b|inteligencia|intelligence|intelligenza|inteligência", words), words
        assert re.search(r"record|aufgezeichnet|graba|enregistr|registrat|gravad", words), words
        assert settings.SHOP_NAME in words
        assert "9" in words and re.search(r"say so|sagen Sie|dígalo|dites|lo dica|diga", words), "and how to refuse it"


def test_what_has_no_words_in_a_language_is_said_in_english_dates_and_all() -> None:
    assert spoken("agent/nudge", language="nl") == spoken("agent/nudge")
    assert spoken("agent/moment", language="nl", at=MONDAY_AT_NINE) == "Monday at 9 AM"
    assert spoken("orders/help_none", language="de") == spoken("orders/help_none")


def test_a_line_does_not_follow_the_language_of_a_page_nor_change_it() -> None:
    with translation.override("fr"):
        assert spoken("agent/moment", at=MONDAY_AT_NINE) == "Monday at 9 AM"
        assert spoken("agent/moment", language="de", at=MONDAY_AT_NINE) == "Montag um 9 Uhr"
        assert translation.get_language() == "fr"


def test_a_line_that_stands_on_several_is_said_on_one() -> None:
    assert "\n" not in spoken("agent/fillers")


def test_a_sentence_goes_on_after_what_it_includes() -> None:
    words = spoken("orders/which_of_these", times=[MONDAY_AT_NINE])
    assert " ." not in words and "9 AM. Does that" in words


def test_nothing_is_escaped_for_a_page() -> None:
    assert (
        spoken("agent/greeting", language="de", shop="Müller & Söhne")
        == "Guten Tag, hier ist Müller & Söhne. Wie kann ich Ihnen helfen?"
    )


def test_an_included_part_that_is_missing_is_not_taken_for_a_missing_line(tmp_path: Path) -> None:
    (tmp_path / "spoken/agent/de").mkdir(parents=True)
    (tmp_path / "spoken/agent/de/nudge.txt").write_text('{% include "spoken/agent/de/gone.txt" %}')
    (tmp_path / "spoken/agent/nudge.txt").write_text("Are you there?")
    templates = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}]
    with override_settings(TEMPLATES=templates), pytest.raises(TemplateDoesNotExist):
        spoken("agent/nudge", language="de")


def test_a_broken_template_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "spoken/agent/de").mkdir(parents=True)
    (tmp_path / "spoken/agent/de/nudge.txt").write_text("{% if %}")
    (tmp_path / "spoken/agent/nudge.txt").write_text("Are you there?")
    templates = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}]
    with override_settings(TEMPLATES=templates), pytest.raises(TemplateSyntaxError):
        spoken("agent/nudge", language="de")
