"""A caller who is not understood, again and again. The words come through the tools, as the model gets them."""

import json
from itertools import count, pairwise

import pytest

from orders.models import Appointment, OpeningHours, Order, Proof, Tally
from orders.tools import TOOLS
from voiceagent.call.commands import TakeDigits
from voiceagent.models import ToolUses
from voiceagent.toolbox import Caller, Toolbox

BOX = Toolbox(TOOLS)
IDS = count(1)
PERSON = "A person can help. Shall I put you through?"


class Line:
    """One call of Ada's, and what the agent was told in it."""

    def __init__(self, number: str = "+14155550142") -> None:
        self.caller = Caller("CA1", number=number, line="+14155550100")

    def use(self, name: str, **arguments):
        return BOX.use(self.caller, f"call_{next(IDS)}", name, json.dumps(arguments))

    def look_up(self, query: str, detail: str = "") -> str:
        return self.use("lookup_order", query=query, detail=detail).output

    def types(self, query: str) -> str:
        """What the model does with keys: it passes on what the call tells it."""
        return self.look_up(f"The caller typed: {query}")

    def book(self, phone: str = "this number", when: str = "tomorrow at two") -> str:
        return self.use("book_appointment", phone=phone, preferred_time=when).output

    def keypad_is_asked_for(self, name: str, times: int, **arguments) -> list[bool]:
        return [self.use(name, **arguments).act == TakeDigits() for _ in range(times)]


@pytest.fixture
def line(now) -> Line:
    return Line()


@pytest.fixture
def shop(shipped, placed, cleo, place_order) -> None:
    place_order(cleo, "ORD-60001", "delivered")


def differ(answers: list[str]) -> bool:
    return all(one != other for one, other in pairwise(answers))


class TestAnOrderNumber:
    def test_that_is_never_understood_is_asked_for_in_four_ways(self, db, line):
        assert [line.look_up("the blue one") for _ in range(4)] == [
            "I did not catch an order number or an e-mail address. Could you tell me the order number, and the e-mail address "
            "or postcode it was placed with?",
            "I do not have an order number yet. Could you say it once more, slowly, one digit at a time?",
            "Let us try the keypad. Could you type the order number and then press the pound key?",
            f"I am sorry, I cannot make out the order number. {PERSON}",
        ]

    def test_is_typed_on_the_third_try_and_keys_are_taken_for_it(self, db, line):
        assert line.keypad_is_asked_for("lookup_order", 4, query="the blue one") == [False, False, True, False]

    def test_that_is_missing_beside_an_email_is_asked_for_and_the_email_read_back(self, db, line):
        answers = [line.look_up("ada at example dot com") for _ in range(4)]
        assert answers[0] == (
            "Thank you, I have A D A at E X A M P L E dot com. Before I can say anything about an order I need one more detail: "
            "the order number. Can you give it to me?"
        )
        assert answers[1].startswith("I do not have an order number yet.")
        assert answers[2].startswith("Let us try the keypad.")

    def test_of_somebody_else_is_read_back_and_asked_for_in_four_ways(self, shop, line):
        line.look_up("47192", "94110")
        answers = [line.use("lookup_order", query="60001") for _ in range(4)]
        assert [answer.output.startswith("I understood 6 0 0 0 1") for answer in answers] == [True, True, True, False]
        assert [answer.act == TakeDigits() for answer in answers] == [False, False, True, False]
        assert "one digit at a time" in answers[1].output
        assert answers[3].output == f"I am sorry, I find no order with the number 6 0 0 0 1 under your details. {PERSON}"
        assert line.types("51830").startswith("Order 5 1 8 3 0 was placed")

    def test_that_is_missing_beside_another_persons_email_is_asked_for(self, shop, line):
        line.look_up("47192", "94110")
        assert line.look_up("cleo at example dot com").startswith("Thank you, I have C L E O at")


class TestASecondDetail:
    def test_is_asked_for_in_four_ways_and_the_number_read_back(self, db, line):
        answers = [line.look_up("47192") for _ in range(4)]
        assert answers == [
            "Thank you, I have 4 7 1 9 2. Before I can say anything about an order I need one more detail: "
            "the e-mail address or the postcode it was placed with. Which can you give me?",
            "I have 4 7 1 9 2, but no second detail yet. Could you spell the e-mail address letter by letter, "
            "or say the postcode one character at a time?",
            "I have 4 7 1 9 2. Could you now type the postcode on the keypad and then press the pound key? "
            "If there are letters in it, spell the e-mail address instead.",
            f"I am sorry, I could not make out an e-mail address or a postcode. {PERSON}",
        ]

    def test_is_typed_on_the_third_try(self, shop, line):
        assert line.keypad_is_asked_for("lookup_order", 4, query="47192") == [False, False, True, False]
        assert line.types("94110").startswith("Order 4 7 1 9 2 was shipped")

    def test_the_number_that_is_read_back_is_the_corrected_one(self, db, line):
        line.look_up("order 47182")
        assert line.look_up("no, order 47192").startswith("I have 4 7 1 9 2, but")

    def test_is_asked_for_when_an_order_is_to_be_cancelled_too(self, db, line):
        answers = [line.use("cancel_order", order_number="47192") for _ in range(3)]
        assert [answer.act == TakeDigits() for answer in answers] == [False, False, True]


class TestAnEmailAddress:
    HALF = "my email is jane doe at gmail"

    def test_that_is_never_understood_is_spelled_and_then_done_without(self, db, line):
        assert [line.look_up(self.HALF) for _ in range(4)] == [
            "I am sorry, I did not catch the whole e-mail address. Could you say it once more, slowly?",
            "Could you spell the e-mail address, letter by letter, and say where the at and the dots are?",
            "Let us do without the e-mail address. Could you type the order number on the keypad and then press the pound key? "
            "Or would you rather speak to a person?",
            f"I am sorry, I cannot make out the e-mail address. {PERSON}",
        ]

    def test_beside_a_number_the_postcode_is_typed_instead(self, shop, line):
        answers = [line.use("lookup_order", query="47192", detail=self.HALF) for _ in range(3)]
        assert answers[0].output == (
            "I have 4 7 1 9 2, but I did not catch the whole e-mail address. Could you say it once more, slowly?"
        )
        assert "Could you type the postcode, if it has no letters, on the keypad" in answers[2].output
        assert [answer.act == TakeDigits() for answer in answers] == [False, False, True]
        assert line.types("94110").startswith("Order 4 7 1 9 2 was shipped")

    def test_spelled_on_the_second_try_it_is_understood(self, shop, line):
        line.look_up("47192", "eight a at example")
        assert line.look_up("a d a at e x a m p l e dot c o m").startswith("Order 4 7 1 9 2 was shipped")

    def test_that_is_understood_but_wrong_is_spelled_back(self, shop, line):
        assert line.look_up("47192", "aida at example dot com").startswith(
            "I understood 4 7 1 9 2 and A I D A at E X A M P L E dot com. I could not find an order with these details."
        )

    def test_of_a_cancellation_is_asked_for_like_any_other(self, db, line):
        answer = line.use("cancel_order", order_number="47192", detail=self.HALF).output
        assert "did not catch the whole e-mail address" in answer


class TestDetailsThatDoNotMatch:
    def test_are_read_back_then_typed_and_then_a_person_helps(self, shop, line):
        first = line.use("lookup_order", query="47182", detail="94101")
        assert (first.status, first.act) == ("failed", None)
        assert first.output == (
            "I understood 4 7 1 8 2 and 9 4 1 0 1. I could not find an order with these details. If I heard something wrongly, "
            "could you say the order number again, digit by digit, and spell the e-mail address or say the postcode it was "
            "placed with?"
        )
        second = line.use("lookup_order", query="47182", detail="94102")
        assert (second.status, second.act) == ("done", TakeDigits())
        assert second.output == (
            "I understood 4 7 1 8 2 and 9 4 1 0 2. I could not find an order with these details either. "
            "Let us start again with the keypad. Could you type the order number and then press the pound key?"
        )
        third = line.use("lookup_order", query="47182", detail="94103")
        assert (third.status, third.act) == ("failed", None)
        assert third.output == (
            "I could not confirm these details, so I cannot open any order in this call. A person can help with that. "
            "Shall I put you through?"
        )

    def test_heard_wrongly_twice_in_both_parts_are_put_right_on_the_keypad(self, shop, line):
        line.look_up("47182", "aida at example dot com")
        line.look_up("four seven one nine three", "eda at example dot com")
        postcode = line.use("lookup_order", query="The caller typed: 47192")
        assert postcode.output.startswith("I have 4 7 1 9 2. Could you now type the postcode on the keypad")
        assert postcode.act == TakeDigits()
        assert line.types("94110").startswith("Order 4 7 1 9 2 was shipped")

    def test_a_postcode_that_is_typed_first_asks_for_the_number_on_the_keypad(self, shop, line):
        line.look_up("47182", "94101")
        line.look_up("47182", "94102")
        number = line.use("lookup_order", query="postcode 94110")
        assert (number.output.startswith("Let us try the keypad."), number.act) == (True, TakeDigits())
        assert line.types("47192").startswith("Order 4 7 1 9 2 was shipped")

    def test_after_one_mismatch_an_email_is_spelled_at_once(self, shop, line):
        line.look_up("47192", "aida at example dot com")
        assert line.look_up("my email is ada at").startswith("Could you spell the e-mail address")

    def test_typed_wrongly_too_they_lock(self, shop, line):
        line.look_up("47192", "94101")
        line.look_up("47192", "94102")
        line.types("47192")
        assert line.types("94103").startswith("I could not confirm these details")
        assert line.look_up("47192", "94110").startswith("As I said, I cannot open any order in this call")

    def test_said_again_unchanged_they_are_asked_for_in_another_way_and_do_not_lock(self, shop, line):
        answers = [line.look_up("47192", "94101") for _ in range(7)]
        assert differ(answers)
        assert [PERSON in answer for answer in answers] == [False, False, True, False, True, False, True]
        assert Proof.objects.get().failures == 1

    def test_the_order_number_is_read_back_first(self, shop, line):
        line.look_up("my email is eda at example dot com")
        assert line.look_up("47192").startswith("I understood 4 7 1 9 2 and E D A at")

    def test_a_call_that_goes_on_in_another_process_is_not_asked_to_speak_a_third_time(self, shop, line):
        line.look_up("47192", "94101")
        after_a_restart = Line()
        assert after_a_restart.use("lookup_order", query="47192", detail="94102").act == TakeDigits()


@pytest.mark.parametrize(
    "turns",
    [
        [("47192", ""), ("47192", ""), ("47192", ""), ("47192", "")],
        [("ada at example dot com", "")] * 5,
        [("47192", "eda at example dot com"), ("47192", "94101"), ("47192", ""), ("my email is ada at", ""), ("94102", "")],
        [("47192", "94101")] * 4,
        [("the blue one", ""), ("47192", ""), ("email", ""), ("94101", ""), ("94102", ""), ("94103", "")],
    ],
)
def test_the_words_are_the_same_whether_the_order_exists_or_not(shop, now, turns):
    there = [line.look_up(*turn) for line in [Line()] for turn in turns]
    Proof.objects.all().delete()
    Tally.objects.all().delete()
    ToolUses.objects.all().delete()
    Order.objects.all().delete()
    assert there == [line.look_up(*turn) for line in [Line()] for turn in turns]
    assert differ(there)


class TestATelephoneNumber:
    def test_that_is_never_understood_is_asked_for_in_four_ways(self, week, line):
        assert [line.book(phone="five five five twelve") for _ in range(4)] == [
            "I understood 5 5 5 1 2, and that is not a complete telephone number. Which number should we call you back on? "
            "Please say it with the area code.",
            "I understood 5 5 5 1 2, and that is still no complete number. "
            "Could you say it once more, one digit at a time, with the area code?",
            "Let us try the keypad. Could you type the telephone number, with the area code, and then press the pound key?",
            "I am sorry, I cannot make out the telephone number. Shall we call you back on the number you are calling from?",
        ]

    @pytest.mark.parametrize("number", ["", "anonymous", "+266696687"])
    def test_of_a_caller_who_withholds_theirs_a_person_asks_in_the_end(self, week, now, number):
        withheld = Line(number=number)
        answers = [withheld.book() for _ in range(4)]
        assert answers[0].startswith("Your number is not shown to me. Which number should we call you back on?")
        assert answers[1].startswith("I do not have your telephone number yet. Could you say it once more")
        assert answers[3].endswith(PERSON)

    @pytest.mark.parametrize("phone", ["nine", "one " * 20, "double"])
    def test_what_is_no_number_of_any_kind_is_not_read_back(self, week, line, phone):
        assert line.book(phone=f"five {phone}").startswith("I could not make out that number. Which number")

    def test_is_typed_on_the_third_try(self, week, line):
        taken = line.keypad_is_asked_for("book_appointment", 4, phone="five five five twelve", preferred_time="tomorrow at two")
        assert taken == [False, False, True, False]

    @pytest.mark.parametrize(
        ("keys", "number"),
        [("4155550199", "+14155550199"), ("14155550199", "+14155550199"), ("01149302345678", "+49302345678")],
    )
    def test_that_is_typed_is_booked_and_read_back(self, week, line, keys, number, settings):
        settings.HOME_COUNTRIES = ["US", "DE"]
        assert line.book(phone=f"The caller typed: {keys}").startswith("Booked: we will call you back")
        assert Appointment.objects.get().phone == number


class TestATime:
    def test_that_is_never_understood_is_asked_for_in_four_ways(self, week, line):
        assert [line.book(when="the twelfth of never") for _ in range(4)] == [
            "I did not understand the time. Which day and what time would suit you? For example: tomorrow at two in the afternoon.",
            "I am not sure yet when you mean. Which day would suit you, and then which hour, in the morning or in the afternoon?",
            "Perhaps it is easier to choose. These times are free: today, Wednesday November 18th at 10:30 AM, 11 AM or 11:30 AM. "
            "Which one suits you?",
            f"I am sorry, I cannot make out the time. {PERSON}",
        ]

    def test_is_not_typed(self, week, line):
        assert not any(line.keypad_is_asked_for("book_appointment", 6, phone="", preferred_time="the twelfth of never"))

    def test_where_nothing_is_free_a_person_is_offered_instead_of_times(self, week, line):
        OpeningHours.objects.update(lanes=0)
        answers = [line.book(when="never") for _ in range(3)]
        assert answers[2] == f"Perhaps it is easier to choose. No time is free in the next two weeks. {PERSON}".replace(
            ". Shall", "; shall"
        )

    @pytest.mark.parametrize("when", ["next friday at 10", "friday at 13 or 14"])
    def test_that_stays_unclear_is_asked_for_in_other_words(self, week, line, when):
        answers = [line.book(when=when) for _ in range(4)]
        assert [answer.startswith("I am still not sure. Please say the date and the hour.") for answer in answers] == [
            False,
            True,
            False,
            True,
        ]
        assert answers[1].endswith(answers[0])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("lookup_order", {"query": "the blue one"}),
        ("lookup_order", {"query": "47192"}),
        ("lookup_order", {"query": "ada at example dot com"}),
        ("lookup_order", {"query": "my email"}),
        ("lookup_order", {"query": "47192", "detail": "my email"}),
        ("lookup_order", {"query": "47192", "detail": "94101"}),
        ("cancel_order", {"order_number": "the blue one"}),
        ("cancel_order", {"order_number": "47192"}),
        ("book_appointment", {"phone": "12", "preferred_time": "tomorrow at two"}),
        ("book_appointment", {"phone": "this number", "preferred_time": "never"}),
        ("book_appointment", {"phone": "this number", "preferred_time": "next friday at 10"}),
    ],
)
def test_nobody_is_asked_in_the_same_words_twice_in_a_row(week, line, name, arguments):
    answers = [line.use(name, **arguments).output for _ in range(9)]
    assert differ(answers)
    assert all("?" in answer for answer in answers)


def test_what_is_misheard_in_one_call_is_asked_for_anew_in_the_next(db, now):
    for _ in range(3):
        Line().look_up("the blue one")
    assert Line().look_up("the blue one").startswith("I did not catch an order number")
