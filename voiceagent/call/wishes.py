"""What a caller wishes for, told from their words and not left to the model: a person.

A request counts in any of the languages below, whatever the call is held in. Speaking of people is no request ("I am only
human", "the person who packed it"), nor is a request denied ("I don't need a person") or told of ("I spoke to an agent").
"""

import re

_CLAUSES = re.compile(r"[.,;:!?…¿¡]+")
_SPACES = re.compile(r"[^\w']+")

_PERSON = (
    r"(?:(?:real|live|actual|human|different|another|your) )*"
    r"(?:human(?: being)?|person|people|agent|representative|rep|operator|someone|somebody|anyone|anybody|manager|supervisor"
    r"|colleague|employee|staff(?: member)?|team member|member of (?:staff|the team)"
    r"|customer (?:service|support)(?: representative| agent)?)"
)
_A = r"(?:(?:a|an|the|some|any|one of your|your) )?"
_TALK_TO = r"(?:talk|talking|speak|speaking|chat) (?:to|with)"
_POLITELY = r"(?:please|no|yes|just|hello|hi|okay|ok)"

_REQUESTS = {
    "en": [
        rf"(?<!you )\b{_TALK_TO} {_A}{_PERSON}\b",
        rf"\b(?:give|get|find|bring|pass) me {_A}{_PERSON}\b",
        rf"\b(?:want|need|like|prefer|have|reach|request) (?:to (?:have|reach|get) )?{_A}{_PERSON}(?: please| now|$)",
        r"\b(?:put|transfer|connect|patch|pass|forward) me (?:through|over|on|to|with)\b",
        r"\btransfer me\b|\bconnect me\b",
        rf"^(?:{_POLITELY} )*{_A}{_PERSON}(?: please| now)*$",
        rf"\b(?:is|isn't) there {_A}{_PERSON} (?:there|here|available|i can {_TALK_TO}|to {_TALK_TO})",
    ],
    "de": [
        r"\bmit (?:(?:einem|einer|dem|ihrem|nem|ner) )?(?:(?:echten|richtigen|anderen|lebenden) )*"
        r"(?:menschen?|mitarbeiter(?:in)?|person|berater(?:in)?|kollegen|kollegin|jemandem|jemand|chef|vorgesetzten)"
        r"(?: \w+){0,2} (?:sprechen|reden|verbunden|verbinden|telefonieren)",
        r"\bjemanden? (?:\w+ ){0,2}sprechen\b",
        r"\b(?:verbinden|verbinde) (?:sie )?mich\b|\bstellen sie mich durch\b",
        r"\bkönnen sie mich (?:\w+ ){0,3}(?:verbinden|durchstellen)\b",
        r"^(?:bitte )?(?:einen? )?(?:echten? |richtigen? )?(?:mensch(?:en)?|mitarbeiter)(?: bitte)?$",
    ],
    "es": [
        r"\b(?:hablar|comunicarme|comunicar) con (?:(?:un|una|algún|alguna|otra|otro) )?"
        r"(?:persona|humano|ser humano|agente|operadora?|alguien|representante|asesora?|encargad[oa]|gerente)",
        r"\b(?:páseme|pásame|paseme|pasame|comuníqueme|transfiérame|póngame) con\b",
        r"\b(?:quiero|necesito) (?:un|una) (?:persona|agente|operadora?|humano)\b",
    ],
    "fr": [
        r"\b(?:parler|discuter) (?:à|avec) (?:(?:un|une|le|la|votre) )?(?:(?:vrai|vraie|autre) )?"
        r"(?:humain|être humain|personne|conseill(?:er|ère)|agent|opérat(?:eur|rice)|quelqu'un|responsable|employé)",
        r"\bpassez[ -]moi\b|\bmettez[ -]moi en relation\b|\btransférez[ -]moi\b",
    ],
    "it": [
        r"\bparlare con (?:(?:un|una|un') ?)?(?:(?:vera|altra) )?"
        r"(?:persona|operatore|operatrice|qualcuno|umano|essere umano|responsabile|addetto)",
        r"\bmi passi\b|\bmi metta in contatto\b|\bmi trasferisca\b",
    ],
    "pt": [
        r"\bfalar com (?:(?:um|uma|algum|alguma) )?"
        r"(?:pessoa|alguém|atendente|humano|ser humano|operadora?|gerente|responsável)",
        r"\b(?:me transfere|me transfira|me passa|me passe) (?:para|com|pra)\b",
    ],
}
_DENIED = re.compile(
    r"(?:\b(?:don't|do not|didn't|doesn't|not|no need|never|can't|cannot|won't|without|rather than|instead of"
    r"|nicht|kein|keine|keinen|no quiero|no necesito|sin|ne|pas|non|não|sem)\b)(?: \w+){0,4}$"
)
_PATTERNS = [re.compile(pattern) for patterns in _REQUESTS.values() for pattern in patterns]


def asks_for_a_person(words: str) -> bool:
    clauses = _CLAUSES.split(words.lower().replace("’", "'"))
    return any(
        _is_meant(said, found)
        for said in (" ".join(_SPACES.sub(" ", clause).split()) for clause in clauses)
        for pattern in _PATTERNS
        for found in pattern.finditer(said)
    )


def _is_meant(said: str, found: re.Match[str]) -> bool:
    """Not if it is denied just before, in the same clause."""
    return not _DENIED.search(said[: found.start()].rstrip())
