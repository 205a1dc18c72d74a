"""A tab's growing reply, as its page shows it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from streamchat.replies import Pace, paced
from streamchat.ui.tab import Tab
from streamchat.ui.transcript import Shown


async def frames(tab: Tab, pace: Pace, *, after: int = 0) -> AsyncGenerator[list[Shown]]:
    """The reply as messages, frame by frame to its end. The first frame has more than `after`
    events."""
    if tab.reply is None:
        return
    transcript = tab.transcript(tab.reply, after)
    seen = paced(tab.reply, pace, messages=len(tab.before), after=after)
    async with aclosing(seen) as pieces:
        async for events in pieces:
            transcript.add(events)
            if frame := transcript.messages(waiting=not events):
                yield frame
