"""The shop's sentences, and what a model passes on, as plain visible text of ordinary length. No rules of business."""

import re
import unicodedata
from typing import Any

from voiceagent.words import spoken

from .models.opening_hours import shop_now

LONGEST_ARGUMENT = 300


def tidy(text: str) -> str:
    """One line of ordinary length, without the invisible characters that can hide an instruction or upset a database."""
    visible = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text[: 2 * LONGEST_ARGUMENT])
    return " ".join("".join(one for one in visible if unicodedata.category(one)[0] != "C").split())[:LONGEST_ARGUMENT]


def say(name: str, **facts: Any) -> str:
    """What people typed into rows is shown as plain visible text, whatever they typed."""
    line = spoken(f"orders/{name}", now=shop_now(), **facts)
    visible = "".join(one for one in line if unicodedata.category(one)[0] != "C")
    return re.sub(r" +([.,;?])", r"\1", visible)
