"""The practice telephone network: one account, its numbers, its calls. Place calls here.

async with Telephone(account_sid, auth_token, webhook_url, speed=20) as telephone:
    call = await telephone.place_call("+14155550142", "+14155550100")
    await call.until(lambda: call.stream is not None)
    await call.speak(mulaw)
    await call.hang_up()
    await call.settled
    assert telephone.complaints == []
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from typing import Protocol

import aiohttp
from aiohttp import web

from .call import Call
from .clock import Clock
from .people import Dial, Person
from .recordings import Recording
from .rest import application
from .twiml import Complaint, read
from .webhooks import Answer, Request, Sender

TWIML_BIN = "https://handler.twilio.com/twiml/EH" + "0" * 32


class Speaker(Protocol):
    """Whoever voices `<Say>`: words to 8 kHz µ-law. Called on a thread."""

    def say(self, text: str) -> bytes: ...


class Telephone:
    """A telephone network that behaves like Twilio and complains like Twilio.

    `complaints` are what it would have put into the error log; `requests` what it asked the product; `asked` what the product
    asked of its REST API; `dials` the people it rang. `people` says who answers at which number, `anybody` who does elsewhere.
    `media_late_by`: so many times a finished recording is answered with 404. `rest_trouble`: statuses with which the next
    requests to the REST API are refused; 0: what was asked is done, and the answer lost. `rest_delay_s`: so long by the wall
    each of them waits before anything is done about it.
    `fallback_twiml`, such as a TwiML Bin's, or else `fallback_url` is followed once in a call when a document cannot be had.
    `repeats`: every webhook and callback is sent so many times at once; the call follows the first answer. While
    `status_withheld`, callbacks about a call's status are not sent but kept in `withheld`: `await request(*withheld[0])`.
    Callbacks to the paths in `loses` are never sent.
    `speed`: how much faster than the wall time passes.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        webhook_url: str,
        *,
        port: int = 0,
        speed: float = 1.0,
        fallback_url: str = "",
        fallback_twiml: str = "",
        status_callback: str = "",
        status_events: Collection[str] = ("completed",),
        numbers: Collection[str] = (),
        people: Mapping[str, Person] | None = None,
        anybody: Person = Person(),  # noqa: B008  frozen
        voice: Speaker | None = None,
        media_late_by: int = 1,
        repeats: int = 1,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.webhook_url = webhook_url
        self.fallback_url = fallback_url
        self.fallback_document = read(fallback_twiml, TWIML_BIN) if fallback_twiml else None
        self.status_callback = status_callback
        self.status_events = frozenset(status_events)
        self.numbers = frozenset(numbers)
        self.people = dict(people or {})
        self.anybody = anybody
        self.media_late_by = media_late_by
        self.clock = Clock(speed)
        self.calls: dict[str, Call] = {}
        self.recordings: dict[str, Recording] = {}
        self.dials: list[Dial] = []
        self.complaints: list[Complaint] = []
        self.asked: list[str] = []
        self.rest_trouble: deque[int] = deque()
        self.rest_delay_s = 0.0
        self.status_withheld = False
        self.loses: set[str] = set()
        self.withheld: list[tuple[str, dict[str, str]]] = []
        self.port = port
        self.session: aiohttp.ClientSession
        self.sender: Sender
        self._repeats = repeats
        self._voice = voice
        self._voiced: dict[str, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: list[BaseException] = []

    async def __aenter__(self) -> "Telephone":
        # Each request has a connection of its own: one that is left over from a process that died says nothing of the next.
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        self.sender = Sender(self.auth_token, self.session, self._repeats)
        # Whoever still waits for an answer that was to come late does not hold up the end.
        self._runner = web.AppRunner(application(self), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in self.calls.values():
            call.stop(by="network")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=20)
        for task in self._tasks:
            task.cancel()
        await self._runner.cleanup()
        await self.session.close()
        if self._broken:
            raise self._broken[0]

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            self._broken.append(problem)

    @property
    def api_url(self) -> str:
        """What TWILIO_API_URL must be for the product to find this network."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        return self.sender.sent

    def requests_to(self, path: str) -> list[Request]:
        """What was asked of one path of the product, in order."""
        return [one for one in self.sender.sent if one.url.split("?")[0].endswith(path)]

    async def place_call(self, from_: str, to: str) -> Call:
        """Let a telephone ring at the product. Returns at once: the webhook is under way."""
        call = Call(self, from_, to)
        self.calls[call.sid] = call
        task = asyncio.create_task(call.run())
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return call

    async def request(self, url: str, params: Mapping[str, str], method: str = "POST") -> Answer:
        """Send the product any signed request: a repeated webhook, a late callback."""
        return await self.sender.send(url, params, method)

    def complain(self, code: int, message: str, call_sid: str = "") -> None:
        self.complaints.append(Complaint(code, message, call_sid))

    def person_at(self, number: str) -> Person:
        return self.people.get(number, self.anybody)

    def recording_url(self, recording: Recording) -> str:
        return f"{self.api_url}/2010-04-01/Accounts/{self.account_sid}/Recordings/{recording.sid}"

    async def voiced(self, text: str) -> bytes:
        """The words as sound; nothing where nobody lends a voice."""
        if self._voice is None or not text:
            return b""
        if text not in self._voiced:
            self._voiced[text] = await asyncio.to_thread(self._voice.say, text)
        return self._voiced[text]

    async def download(self, url: str) -> bytes:
        """A sound for `<Play>`."""
        try:
            async with self.session.get(url, timeout=aiohttp.ClientTimeout(total=15)) as response:
                return await response.read() if response.status == 200 else b""
        except (aiohttp.ClientError, TimeoutError):
            return b""
