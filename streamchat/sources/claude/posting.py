"""Sends requests to Claude. One with long files is encoded and sent in short steps: in one, ten
megabytes would hold up all other answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import anthropic
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent

from streamchat.system.pieces import written

# characters of a request's files from which on it is sent in steps
LONG = 200_000
# bytes that are sent at once
STEP = 64_000

Parameters = dict[str, Any]
Events = anthropic.AsyncStream[RawMessageStreamEvent]


class Body:
    """A request's JSON in parts, which can be sent again."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    @classmethod
    async def of(cls, parameters: Parameters) -> "Body":
        parts, part = [], bytearray()
        for piece in written(parameters):
            part += piece.encode(errors="replace")
            if len(part) >= STEP:
                parts.append(bytes(part))
                part.clear()
                await asyncio.sleep(0)
        return cls([*parts, bytes(part)])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
            await asyncio.sleep(0)

    @property
    def headers(self) -> dict[str, str]:
        length = sum(map(len, self.parts))
        return {"Content-Type": "application/json", "Content-Length": str(length)}


async def begun(client: anthropic.AsyncAnthropic, parameters: Parameters) -> Events:
    """The stream of an answer, as from `messages.create`."""
    if not _is_long(parameters):
        return cast("Events", await client.messages.create(**parameters))
    body = await Body.of(parameters)
    return await client.post(
        "/v1/messages",
        content=body,
        options={"headers": body.headers},
        cast_to=Message,
        stream=True,
        stream_cls=Events,
    )


async def counted(
    client: anthropic.AsyncAnthropic, parameters: Parameters, seconds: float
) -> MessageTokensCount:
    """The answer of `messages.count_tokens` within so many seconds."""
    if not _is_long(parameters):
        return await client.messages.count_tokens(**parameters, timeout=seconds)
    body = await Body.of(parameters)
    return await client.post(
        "/v1/messages/count_tokens",
        content=body,
        options={"headers": body.headers, "timeout": seconds},
        cast_to=MessageTokensCount,
    )


def _is_long(parameters: Parameters) -> bool:
    contents = (message["content"] for message in parameters["messages"])
    blocks = (block for content in contents if isinstance(content, list) for block in content)
    return sum(len(block.get("source", {}).get("data", "")) for block in blocks) > LONG
