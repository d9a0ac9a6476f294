"""Order numbers, e-mails, telephone numbers and postcodes as speech recognition writes them, in their canonical form.

Each function takes a whole sentence and answers None (an empty postcode) where there is nothing, or more than one reading:
the agent asks again. Whether such an order or customer exists is not known here.
"""

import re
from dataclasses import dataclass

import phonenumbers
from text_to_num import text2num

from .emails import email
from .words import TEENS, TENS, UNITS, number_from, plain

__all__ = ["digits", "email", "order_number", "phone", "postcode"]

SHORTEST_ORDER, LONGEST_ORDER = 4, 8

_ZEROS = ("oh", "o", "nought", "naught")
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_LARGE = {"hundred": "00", "thousand": "000"}

_NOT_LETTERS = re.compile(r"am|an|as|at|be|by|do|er|go|he|hi|if|in|is|it|me|my|no|of|oh|ok|on|or|so|to|uh|um|up|us|we")
_BREATHS = frozenset({",", "-", "dash", "hyphen", "uh", "um", "er"})
_ORD = re.compile(r"(?<![a-z0-9])(?:o|oh|0)[\s.,-]*r[\s.,-]*d(?![a-z])[\s.,:#-]*")
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+|[^\sa-z0-9]")
_LETTERS_BEFORE_ORDERS = ("ord", "order", "number", "no", "nr")
_OTHER_NUMBERS = frozenset(
    {"zip", "zipcode", "post", "postal", "postcode", "phone", "telephone", "mobile", "cell", "card", "pin", "street", "apartment"}
)


@dataclass(frozen=True, slots=True)
class _Run:
    """Digits said in one breath. `before`: the words that led to them."""

    digits: str
    before: tuple[str, ...]


class _Garbled(Exception):
    """A number is in it that could be two numbers, or none."""


def order_number(said: str) -> str | None:
    """ "it's O R D four seven one ninety two" is "ORD-47192"."""
    text = re.sub(r"\S+@\S+", " ? ", plain(said))
    text = re.sub(r"^(?:oh|o)[,.!]\s*", "", _ORD.sub(" ord ", text))
    chunks = [chunk if _may_hold_an_order(chunk) else "?" for chunk in text.split()]
    try:
        runs = _runs(" ".join(chunks), whole_numbers=True)
    except _Garbled:
        return None
    fitting = [run for run in runs if SHORTEST_ORDER <= len(run.digits) <= LONGEST_ORDER and not _OTHER_NUMBERS & set(run.before)]
    if re.match(r"(?:oh|o) ", text) and fitting and not fitting[0].before and fitting[0].digits.startswith("0"):
        # "oh four seven one nine two": a zero, or only a sigh.
        return None
    numbers = {run.digits for run in fitting}
    return f"ORD-{numbers.pop()}" if len(numbers) == 1 else None


def _may_hold_an_order(chunk: str) -> bool:
    """Not a price, a date, a time, or another kind of number such as RMA-12345."""
    if re.search(r"[0-9][./:][0-9]|[$€£%/]|[0-9][a-z]", chunk):
        return False
    prefix = re.search(r"([a-z]+)[-#]*[0-9]", chunk)
    return prefix is None or prefix[1] in _LETTERS_BEFORE_ORDERS


def phone(said: str, region: str) -> str | None:
    """The one valid telephone number in it, E.164. `region` ("US") is where a number without its country is from."""
    text = plain(said)
    if re.search(r"\b(?:ext|extension|x)\b", text):
        # E.164 has no place for it, and without it the number reaches somebody else.
        return None
    text = re.sub(r"\bplus\b", "+", re.sub(r"[()./\u00a0]", " ", text))
    try:
        runs = _runs(text, whole_numbers=False)
    except _Garbled:
        return None
    valid = {number for run in runs if (number := _e164(run, region))}
    return valid.pop() if len(valid) == 1 else None


def _e164(run: _Run, region: str) -> str | None:
    written = run.digits
    if run.before[-1:] == ("+",):
        written = f"+{written}"
    elif written.startswith("00"):
        written = f"+{written[2:]}"
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digits(said: str) -> str:
    """Every digit that was said, in order, to read back what is no number of its kind. Empty where that cannot be told."""
    try:
        return "".join(run.digits for run in _runs(plain(said), whole_numbers=False))
    except _Garbled:
        return ""


def _runs(text: str, whole_numbers: bool) -> list[_Run]:
    """Every stretch of digits, each with up to four words before it. `whole_numbers`: "forty seven thousand" is one."""
    # "forty-seven" is one number, "4-7" two.
    tokens = _TOKEN.findall(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text))
    runs: list[_Run] = []
    digits, before, i = "", list[str](), 0
    while i < len(tokens):
        if found := _digits_at(tokens, i, whole_numbers):
            digits, i = digits + found[0], found[1]
            continue
        if not (digits and tokens[i] in _BREATHS) and not (digits and tokens[i] == "." and i + 1 < len(tokens)):
            if digits:
                runs.append(_Run(digits, tuple(before[-4:])))
                digits, before = "", []
            before.append(tokens[i])
        i += 1
    return [*runs, _Run(digits, tuple(before[-4:]))] if digits else runs


def _digits_at(tokens: list[str], i: int, whole_numbers: bool) -> tuple[str, int] | None:
    """The digits that are said at `i`, and where they end."""
    token = tokens[i]
    if token.isdigit():
        return token, i + 1
    if token in _ZEROS:
        return "0", i + 1
    if token in _TIMES:
        one = _digits_at(tokens, i + 1, whole_numbers) if i + 1 < len(tokens) else None
        if one is None or len(one[0]) != 1:
            raise _Garbled
        return one[0] * _TIMES[token], one[1]
    end = i
    while end < len(tokens) and (tokens[end] in UNITS or tokens[end] in TEENS or tokens[end] in TENS or tokens[end] in _LARGE):
        end += 1
    large = [n for n in range(i, end) if tokens[n] in _LARGE]
    if large and whole_numbers:
        try:
            return str(text2num(" ".join(tokens[i:end]), "en")), end
        except ValueError:
            raise _Garbled from None
    number = number_from(tokens, i)
    if number is None:
        return None
    value, end = number
    zeros = _LARGE.get(tokens[end], "") if end < len(tokens) else ""
    return f"{value}{zeros}", end + bool(zeros)


def postcode(said: str) -> str:
    """Upper case without blanks: "s w one a one a a" is "SW1A1AA"; of a US ZIP+4 the first five. Empty where there is not one."""
    tokens = re.findall(r"[a-z]+'[a-z]+|[a-z0-9]+", re.sub(r"\bdouble[ -]u\b", "w", plain(said)))
    runs, run, i = set[str](), "", 0
    while i < len(tokens):
        piece, i = _postcode_piece(tokens, i)
        if piece is None:
            runs.add(run)
            run = ""
        else:
            run += piece
    found = {_tidy(one) for one in (*runs, run) if any(c.isdigit() for c in one)}
    return found.pop() if len(found) == 1 else ""


def _postcode_piece(tokens: list[str], i: int) -> tuple[str | None, int]:
    word = tokens[i]
    if word in ("dash", "hyphen", "space", "capital"):
        return "", i + 1
    if word in _TIMES and i + 1 < len(tokens) and len(tokens[i + 1]) == 1 and tokens[i + 1].isalpha():
        return tokens[i + 1] * _TIMES[word], i + 2
    try:
        if word != "o" and (digits := _digits_at(tokens, i, whole_numbers=False)):
            return digits
    except _Garbled:
        return None, i + 1
    is_code = any(c.isdigit() for c in word) or len(word) == 1 or (len(word) == 2 and not _NOT_LETTERS.fullmatch(word))
    return (word if is_code else None), i + 1


def _tidy(code: str) -> str:
    """Only digits and "o": a zero. A letter before a bare ZIP code is the sentence's."""
    if re.fullmatch(r"[0-9o]+", code):
        code = code.replace("o", "0")
    code = re.sub(r"^[ai](?=[0-9]{5}$)", "", code)
    return (code[:5] if re.fullmatch(r"[0-9]{9}", code) else code).upper()
