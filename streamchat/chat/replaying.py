"""Repeats a reply's events, for another reply with the same text."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from streamchat.events import Event
from streamchat.replies import Reply


async def following(reply: Reply) -> AsyncGenerator[Event]:
    async with aclosing(reply.follow()) as news:
        async for _, events in news:
            for event in events:
                yield event


async def replay(log: list[Event]) -> AsyncGenerator[Event]:
    for event in log:
        yield event
