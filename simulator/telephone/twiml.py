"""TwiML, read strictly: a document becomes verbs, and whatever Twilio's schema does not know becomes a complaint.

Pure. What is wrong is left out, as Twilio does; only a document that is no XML at all cannot be obeyed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something the carrier would have put into its error log. `code` is Twilio's; 0: the practice network cannot do it."""

    code: int
    message: str
    call_sid: str = ""


class NotTwiml(Exception):
    """The document cannot be read at all (12100)."""


class CannotGoOn(Exception):
    """The document cannot be followed any further: the caller hears an apology, and the call ends. `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verb:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    nouns: tuple["Verb", ...] = ()

    def get(self, attribute: str, default: str = "") -> str:
        return self.attributes.get(attribute, default)

    def number(self, attribute: str, default: int) -> int:
        return int(self.attributes.get(attribute, default))

    def truth(self, attribute: str, default: bool = False) -> bool:
        return self.attributes.get(attribute, str(default)).lower() == "true"


@dataclass(frozen=True, slots=True)
class Document:
    """`url` is where it was fetched, the base of its relative addresses; "" for one that came by REST."""

    url: str
    text: str
    verbs: tuple[Verb, ...] = ()
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """A document to be fetched and followed."""

    url: str
    method: str = "POST"
    params: dict[str, str] = field(default_factory=dict)


Check = Callable[[str], bool]


def anything(_: str) -> bool:
    return True


def one_of(*values: str) -> Check:
    return lambda text: text in values


def some_of(*values: str) -> Check:
    return lambda text: bool(text.split()) and set(text.split()) <= set(values)


def whole(lowest: int, highest: int) -> Check:
    return lambda text: re.fullmatch(r"\d{1,6}", text) is not None and lowest <= int(text) <= highest


def address(text: str) -> bool:
    parts = urlsplit(text)
    return not re.search(r"\s", text) and parts.scheme in ("", "http", "https") and (bool(parts.netloc) or not parts.scheme)


truth = one_of("true", "false")
method = one_of("GET", "POST")
recording_event = some_of("in-progress", "completed", "absent")
leg_event = some_of("initiated", "ringing", "answered", "completed")
RECORDING_CALLBACK: dict[str, Check] = {
    "recordingStatusCallback": address,
    "recordingStatusCallbackMethod": method,
    "recordingStatusCallbackEvent": recording_event,
}


@dataclass(frozen=True, slots=True)
class Rule:
    attributes: dict[str, Check] = field(default_factory=dict)
    nouns: tuple[str, ...] = ()
    text: bool = False
    required: tuple[str, ...] = ()


SPEECH_MARKUP = ("break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w")
RULES: dict[str, Rule] = {
    "Say": Rule({"voice": anything, "language": anything, "loop": whole(0, 1000)}, SPEECH_MARKUP, text=True),
    "Play": Rule({"loop": whole(0, 1000), "digits": anything}, text=True),
    "Pause": Rule({"length": whole(0, 180)}),
    "Start": Rule({"action": address, "method": method}, ("Recording",)),
    "Recording": Rule(
        {
            "channels": one_of("mono", "dual"),
            "track": one_of("inbound", "outbound", "both"),
            "trim": one_of("trim-silence", "do-not-trim"),
            **RECORDING_CALLBACK,
        }
    ),
    "Connect": Rule({"action": address, "method": method}, ("Stream",)),
    # `track` belongs to one-way streams: a two-way stream carries the caller's side only.
    "Stream": Rule(
        {"url": anything, "name": anything, "statusCallback": address, "statusCallbackMethod": method},
        ("Parameter",),
        required=("url",),
    ),
    "Parameter": Rule({"name": anything, "value": anything}, required=("name", "value")),
    "Dial": Rule(
        {
            "action": address,
            "method": method,
            "answerOnBridge": truth,
            "callerId": anything,
            "hangupOnStar": truth,
            "ringTone": anything,
            "sequential": truth,
            "timeLimit": whole(1, 86400),
            "timeout": whole(5, 600),
        },
        ("Number",),
        text=True,
    ),
    "Number": Rule(
        {
            "url": address,
            "method": method,
            "statusCallback": address,
            "statusCallbackMethod": method,
            "statusCallbackEvent": leg_event,
        },
        text=True,
    ),
    "Record": Rule(
        {
            "action": address,
            "method": method,
            "timeout": whole(0, 600),
            "finishOnKey": anything,
            "maxLength": whole(1, 14400),
            "playBeep": truth,
            "trim": one_of("trim-silence", "do-not-trim"),
            **RECORDING_CALLBACK,
        }
    ),
    "Gather": Rule(
        {
            "action": address,
            "method": method,
            "input": some_of("dtmf", "speech"),
            "numDigits": whole(1, 100),
            "timeout": whole(1, 600),
            "speechTimeout": anything,
            "finishOnKey": anything,
            "language": anything,
            "hints": anything,
            "actionOnEmptyResult": truth,
        },
        ("Say", "Play", "Pause"),
    ),
    "Redirect": Rule({"method": method}, text=True),
    "Hangup": Rule(),
    "Reject": Rule({"reason": one_of("rejected", "busy")}),
}
VERBS = ("Say", "Play", "Pause", "Start", "Connect", "Dial", "Record", "Gather", "Redirect", "Hangup", "Reject")


def read(text: str, url: str = "") -> Document:
    """The document's verbs and what is wrong with it. Raises `NotTwiml`."""
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314  as above
    except ElementTree.ParseError as problem:
        raise NotTwiml(f"the document is not XML: {problem}") from None
    if root.tag != "Response":
        raise NotTwiml(f"the document's root is <{root.tag}>, not <Response>")
    complaints: list[Complaint] = []
    verbs = tuple(_read_children(root, VERBS, complaints))
    return Document(url, text, verbs, tuple(complaints))


def _read_children(parent: ElementTree.Element, allowed: tuple[str, ...], complaints: list[Complaint]) -> Iterator[Verb]:
    for element in parent:
        if element.tag not in allowed:
            complaints.append(Complaint(12200, f"<{element.tag}> is not allowed in <{parent.tag}>"))
        elif element.tag in SPEECH_MARKUP:
            continue
        else:
            yield _read_verb(element, complaints)


def _read_verb(element: ElementTree.Element, complaints: list[Complaint]) -> Verb:
    rule = RULES[element.tag]
    attributes = {}
    for name, value in element.attrib.items():
        check = rule.attributes.get(name)
        if check is None:
            complaints.append(Complaint(12200, f"<{element.tag}> has no attribute {name}"))
        elif not check(value):
            complaints.append(Complaint(12200, f"<{element.tag} {name}> cannot be {value!r}"))
        else:
            attributes[name] = value
    complaints += [Complaint(12200, f"<{element.tag}> lacks {name}") for name in rule.required if name not in attributes]
    text = " ".join("".join(element.itertext()).split()) if rule.text and not _has_nouns(element, rule) else ""
    if not rule.text and (element.text or "").strip():
        complaints.append(Complaint(12200, f"<{element.tag}> takes no text"))
    return Verb(element.tag, attributes, text, tuple(_read_children(element, rule.nouns, complaints)))


def _has_nouns(element: ElementTree.Element, rule: Rule) -> bool:
    return any(child.tag in rule.nouns and child.tag not in SPEECH_MARKUP for child in element)
