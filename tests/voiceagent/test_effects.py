"""Tools that write, on a real PostgreSQL: what they do is done once for each tool call, or not at all."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier, Event, Thread

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from tests.phone_calls.world import address_of_test_database
from voiceagent import blocking, effects
from voiceagent.call.commands import HangUp, TakeDigits
from voiceagent.call.events import ToolFinished
from voiceagent.failpoints import KILLED
from voiceagent.models import ToolEffect, TransferDestination
from voiceagent.toolbox import LONGEST_OUTPUT, AskKeypad, Caller, Toolbox, ToolError, tool

ADA, BEN = Caller("CA1", "+14155550142"), Caller("CA2")
WITHIN_S = 20
BROKE = "That could not be checked just now."

Act = Callable[[str], object]
act: list[Act] = []
runs: list[str] = []


@pytest.fixture(autouse=True)
def afresh() -> None:
    act[:], runs[:] = [], []


@tool(writes=True)
def add(caller: Caller, name: str = "sales") -> str | AskKeypad:
    """Add a department, and then do what the test wants."""
    runs.append(name)
    TransferDestination.objects.create(department=name, phone="+14155550199")
    result = act[0](name) if act else None
    return result or f"{name} is number {len(runs)}."


@tool
def count(caller: Caller) -> str:
    """Count the departments, and then do what the test wants."""
    runs.append("count")
    if act:
        act[0]("count")
    return str(TransferDestination.objects.count())


def use(name: str = "sales", caller: Caller = ADA, tool_call_id: str = "call_1", of: str = "add") -> ToolFinished:
    arguments = {"name": name} if of == "add" else {}
    return Toolbox((add, count)).use(caller, tool_call_id, of, json.dumps(arguments))


def departments() -> list[str]:
    return [one.department for one in TransferDestination.objects.all()]


class TestATrueResult:
    def test_is_told_again_for_the_same_tool_call_and_nothing_is_run(self, db):
        first = use()
        assert first == ToolFinished("call_1", "sales is number 1.", "done")
        assert use() == use() == first
        assert (runs, departments()) == (["sales"], ["sales"])

    @pytest.mark.parametrize("other", [{"caller": BEN}, {"tool_call_id": "call_2"}])
    def test_belongs_to_one_call_and_one_of_its_tool_calls(self, db, other):
        use("sales")
        assert use("returns", **other).output == "returns is number 2."
        assert departments() == ["returns", "sales"]

    def test_that_asks_for_keys_asks_for_them_again(self, db):
        act.append(lambda name: AskKeypad("Please type it."))
        assert use() == use() == ToolFinished("call_1", "Please type it.", "done", TakeDigits())
        assert len(runs) == 1

    def test_that_was_cut_is_cut_when_it_is_told_again(self, db):
        act.append(lambda name: "x" * 5000)
        assert use().output == use().output == "x" * LONGEST_OUTPUT

    def test_says_what_was_asked_for_but_not_without_end(self, db):
        Toolbox((add,)).use(ADA, "call_1", "add", '{"name": "sales"}' + " " * 5000)
        kept = ToolEffect.objects.get()
        assert (kept.name, kept.arguments.strip(), len(kept.arguments)) == ("add", '{"name": "sales"}', effects.LONGEST_ARGUMENTS)


class TestARefusal:
    def test_is_a_result_and_what_was_done_until_then_stays(self, db):
        def refuse(name: str) -> object:
            raise ToolError("There are enough of them.")

        act.append(refuse)
        assert use() == use() == ToolFinished("call_1", "There are enough of them.", "failed")
        assert (runs, departments()) == (["sales"], ["sales"])


class TestWhatBreaks:
    def test_leaves_nothing_behind_and_may_be_tried_again(self, db):
        act.append(lambda name: 1 / 0)
        broke = use()
        assert broke.status == "failed" and broke.output.startswith(BROKE)
        assert (departments(), ToolEffect.objects.count()) == ([], 0)
        act.clear()
        assert use().status == "done"
        assert departments() == ["sales"]

    @pytest.mark.parametrize("result", [HangUp(), 7])
    def test_what_cannot_be_told_again_is_not_done_at_all(self, db, result):
        act.append(lambda name: result)
        assert use().status == "failed"
        assert (departments(), ToolEffect.objects.count()) == ([], 0)

    @pytest.mark.parametrize(("caller", "tool_call_id"), [(Caller(""), "call_1"), (ADA, "")])
    def test_without_a_call_or_an_id_nothing_is_done(self, db, caller, tool_call_id):
        assert use(caller=caller, tool_call_id=tool_call_id).status == "failed"
        assert runs == []


def test_a_tool_that_only_reads_leaves_no_row_and_is_run_each_time(db):
    assert [use(of="count").output for _ in range(2)] == ["0", "0"]
    assert len(runs) == 2
    assert not ToolEffect.objects.exists()


# Two at once


def in_thread(work: Callable[[], object]) -> Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def until(condition: Callable[[], object]) -> None:
    ends_at = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND NOT granted"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def both(self, goes_on: Callable[[str], object]) -> list[ToolFinished]:
        """The same tool call twice; the second comes while the first is at work, and that one goes on when the second waits."""
        told: list[ToolFinished] = []
        is_at_work, may_go_on = Event(), Event()

        def wait(name: str) -> object:
            if len(runs) > 1:
                return None
            is_at_work.set()
            assert may_go_on.wait(WITHIN_S)
            return goes_on(name)

        act.append(wait)
        first = in_thread(lambda: told.append(use()))
        assert is_at_work.wait(WITHIN_S)
        second = in_thread(lambda: told.append(use()))
        until(somebody_waits_for_a_lock)
        may_go_on.set()
        first.join()
        second.join()
        return told

    def test_the_second_waits_for_the_first_and_gets_its_result(self):
        one, other = self.both(lambda name: None)
        assert one == other == ToolFinished("call_1", "sales is number 1.", "done")
        assert (runs, departments()) == (["sales"], ["sales"])

    def test_where_the_first_breaks_the_second_does_it(self):
        told = self.both(lambda name: 1 / 0)
        assert sorted(one.status for one in told) == ["done", "failed"]
        assert (len(runs), departments()) == (2, ["sales"])


# The database gives up


def give_up(code: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{code}'; END $$")


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def kill(pid: int) -> None:
    """As a server does that is switched over to another: the process behind a connection is gone, and nobody is told."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            until(lambda: cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]) or not cursor.fetchone())
    finally:
        other.close()


def the_first_time(what: Callable[[], object]) -> Act:
    return lambda name: what() and None if len(runs) == 1 else None


@pytest.mark.django_db(transaction=True)
class TestWhatTheDatabaseGivesUp:
    @pytest.mark.parametrize("code", ["40P01", "40001", "55P03", "08006", "57P01"])
    @pytest.mark.parametrize("of", ["add", "count"])
    def test_is_tried_again_where_it_may_go_well(self, code, of):
        act.append(the_first_time(lambda: give_up(code)))
        assert use(of=of).status == "done"
        assert len(runs) == 2
        assert departments() == (["sales"] if of == "add" else [])

    @pytest.mark.parametrize("code", ["57014", "22012", "42P01"])
    @pytest.mark.parametrize("of", ["add", "count"])
    def test_is_not_tried_again_where_it_cannot(self, code, of):
        act.append(the_first_time(lambda: give_up(code)))
        assert use(of=of).output.startswith(BROKE)
        assert (len(runs), departments()) == (1, [])

    def test_is_tried_four_times_at_most(self):
        act.append(lambda name: give_up("40001"))
        assert use().output.startswith(BROKE)
        assert (len(runs), departments(), ToolEffect.objects.count()) == (4, [], 0)

    def test_is_not_tried_again_where_it_took_too_long(self, monkeypatch):
        monkeypatch.setattr(effects, "LONGEST_TO_TRY_AGAIN_S", 0)
        act.append(the_first_time(lambda: give_up("40001")))
        assert use().output.startswith(BROKE)
        assert len(runs) == 1

    @pytest.mark.parametrize("of", ["add", "count"])
    def test_a_connection_that_is_killed_in_the_middle_is_not_noticed(self, of):
        act.append(the_first_time(lambda: kill(backend())))
        assert use(of=of) == ToolFinished("call_1", "sales is number 2." if of == "add" else "0", "done")
        assert len(runs) == 2
        assert departments() == (["sales"] if of == "add" else [])

    def test_what_was_done_and_could_not_be_answered_is_not_done_again(self):
        """The connection is lost when everything is committed, and before that is told."""

        def lost() -> None:
            raise OperationalError("server closed the connection unexpectedly")

        act.append(lambda name: transaction.on_commit(lost))
        assert use() == ToolFinished("call_1", "sales is number 1.", "done")
        assert (runs, departments()) == (["sales"], ["sales"])


@pytest.mark.django_db(transaction=True)
def test_of_two_tools_that_wait_for_each_other_both_answer():
    for name in ("one", "two"):
        TransferDestination.objects.create(department=name, phone="+14155550199")
    together, tries = Barrier(2), []

    @tool(writes=True)
    def rename(caller: Caller, first: str, second: str) -> str:
        """Change both, one after the other."""
        tries.append(first)
        for name in (first, second):
            TransferDestination.objects.filter(department=name).update(any_time=True, description=first)
            if name == first and tries.count(first) == 1:
                together.wait(WITHIN_S)
        return "Both are changed."

    box, told = Toolbox((rename,)), []

    def change(call_sid: str, *names: str) -> None:
        told.append(box.use(Caller(call_sid), "call_1", "rename", json.dumps(dict(zip(("first", "second"), names, strict=True)))))

    threads = [in_thread(lambda: change("CA1", "one", "two")), in_thread(lambda: change("CA2", "two", "one"))]
    for thread in threads:
        thread.join()
    assert [one.output for one in told] == ["Both are changed."] * 2
    assert len(tries) == 3, "one of them was given up by the database, and tried again"
    assert TransferDestination.objects.filter(any_time=True).count() == 2


# On the thread of a tool


def limits() -> list[str]:
    with connection.cursor() as cursor:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [cursor.execute(f"SHOW {name}") and cursor.fetchone()[0] for name in names]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("of", ["add", "count"])
@pytest.mark.parametrize("spoil", [lambda: give_up("40001"), lambda: kill(backend())], ids=["given up", "killed"])
async def test_what_is_tried_again_is_held_to_the_same_limits(of, spoil):
    seen = []

    def look(name: str) -> None:
        seen.append(limits())
        if len(seen) == 1:
            spoil()

    act.append(look)
    assert (await blocking.use_tool(use, of=of)).status == "done"
    assert seen == [["3s", "1s", "10s"]] * 2


@pytest.mark.django_db(transaction=True)
def test_a_tool_does_not_wait_long_for_what_somebody_else_holds(monkeypatch):
    monkeypatch.setattr(blocking, "TOOL_LOCK_LIMIT_MS", 50)
    with held(ToolEffect):
        assert asyncio.run(blocking.use_tool(use)).output.startswith(BROKE)
    assert runs == []


@contextmanager
def held(model: type[ToolEffect]) -> Iterator[None]:
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {model._meta.db_table}")
        yield
        other.rollback()
    finally:
        other.close()


# The process dies

ANOTHER_PROCESS = """
import django
django.setup()
from voiceagent.models import TransferDestination
from voiceagent.toolbox import Caller, Toolbox, tool

@tool(writes=True)
def add(caller: Caller, name: str) -> str:
    "Add a department."
    TransferDestination.objects.create(department=name, phone="+14155550199")
    return f"{name} is added elsewhere."

Toolbox((add,)).use(Caller("CA1"), "call_1", "add", '{"name": "sales"}')
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("place", "told"),
    [("effect.before_commit", "sales is number 1."), ("effect.after_commit", "sales is added elsewhere.")],
)
def test_a_process_that_dies_has_done_it_or_not_and_another_one_knows(place, told):
    environment = {**os.environ, "DATABASE_URL": address_of_test_database(), "CRASH_AT": place}
    dead = subprocess.run([sys.executable, "-c", ANOTHER_PROCESS], env=environment, cwd=settings.BASE_DIR, timeout=60, check=False)
    assert dead.returncode == KILLED
    assert use() == ToolFinished("call_1", told, "done")
    assert departments() == ["sales"]
