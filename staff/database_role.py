"""What the product itself may do in the database: read and write its rows, never what the tables are, nor what staff did.

Where `migrate` runs as the owner of the tables (DATABASE_OWNER_URL), it makes the role that DATABASE_URL names, or brings its
rights up to date. The web processes and workers then cannot change or empty the record of what staff did, whatever is asked of
them; a trigger keeps rows of it from being changed by the owner too.
"""

from collections.abc import Mapping

from django.db import connections
from psycopg import sql

# Everything else may be read, added, changed and deleted.
LESS = {"staff_auditevent": "SELECT, INSERT", "django_migrations": "SELECT"}
ALL = "SELECT, INSERT, UPDATE, DELETE"


def make_role(role: Mapping[str, str], using: str = "default") -> None:
    """`role`: its name, and its password or "", for a role that is new. Safe to repeat; what it was given by hand is taken away."""
    connection = connections[using]
    with connection.cursor() as cursor:
        name = sql.Identifier(role["name"])
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role["name"]])
        if not cursor.fetchone():
            password = sql.SQL(" PASSWORD {}").format(sql.Literal(role["password"])) if role["password"] else sql.SQL("")
            say = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS{}")
            cursor.execute(say.format(name, password))
        tables = connection.introspection.table_names(cursor)
        rights = [
            sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
            sql.SQL("REVOKE ALL ON SCHEMA public FROM {}").format(name),
            sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
            sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
            *(
                sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(LESS.get(table, ALL)), sql.Identifier(table), name)
                for table in tables
            ),
        ]
        for statement in rights:
            cursor.execute(statement)
