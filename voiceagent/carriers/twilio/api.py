"""Twilio's REST API: what is done to a call or fetched from outside its media stream. Blocking; call it from a thread.

Addresses are built from SIDs and settings only: an address somebody sends us is never fetched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from ..base import CarrierError
from .webhooks import RECORDING_SID

# The SDK has no limit of its own, and a caller is listening.
TIMEOUT_S = 3.0
LARGEST_RECORDING = 512 * 1024 * 1024

# The call is over, or was never there: what was wanted of it has happened or cannot.
ENDED_CODES = {20404, 21220}


def redirect_call(call_sid: str, url: str) -> None:
    """Send a live call to the document at `url`, which is absolute. Raises `CarrierError`; `ended` when the call is over."""
    with _errors_as_ours():
        _client().calls(call_sid).update(url=url, method="POST")


def end_call(call_sid: str) -> None:
    """Hang up. A call that is over already is no error."""
    try:
        with _errors_as_ours():
            _client().calls(call_sid).update(status="completed")
    except CarrierError as error:
        if not error.ended:
            raise


def fetch_recording(recording_sid: str, channels: int, into: BinaryIO) -> str:
    """Write a recording's WAV file into `into`; returns its Content-Type.

    Raises `CarrierError`: not permanent for what may come right by itself (404 until it is ready, 429, 5xx, the network).
    A carrier that has no second channel is asked for one.
    """
    if not RECORDING_SID.fullmatch(recording_sid):
        raise CarrierError("that is not a recording's SID", permanent=True)
    url = f"{settings.TWILIO_API_URL}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Recordings/{recording_sid}.wav"
    for wanted in range(channels, 0, -1):
        try:
            with requests.get(
                url,
                params={"RequestedChannels": str(wanted)},
                auth=(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN),
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


def _client() -> Client:
    client = Client(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
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
