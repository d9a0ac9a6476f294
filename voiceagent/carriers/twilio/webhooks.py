"""Twilio's webhooks: is it really Twilio, and what does the form say. Pure: no Django, no network.

Twilio adds parameters without notice and calls again what it thinks was not heard: unknown fields are ignored, and every
fact carries the key (CallSid, RecordingSid) that makes it safe to be told twice.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator

from ..base import CallState, CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced

T = TypeVar("T")

SIGNATURE_HEADER = "X-Twilio-Signature"

CALL_SID = re.compile(r"CA[0-9a-f]{32}")
RECORDING_SID = re.compile(r"RE[0-9a-f]{32}")
ERROR_CODE = re.compile(r"[0-9]{1,10}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LARGEST_NUMBER = 2**31 - 1
MOST_COUNTED = 1000

CALL_STATES: dict[str, CallState] = {
    "queued": "ringing",
    "initiated": "ringing",
    "ringing": "ringing",
    "in-progress": "in_progress",
    "completed": "completed",
    "busy": "busy",
    "failed": "failed",
    "no-answer": "no_answer",
    "canceled": "canceled",
}
DIAL_STATES: dict[str, Literal["answered", "busy", "no_answer", "failed", "canceled"]] = {
    "completed": "answered",
    "answered": "answered",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "canceled",
}
RECORDING_STATES: dict[str, Literal["in_progress", "completed", "absent"]] = {
    "in-progress": "in_progress",
    "paused": "in_progress",
    "stopped": "in_progress",
    "processing": "in_progress",
    "completed": "completed",
    "absent": "absent",
}


class BadForm(ValueError):
    """A signed form that lacks what it must have. The message names the field and never its value."""


def is_signed(secrets: Iterable[str], url: str, form: Mapping[str, str], signature: str | None, *, sha256: bool = False) -> bool:
    """Whether Twilio signed this request with one of `secrets`. `url` as Twilio was told it; `form` all POST fields, or {}.

    Which algorithm it is, we say and not the request: an auth token signs with SHA-1, a shared key with SHA-256. Without a secret
    or a signature the answer is no: the validator itself would raise.
    """
    if not signature:
        return False
    url, algorithm = url.partition("#")[0], HMAC_SHA256 if sha256 else HMAC_SHA1
    return any(RequestValidator(secret).validate(url, form, signature, algorithm) for secret in secrets if secret)


def account_sid(form: Mapping[str, str]) -> str:
    return form.get("AccountSid", "")


def call_sid(form: Mapping[str, str]) -> str:
    return _matching(form, "CallSid", CALL_SID)


def is_over(form: Mapping[str, str]) -> bool:
    """Whether the call itself has ended; what is answered then, nobody hears."""
    return CALL_STATES.get(form.get("CallStatus", ""), "ringing") not in ("ringing", "in_progress")


def incoming_call(form: Mapping[str, str]) -> IncomingCall:
    return IncomingCall(call_sid(form), _number(form.get("From", "")), _number(form.get("To", "")))


def call_status(form: Mapping[str, str]) -> CallStatus:
    return CallStatus(
        call_sid(form),
        _one_of(form, "CallStatus", CALL_STATES),
        sequence=_number_of(form, "SequenceNumber") or 0,
        duration_s=_number_of(form, "CallDuration"),
    )


def dial_outcome(form: Mapping[str, str], attempt: str = "") -> DialOutcome:
    """`attempt` is what our own address says. A dial that a redirect of ours interrupts is told as completed; whether anybody was
    connected is told beside it."""
    state = _one_of(form, "DialCallStatus", DIAL_STATES)
    if state == "answered" and form.get("DialBridged") == "false":
        state = "no_answer"
    return DialOutcome(call_sid(form), state, _number_of(form, "DialCallDuration"), which(attempt))


def which(said: str) -> int:
    """What an address of ours counts, from 1; 0 where it says nothing that can be."""
    number = _number_of({"": said}, "") or 0
    return number if number <= MOST_COUNTED else 0


def message_taken(form: Mapping[str, str]) -> MessageTaken:
    return MessageTaken(call_sid(form), _recording_sid(form), _number_of(form, "RecordingDuration") or 0)


def recording_announced(form: Mapping[str, str]) -> RecordingAnnounced:
    return RecordingAnnounced(
        call_sid(form),
        _recording_sid(form),
        _one_of(form, "RecordingStatus", RECORDING_STATES),
        duration_s=_number_of(form, "RecordingDuration"),
        channels={"1": 1, "2": 2}.get(form.get("RecordingChannels", "")),
        reason=code if ERROR_CODE.fullmatch(code := form.get("ErrorCode", "")) else "",
        is_message=form.get("RecordingSource") == "RecordVerb",
    )


def _recording_sid(form: Mapping[str, str]) -> str:
    return _matching(form, "RecordingSid", RECORDING_SID)


def _matching(form: Mapping[str, str], field: str, pattern: re.Pattern[str]) -> str:
    value = form.get(field, "")
    if not pattern.fullmatch(value):
        raise BadForm(f"{field} is not of the form {pattern.pattern}")
    return value


def _one_of(form: Mapping[str, str], field: str, known: Mapping[str, T]) -> T:
    try:
        return known[form.get(field, "")]
    except KeyError:
        raise BadForm(f"{field} is none of {', '.join(known)}") from None


def _number_of(form: Mapping[str, str], field: str) -> int | None:
    """A whole number, or None where there is none that can be: Twilio leaves blanks, and "-1" means it does not know."""
    value = form.get(field, "")
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(LARGEST_NUMBER))):
        return None
    return int(value) if int(value) <= LARGEST_NUMBER else None


def _number(address: str) -> str:
    """A telephone number, or "" for a withheld one, a SIP address, a client name, a short code."""
    return address if E164.fullmatch(address) else ""
