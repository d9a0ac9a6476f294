"""Reads all that was said and states the facts in it, or nothing at all when a word is left that might change their meaning.

The grammar is a list of known phrases (`days`, `clocks`) and of words that carry no meaning for a time. Whatever is in neither
makes the whole sentence not understood: "not on friday", "black friday", "every second tuesday".
"""

import re
from dataclasses import dataclass
from datetime import datetime

from .clocks import clocks_at
from .days import days_at
from .facts import Fact
from .words import pattern, plain, with_figures

# Longer speeches are not a wish for a time.
LONGEST = 300

_TOKEN = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:z\b|utc\b|[+-]\d\d:?\d\d))?(?! ?[ap]m))?|"
    r"\d{1,2}/\d{1,2}(?:/\d{2,4})?(?![\d/])|\d{1,2}[:.]\d\d(?![\d:.]\d)|\d+\.\d+|\d+(?:st|nd|rd|th)\b|\d+|[a-z]+(?:'[a-z]+)*|-|[^\s,.;!?\"()…]",
    re.ASCII,
)
_SMALL_REPAIRS = (
    (re.compile(r" ?@ ?"), " at "),
    # "No, tomorrow at two" answers something else; any other "no" may mean the opposite of what follows.
    (re.compile(r"^(?:(?:no|nope|ok|okay)[,.!;]\s*)+"), ""),
    (re.compile(r"\b([ap])\. ?m\b\.?"), r" \1m "),
    (re.compile(r"(?<=[0-9])\s?([ap])\.? ?m\b\.?"), r" \1m "),
    (re.compile(r"(?<=[a-z]) ([ap]) m\b"), r" \1m"),
    (re.compile(r"\bo ?' ?clock\b|\bo clock\b"), "oclock"),
    (re.compile(r"\b(day|week|month|hour|minute)s?'s?(?= )"), r"\1s"),
    (re.compile(r"(?<=[a-z])-(?=[a-z])"), " "),
    (re.compile(r"(?<=[0-9])(?=ish\b)"), " "),
    (re.compile(r"(?<=[a-z])ish\b"), " ish"),
    (re.compile(r"\bmid (?=day\b)"), "mid"),
)
_WITHOUT_TIME = pattern(
    r"good (?:morning|afternoon|evening|day)|(?:sounds?|is|be|looks?) good|i am|am i|may (?:i|we)|(?:i|we) may|at all|"
    r"if at all possible|at (?:the|your) (?:shop|store)|of the (?:month|day)|(?:all|any|during the|in the|that) day|"
    r"for (?:a|an|the|my|1) (?:appointment|call|call ?back|visit|fitting)|(?:what|how|think|talk) about|"
    r"about (?:my|the|an|a) (?:order|appointment|return|refund|delivery)|this (?:is|works|would|will)|"
    r"(?:opening|your|the|shop|store|what) hours|"
    r"a|actually|ah|all|also|an|and|anything|appointment|appointments|are|as|available|back|be|because|been|book|booked|"
    r"booking|both|bring|bye|call|callback|called|calling|calls|can|change|chat|check|choose|come|cool|could|dear|definitely|"
    r"do|does|doing|else|er|erm|exactly|excuse|fine|fit|fits|for|free|get|give|go|going|gonna|great|guess|guys|have|having|"
    r"hello|hey|hi|him|hmm|hold|hope|how|i|i'd|i'll|i'm|i've|if|in|is|it|it'd|it'll|it's|its|just|kindly|know|let|let's|like|"
    r"look|looking|love|lovely|ma'am|make|makes|maybe|me|mean|meet|meeting|mhm|might|mine|mm|move|my|need|of|oh|ok|okay|on|"
    r"only|open|order|our|perfect|perhaps|person|phone|place|please|pop|possible|possibly|prefer|preferably|preferred|"
    r"probably|put|rather|really|reschedule|reserve|ring|say|schedule|see|set|shall|she|shop|should|sir|slot|so|some|"
    r"somebody|someone|something|somewhere|sort|speak|spot|still|store|suit|suits|super|sure|take|talk|team|thank|thanks|"
    r"that|that'd|that'll|that's|the|them|then|there|they|thing|think|time|to|try|uh|uhm|um|us|very|visit|wanna|want|wanted|"
    r"was|we|we'd|we'll|well|were|what|when|where|whether|which|will|wish|with|wonder|wondering|work|works|would|wow|yeah|"
    r"yep|yes|you|you'd|you're|you've|your"
)
_OR = pattern("or|either")


@dataclass(frozen=True, slots=True)
class Heard:
    """The facts of a sentence in the order they were said. `alternatives`: there was an "or" among them."""

    facts: tuple[Fact, ...]
    alternatives: bool = False


def in_plain_words(said: str) -> str:
    """What was said as words, figures and nothing else: "Half past three, on the 3rd!" is "half past 3 on the 3th"."""
    text = plain(said)
    for wrong, right in _SMALL_REPAIRS:
        text = wrong.sub(right, text)
    return " ".join(with_figures(_TOKEN.findall(text)))


def hear(said: str, now: datetime) -> Heard | None:
    """The facts in what was said; none if there are none, or if a word is left over that might change them."""
    if len(said) > LONGEST:
        return None
    text = in_plain_words(said)
    at, facts, alternatives = 0, list[Fact](), False
    while at < len(text):
        readings = days_at(text, at, now) + clocks_at(text, at, now)
        if filler := _WITHOUT_TIME.match(text, at):
            readings.append((filler.end(), ()))
        if choice := _OR.match(text, at):
            alternatives = True
            readings.append((choice.end(), ()))
        if not readings:
            return None
        end, found = max(readings, key=lambda reading: reading[0])
        facts += found
        at = end + 1
    return Heard(tuple(facts), alternatives) if facts else None
