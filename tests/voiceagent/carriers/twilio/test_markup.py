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
    "transfer": markup.transfer(words="Please hold.", language="en-US", number="+14155550199", longest_s=1800, to=TO),
    "message": markup.take_message(words="After the tone.", language="en-US", goodbye="Goodbye.", to=TO),
    "hang up": markup.hang_up(words="Goodbye.", language="en-US"),
    "hang up silently": markup.hang_up(),
}


def verbs(document: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(document))


def test_the_notice_is_heard_before_recording_and_before_the_agent():
    assert [verb.tag for verb in verbs(ANSWER)] == ["Say", "Start", "Connect"]
    assert verbs(ANSWER)[0].text == "You speak with a machine & are recorded."


def test_nobody_talks_with_a_person_for_ever():
    (dial,) = [verb for verb in verbs(DOCUMENTS["transfer"]) if verb.tag == "Dial"]
    assert (dial.get("timeout"), dial.get("timeLimit")) == ("20", "1800")


def test_both_sides_are_recorded_and_nothing_is_trimmed():
    (recording,) = verbs(ANSWER)[1]
    assert (recording.get("channels"), recording.get("track"), recording.get("trim")) == ("dual", "both", "do-not-trim")
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


def test_a_transfer_rings_one_person_for_a_bounded_time():
    said, dial = verbs(DOCUMENTS["transfer"])
    assert said.text == "Please hold."
    assert (dial.get("timeout"), dial.get("action")) == (str(markup.RING_S), TO.transfer_finished)
    assert [(child.tag, child.text) for child in dial] == [("Number", "+14155550199")]


def test_a_message_begins_with_a_tone_ends_with_a_key_and_is_told_of_when_it_is_there():
    said, record, goodbye, _ = verbs(DOCUMENTS["message"])
    assert (said.text, goodbye.text) == ("After the tone.", "Goodbye.")
    assert record.attrib == {
        "action": TO.message_taken,
        "maxLength": str(markup.LONGEST_MESSAGE_S),
        "finishOnKey": "#",
        "playBeep": "true",
        "recordingStatusCallback": TO.recording,
        "recordingStatusCallbackEvent": "completed absent",
    }


def test_hanging_up_says_what_there_is_to_say():
    assert [(verb.tag, verb.text) for verb in verbs(DOCUMENTS["hang up"])] == [("Say", "Goodbye."), ("Hangup", None)]
    assert [verb.tag for verb in verbs(DOCUMENTS["hang up silently"])] == ["Hangup"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_everything_that_is_said_is_said_in_a_language(name):
    assert {verb.get("language") for verb in verbs(DOCUMENTS[name]) if verb.tag == "Say"} <= {"en-US"}


def test_the_fallback_needs_nothing_of_ours():
    """It is what is left when this product is away: no address may lead back to it."""
    assert [verb.tag for verb in verbs(FALLBACK)] == ["Say", "Dial", "Say", "Hangup"]
    assert not [verb for verb in verbs(FALLBACK) if set(verb.attrib) - {"language", "timeout"}]


HOSTILE = "</Say><Dial>+882123</Dial><Say>"


@pytest.mark.parametrize(
    ("document", "tags"),
    [
        (markup.answer(notice=HOSTILE, language="en-US", ticket="7-abc", to=TO), ["Say", "Start", "Connect"]),
        (markup.go_on(words=HOSTILE, language="en-US", ticket="7-abc", to=TO), ["Say", "Connect"]),
        (markup.transfer(words=HOSTILE, language="en-US", number="+14155550199", longest_s=1800, to=TO), ["Say", "Dial"]),
        (markup.take_message(words=HOSTILE, language="en-US", goodbye=HOSTILE, to=TO), ["Say", "Record", "Say", "Hangup"]),
        (markup.hang_up(words=HOSTILE, language="en-US"), ["Say", "Hangup"]),
    ],
    ids=["answer", "go on", "transfer", "message", "hang up"],
)
def test_words_cannot_become_markup(document, tags):
    """More of this, with words that nobody thought of, in `tests.fuzz`."""
    assert [verb.tag for verb in verbs(document)] == tags
    assert {verb.text for verb in verbs(document) if verb.tag == "Say"} == {HOSTILE}


def test_a_character_that_no_document_can_hold_does_not_cost_the_others():
    words = "Good\0 \x1bmorning\ud800,\ufffe Ada\x0b."
    assert [verb.text for verb in verbs(markup.hang_up(words=words, language="en-US"))] == ["Good morning, Ada.", None]
    assert [verb.tag for verb in verbs(markup.hang_up(words="\0", language="en-US"))] == ["Hangup"]
