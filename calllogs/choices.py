"""The words a call's rows use for where it is, why it ended, what became of it and who spoke."""

from django.db import models


class Status(models.TextChoices):
    """Where a call is. In order: a call only moves down this list."""

    RECEIVED = "received", "Ringing"
    STREAMING = "streaming", "With the agent"
    TRANSFERRING = "transferring", "Being put through"
    WITH_HUMAN = "with_human", "With a person"
    ENDED = "ended", "Ended"

    @property
    def rank(self) -> int:
        return list(Status).index(self)


class Disposition(models.TextChoices):
    """What became of a call: a judgement the wrap-up makes and staff may correct."""

    COMPLETED = "completed", "Completed"
    CALLER_HUNG_UP = "caller_hung_up", "Caller hung up"
    ABANDONED_EARLY = "abandoned_early", "Abandoned early"
    TRANSFERRED = "transferred", "Transferred"
    TRANSFER_FAILED = "transfer_failed", "Transfer failed"
    MESSAGE_TAKEN = "message_taken", "Message taken"
    NO_INPUT = "no_input", "Nobody spoke"
    MAX_DURATION = "max_duration", "Longest time reached"
    COST_LIMIT = "cost_limit", "Cost limit reached"
    REJECTED_CAPACITY = "rejected_capacity", "Refused: all lines busy"
    REJECTED_POLICY = "rejected_policy", "Refused"
    AI_UNAVAILABLE = "ai_unavailable", "Agent unavailable"
    INTERNAL_ERROR = "internal_error", "Internal error"
    UNKNOWN_RECONCILED = "unknown_reconciled", "Unknown"


class EndReason(models.TextChoices):
    """Why the agent's part ended: a fact. The values of `voiceagent.call.commands.EndReason`."""

    CALLER_HUNG_UP = "caller_hung_up", "Caller hung up"
    AGENT_HUNG_UP = "agent_hung_up", "Agent said goodbye"
    TRANSFERRED = "transferred", "Handed to a person"
    NO_INPUT = "no_input", "Nobody spoke"
    MAX_DURATION = "max_duration", "Longest time reached"
    ENGINE_FAILED = "engine_failed", "Speech engine failed"
    BUDGET_SPENT = "budget_spent", "Budget spent"
    BLOCKED = "blocked", "Number is blocked"


class Refusal(models.TextChoices):
    """Why the agent did not take a call. The values of `voiceagent.call.commands.RefusalReason`."""

    CAPACITY = "capacity", "All lines busy"
    ENGINE_DOWN = "engine_down", "Speech engine down"
    FAILED = "failed", "Something failed"
    SWITCHED_OFF = "switched_off", "Agent is switched off"
    NUMBER_LIMIT = "number_limit", "Too many calls of this number"
    BUDGET = "budget", "Budget spent"


class NoRecording(models.TextChoices):
    """How a caller refused to be recorded. The values of `voiceagent.call.commands.LogRecordingRefused`."""

    SAID = "said", "Said so"
    PRESSED = "pressed", "Pressed 9"


class Speaker(models.TextChoices):
    CALLER = "caller", "Caller"
    AGENT = "agent", "Agent"


class Suppression(models.TextChoices):
    """Why words that Whisper heard, or a sound, are not part of a transcription."""

    NO_SPEECH = "no_speech", "no speech"
    UNLIKELY = "unlikely", "unlikely"
    REPETITIVE = "repetitive", "repeats itself"
    LOOP = "loop", "goes in circles"
