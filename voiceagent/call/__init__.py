"""A call is a function: `Call.handle(event, now) -> list[Command]`, plus `Call.deadline` and `Call.finished`.

No socket, clock, JSON, asyncio or Django may enter this package; time is an argument, in seconds of any monotonic clock.
That makes every rule of a call testable by calling a function, and a recorded inbox replays to the same commands.

    events.py       what can happen
    commands.py     what a call can ask for
    machine.py      every rule of a call
    link.py         the session with the engine, and how often it may fail
    replies.py      one reply at a time
    playback.py     what the caller has heard
    transcript.py   turns, in the order they began
    wishes.py       what a caller's words mean, told without the model: a person is wanted, something goes wrong
    concerns.py     whether the call goes well, or a person should be offered
    keypad.py       keys that make a number
    waiting.py      silence that is owed, and the clips that break it
    tool_runs.py    tools at work, each run once
    hearing.py      what the caller said and nothing yet shows to be understood
    usage.py        what the engine did, as it is paid for
    spending.py     what a call has cost so far
    answering.py    how long the caller waits for an answer
    policy.py       the numbers and lines that govern a call
"""
