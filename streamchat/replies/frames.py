"""What a page gets while a reply is written, frame by frame."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from streamchat.events import Event, Text
from streamchat.replies.pace import PACE
from streamchat.replies.reply import Reply

HEARTBEAT = 2.0  # seconds; a closed tab is noticed when something is sent to it


async def paced(reply: Reply, *, messages: int = 0, after: int = 0) -> AsyncGenerator[list[Event]]:
    """Everything new since the last frame, as often as `PACE` has it; the first word and the end at once."""
    spoken = False
    with PACE.reader():
        async with aclosing(reply.follow(after, heartbeat=HEARTBEAT)) as news:
            async for _, events in news:
                yield events
                spoken = spoken or any(isinstance(event, Text) for event in events)
                if spoken or Text not in reply.first_at:
                    await PACE.rest(reply, PACE.frame(messages))
