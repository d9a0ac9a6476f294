"""What a log line may hold. An exception's text may quote a caller's words or number, so only its kind and place are kept."""

import logging
import traceback
from types import TracebackType


class WithoutTexts(logging.Formatter):
    """Formats exceptions as a traceback without source lines and without their texts; causes and contexts alike."""

    def formatException(self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]) -> str:
        error: BaseException | None = ei[1]
        lines: list[str] = []
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            lines.append(type(error).__qualname__)
            error = error.__cause__ or error.__context__
        return "\n".join(lines)
