"""What a log line may hold. An exception's text may quote a caller's words or number, so only its kind and place are kept; of what
everybody says, numbers of telephones and cards, digits said in words, e-mail addresses, keys, tokens and tickets are left out.

`Masked` stands on the root's handler, so nothing is logged past it, whoever's it is; of what is too long only the beginning.
"""

import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from types import TracebackType
from urllib.parse import quote

from voiceagent.masking import masked, spoken_digits

logger = logging.getLogger(__name__)

# Whose words were written with this in mind. What others say when they say everything quotes what they carry.
OURS = frozenset({"callcenter", "calllogs", "orders", "staff", "voiceagent"})
# A shorter one would be found everywhere.
SHORTEST_SECRET = 6
SPOKEN_DIGITS = 4
# Characters. A path is what a stranger makes it, and while one is masked no audio moves.
LONGEST_LINE = 2000
# What may stand across the end of a line that is cut is no longer: a card's number in words, an address, a key.
LONGEST_ACROSS = 500

Found = re.Match[str]
PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[Found], str]], ...] = (
    # A media stream's ticket stands in its path.
    (re.compile(r"\b\d{1,19}-[0-9a-f]{64}\b"), "[ticket]"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE), r"\1 [token]"),
    (re.compile(r"\bsk-[\w-]{6,}"), "[key]"),
    # What is none is gone past as a whole: to look for one from each of its letters takes the square of its length.
    (
        re.compile(r"([\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+)|[\w.+%-]+"),
        lambda found: "[e-mail]" if found[1] else found[0],
    ),
    # Seven digits or more, however they are grouped, but no date, no address of a machine, and no part of a longer name.
    (
        re.compile(
            r"(?:%2B|\+|(?<![\w.:/%-])(?!\d{4}-\d\d-\d\d|\d{1,3}(?:\.\d{1,3}){3}\b))\(?\d(?:[ ().\u00a0-]{0,2}\d){6,24}(?!\w)",
            re.IGNORECASE,
        ),
        "[number]",
    ),
    # Keys, as the engine is told of them.
    (re.compile(r"(?<![\w.:-])\d(?: \d){3,}(?![\w.:-])"), "[digits]"),
)


class Masked(logging.Filter):
    """Rewrites each record. `secrets` are left out wherever they stand, also in an address."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        known = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in (secret, quote(secret, safe=""))}
        self._secrets = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))) or r"(?!)")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO and record.name.partition(".")[0] not in OURS:
            said = f"something of its own, at {record.pathname}:{record.lineno}"
        else:
            said = self.in_a_line(message(record))
        record.msg, record.args = said, ()
        # What another handler made of the exception, with its texts.
        record.exc_text = record.stack_info = None
        return True

    def in_a_line(self, text: str) -> str:
        """Of a long text its beginning. What stood at the cut is left out: part of a number is not known for one."""
        said = self.without_what_is_private(text[:LONGEST_LINE])
        return said if len(text) <= LONGEST_LINE else f"{said[:-LONGEST_ACROSS]}… of {len(text)} characters"

    def without_what_is_private(self, text: str) -> str:
        text = self._secrets.sub("[secret]", text)
        for pattern, instead in PATTERNS:
            text = pattern.sub(instead, text)
        text = masked(text)
        for start, end in reversed(spoken_digits(text, SPOKEN_DIGITS)):
            text = f"{text[:start]}[digits]{text[end:]}"
        return text


def message(record: logging.LogRecord) -> str:
    """What it says. Of a record whose arguments do not fit it, without them: `logging` would print them all."""
    said = record.args
    if isinstance(said, Mapping) and "exc" in said:
        # How Celery tells of a task that failed: with the exception's text in the line itself.
        kind = record.exc_info[0] if record.exc_info else None
        record = copy(record)
        record.args = {**said, "exc": kind.__qualname__ if kind else "an exception"}
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)


def tell_of_broken_threads() -> None:
    """Python prints what breaks a thread, with its text, past every logger."""

    def broke(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            logger.critical("a thread broke", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    threading.excepthook = broke


class WithoutTexts(logging.Formatter):
    """Formats exceptions as a traceback without source lines and without their texts; causes and contexts alike."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy(record)
        record.msg, record.args = message(record), ()
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
