"""The tools the shop lends to the agent. They put `orders.models` into words and decide nothing themselves.

What may be told about an order is `Proof`'s to say. Who calls comes from the call; what the model passes are only claims.
Every sentence is a template under `templates/spoken/orders/`, short enough to be spoken as it stands. A question back is a
result (`asking`); what cannot be done is a `ToolError`.
"""

from datetime import date, datetime, time
from itertools import groupby
from typing import Annotated, Any

from voiceagent.toolbox import AskKeypad, Caller, Done, ToolError, tool

from .asking import ask_for_phone, ask_for_proof, ask_for_time, ask_which
from .claims import callback_number, claims_in, order_number_in
from .models import (
    Appointment,
    Confirmation,
    HelpArticle,
    NotFree,
    OpeningHours,
    Order,
    Proof,
    ShopHours,
    TooMany,
    WrongState,
)
from .models.appointments import free_near, free_within, spread
from .models.opening_hours import shop_now, shop_zone
from .spoken.times import At, Closed, Meaning, NotUnderstood, Past, Unclear, Within, understand
from .wording import say, tidy

MOST_ORDERS = 3
CLOSURES_AHEAD_DAYS = 14
# Below this a question shares no more than a chance word with an article.
WEAKEST_ANSWER = 0.06

OrderNumber = Annotated[str, "The order number as the caller said or typed it, such as 'four seven one nine two' or 'ORD-47192'"]
Detail = Annotated[
    str, "A second detail as the caller said or typed it: the e-mail address or the postcode the order was placed with"
]


# What a caller claims is counted, so each claim must count once.
@tool(writes=True)
def lookup_order(
    caller: Caller,
    query: Annotated[
        str,
        "The order number or e-mail address, or one further detail you were asked for, as the caller said or typed it; "
        "name what it is where you know, as in 'order 47192' or 'postcode 94107'",
    ],
    detail: Detail = "",
) -> str | AskKeypad:
    """Find out how an order stands. Callers must give its number or their e-mail address, and one more detail of it. What was
    passed in earlier uses in this call is remembered: pass on each detail as you hear it, in the caller's words, and never
    make one up."""
    said = tidy(query), tidy(detail)
    claims = [claim for part in said for claim in claims_in(part)]
    verdict = Proof.weigh(caller.call_sid, claims, caller.number)
    if verdict.kind != "proved":
        return ask_for_proof(caller, verdict, claims, " ".join(said))
    if verdict.order:
        return say("order", order=verdict.order)
    return list_of(verdict.proof)


@tool(writes=True)
def cancel_order(
    caller: Caller,
    order_number: OrderNumber,
    detail: Detail = "",
    confirmed: Annotated[bool, "True only after this tool asked about exactly this order and the caller then said yes"] = False,
) -> str | Done | AskKeypad:
    """Cancel an order that has not been shipped. The first use tells you what to ask the caller; after a clear yes, use it
    again with confirmed set to true."""
    claims = order_number_in(tidy(order_number)) + claims_in(tidy(detail))
    verdict = Proof.weigh(caller.call_sid, claims, caller.number)
    if verdict.kind != "proved":
        return ask_for_proof(caller, verdict, claims, tidy(detail))
    order, now = verdict.order, shop_now()
    if order is None:
        return list_of(verdict.proof)
    if order.can_be_cancelled:
        question = say("cancel_ask", order=order)
        if not confirmed or not Confirmation.use(question, order, call_sid=caller.call_sid, answered=caller.answered, now=now):
            Confirmation.ask(question, order, call_sid=caller.call_sid, asked_by=caller.tool_call_id, now=now)
            return question
    by = f"the caller, {caller.call_sid}"
    try:
        order.cancel(by=by, at=now)
    except WrongState as refusal:
        if refusal.order.was_cancelled_by(by):
            return say("cancelled", order=refusal.order)
        if refusal.order.status == Order.Status.CANCELLED:
            return say("cannot_cancel", order=refusal.order)
        raise ToolError(say("cannot_cancel", order=refusal.order)) from None
    return Done(say("cancelled", order=order))


@tool(writes=True)
def book_appointment(
    caller: Caller,
    phone: Annotated[
        str, "The number to call back, as the caller said or typed it; 'this number' for the one they are calling from"
    ],
    preferred_time: Annotated[str, "When, in the caller's own words, such as 'tomorrow at two' or 'next Friday morning'"],
    about: Annotated[str, "What it is about, in a few words"] = "",
) -> str | Done | AskKeypad:
    """Book a call-back from our team. It answers with the booked time, or with free times or a question for the caller."""
    number = callback_number(tidy(phone), caller)
    if number is None:
        return ask_for_phone(caller, tidy(phone))
    now, hours = shop_now(), ShopHours.load()
    meaning = understand(tidy(preferred_time), now, hours)
    if not isinstance(meaning, At):
        return say_when(caller, meaning, now, hours)
    try:
        appointment = Appointment.book(
            phone=number,
            starts_at=meaning.moment,
            now=now,
            about=tidy(about),
            call_sid=caller.call_sid,
            caller_number=caller.number,
            customer=Proof.customer_of(caller.call_sid),
            hours=hours,
        )
    except TooMany as refusal:
        raise ToolError(say("too_many_bookings", why=refusal.why)) from None
    except NotFree as refusal:
        return say("not_free", why=refusal.why, moment=meaning.moment, day=meaning.moment.date(), times=refusal.nearby)
    return Done(say("booked", appointment=appointment, own_number=number == caller.number))


@tool
def opening_hours(
    caller: Caller, day: Annotated[str, "The day in the caller's words, such as 'Saturday'; empty for the whole week"] = ""
) -> str:
    """When the shop is open: on one day, or in general and right now."""
    now, hours = shop_now(), ShopHours.load()
    if days := days_meant(tidy(day), now, hours):
        facts = [{"date": one, "spans": hours.open_spans(one), "closure": hours.closure_on(one)} for one in days]
        return say("hours_of_day", days=facts)
    return say(
        "hours_of_week",
        stretches=stretches(hours),
        closures=hours.closures_within(now.date(), CLOSURES_AHEAD_DAYS),
        open_until=hours.open_until(now),
        next_opening=hours.next_opening(now),
    )


@tool
def search_help(
    caller: Caller, question: Annotated[str, "What the caller wants to know, in a few words, such as 'how do I return something'"]
) -> str:
    """Find what our help pages say: cancelling, shipping, returns, sizes, payment, warranty and the like."""
    best = HelpArticle.objects.published().answering(tidy(question)).first()
    if best is None or best.rank < WEAKEST_ANSWER:
        return say("help_none")
    return say("help_article", article=best)


TOOLS = (lookup_order, cancel_order, book_appointment, opening_hours, search_help)


def list_of(proof: Proof) -> str:
    """The latest orders of whom the caller has proved to be."""
    orders = list(Order.objects.filter(customer=proof.customer).newest_first().prefetch_related("items")[: MOST_ORDERS + 1])
    if len(orders) == 1:
        return say("order", order=orders[0])
    return say("orders", orders=orders[:MOST_ORDERS], more=len(orders) > MOST_ORDERS)


def say_when(caller: Caller, meaning: Meaning, now: datetime, hours: ShopHours) -> str:
    """What to answer to a time that is not one moment: free times, or which one was meant."""
    match meaning:
        case Within(day, start, end):
            times = free_within(on(day, start), on(day, end), now, hours)
            if times:
                return say("which_of_these", times=spread(times))
            return say("not_free", why="full", times=free_near(on(day, start), now, hours))
        case Unclear(kind, choices):
            return ask_which(caller, kind, choices)
        case Closed(day, moment, all_day):
            times = free_near(moment or on(day, time(9)), now, hours)
            return say("not_free", why="closed", day=day, closure=hours.closure_on(day), all_day=all_day, times=times)
        case Past(day, moment):
            return say("not_free", why="past", times=free_near(now, now, hours))
        case _:
            return ask_for_time(caller, free_near(now, now, hours))


def on(day: date, at: time) -> datetime:
    return datetime.combine(day, at, shop_zone())


def days_meant(said: str, now: datetime, hours: ShopHours) -> list[date]:
    """The dates a caller asks the hours of; none when they named none."""
    if not said:
        return []
    named = [closure for closure in hours.closures if closure.name.casefold() in said.casefold() and closure.last_day >= now.date()]
    if named:
        return [min(named, key=lambda closure: closure.first_day).first_day]
    match understand(said, now, hours):
        case At(moment):
            return [moment.date()]
        case Within(day) | Closed(day) | Past(day):
            return [day] if day >= now.date() else []
        case Unclear(_, choices):
            return sorted({choice.date() if isinstance(choice, datetime) else choice for choice in choices})
        case NotUnderstood():
            return []


def stretches(hours: ShopHours) -> list[dict[str, Any]]:
    """The week as people say it: neighbouring days with the same hours together."""
    days = [(day, [(row.opens, row.closes) for row in hours.week if row.weekday == day]) for day in OpeningHours.Weekday]
    groups = [(spans, list(group)) for spans, group in groupby(days, key=lambda one: one[1])]
    return [{"first": group[0][0].label, "last": group[-1][0].label, "spans": spans} for spans, group in groups if spans]
