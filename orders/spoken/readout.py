"""What we know, put so that a voice says it right: single digits, ordinals, "2 PM". Short pieces only; sentences are templates'.

Whatever `moment` and `spelled` make is understood again by `times.understand` and `identifiers.email`.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

import phonenumbers

from .days import FAR_AHEAD

_SYMBOLS = {".": "dot", "@": "at", "_": "underscore", "-": "dash", "+": "plus"}
_WORDS_OF_ADDRESSES = frozenset({"com", "org", "net"})
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£"}


def digits(text: str) -> str:
    """ "47192" is "4 7 1 9 2", "ORD-47192" is "O R D 4 7 1 9 2": a voice reads a longer number as thousands."""
    return " ".join(character.upper() for character in text if character.isalnum())


def phone(e164: str) -> str:
    """The national number in groups of single digits, as it is said at home: "4 1 5, 5 5 5, 0 1 4 2"."""
    number = phonenumbers.parse(e164)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    groups = "".join(c if c.isdigit() else " " for c in written).split()
    return ", ".join(digits(group) for group in groups)


def spelled(address: str) -> str:
    """An e-mail letter by letter, its signs as words."""
    for sign, word in _SYMBOLS.items():
        address = address.replace(sign, f" {word} ")
    known = {*_SYMBOLS.values(), *_WORDS_OF_ADDRESSES}
    return " ".join(part if part in known else digits(part) for part in address.split())


def money(amount: Decimal, currency: str = "USD") -> str:
    """ "$128.45", and "$120" without its zeros: voices read these right."""
    figure = f"{amount:,.2f}".removesuffix(".00")
    sign = _CURRENCIES.get(currency)
    return f"{sign}{figure}" if sign else f"{figure} {currency}"


def clock(at: time) -> str:
    """ "2 PM", "9:05 AM", "noon", "midnight"."""
    if not at.minute and at.hour in (0, 12):
        return "noon" if at.hour else "midnight"
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{(at.hour - 1) % 12 + 1}{minutes} {'AM' if at.hour < 12 else 'PM'}"


def ordinal(number: int) -> str:
    """ "1st", "12th", "23rd"."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def day(of: date, today: date) -> str:
    """ "tomorrow, Thursday November 19th"; with its year where that could be mistaken."""
    near = {0: "today, ", 1: "tomorrow, "}.get((of - today).days, "")
    year = "" if today <= of <= today + FAR_AHEAD else f", {of.year}"
    return f"{near}{of:%A %B} {ordinal(of.day)}{year}"


def moment(at: datetime, now: datetime) -> str:
    """ "tomorrow, Thursday November 19th at 2 PM", in the zone of `now`."""
    local = at.astimezone(now.tzinfo)
    return f"{day(local.date(), now.date())} at {clock(local.time())}"


def opening_spans(spans: Sequence[tuple[time, time]]) -> str:
    """ "9 AM to noon and 1 PM to 6 PM"; empty where there is no span."""
    return " and ".join(f"{clock(opens)} to {clock(closes)}" for opens, closes in spans)
