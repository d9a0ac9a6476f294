"""How a caller is asked for what is missing or was not understood: in another way each time, and never twice in the same words.

What is said is heard wrongly. So the first time the agent reads back what it understood and asks; the second time it asks for
single digits or letters; the third time, where it is a number, for the keypad; then it offers a person, and the last two take
turns. The words depend on what was claimed and on how often it was asked, never on what exists.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from voiceagent.toolbox import AskKeypad, Caller, ToolError

from .claims import can_be_rung, speaks_of_an_email
from .models.proofs import Claim, Verdict
from .spoken import identifiers
from .wording import say

KEYPAD, PERSON = 3, 4
# Fewer digits are a chance "one", more are no number of any kind: neither is worth reading back.
SHORTEST_READ_BACK, LONGEST_READ_BACK = 3, 15


def ask_for_proof(caller: Caller, verdict: Verdict, claims: list[Claim], said: str) -> str | AskKeypad:
    """What to ask whoever has not proved who they are. `claims` is what was understood of `said` this time."""
    if verdict.kind == "locked":
        raise ToolError(say("locked", rung=rung(caller, "proof, when locked", last=2)))
    # Whoever was heard wrongly twice goes on with the keypad: the next combination is the last one.
    least = verdict.proof.failures + 1
    numbers = [claim for claim in verdict.heard if claim.order_number]
    number = numbers[-1] if numbers else None
    if speaks_of_an_email(said) and not any(claim.email for claim in claims):
        return ask(caller, "e-mail address", "ask_for_email", least, number=number)
    if verdict.kind == "mismatch":
        return _ask_after_mismatch(caller, verdict)
    if number is None:
        return ask(caller, "order number", "ask_for_number", least, claim=verdict.heard[-1] if verdict.heard else None)
    if verdict.kind == "not_theirs":
        return ask(caller, "order number", "not_theirs", least, number=number)
    return ask(caller, "postcode", "ask_for_email_or_postcode", least, number=number)


def _ask_after_mismatch(caller: Caller, verdict: Verdict) -> AskKeypad:
    """Two combinations are heard, the third is typed. A `ToolError` where nothing is to be typed."""
    step = rung(caller, "proof", verdict.proof.failures, last=3)
    heard = sorted(verdict.heard, key=lambda claim: not claim.order_number)
    words = say("mismatch", rung=step, heard=heard)
    if step != 2:
        raise ToolError(words)
    return AskKeypad(words)


def ask_for_phone(caller: Caller, said: str) -> str | AskKeypad:
    digits = identifiers.digits(said)
    return ask(
        caller,
        "phone number",
        "ask_for_phone",
        digits=digits if SHORTEST_READ_BACK <= len(digits) <= LONGEST_READ_BACK else "",
        has_number=can_be_rung(caller.number, caller.line),
    )


def ask_for_time(caller: Caller, free: Sequence[datetime]) -> str:
    """There is no key for "tomorrow": the third time some free times are named instead."""
    return say("ask_for_time", rung=rung(caller, "time"), times=free)


def ask_which(caller: Caller, kind: str, choices: Sequence[date]) -> str:
    """Which day or which time is meant, of those that can be."""
    return say(f"ask_which_{kind}", again=rung(caller, "time", last=2) == 2, choices=choices)


def ask(caller: Caller, thing: str, name: str, least: int = 1, **facts: Any) -> str | AskKeypad:
    step = rung(caller, thing, least)
    words = say(name, rung=step, **facts)
    return AskKeypad(words) if step == KEYPAD else words


def rung(caller: Caller, thing: str, least: int = 1, last: int = PERSON) -> int:
    """How to ask for it this time: from 1 up to `last`, then that and the one before it in turn. It starts at `least`."""
    number = caller.tries.next(thing)
    while number < least:
        number = caller.tries.next(thing)
    return number if number <= last else last - (number - last) % 2
