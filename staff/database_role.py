"""What the product itself may do in the database: read and write its rows, never what the tables are, nor what staff did.

Where `migrate` runs as the owner of the tables (DATABASE_OWNER_URL), it makes the role that DATABASE_URL names, or brings its
rights up to date. The web processes and workers then cannot change or empty the record of what staff did, whatever is asked of
them; a trigger keeps rows of it from being changed by the owner too.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from psycopg import sql

# Everything else may be read, added, changed and deleted.
LESS = {"staff_auditevent": "SELECT, INSERT", "django_migrations": "SELECT"}
ALL = "SELECT, INSERT, UPDATE, DELETE"
# What a role may do besides working with rows, by its column of pg_roles.
POWERS = {
    "rolsuper": "SUPERUSER",
    "rolcreatedb": "CREATEDB",
    "rolcreaterole": "CREATEROLE",
    "rolreplication": "REPLICATION",
    "rolbypassrls": "BYPASSRLS",
}
# Roles that it is, itself among them, and that could change what is kept.
STRONGER = """
    SELECT DISTINCT other.rolname FROM pg_roles AS other, pg_class AS kept
    WHERE kept.oid = ANY(%(kept)s::regclass[]) AND pg_has_role(%(role)s, other.oid, 'MEMBER') AND (
        other.rolsuper OR other.rolcreaterole OR other.oid = kept.relowner
        OR has_table_privilege(other.oid, kept.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
    )
"""


def make_role(role: Mapping[str, str], using: str = "default") -> None:
    """`role`: its name, and its password or "". Safe to repeat: what it was given by hand is taken away, and it has this password
    afterwards, unless somebody else made it whose roles we may not alter.

    Raises `ImproperlyConfigured`, and nothing has changed, where it is a member of a role that may do more.
    """
    connection = connections[using]
    with transaction.atomic(using), connection.cursor() as cursor:
        name = sql.Identifier(role["name"])
        password = [sql.SQL("PASSWORD {}").format(sql.Literal(role["password"]))] if role["password"] else []
        powers = powers_of(cursor, role["name"])
        if powers is None:
            said = [sql.SQL("CREATE ROLE {} LOGIN").format(name), *(sql.SQL(f"NO{power}") for power in POWERS.values()), *password]
            cursor.execute(sql.SQL(" ").join(said))
        elif taken := [*(sql.SQL(f"NO{power}") for power in powers), *(password if may_alter(cursor, role["name"]) else [])]:
            cursor.execute(sql.SQL(" ").join([sql.SQL("ALTER ROLE {}").format(name), *taken]))
        tables = connection.introspection.table_names(cursor)
        rights = [
            sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
            sql.SQL("REVOKE ALL ON SCHEMA public FROM {}").format(name),
            sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
            sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(name),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
            sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
            *(
                sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(LESS.get(table, ALL)), sql.Identifier(table), name)
                for table in tables
            ),
        ]
        for statement in rights:
            cursor.execute(statement)
        cursor.execute(STRONGER, {"kept": list(LESS), "role": role["name"]})
        if stronger := ", ".join(sorted(other for (other,) in cursor.fetchall())):
            raise ImproperlyConfigured(
                f"DATABASE_URL's user {role['name']} could change the record of what staff did, as {stronger}: take it out of there"
            )


def powers_of(cursor: Any, name: str) -> list[str] | None:
    """What a role may do besides working with rows; None if there is no such role."""
    cursor.execute(f"SELECT {', '.join(POWERS)} FROM pg_roles WHERE rolname = %s", [name])  # noqa: S608  # names of our own
    row = cursor.fetchone()
    return None if row is None else [power for power, has in zip(POWERS.values(), row, strict=True) if has]


def may_alter(cursor: Any, name: str) -> bool:
    """Whether the owner of the tables made this role, or could have."""
    cursor.execute(
        "SELECT rolsuper OR rolcreaterole AND ("
        "current_setting('server_version_num')::int < 160000 OR pg_has_role(rolname, %s, 'USAGE WITH ADMIN OPTION')"
        ") FROM pg_roles WHERE rolname = current_user",
        [name],
    )
    return bool(cursor.fetchone()[0])
