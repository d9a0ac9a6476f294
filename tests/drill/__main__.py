"""`python -m tests.drill`: every drill, and the tables. The last line is `N passed, N failed`; the status is 0 if none failed."""

import sys

import pytest

from tests.drill.rows import Rows

if __name__ == "__main__":
    rows = Rows()
    spread = ("-n", "3", "--dist", "loadgroup")
    status = pytest.main(["tests/drill", "--all-drills", "-q", "--no-header", *spread, *sys.argv[1:]], plugins=[rows])
    print(f"\n{rows.crashes()}")
    print(f"\n{rows.table()}")
    sys.exit(int(status))
