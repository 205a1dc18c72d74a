"""The events of pages that wait for something to happen to a tab."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Watches:
    """At most one watch of each page, and whoever reads an answer."""

    _watches: dict[str, asyncio.Event] = field(default_factory=dict, init=False, repr=False)
    _reading: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def watch(self, page: str = "") -> asyncio.Event:
        """Ends the page's watch before. The event is set when another watch of the page begins."""
        self.unwatch(page)
        self._watches[page] = asyncio.Event()
        return self._watches[page]

    def unwatch(self, page: str) -> None:
        """Ends the page's watch."""
        if watch := self._watches.pop(page, None):
            watch.set()

    def read(self) -> asyncio.Event:
        """Set when another event of the page shows the same answer, because the question was sent
        again."""
        self._reading.set()
        self._reading = asyncio.Event()
        return self._reading
