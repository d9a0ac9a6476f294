"""The telephone network's time. Nothing else in this package may sleep or read a clock."""

import asyncio
import time


class Clock:
    """Seconds since it was made, `speed` times as fast as the wall's."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("time runs forwards: speed must be above zero")
        self.speed = speed
        self._started = time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._started) * self.speed

    async def sleep_until(self, moment: float) -> None:
        """Return at `moment` or as soon after it as can be; others get a turn even when it has passed."""
        await asyncio.sleep(max(0.0, (moment - self.now()) / self.speed))

    async def let_others_wait(self, seconds: float) -> None:
        """Wait by the wall, whatever the speed: for those whose patience is measured there."""
        await self.sleep_until(self.now() + seconds * self.speed)
