"""What a caller's words mean to the practice model: keywords and a little grammar. Pure; no state, no replies.

Words come as speech recognition writes them. Nothing is parsed into an order number or a time here: tools do that, and get
the words as they were heard.
"""

import re
from enum import StrEnum


class Intent(StrEnum):
    PERSON = "person"
    GOODBYE = "goodbye"
    REPEAT = "repeat"
    WHO = "who"
    CANCEL = "cancel"
    BOOK = "book"
    HOURS = "hours"
    HELP = "help"
    ORDER = "order"
    YES = "yes"
    NO = "no"
    THANKS = "thanks"


_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_SOMEBODY = r"(?:person|human|human being|someone|somebody|agent|representative|operator|colleague|manager|supervisor|staff)"
_PARCEL = r"(?:order|parcel|package|delivery|shipment)"

# Each hit counts; the intent with the highest sum is meant. Of equal ones, the first.
_SIGNS: dict[Intent, list[tuple[int, str]]] = {
    Intent.WHO: [
        (6, r"\b(?:are|am) (?:you|i)\b.*\b(?:robot|machine|computer|bot|real|human|ai|recording)\b"),
        (6, r"\bwho (?:are you|is this|am i)\b"),
    ],
    Intent.PERSON: [
        (5, rf"\b(?:speak|talk|connect|transfer|put|pass|get)\b.*\b{_SOMEBODY}\b"),
        (5, rf"\b(?:real|living|actual|another) {_SOMEBODY}\b|\b(?:a|need|want) (?:person|human)\b|\bput me through\b"),
        (3, r"\b(?:customer (?:service|support)|representative|operator|human)\b"),
    ],
    Intent.BOOK: [
        (4, r"\bcall(?:ing)?[ -]?back\b|\b(?:call|ring|phone) me\b|\bcallbacks?\b"),
        (4, r"\b(?:book|make|schedule|arrange|set up)\b.*\b(?:appointment|call|time|slot)\b|\bappointment\b"),
    ],
    Intent.REPEAT: [
        (5, r"\b(?:repeat|say)\b.*\b(?:that|it|again)\b|\bcome again\b|^(?:pardon|sorry|what|excuse me)(?: me)?$"),
        (5, r"\bwhat did you say\b|\bdid(?:n't| not) (?:catch|hear|get|understand)\b"),
    ],
    Intent.CANCEL: [
        (4, r"\bcancel(?:l?ed|ling|lation)?\b|\bcall (?:it|the order) off\b"),
        (4, r"\bdo(?:n't| not) (?:want|need)\b.*\border\b"),
    ],
    Intent.HOURS: [
        (4, r"\b(?:opening|business|store|shop) (?:hours|times)\b|\byour hours\b|\bwhat hours\b"),
        (4, r"\b(?:are|is|when|how (?:long|late)|what time|do)\b.*\b(?:you|shop|store)\b.*\b(?:open|close|closed)\b"),
        (4, rf"\bopen on {_DAY}"),
    ],
    Intent.HELP: [
        (3, r"\bhow (?:do|can|does|would|should) (?:i|you|we|one|it|that)\b|\bhow to\b|\bwhat(?: is| are|'s) your\b.*\bpolicy\b"),
        (3, r"\b(?:returns?|returning|refunds?|exchange|warranty|guarantee|sizes?|sizing|gift cards?|payment|pay|vouchers?)\b"),
        (2, r"\b(?:shipping|delivery) (?:costs?|fee|times?|options)\b|\bpolicy\b|\bship to\b|\bhow much\b|\bhow long\b"),
    ],
    Intent.ORDER: [
        (3, rf"\bwhere(?:'s| is| are)\b.*\b(?:{_PARCEL}|stuff|jacket|things)\b"),
        (3, rf"\b(?:status|track|tracking|look up|check|find|follow|update)\b.*\b{_PARCEL}\b"),
        (3, rf"\b{_PARCEL}\b.*\b(?:status|arrive|arrived|come|coming|shipped|late|here yet)\b"),
        (3, r"\bwhen\b.*\b(?:arrive|come|delivered|delivery)\b|\border number\b"),
        (1, rf"\b{_PARCEL}\b"),
    ],
    Intent.GOODBYE: [
        (5, r"\b(?:good ?bye|bye|bye-bye|see you)\b"),
        (4, r"\bthat(?:'s| is| was| will be) (?:all|it|everything)\b|\bnothing else\b|\bhang up\b"),
        (4, r"\bi(?:'m| am) (?:done|good|all set)\b"),
        (3, r"\bno,? thank(?:s| you)\b"),
    ],
    Intent.NO: [(2, r"^(?:no|nope|nah|not? (?:really|now|yet)|never ?mind|don't|do not|rather not|better not)\b")],
    Intent.YES: [
        (2, r"^(?:yes|yeah|yep|yup|sure|okay|ok|of course|correct|right|exactly|that's right|absolutely|definitely)\b"),
        (2, r"\b(?:please do|go ahead|do it|that works|sounds good|that would be (?:great|good|fine))\b"),
    ],
    Intent.THANKS: [(1, r"\bthank(?:s| you)\b|\b(?:great|perfect|wonderful)\b")],
}
_COMPILED = [(intent, weight, re.compile(sign)) for intent, signs in _SIGNS.items() for weight, sign in signs]

_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_DIGITS = {word: str(digit) for digit, word in enumerate(_NUMBERS)} | {"oh": "0", "o": "0"}
_TIMES = {"double": 2, "triple": 3}

_HOUR = r"(?:\d{1,2}(?::\d\d)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midday|half|quarter)"
_HALF_OF_DAY = r"(?: ?(?:am|pm|a\.m\.?|p\.m\.?|o'clock))"
_DATE = (
    rf"(?:the )?day after tomorrow|tomorrow|today|tonight|(?:next |this )?{_DAY}|next week"
    rf"|{_MONTH} \d{{1,2}}|the \d{{1,2}}(?:st|nd|rd|th)|the \w+th of {_MONTH}"
)
_CLOCK = rf"(?:at |around |about ){_HOUR}\b.*|{_HOUR}{_HALF_OF_DAY}.*|\d{{1,2}}:\d\d.*|noon|midday"
_SPAN = (
    r"now|as soon as possible|(?:this |in the |any )?(?:morning|afternoon|evening)"
    r"|in (?:an?|one|two|three|four|five|half|\d+)\b[^.?!]*\b(?:hours?|minutes?|days?|weeks?)"
)
_TIME = re.compile(rf"\b(?:(?:on )?(?:{_DATE})\b.*|{_CLOCK}|(?:{_SPAN})\b.*)", re.IGNORECASE)
# How tools read out what they offer: "tomorrow, Monday November 23rd at 9 AM, 9:30 AM or 10 AM".
_OFFER = re.compile(
    rf"(?P<day>(?:(?:today|tomorrow),? )?{_DAY}(?: {_MONTH} \d{{1,2}}(?:st|nd|rd|th)?)?|today|tomorrow)"
    rf"|(?P<clock>\d{{1,2}}(?::\d\d)?{_HALF_OF_DAY}|noon|midday)",
    re.IGNORECASE,
)
_WHICH = {"second": 1, "third": 2, "last": -1, "latter": -1, "later": -1}


def intent_of(said: str) -> Intent | None:
    """What the caller wants, if their words say so."""
    words = plain(said)
    scores: dict[Intent, int] = {}
    for intent, weight, sign in _COMPILED:
        if sign.search(words):
            scores[intent] = scores.get(intent, 0) + weight
    if Intent.HELP in scores and re.match(r"(?:and |so |um |please )*how (?:do|can|would|should|to)\b", words):
        scores[Intent.HELP] += 4  # "how do I cancel" asks for the way, not for the deed
    best = max(scores.values(), default=0)
    return next((intent for intent, score in scores.items() if score == best), None) if best else None


def plain(said: str) -> str:
    """Lower case, straight apostrophes, no punctuation but what times and addresses need."""
    words = re.sub(r"[^a-z0-9@:.' -]", " ", said.lower().replace("’", "'"))
    return re.sub(r"\s+", " ", re.sub(r"\.(?=\s|$)", " ", words)).strip()


def digits_in(said: str) -> str:
    """All digits, spoken or written: "four double seven, 19" is 47719."""
    digits, times = "", 1
    for word in re.findall(r"[a-z]+|\d", plain(said)):
        digits += _DIGITS.get(word, word if word.isdigit() else "") * times
        times = _TIMES.get(word, 1)
    return digits


def is_order_number(said: str) -> bool:
    return len(digits_in(said)) >= 4


def is_email(said: str) -> bool:
    words = plain(said)
    return "@" in words or bool(re.search(r"\bat\b.*\b(?:dot|com|org|net|co)\b|\w\.(?:com|org|net)\b", words))


def is_phone_number(said: str) -> bool:
    return len(digits_in(said)) >= 7


def time_in(said: str) -> str:
    """The part that tells a time, in the caller's words; "" if there is none."""
    match = _TIME.search(said)
    return match[0].strip(" .,?!") if match else ""


def day_in(said: str) -> str:
    match = re.search(rf"\b(?:today|tomorrow|tonight|{_DAY}|christmas|thanksgiving|new year|weekend)\b", said, re.IGNORECASE)
    return match[0] if match else ""


def asks(told: str) -> bool:
    """Whether what a tool returned wants an answer of the caller."""
    return "?" in told or bool(re.search(r"\b(?:please (?:tell|give|say)|ask the caller|which one)\b", told, re.IGNORECASE))


def offers_in(told: str) -> list[tuple[str, str]]:
    """The days and hours offered, after "free:" or "do you mean"; the hour is "" where only days are."""
    offered = re.search(r"(?:\bfree:|\bdo you mean:?)([^?]*)", told, re.IGNORECASE)
    day, offers, days = "", [], []
    for match in _OFFER.finditer(offered[1] if offered else ""):
        if match["day"]:
            day = match["day"]
            days.append((day, ""))
        elif day:
            offers.append((day, match["clock"]))
    return offers or days


def time_answered(said: str, told: str, before: str) -> str:
    """The time meant by an answer, with what it leaves out taken from what was offered, or else from what was said before.

    "The first one" is the first that was offered, "at three" is on the day offered, "the 27th" at the hour asked for before.
    """
    day, clock = _search(_DATE, said), _search(_CLOCK, said)
    offers, earlier = offers_in(told), _search(_CLOCK, before)
    if day and not clock:
        only_the_day_was_open = earlier and offers and not offers[0][1]
        return f"{said.strip(' .,?!')} {_at(earlier)}" if only_the_day_was_open else said
    if clock and not day and offers:
        return f"{offers[0][0]} {_at(clock)}"
    if not clock and offers and (chosen := _chosen(plain(said))) is not None:
        day, clock = offers[chosen if chosen < len(offers) else -1]
        clock = clock or earlier
        return f"{day} {_at(clock)}" if clock else day
    return time_in(said) or said


def _chosen(words: str) -> int | None:
    for word, place in _WHICH.items():
        if re.search(rf"\b{word}\b", words):
            return place
    return 0 if re.search(r"\b(?:first|yes|yeah|okay|ok|sure|that|please|either|any)\b", words) else None


def _at(clock: str) -> str:
    return f"at {clock.lower().removeprefix('at ')}"


def _search(pattern: str, said: str) -> str:
    match = re.search(rf"\b(?:{pattern})", said, re.IGNORECASE)
    return match[0].strip(" .,?!") if match else ""
