"""The rows: calls with their turns and tool calls; recordings with their transcriptions; what is held, and what was erased."""

from ..choices import Disposition, EndReason, Speaker, Status
from .calls import CallLog, ToolCall, Turn
from .erasures import ErasedCall, ErasedRecording, Erasure
from .holds import Hold
from .recordings import Recording
from .transcriptions import Transcription
from .transfers import Transfer

__all__ = [
    "CallLog",
    "Disposition",
    "EndReason",
    "ErasedCall",
    "ErasedRecording",
    "Erasure",
    "Hold",
    "Recording",
    "Speaker",
    "Status",
    "ToolCall",
    "Transcription",
    "Transfer",
    "Turn",
]
