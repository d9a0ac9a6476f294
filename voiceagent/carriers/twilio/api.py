"""Twilio's REST API: what is done to a call or fetched from outside its media stream. Blocking; call it from a thread.

Addresses are built from SIDs and settings only: an address somebody sends us is never fetched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from ..base import AccountSetUp, CallFacts, CarrierError, DialOutcome, NumberSetUp, RecordingAnnounced
from . import webhooks as forms

# The SDK has no limit of its own, and a caller is listening.
TIMEOUT_S = 3.0
LARGEST_RECORDING = 512 * 1024 * 1024
# Of one call; it has one recording, perhaps a message, and rings a person once or twice.
MOST_LISTED = 50

# How Twilio calls the recording of a call that goes on, whatever its SID.
NEWEST = "Twilio.CURRENT"
# The call is over, or was never there: what was wanted of it has happened or cannot.
ENDED_CODES = {20404, 21220}


def redirect_call(call_sid: str, url: str) -> None:
    """Send a live call to the document at `url`, which is absolute. Raises `CarrierError`; `ended` when the call is over."""
    with _errors_as_ours():
        _client().calls(call_sid).update(url=url, method="POST")


def limit_call(call_sid: str, seconds: int) -> None:
    """The carrier itself ends the whole call when it has lasted so long since it was answered. Raises `CarrierError`."""
    with _errors_as_ours():
        _client().calls(call_sid).update(time_limit=seconds)


def end_call(call_sid: str) -> None:
    """Hang up. A call that is over already is no error."""
    try:
        with _errors_as_ours():
            _client().calls(call_sid).update(status="completed")
    except CarrierError as error:
        if not error.ended:
            raise


def call_facts(call_sid: str) -> CallFacts:
    """Whether a call goes on, and what came of one that is over. Raises `CarrierError`; `ended` when it is not known at all."""
    with _errors_as_ours():
        client = _client()
        call = client.calls(call_sid).fetch()
        form = {"CallSid": call_sid, "CallStatus": call.status, "CallDuration": call.duration or ""}
        facts = CallFacts(forms.call_status(form))
        if not facts.status.is_over:
            return facts
        legs = client.calls.list(parent_call_sid=call_sid, limit=MOST_LISTED)
        return replace(facts, dials=_dials(call_sid, legs), recordings=_recordings(client, call_sid))


def recordings_of(call_sid: str) -> tuple[RecordingAnnounced, ...]:
    """What the carrier has recorded of a call, as if it announced it now. Raises `CarrierError`; `ended` when it is not known."""
    with _errors_as_ours():
        return _recordings(_client(), call_sid)


def stop_recording(call_sid: str, recording_sid: str = NEWEST) -> None:
    """For good. Raises `CarrierError`; `ended` when there is none that goes on."""
    _change_recording(call_sid, recording_sid, status="stopped")


def pause_recording(call_sid: str) -> None:
    """What is said meanwhile is not in it, not even as silence. Raises `CarrierError`."""
    _change_recording(call_sid, NEWEST, status="paused", pause_behavior="skip")


def resume_recording(call_sid: str) -> None:
    """Raises `CarrierError`."""
    _change_recording(call_sid, NEWEST, status="in-progress")


def _change_recording(call_sid: str, recording_sid: str, **change: str) -> None:
    with _errors_as_ours():
        _client().calls(call_sid).recordings(recording_sid).update(**change)


def delete_recording(recording_sid: str) -> None:
    """The carrier forgets its copy for good. One that it has no more is no error. Raises `CarrierError`."""
    try:
        with _errors_as_ours():
            _client().recordings(recording_sid).delete()
    except CarrierError as error:
        if error.status != 404:
            raise


def account_set_up() -> AccountSetUp:
    """How our numbers are set up, and the carrier's clock. Raises `CarrierError`."""
    url = f"{settings.TWILIO_API_URL}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/IncomingPhoneNumbers.json"
    try:
        answer = requests.get(url, params={"PageSize": "1000"}, auth=_credentials(), timeout=TIMEOUT_S, allow_redirects=False)
        if answer.status_code != 200:
            raise CarrierError(
                f"the carrier answered {answer.status_code}",
                status=answer.status_code,
                permanent=answer.status_code in (401, 403, 404),
            )
        return AccountSetUp(
            tuple(
                NumberSetUp(
                    str(one["phone_number"]),
                    (str(one["voice_method"]), str(one["voice_url"] or "")),
                    (str(one["status_callback_method"]), str(one["status_callback"] or "")),
                )
                for one in answer.json()["incoming_phone_numbers"]
            ),
            _moment(answer.headers.get("Date", "")),
        )
    except requests.ConnectionError as error:
        raise CarrierError(f"the carrier could not be reached ({type(error).__name__})") from None
    except (requests.RequestException, LookupError, TypeError, ValueError) as error:
        raise CarrierError(f"the carrier could not be understood ({type(error).__name__})") from None


def _moment(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        return None


def fetch_recording(recording_sid: str, channels: int, into: BinaryIO) -> str:
    """Write a recording's WAV file into `into`; returns its Content-Type.

    Raises `CarrierError`: not permanent for what may come right by itself (404 until it is ready, 429, 5xx, the network).
    A carrier that has no second channel is asked for one.
    """
    if not forms.RECORDING_SID.fullmatch(recording_sid):
        raise CarrierError("that is not a recording's SID", permanent=True)
    url = f"{settings.TWILIO_API_URL}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Recordings/{recording_sid}.wav"
    for wanted in range(channels, 0, -1):
        try:
            with requests.get(
                url,
                params={"RequestedChannels": str(wanted)},
                auth=_credentials(),
                timeout=(TIMEOUT_S, 30),
                stream=True,
                # The length that is announced is then the length that is written.
                headers={"Accept-Encoding": "identity"},
                # Credentials and bytes stay with the address we built.
                allow_redirects=False,
            ) as response:
                if response.status_code == 400 and wanted > 1:
                    continue
                if response.status_code != 200:
                    raise CarrierError(
                        f"the carrier answered {response.status_code}",
                        status=response.status_code,
                        permanent=response.status_code in (400, 401, 403, 410),
                    )
                _copy(response, into)
                return str(response.headers.get("Content-Type", ""))
        except requests.RequestException as error:
            raise CarrierError(f"the carrier could not be reached ({type(error).__name__})") from None
    raise AssertionError("unreachable: one channel is always asked for")


def _copy(response: requests.Response, into: BinaryIO) -> None:
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    announced = "" if encoded else response.headers.get("Content-Length", "")
    received = 0
    for chunk in response.iter_content(64 * 1024):
        received += len(chunk)
        if received > LARGEST_RECORDING:
            raise CarrierError(f"the recording is larger than {LARGEST_RECORDING} bytes", permanent=True)
        into.write(chunk)
    if announced.isdigit() and int(announced) != received:
        raise CarrierError(f"the recording broke off after {received} of {announced} bytes")


def _dials(call_sid: str, legs: list[Any]) -> tuple[DialOutcome, ...]:
    """Each person who was rung is a call of the carrier's own: in the order they were rung, those of whom the outcome is known."""
    forms_of_legs = [
        {"CallSid": call_sid, "DialCallStatus": leg.status, "DialCallDuration": leg.duration or ""}
        # The newest are listed first.
        for leg in reversed(legs)
    ]
    return tuple(
        replace(forms.dial_outcome(form), attempt=attempt)
        for attempt, form in enumerate(forms_of_legs, start=1)
        if form["DialCallStatus"] in forms.DIAL_STATES
    )


def _recordings(client: Client, call_sid: str) -> tuple[RecordingAnnounced, ...]:
    return tuple(
        forms.recording_announced(
            {
                "CallSid": call_sid,
                "RecordingSid": found.sid,
                "RecordingStatus": found.status,
                "RecordingDuration": found.duration or "",
                "RecordingChannels": str(found.channels),
                "RecordingSource": found.source or "",
                "ErrorCode": str(found.error_code or ""),
            }
        )
        for found in client.recordings.list(call_sid=call_sid, limit=MOST_LISTED)
        if found.status != "deleted"
    )


def _credentials() -> tuple[str, str]:
    """An API key can be withdrawn by itself, and signs nothing."""
    if settings.TWILIO_ASKED_WITH == "api_key":
        return settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET
    return settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN


def _client() -> Client:
    client = Client(
        *_credentials(),
        settings.TWILIO_ACCOUNT_SID,
        http_client=TwilioHttpClient(timeout=TIMEOUT_S, max_retries=0),
        # TWILIO_API_URL says it all: the SDK would otherwise rewrite that host from variables of its own.
        environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
    )
    client.api.base_url = settings.TWILIO_API_URL
    return client


@contextmanager
def _errors_as_ours() -> Iterator[None]:
    try:
        yield
    except TwilioRestException as error:
        # Twilio's own text can quote the number or the document; its code says enough.
        raise CarrierError(
            f"the carrier refused: code {error.code}",
            status=error.status,
            permanent=400 <= error.status < 500 and error.status != 429,
            ended=error.code in ENDED_CODES,
        ) from None
    except requests.RequestException as error:
        raise CarrierError(f"the carrier could not be reached ({type(error).__name__})") from None
    except TwilioException as error:
        # A list that was refused: the SDK has no exception of its own for that, and puts the answer into this one.
        status = getattr(error.args[-1], "status_code", None)
        text = f"the carrier did not list what was asked for ({status})"
        raise CarrierError(text, status=status, ended=status == 404) from None
    except ValueError:
        raise CarrierError("what the carrier answered cannot be read") from None
