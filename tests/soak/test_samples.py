"""What processes hold, and whether it grows."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.soak.samples import WARM_UP_CALLS, Life, Sample, sample, slope

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")


def test_an_open_file_and_a_thread_are_seen(tmp_path: Path):
    before = sample(os.getpid(), 3)
    done = threading.Event()
    waiting = threading.Thread(target=done.wait)
    waiting.start()
    with (tmp_path / "file").open("w"):
        during = sample(os.getpid(), 4)
    done.set()
    waiting.join()
    assert before and during
    assert (during.calls, during.files, during.threads) == (4, before.files + 1, before.threads + 1)


def test_memory_is_seen():
    before = sample(os.getpid(), 0)
    kept = bytearray(os.urandom(1 << 20) * 64)
    after = sample(os.getpid(), 0)
    assert before and after and len(kept) >> 10 == 65536
    assert after.rss_kb - before.rss_kb > 50_000


def test_of_a_process_that_is_gone_nothing_is_known():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert sample(gone.pid, 1) is None


def test_the_slope_is_that_of_the_line_that_fits_best():
    assert slope([(0, 5), (1, 7), (2, 9)]) == 2
    assert slope([(0, 0), (1, 3), (2, 0)]) == 0
    assert slope([(4, 1), (4, 9)]) == 0


def test_a_life_is_judged_by_what_came_after_it_had_warmed_up():
    began = 200
    warming_up = [Sample(began + calls, 100 * calls, 1, 1) for calls in range(0, WARM_UP_CALLS, 10)]
    warm = [Sample(began + WARM_UP_CALLS + calls, 5000 + calls, 1, 1) for calls in range(0, 101, 10)]
    life = Life("web1", warming_up + warm)
    assert life.calls == 100
    assert life.kb_per_call == pytest.approx(1.0)


def test_a_life_that_never_warmed_up_has_no_calls_to_be_judged_by():
    assert Life("web1", [Sample(10, 1, 1, 1), Sample(20, 1, 1, 1)]).calls == 0
