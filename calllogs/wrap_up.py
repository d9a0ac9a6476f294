"""What follows from the facts of a call: where it is, and what became of it. Pure: no rows, no clock.

Facts arrive in any order and more than once; because both answers depend only on the facts together, the order does not
matter. What the carrier says of the whole call outlasts what the agent says of its part.
"""

from dataclasses import dataclass

from .choices import Disposition, EndReason, Refusal, Status

# After these the agent hangs up or nobody is there any more; after the others the line goes on to a person or a message.
FINAL_REASONS = {EndReason.CALLER_HUNG_UP, EndReason.AGENT_HUNG_UP, EndReason.NO_INPUT, EndReason.MAX_DURATION, EndReason.BLOCKED}
FINAL_CARRIER_STATES = {"completed", "busy", "failed", "no_answer", "canceled"}
# Of several persons rung, what counts most.
DIAL_STATES = ("failed", "no_answer", "busy", "canceled", "answered")

BY_REASON = {
    EndReason.AGENT_HUNG_UP: Disposition.COMPLETED,
    EndReason.CALLER_HUNG_UP: Disposition.CALLER_HUNG_UP,
    EndReason.NO_INPUT: Disposition.NO_INPUT,
    EndReason.MAX_DURATION: Disposition.MAX_DURATION,
    EndReason.ENGINE_FAILED: Disposition.AI_UNAVAILABLE,
    EndReason.TRANSFERRED: Disposition.TRANSFER_FAILED,
    EndReason.BUDGET_SPENT: Disposition.COST_LIMIT,
    EndReason.BLOCKED: Disposition.REJECTED_POLICY,
}
BY_REFUSAL = {
    Refusal.CAPACITY: Disposition.REJECTED_CAPACITY,
    Refusal.ENGINE_DOWN: Disposition.AI_UNAVAILABLE,
    Refusal.FAILED: Disposition.INTERNAL_ERROR,
    Refusal.SWITCHED_OFF: Disposition.AI_UNAVAILABLE,
    Refusal.NUMBER_LIMIT: Disposition.REJECTED_POLICY,
    Refusal.BUDGET: Disposition.COST_LIMIT,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """`dial_state`: "" until a person was rung; `dial_over`: that person has left. `forgotten`: nobody told the end.

    `streamed` is of any media stream. A call has several of them one after the other when one breaks: the end of a stream is
    no end of a call.
    """

    streamed: bool = False
    transfer_wanted: bool = False
    end_reason: str = ""
    dial_state: str = ""
    dial_over: bool = False
    message_left: bool = False
    carrier_state: str = ""
    forgotten: bool = False
    refused: str = ""

    @property
    def person_answered(self) -> bool:
        return self.dial_state == "answered"

    @property
    def over(self) -> bool:
        return (
            self.carrier_state in FINAL_CARRIER_STATES
            or self.end_reason in FINAL_REASONS
            or self.message_left
            or (self.person_answered and self.dial_over)
            or self.forgotten
        )


def status(facts: Facts) -> Status:
    if facts.over:
        return Status.ENDED
    if facts.person_answered:
        return Status.WITH_HUMAN
    if facts.transfer_wanted or facts.end_reason or facts.dial_state or facts.refused:
        return Status.TRANSFERRING
    return Status.STREAMING if facts.streamed else Status.RECEIVED


def disposition(facts: Facts) -> Disposition:
    """What became of a call that is over. May still change when a late fact arrives."""
    if facts.message_left:
        return Disposition.MESSAGE_TAKEN
    if facts.person_answered:
        return Disposition.TRANSFERRED
    if facts.refused and not facts.end_reason:
        # Also for a caller who gave up while a person's phone rang: they would not have had to wait for one.
        return BY_REFUSAL[Refusal(facts.refused)]
    if facts.dial_state == "canceled":
        return Disposition.CALLER_HUNG_UP
    if facts.end_reason:
        return BY_REASON[EndReason(facts.end_reason)]
    if facts.dial_state:
        return Disposition.TRANSFER_FAILED
    if facts.forgotten and facts.carrier_state not in FINAL_CARRIER_STATES:
        return Disposition.UNKNOWN_RECONCILED
    return Disposition.INTERNAL_ERROR if facts.streamed else Disposition.ABANDONED_EARLY
