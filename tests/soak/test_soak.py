"""The short form, as anyone would start it: thirty calls while the database resets its connections and a worker is killed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.phone_calls.world import address_of_test_database


# It starts six processes: beside everything else that is tested, each takes its time.
@pytest.mark.timeout(400)
def test_thirty_calls_end_well_whatever_breaks(transactional_db: None, tmp_path: Path):
    command = [sys.executable, "-m", "tests.soak", "--short", "--seed", "7", "--folder", str(tmp_path / "soak")]
    command += ["--database", address_of_test_database()]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-3000:]
    facts = json.loads(ran.stdout.splitlines()[-1])
    assert (facts["seed"], facts["calls"], facts["failed"]) == (7, 30, 0)
    assert facts["calls placed, and logs of them"] == "30, 30"
    assert facts["troubles"] == "database_resets 1, worker_killed 1"
    assert re.search(r"^PASS +calls without an end or a disposition +0$", ran.stdout, re.MULTILINE)
    assert "FAIL" not in ran.stdout
