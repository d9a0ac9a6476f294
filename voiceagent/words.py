"""Words from `templates/`: what the product says, and what it writes to a model. Plain text, on one line unless it is long.

What is said in English stands in `templates/spoken/<folder>/`, and in any other language in a folder of its own in there, as
`templates/spoken/agent/de/nudge.txt`. What has no words in a language is said in English, dates and all.
"""

import hashlib
import re
import unicodedata
from typing import Any

from django.conf import settings
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation

# Letters and marks that have no look of their own: an instruction can be written in them that nobody sees.
UNSEEN = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    """Only what can be seen, on one line: nothing that controls, turns the direction of writing, joins, tags or hides."""
    spaced = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    return " ".join(UNSEEN.sub("", "".join(one for one in spaced if unicodedata.category(one)[0] != "C")).split())


def spoken(name: str, /, *, language: str = "en", **facts: Any) -> str:
    """A line that is said to a caller, such as "agent/nudge"; `language` is ISO 639-1."""
    words = " ".join(_said(name, language, facts).split())
    # A template that is included ends with a line break, and the sentence goes on.
    return words.replace(" .", ".").replace(" ,", ",")


def version(words: str) -> str:
    """Stands for these words: short, and another one for any others."""
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def spoken_lines(name: str, /, *, language: str = "en", **facts: Any) -> tuple[str, ...]:
    """Lines that are said one after the other, each when its time comes."""
    return tuple(_said(name, language, facts).splitlines())


def written(name: str, /, **facts: Any) -> str:
    """A text for a model. Nothing is escaped: neither a voice nor a model reads HTML."""
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context({"shop": settings.SHOP_NAME, **facts}, autoescape=False))).strip()


def _said(name: str, language: str, facts: dict[str, Any]) -> str:
    folder, _, line = name.rpartition("/")
    path = f"spoken/{folder}/{language}/{line}.txt"
    try:
        get_template(path)
    except TemplateDoesNotExist:
        path, language = f"spoken/{name}.txt", "en"
    with translation.override(language):
        return written(path, **facts)
