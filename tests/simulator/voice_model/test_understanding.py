import pytest

from simulator.voice_model.understanding import (
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

MEANT = {
    Intent.ORDER: [
        "Where is my order?",
        "Hi, I would like to know where my order is.",
        "Where's my parcel?",
        "Hello, where are my things?",
        "Can you check the status of my order please?",
        "I want to track my package.",
        "My order hasn't arrived.",
        "When will my jacket arrive?",
        "Has my delivery shipped yet?",
        "It's about my order.",
        "My order number is 4 7 1 9 2.",
        "Could you look up an order for me?",
    ],
    Intent.CANCEL: [
        "I'd like to cancel my order.",
        "Please cancel it.",
        "Can I cancel order 51830?",
        "I need a cancellation.",
        "I don't want the order any more.",
    ],
    Intent.BOOK: [
        "I'd like a call back tomorrow at 2 in the afternoon.",
        "Can someone call me back?",
        "Could you book a callback for me?",
        "Please call me tomorrow.",
        "I want to make an appointment.",
        "Can I schedule a call for Friday?",
    ],
    Intent.HOURS: [
        "What are your opening hours?",
        "When do you open?",
        "Are you open on Saturday?",
        "What time do you close today?",
        "Is the shop open tomorrow?",
        "How late are you open?",
    ],
    Intent.HELP: [
        "How do I cancel an order?",
        "How can I return a jacket?",
        "What is your return policy?",
        "How long does shipping take?",
        "Do you have gift cards?",
        "How much is shipping?",
        "I'd like a refund.",
        "So how do I exchange a size?",
    ],
    Intent.PERSON: [
        "Can I speak to a person, please?",
        "I want to talk to a human.",
        "Put me through to somebody.",
        "Get me your manager.",
        "Can you connect me with a representative?",
        "I'd rather talk to a real person about my order.",
        "Customer service please.",
    ],
    Intent.GOODBYE: [
        "Goodbye.",
        "No, thank you. Goodbye.",
        "That's all, thanks.",
        "Bye bye.",
        "No thanks.",
        "Nothing else, I'm done.",
    ],
    Intent.REPEAT: [
        "Could you repeat that?",
        "Say that again please.",
        "Sorry?",
        "Pardon?",
        "I didn't catch that.",
        "What did you say?",
    ],
    Intent.WHO: ["Are you a robot?", "Am I talking to a real person?", "Who are you?", "Are you human?"],
    Intent.YES: ["Yes.", "Yes, please.", "Sure, go ahead.", "OK.", "That would be great."],
    Intent.NO: ["No.", "Nope.", "Not really.", "Never mind."],
    Intent.THANKS: ["Thank you.", "Great, thanks!"],
    None: ["Four seven one nine two.", "Ada at example.com.", "94110.", "The weather is nice.", "", "..."],
}


@pytest.mark.parametrize(("intent", "said"), [(intent, said) for intent, phrases in MEANT.items() for said in phrases])
def test_what_callers_say_is_understood(intent: Intent | None, said: str) -> None:
    assert intent_of(said) is intent


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four seven one nine two", "47192"),
        ("It's 4 7 1 9 2.", "47192"),
        ("ORD47192", "47192"),
        ("4 7, 1 9 2", "47192"),
        ("four double seven one nine", "47719"),
        ("triple zero oh", "0000"),
        ("no digits here", ""),
    ],
)
def test_digits_are_counted_however_they_are_said(said: str, digits: str) -> None:
    assert digits_in(said) == digits


def test_numbers_and_addresses_are_told_apart() -> None:
    assert is_order_number("it is four seven one nine two")
    assert not is_order_number("tomorrow at 2 in the afternoon")
    assert is_phone_number("4155550142")
    assert not is_phone_number("47192")
    for said in ("Ada at example.com.", "ada@example.com", "Aida at example COM.", "ada at example dot com"):
        assert is_email(said)
    assert not is_email("at the door")


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("I'd like a call back tomorrow at 2 in the afternoon.", "tomorrow at 2 in the afternoon"),
        ("Can you call me on Friday at half past three?", "on Friday at half past three"),
        ("Book me a call for the day after tomorrow at 9:30 am please", "the day after tomorrow at 9:30 am please"),
        ("Call me at noon", "at noon"),
        ("call me back in an hour and a half", "in an hour and a half"),
        ("3 pm", "3 pm"),
        ("Monday morning", "Monday morning"),
        ("December 3 at 10", "December 3 at 10"),
        ("I'd like a call back.", ""),
        ("Can someone call me?", ""),
    ],
)
def test_the_words_that_tell_a_time_are_taken_out(said: str, time: str) -> None:
    assert time_in(said) == time


FREE = (
    "We are closed on Sunday November 22nd. These times are free: "
    "tomorrow, Monday November 23rd at 9 AM, 9:30 AM or 10 AM. Which one suits you?"
)
ONE_FREE = "Thursday at 2 PM is already taken. One time is free: Thursday November 26th at 2:30 PM. Does that suit you?"
SURE = "Just to be sure: do you mean Tuesday December 1st at 1 PM?"
WHICH_DAY = "Which day do you mean: Friday November 20th or Friday November 27th?"


@pytest.mark.parametrize(
    ("said", "told", "before", "time"),
    [
        ("The first one, please.", FREE, "tomorrow at two", "tomorrow, Monday November 23rd at 9 am"),
        ("The second, please.", FREE, "", "tomorrow, Monday November 23rd at 9:30 am"),
        ("The last one.", FREE, "", "tomorrow, Monday November 23rd at 10 am"),
        ("The third one.", ONE_FREE, "", "Thursday November 26th at 2:30 pm"),
        ("At ten.", FREE, "tomorrow at two", "tomorrow, Monday November 23rd at ten"),
        ("10 am", FREE, "", "tomorrow, Monday November 23rd at 10 am"),
        ("Tuesday morning.", FREE, "tomorrow at two", "Tuesday morning."),
        ("Tuesday at three please", FREE, "", "Tuesday at three please"),
        ("Yes, please.", ONE_FREE, "Thursday at two", "Thursday November 26th at 2:30 pm"),
        ("The first one.", WHICH_DAY, "next Friday at 10", "Friday November 20th at 10"),
        ("Yes.", SURE, "on the first", "Tuesday December 1st at 1 pm"),
        ("The 27th.", WHICH_DAY, "next Friday at 10", "The 27th at 10"),
        ("Tomorrow at 2 in the afternoon.", "When should we call?", "", "Tomorrow at 2 in the afternoon"),
        ("Whenever it suits you.", "When should we call?", "", "Whenever it suits you."),
    ],
)
def test_an_answer_is_completed_by_what_was_offered(said: str, told: str, before: str, time: str) -> None:
    assert time_answered(said, told, before) == time


def test_days_and_questions_are_recognised() -> None:
    assert day_in("Are you open on Saturday?") == "Saturday"
    assert day_in("When do you open?") == ""
    assert asks("Which one suits you?")
    assert asks("Please tell me your e-mail address.")
    assert not asks("Your order has shipped.")
