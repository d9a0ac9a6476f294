import pytest
from django.db import IntegrityError

from orders.models import HelpArticle


@pytest.fixture
def articles(db):
    rows = [
        ("How to cancel an order", "orders", "You can cancel until it has been shipped.", "stop undo annul"),
        ("Shipping times", "shipping", "Most orders arrive in three to five working days.", "delivery how long post"),
        ("How to return something", "returns", "You have thirty days to send anything back.", "refund exchange send back"),
        ("Gift cards", "payment", "Gift cards are sent by e-mail.", "voucher present"),
    ]
    return [HelpArticle.objects.create(title=t, topic=topic, body=body, keywords=words) for t, topic, body, words in rows]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("how do I cancel", "How to cancel an order"),
        ("uh can I still get it cancelled please", "How to cancel an order"),
        ("how long does delivery take", "Shipping times"),
        ("I want to send back a pair of boots", "How to return something"),
        ("do you have vouchers", "Gift cards"),
    ],
)
def test_a_question_finds_its_article_in_other_words(articles, question, title):
    assert HelpArticle.objects.published().answering(question)[0].title == title


@pytest.mark.parametrize("question", ["", "???", "the and of", "parachutes", "' | & ! :* \\", "a" * 5000])
def test_a_question_that_nothing_answers_finds_nothing(articles, question):
    assert list(HelpArticle.objects.answering(question)) == []


def test_an_article_that_is_not_published_answers_nobody(articles):
    HelpArticle.objects.filter(title="Gift cards").update(published=False)
    assert not HelpArticle.objects.published().answering("voucher").exists()


def test_an_edited_article_is_found_by_its_new_words(articles):
    articles[3].body = "We no longer sell them, but ask about our vouchers for kayaks."
    articles[3].save()
    assert HelpArticle.objects.answering("kayak")[0] == articles[3]


def test_a_title_stands_for_one_article(articles):
    with pytest.raises(IntegrityError):
        HelpArticle.objects.create(title="Gift cards", topic="payment", body="Another.")
