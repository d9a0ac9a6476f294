"""Numbers of payment cards, found in what is said or written, and taken out before anything is kept. Pure; knows of nothing else.

A card's number is 13 to 19 digits with a check digit, of a kind that issuers give out: in figures, in groups, as words in any of
six languages, with other words between, and split over what one speaker says in turn. What follows it at once is its date and
its security code. Telephone and order numbers, postcodes and dates stay as they are; one in ten of what only looks like a card
passes the check digit by chance, so it is not the only thing that is asked.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from operator import attrgetter

CARD = "[card number]"
CODE = "[security code]"

LENGTHS = range(13, 20)
# Most cards have sixteen digits: where a longer or a shorter number fits as well, it is by chance.
_LIKELIEST = sorted(LENGTHS, key=lambda length: abs(length - 16))
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d)\d{12,15}"  # Discover, UnionPay
    r"|(?:5018|5020|5038|5[6-9]\d\d|6[0137]\d\d)\d{9,15}"  # Maestro
    r"|220[0-4]\d{12}"  # Mir
)
# A written number of that many digits is nothing else that people say, whoever issued it.
_NOTHING_ELSE = 16
_LONGEST_TELEPHONE = 15
# The date and the code, in the same breath as the number.
_MOST_AFTER = 8
# "Triple four" five times.
_FEWEST_WORDS = 5
# So many words that are no digits still belong to one number: "and then it goes on with".
_MOST_BETWEEN = 6
# Characters between two long groups of one number: " and ".
_WIDEST_GAP = 5
_CODE_LENGTHS = (3, 4)
# Whoever has said the number says the code in one of the next turns.
_CODE_WITHIN_TURNS = 2
# Characters, so that a text without end costs no more than its length.
_CODE_WITHIN = 300
# So many digits of one number are no order's and no telephone's; where a card was announced, fewer are its beginning.
_BEGINNING, _ANNOUNCED_BEGINNING = 12, 4

_Digits = dict[str, str]


def _counted(words: str, first: int = 0) -> dict[str, int]:
    return {word.replace("_", " "): number for number, word in enumerate(words.split(), first)}


def _number_words() -> _Digits:
    """Every number below a hundred as it is said in six languages, without accents; of several words, with blanks between."""
    said: dict[str, int] = {}
    en_units = _counted("one two three four five six seven eight nine", 1)
    en_tens = _counted("twenty thirty forty fifty sixty seventy eighty ninety", 2)
    said |= en_units | {ten: 10 * n for ten, n in en_tens.items()} | {"zero": 0, "nought": 0, "nil": 0}
    said |= _counted("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10)
    said |= {f"{ten} {unit}": 10 * n + m for ten, n in en_tens.items() for unit, m in en_units.items()}

    de_tens = _counted("zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig", 2)
    de_units = _counted("ein zwei drei vier funf sechs sieben acht neun", 1)
    said |= _counted("null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn")
    said |= _counted("siebzehn achtzehn neunzehn", 17) | {"zwo": 2} | {ten: 10 * n for ten, n in de_tens.items()}
    said |= {f"{unit}und{ten}": 10 * n + m for ten, n in de_tens.items() for unit, m in (de_units | {"zwo": 2}).items()}

    es_units = _counted("uno dos tres cuatro cinco seis siete ocho nueve", 1)
    es_tens = _counted("treinta cuarenta cincuenta sesenta setenta ochenta noventa", 3)
    said |= es_units | {"cero": 0, "veinte": 20} | {ten: 10 * n for ten, n in es_tens.items()}
    said |= _counted("diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve", 10)
    said |= {f"veinti{unit}": 20 + m for unit, m in es_units.items()}
    said |= {f"{ten} y {unit}": 10 * n + m for ten, n in es_tens.items() for unit, m in es_units.items()}

    fr_units = _counted("un deux trois quatre cinq six sept huit neuf", 1)
    fr_teens = _counted("dix onze douze treize quatorze quinze seize dix_sept dix_huit dix_neuf", 10)
    fr_tens = _counted("vingt trente quarante cinquante soixante", 2)
    said |= fr_units | fr_teens | {"zero": 0, "quatre vingt": 80, "quatre vingts": 80}
    said |= {ten: 10 * n for ten, n in fr_tens.items()} | {"septante": 70, "huitante": 80, "nonante": 90}
    said |= {f"{ten} {unit}": 10 * n + m for ten, n in fr_tens.items() for unit, m in fr_units.items()}
    said |= {f"{ten} et un": 10 * n + 1 for ten, n in fr_tens.items()} | {"soixante et onze": 71}
    said |= {f"soixante {teen}": 50 + m + 10 for teen, m in fr_teens.items()}
    said |= {f"quatre vingt {unit}": 80 + m for unit, m in (fr_units | fr_teens).items()}

    it_units = _counted("uno due tre quattro cinque sei sette otto nove", 1)
    it_tens = _counted("venti trenta quaranta cinquanta sessanta settanta ottanta novanta", 2)
    said |= it_units | {"zero": 0} | {ten: 10 * n for ten, n in it_tens.items()}
    said |= _counted("dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove", 10)
    said |= {(ten[:-1] if m in (1, 8) else ten) + unit: 10 * n + m for ten, n in it_tens.items() for unit, m in it_units.items()}

    # "Meia" is half a dozen.
    pt_units = _counted("um dois tres quatro cinco seis sete oito nove", 1) | {"duas": 2, "meia": 6}
    pt_tens = _counted("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa", 2)
    said |= pt_units | {"zero": 0} | {ten: 10 * n for ten, n in pt_tens.items()}
    said |= _counted("dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove", 10)
    said |= {"dezasseis": 16, "dezassete": 17, "dezanove": 19, "quatorze": 14}
    said |= {f"{ten} e {unit}": 10 * n + m for ten, n in pt_tens.items() for unit, m in pt_units.items()}
    said |= {words.replace("dreissig", "dreisig"): number for words, number in said.items()}
    return {words: str(number) for words, number in said.items()}


_WORDS = _number_words()
_LONGEST_PHRASE = max(len(words.split()) for words in _WORDS)
_FIRST_WORDS = frozenset(words.split()[0] for words in _WORDS)
_TIMES = dict.fromkeys(_counted("double doppel doppelt doppelte zweimal doble doppio doppia duplo dupla"), 2)
_TIMES |= dict.fromkeys(_counted("triple treble dreimal triplo tripla"), 3)
_ARTICLES = frozenset(_counted("the die der el la le il lo o a"))
# Digits in one language, or in one sentence, and something else in another: both ways of reading them are tried.
_AMBIGUOUS = {"o": "0", "oh": "0", "um": "1", "un": "1", "une": "1", "uma": "1"}
# What comes after one of these is a number of its own, and none of a card.
_OTHERS = frozenset(
    _counted(
        "order orders ord rma invoice tracking parcel phone telephone mobile zip postcode postal dollars pounds euro euros"
        " bestellung bestellnummer auftrag rechnung telefon telefonnummer handy plz postleitzahl sendungsnummer"
        " pedido factura telefono movil envio commande facture portable colis ordine fattura cellulare spedizione"
        " encomenda fatura telefone celular cep january february march april june july august september october november december"
        " januar februar marz mai juni juli oktober dezember"
    )
)
_CODE_WORDS = re.compile(
    r"\b(?:cvc2?|cvv2?|cv2|cvn|security (?:code|number|digits)|verification (?:code|number|value)|(?:karten)?prufnummer|prufziffer"
    r"|sicherheits(?:code|nummer|zahl)|codigo de segur(?:idad|anca)|cryptogramme|code de securite|codice di sicurezza)\b"
)
# What `_CODE_WORDS` may begin with.
_CODE_BEGINS = frozenset(
    _counted(
        "cvc cvv cv cvn security verification prufnummer kartenprufnummer prufziffer sicherheitscode sicherheitsnummer"
        " sicherheitszahl codigo cryptogramme code codice"
    )
)
_CARD_WORDS = re.compile(
    r"\b(?:(?:credit|debit|bank|payment|my|visa|master) ?cards?|card (?:number|is)|visa|mastercard|amex|american express"
    r"|kreditkarten?(?:nummer)?|kartennummer|meine karte|tarjeta|carte (?:bancaire|bleue|de credit)|ma carte|numero de carte"
    r"|carta di credito|mia carta|numero della carta|cartao)\b"
)
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*")
# A replacement must not reach over these, or a JSON text would be one no more.
_FENCES = re.compile(r'["{}\[\]\n]')
_FOLDED = {0x2019: "'", 0x00DF: "s"}


@dataclass(frozen=True, slots=True)
class _Token:
    """Digits, or (none) a word. `breaks`: what comes after it is another number. `plus`: it begins a telephone number."""

    start: int
    end: int
    digits: str = ""
    breaks: bool = False
    plus: bool = False
    is_written: bool = False


def masked(text: str) -> str:
    """The same text, with `CARD` and `CODE` in place of numbers of cards and what belongs to them."""
    return masked_in_turn([text])[0]


def masked_in_turn(texts: Sequence[str]) -> list[str]:
    """What one speaker said, turn after turn: a number may begin in one and end in another."""
    whole = "\n".join(texts)
    if not _may_hold_a_card(whole):
        return list(texts)
    return _replaced(whole, _spans(whole)).split("\n") if all("\n" not in text for text in texts) else _one_by_one(texts)


def part_masked(text: str, length: int) -> str:
    """The first `length` characters of a text, masked by all of it: half a card's number is no number by itself."""
    spans = [span for span in _spans(text) if span[0] < length] if _may_hold_a_card(text) else []
    return _replaced(text[:length], [(start, min(end, length), label) for start, end, label in spans])


def masked_words(words: Sequence[str]) -> list[str]:
    """One speaker's words, as many as there were: the first of a card's number stands for it, and its others are empty."""
    texts = [word.replace("\n", " ") for word in words]
    whole = " ".join(texts)
    if not _may_hold_a_card(whole):
        return list(words)
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 1
    found = list(words)
    for start, end, label in _spans(whole):
        touched = [n for n, text in enumerate(texts) if starts[n] < end and starts[n] + len(text) > start and text]
        for n in touched:
            found[n] = label if n == touched[0] else ""
    return found


def may_begin_a_card(texts: Sequence[str]) -> bool:
    """Whether the last of these, what one speaker said in turn, may be a part of a card's number, or announces one."""
    tokens = _tokens("\n".join(texts[-1:]), ambiguous=False)
    digits = "".join(token.digits for token in tokens)
    if any(token.breaks or token.plus for token in tokens):
        return False
    announced = _CARD_WORDS.search(_joined(_folded(" ".join(texts[-2:]))))
    return len(digits) >= (_ANNOUNCED_BEGINNING if announced else _BEGINNING) and digits[0] in "23456"


def spoken_digits(text: str, least: int) -> list[tuple[int, int]]:
    """Where `least` or more numbers are said in words, one after the other: from the first to the end of the last."""
    found: list[tuple[int, int]] = []
    row: list[_Token] = []
    for token in [*_tokens(text, ambiguous=False), _Token(0, 0)]:
        if token.digits and not token.is_written:
            row.append(token)
            continue
        if len(row) >= least:
            found.append((row[0].start, row[-1].end))
        row = []
    return found


def is_card(digits: str) -> bool:
    return len(digits) in LENGTHS and _ISSUERS.fullmatch(digits) is not None and passes_luhn(digits)


def passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _one_by_one(texts: Sequence[str]) -> list[str]:
    """Texts of several lines: their line breaks are kept, and stand for none of the turns' own."""
    marked = masked_in_turn([text.replace("\n", "\x1f") for text in texts])
    return [text.replace("\x1f", "\n") for text in marked]


def _may_hold_a_card(text: str) -> bool:
    """Quick, and never wrong in saying no: what has few numbers in it is not looked at any further."""
    if sum(map(str.isdecimal, text)) >= LENGTHS[0]:
        return True
    folded = _folded(text)
    words = _WORD.findall(folded)
    if sum(word in _WORDS or word in _TIMES for word in words) >= _FEWEST_WORDS:
        return True
    return not _CODE_BEGINS.isdisjoint(words) and _CODE_WORDS.search(_joined(folded)) is not None


def _spans(text: str) -> list[tuple[int, int, str]]:
    """What is to be replaced: start, end, by what; in order, none over another."""
    covered: dict[int, tuple[_Token, str]] = {}
    ambiguities = not _AMBIGUOUS.keys().isdisjoint(_WORD.findall(_folded(text)))
    for ambiguous in (False, True) if ambiguities else (False,):
        tokens = _tokens(text, ambiguous=ambiguous)
        for token, label in _cards(tokens, text):
            covered.setdefault(token.start, (token, label))
        for token in _codes(tokens, text):
            covered.setdefault(token.start, (token, CODE))
    return _together([covered[start] for start in sorted(covered)], text)


def _together(found: list[tuple[_Token, str]], text: str) -> list[tuple[int, int, str]]:
    """Neighbours of one kind become one, unless something stands between that must stay."""
    spans: list[tuple[int, int, str]] = []
    for token, label in found:
        if spans and token.start < spans[-1][1]:
            continue
        if spans and spans[-1][2] == label and not _FENCES.search(text, spans[-1][1], token.start):
            spans[-1] = (spans[-1][0], token.end, label)
        else:
            spans.append((token.start, token.end, label))
    return spans


def _cards(tokens: Sequence[_Token], text: str) -> Iterator[tuple[_Token, str]]:
    for run in _runs(tokens):
        if sum(len(token.digits) for token in run) < LENGTHS[0]:
            continue
        at, card_ends = 0, None
        while at < len(run):
            if length := _card_at(run, at):
                yield from ((token, CARD) for token in run[at : at + length])
                at += length
                rest = _rest_of_breath(run, at, text)
                yield from ((token, CODE) for token in rest)
                at += len(rest)
                card_ends = run[at - 1].end
            else:
                at += 1
        if card_ends is not None:
            yield from ((token, CODE) for token in _codes_after(tokens, card_ends, text))


def _rest_of_breath(run: Sequence[_Token], at: int, text: str) -> list[_Token]:
    """What comes after the token before, in its turn, and in its value of a JSON text. None of it where that is too much."""
    end, count = run[at - 1].end, 0
    near = run[at : at + _MOST_AFTER + 1]
    for number, token in enumerate(near):
        if _FENCES.search(text, end, token.start):
            return list(near[:number])
        count += len(token.digits)
        if count > _MOST_AFTER:
            return []
    return list(near)


def _codes_after(tokens: Sequence[_Token], end: int, text: str) -> Iterator[_Token]:
    """In the turns after a card's number, short numbers that are announced as nothing else."""
    first = bisect_left(tokens, end, key=attrgetter("start"))
    near = takewhile(lambda token: token.start - end <= _CODE_WITHIN, tokens[first : first + _CODE_WITHIN])
    later = [token for token in near if text.count("\n", end, token.start) <= _CODE_WITHIN_TURNS]
    for run in _runs(later):
        before = later[: later.index(run[0])][-3:]
        if sum(len(token.digits) for token in run) in _CODE_LENGTHS and not any(token.breaks for token in before):
            yield from run


def _codes(tokens: Sequence[_Token], text: str) -> Iterator[_Token]:
    """What is called a security code."""
    for found in _CODE_WORDS.finditer(_joined(_folded(text))):
        first = bisect_left(tokens, found.end(), key=attrgetter("start"))
        near = tokens[first : first + _MOST_BETWEEN + 2 * max(_CODE_LENGTHS)]
        for run in _runs(near)[:1]:
            between = near.index(run[0])
            if sum(len(token.digits) for token in run) in _CODE_LENGTHS and between <= _MOST_BETWEEN:
                yield from run


def _card_at(run: Sequence[_Token], at: int) -> int:
    """How many tokens from here are a card's number; 0 for none."""
    first = run[at].digits
    if len(first) > LENGTHS[-1] or (len(first) > 16 and not is_card(first)):
        # The number, its date and its code, written as one.
        return int(any(is_card(first[:length]) and len(first) - length <= _MOST_AFTER for length in (16, 15)))
    if len(first) == _NOTHING_ELSE and first[0] != "0" and passes_luhn(first):
        return 1
    digits, fitting = "", {}
    for count, token in enumerate(run[at : at + LENGTHS[-1] + 1], 1):
        digits += token.digits
        if len(digits) > LENGTHS[-1]:
            break
        if run[at].plus and len(digits) <= _LONGEST_TELEPHONE:
            continue
        if is_card(digits) and _hangs_together(run[at : at + count]):
            fitting[len(digits)] = count
    return next((fitting[length] for length in _LIKELIEST if length in fitting), 0)


def _hangs_together(tokens: Sequence[_Token]) -> bool:
    """Long groups of figures with more than an "uh" or an "and" between are numbers of their own."""
    if all(len(token.digits) <= 4 for token in tokens) or len(tokens) == 1:
        return True
    return all(b.start - a.end <= _WIDEST_GAP for a, b in pairwise(tokens))


def _runs(tokens: Sequence[_Token]) -> list[list[_Token]]:
    """Digits that may belong together."""
    runs: list[list[_Token]] = []
    words, broken = 0, True
    for token in tokens:
        if not token.digits:
            words += 1
            broken = broken or token.breaks
            continue
        if broken or words > _MOST_BETWEEN:
            runs.append([])
        runs[-1].append(token)
        words, broken = 0, False
    return runs


def _tokens(text: str, *, ambiguous: bool) -> list[_Token]:
    """`ambiguous`: whether words that may be digits or not are taken for them."""
    folded = _folded(text)
    parts = list(_TOKEN.finditer(folded))
    found: list[_Token] = []
    at = 0
    while at < len(parts):
        token, at = _token(folded, parts, at, ambiguous=ambiguous)
        found.append(token)
    return found


def _token(text: str, parts: list[re.Match[str]], at: int, *, ambiguous: bool) -> tuple[_Token, int]:
    """The token that begins here, and where the next one does."""
    part = parts[at]
    word = part[0]
    plus = text[at and parts[at - 1].end() : part.start()].rstrip().endswith("+") or (at > 0 and parts[at - 1][0] == "plus")
    if word.isdecimal() and (_is_of_a_name(text, part) or _is_of_a_time(text, part)):
        return _Token(part.start(), part.end(), breaks=True), at + 1
    if word.isdecimal():
        digits = "".join(str(unicodedata.decimal(digit)) for digit in word)
        return _Token(part.start(), part.end(), digits, plus=plus, is_written=True), at + 1
    if times := _TIMES.get(word):
        which = at + 1 + (at + 1 < len(parts) and parts[at + 1][0] in _ARTICLES)
        digit = _digit(parts[which][0]) if which < len(parts) else ""
        if digit:
            return _Token(part.start(), parts[which].end(), digit * times, plus=plus), which + 1
    if word in _AMBIGUOUS:
        return _Token(part.start(), part.end(), _AMBIGUOUS[word] if ambiguous else ""), at + 1
    for count in range(min(_LONGEST_PHRASE, len(parts) - at) if word in _FIRST_WORDS else 0, 0, -1):
        phrase = " ".join(one[0] for one in parts[at : at + count])
        gaps = [text[a.end() : b.start()] for a, b in zip(parts[at : at + count], parts[at + 1 : at + count], strict=False)]
        if phrase in _WORDS and all(gap in (" ", "-") for gap in gaps):
            return _Token(part.start(), parts[at + count - 1].end(), _WORDS[phrase], plus=plus), at + count
    return _Token(part.start(), part.end(), breaks=word in _OTHERS), at + 1


def _is_of_a_name(text: str, part: re.Match[str]) -> bool:
    """Whether it is a part of a name with letters in it, such as the SID of a call. "card4111..." is none."""
    letters = [text[at : at + 1].isalpha() for at in (part.start() - 1, part.end()) if at >= 0]
    return (all(letters) and len(letters) == 2) or (any(letters) and len(part[0]) < LENGTHS[0])


def _is_of_a_time(text: str, part: re.Match[str]) -> bool:
    """Hours or minutes, as in "at 10:30 AM, on 4 1 5": what comes after them is another number."""
    around = (text[max(0, part.start() - 2) : part.start()], text[part.end() : part.end() + 2])
    return len(part[0]) <= 2 and any(":" in two and two.strip(":").isdecimal() for two in around)


def _digit(word: str) -> str:
    digit = word if word.isdecimal() else (_WORDS.get(word) or _AMBIGUOUS.get(word, ""))
    return digit if len(digit) == 1 else ""


_SPACED = re.compile(r"[^\w\n]")


def _joined(folded: str) -> str:
    return _SPACED.sub(" ", folded)


def _folded(text: str) -> str:
    """Lower case, without accents, and of the same length: places in it are places in the text."""
    if text.isascii():
        return text.lower()
    return "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii():
        return character.lower()
    plain = unicodedata.normalize("NFD", character.lower())[0]
    return _FOLDED.get(ord(plain), plain)


def _replaced(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    for start, end, label in reversed(spans):
        kept = "\n" * text.count("\n", start, end)
        text = text[:start] + label + kept + text[end:]
    return text
