"""Numbers of cards as people say and write them, and everything else that people say in digits. The cards are the schemes' own
test numbers, which belong to nobody."""

import json
import random
from collections import Counter
from unittest.mock import Mock, patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceagent import masking
from voiceagent.masking import (
    CARD,
    CODE,
    is_card,
    masked,
    masked_in_turn,
    masked_words,
    may_begin_a_card,
    part_masked,
    passes_luhn,
    spoken_digits,
)

CARDS = [
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "30569309025904",
    "38520000023237",
    "6011111111111117",
    "3530111333300000",
    "6304000000000000",
    "6250941006528599",
]


def words_of(text: str) -> list[str]:
    return text.split()


EN = words_of("zero one two three four five six seven eight nine")
DE = words_of("null eins zwei drei vier fünf sechs sieben acht neun")
ES = words_of("cero uno dos tres cuatro cinco seis siete ocho nueve")
FR = words_of("zéro un deux trois quatre cinq six sept huit neuf")
IT = words_of("zero uno due tre quattro cinque sei sette otto nove")
PT = words_of("zero um dois três quatro cinco seis sete oito nove")

SAID = """
    My card number is 4111 1111 1111 1111, thanks.
    4111-1111-1111-1111
    4111.1111.1111.1111
    it's 41 11 11 11 11 11 11 11
    4111 1111 and then 1111 1111
    4111, 1111, uh, 1111, and the last ones are 1111
    3782 822463 10005
    Visa 4111111111111111
    four triple one, double one double one, one one one one, one one one one
    four one double one one one double one one one triple one triple one
    forty one eleven eleven eleven eleven eleven eleven eleven
    five thousand no wait: fifty-five fifty-five fifty-five fifty-five fifty-five fifty-five forty-four forty-four
    einundvierzig elf elf elf elf elf elf elf
    vier dreimal die eins, eins eins eins eins, zweimal eins doppel eins, viermal na gut: eins eins eins eins
    cuarenta y uno once once once once once once once
    quarante et un onze onze onze onze onze onze onze
    cinquante-cinq cinquante-cinq cinquante-cinq cinquante-cinq cinquante-cinq cinquante-cinq quarante-quatre quarante-quatre
    quarantuno undici undici undici undici undici undici undici
    quarenta e um onze onze onze onze onze onze onze
    meia zero um um, um um um um, um um um um, um um um sete
    ４１１１ １１１１ １１１１ １１１１
    ٤١١١ ١١١١ ١١١١ ١١١١
    five five five five, five five five five, five five five five, four four four four
""".strip().splitlines()

# Not one digit of it is to be lost.
OTHERS = """
    My order is 47192.
    ORD-47192 and ORD-47193 and ORD-47194, postcode 94107
    O R D four seven one nine two
    The tracking number is 9400 1000 0000 0000 0000 00
    tracking 1Z999AA10123456784
    It's +1 415 555 0142.
    Please call me back at 415-555-0142 or at 415-555-0177.
    my number is +49 1512 3456789
    +49 1512 3456 7890, that is my mobile
    0049 1512 3456789
    00 33 6 12 34 56 78
    +55 11 91234 5678
    four one five five five five oh one four two
    null eins fünf eins zwei drei vier fünf sechs sieben acht
    The appointment is on 2026-11-22 at 10:15:00.
    2026-11-22T10:15:00+00:00 to 2026-11-22T10:45:00+00:00
    {"starts_at": "2026-11-22T10:15:00+01:00", "phone": "+14155550142", "order_number": "47192"}
    between 9 and 12 or 14 and 18, on the 3rd, 4th or 5th
    order 47192 from the 4th of November, postcode 94107, phone 415 555 0142
    one two three four five six seven eight nine ten eleven twelve
    I have two cats, three dogs and one hundred and eleven fish.
    1234567890123456
    4111 1111 1111 1112
    0000000000000000
    The security code is on the back, isn't it?
    Ich habe am 12.11. drei Pakete bestellt und nur zwei bekommen.
    Mi pedido es el cuarenta y siete mil ciento noventa y dos
    soixante-quinze mille un, c'est mon code postal
    call CA63dde836339f13232a7da7bfdccb28ff is connected
    RE4012a8888b8888c1881d and d3e07a3c-1234-4abc-8def-012345678901
    IBAN DE89 3704 0044 0532 0130 00
    Booked: we will call you back on Monday November 23rd at 10:30 AM, on 4 1 5, 5 5 5, 0 1 9 9.
    {"starts": "10:49", "on": "41555501990"}
""".strip().splitlines()


def digit_words(text: str, words: list[str]) -> str:
    return " ".join(words[int(digit)] for digit in text)


def grouped(card: str, size: int = 4) -> str:
    return " ".join(card[at : at + size] for at in range(0, len(card), size))


@pytest.mark.parametrize("card", CARDS)
def test_the_schemes_own_test_numbers_are_cards(card):
    assert is_card(card)
    assert masked(f"it is {card}.") == f"it is {CARD}."
    assert masked(grouped(card)) == CARD


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("words", [EN, DE, ES, FR, IT, PT], ids=["en", "de", "es", "fr", "it", "pt"])
def test_a_number_said_digit_by_digit_is_masked_in_every_language(card, words):
    said = masked(digit_words(card, words))
    assert said == CARD, said


@pytest.mark.parametrize("said", SAID, ids=str)
def test_a_card_number_is_masked_however_it_is_said(said):
    assert CARD in masked(said)
    left = masked(said)
    assert sum(map(str.isdecimal, left)) == 0
    assert not spoken_digits(left, 4)


@pytest.mark.parametrize("said", OTHERS, ids=str)
def test_what_is_no_card_stays_as_it_is(said):
    assert masked(said) == said


def test_what_stands_around_a_number_stays():
    assert masked("Ada here, it is 4111 1111 1111 1111 and I live in Kiel.") == f"Ada here, it is {CARD} and I live in Kiel."


def test_date_and_code_in_the_same_breath_go_with_the_number():
    assert masked("4111 1111 1111 1111, 12 27, 123. Bye!") == f"{CARD}, {CODE}. Bye!"
    assert masked("41111111111111111227123") == CARD


@pytest.mark.parametrize(
    "said",
    [
        "the security code is 123",
        "CVC: 1234",
        "cvv one two three",
        "Die Prüfnummer ist eins zwei drei",
        "el código de seguridad es 123",
        "le cryptogramme, c'est 123",
        "il codice di sicurezza è 123",
        "o código de segurança é um dois três",
    ],
)
def test_a_security_code_is_masked_by_its_name(said):
    assert CODE in masked(said)
    assert sum(map(str.isdecimal, masked(said))) == 0 and not spoken_digits(masked(said), 2)


def test_a_number_split_over_turns_is_masked_in_each_of_them():
    assert masked_in_turn(["My card is 4111 1111", "yes, and 1111", "1111. And now?"]) == [
        f"My card is {CARD}",
        f"yes, and {CARD}",
        f"{CARD}. And now?",
    ]
    assert masked_in_turn([digit_words("41111111", EN), digit_words("11111111", EN)]) == [CARD, CARD]


def test_half_a_number_is_none_yet():
    assert masked_in_turn(["4111 1111", "11"]) == ["4111 1111", "11"]


def test_the_code_in_one_of_the_next_turns_is_masked_and_an_order_number_is_not():
    card = "4111 1111 1111 1111"
    assert masked_in_turn([card, "the code, yes", "123"]) == [CARD, "the code, yes", CODE]
    assert masked_in_turn([card, "my order is 4719", "47192"]) == [CARD, "my order is 4719", "47192"]
    assert masked_in_turn([card, "a", "b", "123"]) == [CARD, "a", "b", "123"]


def test_turns_of_several_lines_stay_as_many_turns():
    assert masked_in_turn(["4111 1111\nthen", "1111 1111\nok"]) == [f"{CARD}\nthen", f"{CARD}\nok"]


def test_a_text_that_is_cut_in_the_middle_of_a_number_shows_no_half_of_it():
    text = "It is 4111 1111 1111 1111 they said."
    assert part_masked(text, len("It is 4111 1111")) == f"It is {CARD}"
    assert part_masked(text, len("It is")) == "It is"
    assert part_masked(text, len(text)) == masked(text)


def test_words_with_times_of_their_own_keep_their_places():
    assert masked_words(words_of("it is 4111 1111 1111 1111. bye")) == ["it", "is", CARD, "", "", "", "bye"]
    assert masked_words(digit_words("4111111111111111", EN).split()) == [CARD] + [""] * 15
    assert masked_words(["hello", "there"]) == ["hello", "there"]


def test_json_stays_json_though_a_number_is_split_over_its_values():
    arguments = json.dumps({"query": "4111 1111", "detail": "1111 1111", "confirmed": True, "n": 3})
    assert json.loads(masked(arguments)) == {"query": CARD, "detail": CARD, "confirmed": True, "n": 3}


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        (["My credit card number is 4111 1111"], True),
        (["I'd like to pay with my card.", "four one one one"], True),
        (["meine Kreditkarte", "4111"], True),
        (["4111 1111 1111"], True),
        (["My card was declined."], False),
        (["47192"], False),
        (["415 555 0142"], False),
        (["My order is 47192, I paid by credit card"], False),
        (["+49 1512 3456789"], False),
        ([], False),
    ],
)
def test_it_is_known_early_that_a_card_is_being_said(said, begins):
    assert may_begin_a_card(said) is begins


def test_rows_of_spoken_digits_are_found():
    text = "it is four seven one nine two, and I have three cats"
    (row,) = spoken_digits(text, 4)
    assert text[slice(*row)] == "four seven one nine two"
    assert spoken_digits("47192 is four", 1) == [(9, 13)]
    assert spoken_digits("vier sieben eins neun zwei", 4)


def test_the_check_digit():
    assert passes_luhn("79927398713") and not passes_luhn("79927398710")


@given(st.text(max_size=200))
def test_any_text_can_be_masked_and_masking_twice_is_masking_once(text):
    once = masked(text)
    assert masked(once) == once
    assert once.count("\n") == text.count("\n")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_as_many_turns_and_words_come_back_as_were_given(texts):
    assert len(masked_in_turn(texts)) == len(texts)
    assert len(masked_words(texts)) == len(texts)


def test_of_the_names_that_carriers_give_none_is_taken_for_a_card():
    chance = random.Random(2)
    for _ in range(2000):
        sid = "".join(chance.choices("0123456789abcdef", k=32))
        assert masked(f"call CA{sid}, recording RE{sid}") == f"call CA{sid}, recording RE{sid}"


def test_a_text_of_nothing_but_digits_costs_no_more_than_its_length():
    """A model may write without end; a caller waits for what is done with it."""
    counted = Counter()
    search = masking._FENCES.search
    for length in (2000, 20_000):
        text = ("4111 1111 1111 1111 " * length)[:length]
        with patch.object(masking, "_FENCES", Mock(search=lambda *at, length=length: counted.update([length]) or search(*at))):
            masked(text)
    assert counted[20_000] < 15 * counted[2000]


def test_a_row_of_digits_without_end_is_copied_no_more_often_than_it_is_long():
    copied = Counter()
    runs = masking._runs

    class Row(list):
        def __getitem__(self, at):
            part = super().__getitem__(at)
            if isinstance(at, slice):
                copied[length] += len(part)
            return part

    for length in (2000, 20_000):
        with patch.object(masking, "_runs", lambda tokens: [Row(run) for run in runs(tokens)]):
            masked("1 " * length)
    assert copied[20_000] < 15 * copied[2000]


def made_up_card(length: int, seed: int) -> str:
    chance = random.Random(seed)
    first = {16: "4", 15: "37", 14: "36"}[length]
    body = first + "".join(chance.choices("0123456789", k=length - 1 - len(first)))
    return next(body + digit for digit in "0123456789" if passes_luhn(body + digit))


@given(
    st.sampled_from([14, 15, 16]),
    st.integers(0, 2**32),
    st.lists(st.sampled_from([" ", "-", ", ", " uh ", "", " and "]), min_size=15),
)
def test_a_card_is_found_whatever_stands_between_its_digits(length, seed, between):
    card = made_up_card(length, seed)
    said = "".join(digit + gap for digit, gap in zip(card, [*between, *[" "] * 16], strict=False))
    assert card[:12] not in "".join(filter(str.isdecimal, masked(said)))


def test_of_telephone_and_order_numbers_none_is_taken_for_a_card():
    chance = random.Random(1)
    for _ in range(3000):
        number = "+" + chance.choice("123456789") + "".join(chance.choices("0123456789", k=chance.randint(7, 13)))
        order = "".join(chance.choices("0123456789", k=chance.randint(4, 8)))
        for said in (number, grouped(number, 3), f"order {order}, phone {number}", digit_words(order, EN), number.lstrip("+")[:12]):
            assert masked(said) == said
