"""The product works with its rows, and could not touch the record of what staff did if it were told to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction

from orders.models import Customer, Order
from staff import audit
from staff.database_role import make_role
from staff.models import AuditEvent
from tests.phone_calls.world import address_of_test_database

ROLE = {"name": "a_product_of_tests", "password": ""}
ROOT = Path(__file__).parents[2]


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def product(db: None) -> Iterator[None]:
    """From here on the database is asked by the product."""
    make_role(ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE['name']}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE staff_auditevent SET actor_name = 'nobody'",
        "DELETE FROM staff_auditevent",
        "TRUNCATE staff_auditevent",
        "TRUNCATE orders_order CASCADE",
        "ALTER TABLE staff_auditevent DISABLE TRIGGER audit_stays",
        "DROP TRIGGER audit_stays ON staff_auditevent",
        "CREATE OR REPLACE FUNCTION staff_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "CREATE RULE r AS ON INSERT TO staff_auditevent DO INSTEAD NOTHING",
        "SET session_replication_role = replica",
        "DROP TABLE staff_auditevent",
        "ALTER TABLE orders_order DROP COLUMN carrier",
        "CREATE TABLE public.anything (x int)",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('staff', 'x', now())",
        "DELETE FROM django_migrations",
        "CREATE ROLE another",
        "ALTER ROLE a_product_of_tests SUPERUSER",
        "SELECT setval('staff_auditevent_id_seq', 1)",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY orders_order TO PROGRAM 'cat'",
    ],
)
def test_it_is_refused_what_is_not_its_business(product: None, statement: str):
    audit.note(audit.Action.VIEWED, by="sam")
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
        run(statement)
    assert AuditEvent.objects.get().actor_name == "sam"


def test_it_does_its_work(product: None):
    ada = Customer.objects.create(name="Ada", email="ada@example.com")
    order = Order.objects.create(number="ORD-47192", customer=ada)
    order.cancel(by="the caller, CA1")
    order.delete()
    sam = User.objects.create_user("sam")
    audit.note(audit.Action.VIEWED, sam, by="sam")
    assert AuditEvent.objects.get().actor_name == "sam"
    run("SELECT pg_advisory_xact_lock(1)")


def asked(question: str) -> tuple[object, ...] | None:
    """`%(role)s` stands for its name."""
    with connection.cursor() as cursor:
        cursor.execute(question, {"role": ROLE["name"]})
        return cursor.fetchone()


def test_what_it_was_given_by_hand_is_taken_away_again(db: None):
    make_role(ROLE)
    name = ROLE["name"]
    run(f"GRANT ALL ON staff_auditevent TO {name}")
    run(f"GRANT ALL ON SEQUENCE staff_auditevent_id_seq TO {name}")
    run(f"GRANT CREATE ON SCHEMA public TO {name}")
    run(f"ALTER ROLE {name} SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS")
    make_role(ROLE)
    assert asked(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %(role)s"
    ) == (False,)
    assert asked(
        "SELECT has_table_privilege(%(role)s, 'staff_auditevent', 'UPDATE'), has_schema_privilege(%(role)s, 'public', 'CREATE'),"
        " has_sequence_privilege(%(role)s, 'staff_auditevent_id_seq', 'UPDATE'),"
        " has_sequence_privilege(%(role)s, 'staff_auditevent_id_seq', 'USAGE'),"
        " has_table_privilege(%(role)s, 'staff_auditevent', 'INSERT')"
    ) == (False, False, False, True, True)


def test_one_that_was_there_before_has_the_password_of_the_settings(db: None):
    make_role(ROLE)
    has_one = "SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = %(role)s"
    assert asked(has_one) == (False,)
    make_role({**ROLE, "password": "its secret"})
    assert asked(has_one) == (True,)


@pytest.mark.parametrize("other", ["the owner", "pg_write_all_data", "a_role_of_tests_that_may"])
def test_one_that_is_another_which_may_do_more_is_refused(db: None, other: str):
    make_role(ROLE)
    owner = asked("SELECT quote_ident(tableowner) FROM pg_tables WHERE tablename = 'staff_auditevent'")
    run("CREATE ROLE a_role_of_tests_that_may")
    run("GRANT TRUNCATE ON staff_auditevent TO a_role_of_tests_that_may")
    run(f"ALTER ROLE {ROLE['name']} NOINHERIT")
    run(f"GRANT {owner[0] if other == 'the owner' else other} TO {ROLE['name']}")
    with pytest.raises(ImproperlyConfigured, match="could change the record of what staff did"):
        make_role(ROLE)


def test_one_that_is_another_which_may_do_no_more_works(db: None):
    make_role(ROLE)
    run(f"GRANT pg_monitor TO {ROLE['name']}")
    make_role(ROLE)
    assert asked("SELECT pg_has_role(%(role)s, 'pg_monitor', 'MEMBER')") == (True,)


@pytest.mark.django_db(transaction=True)
def test_migrate_as_the_owner_makes_the_role_that_the_product_logs_in_with():
    owner = address_of_test_database()
    parts = urlsplit(owner)
    host = parts.netloc.rpartition("@")[2]
    product = parts._replace(netloc=f"another_product_of_tests:its%20secret@{host}").geturl()
    environment = {**os.environ, "DATABASE_URL": product, "DATABASE_OWNER_URL": owner}
    manage = [sys.executable, "manage.py"]
    try:
        subprocess.run([*manage, "migrate", "--no-input"], cwd=ROOT, env=environment, check=True, capture_output=True)
        asks = [
            *manage,
            "shell",
            "--no-imports",
            "-c",
            "from django.db import connection as c; print(c.cursor().execute('SELECT user').fetchone())",
        ]
        said = subprocess.run(asks, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        assert "another_product_of_tests" in said.stdout
        with psycopg.connect(product) as database, pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("DELETE FROM staff_auditevent")
    finally:
        run("DROP OWNED BY another_product_of_tests")
        run("DROP ROLE another_product_of_tests")
