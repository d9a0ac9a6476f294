import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from orders.models import Proof, Tally
from orders.models.proofs import FROM_A_NUMBER, OF_AN_ORDER, PROOFS, Claim
from tests.orders.conftest import NEW_YORK

ADAS, BENS = "+14155550142", "+14155550187"
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


def test_a_proof_without_a_call_is_impossible(db):
    with pytest.raises(IntegrityError, match="a_proof_belongs_to_a_call"):
        weigh(NUMBER, call="")


def test_what_opens_an_order_is_its_number_with_the_e_mail_or_the_postcode():
    assert PROOFS == (("order_number", "email"), ("order_number", "postcode"))


STATEMENTS = [
    [("ORD-99999", "nobody@example.com")],
    [("ORD-99999", "ada@example.com")],
    [(ADAS_ORDER, "nobody@example.com")],
    [(ADAS_ORDER, "cleo@example.com")],
]


@pytest.mark.parametrize("turns", STATEMENTS)
def test_an_unknown_order_and_a_wrong_detail_are_the_same_to_the_database_too(shop, turns):
    assert statements(turns) == statements([("ORD-99998", "nobody@example.com")] * len(turns))


def statements(turns: list[tuple[str, str]]) -> list[str]:
    """What the database is asked and told, values aside."""
    call = f"CA{turns}"
    with CaptureQueriesContext(connection) as captured:
        for number, email in turns:
            weigh(Claim(order_number=number), Claim(email=email), call=call)
    tallied = [f"{one.count}" for one in Tally.objects.order_by("count")]
    Tally.objects.all().delete()
    return [re.sub(r"'[^']*'|\b\d+\b|\"s\d+_x\d+\"", "?", query["sql"]) for query in captured] + tallied


class TestTriesOfADay:
    def fail(self, call: str, number: str = "", order: str = ADAS_ORDER) -> str:
        return Proof.weigh(call, [Claim(order_number=order), Claim(email=f"{call}@example.com")], number).kind

    def prove(self, call: str, number: str = "", claims: tuple[Claim, ...] = (NUMBER, EMAIL)) -> str:
        return Proof.weigh(call, list(claims), number).kind

    def test_are_five_from_one_number_and_then_only_a_person_helps(self, shop):
        assert [self.fail(f"CA{n}", BENS, f"ORD-1000{n}") for n in range(6)] == ["mismatch"] * 5 + ["locked"]
        assert self.prove("CA7", BENS) == "locked"
        assert self.prove("CA8", BENS, (NUMBER,)) == "locked", "and nobody is asked for details in vain"
        assert self.prove("CA9", ADAS) == "proved"

    @pytest.mark.parametrize("withheld", ["", "anonymous", "+266696687"])
    def test_of_calls_that_show_no_number_are_counted_together(self, shop, withheld):
        for n in range(5):
            self.fail(f"CA{n}", ["", "anonymous", "+266696687", "restricted", "+1"][n], f"ORD-1000{n}")
        assert self.prove("CA7", withheld) == "locked"
        assert self.prove("CA8", ADAS) == "proved"

    @pytest.mark.parametrize("order", [ADAS_ORDER, "ORD-99999"])
    def test_are_twenty_of_one_order_whoever_calls_and_whether_there_is_one(self, shop, order):
        kinds = [self.fail(f"CA{n}", f"+141555501{n:02}", order) for n in range(21)]
        assert kinds == ["mismatch"] * 20 + ["locked"]
        assert self.prove("CA30", ADAS, (Claim(order_number=order), EMAIL)) == "locked"
        assert self.prove("CA31", ADAS, (Claim(order_number=ADAS_OTHER), EMAIL)) == "proved"

    def test_count_no_success_and_no_half_proof(self, shop):
        for n in range(6):
            assert self.prove(f"CA{n}", BENS) == "proved"
            assert self.prove(f"CA1{n}", BENS, (NUMBER,)) == "incomplete"
        assert not Tally.objects.filter(count__gt=0).exists()

    def test_begin_anew_at_midnight_in_the_shop(self, shop, clock):
        clock.move_to(datetime(2026, 11, 18, 23, 59, tzinfo=NEW_YORK))
        for n in range(5):
            self.fail(f"CA{n}", BENS, f"ORD-1000{n}")
        assert self.prove("CA7", BENS) == "locked"
        clock.shift(timedelta(minutes=2))
        assert self.prove("CA8", BENS) == "proved"

    def test_that_are_used_up_leave_open_what_was_proved_before(self, shop):
        self.prove("CA1", BENS)
        for n in range(2, 7):
            self.fail(f"CA{n}", BENS, f"ORD-1000{n}")
        assert Proof.weigh("CA1", [Claim(order_number=ADAS_OTHER)], BENS).kind == "proved"
        assert Proof.weigh("CA1", [CLEOS, Claim(email="cleo@example.com")], BENS).kind == "locked"

    def test_are_kept_without_a_name(self, shop):
        self.fail("CA1", BENS)
        kept = " ".join(str(value) for row in Tally.objects.values_list() for value in row)
        assert len(Tally.objects.all()) == 2
        assert not re.search("47192|4155550187", kept)
        with override_settings(SECRET_KEY="another"):
            assert Tally.objects.first().key != FROM_A_NUMBER.key(BENS) != OF_AN_ORDER.key(BENS)

    def test_cannot_be_kept_under_a_name(self, db):
        with pytest.raises(IntegrityError, match="a_tally_is_kept_under_a_hash"):
            Tally.objects.create(day=date(2026, 11, 18), key=BENS)

    @pytest.mark.django_db(transaction=True)
    def test_cannot_be_passed_by_many_at_once(self, transactional_db, shop):
        together, kinds = Barrier(8), []

        def guess(number: int) -> None:
            together.wait()
            kinds.append(self.fail(f"CA{number}", BENS))
            connection.close()

        in_threads(guess, 8)
        assert sorted(kinds) == ["locked"] * 3 + ["mismatch"] * 5
        assert sorted(Tally.objects.values_list("count", flat=True)) == [5, 5]


@pytest.mark.django_db(transaction=True)
def test_wrong_combinations_that_come_at_once_are_all_counted(transactional_db, shop):
    together, kinds = Barrier(5), []

    def guess(number: int) -> None:
        together.wait()
        kinds.append(weigh(NUMBER, Claim(email=f"{number}@example.com")).kind)
        connection.close()

    in_threads(guess, 5)
    assert sorted(kinds) == ["locked"] * 3 + ["mismatch"] * 2
    assert Proof.objects.get().failures == 3


def in_threads(act: Callable[[int], None], count: int) -> None:
    threads = [Thread(target=act, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
