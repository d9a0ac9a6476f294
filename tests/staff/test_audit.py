"""What staff did is written once, and stays."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from calllogs.models import CallLog
from staff import audit
from staff.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam() -> User:
    return User.objects.create_user("sam")


def a_request(user: object):
    request = RequestFactory().get("/admin/", REMOTE_ADDR="192.0.2.7")
    request.user = user
    return request


def test_a_deed_is_kept_with_who_did_it_where_from_and_to_what(sam: User):
    call = CallLog.objects.create(call_sid="CA1")
    audit.note(audit.Action.PLAYED, call, request=a_request(sam), seconds=3)
    kept = AuditEvent.objects.get()
    assert (kept.action, kept.actor, kept.actor_name, kept.address) == ("played", sam, "sam", "192.0.2.7")
    assert (kept.target_type, kept.target_id, kept.facts) == ("calllogs.calllog", str(call.pk), {"seconds": 3})
    assert str(kept) == f"sam played calllogs.calllog {call.pk}"


def test_a_deed_without_a_person_names_who_acted():
    for request in (None, a_request(AnonymousUser())):
        kept = audit.note(audit.Action.SIGN_IN_FAILED, request=request, by="a stranger")
        assert (kept.actor, kept.actor_name, kept.target_type, kept.target_id) == (None, "a stranger", "", "")


def test_who_is_deleted_did_it_all_the_same(sam: User):
    audit.note(audit.Action.VIEWED, request=a_request(sam))
    sam.delete()
    assert AuditEvent.objects.get().actor_name == "sam"


@pytest.mark.parametrize("sql", ["UPDATE staff_auditevent SET actor_name = 'x'", "DELETE FROM staff_auditevent"])
def test_the_database_itself_refuses_to_change_what_was_written(sql: str):
    audit.note(audit.Action.VIEWED, by="sam")
    with pytest.raises(DatabaseError, match="stays"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditEvent.objects.get().actor_name == "sam"
