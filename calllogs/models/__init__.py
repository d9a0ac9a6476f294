"""The rows: calls with their turns and tool calls; recordings with their transcriptions."""

from ..choices import Disposition, EndReason, Speaker, Status
from .calls import CallLog, ToolCall, Turn
from .recordings import Recording
from .transcriptions import Transcription
from .transfers import Transfer

__all__ = ["CallLog", "Disposition", "EndReason", "Recording", "Speaker", "Status", "ToolCall", "Transcription", "Transfer", "Turn"]
