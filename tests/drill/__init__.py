"""Every fault of a live call, through the whole stack, at the caller's ear and at the wall's pace: `make drill`.

A drill is a test that also leaves a row: which fault, the longest silence the caller was owed something in, how the call ended,
and who went on with it by itself. `make test` runs those marked `short`; `make drill` runs all and prints the table.

    stage    the product as several processes, each service and outside party behind a proxy that can fail; three bystanders
    rows     what a drill leaves behind, and the table
    crashes  which process can die at which named place, and the table of that
"""
