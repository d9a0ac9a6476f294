"""A caller and the agent talk."""

from calllogs.models import CallLog, Turn
from simulator.voice_model.brains import Heard, Say, UseTool
from tests.phone_calls.world import PERSON, in_database


def turns_of(log: CallLog) -> list[Turn]:
    return list(log.turns.order_by("position"))


async def test_a_caller_is_greeted_asks_and_is_answered(world):
    w = await world(Say("We are open until six.", 1000), heard=["When do you close?"])
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await w.listens(call, 2)
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    said = [(turn.speaker, turn.heard) for turn in await in_database(turns_of, log)]
    assert said == [
        ("agent", "Hello, this is Northwind Outfitters. How can I help you?"),
        ("caller", "When do you close?"),
        ("agent", "We are open until six."),
    ]
    assert (log.end_reason, log.caller_number, log.language) == ("caller_hung_up", "+14155550142", "en")


async def test_the_notice_is_heard_before_the_agent(world):
    w = await world()
    call = await w.call()
    await call.until(w.hears(call, 1))
    assert call.verbs[:3] == ["Say", "Start", "Connect"]
    await call.hang_up()


async def test_the_callers_words_come_late_and_still_stand_before_the_answer(world):
    """Trap 8."""
    w = await world(Say("It left yesterday.", 600), heard=[Heard("Where is my parcel?", late=True)])
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await w.listens(call, 2)
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: log.turns.filter(heard="Where is my parcel?").exists())
    assert [turn.speaker for turn in await in_database(turns_of, log)] == ["agent", "caller", "agent"]


async def test_barge_in_stops_the_agent_at_once_and_the_engine_knows_what_was_not_heard(world):
    """Traps 1 to 4, at the caller's ear, byte for byte."""
    w = await world(Say("A very long story that nobody wants to hear to its end.", 8000), Say("Yes?", 400))
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.until(w.hears(call, 2, 1500))
    await w.says(call, 600)
    await w.listens(call, 3)
    await call.hang_up()
    bytes_in_order = [run.byte for run in call.ear.runs()]
    assert bytes_in_order == sorted(bytes_in_order), "audio of an interrupted turn was heard after its end"
    assert w.heard_ms(call, 2) < 8000
    (truncated,) = w.model.sessions[0].received("conversation.item.truncate")
    # The product's clock runs at the wall's pace and the telephone's faster, so marks decide and the clock can only be behind.
    assert 0 < truncated["audio_end_ms"] <= w.heard_ms(call, 2) + 200
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    interrupted = [turn for turn in await in_database(turns_of, log) if turn.interrupted]
    assert len(interrupted) == 1
    assert interrupted[0].generated.startswith(interrupted[0].heard)
    assert len(interrupted[0].heard) < len(interrupted[0].generated)


async def test_a_cough_does_not_lose_the_reply_it_interrupted(world):
    w = await world(
        Say("A long answer about your order and everything in it.", 6000), Say("As I was saying.", 500), heard=["Well?", ""]
    )
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.until(w.hears(call, 2, 1000))
    await w.says(call, 60)
    await w.listens(call, 3)
    assert w.heard_ms(call, 2) < 6000
    await call.hang_up()


async def test_a_caller_who_asks_for_a_person_is_put_through_though_the_model_argues(world):
    w = await world(
        Say("I am sure that I can help you with that myself.", 6000), heard=["Please, I want to talk to a human being."]
    )
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.ended
    assert [dial.number for dial in w.telephone.dials] == [PERSON]
    log = await w.until_recorded(call, lambda log: log.disposition == "transferred")
    assert log.transfer_reason == "The caller asked for a person: Please, I want to talk to a human being."


async def test_a_tool_is_used_and_its_answer_is_told(world):
    """Trap 7, with a real tool: the hours come from the shop's own rows."""
    w = await world(UseTool("opening_hours"), Say("We are closed today.", 500))
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await w.listens(call, 3)
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    (used,) = await in_database(lambda: list(log.tool_calls.all()))
    assert (used.name, used.status) == ("opening_hours", "done")
    outputs = [
        event["item"]["output"]
        for event in w.model.sessions[0].received("conversation.item.create")
        if event["item"]["type"] == "function_call_output"
    ]
    (output,) = outputs
    # As a quotation, in words of ours.
    assert output.endswith(f"⟦{used.result}⟧")


async def test_arguments_that_are_not_valid_do_nothing_and_the_model_is_told(world):
    w = await world(UseTool("book_appointment", '{"phone": "+1415'), Say("Say that again?", 300))
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await w.listens(call, 3)
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    (used,) = await in_database(lambda: list(log.tool_calls.all()))
    assert used.status == "refused"
    assert used.result.startswith("Nothing was done")


async def test_two_calls_at_once_do_not_mix(world):
    w = await world(Say("This is for one caller.", 600))
    calls = [await w.call("+14155550142"), await w.call("+14155550177")]
    for call in calls:
        await w.listens(call, 1)
    await w.says(calls[0])
    await w.listens(calls[0], 2)
    assert w.heard_ms(calls[1], 2) == 0
    for call in calls:
        await call.hang_up()
    logs = [await w.until_recorded(call, lambda log: bool(log.disposition)) for call in calls]
    assert [len(await in_database(turns_of, log)) for log in logs] == [3, 1]
