import pytest
from django.http import QueryDict
from twilio.request_validator import RequestValidator

from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced
from voiceagent.carriers.twilio import webhooks

CALL = "CA" + "0" * 32
RECORDING = "RE" + "0" * 32
TOKEN = "12345"


def test_twilios_own_examples_are_signed():
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert webhooks.is_signed([TOKEN], url, form, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")
    assert webhooks.is_signed([TOKEN], "wss://calls.example.com/ws/media/", {}, "6eq6Mdywxv4NNSOtRNOpMkfxMQI=")


def test_without_a_token_not_even_its_own_signature_will_do():
    url = "https://calls.example.com/incoming-call"
    assert not webhooks.is_signed([""], url, {}, RequestValidator("").compute_signature(url, {}))


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://calls.example.com/incoming-call/"},
        {"url": "http://calls.example.com/incoming-call"},
        {"form": "From=%2B14155550142&Extra="},
        {"form": "From=%2B14155550143"},
        {"token": "another"},
        {"token": ""},
        {"signature": ""},
        {"signature": None},
        {"signature": "bm90IGl0"},
    ],
)
def test_a_request_changed_in_any_way_is_not_signed(change):
    url, form = "https://calls.example.com/incoming-call", "From=%2B14155550142"
    signature = RequestValidator(TOKEN).compute_signature(url, QueryDict(form))
    facts = {"token": TOKEN, "url": url, "form": form, "signature": signature}
    assert webhooks.is_signed([facts["token"]], facts["url"], QueryDict(facts["form"]), facts["signature"])
    facts |= change
    assert not webhooks.is_signed([facts["token"]], facts["url"], QueryDict(facts["form"]), facts["signature"])


def test_repeated_and_empty_fields_count_and_the_fragment_of_an_address_does_not():
    form = QueryDict("Tag=b&Tag=a&Empty=")
    signature = RequestValidator(TOKEN).compute_signature("https://calls.example.com/x", form)
    assert webhooks.is_signed([TOKEN], "https://calls.example.com/x#rc=3&rp=all", form, signature)


@pytest.mark.parametrize("signs", ["current", "next"])
def test_while_a_token_is_rotated_either_will_do(signs):
    url, form = "https://calls.example.com/x", {"CallSid": CALL}
    signature = RequestValidator(signs).compute_signature(url, form)
    assert webhooks.is_signed(["current", "next"], url, form, signature)
    assert not webhooks.is_signed(["another", ""], url, form, signature)


# Of https://calls.example.com/x with CallSid=CA1 and From=+14155550142, by openssl dgst -hmac 12345.
SHA1, SHA256 = "ZMJFZotubrzIWfdvN5QKChp5yio=", "CBOwAKMpEbWdNXhHNEzfZ9+db++nI1DVYo30Osn0pYg="


@pytest.mark.parametrize(("sha256", "good", "bad"), [(False, SHA1, SHA256), (True, SHA256, SHA1)])
def test_the_algorithm_is_the_one_we_say(sha256, good, bad):
    url, form = "https://calls.example.com/x", {"CallSid": "CA1", "From": "+14155550142"}
    assert webhooks.is_signed([TOKEN], url, form, good, sha256=sha256)
    assert not webhooks.is_signed([TOKEN], url, form, bad, sha256=sha256)


def test_an_incoming_call():
    form = {"CallSid": CALL, "From": "+14155550142", "To": "+14155550100", "CallStatus": "ringing", "NewField": "x"}
    assert webhooks.incoming_call(form) == IncomingCall(CALL, "+14155550142", "+14155550100")


@pytest.mark.parametrize(
    "number", ["anonymous", "client:ada", "sip:ada@example.com", "+", "266696687", "+1415555<b>", "+1٤١٥٥٥٥٠١٢٣", ""]
)
def test_what_is_no_number_is_no_number(number):
    assert webhooks.incoming_call({"CallSid": CALL, "From": number}).caller_number == ""


def test_a_status_with_and_without_its_blanks():
    form = {"CallSid": CALL, "CallStatus": "completed", "SequenceNumber": "3", "CallDuration": "61"}
    assert webhooks.call_status(form) == CallStatus(CALL, "completed", 3, 61)
    assert webhooks.call_status({"CallSid": CALL, "CallStatus": "in-progress", "CallDuration": ""}) == CallStatus(
        CALL, "in_progress", 0
    )


@pytest.mark.parametrize("number", ["99999999999", "9" * 5000, "-1", "1.5", "١٢", " 3", "0x3"])
def test_a_number_that_cannot_be_is_none(number):
    status = webhooks.call_status({"CallSid": CALL, "CallStatus": "completed", "SequenceNumber": number, "CallDuration": number})
    assert status == CallStatus(CALL, "completed", 0, None)


@pytest.mark.parametrize("channels", ["0", "3", "99999", "two", ""])
def test_a_recording_has_one_channel_or_two(channels):
    form = {"CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingChannels": channels}
    assert webhooks.recording_announced(form).channels is None


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("queued", "ringing"),
        ("initiated", "ringing"),
        ("ringing", "ringing"),
        ("in-progress", "in_progress"),
        ("completed", "completed"),
        ("busy", "busy"),
        ("failed", "failed"),
        ("no-answer", "no_answer"),
        ("canceled", "canceled"),
    ],
)
def test_every_status_twilio_has_for_a_call_is_known(said, state):
    assert webhooks.call_status({"CallSid": CALL, "CallStatus": said}).state == state


@pytest.mark.parametrize("said", ["in-progress", "completed", "absent"])
def test_every_status_twilio_has_for_a_recording_is_known(said):
    form = {"CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": said, "RecordingChannels": "1"}
    announced = webhooks.recording_announced(form)
    assert (announced.state, announced.channels, announced.reason) == (said.replace("-", "_"), 1, "")


@pytest.mark.parametrize("said", ["paused", "stopped", "processing"])
def test_a_recording_that_is_not_ready_yet_is_on_its_way(said):
    assert (
        webhooks.recording_announced({"CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": said}).state == "in_progress"
    )


@pytest.mark.parametrize(("source", "is_message"), [("RecordVerb", True), ("StartRecordingTwiML", False), ("OutboundAPI", False)])
def test_a_message_is_told_from_a_calls_recording(source, is_message):
    form = {"CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingSource": source}
    assert webhooks.recording_announced(form).is_message is is_message


def test_a_message_of_no_known_length_has_none():
    assert webhooks.message_taken({"CallSid": CALL, "RecordingSid": RECORDING}) == MessageTaken(CALL, RECORDING, 0)


def test_a_number_the_database_could_not_hold_is_none():
    for said, number in ((str(2**31 - 1), 2**31 - 1), (str(2**31), None), ("9" * 5000, None), ("٣", None)):
        form = {"CallSid": CALL, "CallStatus": "completed", "CallDuration": said}
        assert webhooks.call_status(form).duration_s == number


def test_a_form_without_an_account_is_of_none():
    assert (webhooks.account_sid({"AccountSid": "AC1"}), webhooks.account_sid({})) == ("AC1", "")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("completed", "answered"),
        ("answered", "answered"),
        ("busy", "busy"),
        ("no-answer", "no_answer"),
        ("failed", "failed"),
        ("canceled", "canceled"),
    ],
)
def test_what_became_of_ringing_a_person(said, state):
    form = {"CallSid": CALL, "DialCallStatus": said, "DialCallDuration": "12"}
    assert webhooks.dial_outcome(form) == DialOutcome(CALL, state, 12)


@pytest.mark.parametrize(("bridged", "state"), [("true", "answered"), ("false", "no_answer"), (None, "answered")])
def test_a_dial_that_was_interrupted_before_anybody_was_connected_is_no_answer(bridged, state):
    form = {"CallSid": CALL, "DialCallStatus": "completed"} | ({"DialBridged": bridged} if bridged else {})
    assert webhooks.dial_outcome(form) == DialOutcome(CALL, state, None)


def test_a_message_and_a_recording():
    message = {"CallSid": CALL, "RecordingSid": RECORDING, "RecordingDuration": "9"}
    assert webhooks.message_taken(message) == MessageTaken(CALL, RECORDING, 9)
    done = {**message, "RecordingStatus": "completed", "RecordingChannels": "2", "RecordingUrl": "http://169.254.169.254/"}
    assert webhooks.recording_announced(done) == RecordingAnnounced(CALL, RECORDING, "completed", 9, 2)
    absent = {
        "CallSid": CALL,
        "RecordingSid": RECORDING,
        "RecordingStatus": "absent",
        "ErrorCode": "16102",
        "RecordingDuration": "-1",
    }
    assert webhooks.recording_announced(absent) == RecordingAnnounced(CALL, RECORDING, "absent", None, None, "16102")


@pytest.mark.parametrize(
    ("read", "form", "field"),
    [
        (webhooks.incoming_call, {}, "CallSid"),
        (webhooks.incoming_call, {"CallSid": "CA1"}, "CallSid"),
        (webhooks.incoming_call, {"CallSid": CALL + "0"}, "CallSid"),
        (webhooks.call_status, {"CallSid": CALL, "CallStatus": "+14155550142"}, "CallStatus"),
        (webhooks.dial_outcome, {"CallSid": CALL}, "DialCallStatus"),
        (webhooks.recording_announced, {"CallSid": CALL, "RecordingSid": "../etc"}, "RecordingSid"),
        (webhooks.recording_announced, {"CallSid": CALL, "RecordingSid": RECORDING}, "RecordingStatus"),
    ],
)
def test_a_form_that_lacks_what_it_must_have_names_the_field_and_not_its_value(read, form, field):
    with pytest.raises(webhooks.BadForm, match=field) as error:
        read(form)
    assert "4155550142" not in str(error.value)


@pytest.mark.parametrize("code", ["", "x", "16102\0", "+14155550142", "9" * 11, "١٦١٠٢"])
def test_a_code_that_is_none_is_no_reason(code):
    form = {"CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": "absent", "ErrorCode": code}
    assert webhooks.recording_announced(form).reason == ""
