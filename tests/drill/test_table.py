"""The table of what was killed where."""

from tests.drill import crashes
from tests.drill.rows import Rows


class Report:
    def __init__(self, nodeid: str, at: str, kind: str, failed: bool = False) -> None:
        self.nodeid, self.failed, self.user_properties = nodeid, failed, [("crash", (at, kind))]


async def test_each_place_has_a_line_and_each_kind_of_process_a_verdict():
    rows = Rows()
    rows.pytest_runtest_logreport(Report("one", "task.sent", "web"))
    rows.pytest_runtest_logreport(Report("two", "task.sent", "beat", failed=True))
    head, _, *lines = rows.crashes().splitlines()
    assert head.split() == ["killed", "at", *crashes.KINDS]
    assert [line.split()[0] for line in lines] == list(crashes.REACHED_IN)
    told = {line.split()[0]: line.split()[1:] for line in lines}
    assert told["task.sent"] == ["ok", "not", "run", "not", "run", "not", "run", "FAIL"]
    assert told["recording.leased"] == ["–", "–", "not", "run", "–", "–"]
