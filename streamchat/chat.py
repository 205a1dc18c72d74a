"""The one way to ask: a conversation is checked, a reply is started, found again and stopped."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from streamchat.cache import Cache
from streamchat.errors import EmptyMessage, TooLong, UnknownReply
from streamchat.events import Conversation, Event, Message, Request
from streamchat.reply import Reply
from streamchat.store import Store

MAX_CHARACTERS = 4_000_000  # of a conversation: about a million tokens, more than any model takes


class Source(Protocol):
    """Who answers. `stream` ends with exactly one `Done`, or raises a `ChatError`."""

    @property
    def name(self) -> str: ...

    def stream(self, request: Request) -> AsyncGenerator[Event]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Chat:
    def __init__(self, source: Source, store: Store, *, linger: float, keep: float) -> None:
        self.source = source
        self._store = store
        self._linger = linger
        self._keep = keep
        self._replies = Cache(keep=keep)
        self._opening: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        """How many replies are being written."""
        return len(self._replies.running)

    async def open(self) -> None:
        self._opening = asyncio.create_task(self.source.open())
        await self._store.open()

    async def close(self) -> None:
        """Stops every reply, writes what is to survive, and lets the source go."""
        replies = self._replies.running
        for reply in replies:
            reply.stop("shutdown")
        await asyncio.gather(*(reply.closed() for reply in replies))
        await self._store.close()
        if self._opening:
            self._opening.cancel()
        await self.source.close()

    def ask(self, messages: Sequence[Message]) -> Reply:
        """Starts a reply to the conversation and returns it at once; raises `Refused` if there is none to give.

        A conversation that ends with the assistant's words asks for the rest of them.
        """
        request = Request(checked(messages))
        reply = Reply(self.source.stream(request), linger=self._linger, on_end=self._replies.ended)
        self._replies.add(reply)
        self._store.follow(reply)
        return reply

    async def resume(self, reply_id: str, *, however_old: bool = False) -> Reply:
        """The reply of that id, running or ended, also from before a restart; raises `UnknownReply`."""
        try:
            return self._replies.get(reply_id)
        except UnknownReply:
            since = 0 if however_old else time.time() - self._keep
            if log := await self._store.log(reply_id, since=since):
                return await self._replayed(reply_id, log)
            raise

    async def stop(self, reply_id: str) -> None:
        """Stops the reply if it still runs; raises `UnknownReply`."""
        (await self.resume(reply_id)).stop()

    async def _replayed(self, reply_id: str, log: list[Event]) -> Reply:
        reply = Reply(replay(log), linger=self._linger, on_end=self._replies.ended, reply_id=reply_id)
        self._replies.add(reply)
        await reply.closed()
        return reply


async def replay(log: list[Event]) -> AsyncGenerator[Event]:
    for event in log:
        yield event


def checked(messages: Sequence[Message]) -> Conversation:
    """The conversation as a source wants it: turns alternate, none is empty, the first is the user's."""
    if not messages or not messages[-1].text.strip():
        raise EmptyMessage
    turns: list[Message] = []
    for message in messages:
        if not message.text.strip() or (not turns and message.role == "assistant"):
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = Message(message.role, f"{turns[-1].text}\n\n{message.text}")
        else:
            turns.append(message)
    if not turns:
        raise EmptyMessage
    if sum(len(turn.text) for turn in turns) > MAX_CHARACTERS:
        raise TooLong
    return tuple(turns)
