"""The end of `make demo`: one spoken practice call to the call centre that runs here, and what staff will see of it.

It plays the telephone network, the caller and the person who is rung; the speech engine is played by `simulator.voice_model`.
What it prints is as heard by the caller. Everything it checks is read from the database and the recordings folder.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import aiohttp

from .callers import Ada, Conversation
from .speech import Listener, Voice
from .telephone import Call, Person, Telephone

if TYPE_CHECKING:
    from types import ModuleType

    from django.conf import LazySettings

T = TypeVar("T")

ADA = "+14155550142"
LINE = "+14155550100"
PERSON_SAYS = "Hello, this is Sam from the shop. How can I help you?"
READY_WITHIN_S = 120
RECORDS_WITHIN_S = 240
LONGEST_ANSWER_GAP_MS = 3000
LONGEST_WEBHOOK_MS = 300
COLOURS = {"caller": "36", "agent": "32", "person": "35", "tool": "33", "heading": "1"}


class NotReady(Exception):
    """The call centre this call is meant for is not there. Says what to do."""


def main(*, once: bool) -> int:
    try:
        settings, records = _django()
        return asyncio.run(demonstrate(settings, records, once=once))
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130 if once else 0


def _django() -> "tuple[LazySettings, ModuleType]":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")
    import django
    from django.conf import settings

    if "SIMULATOR_TELEPHONE_PORT" not in os.environ:
        raise NotReady("The practice call belongs to a running call centre: start both with `make demo`.")
    django.setup()
    from . import records

    return settings, records


async def demonstrate(settings: "LazySettings", records: "ModuleType", *, once: bool) -> int:
    sessions_url = _sessions_url(settings.OPENAI_REALTIME_URL)
    agent_voice, caller_voice, listener = Voice("agent"), Voice("caller"), Listener()
    say("Waiting for the call centre, and loading the practice caller's voice and ears…")
    await asyncio.gather(
        until_ready(f"{settings.PUBLIC_BASE_URL}/readyz", "the web server"),
        until_ready(sessions_url, "the practice voice model"),
        *(asyncio.to_thread(part.warm_up) for part in (agent_voice, caller_voice, listener)),
    )
    if not await asyncio.to_thread(records.shop_has_the_order):
        raise NotReady(f"The shop has no order {records.ORDER}; `python manage.py seed_shop` makes it.")
    async with Telephone(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        f"{settings.PUBLIC_BASE_URL}/incoming-call",
        port=int(os.environ["SIMULATOR_TELEPHONE_PORT"]),
        status_callback=f"{settings.PUBLIC_BASE_URL}/call-status",
        numbers=[LINE],
        people={settings.HUMAN_AGENT_PHONE: Person(says=PERSON_SAYS, stays_ms=20_000)},
        voice=agent_voice,
        media_late_by=0,
    ) as telephone:
        call = await place_call(telephone, records, caller_voice, listener)
        complete = await until_complete(call, records)
        await show(call, settings, records)
        status = await report(call, telephone, records, sessions_url, complete=complete) if once else 0
        if not once:
            say("\nThe call centre stays up; Ctrl-C stops everything.")
            await asyncio.Event().wait()
    return status


async def place_call(telephone: Telephone, records: "ModuleType", voice: Voice, listener: Listener) -> Call:
    """Ada calls. Prints what is said and which tools are used, as it happens."""
    heading("Practice call: Ada telephones the shop. All voices are this machine's; no carrier and no AI provider is involved.")
    call = await telephone.place_call(ADA, LINE)
    watching = asyncio.create_task(watch_tools(call, records))
    await Conversation(call, Ada(), voice, listener, on_line=print_line).hold()
    await call.settled
    watching.cancel()
    say(f"{_clock(call.now_ms)}  the call is over ({call.hung_up_by} hung up)")
    return call


async def watch_tools(call: Call, records: "ModuleType") -> None:
    """Print each tool call once it is in the log."""
    shown: set[int] = set()
    while True:
        for tool in await asyncio.to_thread(records.finished_tool_calls, call.sid):
            if tool.pk not in shown:
                shown.add(tool.pk)
                print_line("tool", records.told(tool), call.now_ms)
        await call.line.wait(400)
        if call.line.is_dead:
            return


async def until_complete(call: Call, records: "ModuleType") -> bool:
    """Until the records are complete. Says what is being waited for."""
    waiting_for = ""
    deadline = time.monotonic() + RECORDS_WITHIN_S
    while time.monotonic() < deadline:
        missing = await asyncio.to_thread(records.what_is_missing, call.sid)
        if not missing:
            return True
        if missing != waiting_for:
            waiting_for = missing
            say(f"Waiting for {missing}…")
        await asyncio.sleep(0.5)
    say(f"Gave up waiting for {waiting_for} after {RECORDS_WITHIN_S} s; var/log/ may say why.")
    return False


async def show(call: Call, settings: "LazySettings", records: "ModuleType") -> None:
    heading("What staff will see")
    for line in await asyncio.to_thread(records.as_staff_see_it, call.sid):
        say(line)
    heading("Have a look yourself")
    say(f"The admin is at {settings.PUBLIC_BASE_URL}/admin/. Log in as:")
    for line in await asyncio.to_thread(records.staff_logins):
        say(f"  {line}")


async def report(call: Call, telephone: Telephone, records: "ModuleType", sessions_url: str, *, complete: bool) -> int:
    """The last line: what was checked, as JSON. Only the records decide; the times are reported."""
    gaps = [round(gap.ms) for gap in call.ear.answer_gaps()]
    webhook_ms = round(telephone.requests_to("/incoming-call")[0].took_ms)
    sessions = await closed_sessions(sessions_url)
    checked = {
        "records_are_complete": complete,
        **await asyncio.to_thread(records.checks, call.sid),
        "engine_session_closed": bool(sessions) and not any(session["open"] for session in sessions),
        "carrier_had_no_complaints": not telephone.complaints,
        "engine_had_no_complaints": not any(session["complaints"] for session in sessions),
    }
    ok = all(checked.values())
    told = {
        "ok": ok,
        "checks": checked,
        **await asyncio.to_thread(records.facts, call.sid),
        "person_reached": any(dial.connected_ms is not None for dial in telephone.dials),
        "first_answer_gap_ms": gaps[0] if gaps else None,
        "longest_answer_gap_ms": max(gaps, default=None),
        "webhook_ms": webhook_ms,
        "within_speed_goals": bool(gaps) and max(gaps) <= LONGEST_ANSWER_GAP_MS and webhook_ms <= LONGEST_WEBHOOK_MS,
        "call_s": round(call.now_ms / 1000),
        "complaints": [f"{complaint.code} {complaint.message}" for complaint in telephone.complaints],
    }
    print(json.dumps(told), flush=True)
    return 0 if ok else 1


async def closed_sessions(sessions_url: str, within_s: float = 10) -> list[dict[str, object]]:
    """The voice model's sessions, once all are closed or the time is up."""

    async def are_closed() -> list[dict[str, object]] | None:
        sessions = await _json(sessions_url)
        return None if any(session["open"] for session in sessions) else sessions

    return await _within(within_s, are_closed) or await _json(sessions_url)


async def until_ready(url: str, who: str) -> None:
    async def answers() -> bool | None:
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return True if response.status == 200 else None
        except aiohttp.ClientError:
            return None

    if not await _within(READY_WITHIN_S, answers):
        raise NotReady(f"{who} did not get ready within {READY_WITHIN_S} s; var/log/ may say why.")


async def _within(seconds: float, ask: Callable[[], Awaitable[T | None]]) -> T | None:
    """The first answer that is one."""
    deadline = time.monotonic() + seconds
    while (answer := await ask()) is None and time.monotonic() < deadline:  # noqa: ASYNC110  another process decides
        await asyncio.sleep(0.25)
    return answer


async def _json(url: str) -> list[dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        sessions: list[dict[str, object]] = await response.json()
        return sessions


def _sessions_url(realtime_url: str) -> str:
    parts = urlsplit(realtime_url)
    return f"http://{parts.netloc}/practice/sessions"


# What is printed


def print_line(speaker: str, text: str, at_ms: float) -> None:
    say(f"{_clock(at_ms)}  {_coloured(speaker, f'{speaker:<7}')} {text}")


def heading(text: str) -> None:
    say("\n" + _coloured("heading", text))


def say(text: str) -> None:
    print(text, flush=True)


def _coloured(what: str, text: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\x1b[{COLOURS[what]}m{text}\x1b[0m"


def _clock(ms: float) -> str:
    return f"{int(ms) // 60_000}:{int(ms) // 1000 % 60:02d}.{int(ms) // 100 % 10}"
