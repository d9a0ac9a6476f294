"""Everything the product has written anywhere, as text: to look in it for what should not be there."""

import base64
import json
from pathlib import Path
from typing import Any

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection


def of_tables() -> dict[str, str]:
    """Each table of each app, all rows and all columns, those for searching included. A new table is here by itself."""
    found: dict[str, str] = {}
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        # A table that no model knows would be the best hiding place of all.
        for table in sorted(tables | set(connection.introspection.table_names(cursor))):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT coalesce(string_agg(one::text, chr(10)), '') FROM {name} AS one")  # noqa: S608  our own table
            found[table] = cursor.fetchone()[0]
    return found


def of_folders(*folders: Path) -> dict[str, str]:
    return {str(file): file.read_bytes().decode("latin-1") for one in folders for file in one.rglob("*") if file.is_file()}


def of_valkey() -> dict[str, str]:
    """Each key of every database of the server, and messages as whoever takes them reads them."""
    found = {}
    server = redis.Redis.from_url(settings.REDIS_URL)
    for number in map(int, (name.removeprefix("db") for name in server.info("keyspace"))):
        there = redis.Redis.from_url(settings.REDIS_URL, db=number)
        for key in there.scan_iter():
            found[f"{number}:{key!r}"] = f"{key!r} {value_of(there, key)}"
    return found


def value_of(there: Any, key: bytes) -> str:
    match there.type(key):
        case b"string":
            return str(there.get(key))
        case b"list":
            return " ".join(f"{message!r} {body_of(message)}" for message in there.lrange(key, 0, -1))
        case b"hash":
            return str(there.hgetall(key))
        case b"set":
            return str(there.smembers(key))
        case b"zset":
            return str(there.zrange(key, 0, -1))
        case kind:
            raise AssertionError(f"a key of a kind nobody looks into: {kind!r}")


def body_of(message: bytes) -> str:
    try:
        return base64.b64decode(json.loads(message)["body"]).decode()
    except (KeyError, TypeError, ValueError):
        return ""


def everything(*folders: Path) -> dict[str, str]:
    return {**of_tables(), **of_folders(*folders), **of_valkey()}
