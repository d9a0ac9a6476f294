from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection

from orders.models import Proof
from orders.models.proofs import Claim

ADAS_ORDER, ADAS_OTHER, CLEOS_ORDER = "ORD-47192", "ORD-51830", "ORD-60001"
NUMBER, EMAIL, POSTCODE = Claim(order_number=ADAS_ORDER), Claim(email="ada@example.com"), Claim(postcode="94110")
CLEOS = Claim(order_number=CLEOS_ORDER)


def digits(said: str) -> Claim:
    return Claim(order_number=f"ORD-{said}", postcode=said)


@pytest.fixture
def shop(shipped, placed, cleo, place_order):
    place_order(cleo, CLEOS_ORDER)


def weigh(*claims: Claim, call: str = "CA1"):
    return Proof.weigh(call, list(claims))


@pytest.mark.parametrize(
    "claims", [(NUMBER, EMAIL), (NUMBER, POSTCODE), (EMAIL, NUMBER), (POSTCODE, NUMBER), (digits("47192"), digits("94110"))]
)
def test_an_order_number_and_a_second_detail_prove_a_customer(shop, ada, claims):
    verdict = weigh(*claims)
    assert (verdict.kind, verdict.proof.customer, verdict.order.number) == ("proved", ada, ADAS_ORDER)


def test_without_an_orders_number_nothing_is_proved(shop):
    verdict = weigh(EMAIL, POSTCODE)
    assert (verdict.kind, verdict.proof.customer, verdict.proof.failures) == ("incomplete", None, 0)
    assert weigh(NUMBER).kind == "proved"


@pytest.mark.parametrize(
    "claim", [NUMBER, EMAIL, POSTCODE, digits("47192"), Claim(order_number="ORD-99999"), Claim(email="no@example.com")]
)
def test_one_detail_proves_nothing_true_or_not(shop, claim):
    verdict = weigh(claim)
    assert (verdict.kind, verdict.order, verdict.proof.customer, verdict.proof.failures) == ("incomplete", None, None, 0)


@pytest.mark.parametrize("order", [(NUMBER, EMAIL), (EMAIL, NUMBER), (POSTCODE, NUMBER), (digits("94110"), digits("47192"))])
def test_details_may_come_one_by_one_in_any_order(shop, order):
    assert weigh(order[0]).kind == "incomplete"
    assert weigh(order[1]).order.number == ADAS_ORDER


def test_details_of_two_calls_do_not_meet(shop):
    assert weigh(NUMBER, call="CA1").kind == "incomplete"
    assert weigh(EMAIL, call="CA2").kind == "incomplete"


@pytest.mark.parametrize(
    "claims",
    [
        (NUMBER, Claim(email="cleo@example.com")),
        (NUMBER, Claim(postcode="10001")),
        (CLEOS, EMAIL),
        (EMAIL, Claim(postcode="10001")),
        (Claim(order_number="ORD-99999"), EMAIL),
        (NUMBER, Claim(postcode="")),
        (digits("99999"), digits("94110")),
    ],
)
def test_details_of_two_people_prove_nobody(shop, claims):
    verdict = weigh(*(claim for claim in claims if claim))
    assert verdict.kind in ("mismatch", "incomplete")
    assert (verdict.order, verdict.proof.customer) == (None, None)


@pytest.mark.parametrize("kind", ["email", "order_number"])
def test_two_details_of_one_kind_are_a_correction_and_no_attempt(shop, kind):
    verdict = weigh(Claim(**{kind: "ORD-47182"}), Claim(**{kind: ADAS_ORDER}))
    assert (verdict.kind, verdict.proof.failures) == ("incomplete", 0)


def test_a_corrected_detail_is_weighed_with_what_was_said_before(shop):
    assert weigh(Claim(order_number="ORD-47182"), EMAIL).kind == "mismatch"
    assert weigh(NUMBER).kind == "proved"


def test_the_same_digits_are_one_detail_though_they_could_be_two(ada, place_order):
    place_order(ada, "ORD-94110")
    assert weigh(digits("94110"), digits("94110")).kind == "incomplete"


def test_digits_that_are_an_orders_number_and_its_postcode_are_one_detail_beside_another_number_too(shop, ada, place_order):
    place_order(ada, "ORD-94110")
    verdict = weigh(digits("94110"), CLEOS)
    assert (verdict.kind, verdict.proof.customer) == ("mismatch", None)


def test_only_the_last_three_details_are_remembered(shop):
    for number in (ADAS_ORDER, "ORD-10001", "ORD-10002"):
        assert weigh(Claim(order_number=number)).kind == "incomplete"
    assert weigh(EMAIL).kind == "mismatch"


def test_of_what_was_claimed_the_newest_is_heard_last(shop):
    assert weigh().heard == ()
    assert weigh(EMAIL).heard == (EMAIL,)
    assert weigh(POSTCODE).heard == (EMAIL, POSTCODE)
    assert weigh(EMAIL).heard == (POSTCODE, EMAIL)


def test_of_a_mismatch_the_two_newest_that_could_have_matched_are_heard(shop):
    wrong, other = Claim(email="eda@example.com"), Claim(email="oda@example.com")
    assert weigh(NUMBER, wrong).heard == (NUMBER, wrong)
    assert weigh(other).heard == (NUMBER, other)


def test_the_last_combination_starts_from_nothing(shop):
    wrong = Claim(email="eda@example.com")
    assert [weigh(one).kind for one in (Claim(order_number="ORD-47182"), wrong)] == ["incomplete", "mismatch"]
    assert weigh(digits("47183")).kind == "mismatch"
    assert weigh(NUMBER).kind == "incomplete"
    assert weigh(POSTCODE).kind == "proved"


def test_the_last_combination_locks_when_it_is_wrong_too(shop):
    for guess in ("a", "b"):
        weigh(NUMBER, Claim(email=f"{guess}@example.com"))
    assert weigh(NUMBER).kind == "incomplete"
    verdict = weigh(Claim(postcode="94111"))
    assert (verdict.kind, verdict.heard, verdict.proof.claims) == ("locked", (), [])


@pytest.mark.parametrize("again", [digits("47192"), NUMBER])
@pytest.mark.parametrize("first", [digits("47192"), NUMBER])
def test_the_same_number_is_one_detail_whether_its_kind_was_named_or_not(shop, first, again):
    verdict = weigh(first, again)
    assert (verdict.kind, verdict.proof.failures) == ("incomplete", 0)
    assert verdict.heard == (NUMBER if NUMBER in (first, again) else first,)
    weigh(Claim(email="eda@example.com"))
    verdict = weigh(first if again is NUMBER else again)
    assert (verdict.kind, verdict.proof.failures) == ("mismatch", 1)


def test_the_same_digits_named_as_a_number_and_as_a_postcode_prove_nothing(ada, place_order):
    place_order(ada, "ORD-94110")
    verdict = weigh(Claim(order_number="ORD-94110"), POSTCODE)
    assert (verdict.kind, verdict.proof.failures) == ("incomplete", 0)


def test_who_has_proved_to_be_whom_is_known_by_the_call(shop, ada, cleo):
    weigh(NUMBER, EMAIL, call="CA1")
    weigh(CLEOS, Claim(email="cleo@example.com"), call="CA2")
    weigh(NUMBER, call="CA3")
    assert [Proof.customer_of(call) for call in ("CA1", "CA2", "CA3", "CA4")] == [ada, cleo, None, None]


def test_after_three_wrong_combinations_even_the_right_one_is_refused(shop):
    kinds = [weigh(NUMBER, Claim(email=f"{guess}@example.com")).kind for guess in ("a", "b", "c")]
    assert kinds == ["mismatch", "mismatch", "locked"]
    assert weigh(NUMBER, EMAIL).kind == "locked"
    assert Proof.objects.get().customer is None


def test_another_call_starts_afresh(shop):
    for guess in ("a", "b", "c"):
        weigh(NUMBER, Claim(email=f"{guess}@example.com"))
    assert weigh(NUMBER, EMAIL, call="CA2").kind == "proved"


def test_saying_the_same_again_is_no_further_attempt(shop):
    for _ in range(5):
        verdict = weigh(NUMBER, Claim(email="eda@example.com"))
    assert (verdict.kind, verdict.proof.failures) == ("mismatch", 1)


def test_postcodes_cannot_be_tried_out_between_order_numbers(shop):
    kinds = [weigh(digits(said)).kind for said in ("47192", "94101", "47192", "94102", "47192", "94103", "94110")]
    assert kinds[-1] == "locked"


@pytest.mark.parametrize("number", [ADAS_ORDER, ADAS_OTHER])
def test_once_proved_all_orders_of_that_customer_are_open_in_that_call(shop, number):
    weigh(NUMBER, EMAIL)
    verdict = weigh(Claim(order_number=number))
    assert (verdict.kind, verdict.order.number) == ("proved", number)
    assert weigh(Claim(order_number=number), call="CA2").kind == "incomplete"


@pytest.mark.parametrize("claims", [(), (EMAIL,), (POSTCODE,), (digits("94110"),)])
def test_once_proved_saying_who_one_is_names_no_order_and_is_no_attempt(shop, claims):
    weigh(NUMBER, EMAIL)
    verdict = weigh(*claims)
    assert (verdict.kind, verdict.order, verdict.proof.failures) == ("proved", None, 0)


@pytest.mark.parametrize("number", [CLEOS_ORDER, "ORD-99999"])
def test_once_proved_other_peoples_orders_stay_closed_and_unknown(shop, number):
    weigh(NUMBER, EMAIL)
    for claims in [(Claim(order_number=number),), (Claim(order_number=number), EMAIL)]:
        verdict = weigh(*claims)
        assert (verdict.kind, verdict.order, verdict.proof.failures) == ("not_theirs", None, 0)


def test_a_caller_may_prove_a_second_customer(shop, cleo):
    weigh(NUMBER, EMAIL)
    verdict = weigh(CLEOS, Claim(email="cleo@example.com"))
    assert (verdict.kind, verdict.proof.customer, verdict.order.number) == ("proved", cleo, CLEOS_ORDER)
    assert weigh(NUMBER).kind == "not_theirs"


def test_a_proof_forgets_what_was_claimed(shop):
    weigh(NUMBER)
    assert Proof.objects.get().claims
    weigh(EMAIL)
    assert Proof.objects.get().claims == []


def test_a_question_about_cancelling_is_remembered_for_two_minutes_and_one_order(shop, shipped, placed, now):
    proof = weigh(NUMBER, EMAIL).proof
    proof.ask_to_cancel(placed, now)
    proof.refresh_from_db()
    assert proof.was_asked_to_cancel(placed, now + timedelta(minutes=2))
    assert not proof.was_asked_to_cancel(placed, now + timedelta(minutes=2, seconds=1))
    assert not proof.was_asked_to_cancel(shipped, now)


def test_a_question_about_cancelling_is_asked_in_one_call_only(shop, placed, now):
    weigh(NUMBER, EMAIL, call="CA1").proof.ask_to_cancel(placed, now)
    assert not weigh(NUMBER, EMAIL, call="CA2").proof.was_asked_to_cancel(placed, now)
    other = weigh(NUMBER, EMAIL, call="CA3").proof
    weigh(NUMBER, call="CA1").proof.ask_to_cancel(placed, now)
    other.refresh_from_db()
    assert not other.was_asked_to_cancel(placed, now)


def test_a_proof_without_a_call_is_impossible(db):
    with pytest.raises(IntegrityError, match="a_proof_belongs_to_a_call"):
        weigh(NUMBER, call="")


def test_what_exists_makes_no_difference_to_the_questions_asked(shop, django_assert_num_queries):
    Proof.weigh("CA1", [])
    Proof.weigh("CA2", [])
    for call, number in (("CA1", ADAS_ORDER), ("CA2", "ORD-99999")):
        with django_assert_num_queries(6):
            weigh(Claim(order_number=number), Claim(email="nobody@example.com"), call=call)


@pytest.mark.django_db(transaction=True)
def test_wrong_combinations_that_come_at_once_are_all_counted(transactional_db, shop):
    together, kinds = Barrier(5), []

    def guess(number: int) -> None:
        together.wait()
        kinds.append(weigh(NUMBER, Claim(email=f"{number}@example.com")).kind)
        connection.close()

    threads = [Thread(target=guess, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kinds) == ["locked"] * 3 + ["mismatch"] * 2
    assert Proof.objects.get().failures == 3
