"""Which numbers may be rung: whoever gets us to ring a number of theirs is paid for it, by us.

The one answer for transfer destinations, HUMAN_AGENT_PHONE and call-backs, in forms and at the moment of ringing. It asks nobody
and looks nothing up but the public numbering plans.
"""

import re

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from phonenumbers import PhoneNumberType

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Belong to no country: satellites (870, 881), networks of their own (882, 883), and numbers whose price somebody else sets.
# The same as a pattern of PostgreSQL, for constraints.
NOWHERE = r"^\+(800|808|87|88[1-38]|979)"
# What it costs to ring these is what ringing costs. UAN: one number for a whole company, such as 03 in Britain.
ORDINARY = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.VOIP,
        PhoneNumberType.UAN,
    }
)
# Within +1: information services that are charged for (976), satellite telephones of Canada (600), and nobody's area (555 stands
# for fiction as an exchange, not as an area).
CHARGED = re.compile(r"\+1(?:600|[0-9]{3}976)[0-9]+")
# Where neither a setting nor a line tells which country is ours.
HOME = "US"


def why_not(number: str, *, line: str = "", abroad: bool = False) -> str:
    """Why this number must not be rung, in words for staff; "" where it may be.

    `line` is the number that was called: without HOME_COUNTRIES its country is at home. `abroad`: a manager said yes to another.
    """
    try:
        parsed = phonenumbers.parse(number) if E164.fullmatch(number) else None
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None:
        return "Write the number in international form, such as +14155550123."
    if re.match(NOWHERE, number):
        return "Numbers of satellites and of no country are never rung."
    if not phonenumbers.is_valid_number(parsed):
        return "There is no such number."
    if phonenumbers.number_type(parsed) not in ORDINARY or CHARGED.fullmatch(number):
        return "Numbers that cost more than an ordinary call are never rung."
    if not abroad and country_of(number) not in home_countries(line):
        return "This number is in another country."
    return ""


def may_be_rung(number: str, *, line: str = "", abroad: bool = False) -> bool:
    return not why_not(number, line=line, abroad=abroad)


def check_number(number: str) -> None:
    """For a number that a person entered, whichever country it is in. Raises `ValidationError`."""
    if reason := why_not(number, abroad=True):
        raise ValidationError(reason)


def home_countries(line: str = "") -> frozenset[str]:
    """Two letters each. Who set HUMAN_AGENT_PHONE has said yes to its country."""
    if settings.HOME_COUNTRIES:
        return frozenset(settings.HOME_COUNTRIES)
    return frozenset({country_of(line), country_of(settings.HUMAN_AGENT_PHONE)} - {""}) or frozenset({HOME})


def country_of(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
