"""What the agent is told before a call: its standing orders, its lines, the numbers that govern the call, its tools."""

from collections.abc import Iterable

from django.conf import settings

from . import clips
from .call.policy import Lines, Policy
from .call.spending import Tariff
from .engines.base import EngineConfig, ToolSchema
from .languages import LANGUAGES
from .models import AgentSettings, TransferDestination
from .toolbox import Tool
from .words import spoken, spoken_lines, written


def policy(chosen: AgentSettings, *, staff_are_there: bool, tariff: Tariff | None = None, budget_micro: int = 0) -> Policy:
    """`budget_micro`: what may be spent from here on, in millionths of a dollar at this tariff."""
    return Policy(
        lines={language: lines(language, chosen, staff_are_there=staff_are_there) for language in chosen.languages},
        language=chosen.language,
        tool_too_late=written("agent/too_late.txt"),
        call_goes_on=written("agent/call_goes_on.txt"),
        keys_typed=written("agent/keys_typed.txt"),
        card_told=written("agent/card_told.txt"),
        # What silence by meaning takes is the engine's to decide, and not told.
        endpointing_ms=chosen.vad_silence_ms if chosen.turn_detection == AgentSettings.TurnDetection.SERVER_VAD else 0,
        silence_s=chosen.silence_s,
        nudges=chosen.nudges,
        longest_call_s=chosen.longest_call_s,
        tariff=tariff,
        budget_micro=budget_micro,
    )


def lines(language: str, chosen: AgentSettings, *, staff_are_there: bool) -> Lines:
    """What is said in one language. A greeting of the managers' own is in the language that calls begin in."""
    own_greeting = chosen.greeting if language == chosen.language else ""
    return Lines(
        greeting=own_greeting or spoken("agent/greeting", language=language),
        nudge=spoken("agent/nudge", language=language),
        no_input_goodbye=spoken("agent/no_input_goodbye", language=language),
        too_long_goodbye=spoken("agent/too_long_goodbye", language=language),
        transfer_line=spoken("agent/transfer_line" if staff_are_there else "agent/transfer_line_closed", language=language),
        budget_line=spoken("agent/budget_spent" if staff_are_there else "agent/budget_spent_closed", language=language),
        offer_person=spoken("agent/offer_person", language=language),
        not_recorded=spoken("agent/not_recorded", language=language),
        no_cards=spoken("agent/no_cards", language=language),
        fillers=spoken_lines("agent/fillers", language=language),
        first_sound=clips.chime(),
        waits=(clips.clip("one_moment", language), clips.clip("still_here", language)),
        trouble=clips.clip("line_trouble", language),
    )


def engine_config(chosen: AgentSettings, tools: Iterable[Tool], briefing: str) -> EngineConfig:
    return EngineConfig(
        model=chosen.model or settings.OPENAI_REALTIME_MODEL,
        voice=chosen.voice,
        instructions=written(
            "agent/instructions.txt",
            others=[LANGUAGES[code].name for code in chosen.languages[1:]],
            departments=list(TransferDestination.objects.all()),
            more=chosen.instructions,
            briefing=briefing,
        ),
        say_exactly=written("agent/say_exactly.txt"),
        resume=written("agent/resume.txt"),
        tool_result=written("agent/tool_result.txt"),
        tools=tuple(ToolSchema(tool.name, tool.description, tool.parameters) for tool in tools),
        language=chosen.language,
        transcription_model=settings.OPENAI_LIVE_TRANSCRIPTION_MODEL,
        turn_detection=chosen.turn_detection,  # type: ignore[arg-type]
        vad_threshold=chosen.vad_threshold,
        vad_silence_ms=chosen.vad_silence_ms,
        vad_eagerness=chosen.vad_eagerness,  # type: ignore[arg-type]
        noise_reduction=chosen.noise_reduction,  # type: ignore[arg-type]
        speed=chosen.speed,
    )
