from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from orders.models import Confirmation

QUESTION = "Shall I cancel the whole order?"
ASKED = frozenset({"call_1"})


@pytest.fixture
def asked(placed, now):
    ask(placed, now)


def ask(order, now, call: str = "CA1", question: str = QUESTION, by: str = "call_1") -> None:
    Confirmation.ask(question, order, call_sid=call, asked_by=by, now=now)


def agreed(order, now, call: str = "CA1", question: str = QUESTION, answered: frozenset[str] = ASKED) -> bool:
    with transaction.atomic():
        return Confirmation.use(question, order, call_sid=call, answered=answered, now=now)


def test_a_yes_to_what_was_asked_counts_once(asked, placed, now):
    assert [agreed(placed, now) for _ in range(3)] == [True, False, False]


def test_a_yes_to_nothing_is_none(placed, now):
    assert not agreed(placed, now)


@pytest.mark.parametrize("answered", [frozenset(), frozenset({"call_0", "call_2"})])
def test_who_has_said_nothing_since_has_not_agreed(asked, placed, now, answered):
    assert not agreed(placed, now, answered=answered)
    assert agreed(placed, now)


def test_a_yes_is_of_one_call(asked, placed, now):
    assert not agreed(placed, now, call="CA2")
    ask(placed, now, call="CA2")
    assert [agreed(placed, now, call=call) for call in ("CA2", "CA1")] == [True, True]


def test_a_yes_is_to_one_order(asked, placed, shipped, now):
    assert not agreed(shipped, now)


def test_a_yes_is_to_one_sentence(asked, placed, now):
    assert not agreed(placed, now, question="Shall I cancel half of the order?")


@pytest.mark.parametrize(("after_s", "counts"), [(120, True), (121, False)])
def test_a_yes_that_comes_late_is_none(asked, placed, now, after_s, counts):
    assert agreed(placed, now + timedelta(seconds=after_s)) is counts


def change_a_field(order) -> None:
    order.carrier = "Somebody else"
    order.save()


def change_an_item(order) -> None:
    order.items.filter(quantity=2).update(quantity=3)


def add_an_item(order) -> None:
    order.items.create(name="a hat", quantity=1, price=1)


def take_an_item_away(order) -> None:
    order.items.first().delete()


@pytest.mark.parametrize("change", [change_a_field, change_an_item, add_an_item, take_an_item_away, lambda order: order.pack()])
def test_a_yes_to_an_order_that_has_changed_since_is_none(asked, placed, now, change):
    change(placed)
    assert not agreed(placed, now)


def test_a_new_question_takes_the_place_of_the_old_one(asked, placed, shipped, now):
    ask(shipped, now, by="call_2")
    assert not agreed(placed, now)
    assert agreed(shipped, now, answered=frozenset({"call_2"}))


def test_the_same_question_again_is_another_one(asked, placed, now):
    nonce = Confirmation.objects.get().nonce
    ask(placed, now)
    assert Confirmation.objects.get().nonce != nonce


def test_what_was_agreed_stays_written_down(asked, placed, now):
    agreed(placed, now)
    ask(placed, now)
    assert [(one.question, one.used_at) for one in Confirmation.objects.order_by("used_at")] == [(QUESTION, now), (QUESTION, None)]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"call_sid": ""}, "a_question_is_put_in_a_call"),
        ({"question": ""}, "a_question_is_put_in_a_call"),
        ({"used_at": "before"}, "a_yes_follows_its_question"),
        ({}, "a_call_has_one_open_question"),
    ],
)
def test_the_database_keeps_questions_whole(asked, placed, now, facts, name):
    facts = {key: now - timedelta(1) if value == "before" else value for key, value in facts.items()}
    row = {"call_sid": "CA1", "asked_by": "call_1", "order": placed, "question": QUESTION, "order_stood": "x", "asked_at": now}
    with pytest.raises(IntegrityError, match=name):
        Confirmation.objects.create(**row | facts)


@pytest.mark.django_db(transaction=True)
def test_of_many_that_take_one_yes_one_has_it(transactional_db, asked, placed, now):
    together, taken = Barrier(5), []

    def take() -> None:
        together.wait()
        taken.append(agreed(placed, now))
        connection.close()

    threads = [Thread(target=take) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 4 + [True]
