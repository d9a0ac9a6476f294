"""An e-mail address as people say it and as speech recognition writes it: "jane dot doe at example dot com", "J-A-N-E".

No guessing: where words might belong to the address or to the sentence around it, there is no answer.
"""

import re

from .words import UNITS, number_from, plain

_WRITTEN = re.compile(r"(?<![\w.+%-])[a-z0-9][\w.+%-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?![\w@-])", re.ASCII)
_SANE = re.compile(r"[a-z0-9_](?:[a-z0-9_.+-]*[a-z0-9_+-])?@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.ASCII)
_HALF_SPOKEN = re.compile(r"\b(?:dot|underscore|dash|hyphen|plus|[a-z]) [\w.+-]+@")
_LONGEST = 254

_SIGNS = {"dot": ".", "period": ".", "point": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+"}
_DOTS = ("dot", "period", "point")
_TIMES = {"double": 2, "triple": 3}
_REPAIRS = (
    (re.compile(r"\be[- ]mail\b"), "email"),
    (re.compile(r"\b([a-z]),? (?:as in|like) [a-z]+\b"), r"\1"),
    (re.compile(r"\b([a-z]),? for \1[a-z]+\b"), r"\1"),
    (re.compile(r"\b(?:capital|upper ?case|lower ?case|small)\b(?: letter\b)?"), " "),
    (re.compile(r"\bat (?:sign|the rate(?: of)?)\b"), "at"),
    (re.compile(r"\bunder score\b"), "underscore"),
    (re.compile(r"\bdot ?com\b"), "dot com"),
    (re.compile(r"\b(g|hot|i|out|pro ton) (mail|cloud|look)\b"), r"\1\2"),
    (re.compile(r"\bdouble[ -]you\b|\bdouble[ -]u\b"), "w"),
    (re.compile(r"(?<=[a-z0-9]) \. ?(?=[a-z0-9])"), " dot "),
    # A pause, not part of the address; a sign between two characters is.
    (re.compile(r"[.!?;:](?=\s|$)"), " | "),
    (re.compile(r"\b([a-z])-(?=[a-z]\b)"), r"\1 "),
    (re.compile(r"@"), " at "),
    (re.compile(r"\."), " dot "),
    (re.compile(r"_"), " underscore "),
    (re.compile(r"\+"), " plus "),
    (re.compile(r"(?<=[a-z0-9])-(?=[a-z0-9])"), " dash "),
)
_WORD = re.compile(r"[a-z]+'[a-z]+|[a-z]+|[0-9]+|\|")
# Words of the sentence around an address. One that is missing here costs a second question, never a wrong address.
_AROUND = re.compile(
    r"\||account|actually|address|am|and|at|can|email|find|for|has|have|hello|hi|i'm|in|is|it|it's|its|mail|me|my|name|okay|on|or|order|"
    r"please|reach|registered|send|so|spelled|spelt|sure|that|that's|the|think|to|try|uh|um|under|use|was|well|with|would|yeah|yes|"
    r"you|your"
)


def email(said: str) -> str | None:
    """The one address in what was said, in lower case; none where there is no or more than one reading."""
    text = plain(said)
    found = set() if _HALF_SPOKEN.search(text) else set(_WRITTEN.findall(text))
    found = found or _spoken(text)
    address = found.pop() if len(found) == 1 else ""
    return address if _SANE.fullmatch(address) and ".." not in address and len(address) <= _LONGEST else None


def _spoken(text: str) -> set[str]:
    """Every address that an "at" stands in; an empty one where its first half cannot be told from the sentence."""
    for wrong, right in _REPAIRS:
        text = wrong.sub(right, text)
    words = _WORD.findall(text)
    domains = {i: domain for i, word in enumerate(words) if word == "at" and (domain := _domain(words, i + 1))}
    locals_ = {i: _local_part(words, i) for i in domains}
    return {f"{locals_[i]}@{domain}" if locals_[i] else "" for i, domain in domains.items()}


def _local_part(words: list[str], at: int) -> str | None:
    start = at
    while start and (not _AROUND.fullmatch(words[start - 1]) or (start < at and words[start] in _SIGNS)):
        start -= 1
    return _joined(words[start:at])


def _domain(words: list[str], start: int) -> str | None:
    """Labels with dots between them; the last one ends where a word ends, or a row of single letters."""
    labels: list[str] = []
    i = start
    while (end := _next_of(_DOTS, words, i)) is not None and (label := _joined(words[i:end])):
        labels.append(label)
        i = end + 1
    if not labels or i >= len(words):
        return None
    end = i + 1
    while len(words[i]) == 1 and end < len(words) and len(words[end]) == 1 and words[end].isalpha():
        end += 1
    return ".".join([*labels, "".join(words[i:end])])


def _next_of(wanted: tuple[str, ...], words: list[str], i: int) -> int | None:
    """Where the next of them is, before a pause or another "at"."""
    while i < len(words) and words[i] not in (*wanted, "at", "|"):
        i += 1
    return i if i < len(words) and words[i] in wanted else None


def _joined(words: list[str]) -> str | None:
    """One part of an address. None where two words stand side by side: either may belong to the sentence."""
    out, previous, i = "", "sign", 0
    while i < len(words):
        piece, kind, i = _piece(words, i)
        if previous == "word" and kind in ("word", "letters"):
            return None
        # "a jane at" is an article, not an initial.
        if kind == "unfit" or (kind == "word" and out in ("a", "i")):
            return None
        out, previous = out + piece, kind
    return out or None


def _piece(words: list[str], i: int) -> tuple[str, str, int]:
    """What stands at `i`: its characters, its kind, and where it ends."""
    word = words[i]
    if word in _SIGNS:
        return _SIGNS[word], "sign", i + 1
    if word in _TIMES and i + 1 < len(words) and (len(words[i + 1]) == 1 or words[i + 1] in UNITS):
        one = str(UNITS.get(words[i + 1], words[i + 1]))
        return one * _TIMES[word], "digits" if one.isdigit() else "letters", i + 2
    if word.isdigit():
        return word, "digits", i + 1
    if number := number_from(words, i):
        return str(number[0]), "digits", number[1]
    # "oh" is a letter or a digit; an apostrophe is in no address.
    if word == "oh" or "'" in word:
        return "", "unfit", i + 1
    return word, "letters" if len(word) == 1 else "word", i + 1
