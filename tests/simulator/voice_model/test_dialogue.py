"""Conversations in words: what the caller says, what tools return, what the practice model says and uses."""

from typing import Any

import pytest

from simulator.voice_model.dialogue import Dialogue, Output, Speak, Use, speakable


def tool(name: str, *required: str, **optional: Any) -> dict[str, Any]:
    properties = {parameter: {"type": "string"} for parameter in (*required, *optional)}
    return {
        "type": "function",
        "name": name,
        "parameters": {"type": "object", "properties": properties, "required": list(required)},
    }


TOOLS = [
    tool("lookup_order", "query", detail=""),
    tool("cancel_order", "order_number", detail="", confirmed=False),
    tool("book_appointment", "phone", "preferred_time", about=""),
    tool("opening_hours", day=""),
    tool("search_help", "question"),
    tool("transfer_to_human", "reason", department=""),
    tool("end_call"),
]
PROOF = "Thank you. I need one more detail: the e-mail address or the postcode it was placed with. Which can you give me?"
SHIPPED = "Order 4 7 1 9 2 was shipped on Friday and should arrive tomorrow."


class Conversation:
    """A dialogue with a caller and, where `answers` has them, with tools that answer at once."""

    def __init__(self, *, tools: list[dict[str, Any]] = TOOLS, answers: dict[str, list[str]] | None = None) -> None:
        self.dialogue = Dialogue()
        self.tools = tools
        self.answers = {name: list(told) for name, told in (answers or {}).items()}
        self.used: list[Use] = []

    def say(self, heard: str | None) -> str:
        """What the model says to this, the results of its tools included."""
        said, outputs = "", []
        while True:
            acts = self.dialogue.answer(heard, outputs, self.tools)
            said += " ".join(act.words for act in acts if isinstance(act, Speak)) + " "
            uses = [act for act in acts if isinstance(act, Use)]
            self.used += uses
            outputs = [Output(use.tool, self.answers[use.tool].pop(0)) for use in uses if self.answers.get(use.tool)]
            if not outputs:
                return said.strip()
            heard = None


def test_it_says_what_it_is_in_its_first_own_words_and_only_there() -> None:
    conversation = Conversation()
    conversation.dialogue.note_said("Hello, this is the shop.")
    assert conversation.say("Where is my order?") == "This is the practice model. Sure. What is your order number?"
    assert "practice model" not in conversation.say("I don't know.")
    assert "practice model" in conversation.say("Are you a real person?")


def test_unprompted_it_offers_only_what_it_has_tools_for() -> None:
    said = Conversation(tools=[tool("opening_hours", day=""), tool("search_help", "question")]).say(None)
    assert "opening hours" in said
    assert "order" not in said
    assert "person" not in said


def test_an_order_is_looked_up_over_several_turns() -> None:
    conversation = Conversation(answers={"lookup_order": [PROOF, SHIPPED]})
    assert "order number" in conversation.say("Hi, where is my order?")
    assert conversation.say("It's 4 7 1 9 2.") == PROOF
    assert conversation.say("Ada at example.com.") == f"{SHIPPED} {Dialogue.ANYTHING_ELSE}"
    assert conversation.used == [
        Use("lookup_order", {"query": "It's 4 7 1 9 2."}),
        Use("lookup_order", {"query": "It's 4 7 1 9 2.", "detail": "Ada at example.com."}),
    ]


def test_a_number_said_at_once_is_used_at_once() -> None:
    conversation = Conversation(answers={"lookup_order": [SHIPPED]})
    assert SHIPPED in conversation.say("Where is my order four seven one nine two?")
    assert [use.tool for use in conversation.used] == ["lookup_order"]


def test_a_number_alone_is_an_order() -> None:
    conversation = Conversation(answers={"lookup_order": [SHIPPED]})
    assert SHIPPED in conversation.say("47192")


def test_a_number_in_two_halves_is_put_together() -> None:
    conversation = Conversation(answers={"lookup_order": [SHIPPED]})
    conversation.say("Where is my order?")
    assert "five digits" in conversation.say("It's four seven")
    assert SHIPPED in conversation.say("one nine two")
    assert conversation.used[0].arguments["query"] == "It's four seven one nine two"


def test_an_answer_that_asks_for_the_number_again_gets_both_from_the_next_words() -> None:
    again = "I could not find an order with these details. Could you say the order number again, and the e-mail address?"
    conversation = Conversation(answers={"lookup_order": [again, SHIPPED]})
    conversation.say("Where is my order 47193?")
    assert SHIPPED in conversation.say("47192 and ada at example dot com")
    assert conversation.used[1].arguments == {"query": "47192 and ada at example dot com"}


def test_who_does_not_know_the_number_is_offered_a_person() -> None:
    conversation = Conversation()
    conversation.say("Where is my order?")
    assert Dialogue.OFFER_PERSON in conversation.say("I don't have it.")
    assert "putting you through" in conversation.say("Yes please.")
    assert conversation.used[-1].tool == "transfer_to_human"


def test_who_says_goodbye_instead_of_a_number_may_go() -> None:
    conversation = Conversation()
    conversation.say("Where is my order?")
    assert "Goodbye" in conversation.say("Thanks, that's all.")
    assert conversation.used[-1].tool == "end_call"


def test_another_order_is_asked_for_anew() -> None:
    conversation = Conversation(answers={"lookup_order": [SHIPPED]})
    conversation.say("Where is my order 47192?")
    assert "order number" in conversation.say("And where is my other order?")


def test_a_call_back_is_booked_in_the_callers_words() -> None:
    conversation = Conversation(answers={"book_appointment": ["Booked: tomorrow at 2 PM."]})
    said = conversation.say("I'd like a call back tomorrow at 2 in the afternoon.")
    assert said.endswith(f"Booked: tomorrow at 2 PM. {Dialogue.ANYTHING_ELSE}")
    expected = {"phone": "this number", "preferred_time": "tomorrow at 2 in the afternoon"}
    assert conversation.used == [Use("book_appointment", expected)]


def test_a_call_back_without_a_time_asks_when_and_goes_on_until_one_is_free() -> None:
    closed = "We are closed on Sunday. These times are free: Monday November 23rd at 9 AM, 9:30 AM or 10 AM. Which one suits you?"
    conversation = Conversation(answers={"lookup_order": [SHIPPED], "book_appointment": [closed, "Booked."]})
    conversation.say("Where is my order 47192?")
    assert "When should we call you back?" in conversation.say("Can someone call me back?")
    assert conversation.say("On Sunday at noon.") == closed
    assert "Booked." in conversation.say("The second one.")
    assert [use.arguments["preferred_time"] for use in conversation.used[1:]] == [
        "On Sunday at noon",
        "Monday November 23rd at 9:30 am",
    ]
    assert conversation.used[1].arguments["about"] == "order 47192"


def test_another_number_to_call_back_is_passed_on() -> None:
    ask = "I could not make out that number. Which number should we call you back on?"
    conversation = Conversation(answers={"book_appointment": [ask, "Booked."]})
    conversation.say("Call me back tomorrow at two.")
    conversation.say("415 555 0142")
    assert conversation.used[1].arguments == {"phone": "415 555 0142", "preferred_time": "tomorrow at two"}


def test_who_changes_their_mind_books_nothing() -> None:
    conversation = Conversation()
    conversation.say("Please call me back.")
    assert "booked nothing" in conversation.say("No, never mind.")
    assert conversation.used == []


def test_cancelling_lets_the_tool_ask_and_passes_the_yes_on_once() -> None:
    ask, done = "Order 5 1 8 3 0 can still be cancelled. Shall I cancel the whole order?", "Order 5 1 8 3 0 is cancelled now."
    conversation = Conversation(answers={"cancel_order": [ask, done, ask]})
    assert "order number" in conversation.say("I want to cancel my order.")
    assert conversation.say("51830") == ask
    assert done in conversation.say("Yes, please.")
    assert [use.arguments.get("confirmed") for use in conversation.used] == [None, True]
    conversation.say("Please cancel order 47192.")
    assert conversation.used[-1].arguments == {"order_number": "Please cancel order 47192."}


def test_cancelling_asks_for_proof_first_where_the_tool_wants_it() -> None:
    ask, done = "Shall I cancel the whole order?", "It is cancelled now."
    conversation = Conversation(answers={"cancel_order": [PROOF, ask, done], "lookup_order": ["It is being prepared."]})
    assert PROOF in conversation.say("Cancel order 51830 please.")
    assert ask in conversation.say("94110")
    assert done in conversation.say("Yes.")
    assert [use.tool for use in conversation.used] == ["cancel_order", "lookup_order", "cancel_order", "cancel_order"]


def test_a_tool_that_does_not_ask_is_used_only_after_a_yes() -> None:
    conversation = Conversation(tools=[tool("cancel_order", "order_number")], answers={"cancel_order": ["Cancelled."]})
    assert "Shall I cancel order 5 1 8 3 0?" in conversation.say("Cancel order 51830.")
    assert "not cancelled" in conversation.say("No.")
    assert conversation.used == []
    conversation.say("Yes, cancel order 51830.")
    assert "Cancelled." in conversation.say("Yes.")


def test_what_cannot_be_cancelled_is_explained_if_wanted() -> None:
    sent = "Order 4 7 1 9 2 cannot be cancelled any more. It can be sent back instead; shall I explain how?"
    conversation = Conversation(answers={"cancel_order": [sent], "search_help": ["Send it back within 30 days."]})
    conversation.say("Cancel order 47192")
    assert "30 days" in conversation.say("Yes please")


@pytest.mark.parametrize(
    ("said", "use"),
    [
        ("What are your opening hours?", Use("opening_hours", {})),
        ("Are you open on Saturday?", Use("opening_hours", {"day": "Saturday"})),
        ("How do I cancel an order?", Use("search_help", {"question": "How do I cancel an order?"})),
        ("Do you sell tents?", Use("search_help", {"question": "Do you sell tents?"})),
        ("Can I talk to a person?", Use("transfer_to_human", {"reason": "The caller asked for a person: Can I talk to a person?"})),
        ("Goodbye.", Use("end_call", {})),
    ],
)
def test_each_wish_finds_its_tool(said: str, use: Use) -> None:
    conversation = Conversation()
    conversation.say(said)
    assert conversation.used == [use]


def test_a_person_may_be_asked_for_at_any_time() -> None:
    for before in ([], ["Where is my order?"], ["Call me back."], ["Cancel order 51830."]):
        conversation = Conversation()
        for said in before:
            conversation.say(said)
        conversation.say("Actually, let me speak to a person.")
        assert conversation.used[-1].tool == "transfer_to_human"


def test_something_is_said_before_the_caller_is_put_through_or_the_call_ends_and_not_again_after() -> None:
    conversation = Conversation(answers={"transfer_to_human": ["The caller is put through to a person now. Tell them so."]})
    assert conversation.say("A human, please.").count("putting you through") == 1
    conversation = Conversation(answers={"end_call": ["The call ends now."]})
    conversation.say("Thank you, goodbye.")
    assert conversation.dialogue.answer(None, [Output("end_call", "The call ends now.")], TOOLS) == []


def test_no_after_anything_else_is_goodbye() -> None:
    conversation = Conversation(answers={"opening_hours": ["We are open."]})
    assert Dialogue.ANYTHING_ELSE in conversation.say("When are you open?")
    assert "Goodbye" in conversation.say("No.")
    assert conversation.used[-1].tool == "end_call"


def test_thanks_is_not_goodbye() -> None:
    conversation = Conversation(answers={"opening_hours": ["We are open."]})
    conversation.say("When are you open?")
    assert "You are welcome." in conversation.say("Great, thank you.")


def test_what_was_said_is_repeated_as_it_was() -> None:
    conversation = Conversation(answers={"opening_hours": ["We are open until six."]})
    conversation.say("When are you open?")
    assert conversation.say("Could you repeat that?") == f"We are open until six. {Dialogue.ANYTHING_ELSE}"
    greeted = Conversation()
    greeted.dialogue.note_said("Hello, this is the shop.")
    assert greeted.say("Sorry?").endswith("Hello, this is the shop.")


@pytest.mark.parametrize("heard", ["", "...", "The weather is nice."])
def test_after_three_misunderstandings_a_person_is_offered(heard: str) -> None:
    conversation = Conversation()
    said = [conversation.say(heard) for _ in range(3)]
    assert Dialogue.OFFER_PERSON not in said[1]
    assert Dialogue.OFFER_PERSON in said[2]
    assert "putting you through" in conversation.say("Yes.")


@pytest.mark.parametrize(
    ("said", "cannot"),
    [
        ("Where is my order?", "look up an order"),
        ("Cancel my order 51830", "cancel an order"),
        ("Call me back tomorrow", "book a call-back"),
        ("When are you open?", "opening hours"),
        ("How do I return this?", "returns"),
        ("Let me talk to a person", "through to a person"),
    ],
)
def test_a_tool_that_is_not_offered_is_never_used(said: str, cannot: str) -> None:
    conversation = Conversation(tools=[])
    answer = conversation.say(said)
    assert conversation.used == []
    assert f"I cannot {cannot}" in answer or cannot in answer


def test_without_a_tool_to_end_the_call_goodbye_is_only_said() -> None:
    conversation = Conversation(tools=[])
    assert "Goodbye" in conversation.say("Bye.")
    assert conversation.used == []


def test_what_a_tool_tells_the_model_is_not_read_out() -> None:
    broke = "That could not be checked just now. A person can help with it."
    conversation = Conversation(answers={"opening_hours": [broke]})
    said = conversation.say("When are you open?")
    assert "Say so" not in said
    assert Dialogue.OFFER_PERSON in said


def test_results_and_new_words_are_both_answered() -> None:
    dialogue = Dialogue()
    acts = dialogue.answer("What are your opening hours?", [Output("lookup_order", SHIPPED)], TOOLS)
    assert isinstance(acts[0], Speak)
    assert SHIPPED in acts[0].words
    assert acts[1] == Use("opening_hours", {})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("It has shipped. ", "It has shipped."),
        ('{"message": "It has shipped.", "code": 7}', "It has shipped."),
        ('{"ok": true}', "Done."),
        ("{odd", "{odd"),
    ],
)
def test_results_are_put_into_words(told: str, words: str) -> None:
    assert speakable(told) == words
