"""Words and numbers as speech recognition writes them, brought into one plain form. Pure; knows nothing of times or orders."""

import re
import unicodedata


def numbered(words: str, first: int = 0) -> dict[str, int]:
    """Words that count, each with its number."""
    return {word: number for number, word in enumerate(words.split(), first)}


UNITS = numbered("zero one two three four five six seven eight nine")
TEENS = numbered("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10)
TENS = {word: 10 * n for word, n in numbered("twenty thirty forty fifty sixty seventy eighty ninety", 2).items()}
ORDINALS = numbered("first second third fourth fifth sixth seventh eighth ninth tenth", 1)
ORDINALS |= numbered("eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth", 11)
ORDINALS |= {"thirtieth": 30}

_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "–": "-", "—": "-", "−": "-", "‑": "-"})


def plain(said: str) -> str:
    """Lower case, ordinary quotes and hyphens, one kind of digit and of blank."""
    return " ".join(unicodedata.normalize("NFKC", said).translate(_QUOTES).lower().split())


def pattern(text: str) -> re.Pattern[str]:
    """A pattern over words: it ends where a word ends."""
    return re.compile(f"(?:{text})(?= |$)", re.ASCII)


def number_from(tokens: list[str], i: int) -> tuple[int, int] | None:
    """The number below a hundred that words spell at `i`, and where it ends: "forty seven" is one, "four seven" is two."""
    if i >= len(tokens):
        return None
    word = tokens[i]
    if word in TENS:
        unit = UNITS.get(tokens[i + 1], 0) if i + 1 < len(tokens) else 0
        return TENS[word] + unit, i + (2 if unit else 1)
    value = UNITS.get(word, TEENS.get(word))
    return None if value is None else (value, i + 1)


def unit_at(tokens: list[str], i: int) -> int | None:
    """The single digit at `i`, written or spelled."""
    if i >= len(tokens):
        return None
    return int(tokens[i]) if re.fullmatch("[0-9]", tokens[i]) else UNITS.get(tokens[i])


def ordinal_from(tokens: list[str], i: int) -> tuple[int, int] | None:
    """The ordinal that words or "3rd" spell at `i`, and where it ends."""
    if written := re.fullmatch(r"([0-9]{1,2})(?:st|nd|rd|th)", tokens[i]):
        return int(written[1]), i + 1
    if tokens[i] in TENS and i + 1 < len(tokens) and 1 <= ORDINALS.get(tokens[i + 1], 0) <= 9:
        return TENS[tokens[i]] + ORDINALS[tokens[i + 1]], i + 2
    return (ORDINALS[tokens[i]], i + 1) if tokens[i] in ORDINALS else None


def with_figures(tokens: list[str]) -> list[str]:
    """Numbers as figures and every ordinal as "3th", so that a grammar sees one spelling; "oh five" is 05."""
    out: list[str] = []
    i = 0
    while i < len(tokens):
        if ordinal := ordinal_from(tokens, i):
            value, i = ordinal
            out.append(f"{value}th")
        elif tokens[i] in ("oh", "o", "zero") and (unit := unit_at(tokens, i + 1)) is not None:
            out.append(f"0{unit}")
            i += 2
        elif number := number_from(tokens, i):
            value, i = number
            out.append(str(value))
        else:
            out.append(tokens[i])
            i += 1
    return out
