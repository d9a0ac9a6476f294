"""What is shown to whoever may not see how a caller is reached. Text only: what is kept stays, and who asks is not known here."""

import re
from collections.abc import Sequence
from itertools import pairwise

HIDDEN = "•••"
# Fewer digits are an order's number, a price, a year.
FEWEST_DIGITS = 7
DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{4}")
EMAIL = re.compile(r"[^\s@<>,;:\"']+@[^\s@<>,;:\"']+")
# As people spell it out; the six languages of the agent.
AT = r"(?:at|ät|arroba|arobase|chiocciola)"
DOT = r"(?:dot|punkt|punto|ponto|point)"
# Without the end of an address, "look at this point again" would be one.
ENDS = r"(?:com|net|org|info|biz|edu|gov|de|at|ch|fr|es|it|pt|br|uk|us|ca|eu|io|co)"
SPELLED_EMAIL = re.compile(rf"[\w-]+(?:\s+{DOT}\s+[\w-]+)*\s+{AT}\s+[\w-]+(?:\s+{DOT}\s+[\w-]+)*(?:\s+{DOT}\s+|\.){ENDS}\b", re.I)
# One digit, however it is said: English, German, Spanish, French, Italian, Portuguese.
SPOKEN_DIGIT = re.compile(
    r"""zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple
    |null|eins|ein|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun|doppel
    |cero|uno|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|doble
    |zéro|un|une|deux|trois|quatre|cinq|sept|huit|neuf
    |due|tre|quattro|cinque|sei|sette|otto|nove
    |um|dois|duas|três|quatro|sete|oito|meia""",
    re.I | re.X,
)
TOKEN = re.compile(r"[^\s,;:–\"{}\[\]-]+")
BETWEEN = re.compile(r"[\s,;:()–-]*")


def number(number: str) -> str:
    """A telephone number with all but its last two digits hidden; nothing of what is not one."""
    digits = re.sub(r"\D", "", number)
    if not number:
        return ""
    return f"{HIDDEN} {digits[-2:]}" if len(digits) >= FEWEST_DIGITS else HIDDEN


def email(address: str) -> str:
    return f"{address[:1]}{HIDDEN}@{HIDDEN}" if "@" in address else HIDDEN if address else ""


def whole(text: str) -> str:
    return HIDDEN if text else ""


def words(text: str) -> str:
    """What was said or written, without the e-mail addresses and telephone numbers in it, said digit by digit or not."""
    hidden, end = [], 0
    for start, stop in spans(text):
        hidden += [text[end:start], HIDDEN]
        end = stop
    return "".join([*hidden, text[end:]])


def each_word(said: Sequence[str]) -> list[str]:
    """The same of words that come one by one: each that belongs to an address or a number is hidden."""
    starts, position = [], 0
    for word in said:
        starts.append(position)
        position += len(word) + 1
    hidden = spans(" ".join(said))
    return [
        HIDDEN if any(start < at + len(word) and at < stop for start, stop in hidden) else word
        for at, word in zip(starts, said, strict=True)
    ]


def without_digits(wanted: str) -> str:
    """What was asked for, without whatever may be a part of a number."""
    return " ".join(token for token in wanted.split() if not any(map(is_of_a_number, re.findall(r"\w+", token))))


def is_of_a_number(word: str) -> bool:
    """Also "fours", which a search takes for "four"."""
    return any(map(str.isdigit, word)) or any(map(SPOKEN_DIGIT.fullmatch, (word, word.removesuffix("s"))))


def spans(text: str) -> list[tuple[int, int]]:
    """From where to where something is to be hidden, in order, none touching another."""
    found = [match.span() for pattern in (EMAIL, SPELLED_EMAIL) for match in pattern.finditer(text)] + numbers(text)
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def numbers(text: str) -> list[tuple[int, int]]:
    """Runs of digits, written or said, that are long enough to be rung."""
    dates = [match.span() for match in DATE.finditer(text)]
    tokens = [match for match in TOKEN.finditer(text) if not any(start <= match.start() < stop for start, stop in dates)]
    runs: list[list[re.Match[str]]] = []
    for before, token in pairwise([None, *tokens]):
        if token is None or not digits_in(token.group()):
            continue
        if runs and before is runs[-1][-1] and BETWEEN.fullmatch(text, before.end(), token.start()):
            runs[-1].append(token)
        else:
            runs.append([token])
    return [(run[0].start(), run[-1].end()) for run in runs if sum(digits_in(one.group()) for one in run) >= FEWEST_DIGITS]


def digits_in(token: str) -> int:
    """How many digits of a number this is; 0 for what is none."""
    bare = token.strip("().!?\"'“”")
    if SPOKEN_DIGIT.fullmatch(bare):
        return 1
    return sum(map(str.isdigit, bare)) if re.fullmatch(r"\+?[\d./()]+", bare) else 0
