"""A telephone line: every 20 ms one frame to the caller's ear and one from the caller's mouth. All time of a call is counted here.

What is played is a `Source`; one at a time. Who must know what the caller says listens to the frames.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .clock import Clock
from .ear import Ear, SourceName
from .sound import FRAME, FRAME_MS, SILENCE, mix


class Source(Protocol):
    name: SourceName
    text: str
    counts_as_sound: bool

    def take(self, count: int) -> bytes:
        """The next `count` bytes, or fewer when there are no more at present."""


class Sound:
    """A finite sound, played once. `done` is set when it has been played, or when the line went dead before."""

    def __init__(self, mulaw: bytes, name: SourceName = "", text: str = "", *, counts_as_sound: bool = False) -> None:
        self.name = name
        self.text = text
        self.counts_as_sound = counts_as_sound
        self.done = asyncio.Event()
        self._rest = memoryview(mulaw)
        if not mulaw:
            self.done.set()

    def take(self, count: int) -> bytes:
        frame, self._rest = bytes(self._rest[:count]), self._rest[count:]
        if not self._rest:
            self.done.set()
        return frame


class Loop:
    """A sound that never ends, such as ringing."""

    text = ""
    counts_as_sound = False

    def __init__(self, mulaw: bytes, name: SourceName, *, counts_as_sound: bool = False) -> None:
        self.name = name
        self.counts_as_sound = counts_as_sound
        self._mulaw = deque(mulaw)

    def take(self, count: int) -> bytes:
        frame = bytes(self._mulaw[i] for i in range(count))
        self._mulaw.rotate(-count)
        return frame


class Line:
    def __init__(self, clock: Clock, ear: Ear) -> None:
        self.ear = ear
        self.source: Source | None = None
        self.surroundings: Source | None = None  # what is heard behind the caller
        self.is_dead = False
        self._clock = clock
        self._mouth: deque[Sound] = deque()
        self._listeners: list[Callable[[bytes], None]] = []
        self._watches: list[tuple[Callable[[], bool], asyncio.Event]] = []

    @property
    def now_ms(self) -> float:
        return self.ear.now_ms

    async def run(self) -> None:
        """Tick until cancelled; late ticks are made up for, one by one."""
        started = self._clock.now() - self.now_ms / 1000
        try:
            while True:
                self._tick()
                await self._clock.sleep_until(started + self.now_ms / 1000)
        finally:
            self._die()

    def _tick(self) -> None:
        source = self.source
        said = self._next_words()
        if self.surroundings:
            said = mix(said.ljust(FRAME, SILENCE), self.surroundings.take(FRAME))
        heard = source.take(FRAME) if source else b""
        if source:
            self.ear.remember(heard, said, source.name, source.text, counts_as_sound=source.counts_as_sound and bool(heard))
        else:
            self.ear.remember(b"", said, "")
        for listener in tuple(self._listeners):
            listener(said.ljust(FRAME, SILENCE))
        for watch in tuple(self._watches):
            condition, reached = watch
            if condition():
                reached.set()
                self._watches.remove(watch)

    def _next_words(self) -> bytes:
        if not self._mouth:
            return b""
        frame = self._mouth[0].take(FRAME)
        if self._mouth[0].done.is_set():
            self._mouth.popleft()
        return frame

    def _die(self) -> None:
        self.is_dead = True
        for words in self._mouth:
            words.done.set()
        for _, reached in self._watches:
            reached.set()
        if isinstance(self.source, Sound):
            self.source.done.set()

    async def play(self, sound: Sound) -> None:
        """Let the caller hear a sound, to its end."""
        self.source = sound
        try:
            await sound.done.wait()
        finally:
            if self.source is sound:
                self.source = None

    async def speak(self, mulaw: bytes) -> None:
        """Let the caller say something, after anything being said; returns when it is said or the line is dead."""
        if not self.is_dead:
            words = Sound(mulaw, "caller")
            if mulaw:
                self._mouth.append(words)
            await words.done.wait()

    @property
    def caller_is_speaking(self) -> bool:
        return bool(self._mouth)

    async def until(self, condition: Callable[[], bool], within_ms: float | None = None) -> bool:
        """Wait for a condition, looked at every 20 ms; false when the time was up or the line went dead first."""
        deadline = None if within_ms is None else self.now_ms + within_ms
        if condition():
            return True
        if self.is_dead:
            return False
        reached = asyncio.Event()
        watch = (lambda: condition() or (deadline is not None and self.now_ms >= deadline), reached)
        self._watches.append(watch)
        try:
            await reached.wait()
        finally:
            if watch in self._watches:
                self._watches.remove(watch)
        return condition()

    async def wait(self, ms: float) -> None:
        await self.until(lambda: False, max(0.0, ms - FRAME_MS / 2))

    def listen(self, listener: Callable[[bytes], None]) -> Callable[[], None]:
        """Hand every frame of the caller to `listener` until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
