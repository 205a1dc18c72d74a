"""How often a page is redrawn while a reply is written."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from streamchat.events import Event, Text
from streamchat.reply import Reply

FASTEST = 0.1  # seconds between two frames of a short conversation
SLOWEST = 0.25
PER_MESSAGE = 0.0015  # what one more message on the page costs a browser, in seconds
HEARTBEAT = 2.0  # seconds; a closed tab is noticed when something is sent to it


def interval(messages: int) -> float:
    """Seconds between two frames of a page that shows this many messages: a redraw costs by the message."""
    return min(SLOWEST, FASTEST + messages * PER_MESSAGE)


async def paced(reply: Reply, *, messages: int = 0, after: int = 0) -> AsyncGenerator[list[Event]]:
    """Everything new since the last frame, at most every `interval`; the first word and the end at once."""
    spoken = False
    async with aclosing(reply.follow(after, heartbeat=HEARTBEAT)) as news:
        async for _, events in news:
            yield events
            spoken = spoken or any(isinstance(event, Text) for event in events)
            if spoken or Text not in reply.first_at:
                await reply.rest(interval(messages))
