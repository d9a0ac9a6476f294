"""The agent: talks with a caller over a telephone line. It knows nothing of orders, and could be lifted out whole.

    webhooks, consumers     the Django and Channels edge
    session                 asyncio: drives one live call
    line                    the caller's media stream
    live, tickets           which calls this process carries; which process a call belongs to
    endings                 how the end of a call becomes known, whoever tells it
    kept, spool             the call's log, and a file of this machine for what the database cannot be told now
    carriers/ | engines/    outside parties; neither knows the other
    toolbox                 what the agent may use
    effects                 what its tools did, once for each tool call
    call/                   what to do when something happens. Pure.

When something fails, a call goes down a ladder, and the caller hears each step: a clip of our own on the open stream; another
session with the engine; another stream, carried by another process; a person, in the hours when one is there; a message; and
last, without any of us, the carrier's own copy of `templates/carrier/fallback.xml`.

Imports go down only. What the agent needs from above is handed to it by `callcenter.asgi` and `callcenter.urls`: tools,
a briefing, and a `voiceagent.log.Log` that writes down what it is told. Whatever a webhook or a session tells may be told again,
late and in any order: each comes to the same record.
"""
