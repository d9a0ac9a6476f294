"""What processes hold of memory, files and threads, and whether it grows with the calls they had. Linux only."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PAGE_KB = 4
# Of each life: caches fill, pools reach their size, and the allocator its high-water mark.
WARM_UP_CALLS = 50
# A line through fewer says nothing.
LEAST_CALLS = 150
MOST_KB_PER_CALL = 2.0
# A connection to the broker or the carrier that is kept for the next time.
SPARE_FILES = 2
# A process that carries calls has pools of threads, which grow when they are needed and stay: for tools, for the log, for the
# carrier, for the disk, for waking tasks, and the event loop's own.
POOLED_THREADS = 8 + 4 + 8 + 1 + 1 + 6


@dataclass(frozen=True)
class Sample:
    """`calls`: how many there had been by then."""

    calls: int
    rss_kb: int
    files: int
    threads: int


def sample(process: int, calls: int) -> Sample | None:
    """None: the process is gone."""
    folder = Path(f"/proc/{process}")
    with suppress(OSError, StopIteration, ValueError):
        rss_kb = int((folder / "statm").read_text().split()[1]) * PAGE_KB
        status = (folder / "status").read_text().splitlines()
        threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
        if files := len(list((folder / "fd").iterdir())):
            return Sample(calls, rss_kb, files, threads)
    return None


@dataclass
class Life:
    """One process, from its first sample to its last."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def judged(self) -> list[Sample]:
        """What was taken after it had warmed up, and not twice at the same number of calls."""
        began = self.samples[0].calls
        return [one for one in self.samples if one.calls - began >= WARM_UP_CALLS]

    @property
    def calls(self) -> int:
        """Over how many it can be judged."""
        return self.judged[-1].calls - self.judged[0].calls if self.judged else 0

    @property
    def kb_per_call(self) -> float:
        return slope([(one.calls, one.rss_kb) for one in self.judged])


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line that fits best, by least squares; 0 where all are at one place."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
