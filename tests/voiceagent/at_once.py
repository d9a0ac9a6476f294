"""Several at the same thing in the database, begun together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection


def at_once(*work: Callable[[], object], refusal: type[Exception] | tuple[()] = ()) -> list[object]:
    """What each returns, on a thread of its own; None where it raises `refusal`."""
    together = Barrier(len(work))

    def run(one: Callable[[], object]) -> object:
        together.wait()
        try:
            return one()
        except refusal:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))
