"""What a drill leaves behind, and the table of all."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from tests.drill import crashes

COLUMNS = ("fault", "silence owed", "ended as", "went on with", "bystanders", "")
WIDTHS = (66, 12, 18, 20, 12, 4)


@dataclass
class Row:
    """`silence_ms`: the longest stretch in which the caller was owed something and heard nothing; None where no call came about.

    `bystanders_ms`: by how much the median of three other calls' frame latency moved.
    """

    code: str
    fault: str
    silence_ms: float | None = None
    disposition: str = ""
    went_on_with: str = ""
    bystanders_ms: float | None = None
    passed: bool = False
    # Whether figures decide as well: beside a thousand other tests they would say nothing.
    is_measured: bool = True

    def cells(self) -> tuple[str, ...]:
        silence = "–" if self.silence_ms is None else f"{self.silence_ms:.0f} ms"
        bystanders = "–" if self.bystanders_ms is None else f"{self.bystanders_ms:+.1f} ms"
        verdict = "ok" if self.passed else "FAIL"
        return (f"{self.code:<5} {self.fault}", silence, self.disposition or "–", self.went_on_with or "–", bystanders, verdict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def table(rows: Iterable[Row]) -> str:
    ordered = sorted(rows, key=lambda row: (row.code, row.fault))
    lines = [_line(COLUMNS), _line(tuple("─" * width for width in WIDTHS)), *(_line(row.cells()) for row in ordered)]
    passed = sum(row.passed for row in ordered)
    return "\n".join([*lines, "", f"{passed} passed, {len(ordered) - passed} failed"])


def _line(cells: tuple[str, ...]) -> str:
    return "  ".join(f"{cell[:width]:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


class Rows:
    """Collects the rows of all workers. A drill has passed when its test has, its end included."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._failed: set[str] = set()
        self._crashes: dict[str, tuple[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        for name, facts in report.user_properties:
            if name == "drill":
                self._rows[report.nodeid] = Row(**facts)
            if name == "crash":
                self._crashes[report.nodeid] = tuple(facts)

    def crashes(self) -> str:
        """Which kind of process was killed at which named place."""
        return crashes.table({crash: "FAIL" if node in self._failed else "ok" for node, crash in self._crashes.items()})

    def table(self) -> str:
        for nodeid, one in self._rows.items():
            one.passed = nodeid not in self._failed
        return table(self._rows.values())
