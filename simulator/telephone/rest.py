"""Twilio's REST API, as much of it as a call needs: calls, recordings and their media, in Twilio's own shapes and error codes."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .call import Call
from .people import Dial
from .recordings import Recording
from .twiml import Document, Fetch, NotTwiml, Verb, read
from .verbs import reports_to

if TYPE_CHECKING:
    from .network import Telephone

LONGEST_TWIML = 4000
LONGEST_CALL_S = 24 * 60 * 60
ACCOUNT = "/2010-04-01/Accounts/{account}"
UPDATES = {
    "Twiml",
    "Url",
    "Method",
    "Status",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackMethod",
    "TimeLimit",
}
WRONG_PARAMETER = 20001
CURRENT = "Twilio.CURRENT"


class Refusal(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def application(network: "Telephone") -> web.Application:
    api = Api(network)
    app = web.Application(middlewares=[api.guard])
    app.router.add_get(f"{ACCOUNT}/Calls.json", api.list_calls)
    app.router.add_get(f"{ACCOUNT}/Calls/{{call}}.json", api.show_call)
    app.router.add_post(f"{ACCOUNT}/Calls/{{call}}.json", api.update_call)
    app.router.add_get(f"{ACCOUNT}/Calls/{{call}}/Recordings.json", api.list_recordings)
    app.router.add_post(f"{ACCOUNT}/Calls/{{call}}/Recordings.json", api.start_recording)
    app.router.add_post(f"{ACCOUNT}/Calls/{{call}}/Recordings/{{recording}}.json", api.update_recording)
    app.router.add_get(f"{ACCOUNT}/IncomingPhoneNumbers.json", api.list_numbers)
    app.router.add_get(f"{ACCOUNT}/Recordings.json", api.list_recordings)
    app.router.add_get(f"{ACCOUNT}/Recordings/{{recording}}.json", api.show_recording)
    app.router.add_delete(f"{ACCOUNT}/Recordings/{{recording}}.json", api.delete_recording)
    app.router.add_get(f"{ACCOUNT}/Recordings/{{recording}}.{{kind:wav|mp3}}", api.media)
    app.router.add_get(f"{ACCOUNT}/Recordings/{{recording}}", api.media)
    return app


class Api:
    def __init__(self, network: "Telephone") -> None:
        self._network = network

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Only the account's owner may ask; what goes wrong is told in Twilio's shape."""
        try:
            self._network.asked.append(f"{request.method} {request.path}")
            self._check_owner(request)
            await request.read()  # whoever asks may be gone before it is done
            await self._network.clock.let_others_wait(self._network.rest_delay_s)
            if not self._network.rest_trouble:
                return await handler(request)
            return await self._in_trouble(request, handler)
        except web.HTTPNotFound:
            return _told(Refusal(404, 20404, f"The requested resource {request.path} was not found"))
        except web.HTTPMethodNotAllowed:
            return _told(Refusal(405, 20004, "Method not allowed"))
        except Refusal as refusal:
            return _told(refusal)

    async def _in_trouble(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if status := self._network.rest_trouble.popleft():
            raise Refusal(status, 20429 if status == 429 else 20500, "The service is in trouble")
        answer = await handler(request)
        if request.transport:
            request.transport.abort()
        return answer

    def _check_owner(self, request: web.Request) -> None:
        if request.match_info.get("account", self._network.account_sid) != self._network.account_sid:
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")
        name_and_token = f"{self._network.account_sid}:{self._network.auth_token}".encode()
        expected = "Basic " + base64.b64encode(name_and_token).decode()
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            raise Refusal(401, 20003, "Authenticate")

    def _call(self, request: web.Request) -> Call:
        try:
            return self._network.calls[request.match_info["call"]]
        except KeyError:
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found") from None

    def _recording(self, request: web.Request) -> Recording:
        recording = self._network.recordings.get(request.match_info["recording"])
        if recording is None or recording.state == "deleted":
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")
        return recording

    async def show_call(self, request: web.Request) -> web.Response:
        return web.json_response(self._call_as_json(self._call(request)))

    async def list_calls(self, request: web.Request) -> web.Response:
        """Of all calls, or those placed for one of them: the people who were rung. The newest first."""
        parent = request.query.get("ParentCallSid")
        legs = [self._leg_as_json(dial) for dial in self._network.dials if parent in (None, dial.call_sid)]
        calls = [self._call_as_json(call) for call in self._network.calls.values()] if parent is None else []
        return _page(request, "calls", [*reversed(legs), *reversed(calls)])

    async def update_call(self, request: web.Request) -> web.Response:
        call = self._call(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if unknown := set(form) - UPDATES:
            raise Refusal(400, WRONG_PARAMETER, f"a call has no {', '.join(sorted(unknown))}")
        if "Twiml" in form and "Url" in form:
            raise Refusal(400, WRONG_PARAMETER, "Twiml and Url exclude each other")
        if len(form.get("Twiml", "")) > LONGEST_TWIML:
            raise Refusal(400, WRONG_PARAMETER, f"Twiml is at most {LONGEST_TWIML} characters")
        limit = form.get("TimeLimit", "1")
        if not (limit.isdecimal() and 0 < int(limit) <= LONGEST_CALL_S):
            raise Refusal(400, WRONG_PARAMETER, f"TimeLimit is a number of seconds from 1 to {LONGEST_CALL_S}")
        if call.is_over or call.is_hanging_up:
            raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        self._apply(call, form)
        return web.json_response(self._call_as_json(call))

    def _apply(self, call: Call, form: dict[str, str]) -> None:
        if "Twiml" in form:
            try:
                call.redirect(read(form["Twiml"]))
            except NotTwiml as problem:
                call.complain(12100, str(problem))
                raise Refusal(400, 12100, str(problem)) from None
        elif "Url" in form:
            call.redirect(Fetch(form["Url"], form.get("Method", "POST")))
        if "TimeLimit" in form:
            call.limit_s = int(form["TimeLimit"])
        if (status := form.get("Status")) == "completed" or (status == "canceled" and call.answered_ms is None):
            call.stop(by="rest")
        elif status is not None:
            raise Refusal(400, 21220, f"a call that is {call.status} cannot become {status}")

    async def start_recording(self, request: web.Request) -> web.Response:
        call = self._call(request)
        if call.is_over:
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")
        form = await request.post()
        attributes = {
            "recordingStatusCallback": str(form.get("RecordingStatusCallback", "")),
            "recordingStatusCallbackEvent": " ".join(map(str, form.getall("RecordingStatusCallbackEvent", ["completed"]))),
        }
        recording = Recording(
            call.sid,
            call.now_ms,
            channels=2 if form.get("RecordingChannels") == "dual" else 1,
            trim=form.get("Trim", "do-not-trim") == "trim-silence",
            source="StartCallRecordingAPI",
            track=str(form.get("RecordingTrack", "both")),
        )
        call.record(recording, reports_to(call, Document("", ""), Verb("Recording", attributes)))
        return web.json_response(self._recording_as_json(recording), status=201)

    async def update_recording(self, request: web.Request) -> web.Response:
        """Of a call that goes on: paused, in-progress again, or stopped for good. By its SID, or as the one that goes on."""
        call = self._call(request)
        wanted = request.match_info["recording"]
        going_on = [one for one in call.recordings if one.is_going_on]
        found = going_on[-1:] if wanted == CURRENT else [one for one in call.recordings if one.sid == wanted]
        if not found or found[0].state == "deleted":
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")
        form = {name: str(value) for name, value in (await request.post()).items()}
        self._apply_to_recording(call, found[0], form.get("Status", ""), form.get("PauseBehavior", "silence"))
        return web.json_response(self._recording_as_json(found[0]))

    def _apply_to_recording(self, call: Call, recording: Recording, status: str, pause: str) -> None:
        if status not in ("paused", "in-progress", "stopped") or pause not in ("skip", "silence"):
            raise Refusal(400, WRONG_PARAMETER, f"a recording cannot be {status} ({pause})")
        if not recording.is_going_on:
            raise Refusal(400, 21220, "Recording is not in-progress. Cannot update.")
        call.note(f"recording {status}", recording.sid)
        if status == "paused":
            recording.pause(call.now_ms, skipped=pause == "skip")
        elif status == "in-progress":
            recording.resume(call.now_ms)
        else:
            call.finish_recording(recording)

    async def list_recordings(self, request: web.Request) -> web.Response:
        wanted = request.match_info.get("call") or request.query.get("CallSid")
        if wanted and "call" in request.match_info:
            self._call(request)
        found = [r for r in self._network.recordings.values() if r.state != "deleted" and wanted in (None, r.call_sid)]
        return _page(request, "recordings", [self._recording_as_json(recording) for recording in found])

    async def list_numbers(self, request: web.Request) -> web.Response:
        """All lead where the network sends its calls."""
        return _page(request, "incoming_phone_numbers", [self._number_as_json(number) for number in sorted(self._network.numbers)])

    async def show_recording(self, request: web.Request) -> web.Response:
        return web.json_response(self._recording_as_json(self._recording(request)))

    async def delete_recording(self, request: web.Request) -> web.Response:
        recording = self._recording(request)
        if recording.state != "completed":
            raise Refusal(400, 21220, "only a completed recording can be deleted")
        recording.state = "deleted"
        return web.Response(status=204)

    async def media(self, request: web.Request) -> web.Response:
        recording = self._recording(request)
        if recording.state != "completed":
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")
        if recording.times_refused < self._network.media_late_by:
            recording.times_refused += 1
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")
        channels = int(request.query.get("RequestedChannels", "1"))
        if channels not in (1, recording.channels):
            raise Refusal(400, WRONG_PARAMETER, f"the recording has {recording.channels} channel")
        if request.match_info.get("kind") == "mp3":
            raise Refusal(501, WRONG_PARAMETER, "the practice network keeps recordings as WAV only")
        return web.Response(body=recording.as_wav(channels), content_type="audio/x-wav")

    def _call_as_json(self, call: Call) -> dict[str, Any]:
        return self._as_json(
            call.sid,
            direction="inbound",
            from_=call.from_,
            to=call.to,
            status=call.status,
            duration_s=call.duration_s if call.is_over else None,
            created=call.placed_at,
            started_ms=call.answered_ms,
            ended_ms=call.ended_ms,
        )

    def _leg_as_json(self, dial: Dial) -> dict[str, Any]:
        """A person who was rung is a call of its own."""
        placed = self._network.calls[dial.call_sid].placed_at
        created = placed + timedelta(milliseconds=dial.at_ms)
        return self._as_json(
            dial.sid,
            parent=dial.call_sid,
            direction="outbound-dial",
            from_=dial.caller_id,
            to=dial.number,
            status=dial.status or ("ringing" if dial.connected_ms is None else "in-progress"),
            duration_s=None if dial.status is None else dial.duration_s,
            created=created,
            started_ms=None if dial.connected_ms is None else dial.connected_ms - dial.at_ms,
            ended_ms=None if dial.ended_ms is None else dial.ended_ms - dial.at_ms,
        )

    def _as_json(
        self,
        sid: str,
        *,
        direction: str,
        from_: str,
        to: str,
        status: str,
        duration_s: int | None,
        created: datetime,
        started_ms: float | None,
        ended_ms: float | None,
        parent: str | None = None,
    ) -> dict[str, Any]:
        """`started_ms` and `ended_ms` count from `created`."""

        def moment(ms: float | None) -> str | None:
            return None if ms is None else format_datetime(created + timedelta(milliseconds=ms))

        uri = f"/2010-04-01/Accounts/{self._network.account_sid}/Calls/{sid}"
        return {
            "sid": sid,
            "account_sid": self._network.account_sid,
            "parent_call_sid": parent,
            "phone_number_sid": None,
            "api_version": "2010-04-01",
            "direction": direction,
            "from": from_,
            "from_formatted": from_,
            "to": to,
            "to_formatted": to,
            "status": status,
            "answered_by": None,
            "caller_name": None,
            "forwarded_from": None,
            "group_sid": None,
            "trunk_sid": None,
            "queue_time": "0",
            "duration": None if duration_s is None else str(duration_s),
            "price": None,
            "price_unit": "USD",
            "date_created": format_datetime(created),
            "date_updated": format_datetime(datetime.now(UTC)),
            "start_time": moment(started_ms),
            "end_time": moment(ended_ms),
            "uri": f"{uri}.json",
            "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        }

    def _number_as_json(self, number: str) -> dict[str, Any]:
        sid = "PN" + hashlib.sha256(number.encode()).hexdigest()[:32]
        return {
            "sid": sid,
            "account_sid": self._network.account_sid,
            "friendly_name": number,
            "phone_number": number,
            "api_version": "2010-04-01",
            "voice_url": self._network.webhook_url,
            "voice_method": "POST",
            "voice_fallback_url": self._network.fallback_url or None,
            "voice_fallback_method": "POST",
            "voice_application_sid": "",
            "status_callback": self._network.status_callback,
            "status_callback_method": "POST",
            "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
            "uri": f"/2010-04-01/Accounts/{self._network.account_sid}/IncomingPhoneNumbers/{sid}.json",
        }

    def _recording_as_json(self, recording: Recording) -> dict[str, Any]:
        call = self._network.calls[recording.call_sid]
        uri = f"/2010-04-01/Accounts/{self._network.account_sid}/Recordings/{recording.sid}"
        return {
            "sid": recording.sid,
            "account_sid": self._network.account_sid,
            "call_sid": recording.call_sid,
            "conference_sid": None,
            "api_version": "2010-04-01",
            "status": recording.state,
            "channels": recording.channels,
            "source": recording.source,
            "duration": str(recording.duration_s) if recording.state == "completed" else "-1",
            "start_time": format_datetime(call.placed_at + timedelta(milliseconds=recording.started_ms)),
            "date_created": format_datetime(call.placed_at),
            "date_updated": format_datetime(datetime.now(UTC)),
            "price": None,
            "price_unit": "USD",
            "error_code": 16101 if recording.state == "absent" else None,
            "encryption_details": None,
            "media_url": self._network.recording_url(recording),
            "uri": f"{uri}.json",
            "subresource_uris": {},
        }


def _page(request: web.Request, what: str, found: list[dict[str, Any]]) -> web.Response:
    """A list that fits on one page."""
    page = {
        what: found,
        "page": 0,
        "page_size": 50,
        "start": 0,
        "end": max(0, len(found) - 1),
        "uri": str(request.rel_url),
        "first_page_uri": str(request.rel_url),
        "next_page_uri": None,
        "previous_page_uri": None,
    }
    return web.json_response(page)


def _told(refusal: Refusal) -> web.Response:
    told = {
        "code": refusal.code,
        "message": str(refusal),
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    return web.json_response(told, status=refusal.status)
