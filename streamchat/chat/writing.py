"""How a source writes a reply."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from streamchat.chat.parties import Source
from streamchat.events import Event, Notice, Request
from streamchat.replies import Write


def writing(source: Source, request: Request) -> Write:
    """The `write` of a reply that the source answers."""
    return lambda wanted: source.stream(replace(request, wanted=wanted))


async def instead(why: str, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """Another source's events, after a notice with the code of the error that is the reason."""
    yield Notice("demo_instead", {"error": why}, instead=True)
    async with aclosing(events):
        async for event in events:
            yield event
