"""What a caller said about themselves, as it can be checked: claims for `Proof`, a number to call back.

Understanding single words and digits is `spoken.identifiers`' business; here they are told apart. No claim is believed here.
"""

import re

from voiceagent import dialable
from voiceagent.toolbox import Caller

from .models.proofs import Claim
from .spoken import identifiers

# Words that name the kind of what follows them.
KINDS = re.compile(
    r"\b(?:(?P<postcode>zip ?code|zip|post ?code|postal code)|(?P<email>e-? ?mail(?: address)?)|(?P<order>order(?: number)?))\b",
    re.I,
)
CALLS_ITSELF_AN_ORDER = re.compile(r"(?<![a-z])o[\s.,-]*r[\s.,-]*d(?![a-z])", re.I)
SHORTEST_POSTCODE, LONGEST_POSTCODE = 3, 9
SPEAKS_OF_AN_EMAIL = re.compile(r"@|\b(?:[a-z]+|e-|e )mail\b|\bat\b.*\bdot\b|\bdot ?(?:com|net|org)\b", re.I)
THIS_ONE = re.compile(r"\b(?:this|the|same) one\b", re.I)
A_NUMBER = re.compile(r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|double|triple)\b", re.I)


def claims_in(said: str) -> list[Claim]:
    """Everything claimed in one breath. Digits of no named kind may be an order's number or a postcode."""
    marks = list(KINDS.finditer(said))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(said)]
    kinds = ["", *(str(mark.lastgroup) for mark in marks)]
    claims = [claim_in(said[start:end], kind) for start, end, kind in zip(starts, ends, kinds, strict=True)]
    return [claim for claim in claims if claim]


def order_number_in(said: str) -> list[Claim]:
    """Where only an order's number is asked for."""
    number = identifiers.order_number(said)
    return [Claim(order_number=number)] if number else []


def claim_in(said: str, kind: str) -> Claim:
    if kind == "postcode":
        return Claim(postcode=postcode_in(said))
    if email := identifiers.email(said):
        return Claim(email=email)
    if kind == "email":
        return Claim()
    number = identifiers.order_number(said) or ""
    return Claim(order_number=number, postcode="" if kind == "order" else postcode_in(said))


def speaks_of_an_email(said: str) -> bool:
    """Whether somebody tried to say one, understood or not."""
    return bool(SPEAKS_OF_AN_EMAIL.search(said))


def postcode_in(said: str) -> str:
    """A shorter one is a chance "one", a longer one two things in one breath; what calls itself an order is no postcode."""
    postcode = identifiers.postcode(said)
    fits = SHORTEST_POSTCODE <= len(postcode) <= LONGEST_POSTCODE
    return postcode if fits and not CALLS_ITSELF_AN_ORDER.search(said) else ""


def callback_number(said: str, caller: Caller) -> str | None:
    """The number said, or the one the call comes from if no other was said. None where it has to be asked for."""
    number = identifiers.phone(said, region(caller)) if A_NUMBER.search(THIS_ONE.sub("", said)) else caller.number
    return number if number and can_be_rung(number, caller.line) else None


def can_be_rung(number: str, line: str = "") -> bool:
    """Carriers put other things in a number's place: "anonymous", an address, "+266696687" for the letters of anonymous. And
    callers ask to be called back where it costs us: `dialable` knows. `line` is the number that was called."""
    return dialable.may_be_rung(number, line=line)


def region(caller: Caller) -> str:
    """The country in which a number without a country code is meant: that of the line that was called."""
    return dialable.country_of(caller.line) or dialable.HOME
