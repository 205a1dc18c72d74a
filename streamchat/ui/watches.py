"""The events of pages that wait for a change of a tab."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Watches:
    """One watch at most of each page, and the event that shows the answer."""

    _watches: dict[str, asyncio.Event] = field(default_factory=dict, init=False, repr=False)
    _reading: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def watch(self, page: str = "") -> asyncio.Event:
        """Ends the page's watch and begins another. The returned event is set when that one
        ends."""
        self.unwatch(page)
        self._watches[page] = asyncio.Event()
        return self._watches[page]

    def unwatch(self, page: str) -> None:
        """Ends the page's watch."""
        if watch := self._watches.pop(page, None):
            watch.set()

    def read(self) -> asyncio.Event:
        """An event that is set when another event of the page shows the same answer, after a
        repeated question."""
        self._reading.set()
        self._reading = asyncio.Event()
        return self._reading
