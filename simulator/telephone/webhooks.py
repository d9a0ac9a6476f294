"""What the network says to the product over HTTP: signed forms, with Twilio's time limits, retries and manners.

The signature is written from Twilio's description, not with its library: tests hold the two against each other.
"""

import asyncio
import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag, urlencode

import aiohttp
from yarl import URL


def sign(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """base64(HMAC-SHA1(token, url + each name and value, sorted by name))."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: no answer came, and `problem` says why."""

    status: int
    content_type: str = ""
    body: str = ""
    problem: str = ""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def problem_as_twiml(self) -> tuple[int, str]:
        """What is wrong with it where TwiML was asked for: Twilio's code, 0 for nothing, and words."""
        if self.problem == "ct":
            return 11205, "the server could not be reached"
        if not self.status:
            return 11200, "the server did not answer in time"
        if not self.is_good:
            return 11217, f"the server answered {self.status}"
        if self.content_type not in ("text/xml", "application/xml"):
            return 12300, f"TwiML cannot be {self.content_type}"
        return 0, ""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing the network asked, and what it got."""

    url: str
    method: str
    params: dict[str, str]
    answer: Answer
    took_ms: float


@dataclass(frozen=True, slots=True)
class Manners:
    """How long and how often one address is tried. Read from its fragment: `https://host/path#rc=3&rp=all`. Real time."""

    connect_s: float = 5.0
    read_s: float = 15.0
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> "Manners":
        said = {name: values[-1] for name, values in parse_qs(fragment).items()}
        return cls(
            connect_s=int(said.get("ct", 5000)) / 1000,
            read_s=int(said.get("rt", 15000)) / 1000,
            retries=int(said.get("rc", 1)),
            retry_on=frozenset(said.get("rp", "ct").split(",")),
        )

    def retries_after(self, answer: Answer) -> bool:
        kind = answer.problem or f"{answer.status // 100}xx"
        return kind in self.retry_on or ("all" in self.retry_on and kind in ("4xx", "5xx", "ct", "rt"))


class Sender:
    """Sends signed requests and remembers them. `repeats`: each is sent so many times at once, and the first answer counts."""

    def __init__(self, auth_token: str, session: aiohttp.ClientSession, repeats: int = 1) -> None:
        self.sent: list[Request] = []
        self.repeats = repeats
        self._auth_token = auth_token
        self._session = session

    async def send(self, address: str, params: Mapping[str, str], method: str = "POST") -> Answer:
        url, fragment = urldefrag(address)
        manners = Manners.of(fragment)
        token = str(uuid.uuid4())
        answers = await asyncio.gather(
            *(self._send_with_retries(url, dict(params), method, manners, token) for _ in range(self.repeats))
        )
        return answers[0]

    async def _send_with_retries(self, url: str, params: dict[str, str], method: str, manners: Manners, token: str) -> Answer:
        answer = await self._send_once(url, params, method, manners, token)
        for _ in range(manners.retries):
            if not manners.retries_after(answer):
                break
            answer = await self._send_once(url, params, method, manners, token)
        return answer

    async def _send_once(self, url: str, params: dict[str, str], method: str, manners: Manners, token: str) -> Answer:
        form = params
        if method == "GET":
            url, form = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}", {}
        headers = {
            "X-Twilio-Signature": sign(self._auth_token, url, form),
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        started = asyncio.get_running_loop().time()
        answer = await self._ask(url, method, form, headers, manners)
        took_ms = (asyncio.get_running_loop().time() - started) * 1000
        self.sent.append(Request(url, method, params, answer, took_ms))
        return answer

    async def _ask(self, url: str, method: str, form: dict[str, str], headers: dict[str, str], manners: Manners) -> Answer:
        timeout = aiohttp.ClientTimeout(total=15, connect=manners.connect_s, sock_read=manners.read_s)
        data = urlencode(form) if method == "POST" else None
        if data is not None:
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        try:
            # The address is signed as written: encoded=True keeps the client from tidying it up.
            async with self._session.request(
                method, URL(url, encoded=True), data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return Answer(response.status, response.content_type, await response.text())
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
            return Answer(0, problem="ct")
        except TimeoutError:
            return Answer(0, problem="rt")
        except (aiohttp.ClientError, ValueError):
            return Answer(0, problem="broken")
