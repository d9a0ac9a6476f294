"""Who works here, and what they did: the second factor, roles, and a record that nobody can change.

    audit, models     one row for everything that staff saw, played, took away, changed or erased
    roles             who may do what, over all other apps
    admin_pages       what every page of the admin is made of: what is done there is written down, what does not concern is hidden
    masking           how numbers and addresses are hidden, alone and in what was said
    versions          rows that keep what they were; `versioned` are their pages, where nobody overwrites another's change
    exports           lists as files
    database_role     what the product itself may do in the database

It knows the other apps by name only, and imports none of them: their pages write here what staff do with them.
"""
