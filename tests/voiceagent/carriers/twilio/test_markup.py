"""TwiML as Twilio will read it: parsed, not compared as text."""

from xml.etree import ElementTree

import pytest
from django.conf import settings

from voiceagent.carriers.twilio import markup

TO = markup.Addresses(
    media_stream="wss://calls.example.com/media-stream/",
    after_stream="https://calls.example.com/after-stream",
    transfer_finished="https://calls.example.com/transfer-finished",
    message_taken="https://calls.example.com/message-taken",
    recording="https://calls.example.com/call-recording-complete",
)
ANSWER = markup.answer(notice="You speak with a machine & are recorded.", language="en-US", ticket="7-abc", to=TO)
FALLBACK = (settings.BASE_DIR / "templates/carrier/fallback.xml").read_text()
DOCUMENTS = {
    "fallback": FALLBACK,
    "answer": ANSWER,
    "transfer": markup.transfer(words="Please hold.", language="en-US", number="+14155550199", to=TO),
    "message": markup.take_message(words="After the tone.", language="en-US", goodbye="Goodbye.", to=TO),
    "hang up": markup.hang_up(words="Goodbye.", language="en-US"),
    "hang up silently": markup.hang_up(),
}


def verbs(document: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(document))


def test_the_notice_is_heard_before_recording_and_before_the_agent():
    assert [verb.tag for verb in verbs(ANSWER)] == ["Say", "Start", "Connect"]
    assert verbs(ANSWER)[0].text == "You speak with a machine & are recorded."


def test_both_sides_are_recorded_and_nothing_is_trimmed():
    (recording,) = verbs(ANSWER)[1]
    assert (recording.get("channels"), recording.get("trim")) == ("dual", "do-not-trim")
    assert recording.get("recordingStatusCallback") == TO.recording
    assert recording.get("recordingStatusCallbackEvent") == "in-progress completed absent"


def test_the_stream_has_its_ticket_in_its_path_and_no_track():
    (stream,) = verbs(ANSWER)[2]
    assert stream.attrib == {"url": "wss://calls.example.com/media-stream/7-abc"}
    assert verbs(ANSWER)[2].get("action") == TO.after_stream


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_goes_on_to_somebody_or_ends(name):
    """Nothing ends in silence: the last verb hangs up, or has an address to go on at."""
    last = verbs(DOCUMENTS[name])[-1]
    assert last.tag == "Hangup" or last.get("action", "").startswith("https://")
    assert not list(ElementTree.fromstring(DOCUMENTS[name]).iter("Pause"))


def test_a_message_without_a_word_ends_in_goodbye_and_not_in_a_loop():
    assert [verb.tag for verb in verbs(DOCUMENTS["message"])] == ["Say", "Record", "Say", "Hangup"]
    assert verbs(DOCUMENTS["message"])[1].get("action") == TO.message_taken


def test_the_fallback_needs_nothing_of_ours():
    """It is what is left when this product is away: no address may lead back to it."""
    assert [verb.tag for verb in verbs(FALLBACK)] == ["Say", "Dial", "Say", "Hangup"]
    assert not [verb for verb in verbs(FALLBACK) if set(verb.attrib) - {"language", "timeout"}]


def test_words_cannot_become_markup():
    document = markup.transfer(words="</Say><Dial>+882123</Dial>", language="en-US", number="+14155550199", to=TO)
    assert [verb.tag for verb in verbs(document)] == ["Say", "Dial"]
