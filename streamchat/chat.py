"""The one way to ask: a conversation is checked, a reply is started, found again and stopped."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from streamchat.errors import EmptyMessage, TooLong, UnknownReply
from streamchat.events import Conversation, Event, Message, Request
from streamchat.reply import Reply

MAX_CHARACTERS = 4_000_000  # of a conversation: about a million tokens, more than any model takes


class Source(Protocol):
    """Who answers. `stream` ends with exactly one `Done`, or raises a `ChatError`."""

    @property
    def name(self) -> str: ...

    def stream(self, request: Request) -> AsyncGenerator[Event]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Chat:
    def __init__(self, source: Source, *, linger: float) -> None:
        self.source = source
        self._linger = linger
        self._running: dict[str, Reply] = {}

    def ask(self, messages: Sequence[Message]) -> Reply:
        """Starts a reply to the conversation and returns it at once; raises `Refused` if there is none to give."""
        conversation = checked(messages)
        reply = Reply(self.source.stream(Request(conversation)), linger=self._linger, on_end=self._ended)
        self._running[reply.id] = reply
        return reply

    def resume(self, reply_id: str) -> Reply:
        try:
            return self._running[reply_id]
        except KeyError:
            raise UnknownReply from None

    def stop(self, reply_id: str) -> None:
        self.resume(reply_id).stop()

    async def close(self) -> None:
        """Stops every reply and lets its source go."""
        replies = list(self._running.values())
        for reply in replies:
            reply.stop("shutdown")
        await asyncio.gather(*(reply.closed() for reply in replies))
        await self.source.close()

    def _ended(self, reply: Reply) -> None:
        del self._running[reply.id]


def checked(messages: Sequence[Message]) -> Conversation:
    """The conversation as a source wants it: turns alternate, none is empty, the first and last are the user's."""
    if not messages or messages[-1].role != "user" or not messages[-1].text.strip():
        raise EmptyMessage
    turns: list[Message] = []
    for message in messages:
        if not message.text.strip() or (not turns and message.role == "assistant"):
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = Message(message.role, f"{turns[-1].text}\n\n{message.text}")
        else:
            turns.append(message)
    if sum(len(turn.text) for turn in turns) > MAX_CHARACTERS:
        raise TooLong
    return tuple(turns)
