"""The carrier fails, repeats itself, is forged, falls silent or cannot be reached."""

import asyncio
import statistics
from contextlib import AsyncExitStack

import pytest
from django.forms.models import model_to_dict

from calllogs.models import CallLog
from simulator.telephone.stream import MediaStream, StreamRefused
from simulator.voice_model.brains import Say, Speech, UseTool
from tests.drill.stage import BYSTANDERS, WITHOUT_FAULT_MS, first_byte, in_database, stack, tone
from tests.drill.trouble import (
    Stamped,
    everything_said_to,
    fallback_served,
    first_sound_ms,
    forgive,
    media_url,
    open_files,
    signed,
    start,
    thrown_out,
    until,
)
from tests.phone_calls.world import SHOP
from voiceagent import models, tickets
from voiceagent.carriers.base import IncomingCall

PUT_THROUGH = UseTool("transfer_to_human", {"reason": "Wants a refund."})
MINE = BYSTANDERS  # the first session of the caller of interest, where there are bystanders
CLEAR_MS = 100
FIRST_SOUND_MS = 500


def someone(number: int) -> IncomingCall:
    return IncomingCall(f"CA{number:032x}", f"+1415555{2000 + number}", SHOP)


# Webhooks


@pytest.mark.drill("F19", "the webhook hangs, the carrier gives up and reads out the fallback")
async def test_a_webhook_that_hangs_leads_to_the_static_fallback_and_its_late_answer_does_nothing(sets, tmp_path):
    go_on = tmp_path / "go_on"
    async with stack(tmp_path, HOLD_AT="webhook.before_answer", HOLD_UNTIL=str(go_on)) as own, fallback_served() as bin_url:
        s = await sets(on=own)
        s.world.telephone.webhook_url += "#rt=3000"
        s.world.telephone.fallback_url = bin_url
        call = await s.call()
        await call.ended
        log = await s.over(call, disposition="abandoned_early", went_on_with="the static fallback")
        assert call.ear.agent_spans()[0].start_ms <= 6000
        assert [dial.status for dial in s.world.telephone.dials] == ["completed"]
        go_on.touch()
        forgive(s, 11200)
    # A web process ends when it has answered what it was asked: by now the late answer was given.
    stream = await in_database(lambda: models.MediaStream.objects.get(call_sid=call.sid))
    assert (stream.taken_at, call.streams, s.world.model.sessions) == (None, [], [])
    assert await in_database(lambda: CallLog.objects.get(pk=log.pk).disposition) == log.disposition


@pytest.mark.drill("F20", "every webhook and callback comes twice, at the same moment")
async def test_repeated_webhooks_make_one_call_one_voice_and_one_transfer(sets):
    s = await sets(PUT_THROUGH, Say("I put you through.", 900), bystanders=BYSTANDERS)
    s.world.telephone.sender.repeats = 2
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")
    first, second = s.world.telephone.requests_to("/incoming-call")[-2:]
    assert first.answer.body == second.answer.body
    assert len(call.streams) == len(s.world.telephone.dials) == 1
    assert len(s.world.model.sessions) == BYSTANDERS + 1


@pytest.mark.drill("F20", "the stream breaks, and what comes next is asked twice at the same moment")
async def test_a_broken_stream_asked_about_twice_is_taken_up_once(sets):
    s = await sets(scripts=[(Say("Your order left on Monday.", 4000),), (Say("As I was saying.", 900),)])
    s.world.telephone.sender.repeats = 2
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, first_byte(1) + 1, 400)
    call.ear.expects()
    call.cut_stream()
    await s.hears(call, first_byte(2), 400)
    await s.quiet(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    s.world.telephone.complaints[:] = [one for one in s.world.telephone.complaints if one.code != 31920]


@pytest.mark.drill("F21", "every webhook of a call is replayed, while it goes on and after it")
async def test_replayed_webhooks_open_no_stream_and_change_nothing(sets):
    s = await sets(Say("It left on Monday.", 900), bystanders=BYSTANDERS)
    network, call = s.world.telephone, await s.greeted()
    url, params = f"{s.stack.url}/incoming-call", call.params(CallStatus="ringing")
    assert "<Stream" not in (await network.request(url, params)).body
    await s.asks(call)
    await s.is_answered(call)
    log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    before = model_to_dict(await in_database(lambda: CallLog.objects.get(pk=log.pk)))
    for path in ("incoming-call", "after-stream"):
        for status in ("ringing", "in-progress", "completed"):
            answer = await network.request(f"{s.stack.url}/{path}", call.params(CallStatus=status))
            assert "<Hangup" in answer.body
            assert "<Stream" not in answer.body and "<Dial" not in answer.body
    for request in [one for one in network.requests if one.params.get("CallSid") == call.sid]:
        assert "<Stream" not in (await network.request(request.url, request.params)).body
    assert model_to_dict(await in_database(lambda: CallLog.objects.get(pk=log.pk))) == before


# Forged and superfluous streams


@pytest.mark.short
@pytest.mark.drill("F23", "strangers forge media streams during a call")
async def test_forged_streams_are_refused_while_the_call_goes_on(sets):
    s = await sets(Say("It left on Monday.", 4000), bystanders=BYSTANDERS)
    call = await s.greeted()
    used = call.streams[0].url
    other = media_url(s.stack, await in_database(tickets.issue, someone(1)))
    await s.asks(call)
    await s.hears(call, first_byte(1, MINE) + 1, 300)
    forged = [
        (used, {}),
        (used, {"x-twilio-signature": "bm90IGl0"}),
        (media_url(s.stack, ""), signed(media_url(s.stack, ""))),
        (media_url(s.stack, "1-" + "0" * 64), signed(media_url(s.stack, "1-" + "0" * 64))),
        (used, signed(used)),
        (other, signed(other) | {"Origin": "https://evil.example"}),
        (other, {}),
    ]
    codes = await asyncio.gather(*(thrown_out(url, headers, start(call.sid)) for url, headers in forged))
    assert codes == [403] * len(forged)
    assert await thrown_out(other, signed(other), start(call.sid)) == 4008
    await s.quiet(call)
    # Once and whole; a few bytes of a chime may be the same as those of a reply.
    assert s.heard_ms(call, first_byte(1, MINE) + 1) == pytest.approx(4000, abs=20)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(s.world.model.sessions) == BYSTANDERS + 1, "a stranger got a session with the engine"


@pytest.mark.drill("F24", "500 sockets connect and say nothing, or too much, while somebody calls")
async def test_idle_sockets_do_not_keep_a_caller_out(sets):
    s = await sets(Say("It left on Monday.", 900), bystanders=BYSTANDERS)
    before = [open_files(child) for child in s.stack.children]
    port = int(s.stack.url.rpartition(":")[2])
    # A process lets in a few that have not started; the caller's own must find room beside them.
    urls = [media_url(s.stack, ticket) for ticket in [await in_database(tickets.issue, someone(n)) for n in range(16)]]
    async with AsyncExitStack() as idle:
        for _ in range(47):
            for _, writer in await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(10))):
                idle.callback(writer.close)
        starting = [asyncio.create_task(thrown_out(url, signed(url))) for url in urls[:-1]]
        shouting = asyncio.create_task(thrown_out(urls[-1], signed(urls[-1]), "x" * 100_000))
        call = await s.greeted()
        await s.asks(call)
        await s.is_answered(call)
        assert set(await asyncio.gather(*starting)) == {4008}
        assert await shouting != 1000
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    await until(lambda: all(open_files(child) <= count for child, count in zip(s.stack.children, before, strict=True)))
    assert len(s.world.model.sessions) == BYSTANDERS + 1


@pytest.mark.drill("F25", "a second stream of the same call is opened while the first one lives")
async def test_of_two_streams_of_one_call_one_is_carried_on(sets):
    s = await sets(scripts=[(), (Say("As I was saying.", 900),)])
    call = await s.greeted()
    url = media_url(s.stack, await in_database(tickets.issue_another, call.sid))
    other = asyncio.create_task(thrown_out(url, signed(url), start(call.sid)))
    await call.until(lambda: len(s.world.model.sessions) == 2)
    call.ear.expects()
    await call.line.wait(1000)
    assert len(s.world.model.open_sessions) == 1, "two sessions with the engine in one call"
    # The carrier asks what comes after the first one, and the call goes on in a third.
    await other
    await call.until(lambda: call.stream is call.streams[-1] and len(call.streams) == 2 and call.ear.silence_owed > 500)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    assert len(s.world.model.sessions) <= 3


# The stream breaks


@pytest.mark.short
@pytest.mark.drill("F26", "the stream breaks in the middle of a sentence")
async def test_a_broken_stream_is_followed_by_another_and_the_agent_goes_on(sets):
    s = await sets(
        scripts=[(Say("Your order left on Monday and", 5000),), (Say("As I was saying, on Monday.", 900),)], bystanders=BYSTANDERS
    )
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, first_byte(1, MINE) + 1, 600)
    call.ear.expects()
    cut_ms = call.now_ms
    call.cut_stream()
    await s.hears(call, first_byte(2, MINE), 300)
    back_ms = next(run.start_ms for run in call.ear.runs() if run.byte == first_byte(2, MINE)) - cut_ms
    assert back_ms <= 5000, f"the agent was back after {back_ms} ms"
    await s.quiet(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    assert [one.words for one in s.world.brains[-1].spoken] == ["As I was saying, on Monday."], "greeted a second time"
    told = everything_said_to(s.world.model.sessions[-1])
    assert "How can I help you" in told and "caller's words in turn 1" in told
    assert len(call.streams) == 2


@pytest.mark.drill("F26", "the stream goes dead without a word, in the middle of a sentence (half-open)")
async def test_a_stream_that_fell_silent_is_fetched_back(sets):
    s = await sets(
        scripts=[(Say("Your order left on Monday and", 1500),), (Say("As I was saying, on Monday.", 900),)], bystanders=BYSTANDERS
    )
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, first_byte(1, MINE) + 1, 300)
    call.ear.expects()
    call.go_silent()
    await s.hears(call, first_byte(2, MINE), 300)
    await s.quiet(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    assert await in_database(lambda: CallLog.objects.filter(call_sid=call.sid).count()) == 1


@pytest.mark.drill("F26", "the stream goes dead, and then the caller hangs up")
async def test_a_caller_who_leaves_a_dead_stream_is_let_go(sets):
    s = await sets(Say("It left on Monday.", 900), bystanders=BYSTANDERS)
    call = await s.greeted()
    call.go_silent()
    gone_at = asyncio.get_running_loop().time()
    await s.over(call, disposition="caller_hung_up", went_on_with="nobody: the caller left")
    await until(lambda: not s.world.model.sessions[MINE].is_open, 15)
    assert asyncio.get_running_loop().time() - gone_at <= 5, "the session with the engine outlived its call"


@pytest.mark.drill("F27", "the stream carries broken, binary, unknown and repeated messages")
async def test_bad_frames_and_a_second_start_do_not_disturb_a_call(sets):
    s = await sets(Say("It left on Monday.", 900), Say("Anything else?", 900), bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    bad = ("not JSON", "[]", "{}", '{"event":"media"}', '{"event":"media","media":{"payload":"###"}}', '{"event":"surprise"}', "")
    for _ in range(20):
        for message in (*bad, b"\x00\xff\x01", start(call.sid, call.stream.sid), start("CA" + "9" * 32)):
            call.send_raw(message)
    await s.is_answered(call)
    await s.asks(call)
    await s.is_answered(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(s.world.model.sessions) == BYSTANDERS + 1
    assert len(call.streams) == 1


@pytest.mark.drill("F28", "the media stream cannot be opened, once")
async def test_a_stream_that_could_not_be_opened_is_offered_again(sets, monkeypatch):
    s = await sets(bystanders=BYSTANDERS)
    opens, refused = MediaStream._open, []

    async def cannot_at_first(self, session):
        if not refused:
            refused.append(self)
            raise StreamRefused(31902, "the stream's server refused the connection")
        return await opens(self, session)

    monkeypatch.setattr(MediaStream, "_open", cannot_at_first)
    call = await s.greeted()
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    forgive(s, 31902)


@pytest.mark.drill("F28", "the media stream cannot be opened at all")
async def test_a_call_whose_stream_can_never_be_opened_goes_to_a_person(sets, monkeypatch):
    s = await sets(bystanders=BYSTANDERS)

    async def cannot(self, session):
        raise StreamRefused(31902, "the stream's server refused the connection")

    monkeypatch.setattr(MediaStream, "_open", cannot)
    call = await s.call()
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")
    assert len(s.world.model.sessions) == BYSTANDERS
    assert len(call.streams) <= tickets.MOST_OFFERS
    forgive(s, 31902)


@pytest.mark.drill("F29", "the agent ends the call: no dead line after the goodbye")
async def test_the_line_is_hung_up_right_after_the_whole_goodbye(sets):
    s = await sets([Say("Goodbye, and thank you for calling.", 2500), UseTool("end_call")])
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="completed", went_on_with="nobody: it was over", silence_ms=WITHOUT_FAULT_MS)
    assert s.heard_ms(call, first_byte(1) + 1) == 2500
    assert call.ended_ms - call.ear.last_voice_ms <= 1000


# Callbacks


@pytest.mark.drill("F30", "status callbacks are lost, and come late, out of order and twice")
async def test_a_call_is_written_down_without_the_carriers_callbacks_and_late_ones_change_nothing(sets):
    s = await sets(Say("It left on Monday.", 900))
    network = s.world.telephone
    network.status_withheld, network.status_events = True, {"initiated", "ringing", "answered", "completed"}
    call = await s.greeted()
    await s.asks(call)
    await s.is_answered(call)
    log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    assert (log.status, log.duration_s) == ("ended", None)
    late = [one for one in reversed(network.withheld) for _ in range(2)]
    answers = await asyncio.gather(*(network.request(*one) for one in late))
    assert {answer.status for answer in answers} == {204}
    after = await in_database(lambda: CallLog.objects.get(pk=log.pk))
    assert (after.status, after.disposition, after.ended_at, after.end_reason) == (
        log.status,
        log.disposition,
        log.ended_at,
        log.end_reason,
    )
    assert (after.carrier_state, after.duration_s) == ("completed", call.duration_s)


@pytest.mark.drill("F32", "the caller hangs up during the notice")
async def test_a_caller_who_leaves_during_the_notice_costs_no_session(sets):
    s = await sets(bystanders=BYSTANDERS)
    call = await s.call()
    await call.until(lambda: call.ear.last_voice_ms > 300)
    await s.over(call, disposition="abandoned_early", went_on_with="nobody: the caller left")
    assert call.streams == []
    assert len(s.world.model.sessions) == BYSTANDERS


# The carrier's REST API

REST = [
    pytest.param([429], 0, marks=pytest.mark.drill("F33", "the carrier's REST API answers 429 to the transfer"), id="429"),
    pytest.param([500], 0, marks=pytest.mark.drill("F33", "the carrier's REST API answers 500 to the transfer"), id="500"),
    pytest.param([0], 0, marks=pytest.mark.drill("F33", "the carrier does the transfer, and its answer is lost"), id="answer lost"),
    pytest.param([], 4, marks=pytest.mark.drill("F33", "the carrier's REST API takes 4 s for the transfer"), id="slow"),
]


@pytest.mark.parametrize(("trouble", "delay_s"), REST)
async def test_a_transfer_needs_no_rest(sets, trouble, delay_s):
    s = await sets(PUT_THROUGH, Say("I put you through.", 900), bystanders=BYSTANDERS)
    call = await s.greeted()
    s.world.telephone.rest_trouble.extend(trouble)
    s.world.telephone.rest_delay_s = delay_s
    await s.asks(call)
    await s.hears(call, first_byte(1, MINE) + 2, 300)
    call.ear.expects()
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")
    assert len(s.world.telephone.dials) == 1, "a person was rung twice"


@pytest.mark.drill("F33", "the carrier's REST API fails when the agent hangs up")
async def test_hanging_up_needs_no_rest(sets):
    s = await sets([Say("Goodbye.", 900), UseTool("end_call")], bystanders=BYSTANDERS)
    call = await s.greeted()
    s.world.telephone.rest_trouble.extend([500, 500, 500])
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="completed", went_on_with="nobody: it was over")
    assert s.heard_ms(call, first_byte(1, MINE) + 1) == 900
    assert call.ended_ms - call.ear.last_voice_ms <= 1000


@pytest.mark.drill("F34", "the caller hangs up while the carrier is asked to put them through")
async def test_a_transfer_of_a_call_that_has_just_ended_is_no_error(sets):
    s = await sets(PUT_THROUGH, Say("I put you through.", 900), bystanders=BYSTANDERS)
    call = await s.greeted()
    s.world.telephone.rest_delay_s = 1
    await s.asks(call)
    # Once how long it may last, and now this.
    await call.until(lambda: sum(call.sid in one for one in s.world.telephone.asked) == 2)
    await s.over(call, disposition="caller_hung_up", went_on_with="nobody: the caller left")
    assert s.world.telephone.dials == []


@pytest.mark.drill("F34", "the caller hangs up while the carrier is asked to hang up")
async def test_hanging_up_a_call_that_has_just_ended_is_no_error(sets):
    s = await sets([Say("Goodbye.", 900), UseTool("end_call")], bystanders=BYSTANDERS)
    call = await s.greeted()
    s.world.telephone.rest_delay_s = 1
    await s.asks(call)
    # Once how long it may last, and now this.
    await call.until(lambda: sum(call.sid in one for one in s.world.telephone.asked) == 2)
    await s.over(call, disposition="completed", went_on_with="nobody: it was over")


# Marks, pieces, barge-in, the first sound


@pytest.mark.drill("F35", "marks are never echoed: the goodbye is still heard, and the line hung up")
async def test_without_marks_the_goodbye_is_heard_and_the_call_ends(sets):
    s = await sets(Say("It left on Monday.", 900), [Say("Goodbye.", 2500), UseTool("end_call")], bystanders=BYSTANDERS)
    call = await s.call()
    await call.until(lambda: call.stream is not None)
    call.stream.marks_withheld = True
    await s.quiet(call, 700)
    await s.asks(call)
    await s.is_answered(call)
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="completed", went_on_with="nobody: it was over")
    assert s.heard_ms(call, first_byte(1, MINE) + 2) == 2500
    assert call.ended_ms - call.ear.last_voice_ms <= 5000


@pytest.mark.drill("F36", "the engine sends its sound in pieces of 37 bytes")
async def test_a_reply_in_tiny_pieces_is_heard_without_a_gap(sets):
    byte, pieces = 0x7A, 400
    piece = bytes([byte]) * 37
    s = await sets([Speech("It comes in crumbs.", piece), *[Speech("", piece)] * (pieces - 1)], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, byte, 37 * pieces / 8)
    (run,) = [run for run in call.ear.runs() if run.byte == byte]
    assert run.ms == 37 * pieces / 8
    await s.quiet(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)


@pytest.mark.short
@pytest.mark.drill("F13", "the caller interrupts, five times")
async def test_who_interrupts_hears_nothing_more_of_what_was_said(sets):
    s = await sets(*[Say("A long story about your order.", 8000)] * 6)
    call = await s.greeted()
    record = s.world.model.sessions[0]
    record.sent = said = Stamped(record.sent, call)
    call.stream.received = ordered = Stamped(call.stream.received, call)
    await s.asks(call)
    for number in range(1, 6):
        await s.hears(call, first_byte(1) + number, 500)
        await call.speak(tone(400, 300))
        await call.until(lambda number=number: len(ordered.when("clear")) == number)
    await s.hears(call, first_byte(1) + 6, 500)
    # The first time the caller spoke, nobody was speaking.
    started = [at_s for at_s, _ in said.when("input_audio_buffer.speech_started")][1:]
    cleared = ordered.when("clear")
    latency_ms = statistics.median((clear - start) * 1000 for start, (clear, _) in zip(started, cleared, strict=True))
    s.row.fault += f": cleared after {latency_ms:.0f} ms"
    assert latency_ms <= CLEAR_MS
    stale = [call.ear.stale(first_byte(1) + number, at_ms) for number, (_, at_ms) in enumerate(cleared, start=1)]
    assert stale == [0] * 5, "what was interrupted is still heard"
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)


@pytest.mark.drill("I2", "the engine takes 2 s to come up, in five calls")
async def test_the_first_sound_on_a_stream_does_not_wait_for_the_engine(sets):
    s = await sets()
    # Two trips to the engine and back: the handshake, and the session's settings.
    s.stack.engine.delay_s, s.stack.engine.mode = 0.5, "delay"
    calls = [await s.call(f"+1415555017{number}") for number in range(5)]
    for call in calls:
        await call.until(lambda call=call: bool(s.replies(call)))
        await s.quiet(call)
    first_ms = statistics.median(first_sound_ms(call) for call in calls)
    s.row.fault += f": first sound after {first_ms:.0f} ms"
    assert first_ms <= FIRST_SOUND_MS
    for call in calls:
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
