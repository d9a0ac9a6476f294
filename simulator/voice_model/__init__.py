"""A practice voice model: the OpenAI Realtime protocol (GA, over a WebSocket), spoken strictly, without OpenAI.

    shapes      what a client may send: every field, and how a wrong one is refused. Pure.
    protocol    one session: what each client event leads to. Pure: no asyncio, no sockets, no models.
    replies     one response: the events that tell of it, in their order. Pure.
    brains      what decides what is said: the interface, and a script for tests
    dialogue    what to say and which tool to use, from words alone. Pure.
    spoken      the brain that really listens and speaks, on this machine
    connection  one connection: carries out what its session asks for
    server      the WebSocket server (aiohttp, so that it shares no mistakes with the client under test)

It checks what it receives and is honest about itself: where it introduces itself, it is a practice model.
"""
