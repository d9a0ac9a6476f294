"""What of a call is recorded and kept: nothing any more from a caller who refuses, and no number of a card from anybody."""

from dataclasses import replace
from typing import Literal

from .commands import (
    Command,
    LogRecordingRefused,
    LogToolCall,
    LogTransfer,
    LogTurn,
    PauseRecording,
    ResumeRecording,
    StopRecording,
)


class Recording:
    """`is_refused`: it has stopped for good, and of what is written down only the facts stay. `is_paused`: it will go on."""

    def __init__(self, *, is_refused: bool = False) -> None:
        self.is_refused = is_refused
        self.is_paused = False

    def refuse(self, how: Literal["said", "pressed"], at_ms: int) -> list[Command]:
        """The call goes on, and nothing of it is kept but that it was."""
        if self.is_refused:
            return []
        self.is_refused = True
        return [StopRecording(), LogRecordingRefused(how, at_ms)]

    def pause(self) -> list[Command]:
        if self.is_paused:
            return []
        self.is_paused = True
        return [PauseRecording()]

    def go_on(self) -> list[Command]:
        self.is_paused = False
        return [] if self.is_refused else [ResumeRecording()]

    def kept(self, commands: list[Command]) -> list[Command]:
        """As they may leave the call: of one that is not recorded, facts and no words."""
        return [_wordless(command) for command in commands] if self.is_refused else commands


def _wordless(command: Command) -> Command:
    match command:
        case LogTurn():
            return replace(command, generated="", heard="")
        case LogToolCall():
            return replace(command, arguments="", result="")
        case LogTransfer():
            return replace(command, reason="")
    return command
