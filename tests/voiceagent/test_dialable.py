"""Which numbers may be rung. Every one that may not is one that somebody would be paid for."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from voiceagent.carriers.twilio import markup
from voiceagent.dialable import check_number, home_countries, may_be_rung, why_not
from voiceagent.models import TransferDestination

LINE = "+14155550100"
ORDINARY = ["+14155550199", "+18005550199"]
ABROAD = {
    "Britain": "+442079460123",
    "its numbers for a whole company": "+443001231234",
    "Germany": "+4930231250000",
    "Jamaica, which looks like a number next door": "+18765551234",
    "the Dominican Republic": "+18095551234",
    "Canada": "+12045551234",
}
NEVER = {
    "premium, American": "+19005551234",
    "premium, in any American area": "+14159761234",
    "premium, British": "+449012345678",
    "premium, French": "+33892700000",
    "shared cost, German": "+491801234567",
    "shared cost, British": "+448451234567",
    "a personal number, which may cost anything": "+447012345678",
    "a personal number, American": "+15005551234",
    "a satellite telephone of Canada": "+16005551234",
    "Inmarsat": "+870773123456",
    "Iridium": "+881612345678",
    "a network of its own": "+882161234567",
    "another one": "+883510012345",
    "premium of no country": "+979123456789",
    "shared cost of no country": "+80812345678",
    "freephone of no country": "+80012345678",
}
NO_NUMBER = {
    "nothing": "",
    "without its country": "4155550199",
    "with 00": "0014155550199",
    "the letters of anonymous": "+266696687",
    "an emergency number": "+1911",
    "a short code": "+172345",
    "no such area": "+11235550199",
    "one digit too many": "+141555501990",
    "Arabic digits": "+1٤١٥٥٥٥٠١٢٣",
    "full-width digits": "+1４１５５５５０１９９",
    "an address": "sip:ben@example.com",
    "a link": "tel:+14155550199",
    "an extension": "+14155550199;ext=900",
    "keys pressed after it": "+14155550199,,900#",
    "two numbers": "+14155550199 +19005551234",
    "a line break": "+14155550199\n",
    "spaces": "+1 415 555 0199",
    "letters": "+1415CALLNOW",
    "a document": "+14155550199</Number><Number>+19005551234",
}


@pytest.mark.parametrize("number", ORDINARY)
def test_ordinary_numbers_at_home_may_be_rung(number):
    assert why_not(number, line=LINE) == ""


@pytest.mark.parametrize("number", ABROAD.values(), ids=ABROAD.keys())
def test_another_country_takes_somebodys_yes(number):
    assert why_not(number, line=LINE) == "This number is in another country."
    assert may_be_rung(number, line=LINE, abroad=True)


@pytest.mark.parametrize("number", NEVER.values(), ids=NEVER.keys())
def test_what_somebody_else_is_paid_for_is_never_rung_whoever_says_yes(number, settings):
    settings.HOME_COUNTRIES = ["US", "CA", "GB", "DE", "FR"]
    assert not may_be_rung(number, line=LINE, abroad=True)


@pytest.mark.parametrize("number", NO_NUMBER.values(), ids=NO_NUMBER.keys())
def test_what_is_no_number_is_never_rung(number, settings):
    settings.HOME_COUNTRIES = ["US"]
    assert not may_be_rung(number, line=LINE, abroad=True)


def test_home_is_where_the_line_is_and_the_person_unless_it_is_set(settings):
    settings.HUMAN_AGENT_PHONE = "+442079460123"
    assert home_countries("+4930231250000") == {"DE", "GB"}
    assert home_countries("") == {"GB"}
    settings.HUMAN_AGENT_PHONE = ""
    assert home_countries("anonymous") == {"US"}
    settings.HOME_COUNTRIES = ["FR", "BE"]
    assert home_countries("+4930231250000") == {"FR", "BE"}
    assert not may_be_rung("+4930231250000", line="+4930231250000")


def test_a_person_who_enters_a_number_says_by_that_which_country_is_meant():
    check_number("+442079460123")
    with pytest.raises(ValidationError, match="cost more"):
        check_number("+19005551234")


@pytest.mark.parametrize("number", [*NEVER.values(), *NO_NUMBER.values()])
def test_no_document_for_the_carrier_rings_it(number):
    to = markup.Addresses("wss://a/", "https://a/1", "https://a/2", "https://a/3", "https://a/4")
    with pytest.raises(ValidationError):
        markup.transfer(words="", language="en-US", number=number, longest_s=1800, to=to)


# Where callers are put through


@pytest.mark.django_db
@pytest.mark.parametrize(
    "number", ["+870773123456", "+882161234567", "+883510012345", "+979123456789", "tel:+1415555", "+1٤١٥٥٥٥٠١"]
)
def test_the_database_keeps_no_destination_that_is_no_telephone(number):
    with pytest.raises(IntegrityError, match="a_destination_is_a_telephone"), transaction.atomic():
        TransferDestination.objects.create(department="returns", phone=number)


@pytest.mark.django_db
def test_a_destination_that_came_past_the_form_is_not_rung():
    TransferDestination.objects.create(department="prizes", phone="+19005551234", any_time=True, abroad=True)
    TransferDestination.objects.create(department="london", phone="+442079460123", any_time=True)
    TransferDestination.objects.create(department="paris", phone="+33142685300", any_time=True, abroad=True)
    rung = {name: TransferDestination.reached_at(name, open_now=True, line=LINE) for name in ("prizes", "london", "paris")}
    assert rung == {"prizes": "+14155550199", "london": "+14155550199", "paris": "+33142685300"}


@pytest.mark.django_db
def test_a_line_abroad_rings_people_of_its_own_country():
    TransferDestination.objects.create(department="london", phone="+442079460123")
    assert TransferDestination.reached_at("london", open_now=True, line="+442079460100") == "+442079460123"
