"""The events of a reply for a page, frame by frame."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

from streamchat.events import Event, Text
from streamchat.replies.pace import Pace
from streamchat.replies.reply import Reply

# seconds; a closed tab is noticed when something is sent to it
HEARTBEAT_SECONDS = 2.0
# characters of text in a frame, which a browser draws without a noticeable pause
MOST = 16_000


async def paced(
    reply: Reply, pace: Pace, *, messages: int = 0, after: int = 0
) -> AsyncGenerator[list[Event]]:
    """Yields the events since the last frame, at the interval that the pace sets; the first word
    and the end at once.

    A text that is too long for one frame is split over several.
    """
    spoken = False
    drawn = _length(reply.log[:after])
    with pace.reader():
        async with aclosing(reply.follow(after, heartbeat=HEARTBEAT_SECONDS)) as news:
            async for _, events in news:
                frames = portions(events)
                for frame in frames[:-1]:
                    yield frame
                    drawn += _length(frame)
                    await asyncio.sleep(pace.frame(messages, drawn))
                yield frames[-1]
                drawn += _length(frames[-1])
                spoken = spoken or any(isinstance(event, Text) for event in events)
                if spoken or Text not in reply.first_at:
                    await pace.rest(reply, pace.frame(messages, drawn))


def portions(events: Sequence[Event]) -> list[list[Event]]:
    """The events in portions of at most `MOST` characters of text; at least one portion."""
    found: list[list[Event]] = [[]]
    size = 0
    for piece in (piece for event in events for piece in _split(event)):
        size += _length([piece])
        if size > MOST and found[-1]:
            found.append([])
            size = _length([piece])
        found[-1].append(piece)
    return found


def _split(event: Event) -> list[Event]:
    if isinstance(event, Text) and len(event.text) > MOST:
        return [Text(event.text[at : at + MOST]) for at in range(0, len(event.text), MOST)]
    return [event]


def _length(events: Iterable[Event]) -> int:
    return sum(len(event.text) for event in events if isinstance(event, Text))
