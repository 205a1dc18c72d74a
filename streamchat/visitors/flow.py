"""Bounds the bytes of each visitor that the server works on."""

import time
from collections.abc import Callable

# visitors, after which those who have sent nothing for long are forgotten
REMEMBERED = 1_000


class Flow:
    """Limits how fast each visitor's bytes are processed: `burst` bytes at once, and then `rate`
    bytes a second. Otherwise one visitor's bytes could take all of the processor."""

    def __init__(
        self, burst: int, rate: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._clock = clock
        # when a visitor who sends no more will have all of the burst again
        self._whole_at: dict[str, float] = {}

    def take(self, visitor: str, size: int) -> float:
        """Seconds to wait after these bytes."""
        now = self._clock()
        if len(self._whole_at) > REMEMBERED:
            self._whole_at = {name: at for name, at in self._whole_at.items() if at > now}
        wait = self.wait(visitor, size)
        self._whole_at[visitor] = max(self._whole_at.get(visitor, now), now) + size / self._rate
        return wait

    def wait(self, visitor: str, size: int) -> float:
        """Seconds until these bytes may be worked on."""
        ahead = max(0.0, self._whole_at.get(visitor, 0.0) - self._clock())
        return max(0.0, ahead + (size - self._burst) / self._rate)
