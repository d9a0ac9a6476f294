"""What a log line may hold. An exception's text may quote a caller's words or number, so only its kind and place are kept."""

import logging
import traceback
from collections.abc import Mapping
from copy import copy
from types import TracebackType


class WithoutTexts(logging.Formatter):
    """Formats exceptions as a traceback without source lines and without their texts; causes and contexts alike."""

    def format(self, record: logging.LogRecord) -> str:
        said = record.args
        if isinstance(said, Mapping) and "exc" in said:
            # How Celery tells of a task that failed: with the exception's text in the line itself.
            kind = record.exc_info[0] if record.exc_info else None
            record = copy(record)
            record.args = {**said, "exc": kind.__qualname__ if kind else "an exception"}
        return super().format(record)

    def formatException(self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]) -> str:
        error: BaseException | None = ei[1]
        lines: list[str] = []
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            lines.append(type(error).__qualname__)
            error = error.__cause__ or error.__context__
        return "\n".join(lines)
