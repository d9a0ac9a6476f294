"""The soak: many short calls through the whole product while everything behind it breaks, one thing after the other.

    plan       who calls when and wants what, and what breaks when: all of it follows from a seed. Pure.
    callers    what callers do, and an engine that understands them
    troubles   what can break, and how it is mended
    product    the product's processes as `make run` has them, and what they need behind proxies that can fail
    samples    what processes hold of memory, files and threads, and whether that grows
    verdict    what must be true at the end, asked of the rows, the files, the logs and the outside parties
    run        one soak, from the first process to the table

`python -m tests.soak` runs it; `make soak` is the same.
"""
