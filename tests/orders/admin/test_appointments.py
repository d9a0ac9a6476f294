from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from orders.models import Appointment
from orders.models.opening_hours import shop_zone

LIST, ADD = reverse("admin:orders_appointment_changelist"), reverse("admin:orders_appointment_add")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=shop_zone())


def put(starts_at: datetime, **facts) -> Appointment:
    facts = {"phone": "+14155550187", "ends_at": starts_at + timedelta(minutes=30)} | facts
    return Appointment.objects.create(starts_at=starts_at, **facts)


def form(day: int, hour: int, **data) -> dict[str, object]:
    start = {"starts_at_0": f"2026-11-{day}", "starts_at_1": f"{hour}:00"}
    return {"phone": "+14155550142", "lane": 1, "ends_at_0": "", "ends_at_1": ""} | start | data


def test_a_manager_books_half_an_hour(week, now, mia):
    assert mia.post(ADD, form(19, 14)).status_code == 302
    booked = Appointment.objects.get()
    assert (booked.starts_at, booked.minutes, booked.status) == (at(19, 14), 30, "booked")


def test_a_manager_may_book_longer(week, now, mia):
    mia.post(ADD, form(19, 14, ends_at_0="2026-11-19", ends_at_1="16:00"))
    assert Appointment.objects.get().minutes == 120


def test_a_taken_time_is_refused_on_the_form(week, now, mia):
    put(at(19, 14))
    answer = mia.post(ADD, form(19, 14))
    assert answer.status_code == 200
    assert "This time is taken. Choose another time or another lane." in answer.content.decode()
    assert mia.post(ADD, form(19, 14, lane=2)).status_code == 302


def test_an_appointment_cannot_be_moved_onto_another(week, now, mia):
    put(at(19, 14))
    other = put(at(19, 16))
    answer = mia.post(reverse("admin:orders_appointment_change", args=[other.pk]), form(19, 14))
    assert "This time is taken." in answer.content.decode()
    other.refresh_from_db()
    assert other.starts_at == at(19, 16)


def test_a_time_that_is_taken_between_check_and_saving_is_a_sentence_and_no_error_page(week, now, mia, monkeypatch):
    """The form's own check sees a free time, as it does when the agent books in the same moment."""
    put(at(19, 14))
    monkeypatch.setattr(Appointment, "validate_constraints", lambda *args, **kwargs: None)
    answer = mia.post(ADD, form(19, 14), follow=True)
    assert answer.status_code == 200
    assert "This time has just been taken. Choose another time or another lane." in answer.content.decode()
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"ends_at_0": "2026-11-19", "ends_at_1": "13:00"}, "The appointment must end after it starts."),
        ({"phone": "555-0142"}, "Write the number in full, like +14155550142."),
        ({"starts_at_0": "someday"}, "Enter a valid date."),
        ({"lane": 0}, "Ensure this value is greater than or equal to 1."),
    ],
)
def test_what_cannot_be_is_refused_in_words(week, now, mia, data, words):
    assert words in mia.post(ADD, form(19, 14, **data)).content.decode()
    assert not Appointment.objects.exists()


def test_the_list_shows_one_day_with_what_is_free_and_taken(week, now, mia, ada):
    taken = put(at(18, 14), customer=ada, about="sizes")
    answer = mia.get(LIST)
    plan = answer.context["plan"]
    assert (str(plan.day), len(plan.slots), plan.free) == ("2026-11-18", 18, 14)
    assert [slot.start for slot in plan.slots if not slot.free] == [at(18, 14)]
    content = answer.content.decode()
    assert reverse("admin:orders_appointment_change", args=[taken.pk]) in content
    assert f"{ADD}?starts_at=2026-11-18T15%3A00%3A00-05%3A00" in content


def test_a_free_time_leads_to_a_form_with_that_time(week, now, mia):
    content = mia.get(ADD, {"starts_at": "2026-11-18T15:00:00-05:00"}).content.decode()
    assert 'value="2026-11-18"' in content
    assert 'value="15:00:00"' in content


@pytest.mark.parametrize("asked", ["", "someday", "0001-01-01T00:00:00-23:00"])
def test_a_time_that_is_none_opens_an_empty_form(week, now, mia, asked):
    assert mia.get(ADD, {"starts_at": asked}).status_code == 200


def test_another_day_can_be_chosen(week, now, mia):
    put(at(23, 10))
    answer = mia.get(LIST, {"starts_at__year": 2026, "starts_at__month": 11, "starts_at__day": 23})
    assert (str(answer.context["plan"].day), answer.context["plan"].free) == ("2026-11-23", 17)
    assert answer.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("1-1-1", 200),
        ("1-1-2", 200),
        ("9999-12-31", 302),
        ("9999-12-30", 200),
        ("0-0-0", 302),
        ("2026-2-30", 302),
        (f"{'9' * 5000}-1-1", 302),
    ],
)
def test_a_day_at_the_end_of_the_calendar_or_beyond_shows_the_next_open_one(week, now, mia, day, status):
    year, month, of_month = day.split("-")
    asked = {"starts_at__year": year, "starts_at__month": month, "starts_at__day": of_month}
    assert mia.get(LIST, asked).status_code == status
    assert str(mia.get(LIST, asked, follow=True).context["plan"].day) == "2026-11-18"


def test_a_day_long_ago_is_shown_in_every_zone(week, now, mia, settings):
    for zone in ("Pacific/Kiritimati", "America/New_York", "Etc/GMT+12"):
        settings.SHOP_TIME_ZONE = zone
        for year, day in ((1, 3), (9999, 29)):
            asked = {"starts_at__year": year, "starts_at__month": 1 if year == 1 else 12, "starts_at__day": day}
            answer = mia.get(LIST, asked)
            assert (answer.status_code, answer.context["plan"].day.day) == (200, day)


def test_on_a_closed_day_the_next_open_one_is_shown(week, clock, mia):
    clock.move_to(at(22, 12))
    mia.force_login(User.objects.get(username="mia"))
    assert str(mia.get(LIST).context["plan"].day) == "2026-11-23"


def test_a_shop_without_hours_still_has_a_list(db, now, mia):
    put(at(18, 14))
    plan = mia.get(LIST).context["plan"]
    assert (len(plan.slots), len(plan.others), plan.free) == (0, 1, 0)


def test_the_list_shows_what_is_to_come_unless_asked_for_more(week, now, mia):
    put(at(10, 10))
    put(at(19, 10))
    counts = {when: mia.get(LIST, {"when": when} if when else {}).context["cl"].result_count for when in ("", "past", "all")}
    assert counts == {"": 1, "past": 1, "all": 2}


@pytest.mark.parametrize("term", ["APT-{pk}", "apt {pk}", "5550187", "sizes", "Lindgren"])
def test_an_appointment_is_found_by_reference_number_customer_or_reason(week, now, sam, ada, term):
    wanted = put(at(19, 10), customer=ada, about="sizes")
    put(at(19, 12), phone="+14155550133")
    found = sam.get(LIST, {"q": term.format(pk=wanted.pk)}).context["cl"].result_list
    assert list(found) == [wanted]


@pytest.mark.parametrize("number", ["0", "9" * 30, "9" * 5000])
def test_a_reference_that_no_appointment_has_finds_none(week, now, sam, number):
    put(at(19, 10), about=f"APT-{number[:30]}")
    answer = sam.get(LIST, {"q": f"APT-{number}"})
    assert (answer.status_code, answer.context["cl"].result_count) == (200, 0)


@pytest.mark.parametrize(("action", "status"), [("finish_chosen", "done"), ("cancel_chosen", "cancelled")])
def test_appointments_are_closed_in_the_list(week, now, mia, sam, action, status):
    appointment = put(at(19, 10))
    for client, expected in ((sam, "booked"), (mia, status)):
        client.post(LIST, {"action": action, "_selected_action": [appointment.pk]})
        appointment.refresh_from_db()
        assert appointment.status == expected


def test_the_list_says_whether_the_agent_booked(week, now, mia):
    put(at(19, 10))
    assert "the agent" not in mia.get(LIST).content.decode()
    put(at(19, 12), call_sid="CA1")
    assert "the agent" in mia.get(LIST).content.decode()
