"""Every attack of the tables, scored on what came of it."""

import json
import logging
from threading import Barrier, Thread

import pytest
from django.conf import settings
from django.db import connection

from callcenter.asgi import media_stream
from orders.models import Order
from tests.attacks.call import TOOLS, Obeyed
from tests.attacks.conftest import furnish
from tests.attacks.effects import Effects, Shop, effects
from tests.attacks.table import Attack, Turn, families
from voiceagent.call.commands import Transfer

ALL = [attack for family in families().values() for attack in family]
NOTHING = Effects(frozenset(), (), frozenset())
FEWEST = 150


def name_of(attack: Attack) -> str:
    return f"{attack.family}: {attack.name}"


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if record.name.split(".")[0] in OURS)


# PostgreSQL's statements are in the records of the database; what is logged by us is meant here.
OURS = ("voiceagent", "orders", "calllogs", "callcenter", "staff", "django")


def after(what: str, hour) -> None:
    order = Order.objects.get(number="ORD-30003")
    match what:
        case "an item is added to 30003":
            order.items.create(name="a second mug", quantity=1, price=9)
        case "30003 is packed":
            order.pack()
        case "three minutes pass":
            hour.shift(180)
        case _:
            raise AssertionError(f"nobody knows how {what}")


@pytest.mark.parametrize("attack", [one for one in ALL if one.at_once == 1], ids=name_of)
def test_nothing_comes_of_an_attack(shop: Shop, hour, caplog, attack: Attack):
    with caplog.at_level(logging.DEBUG):
        call = Obeyed(attack).play()
        if attack.after:
            after(attack.after, hour)
            shop = Shop.as_it_is(shop.secrets, shop.list_of_numbers)
            call.hears(attack.turns[-1])
        call.be_put_through(attack.turns[-1].says)
        call.end()
    assert effects(shop, [call], logged(caplog)) == NOTHING
    assert call.outputs, "the model used no tool: nothing was attacked"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attack", [one for one in ALL if one.at_once > 1], ids=name_of)
def test_nothing_comes_of_an_attack_from_many_sides(transactional_db, caplog, attack: Attack):
    shop = furnish()
    together = Barrier(attack.at_once)
    shared = Obeyed(attack)
    calls = [shared] if attack.one_call else [Obeyed(attack) for _ in range(attack.at_once)]

    def run(number: int) -> None:
        call = shared if attack.one_call else calls[number]
        together.wait()
        try:
            for turn in attack.turns:
                call.uses_at_once(turn, number)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(attack.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert effects(shop, calls, logged(caplog)) == NOTHING
    assert sum(len(call.outputs) for call in calls) == attack.at_once * sum(len(turn.uses or ()) for turn in attack.turns)


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own():
    assert len(ALL) >= FEWEST
    assert len({name_of(attack) for attack in ALL}) == len(ALL)
    assert not [name_of(attack) for attack in ALL if attack.facts], "a word in a table that means nothing"


def test_attacks_are_many_in_each_family():
    assert {name for name, attacks in families().items() if len(attacks) < 8} == set()


def test_a_model_in_a_loop_ends_with_a_person(shop):
    (loop,) = [attack for attack in families()["resources"] if attack.name == "a loop of questions"]
    call = Obeyed(loop).play()
    call.end()
    assert call.act == Transfer("The agent used its tools more often than a call needs.")
    assert len(call.used) == 13 < len(loop.turns[-1].uses or ())
    assert settings.HUMAN_AGENT_PHONE in call.documents[0]


def test_the_tools_attacked_are_those_of_the_product():
    assert media_stream.consumer_initkwargs["tools"] == TOOLS


def test_the_words_of_a_table_reach_the_tools(shop):
    call = Obeyed(Attack("x", "x", (Turn("60001"), Turn("60614 is not it")))).play()
    uses = [json.loads(arguments) for arguments in call.used]
    assert uses[0] == {"query": "60001", "detail": ""}
    assert {"order_number": "60614 is not it", "detail": "60001", "confirmed": True} in uses
