"""Callers are told that they speak with a machine and are recorded before either is so: in full, in every language, on any line."""

from xml.etree import ElementTree

import pytest

from tests.voiceagent.test_webhooks import CALL, post, stream, streamed
from voiceagent.languages import LANGUAGES
from voiceagent.models import AgentSettings, MediaStream
from voiceagent.words import spoken, version

pytestmark = pytest.mark.django_db

LINE, OTHER_LINE = "+14155550100", "+14155550101"
# All that may stand in a document that opens a stream for a new call. A <Gather> would let a key cut the notice short.
OPENS = ["Say", "Start", "Recording", "Connect", "Stream"]


def answer(line: str = LINE, call_sid: str = CALL) -> ElementTree.Element:
    return ElementTree.fromstring(post("/incoming-call", {"To": line, "CallSid": call_sid}).content)


def tags(document: ElementTree.Element) -> list[str]:
    return [element.tag for element in document.iter()][1:]


@pytest.mark.parametrize("of_its_own", [True, False])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_comes_first_and_the_recording_after_it(language: str, of_its_own: bool):
    AgentSettings(language=language, line_number=LINE if of_its_own else "").save()
    if of_its_own:
        AgentSettings(language="it" if language != "it" else "de", line_number=OTHER_LINE).save()
    document = answer()
    assert tags(document) == OPENS
    notice = document[0]
    assert notice.text == spoken("agent/notice", language=language)
    assert notice.attrib == {"language": LANGUAGES[language].carrier_tag}, "said once, and nothing interrupts it"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_version_that_is_kept_is_that_of_the_words_that_were_said(language: str):
    AgentSettings(language=language).save()
    assert version(answer()[0].text or "") == version(spoken("agent/notice", language=language))


def test_other_words_have_another_version():
    versions = {version(spoken("agent/notice", language=language)) for language in LANGUAGES}
    assert len(versions) == len(LANGUAGES) and all(len(one) == 12 for one in versions)


def test_asked_twice_the_notice_is_said_each_time():
    assert [tags(answer()) for _ in range(2)] == [OPENS, OPENS]


@pytest.mark.parametrize("next_step", ["", "hand_over"])
def test_a_stream_that_comes_after_another_begins_no_recording(next_step: str):
    """The first one goes on, unless the caller refused it: then there must not be another."""
    stream()
    streamed()
    MediaStream.objects.update(next_step=next_step)
    document = ElementTree.fromstring(post("/after-stream", {"CallStatus": "in-progress"}).content)
    assert "Stream" in tags(document)
    assert "Recording" not in tags(document) and "Start" not in tags(document)


def test_a_call_that_the_agent_does_not_take_is_not_recorded(settings):
    settings.MOST_CALLS = 0
    assert "Recording" not in tags(answer()) and "Stream" not in tags(answer())
