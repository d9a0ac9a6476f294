"""What the practice model says and which tools it uses: a small dialogue of rules and slots. Pure; words in, acts out.

It knows only the tools it is offered, by name and by the names of their parameters, and passes on what the caller said as
they said it. What a tool returns is meant to be spoken and is spoken; if it reads like a question, the answer goes back to
that tool. It is honest: its first words of its own, and its answer to who it is, say that it is a practice model.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from .understanding import (
    Intent,
    asks,
    day_in,
    digits_in,
    intent_of,
    is_email,
    is_order_number,
    is_phone_number,
    time_answered,
    time_in,
)


@dataclass(frozen=True, slots=True)
class Speak:
    words: str


@dataclass(frozen=True, slots=True)
class Use:
    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool returned."""

    tool: str
    told: str


Act = Speak | Use


class Waiting(Enum):
    """What the next words of the caller are expected to be."""

    ANYTHING = auto()
    ANYTHING_ELSE = auto()  # or no, which is goodbye
    ORDER_NUMBER = auto()
    DETAIL = auto()  # the second one, which proves who they are
    YES_TO_CANCEL = auto()
    YES_TO_PERSON = auto()
    YES_TO_EXPLAIN = auto()  # how something is sent back
    TIME = auto()
    PHONE = auto()


# Which of our slots a tool's parameter wants, by the parameter's name.
SLOTS = {
    "query": "order",
    "order": "order",
    "order_id": "order",
    "order_number": "order",
    "number": "order",
    "detail": "detail",
    "second_detail": "detail",
    "proof": "detail",
    "phone": "phone",
    "phone_number": "phone",
    "preferred_time": "time",
    "time": "time",
    "when": "time",
    "about": "about",
    "note": "about",
    "purpose": "about",
    "reason": "reason",
    "question": "question",
    "topic": "question",
    "day": "day",
    "date": "day",
    "confirmed": "confirmed",
    "confirm": "confirmed",
}

ABILITIES = {
    "lookup_order": "look up an order",
    "cancel_order": "cancel an order",
    "book_appointment": "book a call-back",
    "opening_hours": "tell you our opening hours",
    "search_help": "answer questions about shipping and returns",
    "transfer_to_human": "put you through to a person",
}
# What was to be looked up, cancelled or booked when a tool asked for something.
GOALS = {"lookup_order": Intent.ORDER, "cancel_order": Intent.CANCEL, "book_appointment": Intent.BOOK}


class Dialogue:
    INTRODUCTION = "This is the practice model."
    ANYTHING_ELSE = "Is there anything else I can help you with?"
    PARDON = "Sorry, I did not catch that. Could you say it again?"
    OFFER_PERSON = "Would you like me to put you through to a person?"
    MOST_MISSES = 2

    def __init__(self) -> None:
        self._tools: dict[str, dict[str, Any]] = {}
        self._waiting = Waiting.ANYTHING
        self._goal: Intent | None = None
        self._slots: dict[str, Any] = {"phone": "this number"}
        self._said = ""
        self._last_told = ""
        self._introduced = False
        self._parting = False
        self._misses = 0

    def note_said(self, words: str) -> None:
        """Words said outside this dialogue, such as a greeting given to the model."""
        self._said = words

    def answer(self, heard: str | None, outputs: Sequence[Output], tools: Sequence[dict[str, Any]]) -> list[Act]:
        """What to do now. `heard` is None when the caller has not spoken since, "" when they could not be understood."""
        self._tools = {tool["name"]: tool for tool in tools}
        acts = [act for output in outputs for act in self._told(output)]
        if heard is not None:
            acts += self._heard(heard.strip())
        if heard is None and not outputs:
            acts = [Speak("I am still here. What can I do for you?" if self._said else f"Hello. {self._abilities()}")]
        return self._worded(acts)

    def _worded(self, acts: list[Act]) -> list[Act]:
        """One thing said before the tools used, introduced the first time."""
        words = " ".join(act.words for act in acts if isinstance(act, Speak) and act.words)
        uses = [act for act in acts if isinstance(act, Use)]
        if words:
            if not self._introduced:
                words, self._introduced = f"{self.INTRODUCTION} {words}", True
            self._said = words
        return [*([Speak(words)] if words else []), *uses]

    # --- what a tool returned ---

    def _told(self, output: Output) -> list[Act]:
        told = speakable(output.told)
        self._last_told = told
        if output.tool in ("transfer_to_human", "end_call"):
            if self._parting:
                return []
            self._parting = True
            return [
                Speak("I am putting you through now." if output.tool == "transfer_to_human" else "Thank you for calling. Goodbye.")
            ]
        if is_for_the_model(told):
            self._waiting = Waiting.YES_TO_PERSON if "transfer_to_human" in self._tools else Waiting.ANYTHING
            return [Speak(f"I am sorry, I could not do that just now. {self.OFFER_PERSON}")]
        self._goal = GOALS.get(output.tool, self._goal)
        if asks(told) or (output.tool == "book_appointment" and is_refusal(told)):
            self._waiting = self._expected(output.tool, told)
            return [Speak(told)]
        if output.tool == "lookup_order" and self._slots.pop("then_cancel", False):
            return [Speak(told), *self._cancel()]
        self._waiting = Waiting.ANYTHING_ELSE
        return [Speak(told), Speak(self.ANYTHING_ELSE)]

    def _expected(self, tool: str, told: str) -> Waiting:
        if re.search(r"\banything else\b", told, re.IGNORECASE):
            return Waiting.ANYTHING_ELSE
        if re.search(r"\b(?:put you through|to a person|to speak)\b", told, re.IGNORECASE):
            return Waiting.YES_TO_PERSON
        if re.search(r"\bexplain\b", told, re.IGNORECASE):
            return Waiting.YES_TO_EXPLAIN
        if tool == "book_appointment":
            wants_phone = re.search(r"\b(?:phone|which number|what number|telephone)\b", told, re.IGNORECASE)
            return Waiting.PHONE if wants_phone else Waiting.TIME
        if tool in ("lookup_order", "cancel_order"):
            if tool == "cancel_order" and re.search(r"\b(?:shall|sure|really|confirm that)\b", told, re.IGNORECASE):
                return Waiting.YES_TO_CANCEL
            proof = re.search(r"e-?mail|post ?code|zip|detail|last name|confirm", told, re.IGNORECASE)
            self._slots["then_cancel"] = tool == "cancel_order" or self._slots.get("then_cancel", False)
            return Waiting.DETAIL if proof else Waiting.ORDER_NUMBER
        return Waiting.ANYTHING

    # --- what the caller said ---

    def _heard(self, said: str) -> list[Act]:
        if not any(letter.isalnum() for letter in said):
            return self._missed(self.PARDON)
        intent = intent_of(said)
        if intent in (Intent.PERSON, Intent.REPEAT, Intent.WHO):
            return self._want(intent, said)
        if intent is Intent.GOODBYE and not is_order_number(said):
            return self._goodbye()
        acts = self._expected_words(said, intent)
        return acts if acts is not None else self._want(intent, said)

    def _expected_words(self, said: str, intent: Intent | None) -> list[Act] | None:
        """What follows if these are the words we waited for; None if they are about something else."""
        waiting = self._waiting
        match waiting:
            case Waiting.ANYTHING_ELSE if intent is Intent.NO:
                return self._goodbye()
            case Waiting.ANYTHING_ELSE if intent is Intent.YES:
                self._waiting = Waiting.ANYTHING
                return [Speak("What can I do for you?")]
            case Waiting.YES_TO_CANCEL | Waiting.YES_TO_PERSON | Waiting.YES_TO_EXPLAIN if intent in (Intent.YES, Intent.NO):
                return self._decided(waiting, intent is Intent.YES)
            case Waiting.ORDER_NUMBER | Waiting.DETAIL:
                return self._given_order(said, intent)
            case Waiting.TIME | Waiting.PHONE if intent is Intent.NO and not time_in(said):
                self._waiting = Waiting.ANYTHING_ELSE
                return [Speak("All right, I have booked nothing."), Speak(self.ANYTHING_ELSE)]
            case Waiting.TIME if intent in (None, Intent.BOOK, Intent.YES, Intent.NO, Intent.THANKS):
                return self._book(time_answered(said, self._last_told, str(self._slots.get("time", ""))))
            case Waiting.PHONE if intent in (None, Intent.YES, Intent.BOOK):
                self._slots["phone"] = said if is_phone_number(said) else "this number"
                return self._book(str(self._slots.get("time", "")))
        return None

    def _decided(self, waiting: Waiting, yes: bool) -> list[Act]:
        if waiting is Waiting.YES_TO_PERSON and yes:
            return self._transfer(Intent.PERSON, "")
        if waiting is Waiting.YES_TO_CANCEL and yes:
            return self._use("cancel_order", confirmed=True)
        if waiting is Waiting.YES_TO_EXPLAIN and yes:
            return self._use("search_help", question="How do I send something back?")
        self._waiting = Waiting.ANYTHING_ELSE
        kept = "All right, I have not cancelled it." if waiting is Waiting.YES_TO_CANCEL else "All right."
        return [Speak(kept), Speak(self.ANYTHING_ELSE)]

    def _given_order(self, said: str, intent: Intent | None) -> list[Act] | None:
        given = is_order_number(said) or is_email(said)
        if not given and intent in (Intent.BOOK, Intent.HOURS, Intent.HELP):
            return None
        if not given and (intent is Intent.NO or re.search(r"\b(?:don't|do not) (?:know|have|remember)\b", said)):
            self._waiting = Waiting.YES_TO_PERSON
            return [Speak("Without that I cannot tell you about an order."), Speak(self.OFFER_PERSON)]
        if self._waiting is Waiting.DETAIL and (given or intent not in (Intent.ORDER, Intent.CANCEL)):
            if "order number" in self._last_told and given:
                return self._use("lookup_order", order=said, detail="")
            return self._use("lookup_order", detail=said)
        if not given:
            said = f"{self._slots.pop('half', '')} {said}".strip()
            if not is_order_number(said):
                if digits_in(said):
                    self._slots["half"] = said
                return self._missed("I need your order number. It has five digits; please say them one by one.")
        self._slots.pop("half", None)
        self._slots["order"] = said
        return self._cancel() if self._goal is Intent.CANCEL else self._look_up()

    def _want(self, intent: Intent | None, said: str) -> list[Act]:
        match intent:
            case Intent.PERSON:
                return self._transfer(intent, said)
            case Intent.REPEAT:
                return [Speak(self._said.removeprefix(self.INTRODUCTION).strip() or self._abilities())]
            case Intent.WHO:
                self._introduced = True
                return [Speak(f"{self.INTRODUCTION} I am a program that runs on this machine, not a person. {self._abilities()}")]
            case Intent.ORDER | Intent.CANCEL:
                return self._about_order(intent, said)
            case Intent.BOOK:
                self._goal = intent
                if is_phone_number(said):
                    self._slots["phone"] = said
                return self._book(time_in(said))
            case Intent.HOURS:
                return self._use("opening_hours", day=day_in(said))
            case Intent.HELP:
                return self._use("search_help", question=said)
            case Intent.THANKS | Intent.YES | Intent.NO:
                self._waiting = Waiting.ANYTHING_ELSE
                return [Speak("You are welcome." if intent is Intent.THANKS else "All right."), Speak(self.ANYTHING_ELSE)]
            case _ if is_order_number(said) or is_email(said):
                return self._about_order(Intent.ORDER, said)
            case _ if "search_help" in self._tools and re.match(
                r"\W*(?:what|why|when|which|can|could|do|does|is|are)\b", said, re.IGNORECASE
            ):
                return self._use("search_help", question=said)
            case _:
                return self._missed(f"I am not sure I understand. {self._abilities()}")

    def _about_order(self, intent: Intent, said: str) -> list[Act]:
        self._goal = intent
        if is_order_number(said) or is_email(said):
            self._slots["order"] = said
        elif re.search(r"\b(?:another|other|different|second|new)\b", said, re.IGNORECASE):
            self._slots.pop("order", None)
        if "order" not in self._slots:
            tool = "cancel_order" if intent is Intent.CANCEL else "lookup_order"
            if tool not in self._tools:
                return self._cannot(tool)
            self._waiting = Waiting.ORDER_NUMBER
            return [Speak("Sure. What is your order number?")]
        return self._cancel() if intent is Intent.CANCEL else self._look_up()

    # --- what is done ---

    def _look_up(self) -> list[Act]:
        return self._use("lookup_order")

    def _cancel(self) -> list[Act]:
        if "cancel_order" not in self._tools:
            return self._cannot("cancel_order")
        self._goal = Intent.CANCEL
        if "confirmed" in self._parameters("cancel_order"):
            return self._use("cancel_order")  # the tool asks, knowing what is in the order
        self._waiting = Waiting.YES_TO_CANCEL
        number = digits_in(str(self._slots["order"]))
        return [Speak(f"Shall I cancel order {' '.join(number)}?" if number else "Shall I cancel that order?")]

    def _book(self, time: str) -> list[Act]:
        if "book_appointment" not in self._tools:
            return self._cannot("book_appointment")
        if not time:
            self._waiting = Waiting.TIME
            return [Speak("Certainly. When should we call you back?")]
        return self._use("book_appointment", time=time, about=self._topic())

    def _transfer(self, intent: Intent, said: str) -> list[Act]:
        if "transfer_to_human" not in self._tools:
            return self._cannot("transfer_to_human")
        self._parting = True
        reason = f"The caller asked for a person{': ' + said if said else '.'}"
        return [Speak("Of course. I am putting you through to a person now."), *self._use("transfer_to_human", reason=reason)]

    def _goodbye(self) -> list[Act]:
        self._parting = True
        acts: list[Act] = [Speak("Thank you for calling. Goodbye.")]
        return [*acts, *self._use("end_call")] if "end_call" in self._tools else acts

    def _use(self, name: str, **values: Any) -> list[Act]:
        if name not in self._tools:
            return self._cannot(name)
        self._misses = 0
        self._waiting = Waiting.ANYTHING
        self._slots["confirmed"] = False
        self._slots.update(values)
        required = (self._tools[name].get("parameters") or {}).get("required", [])
        arguments = {}
        for parameter in self._parameters(name):
            value = self._slots.get(SLOTS.get(parameter, parameter))
            if value or parameter in required:
                arguments[parameter] = value if value is not None else ""
        return [Use(name, arguments)]

    def _parameters(self, name: str) -> dict[str, Any]:
        schema = self._tools[name].get("parameters") or {}
        return dict(schema.get("properties", {}))

    def _cannot(self, name: str) -> list[Act]:
        self._waiting = Waiting.ANYTHING
        return [Speak(f"I am sorry, I cannot {ABILITIES.get(name, 'do that')}. {self._abilities()}")]

    def _missed(self, words: str) -> list[Act]:
        self._misses += 1
        if self._misses > self.MOST_MISSES and "transfer_to_human" in self._tools:
            self._misses, self._waiting = 0, Waiting.YES_TO_PERSON
            return [Speak(f"I am sorry, I do not understand. {self.OFFER_PERSON}")]
        return [Speak(words)]

    def _abilities(self) -> str:
        can = [words for name, words in ABILITIES.items() if name in self._tools]
        if not can:
            return "How can I help you?"
        return f"I can {', '.join(can[:-1])}{' or ' if can[:-1] else ''}{can[-1]}. What would you like?"

    def _topic(self) -> str:
        number = digits_in(str(self._slots.get("order", "")))
        return f"order {number}" if number else ""


def speakable(told: str) -> str:
    """A tool's result in words. Of a quotation what is quoted, of JSON only what is text and not a code."""
    quoted = re.search(r"⟦(.*)⟧", told, re.DOTALL)
    told = (quoted[1] if quoted else told).strip()
    if told.startswith("{"):
        try:
            values = json.loads(told)
        except ValueError:
            return told
        texts = [str(values[name]) for name in ("message", "error", "text", "result") if values.get(name)]
        return " ".join(texts) or "Done."
    return told


def is_for_the_model(told: str) -> bool:
    """Whether a tool's result speaks to the model and not to the caller."""
    return bool(
        re.search(
            r"\bsay (?:so|that you)\b|\bcould not be checked\b|\bask the caller\b|\bthere is no tool\b|\barguments are not valid\b",
            told,
            re.IGNORECASE,
        )
    )


def is_refusal(told: str) -> bool:
    return bool(
        re.search(r"\b(?:not free|taken|closed|not open|already booked|too soon|in the past|cannot)\b", told, re.IGNORECASE)
    )
