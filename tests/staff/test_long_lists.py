"""What is long is not counted to its end, nor sorted by what has no index."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calllogs.models import CallLog
from orders.models import Customer
from staff import audit, long_lists
from staff.long_lists import EstimatingPaginator
from staff.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [CallLog, Customer])
def test_all_rows_of_a_large_table_are_estimated_and_a_search_is_counted(model, monkeypatch: pytest.MonkeyPatch):
    row = model.objects.create()
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    monkeypatch.setattr(long_lists, "COUNTED_UP_TO", 0)
    with CaptureQueriesContext(connection) as captured:
        assert EstimatingPaginator(model.objects.all(), 50).count == 1
    assert len(captured) == 1
    assert "reltuples" in captured[0]["sql"]
    assert EstimatingPaginator(model.objects.filter(pk=row.pk + 1), 50).count == 0


def test_a_small_table_is_counted():
    Customer.objects.create()
    assert EstimatingPaginator(Customer.objects.all(), 50).count == 1


def listed(client: Client, kind: str, order: str = "") -> list[int]:
    """The rows' keys, as the list shows them."""
    rows = client.get(reverse(f"admin:{kind}_changelist"), {"o": order} if order else {}).context["cl"].result_list
    return [row.pk for row in rows]


def test_calls_are_sorted_by_time_alone(mia: Client):
    now = timezone.now()
    facts = [(30, "+14155550142", "es", "caller_hung_up"), (20, "+14155550144", "de", "max_duration"), (40, "", "en", "failed")]
    for number, (duration_s, caller, language, reason) in enumerate(facts):
        CallLog.objects.create(
            call_sid=f"CA{number}",
            started_at=now + timedelta(seconds=number),
            duration_s=duration_s,
            caller_number=caller,
            language=language,
            end_reason=reason,
        )
    newest_first = listed(mia, "calllogs_calllog")
    assert listed(mia, "calllogs_calllog", "1") == newest_first[::-1]
    for column in range(2, 10):
        assert [listed(mia, "calllogs_calllog", f"{sign}{column}") for sign in ("", "-")] == [newest_first] * 2


def test_what_staff_did_is_sorted_by_time_alone(ida: Client, ada: Customer):
    for action, who, target in (("viewed", "sam", ada), ("played", "zoe", None), ("revealed", "ben", ada)):
        audit.note(AuditEvent.Action(action), target, by=who)
    newest_first = listed(ida, "staff_auditevent")
    assert listed(ida, "staff_auditevent", "0") == newest_first[::-1]
    for column in range(1, 6):
        assert [listed(ida, "staff_auditevent", f"{sign}{column}") for sign in ("", "-")] == [newest_first] * 2


def test_what_staff_did_is_searched_and_filtered_by_index(ida: Client, ada: Customer):
    audit.note(AuditEvent.Action.VIEWED, ada, by="sam")
    with CaptureQueriesContext(connection) as captured:
        for asked in ({"q": "sam"}, {"q": str(ada.pk)}, {"target_type": "orders.customer"}):
            assert ida.get(reverse("admin:staff_auditevent_changelist"), asked).context["cl"].result_count == 1
    asked = [query["sql"] for query in captured if 'FROM "staff_auditevent"' in query["sql"]]
    assert not [sql for sql in asked if "DISTINCT" in sql or "UPPER(" in sql]


def test_the_kinds_of_rows_to_choose_from_are_all_that_may_be_written_down(ida: Client):
    shown = ida.get(reverse("admin:staff_auditevent_changelist")).content.decode()
    for kind in ("calllogs.calllog", "calllogs.recording", "calllogs.transcription", "orders.order", "auth.user"):
        assert f'value="{kind}"' in shown
