"""The shop's sentences, and what a model passes on, as plain visible text of ordinary length. No rules of business."""

import re
from typing import Any

from voiceagent.words import spoken, visible

from .models.opening_hours import shop_now

LONGEST_ARGUMENT = 300


def tidy(text: str) -> str:
    """One line of ordinary length, without the invisible characters that can hide an instruction or upset a database."""
    return visible(text[: 2 * LONGEST_ARGUMENT])[:LONGEST_ARGUMENT]


def say(name: str, **facts: Any) -> str:
    """What people typed into rows is shown as plain visible text, whatever they typed."""
    return re.sub(r" +([.,;?])", r"\1", visible(spoken(f"orders/{name}", now=shop_now(), **facts)))
