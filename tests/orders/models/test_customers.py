import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from orders.models import Customer


def test_an_email_belongs_to_one_customer_however_it_is_written(ada):
    with pytest.raises(IntegrityError, match="one_customer_per_email"):
        Customer.objects.create(name="Somebody", email="ADA@Example.com")


def test_a_second_customer_with_an_email_is_refused_in_words(ada):
    with pytest.raises(ValidationError, match="A customer with this e-mail exists"):
        Customer(name="Somebody", email="Ada@example.com").full_clean()


@pytest.mark.parametrize("phone", ["4155550142", "+1 415 555 0142", "+0155550142", "tel:+14155550142", "+1415555014x"])
def test_a_phone_number_is_written_in_full_or_refused_by_the_database(db, phone):
    with pytest.raises(IntegrityError, match="customer_phone_is_e164"):
        Customer.objects.create(name="Somebody", email="somebody@example.com", phone=phone[:16])


def test_a_customer_needs_no_phone(db):
    Customer.objects.create(name="Somebody", email="somebody@example.com")


@pytest.mark.parametrize(
    ("email", "matches"), [("ada@example.com", True), ("ADA@EXAMPLE.COM", True), ("eda@example.com", False), ("", False)]
)
def test_an_email_matches_whatever_its_capitals(ada, email, matches):
    assert ada.has_email(email) is matches


@pytest.mark.parametrize(
    ("theirs", "said", "matches"),
    [
        ("94110", "94110", True),
        ("94110", "94110-1234", True),
        ("94110", "94 110", True),
        ("94110", "94111", False),
        ("94110", "", False),
        ("", "", False),
        ("SW1A 1AA", "sw1a1aa", True),
        ("SW1A 1AA", "SW1A 1AB", False),
    ],
)
def test_a_postcode_matches_by_its_letters_and_digits(theirs, said, matches):
    assert Customer(name="Ada", email="ada@example.com", postcode=theirs).has_postcode(said) is matches
