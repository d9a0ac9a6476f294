import pytest

from voiceagent.call.concerns import (
    HOPELESS_AFTER_S,
    LEAST_TURNS,
    MOST_BAD_ARGUMENTS,
    MOST_OFFERS,
    MOST_UNCLEAR,
    OFFERED_AFTER_S,
    Concerns,
)

UPSET = "This is unacceptable!"
MISHEARD = "That's not what I said."


def concerns() -> Concerns:
    return Concerns(misunderstandings=2, turns=5)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["I want to talk to a human."], ["person"]),
        (["Where is my order?"], [""]),
        ([UPSET], ["offer"]),
        ([MISHEARD, MISHEARD], ["", "offer"]),
        ([MISHEARD, "Four seven one.", MISHEARD], ["", "", "offer"]),
        ([""] * MOST_UNCLEAR, [""] * (MOST_UNCLEAR - 1) + ["offer"]),
        ([""] * (MOST_UNCLEAR - 1) + ["Hello?", ""], [""] * (MOST_UNCLEAR + 1)),
        (["Well."] * 5, [""] * 4 + ["offer"]),
        (["yes please"], [""]),
    ],
)
def test_what_the_caller_says_raises_a_concern_or_none(turns, expected):
    subject = Concerns(misunderstandings=2, turns=5 if "Well." in turns else 50)
    assert [subject.heard(words, position) for position, words in enumerate(turns)] == expected


@pytest.mark.parametrize(
    ("answer", "position", "expected"),
    [
        ("Yes, please.", 8, "person"),
        ("No, thank you.", 8, ""),
        ("Where is my order?", 8, ""),
        ("Yes, please.", 7, ""),  # said before the offer was made, written down after it
    ],
)
def test_a_yes_to_the_offer_reaches_a_person(answer, position, expected):
    subject = concerns()
    subject.heard(UPSET, 6)
    subject.offered(7)
    assert subject.heard(answer, position) == expected


def test_only_the_first_words_after_an_offer_answer_it():
    subject = concerns()
    subject.offered(7)
    assert [subject.heard("My number is five.", 8), subject.heard("Yes.", 10)] == ["", ""]


def test_a_noise_is_no_answer_to_an_offer():
    subject = concerns()
    subject.offered(7)
    assert [subject.heard(" ", 8), subject.heard("Yes.", 10)] == ["", "person"]


def test_an_offer_that_was_never_made_is_wanted_still():
    subject = concerns()
    assert [subject.heard("Well.", position) for position in range(7)] == [""] * 4 + ["offer"] * 3


def test_what_went_badly_before_an_offer_is_not_counted_again():
    subject = concerns()
    for position, words in enumerate([MISHEARD, MISHEARD]):
        subject.heard(words, position)
    subject.offered(2)
    assert [subject.heard(words, 3 + position) for position, words in enumerate([MISHEARD, "Well.", "", ""])] == [""] * 4


def test_after_as_many_offers_as_are_no_nagging_another_stretch_without_progress_is_hopeless():
    subject, position = concerns(), 0
    for _ in range(MOST_OFFERS):
        assert subject.heard(UPSET, position) == "offer"
        subject.offered(position)
        position += 1
    assert [subject.heard(UPSET, position + number) for number in range(5)] == [""] * 4 + ["hopeless"]


def test_an_offer_that_has_to_be_said_again_is_one_offer():
    subject = concerns()
    subject.offered(1)
    subject.offered(1)
    assert subject.heard(UPSET, 2) == "offer"


def test_a_tool_that_did_something_is_progress():
    subject = concerns()
    for position, words in enumerate([MISHEARD, "Well.", "Well.", "Well."]):
        subject.heard(words, position)
    subject.tool_finished("done")
    assert [subject.heard(words, 10 + position) for position, words in enumerate([MISHEARD, "Well.", "Well."])] == [""] * 3


@pytest.mark.parametrize("status", ["failed", "timed_out", "refused"])
def test_a_tool_that_did_nothing_is_no_progress(status):
    subject = concerns()
    for position in range(4):
        subject.heard("Well.", position)
    subject.tool_finished(status)
    assert subject.heard("Well.", 9) == "offer"


@pytest.mark.parametrize("between", ["done", "failed", "timed_out"])
def test_arguments_that_a_tool_cannot_use_several_times_in_a_row_lead_to_a_person(between):
    subject = concerns()
    for _ in range(MOST_BAD_ARGUMENTS - 1):
        assert subject.tool_finished("refused") == ""
    subject.tool_finished(between)
    assert [subject.tool_finished("refused") for _ in range(MOST_BAD_ARGUMENTS)] == [""] * (MOST_BAD_ARGUMENTS - 1) + ["person"]


def lasting(turns: int, until: float, by: str = "voice") -> tuple[Concerns, list[str]]:
    """A call that began at 100 s, with turns at even distances that nothing comes of."""
    subject = Concerns(misunderstandings=2, turns=500, began=100.0)
    times = [100.0 + until * (turn + 1) / turns for turn in range(turns)]
    if by == "keys":
        return subject, [subject.typed(at) for at in times]
    return subject, [subject.heard("Please hold the line.", position, at) for position, at in enumerate(times)]


@pytest.mark.parametrize("by", ["voice", "keys"])
def test_a_call_in_which_nothing_is_done_for_minutes_is_offered_a_person_and_then_ended(by):
    _, concerns = lasting(LEAST_TURNS, OFFERED_AFTER_S, by)
    assert concerns == [""] * (LEAST_TURNS - 1) + ["offer"]
    _, concerns = lasting(LEAST_TURNS, HOPELESS_AFTER_S, by)
    assert concerns[-1] == "hopeless"


def test_a_few_long_turns_are_no_loop():
    _, concerns = lasting(LEAST_TURNS - 1, 2 * HOPELESS_AFTER_S)
    assert set(concerns) == {""}


def test_one_offer_is_enough_while_time_passes():
    subject, concerns = lasting(LEAST_TURNS, OFFERED_AFTER_S)
    assert concerns[-1] == "offer"
    subject.offered(20)
    assert subject.heard("No thanks.", 21, 100.0 + OFFERED_AFTER_S + 10) == ""


@pytest.mark.parametrize(("status", "then"), [("done", ""), ("failed", "hopeless")])
def test_time_counts_from_the_last_thing_that_was_done(status, then):
    subject, _ = lasting(LEAST_TURNS, OFFERED_AFTER_S)
    subject.tool_finished(status, 100.0 + OFFERED_AFTER_S)
    ends = [subject.heard("And now?", 30 + turn, 100.0 + HOPELESS_AFTER_S + turn) for turn in range(LEAST_TURNS)]
    assert ends[-1] == then
