import pytest

from voiceagent.call.wishes import asks_for_a_person

REQUESTS = [
    "I want a human.",
    "Can I talk to a real person?",
    "Could I please speak with someone?",
    "let me speak to your manager",
    "I'd like to talk to a human being, please!",
    "Give me an agent now",
    "get me a person",
    "Representative.",
    "Operator, please",
    "a real person please",
    "Just a human",
    "I need a human",
    "I want to speak to a customer service representative",
    "Thank you, now I would like to speak to a person, please.",
    "put me through to somebody",
    "Please transfer me.",
    "connect me with support",
    "is there anybody there",
    "Is there a person I can talk to?",
    "No, I'd prefer a human",
    "I can't find it. I want to speak to a person.",
    "You don't understand me, can I talk to someone else?",
    "customer service",
    "Ich möchte mit einem Menschen sprechen.",
    "Kann ich bitte mit einem Mitarbeiter reden?",
    "Ich will mit jemandem sprechen",
    "Verbinden Sie mich bitte",
    "Können Sie mich mit jemandem verbinden?",
    "einen Menschen, bitte",
    "Quiero hablar con una persona",
    "¿Puedo hablar con alguien?",
    "páseme con un agente",
    "Necesito un agente",
    "Je voudrais parler à quelqu'un",
    "Je veux parler à un conseiller",
    "passez-moi un responsable",
    "Vorrei parlare con una persona",
    "posso parlare con un operatore",
    "Quero falar com um atendente",
    "queria falar com alguém",
]
OTHER_WORDS = [
    "I'm only human.",
    "It was human error",
    "Are you a human?",
    "Am I talking to a machine?",
    "I don't want to talk to a person.",
    "I do not need a human, just tell me where it is.",
    "No need to put me through, thanks",
    "I don't want a person",
    "The delivery person left it at the door",
    "The person who packed it forgot the socks",
    "I spoke to an agent yesterday",
    "I talked to someone last week and they said Monday",
    "Can you talk to someone in the warehouse about it?",
    "I will come in person",
    "How much is it per person?",
    "It's a gift for someone",
    "I need it for a person who is tall",
    "somebody stole my parcel",
    "Could somebody call me back tomorrow at two in the afternoon?",
    "My travel agent ordered it",
    "What are your people doing",
    "Where is my order?",
    "I want a jacket for my wife",
    "",
    "…",
    "Ich möchte nicht mit einem Menschen sprechen",
    "Ich bin auch nur ein Mensch",
    "No quiero hablar con una persona",
    "Je ne veux pas parler à quelqu'un",
    "Non voglio parlare con una persona",
    "Não quero falar com alguém",
    "Das Paket ist für einen Mitarbeiter",
]


@pytest.mark.parametrize("words", REQUESTS)
def test_a_request_for_a_person_is_one(words):
    assert asks_for_a_person(words)


@pytest.mark.parametrize("words", REQUESTS)
def test_however_it_is_written(words):
    assert asks_for_a_person(words.upper().replace("'", "’"))


@pytest.mark.parametrize("words", OTHER_WORDS)
def test_other_words_about_people_are_none(words):
    assert not asks_for_a_person(words)
