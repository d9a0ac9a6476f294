from contextlib import nullcontext
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Event, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.signals import post_save

from orders.models import Appointment, Closure, NotFree, OpeningHours, ShopHours, Tally, TooMany
from orders.models.appointments import free_near, free_within, slots, spread, why_not
from orders.models.opening_hours import shop_zone

ADA, BEN = "+14155550142", "+14155550187"


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=shop_zone())


def put(starts_at: datetime, minutes: int = 30, **facts) -> Appointment:
    return Appointment.objects.create(
        **{"phone": BEN, "starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=minutes)} | facts
    )


def read(times: list[datetime]) -> list[str]:
    return [f"{moment:%a %H:%M}" for moment in times]


@pytest.mark.parametrize(("starts", "minutes"), [(at(19, 14), 30), (at(19, 13, 45), 30), (at(19, 13), 120), (at(19, 14, 10), 5)])
def test_the_database_refuses_two_appointments_at_once(db, starts, minutes):
    put(at(19, 14))
    with pytest.raises(IntegrityError, match="appointments_do_not_overlap"):
        put(starts, minutes)


@pytest.mark.parametrize("path", ["bulk", "update"])
def test_no_way_around_the_model_makes_two_at_once(db, path):
    put(at(19, 14))
    other = put(at(19, 16))
    with pytest.raises(IntegrityError, match="appointments_do_not_overlap"):
        if path == "bulk":
            Appointment.objects.bulk_create([Appointment(phone=ADA, starts_at=at(19, 14), ends_at=at(19, 15))])
        else:
            Appointment.objects.filter(pk=other.pk).update(starts_at=at(19, 14, 15))


def test_appointments_may_follow_each_other_or_lie_side_by_side(db):
    put(at(19, 14))
    put(at(19, 14, 30))
    put(at(19, 13, 30))
    put(at(19, 14), lane=2)
    assert Appointment.objects.booked().count() == 4


@pytest.mark.parametrize("leave", ["cancel", "finish"])
def test_a_time_is_free_again_when_its_appointment_is_cancelled_or_done(db, leave):
    first = put(at(19, 14))
    assert getattr(first, leave)() is True
    assert getattr(first, leave)() is False
    put(at(19, 14))


@pytest.mark.parametrize(("leave", "status"), [("cancel", "cancelled"), ("finish", "done")])
def test_an_appointment_is_closed_alone(db, leave, status):
    first, other = put(at(19, 14)), put(at(19, 15))
    getattr(first, leave)()
    other.refresh_from_db()
    assert (first.status, other.status) == (status, "booked")


def test_an_appointment_that_ends_before_it_starts_is_refused_in_words(db):
    with pytest.raises(ValidationError, match="must end after it starts"):
        Appointment(phone=ADA, starts_at=at(19, 14), ends_at=at(19, 13)).full_clean()
    with pytest.raises(ValidationError, match="This time is taken"):
        put(at(19, 14))
        Appointment(phone=ADA, starts_at=at(19, 14), ends_at=at(19, 15)).full_clean()


@pytest.mark.parametrize("ends", [at(19, 13), at(19, 14)])
def test_an_appointment_takes_time(ends):
    with pytest.raises(ValidationError, match="must end after it starts"):
        Appointment(phone=ADA, starts_at=at(19, 14), ends_at=ends).clean()


@pytest.mark.parametrize("known", [{"starts_at": at(19, 14)}, {"ends_at": at(19, 14)}])
def test_an_appointment_of_which_a_time_is_missing_is_refused_in_words(db, known):
    with pytest.raises(ValidationError, match="cannot be null"):
        Appointment(phone=ADA, **known).full_clean()


def test_bookings_queue(db):
    """Two at once that exclude each other would each wait for the other."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('appointments'))")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            put(at(19, 14))
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("wanted", "waits"),
    [
        ({"starts_at": at(19, 15), "lane": 2}, True),
        ({"starts_at": at(19, 15, 30), "lane": 1}, False),
        ({"starts_at": at(19, 16), "minutes": 60, "lane": 2}, True),
        ({"starts_at": at(19, 16, 15), "lane": 2}, True),
        ({"starts_at": at(19, 16, 0, 1), "lane": 2}, True),
    ],
)
def test_only_who_wants_another_slot_does_not_wait_for_one_that_is_being_booked(wanted, waits):
    """From the moment at which the first is written until it is committed."""
    is_written, may_go_on = Event(), Event()

    def written(instance: Appointment, **_: object) -> None:
        if instance.starts_at == at(19, 15) and instance.lane == 1:
            is_written.set()
            assert may_go_on.wait(20)

    def book() -> None:
        put(at(19, 15))
        connection.close()

    post_save.connect(written, sender=Appointment)
    booking = Thread(target=book)
    booking.start()
    try:
        assert is_written.wait(20)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(OperationalError, match="lock timeout") if waits else nullcontext():
                put(**wanted)
    finally:
        may_go_on.set()
        booking.join()
        post_save.disconnect(written, sender=Appointment)


def test_a_number_that_cannot_be_rung_is_refused(db):
    with pytest.raises(IntegrityError, match="appointment_phone_is_e164"):
        put(at(19, 14), phone="anonymous")


def test_a_number_that_cannot_be_rung_is_not_mistaken_for_a_taken_time(week, now):
    with pytest.raises(IntegrityError, match="appointment_phone_is_e164"):
        Appointment.book(phone="anonymous", starts_at=at(19, 14), now=now)


def test_a_booking_has_a_reference_and_half_an_hour(week, now):
    booked = Appointment.book(phone=ADA, starts_at=at(19, 14), now=now, about="sizes", call_sid="CA1")
    assert (booked.reference, booked.minutes, booked.lane) == (f"APT-{booked.pk}", 30, 1)
    assert (booked.about, booked.call_sid, booked.status) == ("sizes", "CA1", "booked")


def test_booking_again_in_the_same_call_is_the_same_appointment(week, now):
    facts = {"phone": ADA, "starts_at": at(19, 14), "now": now, "call_sid": "CA1"}
    assert Appointment.book(**facts) == Appointment.book(**facts)
    assert Appointment.objects.count() == 1


def test_a_call_may_book_several_times(week, now):
    booked = [Appointment.book(phone=ADA, starts_at=at(19, hour), now=now, call_sid="CA1") for hour in (14, 15)]
    assert [one.starts_at for one in booked] == [at(19, 14), at(19, 15)]


def test_without_a_call_booking_again_is_no_repetition(week, now):
    Appointment.book(phone=ADA, starts_at=at(19, 14), now=now)
    with pytest.raises(NotFree):
        Appointment.book(phone=ADA, starts_at=at(19, 14), now=now)


def test_a_booking_knows_its_customer_and_no_more_about_it_than_fits(week, now, ada):
    booked = Appointment.book(phone=ADA, starts_at=at(19, 14), now=now, customer=ada, about="x" * 300)
    assert (booked.customer, booked.about) == (ada, "x" * 200)


def test_the_same_call_sees_its_booking_even_when_the_time_has_come_close(week, now):
    booked = Appointment.book(phone=ADA, starts_at=at(18, 10, 30), now=now, call_sid="CA1")
    again = Appointment.book(phone=ADA, starts_at=at(18, 10, 30), now=now + timedelta(minutes=10), call_sid="CA1")
    assert again == booked


@pytest.mark.parametrize("other", [{"call_sid": "CA2"}, {"phone": BEN}])
def test_another_call_or_number_does_not_get_a_taken_time(week, now, other):
    facts = {"phone": ADA, "starts_at": at(19, 14), "now": now, "call_sid": "CA1"}
    Appointment.book(**facts)
    with pytest.raises(NotFree) as refusal:
        Appointment.book(**facts | other)
    assert refusal.value.why == "taken"
    assert read(refusal.value.nearby) == ["Thu 13:00", "Thu 13:30", "Thu 14:30"]


def test_as_many_appointments_fit_as_there_are_lanes(week, now):
    OpeningHours.objects.update(lanes=2)
    lanes = [Appointment.book(phone=ADA, starts_at=at(19, 14), now=now, call_sid=sid).lane for sid in ("CA1", "CA2")]
    assert lanes == [1, 2]
    with pytest.raises(NotFree):
        Appointment.book(phone=ADA, starts_at=at(19, 14), now=now, call_sid="CA3")


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        (at(18, 10, 30), None),
        (at(18, 10), "too_soon"),
        (at(17, 10), "too_soon"),
        (at(18, 17, 30), None),
        (at(18, 18), "closed"),
        (at(18, 17, 45), "between_slots"),
        (at(18, 12, 10), "between_slots"),
        (at(18, 12, 0, 30), "between_slots"),
        (at(22, 12), "closed"),
        (at(26, 12), "closed"),
        (datetime(2027, 2, 16, 10, tzinfo=shop_zone()), None),
        (datetime(2027, 2, 17, 10, tzinfo=shop_zone()), "too_far"),
    ],
)
def test_only_half_hours_within_opening_hours_can_be_booked(week, now, moment, why):
    Closure.objects.create(first_day=date(2026, 11, 26), last_day=date(2026, 11, 26), name="Thanksgiving")
    hours = ShopHours.load()
    assert why_not(moment, now, hours) == why
    if why:
        with pytest.raises(NotFree) as refusal:
            Appointment.book(phone=ADA, starts_at=moment, now=now, hours=hours)
        assert refusal.value.why == why
        assert not Appointment.objects.exists()


def test_the_lead_is_a_quarter_of_an_hour(week, now):
    hours = ShopHours.load()
    assert why_not(at(18, 10, 30), at(18, 10, 15), hours) is None
    assert why_not(at(18, 10, 30), at(18, 10, 15, 1), hours) == "too_soon"


def test_a_time_in_another_zone_is_the_same_time(week, now):
    booked = Appointment.book(phone=ADA, starts_at=at(19, 14).astimezone(UTC), now=now)
    assert booked.starts_at == at(19, 14)


@pytest.mark.parametrize(
    ("moment", "offered"),
    [
        (at(18, 11), ["Wed 10:30", "Wed 11:30", "Wed 12:00"]),
        (at(22, 12), ["Mon 11:30", "Mon 12:00", "Mon 12:30"]),
        (at(18, 19), ["Wed 16:30", "Wed 17:00", "Wed 17:30"]),
        (at(21, 20), ["Sat 14:30", "Sat 15:00", "Sat 15:30"]),
        (at(17, 9), ["Wed 10:30", "Wed 11:30", "Wed 12:00"]),
    ],
)
def test_up_to_three_free_times_near_the_wanted_one_are_offered(week, now, moment, offered):
    put(at(18, 11))
    assert read(free_near(moment, now, ShopHours.load())) == offered


def test_a_full_day_offers_the_next_at_the_same_time_of_day(week, now):
    put(at(19, 9), minutes=9 * 60)
    assert read(free_near(at(19, 14), now, ShopHours.load())) == ["Fri 13:30", "Fri 14:00", "Fri 14:30"]


def test_a_shop_without_lanes_offers_nothing(week, now):
    OpeningHours.objects.update(lanes=0)
    assert free_near(at(19, 14), now, ShopHours.load()) == []
    with pytest.raises(NotFree):
        Appointment.book(phone=ADA, starts_at=at(19, 14), now=now)


def test_every_time_that_is_offered_can_be_booked(week, now):
    put(at(23, 10), minutes=45)
    hours = ShopHours.load()
    free = free_within(at(23, 0), at(23, 12), now, hours)
    assert read(free) == ["Mon 09:00", "Mon 09:30", "Mon 11:00", "Mon 11:30"]
    for moment in free:
        Appointment.book(phone=ADA, starts_at=moment, now=now, hours=hours)
    assert free_within(at(23, 0), at(23, 12), now, hours) == []


def test_free_times_of_two_weeks_are_one_question_to_the_database(week, now, django_assert_num_queries):
    hours = ShopHours.load()
    with django_assert_num_queries(1):
        assert len(free_within(now, now + timedelta(days=14), now, hours)) > 150


def test_free_times_start_after_the_lead_and_end_before_the_horizon(week, now):
    hours = ShopHours.load()
    assert read(free_within(at(18, 0), at(18, 12), now, hours)) == ["Wed 10:30", "Wed 11:00", "Wed 11:30"]
    assert free_within(at(17, 0), at(18, 0), now, hours) == []
    assert free_within(now + timedelta(days=100), now + timedelta(days=101), now, hours) == []


@pytest.mark.parametrize(("day", "expected"), [(date(2026, 3, 8), 4), (date(2026, 11, 1), 8), (date(2026, 11, 8), 6)])
def test_half_hours_vanish_or_come_twice_when_the_clocks_change(db, day, expected):
    OpeningHours.objects.create(weekday=6, opens=time(0), closes=time(3))
    starts = [start.astimezone(UTC) for start, _ in slots(day, ShopHours.load())]
    assert len(starts) == len(set(starts)) == expected


def test_hours_that_open_at_an_odd_minute_have_slots_on_the_half_hour(db):
    OpeningHours.objects.create(weekday=6, opens=time(9, 10), closes=time(10, 45))
    assert read([start for start, _ in slots(date(2026, 11, 22), ShopHours.load())]) == ["Sun 09:30", "Sun 10:00"]


def test_a_choice_spreads_over_what_is_free():
    times = [at(23, 9) + timedelta(minutes=30 * step) for step in range(7)]
    assert read(spread(times)) == ["Mon 09:00", "Mon 10:30", "Mon 12:00"]
    assert spread(times[:2]) == times[:2]
    assert spread([]) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("calls", "lanes"), [(2, 1), (8, 1), (8, 3)])
def test_of_many_calls_that_book_a_time_at_once_only_as_many_succeed_as_there_are_lanes(transactional_db, week, now, calls, lanes):
    OpeningHours.objects.update(lanes=lanes)
    together, outcomes = Barrier(calls), []

    def call(number: int) -> None:
        together.wait()
        try:
            phone = f"+1415555018{number}"
            outcomes.append(Appointment.book(phone=phone, starts_at=at(19, 14), now=now, call_sid=f"CA{number}").lane)
        except NotFree as refusal:
            outcomes.append(refusal.why)
        finally:
            connection.close()

    in_threads(call, calls)
    assert sorted(map(str, outcomes)) == sorted([*map(str, range(1, lanes + 1)), *["taken"] * (calls - lanes)])
    assert Appointment.objects.booked().count() == lanes


@pytest.mark.django_db(transaction=True)
def test_one_call_that_books_the_same_time_at_once_has_one_appointment(transactional_db, week, now):
    OpeningHours.objects.update(lanes=3)
    together, references = Barrier(4), []

    def call(_: int) -> None:
        together.wait()
        references.append(Appointment.book(phone=ADA, starts_at=at(19, 14), now=now, call_sid="CA1").reference)
        connection.close()

    in_threads(call, 4)
    assert len(references) == 4
    assert len(set(references)) == 1


class TestACallerWhoBooksTooMuch:
    def book(self, now, hour: int, call: str = "CA1", phone: str = ADA, number: str = ADA, day: int = 19):
        return Appointment.book(phone=phone, starts_at=at(day, hour), now=now, call_sid=call, caller_number=number)

    def why(self, *args, **facts) -> str:
        before = Appointment.objects.count()
        with pytest.raises(TooMany) as refusal:
            self.book(*args, **facts)
        assert Appointment.objects.count() == before
        return refusal.value.why

    def test_books_twice_in_a_call_and_no_more_whatever_number_is_to_be_rung(self, week, now):
        self.book(now, 10)
        self.book(now, 11, phone=BEN)
        assert self.why(now, 12, phone="+14155550177") == "in_this_call"

    def test_does_not_book_more_in_that_call_because_staff_cancelled(self, week, now):
        for hour in (10, 11):
            self.book(now, hour).cancel()
        assert self.why(now, 12) == "in_this_call"

    def test_books_the_same_time_again_though_no_other(self, week, now):
        first = self.book(now, 10)
        self.book(now, 11)
        assert self.book(now, 10) == first

    def test_books_three_times_on_a_day_from_one_number(self, week, now):
        for number in range(3):
            self.book(now, 10 + number, call=f"CA{number}", phone=f"+1415555018{number}")
        assert self.why(now, 14, call="CA9", phone=BEN) == "today"
        assert self.book(now, 14, call="CA9", phone=BEN, number=BEN)

    def test_has_three_booked_for_one_number_on_a_day_wherever_the_calls_come_from(self, week, now):
        for number in range(3):
            self.book(now, 10 + number, call=f"CA{number}", number=f"+1415555018{number}")
        assert self.why(now, 14, call="CA9", number=BEN) == "today"

    @pytest.mark.parametrize("withheld", ["", "anonymous", "+266696687"])
    def test_who_withholds_theirs_is_known_by_the_number_they_want_to_be_called_on(self, week, now, withheld):
        for number in range(4):
            self.book(now, 10 + number, call=f"CA{number}", phone=f"+1415555018{number}", number=withheld)
        assert Appointment.objects.count() == 4

    def test_books_again_on_another_day_unless_three_are_still_to_come(self, week, now, clock):
        booked = [self.book(now, 10 + number, call=f"CA{number}", day=23) for number in range(3)]
        tomorrow = now + timedelta(days=1)
        clock.move_to(tomorrow)
        assert self.why(tomorrow, 14, call="CA9") == "open"
        booked[0].finish()
        assert self.book(tomorrow, 14, call="CA9", day=20)

    def test_leaves_no_number_in_the_tallies(self, week, now):
        self.book(now, 10)
        assert not [one for one in Tally.objects.all() if "4155550142" in f"{one.key}"]
        assert sorted(Tally.objects.values_list("count", flat=True)) == [1, 1, 1]

    def test_is_not_counted_for_what_could_not_be_booked(self, week, now):
        self.book(now, 10, call="CA1", number=BEN, phone=BEN)
        for _ in range(3):
            with pytest.raises(NotFree):
                self.book(now, 10, call="CA2")
        for number in range(2):
            self.book(now, 11 + number, call="CA2")

    def test_is_not_counted_where_staff_book(self, week, now):
        for number in range(4):
            Appointment.book(phone=ADA, starts_at=at(19, 10 + number), now=now)

    @pytest.mark.django_db(transaction=True)
    def test_cannot_book_more_by_booking_all_at_once(self, transactional_db, week, now):
        OpeningHours.objects.update(lanes=9)
        together, outcomes = Barrier(6), []

        def call(number: int) -> None:
            together.wait()
            try:
                outcomes.append(self.book(now, 10 + number, phone=f"+1415555018{number}").starts_at.hour)
            except TooMany as refusal:
                outcomes.append(refusal.why)
            finally:
                connection.close()

        in_threads(call, 6)
        assert outcomes.count("in_this_call") == 4
        assert Appointment.objects.count() == 2


def in_threads(act, count: int) -> None:
    threads = [Thread(target=act, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_card_number_stays_in_what_staff_write_or_the_agent_passes_on(db):
    appointment = put(at(19, 14), about="pay with 4111 1111 1111 1111", note="4111111111111111, code 123")
    appointment.refresh_from_db()
    assert (appointment.about, appointment.note) == ("pay with [card number]", "[card number], code [security code]")
    appointment.note = "card 5555 5555 5555 4444"
    appointment.save()
    appointment.refresh_from_db()
    assert appointment.note == "card [card number]"
