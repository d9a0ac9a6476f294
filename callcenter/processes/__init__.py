"""The call centre as processes on one machine: starts them in order, and leaves none behind.

    supervisor   `python -m callcenter.processes run` or `demo`
    programs     what is started, in which order, with which environment
    relay        what keeps several processes at one work: the dead come back, and all can be renewed one after the other
    children     child processes that cannot outlive us; `launch` and `reaper` are scripts that help with it
    embedded     a real PostgreSQL and a real Valkey, from wheels
    ports        which are free, and who holds one that is not
    terminal     what the person in front of it sees

No Django in here: settings can only be read once the database has an address.
"""
