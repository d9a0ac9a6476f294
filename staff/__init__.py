"""Who works here, and what they did: the second factor, roles, and a record that nobody can change.

    audit, models     one row for everything that staff saw, played, took away, changed or erased
    roles             who may do what, over all other apps

It knows the other apps by name only, and imports none of them: their pages write here what staff do with them.
"""
