"""One plain form for words and numbers."""

import pytest

from orders.spoken.words import number_from, ordinal_from, pattern, plain, with_figures


def test_plain_text_has_one_kind_of_quote_hyphen_blank_and_case() -> None:
    assert plain("  Two O’CLOCK –  ＯＫ\n２") == "two o'clock - ok 2"


@pytest.mark.parametrize(
    ("words", "number", "end"),
    [
        ("forty seven one", 47, 2),
        ("forty", 40, 1),
        ("four seven", 4, 1),
        ("nineteen two", 19, 1),
        ("zero zero", 0, 1),
        ("twenty zero", 20, 1),
    ],
)
def test_a_number_takes_the_words_that_belong_to_it(words: str, number: int, end: int) -> None:
    assert number_from(words.split(), 0) == (number, end)


@pytest.mark.parametrize("words", ["", "hello", "47", "hundred"])
def test_what_is_no_number_word_is_no_number(words: str) -> None:
    assert number_from(words.split(), 0) is None


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("3rd", 3),
        ("third", 3),
        ("twenty third", 23),
        ("thirtieth", 30),
        ("thirty first", 31),
        ("1st", 1),
        ("22nd", 22),
        ("twelfth", 12),
    ],
)
def test_an_ordinal_is_read_in_words_and_figures(words: str, number: int) -> None:
    assert ordinal_from(words.split(), 0) == (number, len(words.split()))


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("half past three on the third", "half past 3 on the 3th"),
        ("nine oh five", "9 05"),
        ("nine oh 5", "9 05"),
        ("oh nine hundred", "09 hundred"),
        ("oh well", "oh well"),
        ("ten forty five", "10 45"),
        ("twenty twenty six", "20 26"),
        ("the twenty third of december", "the 23th of december"),
    ],
)
def test_numbers_become_figures(said: str, written: str) -> None:
    assert " ".join(with_figures(said.split())) == written


def test_a_pattern_ends_where_a_word_ends() -> None:
    assert pattern("sun").match("sun shine")
    assert not pattern("sun").match("sunday")
    assert not pattern(r"\d").match("٣")
