"""What callers mean, told from their words and not left to the model: that they want a person, that they do not want to be
recorded, that they are upset, that they were taken wrongly, and yes or no when they are asked whether they want a person.

Words count in any of six languages, whatever the call is held in. Speaking of people is no request ("I am only human", "the
person who packed it"), nor is a request denied ("I don't need a person") or told of ("I spoke to an agent"); anger at somebody
else is not at us. `tests/voiceagent/call/test_wishes.py` holds what callers say and how it is to be taken.
"""

import re
from collections.abc import Iterable

# Accents are lost in transcription, and in capitals.
_PLAIN = str.maketrans(
    {"ß": "ss", "’": "'"} | dict(zip("àáâãäçèéêëìíîïñòóôõöùúûü", "aaaaaceeeeiiiinooooouuuu", strict=True)),
)
_CLAUSES = re.compile(r"[.,;:!?…¿¡]+")
_SPACES = re.compile(r"[^\w']+")
# Nobody says so much in a minute; of more, the end is read. The patterns' time grows with the square of it.
_LONGEST = 1500
# Further back than this a "not" belongs to something else.
_NEAR = 80


def asks_for_a_person(words: str) -> bool:
    """For a person instead of the agent, now."""
    return any(
        not _DENIED.search(_ANEW.sub("", clause[: found.start()][-_NEAR:]).rstrip())
        for clause in _clauses(words)
        for pattern in _PERSON
        for found in pattern.finditer(clause)
    )


def refuses_recording(words: str) -> bool:
    """Of this call, now. Asking whether it is recorded is no refusal."""
    return any(
        not _NO_REFUSAL.search(said[: found.start()][-_NEAR:].rstrip())
        for said in (_whole(words), *_clauses(words))
        for pattern in _UNRECORDED
        for found in pattern.finditer(said)
    )


def is_upset(words: str) -> bool:
    """Angry with us, or insulting."""
    return _any(_UPSET, _clauses(words))


def was_misunderstood(words: str) -> bool:
    """The caller says that the agent took them wrongly, or says again what they said."""
    return _any(_MISUNDERSTOOD, [_whole(words)])


def agrees(words: str) -> bool:
    """Yes, to "Would you like me to put you through to a person?". What is neither yes nor no is neither."""
    return bool(_YES.fullmatch(_WITHOUT_MEANING.sub("", f"{_whole(words)} "))) or asks_for_a_person(words)


def declines(words: str) -> bool:
    """No, or not now, to the same question. "No, I want a person" is none."""
    clauses = [_WITHOUT_MEANING.sub("", f"{clause} ").strip() for clause in _clauses(words)]
    said = next(filter(None, clauses), "")
    return (bool(_NO.fullmatch(said)) or _any(_NOT_NOW, clauses)) and not asks_for_a_person(words)


def _clauses(words: str) -> list[str]:
    return [_joined(clause) for clause in _CLAUSES.split(words[-_LONGEST:].lower().translate(_PLAIN))]


def _whole(words: str) -> str:
    return _joined(words[-_LONGEST:].lower().translate(_PLAIN))


def _joined(words: str) -> str:
    return " ".join(_SPACES.sub(" ", words).split())


def _any(patterns: list[re.Pattern[str]], said: Iterable[str]) -> bool:
    return any(pattern.search(one) for one in said for pattern in patterns)


def _compiled(*patterns: str) -> list[re.Pattern[str]]:
    """Patterns are written with their accents."""
    return [re.compile(pattern.translate(_PLAIN)) for pattern in patterns]


def _one_of(phrases: str) -> str:
    """The longest first: "claro que sim" is not "claro" and something else."""
    return "|".join(sorted((phrase.strip() for phrase in phrases.translate(_PLAIN).split(",")), key=len, reverse=True))


# --- A person ----------------------------------------------------------------------------------------------------------

_A = r"(?:(?:a|an|the|some|any|one of your|your) )?"
_SOMEBODY = (
    r"(?:(?:real|live|actual|human|different|another|your) )*"
    r"(?:humans?(?: beings?)?|person|people|agent|representative|rep|operator|(?:some|any)(?:one|body)(?: else| real)?|manager"
    r"|supervisor"
    r"|colleague|employee|staff(?: member)?|team member|member of (?:staff|the team)"
    r"|customer (?:service|support|care)(?: representative| agent)?)"
)
_TALK_TO = r"(?:talk|talking|speak|speaking|chat) (?:to|with)"
_JEMAND = (
    r"(?:(?:echten?|richtigen?|anderen?|lebenden?|menschlichen?) )*"
    r"(?:mensch(?:en)?|mitarbeiter(?:in)?|person|berater(?:in)?|kollegen|kollegin|chef(?:in)?|vorgesetzten?"
    r"|ansprechpartner(?:in)?)"
)
_ALGUIEN = (
    r"(?:(?:un|una|algún|alguna|otra|otro|su|el|la|tu) )?"
    r"(?:persona|humano|ser humano|agente|operadora?|alguien|representante|asesora?|encargad[oa]|gerente|supervisora?|jefe)"
    r"(?: (?:real|humana|humano|de verdad))?"
)
_QUELQUUN = (
    r"(?:(?:un|une|le|la|votre) )?(?:(?:vrai|vraie|autre) )?(?:humain|être humain|personne|conseill(?:er|ère)|agent"
    r"|opérat(?:eur|rice)"
    r"|quelqu'un|responsable|employé|supérieur|service client)(?: humain)?"
)
_QUALCUNO = (
    r"(?:(?:un|una|un'|il|la|un vero|una vera|un altro|un'altra|il suo|la sua) ?)?"
    r"(?:persona|operatore|operatrice|qualcuno|umano|essere umano|responsabile|addetto|supervisore|servizio clienti)"
    r"(?: (?:vera|vero|umano|reale))?"
)
_ALGUEM = (
    r"(?:(?:um|uma|algum|alguma|o|a|seu|sua|outra|outro) )?"
    r"(?:pessoa|alguém|atendente|humano|ser humano|operadora?|gerente|responsável|supervisora?|representante)"
    r"(?: (?:humano|humana|real|de verdade))?"
)
_PLEASE = r"(?: (?:please|now|bitte|jetzt|por favor|s'il vous plaît|per favore))*$"

_PERSON = _compiled(
    # English
    rf"(?<!you )\b{_TALK_TO} {_A}{_SOMEBODY}\b",
    rf"\b(?:give|get|find|bring|pass|fetch) me {_A}{_SOMEBODY}\b",
    rf"\b(?:want|need|prefer|have|reach|request|ask(?:ed|ing)? for|help from|(?:i|i'd|would) (?:really )?like) "
    rf"(?:to (?:have|reach|get) )?{_A}{_SOMEBODY}(?: (?:to (?:help|talk|speak|take)|for this)\b|{_PLEASE})",
    rf"\b(?:can|could|may) (?:i|we) (?:please )?(?:get|have) {_A}{_SOMEBODY}(?: on|{_PLEASE})",
    rf"\b(?:put|get) {_A}{_SOMEBODY} (?:on|through)\b|\ba word with {_A}{_SOMEBODY}\b",
    rf"\b(?:can|could) {_A}{_SOMEBODY} (?:please )?(?:help|assist|take over|talk to me|speak to me)\b",
    r"\b(?:put|transfer|connect|patch|pass|forward|hand|switch) (?:me|(?:the|this|my) call) (?:through|over|on|to|with)\b",
    r"\b(?:transfer|connect) me\b|\b(?:be|get) (?:put through|transferred|connected) (?:to|with)\b",
    rf"^(?:(?:please|no|yes|just|hello|hi|okay|ok|speak to) )*{_A}{_SOMEBODY}{_PLEASE}",
    rf"\b(?:is|isn't|are) there {_A}{_SOMEBODY} (?:there|here|available|who can|i (?:can|could) {_TALK_TO}|to {_TALK_TO})",
    rf"\bhave {_A}{_SOMEBODY} (?:there |here )?i (?:can|could) {_TALK_TO}",
    # German
    rf"\bmit (?:(?:einem|einer|dem|ihrem|ihrer|nem|ner) )?(?:{_JEMAND}|jemand(?:em)?(?: anderem| anders)?)"
    r"(?: \w+){0,3} (?:sprechen|reden|verbunden|verbinden|telefonieren)",
    rf"\b(?:(?:einen?|ihren?|den|die) {_JEMAND}|jemand(?:en)?(?: anderen?| anders)?) (?:\w+ ){{0,2}}sprechen\b",
    r"\b(?:geben sie mir|holen sie(?: mir)?|kann ich|könnte ich|ich (?:will|möchte|brauche|hätte gern))"
    rf" (?:bitte )?(?:(?:einen?|ihren?) {_JEMAND}|jemanden)(?: (?:bitte|jetzt|haben|am|ans|telefon))*$",
    r"\bgibt es (?:\w+ )?jemanden?$|^mit (?:dem|der) ich (?:\w+ )?(?:sprechen|reden) kann$",
    r"\bverbinden? (?:sie )?mich\b|\bstellen sie mich (?:\w+ )?durch\b|\b(?:weiter|durch)?(?:verbunden|gestellt) werden\b",
    r"\bkönnt?en sie mich (?:\w+ ){0,3}(?:(?:weiter)?verbinden|durchstellen)\b",
    rf"^(?:(?:ja|nein|bitte) )*(?:einen? )?(?:{_JEMAND}|kundenservice|kundendienst){_PLEASE}",
    # Spanish
    rf"\b(?:hablar|comunicarme|comunicar) con {_ALGUIEN}\b",
    r"\b(?:páseme|pásame|comuníqueme|transfiérame|póngame|deme) con\b",
    r"\bme (?:puede|podría|puedes) (?:comunicar|pasar|transferir|poner) con\b",
    rf"(?<!no )\b(?:quiero|necesito|prefiero) {_ALGUIEN}{_PLEASE}|\bque me atienda {_ALGUIEN}\b",
    r"\bhay alguien con quien\b|\bpasarme con\b",
    rf"^(?:sí |no )?(?:con )?{_ALGUIEN}{_PLEASE}",
    # French
    rf"\b(?:parler|discuter) (?:à|avec) {_QUELQUUN}",
    rf"\b(?:avoir|besoin d'une?|me passer|je (?:veux|voudrais|préfère|souhaite)) {_QUELQUUN}(?: au téléphone| en ligne"
    rf"|{_PLEASE})",
    r"\b(?:passez|mettez|transférez) moi\b|\bmise? en relation avec\b|\bme transférer (?:à|vers)\b",
    rf"^(?:oui |non )?{_QUELQUUN}{_PLEASE}",
    # Italian
    rf"\bparlare con {_QUALCUNO}\b",
    rf"\b(?:voglio|vorrei|preferisco|bisogno di|avere|mi passa) {_QUALCUNO}{_PLEASE}",
    r"\bmi (?:passi|metta in contatto|trasferisca)\b|\bpuò (?:passarmi|trasferirmi)\b",
    r"\bmi può (?:passare|trasferire|mettere in contatto)\b",
    r"\bc'è qualcuno con cui\b",
    rf"^(?:sì |no )?{_QUALCUNO}{_PLEASE}",
    # Portuguese
    rf"\bfalar com {_ALGUEM}\b|\batendid[oa] por {_ALGUEM}\b",
    rf"\b(?:quero|preciso de|prefiro) {_ALGUEM}{_PLEASE}",
    r"\bme (?:transfere|transfira|passa|passe) (?:para|com|pra)\b",
    r"\bpode(?:ria)? me (?:transferir|passar)\b",
    r"\btem alguém com quem\b",
    rf"^(?:sim |não )?{_ALGUEM}{_PLEASE}",
)
# Just before a request, in its clause: it is refused, told of, or asked whether it is so already.
_DENIED = re.compile(
    r"\b(?:don't|do not|didn't|doesn't|not|no need|never|can't|cannot|won't|without|rather than|instead of|hate|did|they"
    r"|nicht|kein|keine|keinen|no quiero|no necesito|sin|ne|pas|non|nao|sem)(?: \w+){0,4}$"
    r"|\b(?:am i|are we|i'm|i was|we were)(?: (?:actually|really|even|just|now))*$"
)
# "I don't get it I want to talk to a person": transcripts lack full stops, and what was denied before is another matter.
_ANEW = re.compile(
    r".*\b(?:i want|i'd|i would|can i|could i|let me|ich will|ich mochte|je veux|je voudrais|(?<!no )quiero|(?<!non )(?:voglio"
    r"|vorrei)"
    r"|(?<!nao )(?:quero|queria))\b"
)

# --- No recording ------------------------------------------------------------------------------------------------------

_THIS_CALL = r"(?:me|us|this|it|my (?:voice|call)|(?:this|the|our) (?:call|conversation|phone call))"
_TO_BE_RECORDED = (
    rf"(?:to be (?:being )?(?:recorded|taped)|being (?:recorded|taped)|(?:you )?(?:to )?(?:record(?:ing)?|tape|taping) {_THIS_CALL}"
    rf"|{_THIS_CALL} (?:to be |being )?(?:recorded|taped)"
    rf"|(?:to )?(?:the |this |any |a |call )*recordings?(?: of {_THIS_CALL})?)(?! of\b| number| me a)"
)
_GESPRAECH = r"(?:(?:das|dieses|unser|mein) (?:gespräch|telefonat)|(?:der|dieser|den|diesen) anruf|mich|uns|ich|wir|es)"
_AUFGEZEICHNET = r"(?:aufgezeichnet|aufgenommen|mitgeschnitten)"
_AUFZEICHNUNG = r"(?:aufzeichnung|aufnahme|mitschnitt)"
_LLAMADA = r"(?:(?:esta|la|mi|nuestra) (?:llamada|conversación|voz)|esto)"
_APPEL = r"(?:cet appel|l'appel|(?:la|cette|notre) conversation|mon appel|ma voix|ça|cela|cette communication)"
_CHIAMATA = r"(?:(?:questa|la|mia|nostra) (?:chiamata|telefonata|conversazione|voce))"
_LIGACAO = r"(?:(?:esta|essa|a|minha|nossa) (?:ligação|chamada|conversa|voz)|isso|isto)"

_UNRECORDED = _compiled(
    # English
    rf"\b(?:do not|don't|not|stop|quit|without(?: you)?|against you) (?:record(?:ing)?|tape"
    rf"|taping)(?: {_THIS_CALL}\b(?! (?:address|order"
    r"|number|name|complaint|as))|$| please\b| anything\b)",
    rf"\b(?:do not|don't|wouldn't|would not|not) (?:want|wish|consent|agree|like|allow|permit)(?: to)? {_TO_BE_RECORDED}",
    rf"\b(?:rather|prefer|like|want|ask|wish|choose)(?: to)? not (?:to )?(?:be recorded|be taped|have {_THIS_CALL} recorded)\b",
    rf"\b(?:refuse|decline|object) (?:to )?{_TO_BE_RECORDED}",
    r"\b(?:stop|end|cancel) (?:the |this |that |your |call )*recording\b|\b(?:turn|switch|shut) (?:the |this |that |your )*"
    r"(?:recording|recorder|tape) off\b|\b(?:turn|switch|shut) off (?:the |this |that |your )*(?:recording|recorder|tape)\b",
    r"^(?:(?:please|no|hi|hello|sorry|okay|ok) )*no recordings?(?: please)?$|\bwithout (?:a |the |any |being )?record(?:ing"
    r"|ed)(?: it| this| me)?"
    r"(?: please)?$|\bno recording please\b|\bcan (?:this|the) call not be recorded\b|\bopt out of (?:the |being "
    r"|call )*record(?:ing|ed)\b",
    # German
    rf"\b(?:zeichnen|nehmen|schneiden) sie (?:{_GESPRAECH} )?(?:bitte )?(?:{_GESPRAECH} )?(?:bitte )?nicht (?:auf|mit)\b",
    rf"\b(?:möchte|will|wollen|möchten|wünsche)(?: ich"
    rf"| wir)? (?:bitte )?nicht dass {_GESPRAECH} (?:hier )?{_AUFGEZEICHNET} (?:wird|werden|werde)\b"
    rf"|\b(?:möchte|will|möchten|wollen)(?: ich| wir)? (?:bitte )?nicht dass sie {_GESPRAECH} (?:aufzeichnen|aufnehmen"
    rf"|mitschneiden)\b",
    rf"\b(?:möchte|will|möchten|wollen)(?: ich| wir)?(?: bitte| aber| lieber)* nicht {_AUFGEZEICHNET} werden\b"
    rf"|\b{_GESPRAECH} (?:soll|darf) (?:bitte )?nicht {_AUFGEZEICHNET} werden\b",
    rf"\bkeine {_AUFZEICHNUNG}(?: bitte)?$|\b(?:möchte|will|wünsche)(?: ich)? (?:bitte )?keine[nr]? {_AUFZEICHNUNG}\b"
    rf"|\bohne {_AUFZEICHNUNG}(?: bitte)?$",
    rf"\b(?:stoppen|beenden|schalten|stellen|machen|brechen) sie (?:bitte )?(?:die|den) {_AUFZEICHNUNG}\b"
    rf"|\b(?:die|den) {_AUFZEICHNUNG} (?:bitte )?(?:stoppen|beenden|ausschalten|abschalten|abstellen|ausmachen)\b",
    rf"\b(?:widerspreche|verweigere|untersage)(?: ich)? (?:hiermit )?(?:der|die|den|dem) {_AUFZEICHNUNG}\b"
    rf"|\blehne(?: ich)? (?:die|den|eine) {_AUFZEICHNUNG} ab\b"
    rf"|\bmit (?:der|dem|einer) {_AUFZEICHNUNG} (?:\w+ ){{0,2}}nicht einverstanden\b"
    rf"|\bnicht (?:damit )?einverstanden (?:mit (?:der|dem|einer) {_AUFZEICHNUNG}\b|dass {_GESPRAECH} {_AUFGEZEICHNET})",
    # Spanish
    rf"\bno (?:me|nos) (?:grabe[ns]?|graba|grabes)\b|\bno (?:grabe[ns]?|graba) (?:{_LLAMADA}|nada|esto)\b",
    rf"\bno (?:quiero|deseo|quisiera|me gustaría|acepto|autorizo|consiento|permito) (?:que (?:me|nos|se) (?:graben?"
    rf"|grabe {_LLAMADA})"
    rf"|que graben? {_LLAMADA}|ser grabad[oa]|que {_LLAMADA} (?:sea|se|quede) (?:grabada|grabe)|(?:la|esta|ninguna"
    rf"|a la) grabación)\b",
    r"\b(?:pare|detenga|apague|desactive|quite|corte|pueden? (?:parar|detener|apagar|desactivar)) (?:ya |por favor )?(?:la|esta"
    r"|esa) grabación\b"
    r"|\b(?:deje|dejen) de grabar(?:me)?\b|\bsin (?:grabar|grabación|que me graben)(?: por favor)?$"
    r"|^(?:no |por favor )*(?:ninguna|nada de) grabación(?: por favor)?$|\b(?:no estoy de acuerdo con|me opongo a|rechazo) (?:la"
    r"|esta) grabación\b",
    # French
    rf"\bne (?:m'|nous )enregistrez pas\b|\bn'enregistrez (?:pas|rien)\b|\bm'enregistrez pas\b|\benregistrez pas (?:{_APPEL})",
    rf"\b(?:veux|souhaite|voudrais|désire|aimerais|accepte|consens|autorise) pas (?:à )?(?:d')?(?:être enregistrée?"
    rf"|que vous (?:m'enregistriez|enregistriez {_APPEL})|qu'on (?:m'enregistre|enregistre)|que {_APPEL} soit enregistrée?"
    r"|(?:l'|d'|cet |à l')enregistrement)\b",
    r"\b(?:arrêtez|coupez|stoppez|désactivez|arrêter|couper) (?:\w+ )?(?:l'|cet )enregistrement\b"
    r"|\barrêtez (?:de m'|d')enregistrer\b|(?<!y a )\bpas d'enregistrement(?: s'il vous plaît)?$|\bsans (?:enregistrement"
    r"|être enregistrée?"
    r"|m'enregistrer)(?: s'il vous plaît)?$|\bje (?:refuse|m'oppose à) (?:d'être enregistrée?|l'enregistrement"
    r"|cet enregistrement)\b"
    r"|\bpas d'accord (?:pour|avec) (?:être enregistrée?|l'enregistrement|cet enregistrement)\b",
    # Italian
    rf"\bnon (?:mi|ci) (?:registri|registrate|registrare|registra)\b(?! (?:al|sul|nel|come)\b)"
    rf"|\bnon (?:registri|registrate|registrare) {_CHIAMATA}",
    rf"\bnon (?:voglio|vorrei|desidero|accetto|acconsento|autorizzo|permetto)(?: di| a| che)? (?:essere registrat[oa]"
    rf"|(?:che )?(?:mi |ci )(?:registri|registriate|si registri)|(?:che )?{_CHIAMATA} (?:sia|venga) registrata|(?:alla |la "
    rf"|nessuna )registrazione)\b",
    r"\b(?:fermi|fermate|interrompa|interrompete|spenga|spegnete|disattivi|disattivate|blocchi|stoppi|può (?:fermare|spegnere"
    r"|interrompere"
    r"|disattivare)) (?:per favore )?(?:la|questa) registrazione\b|\bsmett\w+ di registrar(?:e|mi)\b"
    r"|\bsenza (?:registrazione|registrare|essere registrat[oa])(?: per favore)?$|^(?:no |per favore )*(?:nessuna"
    r"|niente) registrazione(?: per favore)?$"
    r"|\b(?:rifiuto (?:la registrazione|di essere registrat[oa])|mi oppongo alla registrazione)\b"
    r"|\bnon sono d'accordo (?:con la registrazione|a essere registrat[oa])\b",
    # Portuguese
    rf"\bnão (?:me|nos) grave[m]?\b|\bnão grave[m]? (?:{_LIGACAO}|nada)\b|\bnão grava {_LIGACAO}",
    rf"\bnão (?:quero|gostaria de|desejo|aceito|autorizo|permito|concordo em)(?: que)? (?:(?:me|nos) grave[m]?|ser gravad[oa]"
    rf"|{_LIGACAO} (?:seja|fique) gravad[oa]|que grave[m]? {_LIGACAO}|grave[m]? {_LIGACAO}|(?:a |nenhuma |essa |esta )gravação)\b",
    r"\b(?:pare|parem|desligue|desliguem|interrompa|desative|cancele|pode (?:parar|desligar|interromper)) (?:por favor )?(?:a|essa"
    r"|esta|de)"
    r" grava(?:ção|r)\b|\bsem (?:gravação|gravar|ser gravad[oa])(?: por favor)?$|^(?:não |por favor )*(?:nenhuma"
    r"|nada de) gravação(?: por favor)?$"
    r"|\b(?:não concordo com|recuso|me oponho a|me oponho à) (?:a )?gravação\b|\bnão concordo com a gravação\b",
)
# Just before it: it is denied, told of, or no matter.
_NO_REFUSAL = re.compile(
    r"\b(?:don't mind if you|don't need to|do not need to|needn't|no need to|you can|why do you|why did you|why|did you|have you"
    r"|didn't"
    r"|don't have to|do not have to|if you|when did you|i did|they|he|she|don't|do not|never"
    r"|nicht notig dass|sie mussen|warum|wenn sie|haben sie|si|por que|pourquoi|si vous|perche|se|quando|cuando"
    r"|quand)(?: (?:please|even|say|said|mean|ask you to|want you to))*$"
)

# --- Anger -------------------------------------------------------------------------------------------------------------

_SWEARING = (
    r"fuck\w*|bullshit|shit|goddamn|damn (?:it|you|question|thing|phone)|bloody (?:hell|idiots?|useless|stupid)|piss(?:ed)? off"
    r"|asshole|arsehole|morons?|idiots?|verdammt|verflucht|scheiß\w*|arschloch|idiot(?:en)?|vollidiot|verarschen"
    r"|mierda|joder|carajo|pendej\w+|idiotas?|imbécil(?:es)?|putain|merde|bordel|connards?|imbéciles?"
    r"|cazzo|merda|schifo|imbecill[ei]|cretin[oi]|porra|caralho|imbecil|palhaçada"
)
_VERY = (
    r"(?:(?:so|very|seriously|really|getting|quite|pretty|extremely|absolutely|just|a bit|completely|totally|honestly|simply"
    r"|all|such) )*"
)
_AWFUL = (
    r"(?:ridiculous|unacceptable|outrageous|disgraceful|absurd|pathetic|unbelievable|pointless|hopeless|useless|appalling"
    r"|infuriating"
    r"|frustrating|annoying|disgusting|rubbish|crap|stupid|incompetent|worthless|dumb|rude|a lie|liars?"
    r"|not helping(?: me)?(?: at all)?|thieves|crooks|not good enough"
    r"|(?:a )?(?:joke|disgrace|scam|nightmare|farce|disaster|mess|waste of (?:my )?time))"
)
_UPSET = _compiled(
    rf"\b(?:{_SWEARING})\b",
    # English
    rf"\b(?:this|that|it|the whole thing|your service|you|you people|you guys|you lot)(?:'s|'re| is| are) {_VERY}(?:a (?:total"
    rf"|complete) )?"
    rf"{_AWFUL}$|^(?:what |such )?{_VERY}(?:a (?:total |complete )?)?{_AWFUL}$",
    r"\b(?:this|you|you guys|you people)(?:'s|'re| is| are) the worst$",
    rf"\bi(?:'m| am) {_VERY}(?:angry|furious|mad|upset|annoyed|frustrated|livid)(?:$| (?:right now|now|and|already)\b"
    r"| (?:with|at) (?:you|this)\b| about (?:(?:this|it)$|how|my order|your)"
    r"| (?:that|because|since) (?:my (?:order|parcel|package|delivery|refund)|you|it|this|nobody|no one)\b)",
    rf"\bi(?:'m| am) {_VERY}(?:not happy|unhappy|disappointed|done)(?: at all)?(?:(?<!done)$| (?:with|in|by|about) (?:you|your"
    rf"|this|the service)\b)",
    r"\bi(?:'ve| have) had (?:it with|(?:more than )?enough(?:$| of (?:this|you|it|your)))",
    r"\b(?:sick(?: and tired)? of (?:this|you|it|your|waiting|hearing|being)|fed up|losing my (?:patience|temper|mind))\b",
    r"\b(?:this|it|that|you|waiting)(?:'s|'re| is| are)? driving me (?:crazy|mad|nuts|insane|up the wall)\b",
    r"\bwast(?:e|ing|ed) (?:of )?my time\b|\bi hate (?:this|you)(?:$| (?:company|service|machine|thing)\b)"
    r"|\bcan't believe this$|\bsuch bad service\b|^enough$|^are you serious$|\byou thieves\b|\bnever been treated\b",
    r"\bfor crying out loud\b|\bfor (?:god|goodness|heaven|christ|pete)(?:'s| s)? sake\b|\bwhat the (?:hell|heck)\b",
    r"\bhow many (?:more )?times (?:do|must|have) i\b|\bfor the (?:last|third|fourth|fifth|tenth|hundredth|thousandth) time\b",
    r"\bthis is the (?:second|third|fourth|fifth|tenth) time i\b",
    r"\bshut up\b|^(?:just |please )?stop talking$|\bjust stop talking\b|^answer me$|\beven listening\b",
    r"\b(?:are you|you've got to be|you must be|you have to be) (?:kidding me|joking|kidding$)",
    r"\bis this (?:some (?:kind|sort) of |a )(?:a )?joke$|\bwrong with you\b|\bare you (?:stupid|dumb|deaf|an idiot)\b",
    r"\b(?:stupid|dumb|useless|awful|terrible|crappy) (?:machine|robot|bot|computer|system|company)\b|\bworst company\b",
    r"\b(?:worst|terrible|awful|horrible|appalling|pathetic|disgusting) (?:customer )?service\b",
    r"\bnever (?:order|buy|shop)\w* (?:\w+ ){0,2}(?:from you|here|again)\b",
    # German
    r"\b(?:das|es|so was|sowas) ist (?:(?:ja|doch|wohl|echt|wirklich|einfach|absolut|völlig|eine?|der) )*(?:lächerlich"
    r"|unverschämt(?:heit)?"
    r"|frechheit|witz|unmöglich|inakzeptabel|skandal|unfassbar|unglaublich|mist|zum kotzen|schwachsinn|zumutung|katastrophe"
    r"|dreist)$",
    r"^(?:so |was für )?(?:eine? )?(?:unverschämtheit|frechheit|sauerei|schweinerei|saftladen|unfassbar|zumutung|so ein mist)$",
    r"\bmir reicht(?:'s| es)\b|\bjetzt reicht(?:'s| es)\b|\b(?:die|meine) (?:nase|schnauze) (?:\w+ )?voll\b|\bdas nervt\b"
    r"|\bsie nerven\b",
    r"\b(?:sind sie|bist du) (?:eigentlich )?(?:blöd|dumm|bescheuert|taub|doof|bekloppt)\b",
    r"\b(?:sie sind|ihr seid) (?:(?:ja|doch|echt|völlig|alle) )*(?:unfähig|nutzlos|dumm|blöd)\b",
    r"\b(?:ich (?:bin|werde)|werde ich) (?:(?:aber|so|sehr|echt|wirklich|langsam|richtig|total|jetzt|allmählich) )*"
    r"(?:stinksauer|sauer|wütend|verärgert|genervt|empört)(?:$| (?:auf sie|über|weil))",
    r"\b(?:darf|kann) doch (?:wohl )?nicht wahr sein\b|\bzum teufel\b|\b(?:regt|ärgert) mich (?:\w+ )?(?:auf|sehr)\b",
    r"\bwie oft (?:soll|muss) ich\b|\bich habe? es satt\b|\bverschwende(?:n|t)? (?:sie )?meine zeit\b|\bzeitverschwendung\b",
    # Spanish
    r"(?<!no )\bes (?:(?:una|un|realmente|totalmente) )*(?:ridículo|inaceptable|indignante|tomadura de pelo|vergüenza|burla"
    r"|desastre"
    r"|absurdo|robo|increíble que)\b",
    r"(?<!no )\bestoy (?:(?:ya|muy|tan|realmente|bastante) )*(?:hart[oa]|enojad[oa]|enfadad[oa]|furios[oa]|indignad[oa]"
    r"|cabread[oa])"
    r"(?:$| (?:con (?:usted|ustedes|esto)|de|porque)\b)",
    r"\bqué (?:vergüenza|asco|desastre|falta de respeto)\b|\bme tienen? (?:hart|cansad)[oa]\b|\bel colmo\b|\bya basta\b"
    r"|\b(?:pésimo|horrible|terrible) servicio\b",
    r"\b(?:es|son|eres) (?:usted(?:es)? )?(?:un |una |unos )?(?:inútil(?:es)?|incompetentes?)\b|\bno sirven? para nada\b",
    r"\bha(?:ce|cen|ciendo) perder (?:el|mi) tiempo\b|\bpérdida de tiempo\b|\b(?:burlando|riendo) de mí\b|\btoma\w* el pelo\b",
    r"\bcuántas veces (?:tengo|se lo|hay)\b|\bpor (?:última|enésima) vez\b",
    # French
    r"\bc'est (?:(?:vraiment|complètement|absolument|totalement|du grand|une|un|quand même) )*(?:ridicule|inadmissible"
    r"|n'importe quoi"
    r"|honteux|honte|scandaleux|scandale|inacceptable|nul|lamentable|insupportable|catastrophe|blague|agaçant|pénible)$",
    r"\bj'en ai (?:(?:vraiment|plus que) )*(?:marre|ras le bol|plein le dos|assez(?:$| de (?:vous|ça|cette|ce|attendre)))",
    r"\bvous (?:vous )?(?:moquez|foutez) de moi\b|\bj(?:e n)?'en peux plus\b|\bça suffit$|\btaisez vous\b|\bm'énerve[rz]?\b",
    r"\bje suis (?:(?:très|vraiment|tellement) )*(?:en colère|furieu(?:x|se)|énervée?|fâchée?|excédée?)(?:$| (?:contre vous"
    r"|parce|que)\b)",
    r"\bvous êtes (?:(?:vraiment|tous|complètement) )*(?:nuls?|incompétents?|incapables?|inutiles?|stupides?)\b",
    r"\bperdre mon temps\b|\bperte de temps\b|\bcombien de fois (?:dois|faut|vais)\b|\bpour la dernière fois\b",
    # Italian
    r"(?<!non )\bè (?:(?:davvero|veramente|assolutamente|una|uno|un) )*(?:ridicolo|inaccettabile|inammissibile|intollerabile"
    r"|vergogna"
    r"|vergognoso|assurdo|scandalo|presa in giro|disastro)\b",
    r"\bne ho (?:abbastanza(?:$| di (?:voi|lei|questo|questa|aspettare))|le tasche piene)",
    r"(?<!non )\bsono (?:(?:davvero|molto|veramente|proprio) )*(?:stuf[oa]|arrabbiat[oa]|furios[oa]|indignat[oa]|incazzat[oa])"
    r"(?:$| (?:con (?:lei|voi)|di|perché)\b)",
    r"\bprend\w+ in giro\b|\bnon serv(?:e|ite) a niente\b|\bnon ne posso più\b|\b(?:adesso|ora) basta$|\bche vergogna\b",
    r"\b(?:lei è|siete) (?:un |una |degli )?(?:incapac[ei]|incompetent[ei]|stupid[oaie]|idiot[aie])\b",
    r"\bperdere (?:il mio )?tempo$|\bperdita di tempo\b|\bquante volte (?:devo|glielo|ve lo)\b|\bper l'ultima volta\b",
    # Portuguese
    r"\b(?:isso|isto) é (?:(?:um|uma|muito|realmente|totalmente) )*(?:ridículo|absurdo|inaceitável|inadmissível|vergonha|piada"
    r"|brincadeira"
    r"|desrespeito|falta de respeito)\b",
    r"\bque (?:absurdo|vergonha|droga|saco|falta de respeito)\b|\bcansei d(?:e|isso)\b|\bpéssimo (?:atendimento|serviço)\b",
    r"(?<!não )\bestou (?:(?:muito|tão|realmente|ficando|bem|já) )*(?:irritad[oa]|fart[oa]|brav[oa]|furios[oa]|indignad[oa]"
    r"|de saco cheio)"
    r"(?:$| (?:com (?:você|vocês|isso)|de|porque)\b)",
    r"\b(?:de brincadeira|brincando|zoando|de sacanagem) com(?:igo| a minha cara)\b|\bnão aguento mais\b",
    r"\bvocês? (?:é|são) (?:um |uma |uns )?(?:inút(?:il|eis)|incompetentes?|idiotas?|burr[oa]s?)\b",
    r"\bperder (?:o )?meu tempo\b|\bperda de tempo\b|\bquantas vezes (?:eu )?(?:tenho|preciso|vou)\b|\bpela última vez\b",
)

# --- Taken wrongly -----------------------------------------------------------------------------------------------------

_MY_DETAIL = r"my (?:name|(?:order |phone )?number|address|e ?mail|order|postcode|question)"
# Of several "no" the last one begins it: repeating them in a pattern finds no more, and takes the square of their number.
_MISUNDERSTOOD = _compiled(
    # English
    r"\b(?:not|isn't|wasn't) (?:what|the (?:one|order)) i(?:'m| am| was|'ve| have)? (?:said|say(?:ing)?|ask(?:ed|ing)|mean"
    r"|meant|talking"
    r"|want(?:ed)? to know|told you)\b",
    rf"\b(?:that's|that is|this is|it's) not (?:{_MY_DETAIL}\b|it$)|\b(?:wasn't|isn't|answering) my question\b"
    rf"|(?<!they )\bgot {_MY_DETAIL} wrong\b",
    r"\bi (?:didn't|did not|never) (?:sa(?:y|id)(?! goodbye| hello| thank| anything)|ask(?:ed)? (?:for |you )?(?:that|this"
    r"|about)|mean(?! to))\b",
    r"\bi(?:'m| am| was|) ?(?:not|wasn't) (?:asking|talking) (?:about|for)\b",
    r"\b(?:no|listen|wait|look) (?:(?:sorry|what|but) )*i (?:said|meant|mean|asked|was asking)\b",
    r"\bno (?:(?:wait|sorry|what) )*(?:not (?:that|this|the|my)\b|(?:the )?(?:other|wrong) (?:one|order|name|number)(?! is"
    r"| was)"
    r"|that(?:(?:'s| is) (?:wrong|the wrong|not (?:my|right|it))| isn't (?:right|it|my)))",
    r"\b(?:i said|no my) (?:\w+ ){1,8}not\b|\bi meant (?!to\b)|^not the \w+ the\b|\byou even hear\b|\bno i'm (?:asking"
    r"|talking) about\b"
    r"|^that's the wrong (?:one|order|name|number)",
    r"\byou(?:'ve| have) got the wrong\b|\b(?:talking|asking) about the wrong\b|\bi told you (?:already|that|before|twice)\b",
    r"\byou(?:'re| are|)(?: (?:just|still|really))? (?:don't|do not|didn't|did not|not|aren't|can't|never) (?:even |really )?"
    r"(?:understand(?:ing)?|listen(?:ing)?|hear(?:ing)?|get(?:ting)?)(?:$| (?:me|it|to me|what i|a word|anything)\b)",
    r"\byou(?:'ve| have)? (?:misunderst\w+|misheard|(?:got|heard|understood) (?:it|that|me) (?:all )?wrong|keep getting)\b",
    r"\bi(?:'ve| have)? (?:already|just) (?:told|explained|gave|given|said) (?:you|that|it to you|to you)\b",
    r"\bthat(?:'s| is) (?:not (?:right|correct)|wrong)(?:$| (?:it's|it is|i|my)\b)",
    # German
    r"\bhabe? (?:ich )?(?:\w+ ){0,2}nicht (?:gesagt|gemeint|gefragt)\b|\b(?:meinte?|meine) ich (?:doch |aber )?nicht\b",
    r"\bnein (?:ich (?:sagte|meinte|meine)|ich habe? (?:\w+ ){1,8}(?:gesagt|gemeint)|d(?:ie|as|en) andere\w*"
    r"|nicht d(?:ie|as|er|en))\b",
    r"\bsie verstehen mich (?:\w+ )?(?:nicht|falsch)\b|\bsie haben mich nicht verstanden\b|\b(?:falsch |miss)verstanden\b",
    r"\bhören mir (?:\w+ )?nicht zu\b|\bich (?:habe?|sagte) (?:\w+ ){1,4}(?:gesagt )?(?:und )?nicht (?:eins|zwei|drei|vier"
    r"|fünf|sechs"
    r"|sieben|acht|neun|null|d(?:ie|as|en))\b|\bdas stimmt (?:so )?nicht\b|\bnein das ist falsch\b"
    r"|\bgesagt (?:\w+ ){1,3}nicht\b|\bnein ich (?:frage|rede|spreche)\b|\bich mein(?:t?e) (?:et)?was ander",
    r"\bhabe? ich (?:(?:ihnen|doch|ja|es) )*(?:schon|bereits|gerade|eben) (?:\w+ )?gesagt\b",
    # Spanish
    r"\bno es (?:eso )?lo que (?:yo )?(?:dije|he dicho|pregunté|quise decir|quería decir|digo)\b|\bno eso no$"
    r"|\bno es es[eoa]\b(?! lo que (?:pedí|compré))",
    r"\bno (?:yo )?(?:dije|he dicho|me refer\w+|me refiero|quise decir|el otro pedido|la otra)\b"
    r"|\bdije (?:\w+ ){1,4}no \w+",
    r"\bno me (?:entiende|entendió|ha entendido|está entendiendo|escucha|está escuchando)\b|\bno (?:entendió|entendiste)\b",
    r"\b(?:entendió|entendido|entendiste) mal\b|\bya (?:se lo|le|te lo) (?:dije|he dicho)\b",
    # French
    r"\bpas (?:du tout )?(?:ce que (?:j'ai (?:dit|demandé)|je (?:voulais dire|veux dire|dis|demande))|ma question)\b",
    r"\bnon (?:mais )?(?:j'ai dit|je (?:disais|parlais|parle|voulais dire)|l'autre|pas cel(?:le|ui)|(?:ce )?(?:n'est"
    r"|c'est) pas ça)\b",
    r"\bvous (?:ne )?(?:me )?comprenez pas\b|\bnon pas ça\b|\bn'est pas cette\b|\bje vous ai dit\b"
    r"|\bvous (?:ne )?m'(?:avez (?:pas|mal) compris|écoutez pas)\b|\bvous avez mal (?:compris|entendu)\b",
    r"\bj(?:e n)?'ai (?:pas|jamais) dit\b|\b(?:vous l'ai|vous ai|j'ai) déjà dit\b|\bj'ai dit (?:\w+ ){1,4}pas\b"
    r"|\bje (?:ne )?parl\w+ pas de\b",
    # Italian
    r"\bnon (?:è|era) (?:quello|questo|ciò) che (?:ho (?:detto|chiesto)|dicevo|intendevo|volevo dire)\b",
    r"\bno (?:io )?(?:ho detto|ho chiesto|dicevo|intend(?:o|evo)|l'altr[oa]|non quell[oa])\b"
    r"|\bho detto (?:\w+ ){1,4}non\b",
    r"\bnon mi (?:capisce|ha capito|sta capendo|ascolta|sta ascoltando)\b|\b(?:ha|avete) (?:capito male|frainteso)\b",
    r"\bnon (?:intend(?:o|evo)|parl(?:o|avo) di|ho (?:mai )?detto)\b|\bnon è (?:questo|quello)$|\b(?:gliel'ho|l'ho"
    r"|le ho) (?:già|appena) detto\b",
    # Portuguese
    r"\bnão (?:foi|é|era) (?:isso|isto|o) (?:o )?que (?:eu )?(?:disse|falei|perguntei|quis dizer|queria dizer|quero)\b"
    r"|\bnão foi o que eu (?:disse|falei)\b|\bnão é (?:isso$|ess[ea]\b)",
    r"\bnão (?:eu (?:disse|falei|quis dizer)|o outro|a outra)\b|\beu não (?:disse|falei) (?:isso|que)\b",
    r"\beu (?:disse|falei) (?:\w+ ){1,4}não\b|\bvocê não entendeu\b|\bnão (?:não )?estou falando d[aeo]\b",
    r"\bnão (?:me (?:entende|entendeu|ouve|escuta)|está (?:me )?(?:entendendo|ouvindo|escutando))\b"
    r"|\b(?:entendeu (?:tudo )?errado|me entendeu mal)\b",
    r"\bjá (?:te |lhe )?(?:disse|falei)(?:$| (?:isso|para você|pra você)\b)",
)

# --- Yes and no --------------------------------------------------------------------------------------------------------

# Neither yes nor no, wherever it stands.
_WITHOUT_MEANING = re.compile(
    rf"""\b(?:{
        _one_of(
            "thanks, thank you, thank you very much, very much, a lot, so much, right away, immediately, um, uh(?! huh), er,"
            "oh, ah,"
            "(?<!mm )hmm, well, then, actually, sorry, (?<!all )right(?! away| now),"
            "no problem, danke, vielen dank, dann, doch, mal, also, na, gracias, muchas gracias, pues, merci, merci beaucoup,"
            "euh, ben,"
            "alors, grazie, grazie mille, allora, beh, obrigado, obrigada, muito obrigado, muito obrigada, então"
        )
    })(?: |$)"""
)
_NICE = r"(?:great|nice|good|better|best|fine|lovely|perfect|helpful|wonderful)"
_YES = re.compile(
    rf"""(?:(?:{
        _one_of(
            "yes, yeah, yep, yup, sure, sure thing, ok, okay, alright, all right, fine, of course, absolutely, definitely,"
            "certainly,"
            "please, please do, do it, do that, go ahead, why not, sounds good, good idea, that's fine, i would, i'd like that,"
            f"(?:that|it) would be {_NICE}, that'd be {_NICE}, i would like that, i'd love that, i'd like to,"
            f"i'd appreciate (?:that|it),"
            "i guess, i guess so, i think so, i suppose so, let's do (?:that|it), uh huh, mm hmm, mhm, perfect, great, good,"
            "if you could, if you can, right now, by all means, that works, that would help, if possible, i'd be happy with that,"
            "ja, jawohl, jo, gern, gerne, sehr gern, sehr gerne, klar, natürlich, selbstverständlich, in ordnung,"
            "einverstanden, bitte,"
            "das wäre (?:nett|gut|schön|toll|super|besser|prima), machen sie das, tun sie das, gut, von mir aus, meinetwegen,"
            "ich bitte darum, genau, unbedingt, auf jeden fall, warum nicht, sicher,"
            "sí, claro, claro que sí, por supuesto, bueno, está bien, de acuerdo, vale, dale, adelante, perfecto, me gustaría,"
            "por favor, cómo no, desde luego, por qué no, sería (?:mejor|bueno|perfecto), me parece bien, quiero,"
            "oui, ouais, d'accord, je veux bien, bien sûr, volontiers, avec plaisir, allez y, pourquoi pas, parfait,"
            "s'il vous plaît,"
            "ça marche, entendu, très bien, (?:ce|ça) serait (?:bien|mieux|parfait), si vous voulez, tout à fait,"
            "certo, certo che sì, certamente, va bene, volentieri, per favore, perfetto, mi farebbe piacere, magari, ottimo,"
            "sarebbe (?:meglio|perfetto|ottimo), faccia pure, perché no, benissimo, d'accordo,"
            "sim, claro que sim, está bem, tá, tá bom, tá bem, tudo bem, pode ser, quero, quero sim, com certeza, pode, pode sim,"
            "pode transferir, pode passar, isso, beleza, perfeito, gostaria, eu gostaria, aceito, seria (?:bom|melhor|ótimo),"
            "por que não"
        )
    })(?: |$))++"""
)
_NO = re.compile(r"(?:(?:no|nope|nah|nein|nee|ne|no|non|nao)(?: |$))++(?:please|bitte)?")
_NOT_NOW = _compiled(
    # A "no" and its reason, written without a comma.
    r"^(?:no|nope|nah) (?:i|i'm|i'll|it's|that's|just|let's|not|please don't)\b|^nein (?:ich|das|sagen|schon|nicht)\b"
    r"|^não (?:eu|me)\b",
    # English
    r"^no need\b|\bthere's no need\b|\b(?:absolutely|certainly|definitely|of course) not$|\bi'll pass$"
    r"|^(?:please )?don't (?:transfer|connect|put)\b",
    r"\b(?:rather|prefer) not\b|\bplease don't$|\bdon't bother\b|\bi don't think so$|\bnever mind\b|\bnot necessary\b|^but no$",
    r"^(?:but |maybe )?not (?:yet|just yet|(?:right )?now|today|for now|at the moment|this time|really)(?: please)?$",
    r"\bmaybe (?:later|another time)\b|\bwon't be necessary\b|^(?:it's|that's) (?:okay|ok|all right|alright)$|^(?:i'm"
    r"|it's) (?:fine|good|ok"
    r"|okay)$",
    rf"\bi don't (?:want|need) (?:that|it|one|to {_TALK_TO}|{_A}{_SOMEBODY})\b|^let's (?:try|keep|continue|carry)\b",
    r"\bi(?:'d)? (?:prefer|want|rather|like) (?:to )?(?:stay|keep|continue|carry on)\b",
    # German
    r"\b(?:noch|jetzt|lieber|gerade|erst|erstmal|im moment) nicht$|\bnicht (?:nötig|notwendig)\b|\bbrauche ich nicht$",
    r"\bvielleicht später\b|\bspäter vielleicht\b|\blassen sie (?:es |das )?(?:mal|sein)?$|\bkein bedarf\b|\bauf keinen fall\b"
    r"|\bmuss nicht sein\b|^schon gut$",
    # Spanish
    r"\b(?:todavía|aún|ahora|mejor|por ahora|claro que) no$|\bno (?:hace falta|es necesario|lo necesito)\b|^no quiero$",
    r"\bmás tarde\b|\bprefiero (?:que )?no\b|\bde ninguna manera\b|\bpor el momento no$",
    # French
    r"\bpas (?:encore|maintenant|la peine|besoin|nécessaire|pour (?:l'instant|le moment)|tout de suite)\b|\bpréfère pas$",
    r"\bplus tard\b|\bça ira\b|\bsurtout pas\b|\bbien sûr que non$",
    # Italian
    r"\bnon (?:ancora|adesso|ora|occorre|è necessario|c'è bisogno)$|\bnon serve$|\b(?:meglio|preferisco) di no\b|\bper ora no$",
    r"\bpiù tardi\b|\bcerto che no$|\bassolutamente no$|^non importa$",
    # Portuguese
    r"\b(?:ainda|agora|melhor|claro que|por enquanto|prefiro) não$|\bnão (?:precisa|é necessário|é preciso)\b|\bmais tarde\b"
    r"|^não quero$|\bde jeito nenhum\b|\bdeixa (?:pra|para) lá\b",
)
