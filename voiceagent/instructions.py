"""What the agent is told before a call: its standing orders, its lines, the numbers that govern the call, its tools."""

from collections.abc import Iterable

from django.conf import settings

from .call.policy import Policy
from .engines.base import EngineConfig, ToolSchema
from .models import AgentSettings, TransferDestination
from .toolbox import Tool
from .words import spoken, written


def policy(chosen: AgentSettings) -> Policy:
    return Policy(
        greeting=chosen.greeting or spoken("agent/greeting"),
        nudge=spoken("agent/nudge"),
        no_input_goodbye=spoken("agent/no_input_goodbye"),
        too_long_goodbye=spoken("agent/too_long_goodbye"),
        transfer_line=spoken("agent/transfer_line"),
        fillers=tuple(written("spoken/agent/fillers.txt").splitlines()),
        tool_too_late=written("agent/too_late.txt"),
        call_goes_on=written("agent/call_goes_on.txt"),
        silence_s=chosen.silence_s,
        nudges=chosen.nudges,
        longest_call_s=chosen.longest_call_s,
    )


def engine_config(chosen: AgentSettings, tools: Iterable[Tool], briefing: str) -> EngineConfig:
    return EngineConfig(
        model=chosen.model or settings.OPENAI_REALTIME_MODEL,
        voice=chosen.voice,
        instructions=written(
            "agent/instructions.txt",
            language=chosen.language,
            departments=list(TransferDestination.objects.all()),
            more=chosen.instructions,
            briefing=briefing,
        ),
        say_exactly=written("agent/say_exactly.txt"),
        resume=written("agent/resume.txt"),
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
