"""The agent: talks with a caller over a telephone line. It knows nothing of orders, and could be lifted out whole.

    webhooks, consumers     the Django and Channels edge
    session                 asyncio: drives one live call
    carriers/ | engines/    outside parties; neither knows the other
    toolbox                 what the agent may use
    call/                   what to do when something happens. Pure.

Imports go down only. What the agent needs from above is handed to it by `callcenter.asgi` and `callcenter.urls`: tools,
a briefing, and a `voiceagent.log.Log` that writes down what it is told.
"""
