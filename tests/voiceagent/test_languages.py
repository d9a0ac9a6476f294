import subprocess
import sys

import pytest

from voiceagent.languages import LANGUAGES, Language


def test_a_call_can_be_held_in_six_languages() -> None:
    assert list(LANGUAGES) == ["en", "de", "es", "fr", "it", "pt"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_is_found_by_its_code_and_read_aloud_by_carriers_as_that_language(code: str) -> None:
    language = LANGUAGES[code]
    assert language.code == code
    assert language.carrier_tag.partition("-")[0] == code
    assert language.carrier_tag.partition("-")[2].isupper()


def test_a_model_is_told_their_names_in_english() -> None:
    assert [language.name for language in LANGUAGES.values()] == ["English", "German", "Spanish", "French", "Italian", "Portuguese"]


def test_a_language_is_a_fact() -> None:
    assert LANGUAGES["de"] == Language("de", "German", "de-DE")


def test_languages_are_known_without_django() -> None:
    program = "import sys, voiceagent.languages; print('django' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "False"
