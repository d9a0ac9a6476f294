"""TwiML: what Twilio is to do next. Every document ends in a person, a message or a hang-up; none in silence.

Addresses are absolute, for a document may be reached by REST. Words come from templates, and are escaped by the SDK.
"""

import re
from dataclasses import dataclass

from twilio.twiml.voice_response import Connect, Dial, Start, VoiceResponse

from ...dialable import check_number

RING_S = 20
LONGEST_MESSAGE_S = 180
# What XML cannot hold. The SDK would let it through, and with one such character no word of a document is understood.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Twilio goes on from each document."""

    media_stream: str
    after_stream: str
    transfer_finished: str
    message_taken: str
    recording: str


def answer(*, notice: str, language: str, ticket: str, to: Addresses) -> str:
    """Say the notice in full, record both sides untrimmed, connect the media stream; what comes after it is asked for."""
    response = VoiceResponse()
    _say(response, notice, language)
    start = Start()
    start.recording(
        channels="dual",
        track="both",
        trim="do-not-trim",
        recording_status_callback=to.recording,
        recording_status_callback_event="in-progress completed absent",
    )
    response.append(start)
    connect = Connect(action=to.after_stream)
    # A query string would be dropped, and `track` belongs to one-way streams.
    connect.stream(url=f"{to.media_stream}{ticket}")
    response.append(connect)
    return str(response)


def go_on(*, words: str, language: str, ticket: str, to: Addresses) -> str:
    """Connect another media stream of the same call. The recording that was begun goes on."""
    response = VoiceResponse()
    _say(response, words, language)
    connect = Connect(action=to.after_stream)
    connect.stream(url=f"{to.media_stream}{ticket}")
    response.append(connect)
    return str(response)


def transfer(*, words: str, language: str, number: str, longest_s: int, to: Addresses) -> str:
    """Ring a person, and let them talk for so long. What becomes of it is asked for at `transfer_finished`.

    Raises `ValidationError` for what must never be rung, whoever decided on it.
    """
    check_number(number)
    response = VoiceResponse()
    _say(response, words, language)
    dial = Dial(timeout=RING_S, time_limit=longest_s, action=to.transfer_finished)
    dial.number(number)
    response.append(dial)
    return str(response)


def take_message(*, words: str, language: str, goodbye: str, to: Addresses) -> str:
    """After a tone the caller may leave a message; one who says nothing hears goodbye."""
    response = VoiceResponse()
    _say(response, words, language)
    response.record(
        action=to.message_taken,
        max_length=LONGEST_MESSAGE_S,
        finish_on_key="#",
        play_beep=True,
        recording_status_callback=to.recording,
        recording_status_callback_event="completed absent",
    )
    _say(response, goodbye, language)
    response.hangup()
    return str(response)


def ask_again(url: str) -> str:
    """Nothing but where to ask what comes next; absolute."""
    response = VoiceResponse()
    response.redirect(url, method="POST")
    return str(response)


def hang_up(*, words: str = "", language: str = "en-US") -> str:
    response = VoiceResponse()
    _say(response, words, language)
    response.hangup()
    return str(response)


def _say(response: VoiceResponse, words: str, language: str) -> None:
    if words := NOT_IN_XML.sub("", words):
        response.say(words, language=language)
